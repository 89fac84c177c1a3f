/**
 * The first look at a Job's pods: which are active, ready, terminating, newly finished, and what the counters will be when all of them are counted.
 * Follows kubernetes pkg/controller/job/job_controller.go (syncJob, getNewFinishedPods, nonIgnoredFailedPodsCount).
 */
import { judgeFailure } from "./failure-policy.ts";
import { countIndexes, hasIndex, intervalsOf, mergeIntervals, parseIndexes, type Intervals } from "./indexes.ts";
import { delayedPods, newlyFailedIndexes, newlySucceededIndexes, validIndexOf } from "./indexed-pods.ts";
import { completionsOf, hasBackoffLimitPerIndex, isIndexed, type StoredJob, type StoredPod } from "./names.ts";
import { isActive, isFailed, isReady, isTerminating, isTracked, phaseOf } from "./pods.ts";
import type { JobWorld } from "./world.ts";

/** What only Indexed Jobs have. */
export interface IndexTally {
  readonly completions: number;
  /** As the status has them. */
  readonly before: Intervals;
  readonly succeeded: Intervals;
  /** undefined without backoffLimitPerIndex. */
  readonly failed: Intervals | undefined;
  /** Failed pods that wait for their index's next pod. */
  readonly delayed: ReadonlyMap<number, StoredPod>;
}

export interface Tally {
  readonly active: readonly StoredPod[];
  readonly ready: number;
  readonly terminating: number;
  readonly newSucceeded: readonly StoredPod[];
  readonly newFailed: readonly StoredPod[];
  readonly succeeded: number;
  readonly failed: number;
  readonly index: IndexTally | undefined;
}

/** Pods that are not counted yet: the finalizer is on, and they are in no list of the status. */
const uncountedPods = (world: JobWorld, listed: readonly string[] | undefined, completions: number | undefined): StoredPod[] => {
  const known = new Set(listed);
  return world.pods.filter((pod) => {
    const { uid } = pod.metadata;
    if (!isTracked(pod) || known.has(uid) || world.releasing.has(uid)) return false;
    return completions === undefined || validIndexOf(pod, completions) !== undefined;
  });
};

/** Of two pods of one index one may have succeeded and one failed: what the status says of the index already stands, else success does. */
function tallyIndexes(world: JobWorld, active: readonly StoredPod[], completions: number): IndexTally {
  const { job, pods } = world;
  const before = parseIndexes(job.status?.completedIndexes, completions);
  const failedBefore = hasBackoffLimitPerIndex(job) ? parseIndexes(job.status?.failedIndexes, completions) : [];
  const newlySucceeded = newlySucceededIndexes(pods, completions).filter((index) => !hasIndex(failedBefore, index));
  const succeeded = mergeIntervals(before, intervalsOf(newlySucceeded));
  if (!hasBackoffLimitPerIndex(job)) return { completions, before, succeeded, failed: undefined, delayed: new Map() };
  const newlyFailed = newlyFailedIndexes(pods, job, completions).filter((index) => !hasIndex(succeeded, index));
  const failed = mergeIntervals(failedBefore, intervalsOf(newlyFailed));
  const failures = uncountedPods(world, undefined, completions).filter((pod) => isFailed(pod, job));
  return { completions, before, succeeded, failed, delayed: delayedPods(failures, active, { succeeded, failed }, completions) };
}

const countedFailures = (job: StoredJob, pods: readonly StoredPod[]): number => pods.filter((pod) => judgeFailure(job.spec.podFailurePolicy, pod).counted).length;

/** Looks at all pods of a world. */
export function tallyPods(world: JobWorld): Tally {
  const { job, pods } = world;
  const { succeeded: succeededBefore = 0, failed: failedBefore = 0, uncountedTerminatedPods: uncounted } = job.status ?? {};
  const completions = isIndexed(job) ? (completionsOf(job) ?? 0) : undefined;
  const active = pods.filter(isActive);
  const newSucceeded = uncountedPods(world, uncounted?.succeeded, completions).filter((pod) => phaseOf(pod) === "Succeeded");
  const newFailed = uncountedPods(world, uncounted?.failed, completions).filter((pod) => isFailed(pod, job));
  const index = completions === undefined ? undefined : tallyIndexes(world, active, completions);
  return {
    active,
    ready: active.filter(isReady).length,
    terminating: pods.filter(isTerminating).length,
    newSucceeded,
    newFailed,
    succeeded: index ? countIndexes(index.succeeded) : succeededBefore + newSucceeded.length + (uncounted?.succeeded?.length ?? 0),
    failed: failedBefore + countedFailures(job, newFailed) + (uncounted?.failed?.length ?? 0),
    index,
  };
}
