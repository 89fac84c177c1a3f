/**
 * The CRI log format: `<RFC3339Nano> stdout <F|P> <text>`, F for a whole line, P for a piece whose line goes on in the next record.
 * Pure. Each stream's lines are in their order; which of two streams was written to first is only known as well as the clock knows it.
 * Every byte is kept: an unterminated last line stays unterminated (P), a carriage return stays.
 * Follows kubernetes design proposal kubelet-cri-logging.md.
 */

/** Longer lines are cut into pieces of this many bytes. */
export const PIECE_BYTES_MAX = 16 * 1024;
/** Time stamps have nine decimals always, so the text of every record begins at the same byte. */
export const PREFIX_BYTES = "2006-01-02T15:04:05.000000000Z stdout F ".length;
const STREAM_AT = "2006-01-02T15:04:05.000000000Z ".length;

export type Stream = "stdout" | "stderr";

/** Time stamps that rise by a nanosecond from record to record and never go back. */
export class Stamps {
  #ms = -1;
  #ns = 0;
  #text = "";

  /** The next stamp, not before `ms`. */
  next(ms: number): string {
    const at = Math.floor(ms);
    if (at > this.#ms || this.#ns >= 999_999) {
      this.#ms = Math.max(at, this.#ms + 1);
      this.#ns = 0;
      this.#text = new Date(this.#ms).toISOString().slice(0, 23);
    } else {
      this.#ns++;
    }
    return `${this.#text}${String(this.#ns).padStart(6, "0")}Z`;
  }
}

export interface Converted {
  readonly log: Buffer;
  /** Bytes of `raw` that are in `log`; the rest has no end of line yet. */
  readonly consumed: number;
}

/** As many whole records as `raw` holds; with `final` also the last line that has no end. */
export function toCriLog(raw: Buffer, options: { readonly final: boolean; readonly atMs: number; readonly stamps: Stamps; readonly stream?: Stream }): Converted {
  // latin1 maps bytes to characters one to one, and strings join faster than buffers.
  const text = raw.toString("latin1");
  const { atMs, stamps, stream = "stdout" } = options;
  let log = "";
  let at = 0;
  for (;;) {
    const newline = text.indexOf("\n", at);
    const end = newline === -1 ? text.length : newline;
    // A line of exactly this length is whole; without its end it is not known to be.
    const whole = newline === -1 ? PIECE_BYTES_MAX - 1 : PIECE_BYTES_MAX;
    while (end - at > whole) {
      log += `${stamps.next(atMs)} ${stream} P ${text.slice(at, at + PIECE_BYTES_MAX)}\n`;
      at += PIECE_BYTES_MAX;
    }
    if (newline === -1) break;
    log += `${stamps.next(atMs)} ${stream} F ${text.slice(at, end)}\n`;
    at = end + 1;
  }
  if (options.final && at < text.length) {
    log += `${stamps.next(atMs)} ${stream} P ${text.slice(at)}\n`;
    at = text.length;
  }
  return { log: Buffer.from(log, "latin1"), consumed: at };
}

/** How many bytes of output (of one stream, or of both) a CRI log holds, and how many bytes of the log are whole records. */
export function measureCriLog(log: Buffer, stream?: Stream): { readonly rawBytes: number; readonly logBytes: number } {
  let rawBytes = 0;
  let at = 0;
  for (let end = log.indexOf(10, at); end !== -1; end = log.indexOf(10, at)) {
    const isCounted = stream === undefined || (log[at + STREAM_AT + "std".length] === 0x6f ? "stdout" : "stderr") === stream;
    if (isCounted) rawBytes += end - at - PREFIX_BYTES + (log[at + PREFIX_BYTES - 2] === 0x46 ? 1 : 0);
    at = end + 1;
  }
  return { rawBytes, logBytes: at };
}
