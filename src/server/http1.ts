/** HTTP/1.1 under the exchange: node:http's request and response become HttpRequest and Answer. Takes sockets that TLS has already opened. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Duplex, Readable } from "node:stream";
import { type Answer, type ByteSink, type ClientCertificate, type Handler, type HttpRequest, REQUEST_BYTES_MAX, requestTooLarge } from "./exchange.ts";
import { sendPieces } from "./pieces.ts";
import { badRequest } from "../api/status-error.ts";

/** A client that goes on sending this much beyond the limit is cut off. */
const DRAIN_BYTES_MAX = 64 * 1024 * 1024;

/** Collects a body up to the limit; what comes beyond is read and dropped, so that the answer still reaches the client. */
export function readBody(stream: Readable, declaredLength: number | undefined): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    if (declaredLength !== undefined && declaredLength > REQUEST_BYTES_MAX) reject(requestTooLarge());
    stream.on("data", (chunk: Buffer) => {
      size += chunk.length;
      if (size <= REQUEST_BYTES_MAX) chunks.push(chunk);
      else {
        chunks.length = 0;
        reject(requestTooLarge());
        if (size > REQUEST_BYTES_MAX + DRAIN_BYTES_MAX) stream.destroy();
      }
    });
    stream.on("end", () => resolve(chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks)));
    // Nobody is there to read this.
    const cut = () => reject(badRequest("unexpected EOF"));
    stream.on("error", cut);
    stream.on("close", cut);
  });
}

export const lengthOf = (header: string | undefined): number | undefined => (header !== undefined && /^\d+$/.test(header) ? Number(header) : undefined);

function headersOf(message: IncomingMessage): Record<string, string | undefined> {
  const out: Record<string, string | undefined> = {};
  for (const [name, value] of Object.entries(message.headers)) out[name] = Array.isArray(value) ? value.join(", ") : value;
  return out;
}

/** Percent-decoding that keeps what it cannot read. */
function decodePath(path: string): string {
  if (!path.includes("%")) return path;
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}

export function splitUrl(url: string): { readonly path: string; readonly query: URLSearchParams } {
  const mark = url.indexOf("?");
  return { path: decodePath(mark < 0 ? url : url.slice(0, mark)), query: new URLSearchParams(mark < 0 ? "" : url.slice(mark + 1)) };
}

function sinkOf(response: ServerResponse): ByteSink {
  return {
    write: (chunk) => void (response.destroyed || response.write(chunk)),
    writeAll(chunks) {
      response.cork();
      for (const chunk of chunks) this.write(chunk);
      response.uncork();
    },
    get pending() {
      return response.writableLength;
    },
    onClose: (callback) => void response.once("close", callback),
    onDrain: (callback) => void response.on("drain", callback),
    end: () => void response.end(),
    cut: () => void response.destroy(),
  };
}

function send(response: ServerResponse, answer: Answer): void {
  if (answer.hijacked || response.destroyed) return;
  const headers: Record<string, string | number | readonly string[]> = { ...answer.headers };
  if (answer.stream) {
    response.writeHead(answer.status, headers as Record<string, string | string[]>);
    response.flushHeaders();
    return answer.stream(sinkOf(response));
  }
  if (answer.pieces) {
    response.writeHead(answer.status, headers as Record<string, string | string[]>);
    return sendPieces(sinkOf(response), answer.pieces);
  }
  if (answer.body !== undefined) headers["content-length"] = Buffer.byteLength(answer.body);
  response.writeHead(answer.status, headers as Record<string, string | string[]>);
  // Node would write the headers before a text in the text's encoding: theirs is one byte a character.
  response.end(answer.headers["warning"] === undefined || answer.body === undefined ? answer.body : Buffer.from(answer.body));
}

/** A request whose method node does not know, read from the bytes that it was found in; its body, if it has one, counts for nothing. */
function oddRequest(packet: Buffer, socket: Duplex & { readonly remoteAddress?: string }, certificate: ClientCertificate | undefined): HttpRequest | undefined {
  const [line = "", ...fields] = (packet.toString("latin1").split("\r\n\r\n")[0] ?? "").split("\r\n");
  const [, method = "", url = ""] = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+) (\/\S*) HTTP\/1\.1$/.exec(line) ?? [];
  if (method === "") return undefined;
  const pairs = fields.map((field) => [field.slice(0, field.indexOf(":")), field.slice(field.indexOf(":") + 1).trim()] as const);
  const headers = Object.fromEntries(pairs.map(([name, value]) => [name.toLowerCase(), value]));
  return { method, url, ...splitUrl(url), headers, rawHeaders: pairs.flat(), remoteAddress: socket.remoteAddress ?? "", certificate, body: () => Promise.resolve(new Uint8Array()) };
}

export interface Http1Deps {
  readonly handle: Handler;
  readonly certificateOf: (socket: object) => ClientCertificate | undefined;
}

export interface Http1 {
  /** Never listens: sockets are handed to it with `emit("connection", socket)`. */
  readonly server: Server;
  /** No more requests: idle connections end now, the others after their answer. */
  stop(): void;
}

export function openHttp1({ handle, certificateOf }: Http1Deps): Http1 {
  const idle = new Set<Duplex>();
  let stopping = false;
  const requestOf = (message: IncomingMessage): HttpRequest => {
    const url = message.url ?? "/";
    return {
      method: message.method ?? "GET",
      url,
      ...splitUrl(url),
      headers: headersOf(message),
      rawHeaders: message.rawHeaders,
      remoteAddress: message.socket.remoteAddress ?? "",
      certificate: certificateOf(message.socket),
      body: () => readBody(message, lengthOf(message.headers["content-length"])),
    };
  };
  const server = createServer({ keepAliveTimeout: 90_000, joinDuplicateHeaders: true }, (message, response) => {
    const { socket } = message;
    idle.delete(socket);
    response.once("close", () => {
      if (stopping) socket.end();
      else if (!socket.destroyed) idle.add(socket);
    });
    void Promise.resolve(handle(requestOf(message))).then((answer) => send(response, answer)).catch(() => response.destroy());
  });
  server.on("connection", (socket: Duplex) => {
    idle.add(socket);
    socket.once("close", () => idle.delete(socket));
  });
  server.on("upgrade", (message, socket, head) => {
    const request = { ...requestOf(message), upgrade: { message, socket, head } };
    void Promise.resolve(handle(request)).then((answer) => sendRaw(socket, answer)).catch(() => socket.destroy());
  });
  server.on("clientError", (failure: NodeJS.ErrnoException & { readonly rawPacket?: Buffer }, socket) => {
    const odd = failure.code === "HPE_INVALID_METHOD" && failure.rawPacket ? oddRequest(failure.rawPacket, socket, certificateOf(socket)) : undefined;
    if (!socket.writable) socket.destroy();
    else if (!odd) socket.end("HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n");
    else void Promise.resolve(handle(odd)).then((answer) => sendRaw(socket, answer), () => socket.destroy());
  });
  return {
    server,
    stop() {
      stopping = true;
      for (const socket of idle) socket.end();
    },
  };
}

/** An answer on a connection that asked for an upgrade and does not get it. */
function sendRaw(socket: Duplex, answer: Answer): void {
  if (answer.hijacked) return;
  if (answer.stream || answer.pieces) return void socket.destroy();
  const body = Buffer.from(answer.body ?? "");
  const headers = Object.entries({ ...answer.headers, "content-length": String(body.length), connection: "close" });
  const lines = headers.flatMap(([name, value]) => (typeof value === "string" ? [value] : value).map((v) => `${name}: ${v}`));
  socket.end(Buffer.concat([Buffer.from(`HTTP/1.1 ${answer.status} ${answer.status}\r\n${lines.join("\r\n")}\r\n\r\n`), body]));
}
