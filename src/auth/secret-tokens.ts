/**
 * Tokens that lie in Secrets: without an end and without an audience, good while Secret and account are there and the Secret holds this very token.
 * A Secret whose token was used says on which day.
 * Follows kubernetes pkg/serviceaccount/legacy.go.
 */
import { createPrivateKey, createPublicKey } from "node:crypto";
import type { Clock } from "../base/clock.ts";
import type { Secret, ServiceAccount } from "../api/generated/types.ts";
import type { Api } from "../api/request.ts";
import { type Resource, SECRETS, SERVICE_ACCOUNTS } from "../api/resource.ts";
import { isNotFound } from "../api/status-error.ts";
import type { TokenVerifier } from "../server/authentication.ts";
import { serviceAccountGroups } from "./impersonation.ts";
import { SYSTEM } from "./rbac.ts";
import { ISSUER, openSignatureCheck, signed } from "./tokens.ts";

const SECRET_ISSUER = "kubernetes/serviceaccount";
const PREFIX = "kubernetes.io/serviceaccount";
const LAST_USED = "kubernetes.io/legacy-token-last-used";
const INVALID_SINCE = "kubernetes.io/legacy-token-invalid-since";
const DAY_MS = 86_400_000;

interface SecretClaims {
  readonly iss?: string;
  readonly sub?: string;
  readonly "kubernetes.io/serviceaccount/namespace"?: string;
  readonly "kubernetes.io/serviceaccount/secret.name"?: string;
  readonly "kubernetes.io/serviceaccount/service-account.name"?: string;
  readonly "kubernetes.io/serviceaccount/service-account.uid"?: string;
}

export interface SecretTokenSubject {
  readonly namespace: string;
  readonly account: { readonly name: string; readonly uid: string };
  readonly secret: string;
}

const userNameOf = (namespace: string, account: string): string => `system:serviceaccount:${namespace}:${account}`;

/** What signs the token of a Secret. `key`: PEM. */
export function openSecretTokenIssuer(key: string): (subject: SecretTokenSubject) => string {
  const privateKey = createPrivateKey(key);
  return ({ namespace, account, secret }) =>
    signed(privateKey, {
      iss: SECRET_ISSUER,
      [`${PREFIX}/namespace`]: namespace,
      [`${PREFIX}/secret.name`]: secret,
      [`${PREFIX}/service-account.name`]: account.name,
      [`${PREFIX}/service-account.uid`]: account.uid,
      sub: userNameOf(namespace, account.name),
    });
}

/** Verifies such tokens. Follows legacyValidator.Validate. */
export function openSecretTokenVerifier({ key, clock, api }: { readonly key: string; readonly clock: Clock; readonly api: Api }): TokenVerifier {
  const check = openSignatureCheck(createPublicKey(key));
  const find = async <T extends object>(resource: Resource<T>, namespace: string, name: string) => {
    try {
      return (await api.handle({ verb: "get", resource, namespace, name, subresource: "" }, SYSTEM)).body as unknown as T;
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  };
  const day = (daysAhead: number): string => new Date(clock.now() + daysAhead * DAY_MS).toISOString().slice(0, 10);
  const markUsed = async ({ metadata }: Secret): Promise<void> => {
    const last = metadata?.labels?.[LAST_USED];
    if (last === day(0) || last === day(1)) return;
    const { namespace = "", name = "", uid } = metadata ?? {};
    const patch = { metadata: { uid, labels: { [LAST_USED]: day(0) } } };
    // The token is good whether or not this can be written.
    await api.handle({ verb: "patch", resource: SECRETS, namespace, name, subresource: "", type: "merge", patch, options: {} }, SYSTEM).catch(() => undefined);
  };

  return async (token, audiences = [ISSUER]) => {
    const claims: SecretClaims | undefined = check(token);
    if (!claims || claims.iss !== SECRET_ISSUER || !audiences.includes(ISSUER)) return undefined;
    const [namespace = "", secretName = "", name = "", uid = ""] = [claims[`${PREFIX}/namespace`], claims[`${PREFIX}/secret.name`], claims[`${PREFIX}/service-account.name`], claims[`${PREFIX}/service-account.uid`]];
    const [secret, account] = await Promise.all([find<Secret>(SECRETS, namespace, secretName), find<ServiceAccount>(SERVICE_ACCOUNTS, namespace, name)]);
    const isHeld = secret?.metadata?.deletionTimestamp === undefined && secret?.data?.["token"] === Buffer.from(token).toString("base64");
    if (!secret || !isHeld || account?.metadata?.deletionTimestamp !== undefined || account?.metadata?.uid !== uid) return undefined;
    await markUsed(secret);
    if (secret.metadata?.labels?.[INVALID_SINCE]) return undefined;
    return { user: { name: userNameOf(namespace, name), uid, groups: serviceAccountGroups(namespace) }, audiences: [ISSUER] };
  };
}
