/**
 * How long to wait before the next try: exponential in the failures so far, bounded, with jitter where many could wait in step.
 */
import type { Chance } from "./chance.ts";

export interface Backoff {
  /** The wait after the first failure. */
  readonly baseMs: number;
  readonly maxMs: number;
  /** What each further failure multiplies the wait by; 2 when left out. */
  readonly factor?: number;
  /** Up to this fraction of the wait is added by chance; none when left out. Follows apimachinery wait.Jitter. */
  readonly jitter?: number;
}

/** The wait after `failures` failures (1 is the first). */
export function backoffMs({ baseMs, maxMs, factor = 2, jitter = 0 }: Backoff, failures: number, chance?: Chance): number {
  const plain = Math.min(baseMs * factor ** Math.max(0, failures - 1), maxMs);
  return plain + plain * jitter * (chance?.next() ?? 0);
}
