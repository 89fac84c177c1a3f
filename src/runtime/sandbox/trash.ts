/**
 * Directories that nobody needs any more. They are moved aside at once and deleted when things are quiet: deleting is slow, and a file system
 * that has just freed many inodes is slow at making new ones (ext4 without a journal looks at each of them for five seconds).
 * Large things should not wait here: the caller deletes those itself.
 */
import { mkdirSync, readdirSync, renameSync } from "node:fs";
import { join } from "node:path";
import type { Clock, Timer } from "../../base/clock.ts";

const QUIET_MS = 3000;
/** With more than this, the oldest are deleted although it is not quiet. */
const WAITING_MAX = 4096;
const BATCH = 64;

export class Trash {
  readonly #directory: string;
  readonly #clock: Clock;
  readonly #remove: (paths: readonly string[]) => Promise<void>;
  readonly #waiting: string[] = [];
  #sequence = 0;
  #quiet: Timer | undefined;
  #emptying: Promise<void> | undefined;

  /** `remove` deletes directories with all that is in them, whoever owns it. */
  constructor(directory: string, clock: Clock, remove: (paths: readonly string[]) => Promise<void>) {
    this.#directory = directory;
    this.#clock = clock;
    this.#remove = remove;
  }

  open(): void {
    mkdirSync(this.#directory, { recursive: true, mode: 0o700 });
    for (const name of readdirSync(this.#directory)) {
      this.#waiting.push(name);
      this.#sequence = Math.max(this.#sequence, Number(name) + 1);
    }
    this.#wait();
  }

  /** Moves `path` aside; does nothing when it is not there. */
  throwAway(path: string): void {
    const name = String(this.#sequence++);
    try {
      renameSync(path, join(this.#directory, name));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return;
      throw error;
    }
    this.#waiting.push(name);
    if (this.#waiting.length > WAITING_MAX) this.#empty(WAITING_MAX / 2);
    else this.#wait();
  }

  /** Deletes everything that waits. */
  async close(): Promise<void> {
    this.#quiet?.cancel();
    await this.#emptying;
    this.#empty(0);
    await this.#emptying;
  }

  #wait(): void {
    this.#quiet?.cancel();
    this.#quiet = this.#waiting.length === 0 ? undefined : this.#clock.after(QUIET_MS, () => this.#empty(0));
  }

  #empty(leave: number): void {
    this.#emptying ??= this.#deleteUntil(leave).finally(() => {
      this.#emptying = undefined;
    });
  }

  async #deleteUntil(leave: number): Promise<void> {
    while (this.#waiting.length > leave) await this.#remove(this.#waiting.splice(0, BATCH).map((name) => join(this.#directory, name)));
  }
}
