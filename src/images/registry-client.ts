/**
 * The pull side of the OCI distribution API over `fetch`: manifests and blobs, token and basic authentication, mirrors.
 * Errors are PullErrors: "refused" when a registry answered, "unreachable" when none could be asked at all.
 */
import { once } from "node:events";
import { connect } from "node:net";
import type { Clock } from "../base/clock.ts";
import { PullError, type RegistryCredential } from "./images.ts";
import { ACCEPT_MANIFESTS } from "./manifest.ts";
import type { Reference } from "./reference.ts";

export interface RegistryOptions {
  readonly clock: Clock;
  /** Registry name → base URLs that are asked first, in order: `docker.io` → `http://127.0.0.1:5000`. */
  readonly mirrors: Readonly<Record<string, readonly string[]>>;
  /** How long a registry may take to answer with headers. */
  readonly answerTimeoutMs?: number;
}

const ANSWER_TIMEOUT_MS = 10_000;
const ERROR_BODY_BYTES_MAX = 64 * 1024;

interface Endpoint {
  readonly base: string;
  readonly isMirror: boolean;
}

const isLoopback = (registry: string) => /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])(:\d+)?$/.test(registry);

function endpointsOf(registry: string, mirrors: RegistryOptions["mirrors"]): readonly Endpoint[] {
  const host = registry === "docker.io" ? "registry-1.docker.io" : registry;
  const named = (mirrors[registry] ?? []).map((url) => ({ base: url.replace(/\/+$/, ""), isMirror: true }));
  return [...named, { base: `${isLoopback(registry) ? "http" : "https"}://${host}`, isMirror: false }];
}

interface Challenge {
  readonly scheme: string;
  readonly parameters: Readonly<Record<string, string>>;
}

/** Parses `Bearer realm="…",service="…"` (RFC 9110 challenges, one scheme). */
export function parseChallenge(header: string): Challenge {
  const [, scheme = "", rest = ""] = /^\s*(\w+)\s*(.*)$/.exec(header) ?? [];
  const parameters: Record<string, string> = {};
  for (const [, key = "", quoted, bare] of rest.matchAll(/(\w+)=(?:"([^"]*)"|([^\s,]+))/g)) parameters[key.toLowerCase()] = quoted ?? bare ?? "";
  return { scheme: scheme.toLowerCase(), parameters };
}

function unreachable(error: unknown, url: string): PullError {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause.message : error instanceof Error ? error.message : String(error);
  return new PullError("unreachable", `failed to do request: Get "${url}": ${cause || "no answer"}`);
}

/** What a registry said, in one line. */
async function refusal(response: Response, what: string): Promise<PullError> {
  const body = (await response.text().catch(() => "")).slice(0, ERROR_BODY_BYTES_MAX);
  if (response.status === 404) return new PullError("refused", `${what}: not found`);
  const said = /"message"\s*:\s*"([^"]+)"/.exec(body)?.[1];
  const word = { 401: "401 Unauthorized", 403: "403 Forbidden", 429: "429 Too Many Requests" }[response.status] ?? `${response.status} ${response.statusText}`.trim();
  return new PullError("refused", `unexpected status from GET request to ${response.url}: ${word}${said ? `: ${said}` : ""}`);
}

export class RegistryClient {
  readonly #options: RegistryOptions;
  /** Authorization headers by endpoint and repository. */
  readonly #authorization = new Map<string, string>();
  /** Origins that somebody answered at: a few a process. */
  readonly #reached = new Set<string>();

  constructor(options: RegistryOptions) {
    this.#options = options;
  }

  /** A manifest or index by tag or digest: its bytes and media type. */
  async manifest(reference: Reference, id: string, credentials: readonly RegistryCredential[], signal?: AbortSignal): Promise<{ readonly bytes: Buffer; readonly mediaType: string }> {
    const response = await this.#ask(reference, `manifests/${id}`, { accept: ACCEPT_MANIFESTS }, credentials, signal);
    const bytes = Buffer.from(await response.arrayBuffer());
    return { bytes, mediaType: response.headers.get("content-type") ?? "" };
  }

  /** A blob as a stream; the caller checks its digest. */
  async blob(reference: Reference, digest: string, credentials: readonly RegistryCredential[], signal?: AbortSignal): Promise<ReadableStream<Uint8Array>> {
    const response = await this.#ask(reference, `blobs/${digest}`, {}, credentials, signal);
    if (!response.body) throw new PullError("refused", `${digest}: empty answer`);
    return response.body;
  }

  /** Asks the mirrors, then the registry itself; the first refusal stands if nobody gives it. */
  async #ask(reference: Reference, path: string, headers: Record<string, string>, credentials: readonly RegistryCredential[], signal?: AbortSignal): Promise<Response> {
    const endpoints = endpointsOf(reference.registry, this.#options.mirrors);
    const failures: PullError[] = [];
    for (const endpoint of endpoints) {
      try {
        return await this.#askOne(endpoint, reference, path, headers, credentials, signal);
      } catch (error) {
        if (!(error instanceof PullError)) throw error;
        failures.push(error);
      }
    }
    throw failures.find((f) => f.kind === "refused") ?? failures[0] ?? new PullError("unreachable", "no registry to ask");
  }

  async #askOne(endpoint: Endpoint, reference: Reference, path: string, headers: Record<string, string>, credentials: readonly RegistryCredential[], signal?: AbortSignal): Promise<Response> {
    const url = `${endpoint.base}/v2/${reference.repository}/${path}`;
    const what = `${reference.registry}/${reference.repository}${reference.tag ? `:${reference.tag}` : ""}`;
    const key = `${endpoint.base} ${reference.repository} ${credentials.map((c) => c.username).join(",")}`;
    const authorization = this.#authorization.get(key);
    let response = await this.#fetch(url, { ...headers, ...(authorization && { authorization }) }, signal);
    if (response.status === 401) {
      const challenge = parseChallenge(response.headers.get("www-authenticate") ?? "");
      await response.body?.cancel();
      for (const credential of [...(endpoint.isMirror ? [] : credentials), undefined]) {
        const header = await this.#authorize(challenge, reference, credential, signal);
        if (header === undefined) continue;
        response = await this.#fetch(url, { ...headers, authorization: header }, signal);
        if (response.ok) {
          this.#authorization.set(key, header);
          return response;
        }
        if (response.status !== 401 && response.status !== 403) break;
      }
    }
    if (!response.ok) throw await refusal(response, what);
    return response;
  }

  /** The Authorization header that a challenge asks for; undefined where this credential can't answer it. */
  async #authorize(challenge: Challenge, reference: Reference, credential: RegistryCredential | undefined, signal?: AbortSignal): Promise<string | undefined> {
    const basic = credential && `Basic ${Buffer.from(`${credential.username}:${credential.password}`).toString("base64")}`;
    if (challenge.scheme === "basic") return basic;
    const { realm, service } = challenge.parameters;
    if (challenge.scheme !== "bearer" || realm === undefined) return undefined;
    const url = new URL(realm);
    if (service !== undefined) url.searchParams.set("service", service);
    url.searchParams.set("scope", `repository:${reference.repository}:pull`);
    const response = await this.#fetch(url.href, basic ? { authorization: basic } : {}, signal);
    if (!response.ok) throw await refusal(response, `failed to authorize: failed to fetch ${basic ? "oauth" : "anonymous"} token`);
    const body: unknown = await response.json();
    const { token, access_token: accessToken } = body as { token?: string; access_token?: string };
    const bearer = token ?? accessToken;
    return bearer === undefined ? undefined : `Bearer ${bearer}`;
  }

  /** Asks over TCP whether anybody is there: offline, that answer comes before all that `fetch` consists of would be loaded. */
  async #knock(url: URL, timeoutMs: number): Promise<void> {
    if (this.#reached.has(url.origin)) return;
    const port = Number(url.port) || (url.protocol === "https:" ? 443 : 80);
    const socket = connect({ host: url.hostname.replace(/^\[|\]$/g, ""), port });
    const timer = this.#options.clock.after(timeoutMs, () => socket.destroy(new Error("no answer in time")));
    try {
      await once(socket, "connect");
      this.#reached.add(url.origin);
    } catch (error) {
      throw unreachable(error, url.href);
    } finally {
      timer.cancel();
      socket.destroy();
    }
  }

  async #fetch(url: string, headers: Record<string, string>, signal?: AbortSignal): Promise<Response> {
    await this.#knock(new URL(url), this.#options.answerTimeoutMs ?? ANSWER_TIMEOUT_MS);
    const slow = new AbortController();
    const timer = this.#options.clock.after(this.#options.answerTimeoutMs ?? ANSWER_TIMEOUT_MS, () => slow.abort(new Error("no answer in time")));
    try {
      const response = await fetch(url, { headers, signal: AbortSignal.any(signal ? [signal, slow.signal] : [slow.signal]) });
      timer.cancel();
      return response;
    } catch (error) {
      timer.cancel();
      if (signal?.aborted) throw signal.reason;
      throw unreachable(slow.signal.aborted ? slow.signal.reason : error, url);
    }
  }
}
