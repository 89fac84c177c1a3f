/**
 * The back-off between restarts and between pulls: none before the first, then doubling up to a limit, forgotten after twice the limit.
 * Follows kubernetes staging/src/k8s.io/client-go/util/flowcontrol/backoff.go.
 */
import type { Instant } from "../../base/clock.ts";

export interface BackOff {
  readonly durationMs: number;
  readonly updatedAt: Instant;
}

export interface BackOffLimits {
  readonly initialMs: number;
  readonly maxMs: number;
}

export const RESTART_BACK_OFF: BackOffLimits = { initialMs: 10_000, maxMs: 300_000 };

const isExpired = (backOff: BackOff, at: Instant, limits: BackOffLimits): boolean => at - backOff.updatedAt > limits.maxMs * 2;

/** Until when one must wait after what happened `since`; undefined when one need not. */
export function waitUntil(backOff: BackOff | undefined, since: Instant, now: Instant, limits: BackOffLimits): Instant | undefined {
  if (!backOff || isExpired(backOff, since, limits)) return undefined;
  const until = since + backOff.durationMs;
  return now < until ? until : undefined;
}

/** The back-off after another try. */
export function nextBackOff(backOff: BackOff | undefined, since: Instant, now: Instant, limits: BackOffLimits): BackOff {
  if (!backOff || isExpired(backOff, since, limits)) return { durationMs: Math.min(limits.initialMs, limits.maxMs), updatedAt: now };
  return { durationMs: Math.min(backOff.durationMs * 2, limits.maxMs), updatedAt: now };
}
