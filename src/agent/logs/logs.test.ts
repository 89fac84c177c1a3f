import { appendFileSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { followLog, readLog, type ReadLogOptions } from "./logs.ts";
import { terminationMessage } from "./termination-message.ts";
import type { ContainerStatus as ContainerRecord } from "../../runtime/runtime.ts";

let dir: string;
let path: string;
beforeEach(() => { dir = mkdtempSync(join(tmpdir(), "stint-logs-")); path = join(dir, "0.log"); });
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const T = "2024-05-01T12:00:0";
const line = (second: number, text: string, tag = "F", stream = "stdout") => `${T}${second}.000000001Z ${stream} ${tag} ${text}\n`;
const read = async (options: Partial<ReadLogOptions> = {}) => {
  const chunks: Buffer[] = [];
  for await (const chunk of readLog(path, { timestamps: false, ...options })) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
};
const five = [1, 2, 3, 4, 5].map((n) => line(n, `line ${n}`)).join("");
const long = "x".repeat(100_000);

test.each([
  { name: "all", log: five, options: {}, want: "line 1\nline 2\nline 3\nline 4\nline 5\n" },
  { name: "none", log: five, options: { tailLines: 0 }, want: "" },
  { name: "the last two", log: five, options: { tailLines: 2 }, want: "line 4\nline 5\n" },
  { name: "more than there are", log: five, options: { tailLines: 99 }, want: "line 1\nline 2\nline 3\nline 4\nline 5\n" },
  { name: "ten bytes", log: five, options: { limitBytes: 10 }, want: "line 1\nlin" },
  { name: "nine bytes of the last two", log: five, options: { tailLines: 2, limitBytes: 9 }, want: "line 4\nli" },
  { name: "since a time", log: five, options: { sinceTimeMs: Date.parse(`${T}4Z`) }, want: "line 4\nline 5\n" },
  { name: "with times, once a line", log: line(1, "a", "P") + line(2, "b") + line(3, "c"), options: { timestamps: true }, want: `${T}1.000000001Z ab\n${T}3.000000001Z c\n` },
  { name: "a line without an end", log: line(1, "a") + line(2, "b", "P"), options: {}, want: "a\nb" },
  { name: "the last line, without its end", log: line(1, "a") + line(2, "b", "P"), options: { tailLines: 1 }, want: "b" },
  { name: "a line of several pieces as one", log: line(1, "a") + line(2, long, "P") + line(2, long, "P") + line(2, "end"), options: { tailLines: 1 }, want: `${long}${long}end\n` },
  { name: "nothing of an entry that is being written", log: `${line(1, "a")}${T}2Z std`, options: {}, want: "a\n" },
  { name: "nothing of what is no entry", log: `garbage\n${line(1, "a")}`, options: {}, want: "a\n" },
])("$name", async ({ log, options, want }) => {
  writeFileSync(path, log);
  expect(await read(options)).toBe(want);
});

describe("following", () => {
  const follow = async (running: () => boolean, act: (ring: () => void, seen: () => string) => Promise<void> | void) => {
    let ring = () => {};
    let text = "";
    const reading = (async () => {
      const container = { isRunning: async () => running(), onHint: (listener: () => void) => { ring = listener; return () => {}; } };
      for await (const chunk of followLog(path, { timestamps: false }, container, new AbortController().signal)) text += chunk.toString();
    })();
    await act(() => ring(), () => text);
    await reading;
    return text;
  };
  const until = async (check: () => boolean) => { while (!check()) await new Promise((resolve) => setImmediate(resolve)); };

  test("goes on with what is written, to the container's end", async () => {
    writeFileSync(path, line(1, "one"));
    let running = true;
    const text = await follow(() => running, async (ring, seen) => {
      await until(() => seen() === "one\n");
      appendFileSync(path, line(2, "two"));
      await until(() => seen() === "one\ntwo\n");
      appendFileSync(path, line(3, "three"));
      running = false;
      ring();
    });
    expect(text).toBe("one\ntwo\nthree\n");
  });

  test("goes on in the next file after a rotation", async () => {
    writeFileSync(path, line(1, "one"));
    let running = true;
    const text = await follow(() => running, async (ring, seen) => {
      await until(() => seen() === "one\n");
      appendFileSync(path, line(2, "two"));
      renameSync(path, `${path}.20240501-120000`);
      writeFileSync(path, line(3, "three"));
      await until(() => seen().endsWith("three\n"));
      running = false;
      ring();
    });
    expect(text).toBe("one\ntwo\nthree\n");
  });

  test("leaves out no file when several rotations are quicker than the reader", async () => {
    writeFileSync(path, line(1, "one"));
    let running = true;
    const text = await follow(() => running, async (ring, seen) => {
      await until(() => seen() === "one\n");
      for (const [second, word] of ["two", "three", "four"].entries()) {
        renameSync(path, `${path}.20240501-12000${second}`);
        writeFileSync(path, line(second + 2, word));
      }
      running = false;
      ring();
    });
    expect(text).toBe("one\ntwo\nthree\nfour\n");
  });
});

describe("a container's last words", () => {
  const record = (exitCode: number): ContainerRecord => ({
    id: "1", sandboxId: "s", pod: { uid: "u", namespace: "ns", name: "p" }, name: "main", attempt: 0, state: "exited", createdAtMs: 0, startedAtMs: 0, finishedAtMs: 0, exitCode,
    reason: undefined, message: undefined, logPath: path, terminationMessageFile: join(dir, "message"), annotations: {},
  });
  const fallback = { name: "main", terminationMessagePolicy: "FallbackToLogsOnError" };

  test("are what it wrote, up to a limit", async () => {
    writeFileSync(join(dir, "message"), "y".repeat(9000));
    expect((await terminationMessage(record(0), undefined)).length).toBe(4096);
  });

  test("are the end of its log after a failure, where its policy says so", async () => {
    writeFileSync(path, Array.from({ length: 100 }, (_, i) => line(1, `line ${i + 1}`)).join(""));
    expect(await terminationMessage(record(1), fallback)).toBe(Array.from({ length: 80 }, (_, i) => `line ${i + 21}\n`).join(""));
    expect(await terminationMessage(record(0), fallback)).toBe("");
    expect(await terminationMessage(record(1), { name: "main" })).toBe("");
  });
});
