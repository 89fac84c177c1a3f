/** Cuts a byte stream into lines, each with its newline; a line longer than the bound comes in pieces, the last may lack the newline. */
const LINE_BYTES_MAX = 64 * 1024;
const NEWLINE = 0x0a;

/** The lines of a stream, as many at a time as have come: never none. */
export async function* linesOf(stream: AsyncIterable<unknown>): AsyncGenerator<readonly Buffer[]> {
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of stream) {
    rest = rest.length === 0 ? Buffer.from(chunk as Uint8Array) : Buffer.concat([rest, Buffer.from(chunk as Uint8Array)]);
    const lines: Buffer[] = [];
    let from = 0;
    for (let end = rest.indexOf(NEWLINE, from); end >= 0; end = rest.indexOf(NEWLINE, from)) {
      lines.push(rest.subarray(from, end + 1));
      from = end + 1;
    }
    rest = rest.subarray(from);
    if (rest.length >= LINE_BYTES_MAX) {
      lines.push(rest);
      rest = Buffer.alloc(0);
    }
    if (lines.length > 0) yield lines;
  }
  if (rest.length > 0) yield [rest];
}
