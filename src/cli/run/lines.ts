/** Cuts a byte stream into lines, each with its newline; a line longer than the bound comes in pieces, the last may lack the newline. */
const LINE_BYTES_MAX = 64 * 1024;
const NEWLINE = 0x0a;

export async function* linesOf(stream: AsyncIterable<unknown>): AsyncGenerator<Buffer> {
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of stream) {
    rest = rest.length === 0 ? Buffer.from(chunk as Uint8Array) : Buffer.concat([rest, Buffer.from(chunk as Uint8Array)]);
    let from = 0;
    for (let end = rest.indexOf(NEWLINE, from); end >= 0; end = rest.indexOf(NEWLINE, from)) {
      yield rest.subarray(from, end + 1);
      from = end + 1;
    }
    rest = rest.subarray(from);
    if (rest.length >= LINE_BYTES_MAX) {
      yield rest;
      rest = Buffer.alloc(0);
    }
  }
  if (rest.length > 0) yield rest;
}
