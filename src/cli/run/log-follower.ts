/**
 * Follows the log of every attempt as it begins and hands its lines on. One stream an attempt; a bound on how many are open at a time.
 */
import type { Readable } from "node:stream";
import { isNotFound } from "../../api/status-error.ts";
import type { Attempt } from "./attempts.ts";
import { linesOf } from "./lines.ts";

export interface LogLines {
  readonly attempt: Attempt;
  /** Each with its newline, where it has one. */
  readonly lines: readonly Buffer[];
}

export interface LogFollowerDeps {
  /** Opens the log of an attempt from its beginning to its end. */
  readonly open: (attempt: Attempt, signal: AbortSignal) => Promise<Readable>;
  /** Resolves when more may come: a reader of the output that is slow makes the logs wait, not memory grow. */
  readonly onLines: (lines: LogLines) => Promise<void>;
  readonly onError: (attempt: Attempt, error: unknown) => void;
}

const STREAMS_MAX = 64;

export class LogFollower {
  readonly #deps: LogFollowerDeps;
  readonly #stop = new AbortController();
  readonly #stopped = new Promise<void>((resolve) => this.#stop.signal.addEventListener("abort", () => resolve(), { once: true }));
  readonly #waiting: Attempt[] = [];
  readonly #running = new Set<Promise<void>>();

  constructor(deps: LogFollowerDeps) {
    this.#deps = deps;
  }

  follow(attempt: Attempt): void {
    this.#waiting.push(attempt);
    this.#next();
  }

  /** Resolves when every log that was asked for has been read to its end. */
  async drained(): Promise<void> {
    while (this.#running.size > 0 || this.#waiting.length > 0) await Promise.all(this.#running);
  }

  /** Ends all streams at once. */
  stop(): void {
    this.#waiting.length = 0;
    this.#stop.abort();
  }

  #next(): void {
    while (this.#running.size < STREAMS_MAX) {
      const attempt = this.#waiting.shift();
      if (!attempt) return;
      const run = this.#read(attempt).finally(() => {
        this.#running.delete(run);
        this.#next();
      });
      this.#running.add(run);
    }
  }

  async #read(attempt: Attempt): Promise<void> {
    const { signal } = this.#stop;
    try {
      const stream = await this.#deps.open(attempt, signal);
      for await (const lines of linesOf(stream)) {
        if (signal.aborted) return;
        await Promise.race([this.#deps.onLines({ attempt, lines }), this.#stopped]);
      }
    } catch (error) {
      if (!signal.aborted && !isNotFound(error)) this.#deps.onError(attempt, error);
    }
  }
}
