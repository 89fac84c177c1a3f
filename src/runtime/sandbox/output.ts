/**
 * From a container's raw output (a file that `cat` appends to, server or no server) to its CRI log, which this server alone writes.
 * Nothing is lost or doubled by a kill: how far the log has come is read from the log itself. Lines that nobody watched get the time of
 * the last one. The log is rotated at 10 MiB, five files are kept; consumed output is punched out of the raw file, which goes away after the
 * last byte. Memory is bounded by one chunk per container.
 */
import { spawn } from "node:child_process";
import { appendFileSync, closeSync, existsSync, fstatSync, mkdirSync, openSync, readdirSync, readFileSync, readSync, renameSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import type { Clock } from "../../base/clock.ts";
import { measureCriLog, Stamps, toCriLog } from "./cri-log.ts";

const CHUNK_BYTES = 256 * 1024;
/** Follows kubernetes containerLogMaxSize and containerLogMaxFiles. */
const LOG_BYTES_MAX = 10 * 1024 * 1024;
const LOG_FILES_MAX = 5;
const PUNCH_BYTES = 8 * 1024 * 1024;
/** A raw file no larger than this is left to be deleted with the container. */
const KEPT_BYTES_MAX = 64 * 1024;
/** Writes that come within this time are one reading. */
const GATHER_MS = 4;

export interface OutputFiles {
  readonly raw: string;
  readonly log: string;
  /** Where the raw file goes when its last byte is in the log. */
  readonly done: string;
  /** Where the raw offset of the log's first byte is kept once the log has been rotated. */
  readonly base: string;
}

export class Output {
  readonly #files: OutputFiles;
  readonly #clock: Clock;
  readonly #stamps = new Stamps();
  /** Raw bytes that are in the log; undefined until it was looked up. */
  #offset: number | undefined;
  #logBytes = 0;
  #punched = 0;
  #working: Promise<void> | undefined;
  #again = false;

  constructor(files: OutputFiles, clock: Clock, isNew: boolean) {
    this.#files = files;
    this.#clock = clock;
    if (!isNew) return;
    this.#offset = 0;
    // Whoever asks for the log of a container that runs finds one, if an empty one.
    writeLog(files.log, Buffer.alloc(0));
  }

  /** Something was written: brings the log up to date soon. */
  changed(): void {
    if (this.#working) {
      this.#again = true;
      return;
    }
    this.#working = this.#gather().finally(() => {
      this.#working = undefined;
      if (this.#again) this.changed();
    });
  }

  /** The container has ended and all its output is in the raw file: completes the log. */
  async finish(): Promise<void> {
    await this.#working;
    this.#again = false;
    while (this.#pump(true)) await this.#turn(0);
    if (!existsSync(this.#files.log)) writeLog(this.#files.log, Buffer.alloc(0));
    try {
      renameSync(this.#files.raw, this.#files.done);
    } catch {
      // Nothing was ever written, or it is done already.
    }
    if (this.#offset !== undefined && this.#offset > KEPT_BYTES_MAX) rmSync(this.#files.done, { force: true });
  }

  async #gather(): Promise<void> {
    await this.#turn(GATHER_MS);
    this.#again = false;
    while (this.#pump(false)) await this.#turn(0);
  }

  #turn(ms: number): Promise<void> {
    return new Promise((resolve) => void this.#clock.after(ms, resolve));
  }

  /** Moves one chunk; true when there may be more. */
  #pump(final: boolean): boolean {
    let fd: number;
    try {
      fd = openSync(this.#files.raw, "r");
    } catch {
      return false;
    }
    try {
      const offset = (this.#offset ??= this.#recover());
      const stat = fstatSync(fd);
      const chunk = Buffer.allocUnsafe(Math.min(CHUNK_BYTES, Math.max(stat.size - offset, 0)));
      const length = chunk.length === 0 ? 0 : readSync(fd, chunk, 0, chunk.length, offset);
      if (length === 0) return false;
      const last = offset + length >= stat.size;
      const { log, consumed } = toCriLog(chunk.subarray(0, length), { final: final && last, atMs: stat.mtimeMs, stamps: this.#stamps });
      this.#append(log, offset);
      this.#offset = offset + consumed;
      if (!final && this.#offset - this.#punched >= PUNCH_BYTES) this.#punch();
      return !last;
    } finally {
      closeSync(fd);
    }
  }

  #append(log: Buffer, offset: number): void {
    if (this.#logBytes > 0 && this.#logBytes + log.length > LOG_BYTES_MAX) this.#rotate(offset);
    writeLog(this.#files.log, log);
    this.#logBytes += log.length;
  }

  /** A new base counts from the moment the old log has its new name: `#recover` sees by the log's absence that it has. */
  #rotate(offset: number): void {
    const { log, base } = this.#files;
    writeFileSync(`${base}.next`, String(offset));
    renameSync(log, this.#rotatedName());
    renameSync(`${base}.next`, base);
    this.#logBytes = 0;
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

  #recover(): number {
    const { log, base } = this.#files;
    if (existsSync(`${base}.next`)) {
      if (existsSync(log)) rmSync(`${base}.next`);
      else renameSync(`${base}.next`, base);
    }
    const start = existsSync(base) ? Number(readFileSync(base, "utf8")) : 0;
    if (!existsSync(log)) return start;
    const { rawBytes, logBytes } = measureCriLog(readFileSync(log));
    if (statSync(log).size > logBytes) truncateSync(log, logBytes);
    this.#logBytes = logBytes;
    return start + rawBytes;
  }

  /** Gives the disk space of what is in the log back. Best effort: not every file system can. */
  #punch(): void {
    this.#punched = this.#offset ?? 0;
    spawn("fallocate", ["--punch-hole", "--offset", "0", "--length", String(this.#punched), this.#files.raw], { stdio: "ignore" }).on("error", () => {});
  }
}

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
