/**
 * A client beside a container's own process: what that writes from now on, read from the raw output, and its standard input, a FIFO that the
 * container opened before. Closing standard input means ending the process that holds the FIFO open for writing.
 */
import { closeSync, constants, fstatSync, openSync, readFileSync, readlinkSync, readSync } from "node:fs";
import { Socket } from "node:net";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import type { AttachSpec } from "../runtime.ts";
import { type Container, until } from "./container.ts";
import type { Layout } from "./layout.ts";

const CHUNK_BYTES = 64 * 1024;

/** A raw file from where it ends now; `pump` hands on what is there and waits for the client to take it. */
class Tap {
  readonly #fd: number;
  readonly #to: NodeJS.WritableStream;
  #offset: number;

  constructor(file: string, to: NodeJS.WritableStream) {
    this.#fd = openSync(file, "r");
    this.#offset = fstatSync(this.#fd).size;
    this.#to = to;
  }

  async pump(signal: AbortSignal): Promise<void> {
    const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
    while (!signal.aborted) {
      const length = readSync(this.#fd, chunk, 0, chunk.length, this.#offset);
      if (length === 0) return;
      this.#offset += length;
      const data = Buffer.from(chunk.subarray(0, length));
      if (!this.#to.write(data)) await drained(this.#to, signal);
    }
  }

  close(): void {
    closeSync(this.#fd);
  }
}

function drained(stream: NodeJS.WritableStream, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      stream.removeListener("drain", done);
      stream.removeListener("close", done);
      signal.removeEventListener("abort", done);
      resolve();
    };
    stream.on("drain", done);
    stream.on("close", done);
    signal.addEventListener("abort", done);
  });
}

/** Resolves when the container has ended and its last byte is handed on, when `signal` aborts, or (unless it reads once) when `stdin` ends. */
export async function attach(layout: Layout, container: Container, spec: AttachSpec, signal: AbortSignal): Promise<void> {
  const taps = [new Tap(layout.output(container.id), spec.stdout), new Tap(layout.errors(container.id), spec.stderr)];
  const ended = new AbortController();
  let wake = (): void => {};
  const look = () => wake();
  container.output.readers.add(look);
  signal.addEventListener("abort", look);
  const detached = sendInput(layout, container, spec, AbortSignal.any([signal, ended.signal])).then((isOver) => isOver && (ended.abort(), look()));
  void until(container, () => container.end !== undefined || ended.signal.aborted).then(() => (ended.abort(), look()));
  try {
    for (;;) {
      const changed = new Promise<void>((resolve) => (wake = resolve));
      const isLast = ended.signal.aborted;
      for (const tap of taps) await tap.pump(signal);
      if (isLast || signal.aborted) break;
      await changed;
    }
  } finally {
    container.output.readers.delete(look);
    signal.removeEventListener("abort", look);
    ended.abort();
    for (const tap of taps) tap.close();
    await detached;
  }
}

/** Copies the client's input; says whether that is the end of being attached. Follows containerd internal/cri/io/container_io.go (Attach). */
async function sendInput(layout: Layout, container: Container, { stdin }: AttachSpec, signal: AbortSignal): Promise<boolean> {
  const { description } = container;
  if (!stdin || !description.stdin) return false;
  const fifo = join(layout.container(container.id), "stdin");
  try {
    // Without a reader (the container has closed its input, or ended) this fails.
    const input = new Socket({ fd: openSync(fifo, constants.O_WRONLY | constants.O_NONBLOCK), readable: false, writable: true });
    await pipeline(stdin, input, { signal });
  } catch {
    return false;
  }
  if (!description.stdinOnce || description.tty) return !description.stdinOnce;
  closeInput(layout, container.id);
  return false;
}

/** Ends the process that keeps a container's standard input open. It proves to be it by what it has open. */
export function closeInput(layout: Layout, id: string): void {
  const directory = layout.container(id);
  try {
    const pid = Number(readFileSync(join(directory, "stdin-open"), "utf8"));
    if (readlinkSync(`/proc/${pid}/fd/0`) === join(directory, "stdin")) process.kill(pid, "SIGKILL");
  } catch {
    // It has ended.
  }
}
