/** Large answers are compressed for those who can read that. Follows apiserver/pkg/endpoints/handlers/responsewriters/writers.go. */
import { Readable } from "node:stream";
import { promisify } from "node:util";
import { createGzip, gzip } from "node:zlib";
import type { Answer, ByteSink, HttpRequest } from "./exchange.ts";
import { pump } from "./pump.ts";

const COMPRESS_FROM_BYTES = 128 * 1024;
const LEVEL = 1;
const gzipAsync = promisify(gzip);

function compressPieces(pieces: Iterable<Uint8Array>, sink: ByteSink): void {
  const source = Readable.from(pieces, { objectMode: false, highWaterMark: 1 });
  const zipped = source.pipe(createGzip({ level: LEVEL, chunkSize: 64 * 1024 }));
  source.once("error", () => sink.cut());
  sink.onClose(() => {
    source.destroy();
    zipped.destroy();
  });
  pump(zipped, sink);
}

export async function compress(request: HttpRequest, answer: Answer): Promise<Answer> {
  const { body, pieces, ...rest } = answer;
  if (request.method !== "GET" || (pieces === undefined && (body?.length ?? 0) < COMPRESS_FROM_BYTES)) return answer;
  const accepted = (request.headers["accept-encoding"] ?? "").split(",").some((e) => e.split(";")[0]?.trim() === "gzip");
  if (!accepted || answer.headers["content-encoding"] !== undefined) return answer;
  const { "content-length": _length, ...headers } = answer.headers;
  const zipped = { ...rest, headers: { ...headers, "content-encoding": "gzip", vary: "Accept-Encoding" } };
  return pieces ? { ...zipped, stream: (sink) => compressPieces(pieces, sink) } : { ...zipped, body: await gzipAsync(body ?? "", { level: LEVEL }) };
}
