/**
 * The CRI log format: `2006-01-02T15:04:05.999999999Z stdout F text`, `P` for a part of a line. Bytes in, bytes out: logs need not be text.
 */
export interface LogLine {
  /** As it is written. */
  readonly time: string;
  readonly stream: "stdout" | "stderr";
  /** The line goes on in the next one of the same stream. */
  readonly partial: boolean;
  readonly content: Buffer;
}

const SPACE = 0x20;

/** A line without its newline; undefined when it is not of the format. */
export function parseLogLine(line: Buffer): LogLine | undefined {
  const a = line.indexOf(SPACE);
  const b = a < 0 ? -1 : line.indexOf(SPACE, a + 1);
  if (b < 0) return undefined;
  const c = line.indexOf(SPACE, b + 1);
  const stream = line.toString("latin1", a + 1, b);
  if (stream !== "stdout" && stream !== "stderr") return undefined;
  const tags = line.toString("latin1", b + 1, c < 0 ? line.length : c);
  return { time: line.toString("latin1", 0, a), stream, partial: tags.startsWith("P"), content: c < 0 ? Buffer.alloc(0) : line.subarray(c + 1) };
}
