/**
 * Which index gets a pod, which pods of an Indexed Job are one too many, and which failed pods are kept until their index has its next pod.
 * Follows kubernetes pkg/controller/job/indexed_job_utils.go.
 */
import type { Job } from "../../api/generated/types.ts";
import { firstFreeIndexes, hasIndex, intervalsOf, mergeIntervals, type Intervals } from "./indexes.ts";
import { judgeFailure } from "./failure-policy.ts";
import { replacesOnlyFailed, type StoredPod } from "./names.ts";
import { completionIndexOf, finishTime, indexFailureCount, indexIgnoredFailureCount, isFailed, isTerminating, isTracked, phaseOf } from "./pods.ts";

/** The index of a pod, if it is one that the Job has. */
export function validIndexOf(pod: StoredPod, completions: number): number | undefined {
  const index = completionIndexOf(pod);
  return index !== undefined && index < completions ? index : undefined;
}

function indexesOf(pods: readonly StoredPod[]): number[] {
  return pods.map(completionIndexOf).filter((index) => index !== undefined);
}

/** Indexes of pods that succeeded and are not counted yet (they still carry the finalizer). */
export function newlySucceededIndexes(pods: readonly StoredPod[], completions: number): number[] {
  return indexesOf(pods.filter((pod) => phaseOf(pod) === "Succeeded" && isTracked(pod) && validIndexOf(pod, completions) !== undefined));
}

/** A failure that its index cannot repair: the per-index limit is used up, or a rule says FailIndex. */
export function failsIndex(pod: StoredPod, job: Pick<Job, "spec">): boolean {
  if (!isFailed(pod, job)) return false;
  const { action, counted } = judgeFailure(job.spec.podFailurePolicy, pod);
  return action === "FailIndex" || (counted && indexFailureCount(pod) >= (job.spec.backoffLimitPerIndex ?? 0));
}

/** Indexes that failed for good and are not in the status yet. */
export function newlyFailedIndexes(pods: readonly StoredPod[], job: Pick<Job, "spec">, completions: number): number[] {
  return indexesOf(pods.filter((pod) => isTracked(pod) && validIndexOf(pod, completions) !== undefined && failsIndex(pod, job)));
}

export interface IndexState {
  readonly succeeded: Intervals;
  /** undefined without backoffLimitPerIndex. */
  readonly failed: Intervals | undefined;
}

/**
 * For each index that waits for its next pod: the failed pod that this one replaces. It keeps its finalizer until then,
 * so that the failure count in its annotations is not lost. `pods` are failed ones that are not counted yet, valid index included.
 */
export function delayedPods(pods: readonly StoredPod[], active: readonly StoredPod[], { succeeded, failed = [] }: IndexState, completions: number): Map<number, StoredPod> {
  const activeIndexes = new Set(indexesOf(active));
  const result = new Map<number, StoredPod>();
  for (const pod of pods) {
    const index = validIndexOf(pod, completions);
    if (index === undefined || hasIndex(succeeded, index) || hasIndex(failed, index) || activeIndexes.has(index)) continue;
    const last = result.get(index);
    if (!last || (failureCount(last) <= failureCount(pod) && finishTime(pod) >= finishTime(last))) result.set(index, pod);
  }
  return result;
}

const failureCount = (pod: StoredPod): number => indexFailureCount(pod) + indexIgnoredFailureCount(pod);

/** The counts that the pod which replaces `replaced` carries. */
export function nextFailureCounts(job: Pick<Job, "spec">, replaced: StoredPod | undefined): { readonly failures: number; readonly ignored: number } {
  if (!replaced) return { failures: 0, ignored: 0 };
  const { counted } = judgeFailure(job.spec.podFailurePolicy, replaced);
  return { failures: indexFailureCount(replaced) + (counted ? 1 : 0), ignored: indexIgnoredFailureCount(replaced) + (counted ? 0 : 1) };
}

/** The lowest indexes that have neither ended nor a pod; `pods` are all pods of the Job. */
export function pendingIndexes(job: Pick<Job, "spec">, pods: readonly StoredPod[], active: readonly StoredPod[], state: IndexState, count: number, completions: number): number[] {
  const busy = replacesOnlyFailed(job) ? [...active, ...pods.filter(isTerminating)] : active;
  const ended = mergeIntervals(state.succeeded, state.failed ?? []);
  return firstFreeIndexes(mergeIntervals(ended, intervalsOf(indexesOf(busy))), count, completions);
}

/** By completion index, pods without one at the end. */
export function byIndex(a: StoredPod, b: StoredPod): number {
  return (completionIndexOf(a) ?? Number.POSITIVE_INFINITY) - (completionIndexOf(b) ?? Number.POSITIVE_INFINITY) || 0;
}

/** Splits active pods into those that must go (no index, an index that the Job does not have, all but the best of an index) and the rest. */
export function splitSurplus(active: readonly StoredPod[], completions: number, worstFirst: (a: StoredPod, b: StoredPod) => number): { readonly surplus: StoredPod[]; readonly rest: StoredPod[] } {
  const groups = new Map<number, StoredPod[]>();
  const surplus: StoredPod[] = [];
  for (const pod of active) {
    const index = validIndexOf(pod, completions);
    if (index === undefined) surplus.push(pod);
    else groups.set(index, [...(groups.get(index) ?? []), pod]);
  }
  const rest: StoredPod[] = [];
  for (const group of groups.values()) {
    const sorted = group.sort(worstFirst);
    surplus.push(...sorted.slice(0, -1));
    rest.push(...sorted.slice(-1));
  }
  return { surplus, rest };
}
