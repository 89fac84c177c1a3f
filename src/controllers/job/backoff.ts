/**
 * How long a failed pod's replacement waits: 10 s after the first failure in a row, doubling up to 10 minutes; any success starts over.
 * Up to a second is added by chance: upstream's pods start a second or two apart of themselves, and a retry that always came a whole number of seconds
 * after a failure would meet the same second of the clock again and again.
 * With backoffLimitPerIndex each index has its own count, kept in the annotations of its pods; else the record of the Job is kept in memory.
 * Follows kubernetes pkg/controller/job/backoff_utils.go.
 */
import type { Instant } from "../../base/clock.ts";
import { POD_BACKOFF_BASE_MS, POD_BACKOFF_MAX_MS, type StoredPod } from "./names.ts";
import { finishTime, indexFailureCount, indexIgnoredFailureCount } from "./pods.ts";

/** Failures since the last success, and when the latest of them happened. */
export interface BackoffRecord {
  readonly failures: number;
  readonly lastFailure: Instant | undefined;
  /** What chance adds to the delay that the latest failure asks for. */
  readonly spreadMs: number;
}

/** The most that chance adds. */
export const SPREAD_MS_MAX = 1000;

export const NO_FAILURES: BackoffRecord = { failures: 0, lastFailure: undefined, spreadMs: 0 };

const latest = (pods: readonly StoredPod[]): Instant => pods.reduce((at, pod) => Math.max(at, finishTime(pod)), Number.NEGATIVE_INFINITY);

/** The record after pods that ended since the last sync. After a success only failures that came later count. */
export function nextBackoffRecord(old: BackoffRecord, succeeded: readonly StoredPod[], failed: readonly StoredPod[], spreadMs: number): BackoffRecord {
  if (succeeded.length === 0) return failed.length === 0 ? old : { failures: old.failures + failed.length, lastFailure: latest(failed), spreadMs };
  const lastSuccess = latest(succeeded);
  const later = failed.filter((pod) => finishTime(pod) > lastSuccess);
  return later.length === 0 ? NO_FAILURES : { failures: later.length, lastFailure: latest(later), spreadMs };
}

function remaining(failures: number, lastFailure: Instant, now: Instant): number {
  // 2^30 seconds are beyond the cap: no need to go further than the exponent that reaches it.
  const delay = Math.min(POD_BACKOFF_BASE_MS * 2 ** Math.min(failures - 1, 30), POD_BACKOFF_MAX_MS);
  return Math.max(0, delay - (now - lastFailure));
}

/** Milliseconds until pods may be created again. */
export function remainingBackoff({ failures, lastFailure, spreadMs }: BackoffRecord, now: Instant): number {
  return failures === 0 || lastFailure === undefined ? 0 : remaining(failures, lastFailure + spreadMs, now);
}

/** The same for one index; `lastFailed` is the failed pod that its next pod replaces. */
export function remainingIndexBackoff(lastFailed: StoredPod | undefined, now: Instant): number {
  if (!lastFailed) return 0;
  return remaining(indexFailureCount(lastFailed) + indexIgnoredFailureCount(lastFailed) + 1, finishTime(lastFailed), now);
}
