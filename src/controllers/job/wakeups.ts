/**
 * When a change of a pod is worth a look at its Job, and how soon: what decides something at once (or as soon as the last sync has paid for
 * itself), what only shows in a counter a little later. Upstream batches both by one second; what can be seen is the same, only earlier.
 * Follows kubernetes pkg/controller/job/job_controller.go (addPod, updatePod, deletePod, enqueueSyncJobBatched).
 */
import type { Instant } from "../../base/clock.ts";
import { controllerOf } from "../../api/object.ts";
import { COMPLETION_INDEX, type StoredPod } from "./names.ts";
import { isBeingDeleted, isReady, isTerminal, isTracked, phaseOf, restartCount } from "./pods.ts";

export type Urgency = "now" | "soon" | "later" | "none";

/** Changes that only move a counter of the status wait this long: a short-lived pod never shows up as ready, which saves a write. */
export const COUNTER_DELAY_MS = 100;
/**
 * A pod that never had a node, or is deleted by force, is gone at once and without an end. What follows from that waits for as long as upstream gathers
 * changes, or nobody would see the Job while its pods go: `terminating`, FailureTarget without Failed.
 */
export const UNENDED_GONE_DELAY_MS = 1000;
const PAUSE_MS_MIN = 3;
const PAUSE_MS_MAX = 10;

/** Enough is known of a Job's last sync to say when the next may begin. */
export interface LastSync {
  readonly endedAt: Instant;
  readonly tookMs: number;
}

/**
 * What changes while a sync runs is gathered for the next, which begins after a short pause: an eighth of what the last one took, so that
 * one pod that ends is counted at once, and of a hundred that end together not each gets a sync of its own.
 */
export function delayMs(urgency: Exclude<Urgency, "none">, last: LastSync | undefined, now: Instant): number {
  if (urgency === "soon") return COUNTER_DELAY_MS;
  if (urgency === "later") return UNENDED_GONE_DELAY_MS;
  if (!last) return 0;
  const pause = Math.min(Math.max(last.tookMs / 8, PAUSE_MS_MIN), PAUSE_MS_MAX);
  return Math.max(0, last.endedAt + pause - now);
}

const RANK: Readonly<Record<Urgency, number>> = { none: 0, later: 1, soon: 2, now: 3 };

/** The more urgent of two. */
export const moreUrgent = <U extends Urgency>(a: U, b: U | undefined): U => (b !== undefined && RANK[b] > RANK[a] ? b : a);

/** How soon the Job should look at a pod that is gone. One that upstream would not have made yet is no loss that anybody should see. */
export function urgencyOfGone(pod: StoredPod, hurriedAt: Instant | undefined, now: Instant): Exclude<Urgency, "none"> {
  const isHurried = hurriedAt !== undefined && now - hurriedAt < UNENDED_GONE_DELAY_MS;
  return isTerminal(pod) || isHurried ? "now" : "later";
}

function sameLabels(a: StoredPod, b: StoredPod): boolean {
  const [x, y] = [a.metadata.labels ?? {}, b.metadata.labels ?? {}];
  if (x === y) return true;
  const keys = Object.keys(x);
  return keys.length === Object.keys(y).length && keys.every((key) => x[key] === y[key]);
}

/** The labels or the controller changed: another Job may be concerned, or none any more. */
export const changedHands = (pod: StoredPod, old: StoredPod): boolean => controllerOf(pod)?.uid !== controllerOf(old)?.uid || !sameLabels(pod, old);

/** How soon the controlling Job should look at a changed pod. */
export function urgencyOf(pod: StoredPod, old: StoredPod | undefined): Urgency {
  if (!old) return "now";
  const decisive =
    isTerminal(pod) !== isTerminal(old) ||
    isBeingDeleted(pod) !== isBeingDeleted(old) ||
    isTracked(pod) !== isTracked(old) ||
    pod.metadata.annotations?.[COMPLETION_INDEX] !== old.metadata.annotations?.[COMPLETION_INDEX] ||
    (phaseOf(pod) !== phaseOf(old) && isTerminal(pod)) ||
    changedHands(pod, old);
  if (decisive) return "now";
  return isReady(pod) !== isReady(old) || restartCount(pod) !== restartCount(old) ? "soon" : "none";
}
