/**
 * Reads the log of one container attempt: from its end or its beginning, following it as it is written, across rotations.
 * Waits for the file system's events, never for time. Follows kubernetes pkg/kubelet/kuberuntime/logs/logs.go.
 */
import { watch } from "node:fs";
import { open, readdir, stat, type FileHandle } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { parseLogLine, type LogLine } from "./cri-format.ts";
import { tailOffset } from "./tail.ts";

export interface ReadLogOptions {
  readonly timestamps: boolean;
  readonly sinceTimeMs?: number;
  readonly tailLines?: number;
  readonly limitBytes?: number;
}

/** What a reader that follows needs to know of the container. */
export interface FollowedContainer {
  /** Whether more may be written. */
  readonly isRunning: () => Promise<boolean>;
  /** Calls back when that may have changed, until the answer is called. */
  readonly onHint: (listener: () => void) => () => void;
}

const BLOCK_BYTES = 64 * 1024;
const NEWLINE = 0x0a;

/** Turns entries into what the user sees: the time stands once a line, and the first `limitBytes` are all there is. */
class LogFormatter {
  readonly #options: ReadLogOptions;
  readonly #midLine = new Set<string>();
  #left: number;

  constructor(options: ReadLogOptions) {
    this.#options = options;
    this.#left = options.limitBytes ?? Infinity;
  }

  get isFull(): boolean {
    return this.#left <= 0;
  }

  format(line: LogLine): readonly Buffer[] {
    const { timestamps, sinceTimeMs } = this.#options;
    if (this.isFull || (sinceTimeMs !== undefined && Date.parse(line.time) < sinceTimeMs)) return [];
    const begins = !this.#midLine.has(line.stream);
    if (line.partial) this.#midLine.add(line.stream);
    else this.#midLine.delete(line.stream);
    const parts = [...(timestamps && begins ? [Buffer.from(`${line.time} `)] : []), line.content, ...(line.partial ? [] : [Buffer.from("\n")])];
    return parts.map((part) => this.#cut(part)).filter((part) => part.length > 0);
  }

  #cut(part: Buffer): Buffer {
    const cut = part.length > this.#left ? part.subarray(0, this.#left) : part;
    this.#left -= cut.length;
    return cut;
  }
}

/** Reads on from where it stopped; entries that are not complete yet wait. */
class LogFile {
  readonly file: FileHandle;
  #offset: number;
  #rest: Buffer = Buffer.alloc(0);

  constructor(file: FileHandle, offset: number) {
    this.file = file;
    this.#offset = offset;
  }

  /** The entries of the next block; undefined at the end of what is there. */
  async next(): Promise<readonly Buffer[] | undefined> {
    const { buffer, bytesRead } = await this.file.read(Buffer.allocUnsafe(BLOCK_BYTES), 0, BLOCK_BYTES, this.#offset);
    if (bytesRead === 0) return undefined;
    this.#offset += bytesRead;
    const data = this.#rest.length > 0 ? Buffer.concat([this.#rest, buffer.subarray(0, bytesRead)]) : buffer.subarray(0, bytesRead);
    const entries: Buffer[] = [];
    let from = 0;
    for (let at = data.indexOf(NEWLINE); at >= 0; at = data.indexOf(NEWLINE, from)) {
      entries.push(data.subarray(from, at));
      from = at + 1;
    }
    this.#rest = data.subarray(from);
    return entries;
  }
}

/** All that is in the file now, formatted. */
async function* drain(log: LogFile, formatter: LogFormatter): AsyncGenerator<Buffer> {
  for (let entries = await log.next(); entries && !formatter.isFull; entries = await log.next()) {
    const parts = entries.flatMap((entry) => { const line = parseLogLine(entry); return line ? formatter.format(line) : []; });
    if (parts.length > 0) yield Buffer.concat(parts);
  }
}

async function openAt(path: string, tailLines: number | undefined): Promise<LogFile> {
  const file = await open(path, "r");
  return new LogFile(file, tailLines === undefined ? 0 : await tailOffset(file, tailLines));
}

/** The log as it is now. Rejects when there is no such file. */
export async function* readLog(path: string, options: ReadLogOptions): AsyncGenerator<Buffer> {
  const log = await openAt(path, options.tailLines);
  try {
    yield* drain(log, new LogFormatter(options));
  } finally {
    await log.file.close();
  }
}

/** A signal that may be given before anybody waits for it. */
class Bell {
  #rung = false;
  #wake: (() => void) | undefined;

  readonly ring = (): void => {
    this.#rung = true;
    this.#wake?.();
  };

  async wait(): Promise<void> {
    if (!this.#rung) await new Promise<void>((resolve) => { this.#wake = resolve; });
    this.#wake = undefined;
    this.#rung = false;
  }
}

/** The files of a log, the oldest first: those that were rotated away have names that begin with its own and sort by time. */
async function filesOf(path: string): Promise<readonly { readonly path: string; readonly inode: number }[]> {
  const rotated = (await readdir(dirname(path))).filter((name) => name.startsWith(`${basename(path)}.`)).sort();
  const files = await Promise.all([...rotated, basename(path)].map((name) => join(dirname(path), name)).map(async (file) => ({ path: file, inode: (await stat(file).catch(() => undefined))?.ino })));
  return files.flatMap(({ path: file, inode }) => (inode === undefined ? [] : [{ path: file, inode }]));
}

/** The file in which the log goes on after `file`; undefined while that is the newest. A file that is gone was older than all that are there. */
async function openNext(file: FileHandle, path: string): Promise<LogFile | undefined> {
  const { ino } = await file.stat();
  if ((await stat(path).catch(() => undefined))?.ino === ino) return undefined;
  for (;;) {
    const files = await filesOf(path);
    const next = files[files.findIndex((f) => f.inode === ino) + 1];
    if (!next) return undefined;
    const opened = await open(next.path, "r").catch(() => undefined);
    // A rotation in between has given the name to another file.
    if (opened && (await opened.stat()).ino === next.inode) return new LogFile(opened, 0);
    await opened?.close();
  }
}

/** The log as it is and as it becomes, until the container has ended or `signal` aborts. */
export async function* followLog(path: string, options: ReadLogOptions, container: FollowedContainer, signal: AbortSignal): AsyncGenerator<Buffer> {
  const bell = new Bell();
  const formatter = new LogFormatter(options);
  const watcher = watch(dirname(path), { persistent: false }, (_event, name) => { if (name === null || name === basename(path)) bell.ring(); });
  watcher.on("error", bell.ring);
  const forget = container.onHint(bell.ring);
  signal.addEventListener("abort", bell.ring, { once: true });
  let log = await openAt(path, options.tailLines);
  try {
    while (!signal.aborted && !formatter.isFull) {
      const running = await container.isRunning();
      yield* drain(log, formatter);
      const next = await openNext(log.file, path);
      if (next) {
        yield* drain(log, formatter);
        await log.file.close();
        log = next;
        continue;
      }
      // Asked before the last read: what was written up to the end has been seen.
      if (!running) return;
      await bell.wait();
    }
  } finally {
    signal.removeEventListener("abort", bell.ring);
    forget();
    watcher.close();
    await log.file.close();
  }
}
