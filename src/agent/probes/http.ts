/**
 * The HTTP request of probes and hooks, and the errors of connections in Go's words, because users read them in events.
 * Follows kubernetes pkg/probe/http/http.go and pkg/kubelet/util/httpget.
 */
import { request as httpRequest, type IncomingMessage } from "node:http";
import { request as httpsRequest } from "node:https";
import type { Container, HTTPGetAction } from "../../api/generated/types.ts";
import type { Clock } from "../../base/clock.ts";

export interface HttpQuery {
  readonly action: HTTPGetAction;
  readonly host: string;
  readonly port: number;
  readonly timeoutMs: number;
  readonly clock: Clock;
  readonly followRedirects: boolean;
}

export interface HttpAnswer {
  readonly status: number;
  readonly body: string;
}

const BODY_MAX = 10 * 1024;
const REDIRECTS_MAX = 10;

/** The number of a port that may be given by its name. */
export function portNumber(port: number | string, container: Container): number {
  if (typeof port === "number" || /^\d+$/.test(port)) return Number(port);
  const named = container.ports?.find((p) => p.name === port);
  if (!named) throw new Error(`couldn't find port: "${port}" in container`);
  return named.containerPort;
}

const WORDS: Readonly<Record<string, string>> = {
  ECONNREFUSED: "connect: connection refused", EHOSTUNREACH: "connect: no route to host", ENETUNREACH: "connect: network is unreachable",
  ETIMEDOUT: "i/o timeout", ECONNRESET: "read: connection reset by peer",
};

/** `dial tcp 10.0.0.1:81: connect: connection refused` */
export function dialError(error: unknown, host: string, port: number): string {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  return `dial tcp ${host.includes(":") ? `[${host}]` : host}:${port}: ${WORDS[code] ?? (error instanceof Error ? error.message : String(error))}`;
}

function urlOf({ action, host, port }: HttpQuery): string {
  const scheme = (action.scheme ?? "HTTP").toLowerCase();
  const path = action.path ?? "/";
  return `${scheme}://${host.includes(":") ? `[${host}]` : host}:${port}${path.startsWith("/") ? path : `/${path}`}`;
}

function headersOf({ action }: HttpQuery): Record<string, string> {
  const headers: Record<string, string> = { "User-Agent": "kube-probe/1.36", Accept: "*/*", Connection: "close" };
  for (const { name, value } of action.httpHeaders ?? []) {
    const known = Object.keys(headers).find((h) => h.toLowerCase() === name.toLowerCase());
    if (known) delete headers[known];
    headers[name] = value;
  }
  return headers;
}

/** The answer to a GET. Rejects with the text that Go's client would give. */
export async function httpGet(query: HttpQuery): Promise<HttpAnswer> {
  let url = urlOf(query);
  for (let redirects = 0; ; redirects++) {
    const { answer, location } = await once(url, query);
    if (location === undefined || !query.followRedirects) return answer;
    const next = new URL(location, url);
    // A redirect to another host is not followed: it counts as an answer.
    if (next.hostname !== new URL(url).hostname) return answer;
    if (redirects >= REDIRECTS_MAX) throw new Error(`Get "${url}": stopped after ${REDIRECTS_MAX} redirects`);
    url = next.href;
  }
}

function once(url: string, query: HttpQuery): Promise<{ readonly answer: HttpAnswer; readonly location: string | undefined }> {
  const { clock, timeoutMs, host, port } = query;
  return new Promise((resolve, reject) => {
    const open = url.startsWith("https:") ? httpsRequest : httpRequest;
    const outgoing = open(url, { headers: headersOf(query), agent: false, rejectUnauthorized: false });
    const timer = clock.after(timeoutMs, () => outgoing.destroy(new Error("context deadline exceeded (Client.Timeout exceeded while awaiting headers)")));
    outgoing.on("response", (incoming) => {
      void readBody(incoming).then((body) => {
        timer.cancel();
        const status = incoming.statusCode ?? 0;
        resolve({ answer: { status, body }, location: status >= 300 && status < 400 ? incoming.headers.location : undefined });
      }, reject);
    });
    outgoing.on("error", (error) => {
      timer.cancel();
      const text = "code" in error ? (String(error.code) === "ECONNRESET" && error.message === "socket hang up" ? "EOF" : dialError(error, host, port)) : error.message;
      reject(new Error(`Get "${url}": ${text}`));
    });
    outgoing.end();
  });
}

async function readBody(incoming: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    size += chunk.length;
    if (size >= BODY_MAX) break;
  }
  return Buffer.concat(chunks).toString("utf8").slice(0, BODY_MAX);
}
