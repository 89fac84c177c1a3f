/**
 * An HTTP exchange as data: handlers are functions from HttpRequest to Answer and never see whether HTTP/1.1 or HTTP/2 carried it.
 * Answers that last (watches, followed logs) take a ByteSink. Nothing here touches a socket.
 */
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import type { KubeObject } from "../api/object.ts";
import type { Status } from "../api/generated/types.ts";
import { StatusError } from "../api/status-error.ts";

/** What the TLS handshake says of the client. */
export type ClientCertificate =
  | { readonly verified: true; readonly commonName: string; readonly organizations: readonly string[]; /** SHA-256 of the certificate, in hex. */ readonly fingerprint: string }
  | { readonly verified: false };

export interface HttpRequest {
  readonly method: string;
  /** Without the query, percent-decoded. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** Path and query as they came. */
  readonly url: string;
  /** Names in lower case; several values of one header are joined by ", ". */
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** name, value, name, value … in the order they came. */
  readonly rawHeaders: readonly string[];
  readonly remoteAddress: string;
  readonly certificate: ClientCertificate | undefined;
  /** The whole body; rejects with 413 beyond the limit. At most one call. */
  body(): Promise<Uint8Array>;
  /** The raw streams, for protocols that leave HTTP (WebSocket): HTTP/1.1 upgrades only. */
  readonly upgrade?: UpgradeSocket;
}

/** What an upgraded connection needs; shaped for `ws`. */
export interface UpgradeSocket {
  readonly message: IncomingMessage;
  readonly socket: Duplex;
  readonly head: Buffer;
}

/** Where the bytes of a lasting answer go. Writes never block: whoever writes looks at `pending`. */
export interface ByteSink {
  write(chunk: string | Uint8Array): void;
  /** Several at a time, none of them copied: they may be others' too. */
  writeAll(chunks: readonly Uint8Array[]): void;
  /** Bytes that were written and have not reached the kernel. */
  readonly pending: number;
  /** Calls back once, when the client has gone or the answer is over. */
  onClose(callback: () => void): void;
  /** Calls back each time the buffered bytes have gone out. */
  onDrain(callback: () => void): void;
  end(): void;
  /** Ends at once and tells the client that something is missing. */
  cut(): void;
}

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  readonly body?: string | Uint8Array;
  /** A long body, instead of `body`: each piece is made when the client takes it. */
  readonly pieces?: Iterable<Uint8Array>;
  /** Instead of a body. Called after the headers have been sent. */
  readonly stream?: (sink: ByteSink) => void;
  /** The connection was taken over: nothing is to be sent. */
  readonly hijacked?: true;
}

export type Handler = (request: HttpRequest) => Promise<Answer> | Answer;

export const REQUEST_BYTES_MAX = 3 * 1024 * 1024;

export const requestTooLarge = (): StatusError =>
  new StatusError({ code: 413, reason: "RequestEntityTooLarge", message: `Request entity too large: limit is ${REQUEST_BYTES_MAX}` });

export const TEXT_PLAIN = "text/plain; charset=utf-8";

export const textAnswer = (status: number, body: string, headers: Answer["headers"] = {}): Answer => ({
  status,
  headers: { "content-type": TEXT_PLAIN, "x-content-type-options": "nosniff", ...headers },
  body,
});

/** Go's `http.NotFound`. */
export const pageNotFound = (): Answer => textAnswer(404, "404 page not found\n");

/** What the API says of paths below it that nothing serves. */
export const resourceNotFound = (): StatusError =>
  new StatusError({ code: 404, reason: "NotFound", message: "the server could not find the requested resource", details: {} });

export const methodNotAllowed = (): StatusError =>
  new StatusError({ code: 405, reason: "MethodNotAllowed", message: "the server does not allow this method on the requested resource", details: {} });

export function isStatus(body: object): body is Status {
  return (body as KubeObject).kind === "Status" && (body as KubeObject).apiVersion === "v1";
}

/** Headers that an error brings along. */
export const errorHeaders = (error: StatusError): Record<string, string> =>
  error.details?.retryAfterSeconds ? { "retry-after": String(error.details.retryAfterSeconds) } : {};
