/**
 * Time as a port. Nothing outside `base/` reads the machine's clock or sets a timer: a whole system, real wiring, runs under
 * `VirtualClock` from one seed. Instants are milliseconds since the Unix epoch; durations are milliseconds.
 */
export type Instant = number;

export interface Timer {
  /** Stops the timer; does nothing when it has already fired. */
  cancel(): void;
}

export interface Clock {
  now(): Instant;
  /** Calls `callback` once, not before `ms` have passed (at once, but never synchronously, when `ms` <= 0). */
  after(ms: number, callback: () => void): Timer;
}

/** Resolves after `ms`, or as soon as `signal` aborts (it never rejects: the caller looks at `signal.aborted`). */
export function sleep(clock: Clock, ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve();
    const finish = () => {
      timer.cancel();
      signal?.removeEventListener("abort", finish);
      resolve();
    };
    const timer = clock.after(ms, finish);
    signal?.addEventListener("abort", finish, { once: true });
  });
}

/** Node's timers take 31 bits of milliseconds; a longer wait is made of several. */
const TIMER_MS_MAX = 2 ** 31 - 1;

/** The machine's clock. Its timers do not keep the process alive: whoever runs the process holds something that does. */
export const systemClock: Clock = {
  now: () => Date.now(),
  after(ms, callback) {
    let handle: NodeJS.Timeout;
    const arm = (left: number) => {
      handle = setTimeout(() => (left > TIMER_MS_MAX ? arm(left - TIMER_MS_MAX) : callback()), Math.min(Math.max(left, 0), TIMER_MS_MAX));
      handle.unref();
    };
    arm(ms);
    return { cancel: () => clearTimeout(handle) };
  },
};

/** Keeps the process alive until it is released: timers of the system clock do not. */
export function keepAlive(): { readonly release: () => void } {
  const handle = setInterval(() => {}, TIMER_MS_MAX);
  return { release: () => clearInterval(handle) };
}

interface VirtualTimer {
  readonly due: Instant;
  readonly order: number;
  readonly callback: () => void;
}

/** A clock that stands still until it is told to move. Timers fire in order of time, then of creation. */
export class VirtualClock implements Clock {
  #now: Instant;
  #order = 0;
  #timers = new Set<VirtualTimer>();

  constructor(start: Instant) {
    this.#now = start;
  }

  now(): Instant {
    return this.#now;
  }

  after(ms: number, callback: () => void): Timer {
    const timer = { due: this.#now + Math.max(ms, 0), order: this.#order++, callback };
    this.#timers.add(timer);
    return { cancel: () => void this.#timers.delete(timer) };
  }

  /** When the next timer is due; undefined when none waits. */
  nextDue(): Instant | undefined {
    return this.#next()?.due;
  }

  /** Moves to the next timer and fires it; false when none waits. An error of the callback is the caller's. */
  fireNext(): boolean {
    const timer = this.#next();
    if (!timer) return false;
    this.#timers.delete(timer);
    this.#now = Math.max(this.#now, timer.due);
    timer.callback();
    return true;
  }

  /** Moves `ms` ahead and fires, in order, all that falls due on the way (timers made meanwhile included). */
  advance(ms: number): void {
    const end = this.#now + ms;
    for (let next = this.#next(); next && next.due <= end; next = this.#next()) this.fireNext();
    this.#now = end;
  }

  #next(): VirtualTimer | undefined {
    let first: VirtualTimer | undefined;
    for (const t of this.#timers) if (!first || t.due < first.due || (t.due === first.due && t.order < first.order)) first = t;
    return first;
  }
}
