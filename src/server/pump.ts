/** From a stream into an answer. */
import type { Readable } from "node:stream";
import type { ByteSink } from "./exchange.ts";

/** A stream that is read faster than the client takes it waits with this much on the way. */
const PENDING_BYTES_MAX = 256 * 1024;

/** Sends a stream as fast as the client takes it. */
export function pump(from: Readable, sink: ByteSink): void {
  from.on("data", (chunk: Buffer) => {
    sink.write(chunk);
    if (sink.pending > PENDING_BYTES_MAX) from.pause();
  });
  sink.onDrain(() => from.resume());
  from.on("end", () => sink.end());
  from.on("error", () => sink.cut());
}
