/**
 * Service account tokens: JSON Web Tokens signed with a key of the data directory (ES256), bound to the account and, where asked, to a pod or
 * a secret; good while all of these are there and until they expire.
 * Follows kubernetes pkg/serviceaccount (claims.go, jwt.go).
 */
import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, sign, verify } from "node:crypto";
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Ids } from "../base/chance.ts";
import type { Clock } from "../base/clock.ts";
import { MASTERS } from "../api/rbac/attributes.ts";
import type { Api, UserInfo } from "../api/request.ts";
import { NODES, PODS, type Resource, SECRETS, SERVICE_ACCOUNTS } from "../api/resource.ts";
import { goQuote } from "../api/go-quote.ts";
import { isNotFound } from "../api/status-error.ts";
import type { TokenIssuer, TokenSubject } from "./token-request.ts";
import type { TokenVerifier } from "../server/authentication.ts";
import { serviceAccountGroups } from "./impersonation.ts";
import { SYSTEM } from "./rbac.ts";

export const ISSUER = "https://kubernetes.default.svc";
const KEY_FILE = "service-account.key";
/** Clocks of the same machine: a token is good from the second in which it was made. */
const SECOND_MS = 1000;

interface Reference {
  readonly name: string;
  readonly uid: string;
}

interface Claims {
  readonly aud: readonly string[];
  readonly exp: number;
  readonly iat: number;
  readonly iss: string;
  readonly jti: string;
  /** Absent in the administrator's token. */
  readonly "kubernetes.io"?: {
    readonly namespace: string;
    readonly node?: Partial<Reference>;
    readonly pod?: Reference;
    readonly secret?: Reference;
    readonly serviceaccount: Reference;
    readonly warnafter?: number;
  };
  readonly nbf: number;
  readonly sub: string;
}

/** Reads the signing key, or makes it. PEM. */
export async function openSigningKey(directory: string): Promise<string> {
  const path = join(directory, KEY_FILE);
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
  const pem = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey.export({ type: "pkcs8", format: "pem" }).toString();
  await mkdir(directory, { recursive: true, mode: 0o700 });
  await writeFile(`${path}.new`, pem, { mode: 0o600 });
  await rename(`${path}.new`, path);
  return pem;
}

const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");

/** The `kid` of a public key. */
export function keyIdOf(key: KeyObject): string {
  return createHash("sha256").update(key.export({ type: "spki", format: "der" })).digest("base64url");
}

/** A token with these claims. */
export function signed(key: KeyObject, claims: object): string {
  const text = `${encode({ alg: "ES256", kid: keyIdOf(createPublicKey(key)) })}.${encode(claims)}`;
  return `${text}.${sign("sha256", Buffer.from(text), { key, dsaEncoding: "ieee-p1363" }).toString("base64url")}`;
}

export interface TokenIssuerOptions {
  /** PEM. */
  readonly key: string;
  readonly clock: Clock;
  readonly ids: Ids;
}

function claimsOf({ namespace, name, uid, bound, node, warnAfterSeconds }: TokenSubject, audiences: readonly string[], jti: string, now: number, expires: number): Claims {
  const reference = bound && bound.kind !== "Node" && { [bound.kind.toLowerCase()]: { name: bound.name, uid: bound.uid } };
  return {
    aud: audiences, exp: expires, iat: now, iss: ISSUER, jti, "kubernetes.io": { namespace, ...(node && { node }), ...reference, serviceaccount: { name, uid }, ...(warnAfterSeconds !== undefined && { warnafter: now + warnAfterSeconds }) }, nbf: now,
    sub: `system:serviceaccount:${namespace}:${name}`,
  };
}

/** What the registry signs tokens with. */
export function openTokenIssuer({ key, clock, ids }: TokenIssuerOptions): TokenIssuer {
  const privateKey = createPrivateKey(key);
  return {
    defaultAudiences: [ISSUER],
    issue(subject, { audiences, expiresAtMs }) {
      const claims = claimsOf(subject, audiences, ids.uid(), Math.floor(clock.now() / SECOND_MS), Math.floor(expiresAtMs / SECOND_MS));
      return Promise.resolve(signed(privateKey, claims));
    },
  };
}

const ADMIN: UserInfo = { name: "kubernetes-admin", groups: [MASTERS] };
const ADMIN_DAYS = 365;

/** The administrator's token, for a kubeconfig that is written at each start: signed with the same key, good for a year. */
export function adminToken({ key, clock, ids }: TokenIssuerOptions): string {
  const now = Math.floor(clock.now() / SECOND_MS);
  return signed(createPrivateKey(key), { aud: [ISSUER], exp: now + ADMIN_DAYS * 86_400, iat: now, iss: ISSUER, jti: ids.uid(), nbf: now, sub: ADMIN.name });
}

function parseClaims(token: string, publicKey: KeyObject): object | undefined {
  const [header = "", payload = "", signature = "", ...more] = token.split(".");
  if (more.length > 0 || signature === "") return undefined;
  try {
    const { alg } = JSON.parse(Buffer.from(header, "base64url").toString()) as { alg?: string };
    const good = alg === "ES256" && verify("sha256", Buffer.from(`${header}.${payload}`), { key: publicKey, dsaEncoding: "ieee-p1363" }, Buffer.from(signature, "base64url"));
    return good ? (JSON.parse(Buffer.from(payload, "base64url").toString()) as object) : undefined;
  } catch {
    return undefined;
  }
}

/** Tokens whose signature was verified; the oldest goes when there are too many. A signature does not change its mind: the rest is asked each time. */
const VERIFIED_TOKENS_MAX = 1000;

/** Gives the claims of a token that was signed with the key. */
export function openSignatureCheck(publicKey: KeyObject): (token: string) => object | undefined {
  const verified = new Map<string, object>();
  return (token) => {
    const known = verified.get(token);
    if (known) return known;
    const claims = parseClaims(token, publicKey);
    if (!claims) return undefined;
    const [oldest] = verified.size >= VERIFIED_TOKENS_MAX ? verified.keys() : [];
    if (oldest !== undefined) verified.delete(oldest);
    verified.set(token, claims);
    return claims;
  };
}

export interface TokenVerifierOptions {
  /** PEM. */
  readonly key: string;
  readonly clock: Clock;
  readonly api: Api;
}

/** Verifies tokens and that what they are bound to is still there. */
export function openTokenVerifier({ key, clock, api }: TokenVerifierOptions): TokenVerifier {
  const check = openSignatureCheck(createPublicKey(key));
  const isThere = async (resource: Resource, namespace: string, { name, uid }: Reference): Promise<boolean> => {
    try {
      const { body } = await api.handle({ verb: "get", resource, namespace, name, subresource: "" }, SYSTEM);
      return (body as { metadata?: { uid?: string } }).metadata?.uid === uid;
    } catch (error) {
      if (isNotFound(error)) return false;
      throw error;
    }
  };
  const no = (refused: ((why: string) => void) | undefined, why: string): undefined => {
    refused?.(why);
    return undefined;
  };
  const listed = (texts: readonly string[]): string => `[${texts.map(goQuote).join(" ")}]`;
  return async (token, audiences = [ISSUER], refused) => {
    const claims = check(token) as Claims | undefined;
    const now = clock.now() / SECOND_MS;
    if (!claims || claims.iss !== ISSUER) return undefined;
    const common = claims.aud.filter((a) => audiences.includes(a));
    if (common.length === 0) return no(refused, `token audiences ${listed(claims.aud)} is invalid for the target audiences ${listed(audiences)}`);
    if (claims.exp <= now) return no(refused, "service account token has expired");
    if (claims.nbf > now + 1) return no(refused, "service account token is not valid yet");
    const about = claims["kubernetes.io"];
    if (!about) return claims.sub === ADMIN.name ? { user: ADMIN, audiences: common } : undefined;
    const { namespace, node, pod, secret, serviceaccount } = about;
    if (!(await isThere(SERVICE_ACCOUNTS, namespace, serviceaccount))) return no(refused, `serviceaccounts ${goQuote(serviceaccount.name)} not found`);
    // A token of a pod names the pod's node; one without a pod is bound to the node itself.
    const ownNode = !pod && node?.name !== undefined && node.uid !== undefined ? { name: node.name, uid: node.uid } : undefined;
    const bound = await Promise.all([!pod || isThere(PODS, namespace, pod), !secret || isThere(SECRETS, namespace, secret), !ownNode || isThere(NODES, "", ownNode)]);
    if (bound.includes(false)) return no(refused, "service account token has been invalidated");
    const extra = {
      "authentication.kubernetes.io/credential-id": [`JTI=${claims.jti}`],
      ...(node?.name !== undefined && { "authentication.kubernetes.io/node-name": [node.name] }),
      ...(node?.uid !== undefined && { "authentication.kubernetes.io/node-uid": [node.uid] }),
      ...(pod && { "authentication.kubernetes.io/pod-name": [pod.name], "authentication.kubernetes.io/pod-uid": [pod.uid] }),
    };
    return { user: { name: claims.sub, uid: serviceaccount.uid, groups: serviceAccountGroups(namespace), extra }, audiences: common };
  };
}
