/**
 * Finds where the last lines of a log begin, reading backwards from its end. A long line may stand in several entries and counts once.
 */
import type { FileHandle } from "node:fs/promises";
import { parseLogLine } from "./cri-format.ts";

const BLOCK_BYTES = 64 * 1024;
const NEWLINE = 0x0a;

/** Entries from the end of the file to its beginning, each with where it begins. An unfinished entry at the end is left out. */
async function* entriesBackwards(file: FileHandle, size: number): AsyncGenerator<{ readonly entry: Buffer; readonly end: number }> {
  let held: Buffer = Buffer.alloc(0);
  let at = size;
  let seenNewline = false;
  while (at > 0) {
    const length = Math.min(BLOCK_BYTES, at);
    const { buffer } = await file.read(Buffer.alloc(length), 0, length, at - length);
    at -= length;
    held = Buffer.concat([buffer, held]);
    for (let newline = held.lastIndexOf(NEWLINE); newline >= 0; newline = held.lastIndexOf(NEWLINE)) {
      const after = held.subarray(newline + 1);
      if (seenNewline) yield { entry: after, end: at + held.length + 1 };
      seenNewline = true;
      held = held.subarray(0, newline);
    }
  }
  if (seenNewline) yield { entry: held, end: held.length + 1 };
}

/** The offset from which on the file has its last `lines` lines. */
export async function tailOffset(file: FileHandle, lines: number): Promise<number> {
  const { size } = await file.stat();
  if (lines <= 0) return size;
  let count = 0;
  const seen = new Set<string>();
  for await (const { entry, end } of entriesBackwards(file, size)) {
    const line = parseLogLine(entry);
    if (!line) continue;
    const endsLine = !line.partial || !seen.has(line.stream);
    seen.add(line.stream);
    if (endsLine && count === lines) return end;
    if (endsLine) count++;
  }
  return 0;
}
