import { appendFileSync, existsSync, mkdtempSync, readFileSync, renameSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { systemClock } from "../../base/clock.ts";
import { measureCriLog, PIECE_BYTES_MAX, PREFIX_BYTES, Stamps, toCriLog } from "./cri-log.ts";
import { Output, type OutputFiles, rotatedLogs } from "./output.ts";
import { logText } from "./testing.ts";

let directory: string;
let files: OutputFiles;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "stint-output-"));
  files = { raw: join(directory, "raw"), log: join(directory, "log"), done: join(directory, "done"), base: join(directory, "base") };
});
afterEach(() => rmSync(directory, { recursive: true }));

const output = (isNew: boolean) => new Output(files, { clock: systemClock, isNew, rotateEveryMs: 0, onError: (error) => { throw error; } });
const convert = (raw: string, final: boolean) => toCriLog(Buffer.from(raw, "latin1"), { final, atMs: 1_700_000_000_000, stamps: new Stamps() });

describe("records", () => {
  test.each([
    { name: "lines", raw: "a\nb\n", final: false, want: ["F a", "F b"], consumed: 4 },
    { name: "an unfinished line waits", raw: "a\nb", final: false, want: ["F a"], consumed: 2 },
    { name: "an unfinished last line is a piece", raw: "a\nb", final: true, want: ["F a", "P b"], consumed: 3 },
    { name: "an empty line and a carriage return", raw: "\r\n\n", final: false, want: ["F \r", "F "], consumed: 3 },
    { name: "a long line is cut", raw: `${"x".repeat(PIECE_BYTES_MAX + 1)}\n`, final: false, want: [`P ${"x".repeat(PIECE_BYTES_MAX)}`, "F x"], consumed: PIECE_BYTES_MAX + 2 },
    { name: "a line of just the limit is not", raw: `${"x".repeat(PIECE_BYTES_MAX)}\n`, final: false, want: [`F ${"x".repeat(PIECE_BYTES_MAX)}`], consumed: PIECE_BYTES_MAX + 1 },
  ])("$name", ({ raw, final, want, consumed }) => {
    const converted = convert(raw, final);
    expect(converted.consumed).toBe(consumed);
    expect(converted.log.toString("latin1").split("\n").slice(0, -1).map((l) => l.slice(PREFIX_BYTES - 2))).toEqual(want);
  });

  test("whatever the bytes, a log tells how many of them it holds", () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), fc.boolean(), (bytes, final) => {
      const { log, consumed } = toCriLog(Buffer.from(bytes), { final, atMs: 0, stamps: new Stamps() });
      expect(measureCriLog(log)).toEqual({ rawBytes: consumed, logBytes: log.length });
      if (final) expect(consumed).toBe(bytes.length);
    }));
  });

  test("time stamps rise, even within a millisecond and when the clock goes back", () => {
    const stamps = new Stamps();
    const seen = [5, 5, 5, 3, 6].map((ms) => stamps.next(ms));
    expect(seen).toEqual([...seen].sort());
    expect(new Set(seen).size).toBe(5);
    expect(seen[0]).toBe("1970-01-01T00:00:00.005000000Z");
  });
});

describe("a log", () => {
  test("goes on where another server was killed, at any byte of what it had written", async () => {
    const lines = Array.from({ length: 50 }, (_, i) => `line ${i}\n`).join("");
    writeFileSync(files.raw, lines);
    await output(true).finish();
    const whole = readFileSync(files.log);
    for (let cut = 0; cut <= whole.length; cut += 37) {
      writeFileSync(files.log, whole);
      truncateSync(files.log, cut);
      renameSync(files.done, files.raw);
      await output(false).finish();
      expect(logText(files.log)).toBe(lines);
    }
  });

  test("is rotated at its limit, keeps five files, and is found again in the middle of a rotation", async () => {
    const line = `${"y".repeat(999)}\n`;
    const first = output(true);
    for (let i = 0; i < 6; i++) {
      appendFileSync(files.raw, line.repeat(10_400));
      first.changed();
      await expect.poll(() => rotatedLogs(files.log).length, { timeout: 10_000, interval: 5 }).toBe(Math.min(i, 4));
    }
    await first.finish();
    expect(existsSync(files.raw) || existsSync(files.done)).toBe(false);
    const before = logText(files.log);
    // As if killed between the rename of the log and the rename of its base, with one line more to come.
    const consumed = 6 * 10_400_000;
    writeFileSync(files.raw, "");
    truncateSync(files.raw, consumed);
    appendFileSync(files.raw, "last\n");
    renameSync(files.log, `${files.log}.99990101-000000`);
    writeFileSync(`${files.base}.next`, String(consumed));
    await output(false).finish();
    expect(logText(files.log)).toBe("last\n");
    expect(before.endsWith(line)).toBe(true);
  }, 60_000);
});
