/**
 * Tokens of a pod's service account, asked of the API and kept until they are due for another.
 * Follows kubernetes pkg/kubelet/token/token_manager.go (requiresRefresh).
 */
import type { Pod, ServiceAccountTokenProjection } from "../../api/generated/types.ts";
import type { Stored } from "../../api/object.ts";
import { SERVICE_ACCOUNTS } from "../../api/resource.ts";
import { parseTime } from "../../api/time.ts";
import type { Clock, Instant } from "../../base/clock.ts";
import type { Client } from "../../client/client.ts";
import { VolumeError } from "./payload.ts";

const DAY_MS = 86_400_000;
const REFRESH_SHARE = 0.8;
const DEFAULT_SECONDS = 3600;

interface Token {
  readonly token: string;
  readonly refreshAt: Instant;
}

export interface PodTokens {
  get(projection: ServiceAccountTokenProjection): Promise<string>;
  /** When the first of the tokens has to be renewed. */
  refreshAt(): Instant | undefined;
}

interface TokenAnswer {
  readonly status?: { readonly token?: string; readonly expirationTimestamp?: string };
}

export function openPodTokens(client: Client, clock: Clock, pod: Stored<Pod>): PodTokens {
  const tokens = new Map<string, Token>();
  const ask = async (projection: ServiceAccountTokenProjection): Promise<Token> => {
    const { namespace = "", name, uid } = pod.metadata;
    const seconds = projection.expirationSeconds ?? DEFAULT_SECONDS;
    const request = {
      apiVersion: "authentication.k8s.io/v1", kind: "TokenRequest", metadata: {},
      spec: { audiences: projection.audience ? [projection.audience] : [], expirationSeconds: seconds, boundObjectRef: { apiVersion: "v1", kind: "Pod", name, uid } },
    };
    const answer = await client.createSubresource(SERVICE_ACCOUNTS, { namespace, name: pod.spec.serviceAccountName || "default" }, "token", request);
    const { status } = answer.body as TokenAnswer;
    if (!status?.token) throw new Error("the API answered without a token");
    const now = clock.now();
    const expiresAt = parseTime(status.expirationTimestamp) ?? now + seconds * 1000;
    // A token that lives a year for old clients is meant to be renewed as if it had the time that was asked for.
    const lifeMs = Math.min(expiresAt - now, seconds * 1000);
    return { token: status.token, refreshAt: now + Math.min(lifeMs * REFRESH_SHARE, DAY_MS) };
  };
  return {
    async get(projection) {
      const key = `${projection.audience ?? ""} ${projection.expirationSeconds ?? 0}`;
      const known = tokens.get(key);
      if (known && clock.now() < known.refreshAt) return known.token;
      try {
        const fresh = await ask(projection);
        tokens.set(key, fresh);
        return fresh.token;
      } catch (error) {
        throw new VolumeError(`failed to fetch token: ${error instanceof Error ? error.message : String(error)}`);
      }
    },
    refreshAt: () => [...tokens.values()].reduce<Instant | undefined>((first, t) => (first === undefined || t.refreshAt < first ? t.refreshAt : first), undefined),
  };
}
