/**
 * Long bodies: texts that are at hand become a few large pieces of bytes, one after the other, as fast as the client takes them. Neither the whole
 * text nor all of its bytes are ever there at once.
 */
import type { Answer, ByteSink } from "./exchange.ts";

/** What is shorter is one body. */
const SHORT_BYTES_MAX = 64 * 1024;
const PIECE_BYTES = 256 * 1024;
/** A client that reads slowly has this much on the way. */
const PENDING_BYTES_MAX = 512 * 1024;
/** A UTF-16 unit is three bytes of UTF-8 at most. */
const UNIT_BYTES_MAX = 3;

/** The texts as bytes, in pieces. */
export function* piecesOf(texts: Iterable<string>): Generator<Uint8Array, void> {
  let piece = Buffer.alloc(0);
  let at = 0;
  for (const text of texts) {
    const needed = text.length * UNIT_BYTES_MAX;
    if (at + needed > piece.length) {
      if (at > 0) yield piece.subarray(0, at);
      piece = Buffer.allocUnsafeSlow(Math.max(PIECE_BYTES, needed));
      at = 0;
    }
    at += piece.write(text, at);
  }
  if (at > 0) yield piece.subarray(0, at);
}

/** The texts as a body, or as pieces where it would be a long one. */
export function bodyOf(texts: readonly string[]): { readonly length: number } & Pick<Answer, "body" | "pieces"> {
  let length = 0;
  for (const text of texts) length += Buffer.byteLength(text);
  return length <= SHORT_BYTES_MAX ? { length, body: texts.join("") } : { length, pieces: piecesOf(texts) };
}

/** Sends the pieces, each when there is room for it. */
export function sendPieces(sink: ByteSink, pieces: Iterable<Uint8Array>): void {
  const iterator = pieces[Symbol.iterator]();
  let over = false;
  const more = () => {
    while (!over && sink.pending < PENDING_BYTES_MAX) {
      const { done, value } = iterator.next();
      if (done) {
        over = true;
        sink.end();
      } else sink.write(value);
    }
  };
  sink.onClose(() => {
    over = true;
    iterator.return?.();
  });
  sink.onDrain(more);
  more();
}
