/**
 * Who asks: client certificates, bearer tokens, nobody. 401 where somebody claims to be who they are not.
 * Follows kubernetes staging/src/k8s.io/apiserver/pkg/authentication/request (x509, bearertoken, anonymous, union).
 */
import { timingSafeEqual } from "node:crypto";
import type { UserInfo } from "../api/request.ts";
import { StatusError } from "../api/status-error.ts";
import type { HttpRequest } from "./exchange.ts";

export const AUTHENTICATED = "system:authenticated";
export const UNAUTHENTICATED = "system:unauthenticated";
export const ANONYMOUS: UserInfo = { name: "system:anonymous", groups: [UNAUTHENTICATED] };

export interface VerifiedToken {
  readonly user: UserInfo;
  /** For which of the audiences that were asked for it is good; absent where the token has none. */
  readonly audiences?: readonly string[];
}

/**
 * undefined: the token is not one of this verifier's, or is not good; `refused` hears why not. Without audiences: good for this server.
 */
export type TokenVerifier = (token: string, audiences?: readonly string[], refused?: (why: string) => void) => Promise<VerifiedToken | undefined> | VerifiedToken | undefined;

/** Rejects with 401. */
export type Authenticator = (request: HttpRequest) => Promise<UserInfo>;

export const unauthorized = (): StatusError => new StatusError({ code: 401, reason: "Unauthorized", message: "Unauthorized" });

export interface AuthenticatorOptions {
  /** Asked in order. */
  readonly tokens: readonly TokenVerifier[];
  readonly anonymous: boolean;
}

/** The user with system:authenticated among the groups. */
export const authenticated = (user: UserInfo): UserInfo => (user.groups.includes(AUTHENTICATED) || user.groups.includes(UNAUTHENTICATED) ? user : { ...user, groups: [...user.groups, AUTHENTICATED] });

function bearerToken(request: HttpRequest): string | undefined {
  const [scheme, token] = (request.headers.authorization ?? "").trim().split(" ");
  if (scheme?.toLowerCase() === "bearer") return token || undefined;
  // Browsers cannot set headers on WebSockets: the token comes as a subprotocol.
  const protocols = request.upgrade ? (request.headers["sec-websocket-protocol"] ?? "") : "";
  const encoded = /(?:^|,\s*)base64url\.bearer\.authorization\.k8s\.io\.([A-Za-z0-9_-]+)/.exec(protocols)?.[1];
  return encoded && Buffer.from(encoded, "base64url").toString("utf8");
}

export function openAuthenticator({ tokens, anonymous }: AuthenticatorOptions): Authenticator {
  return async (request) => {
    const { certificate } = request;
    if (certificate?.verified && certificate.commonName !== "") {
      const extra = { "authentication.kubernetes.io/credential-id": [`X509SHA256=${certificate.fingerprint}`] };
      return authenticated({ name: certificate.commonName, groups: certificate.organizations, extra });
    }
    const token = bearerToken(request);
    if (token !== undefined) {
      for (const verify of tokens) {
        const verified = await verify(token);
        if (verified) return authenticated(verified.user);
      }
      throw unauthorized();
    }
    if (certificate && !certificate.verified) throw unauthorized();
    if (!anonymous) throw unauthorized();
    return ANONYMOUS;
  };
}

/** One token, one user: what a configured administrator's token is. */
export const staticToken = (expected: string, user: UserInfo): TokenVerifier => {
  const wanted = Buffer.from(expected);
  return (token) => {
    const given = Buffer.from(token);
    return given.length === wanted.length && timingSafeEqual(given, wanted) ? { user } : undefined;
  };
};
