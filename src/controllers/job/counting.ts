/**
 * Tracking: a pod is counted exactly once, whatever crashes when. First its uid goes into the status (an Indexed success into completedIndexes),
 * then its finalizer is taken off, then the uid turns into a counter.
 * Follows kubernetes pkg/controller/job/job_controller.go (trackJobStatusAndRemoveFinalizers, canRemoveFinalizer, cleanUncountedPodsWithoutFinalizers).
 */
import type { Job, JobCondition, JobStatus } from "../../api/generated/types.ts";
import { judgeFailure, type FailureAction } from "./failure-policy.ts";
import { hasIndex } from "./indexes.ts";
import { byIndex, validIndexOf } from "./indexed-pods.ts";
import { isIndexed, UNCOUNTED_PODS_MAX, type StoredJob, type StoredPod } from "./names.ts";
import { completionIndexOf, isFailed, isTracked, phaseOf } from "./pods.ts";
import type { IndexTally } from "./tally.ts";
import type { JobWorld } from "./world.ts";

/** Pods on their way into the counters. */
export interface Uncounted {
  readonly succeeded: readonly string[];
  readonly failed: readonly string[];
}

export const uncountedOf = (status: JobStatus | undefined): Uncounted => ({
  succeeded: status?.uncountedTerminatedPods?.succeeded ?? [],
  failed: status?.uncountedTerminatedPods?.failed ?? [],
});

/** The status with these lists; empty ones are left out, the struct stays. */
export const withUncounted = (status: JobStatus, { succeeded, failed }: Uncounted): JobStatus => ({
  ...status,
  uncountedTerminatedPods: { ...(succeeded.length > 0 && { succeeded }), ...(failed.length > 0 && { failed }) },
});

/** Counts listed pods that have no finalizer any more. The status itself comes back when there are none. */
export function countReleased(status: JobStatus, tracked: ReadonlySet<string>): JobStatus {
  const uncounted = uncountedOf(status);
  const left: Uncounted = { succeeded: uncounted.succeeded.filter((uid) => tracked.has(uid)), failed: uncounted.failed.filter((uid) => tracked.has(uid)) };
  const succeeded = uncounted.succeeded.length - left.succeeded.length;
  const failed = uncounted.failed.length - left.failed.length;
  if (succeeded === 0 && failed === 0) return status;
  return withUncounted(
    {
      ...status,
      ...(succeeded > 0 && { succeeded: (status.succeeded ?? 0) + succeeded }),
      ...(failed > 0 && { failed: (status.failed ?? 0) + failed }),
    },
    left,
  );
}

/** May the finalizer go? Yes when the Job is deleted or over, or the pod succeeded, or failed and is not kept for its index's next pod. */
function isReleasable(job: StoredJob, pod: StoredPod, end: JobCondition | undefined, delayed: IndexTally["delayed"] | undefined): boolean {
  if (job.metadata.deletionTimestamp !== undefined || end || phaseOf(pod) === "Succeeded") return true;
  if (!isFailed(pod, job)) return false;
  const index = completionIndexOf(pod);
  return index === undefined || delayed?.get(index)?.metadata.uid !== pod.metadata.uid;
}

export interface Tracking {
  readonly uncounted: Uncounted;
  /** Pods whose finalizer may go once the lists are stored. */
  readonly release: readonly StoredPod[];
  /** Something was added that has to be stored first. */
  readonly added: boolean;
  /** There are more pods than one sync takes. */
  readonly full: boolean;
  /** How many failures each action of the failure policy handled. */
  readonly policyActions: ReadonlyMap<FailureAction, number>;
}

type Verdict = "succeeded" | "failed" | "index" | "none";

/** What a pod counts as, beyond what is listed already. With a failure as the end, every pod that has not succeeded counts as failed. */
function verdict(job: StoredJob, pod: StoredPod, end: JobCondition | undefined, index: IndexTally | undefined, listed: { readonly succeeded: ReadonlySet<string>; readonly failed: ReadonlySet<string> }): Verdict {
  const { uid } = pod.metadata;
  const place = index && validIndexOf(pod, index.completions);
  if (phaseOf(pod) === "Succeeded" && !listed.failed.has(uid)) {
    if (index) return place !== undefined && !hasIndex(index.before, place) ? "index" : "none";
    return listed.succeeded.has(uid) ? "none" : "succeeded";
  }
  const failed = isFailed(pod, job) || (end !== undefined && end.type !== "SuccessCriteriaMet");
  return failed && !listed.failed.has(uid) && (!index || place !== undefined) ? "failed" : "none";
}

/** Finds the pods that can be let go, and lists those that count; at most 500 a sync. `listed` are the lists of the status. */
export function trackPods({ job, pods, releasing }: JobWorld, end: JobCondition | undefined, index: IndexTally | undefined, listed: Uncounted): Tracking {
  const known = { succeeded: new Set(listed.succeeded), failed: new Set(listed.failed) };
  const lists = { succeeded: [...listed.succeeded], failed: [...listed.failed] };
  const release: StoredPod[] = [];
  const policyActions = new Map<FailureAction, number>();
  let indexes = 0;
  let full = false;
  for (const pod of isIndexed(job) ? [...pods].sort(byIndex) : pods) {
    if (!isTracked(pod) || releasing.has(pod.metadata.uid) || !isReleasable(job, pod, end, index?.delayed)) continue;
    release.push(pod);
    const counts = verdict(job, pod, end, index, known);
    if (counts === "index") indexes += 1;
    else if (counts === "succeeded") lists.succeeded.push(pod.metadata.uid);
    else if (counts === "failed" && judge(job, pod, policyActions)) lists.failed.push(pod.metadata.uid);
    full = indexes + lists.succeeded.length + lists.failed.length >= UNCOUNTED_PODS_MAX;
    if (full) break;
  }
  const added = indexes > 0 || lists.succeeded.length > listed.succeeded.length || lists.failed.length > listed.failed.length;
  return { uncounted: lists, release, added, full, policyActions };
}

/** Whether the failure counts; notes which action handled it. */
function judge(job: Pick<Job, "spec">, pod: StoredPod, actions: Map<FailureAction, number>): boolean {
  const { action, counted } = judgeFailure(job.spec.podFailurePolicy, pod);
  if (action) actions.set(action, (actions.get(action) ?? 0) + 1);
  return counted;
}
