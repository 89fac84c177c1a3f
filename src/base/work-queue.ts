/**
 * A queue of keys that are to be looked at: a key waits once however often it is added, is never in two workers' hands, and comes again when
 * it was added while being worked on. Keys carry no content, so it is bounded by the number of things there are.
 * Follows client-go util/workqueue (queue.go, delaying_queue.go, rate_limiting_queue.go), but a stop drops what waits: state is read again
 * at the next start.
 */
import { backoffMs, type Backoff } from "./backoff.ts";
import type { Clock, Instant, Timer } from "./clock.ts";

/** client-go's default per-item limiter. */
export const DEFAULT_RETRY: Backoff = { baseMs: 5, maxMs: 1000_000 };

export interface WorkQueueOptions {
  readonly clock: Clock;
  readonly retry?: Backoff;
}

interface Delayed {
  readonly due: Instant;
  readonly timer: Timer;
}

export class WorkQueue {
  readonly #clock: Clock;
  readonly #retry: Backoff;
  /** In order of arrival; a Set keeps it and dedupes. */
  readonly #waiting = new Set<string>();
  readonly #working = new Set<string>();
  /** Added again while being worked on. */
  readonly #again = new Set<string>();
  readonly #delayed = new Map<string, Delayed>();
  readonly #failures = new Map<string, number>();
  readonly #takers: ((key: string | undefined) => void)[] = [];
  #stopped = false;

  constructor({ clock, retry = DEFAULT_RETRY }: WorkQueueOptions) {
    this.#clock = clock;
    this.#retry = retry;
  }

  /** How many keys wait to be taken. */
  get length(): number {
    return this.#waiting.size;
  }

  /** True when nothing waits and nothing is being worked on (delayed keys do not count). */
  get isIdle(): boolean {
    return this.#waiting.size === 0 && this.#working.size === 0;
  }

  add(key: string): void {
    if (this.#stopped || this.#waiting.has(key)) return;
    if (this.#working.has(key)) {
      this.#again.add(key);
      return;
    }
    const taker = this.#takers.shift();
    if (!taker) {
      this.#waiting.add(key);
      return;
    }
    this.#working.add(key);
    taker(key);
  }

  /** Adds the key after `ms`; of several delays of one key the earliest counts. */
  addAfter(key: string, ms: number): void {
    if (this.#stopped) return;
    if (ms <= 0) return this.add(key);
    const due = this.#clock.now() + ms;
    const known = this.#delayed.get(key);
    if (known && known.due <= due) return;
    known?.timer.cancel();
    const timer = this.#clock.after(ms, () => {
      this.#delayed.delete(key);
      this.add(key);
    });
    this.#delayed.set(key, { due, timer });
  }

  /** The key is looked at now: what was added for later has nothing more to say. */
  cancelDelayed(key: string): void {
    this.#delayed.get(key)?.timer.cancel();
    this.#delayed.delete(key);
  }

  /** Counts a failure of the key and adds it after its back-off; returns the wait. */
  addRateLimited(key: string): number {
    const failures = this.failuresOf(key) + 1;
    this.#failures.set(key, failures);
    const ms = backoffMs(this.#retry, failures);
    this.addAfter(key, ms);
    return ms;
  }

  failuresOf(key: string): number {
    return this.#failures.get(key) ?? 0;
  }

  /** The key is well: its next failure is a first one. */
  forget(key: string): void {
    this.#failures.delete(key);
  }

  /** The next key, at once or when there is one; undefined when the queue is stopped. Whoever takes a key has to call `done`. */
  take(): Promise<string | undefined> {
    if (this.#stopped) return Promise.resolve(undefined);
    const [key] = this.#waiting;
    if (key === undefined) return new Promise((resolve) => void this.#takers.push(resolve));
    this.#waiting.delete(key);
    this.#working.add(key);
    return Promise.resolve(key);
  }

  done(key: string): void {
    this.#working.delete(key);
    if (this.#again.delete(key)) this.add(key);
  }

  /** Drops what waits and sends the takers home; keys in work are finished by their workers. */
  stop(): void {
    this.#stopped = true;
    for (const { timer } of this.#delayed.values()) timer.cancel();
    this.#delayed.clear();
    this.#waiting.clear();
    this.#again.clear();
    for (const taker of this.#takers.splice(0)) taker(undefined);
  }
}
