/**
 * From a container's raw output (a file per stream that `cat` appends to, server or no server) to its CRI log, which this server alone writes.
 * Nothing is lost or doubled by a kill: how far the log has come is read from the log itself. Lines that nobody watched get the time of
 * the last one. The log is rotated at 10 MiB, at most every ten seconds, and five files are kept; consumed output is punched out of the raw file,
 * which goes away after the last byte. Memory is bounded by one chunk per container.
 */
import { spawn } from "node:child_process";
import { appendFileSync, closeSync, existsSync, fstatSync, mkdirSync, openSync, readdirSync, readFileSync, readSync, renameSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import type { Clock } from "../../base/clock.ts";
import { measureCriLog, Stamps, type Stream, toCriLog } from "./cri-log.ts";

const CHUNK_BYTES = 256 * 1024;
/** Follows kubernetes containerLogMaxSize and containerLogMaxFiles. */
const LOG_BYTES_MAX = 10 * 1024 * 1024;
const LOG_FILES_MAX = 5;
/** Follows kubernetes containerLogMonitorInterval: what is written at once stays in one file, so that who follows it can keep up. Up to a bound. */
const ROTATE_EVERY_MS = 10_000;
const ROTATE_ALWAYS_BYTES = 256 * 1024 * 1024;
const PUNCH_BYTES = 8 * 1024 * 1024;
/** A raw file no larger than this is left to be deleted with the container. */
const KEPT_BYTES_MAX = 64 * 1024;
/** Writes that come within this time are one reading. */
const GATHER_MS = 4;

export interface OutputFiles {
  readonly raw: string;
  /** The same for standard error, where that is a stream of its own. */
  readonly rawErrors?: string;
  readonly log: string;
  /** Where the raw file goes when its last byte is in the log. */
  readonly done: string;
  /** Where the raw offsets of the log's first byte are kept once the log has been rotated. */
  readonly base: string;
}

/** One raw file. */
interface Source {
  readonly stream: Stream;
  readonly raw: string;
  /** Raw bytes that are in the log; undefined until it was looked up. */
  offset: number | undefined;
  punched: number;
  /** Written to since it was last read to its end. */
  isDirty: boolean;
}

export class Output {
  readonly #files: OutputFiles;
  readonly #clock: Clock;
  readonly #onError: (error: unknown) => void;
  readonly #stamps = new Stamps();
  readonly #sources: readonly Source[];
  /** Called at every change. While there is one, raw output is kept. */
  readonly readers = new Set<() => void>();
  #logBytes = 0;
  readonly #rotateEveryMs: number;
  #rotatedAtMs: number;
  #working: Promise<void> | undefined;
  #again = false;

  /** `isNew`: nothing was written yet. A log that cannot be written is told of, and tried again at the next change. */
  constructor(files: OutputFiles, options: { readonly clock: Clock; readonly isNew: boolean; readonly rotateEveryMs?: number; readonly onError: (error: unknown) => void }) {
    this.#files = files;
    this.#clock = options.clock;
    this.#rotateEveryMs = options.rotateEveryMs ?? ROTATE_EVERY_MS;
    this.#rotatedAtMs = options.clock.now();
    this.#onError = options.onError;
    const source = (stream: Stream, raw: string): Source => ({ stream, raw, offset: options.isNew ? 0 : undefined, punched: 0, isDirty: true });
    this.#sources = [source("stdout", files.raw), ...(files.rawErrors === undefined ? [] : [source("stderr", files.rawErrors)])];
    if (!options.isNew) return;
    // Whoever asks for the log of a container that runs finds one, if an empty one.
    writeLog(files.log, Buffer.alloc(0));
  }

  /** Something was written (to one stream, or nobody knows): brings the log up to date soon. */
  changed(stream?: Stream): void {
    for (const source of this.#sources) source.isDirty ||= stream === undefined || source.stream === stream;
    for (const reader of this.readers) reader();
    this.#restart();
  }

  #restart(): void {
    if (this.#working) {
      this.#again = true;
      return;
    }
    this.#working = this.#gather()
      .catch(this.#onError)
      .then(() => {
        this.#working = undefined;
        if (this.#again) this.#restart();
      });
  }

  /** The container has ended and all its output is in the raw file: completes the log. */
  async finish(): Promise<void> {
    await this.#working;
    this.#again = false;
    for (const source of this.#sources) source.isDirty = true;
    while (this.#pumpAll(true)) await this.#turn(0);
    if (!existsSync(this.#files.log)) writeLog(this.#files.log, Buffer.alloc(0));
    for (const [i, { raw, offset = 0 }] of this.#sources.entries()) {
      const done = this.#files.done + (i === 0 ? "" : `.${i}`);
      try {
        renameSync(raw, done);
      } catch {
        // Nothing was ever written, or it is done already.
      }
      if (offset > KEPT_BYTES_MAX) rmSync(done, { force: true });
    }
  }

  async #gather(): Promise<void> {
    await this.#turn(GATHER_MS);
    this.#again = false;
    while (this.#pumpAll(false)) await this.#turn(0);
  }

  /** A chunk of each stream, the one first that was written to last longer ago; true when there may be more. */
  #pumpAll(final: boolean): boolean {
    const dirty = this.#sources.filter((s) => s.isDirty);
    if (dirty.length > 1) dirty.sort((a, b) => writtenAt(a.raw) - writtenAt(b.raw));
    for (const source of dirty) source.isDirty = this.#pump(source, final);
    return dirty.some((s) => s.isDirty);
  }

  #turn(ms: number): Promise<void> {
    return new Promise((resolve) => void this.#clock.after(ms, resolve));
  }

  /** Moves one chunk; true when there may be more. */
  #pump(source: Source, final: boolean): boolean {
    let fd: number;
    try {
      fd = openSync(source.raw, "r");
    } catch {
      return false;
    }
    try {
      const offset = (source.offset ??= this.#recover(source));
      const stat = fstatSync(fd);
      const chunk = Buffer.allocUnsafe(Math.min(CHUNK_BYTES, Math.max(stat.size - offset, 0)));
      const length = chunk.length === 0 ? 0 : readSync(fd, chunk, 0, chunk.length, offset);
      if (length === 0) return false;
      const last = offset + length >= stat.size;
      const { log, consumed } = toCriLog(chunk.subarray(0, length), { final: final && last, atMs: stat.mtimeMs, stamps: this.#stamps, stream: source.stream });
      this.#append(log);
      source.offset = offset + consumed;
      if (!final && source.offset - source.punched >= PUNCH_BYTES && this.readers.size === 0) punch(source);
      return !last;
    } finally {
      closeSync(fd);
    }
  }

  #append(log: Buffer): void {
    const size = this.#logBytes + log.length;
    const isDue = this.#clock.now() - this.#rotatedAtMs >= this.#rotateEveryMs || size > ROTATE_ALWAYS_BYTES;
    if (this.#logBytes > 0 && size > LOG_BYTES_MAX && isDue) this.#rotate();
    writeLog(this.#files.log, log);
    this.#logBytes += log.length;
  }

  /** A new base counts from the moment the old log has its new name: `#recover` sees by the log's absence that it has. */
  #rotate(): void {
    const { log, base } = this.#files;
    writeFileSync(`${base}.next`, this.#sources.map((s) => (s.offset ??= this.#recover(s))).join(" "));
    renameSync(log, this.#rotatedName());
    renameSync(`${base}.next`, base);
    this.#logBytes = 0;
    this.#rotatedAtMs = this.#clock.now();
    const rotated = rotatedLogs(log);
    for (const old of rotated.slice(0, Math.max(0, rotated.length - (LOG_FILES_MAX - 1)))) rmSync(old, { force: true });
  }

  /** `LOG.YYYYMMDD-HHMMSS`, with a count behind it when one second sees several. */
  #rotatedName(): string {
    const name = `${this.#files.log}.${new Date(this.#clock.now()).toISOString().slice(0, 19).replace(/[-:]/g, "").replace("T", "-")}`;
    let free = name;
    for (let i = 1; existsSync(free); i++) free = `${name}.${String(i).padStart(3, "0")}`;
    return free;
  }

  #recover(source: Source): number {
    const { log, base } = this.#files;
    if (existsSync(`${base}.next`)) {
      if (existsSync(log)) rmSync(`${base}.next`);
      else renameSync(`${base}.next`, base);
    }
    const start = existsSync(base) ? Number(readFileSync(base, "utf8").split(" ")[this.#sources.indexOf(source)] ?? 0) : 0;
    if (!existsSync(log)) return start;
    const { rawBytes, logBytes } = measureCriLog(readFileSync(log), source.stream);
    if (statSync(log).size > logBytes) truncateSync(log, logBytes);
    this.#logBytes = logBytes;
    return start + rawBytes;
  }
}

/** Gives the disk space of what is in the log back. Best effort: not every file system can. */
function punch(source: Source): void {
  source.punched = source.offset ?? 0;
  spawn("fallocate", ["--punch-hole", "--offset", "0", "--length", String(source.punched), source.raw], { stdio: "ignore" }).on("error", () => {});
}

const writtenAt = (file: string): number => statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0;

function writeLog(log: string, data: Buffer): void {
  try {
    appendFileSync(log, data, { mode: 0o640 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    mkdirSync(dirname(log), { recursive: true });
    appendFileSync(log, data, { mode: 0o640 });
  }
}

/** The rotated files of a log, oldest first. */
export function rotatedLogs(log: string): string[] {
  const name = `${basename(log)}.`;
  return readdirSync(dirname(log))
    .filter((f) => f.startsWith(name))
    .sort()
    .map((f) => join(dirname(log), f));
}
