/** HTTP/2 under the exchange, on node:http2's stream API. Takes sockets that TLS has already opened. */
import { constants, createServer, type Http2Server, type IncomingHttpHeaders, type ServerHttp2Stream } from "node:http2";
import type { Answer, ByteSink, ClientCertificate, Handler, HttpRequest } from "./exchange.ts";
import { lengthOf, readBody, splitUrl } from "./http1.ts";
import { sendPieces } from "./pieces.ts";

function headersOf(headers: IncomingHttpHeaders): Record<string, string | undefined> {
  const out: Record<string, string | undefined> = {};
  for (const [name, value] of Object.entries(headers)) out[name] = Array.isArray(value) ? value.join(", ") : value;
  return out;
}

function sinkOf(stream: ServerHttp2Stream): ByteSink {
  return {
    write: (chunk) => void (stream.destroyed || stream.closed || stream.write(chunk)),
    writeAll(chunks) {
      stream.cork();
      for (const chunk of chunks) this.write(chunk);
      stream.uncork();
    },
    get pending() {
      return stream.writableLength;
    },
    onClose: (callback) => void stream.once("close", callback),
    onDrain: (callback) => void stream.on("drain", callback),
    end: () => void stream.end(),
    cut: () => stream.close(constants.NGHTTP2_CANCEL),
  };
}

function send(stream: ServerHttp2Stream, answer: Answer, head: boolean): void {
  if (stream.destroyed || stream.closed || answer.hijacked) return;
  const headers: Record<string, string | number | readonly string[]> = { ":status": answer.status, ...answer.headers };
  if (!answer.stream && answer.body !== undefined) headers["content-length"] = Buffer.byteLength(answer.body);
  const endStream = head || (!answer.stream && !answer.pieces && (answer.body === undefined || answer.body.length === 0));
  stream.respond(headers as Record<string, string>, { endStream });
  if (endStream) return;
  if (answer.stream) answer.stream(sinkOf(stream));
  else if (answer.pieces) sendPieces(sinkOf(stream), answer.pieces);
  else stream.end(answer.body);
}

export interface Http2Deps {
  readonly handle: Handler;
  readonly certificateOf: (session: object) => ClientCertificate | undefined;
}

/**
 * What may wait on one connection before new requests on it are refused. Node's own 10 MB are less than one long list: whoever reads one, and clients
 * use one connection for everything, would be refused all else meanwhile. Watches have a bound of their own.
 */
const SESSION_MEGABYTES_MAX = 256;

/** The server never listens: sockets are handed to it with `emit("connection", socket)`. */
export function openHttp2({ handle, certificateOf }: Http2Deps): Http2Server {
  const server = createServer({ maxSessionMemory: SESSION_MEGABYTES_MAX, settings: { maxConcurrentStreams: 250, initialWindowSize: 1 << 20 } });
  server.on("stream", (stream, headers, _flags, rawHeaders) => {
    const method = headers[":method"] ?? "GET";
    const url = headers[":path"] ?? "/";
    const socket = stream.session?.socket;
    let bodyWasRead = false;
    const request: HttpRequest = {
      method,
      url,
      ...splitUrl(url),
      headers: headersOf(headers),
      rawHeaders,
      remoteAddress: socket?.remoteAddress ?? "",
      certificate: stream.session && certificateOf(stream.session),
      body: () => {
        bodyWasRead = true;
        return readBody(stream, lengthOf(headers["content-length"]));
      },
    };
    stream.on("error", () => stream.destroy());
    const reply = (answer: Answer) => {
      send(stream, answer, method === "HEAD");
      if (!bodyWasRead) stream.resume();
    };
    void Promise.resolve(handle(request)).then(reply).catch(() => stream.close(constants.NGHTTP2_INTERNAL_ERROR));
  });
  server.on("sessionError", () => {});
  return server;
}
