/**
 * How others verify this cluster's tokens: the issuer's metadata and its public key.
 * Follows kubernetes pkg/serviceaccount/openidmetadata.go and pkg/routes/openidmetadata.go.
 */
import { createPublicKey } from "node:crypto";
import { type DocumentRoute, getOnly } from "../server/documents.ts";
import { ISSUER, keyIdOf } from "./tokens.ts";

const JWKS_PATH = "/openid/v1/jwks";
const CACHED = { "cache-control": "public, max-age=3600" };

export interface OpenIdOptions {
  /** The signing key. PEM. */
  readonly key: string;
  /** `127.0.0.1:6443`, when it is known. */
  readonly serverAddress: () => string;
}

/** The two documents, for the server. */
export function openIdRoutes({ key, serverAddress }: OpenIdOptions): readonly DocumentRoute[] {
  const keySet = (): string => {
    const publicKey = createPublicKey(key);
    const { kty, crv, x, y } = publicKey.export({ format: "jwk" });
    return JSON.stringify({ keys: [{ use: "sig", kty, kid: keyIdOf(publicKey), crv, alg: "ES256", x, y }] });
  };
  const metadata = (): string =>
    JSON.stringify({
      issuer: ISSUER,
      jwks_uri: `https://${serverAddress()}${JWKS_PATH}`,
      response_types_supported: ["id_token"],
      subject_types_supported: ["public"],
      id_token_signing_alg_values_supported: ["ES256"],
    });
  return [
    { path: "/.well-known/openid-configuration", answer: getOnly(() => ({ status: 200, headers: { "content-type": "application/json", ...CACHED }, body: metadata() })) },
    { path: JWKS_PATH, answer: getOnly(() => ({ status: 200, headers: { "content-type": "application/jwk-set+json", ...CACHED }, body: keySet() })) },
  ];
}
