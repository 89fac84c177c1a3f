/**
 * What a Job wants to know of one pod: whether it is active, ready, terminating, tracked, failed, and when it ended.
 * Follows kubernetes pkg/controller/controller_utils.go (IsPodActive …), pkg/controller/job/job_controller.go (isPodFailed) and backoff_utils.go (getFinishedTime).
 */
import type { Instant } from "../../base/clock.ts";
import type { ContainerStatus, Job, Pod } from "../../api/generated/types.ts";
import { parseTime } from "../../api/time.ts";
import { COMPLETION_INDEX, INDEX_FAILURE_COUNT, INDEX_IGNORED_FAILURE_COUNT, replacesOnlyFailed, TRACKING_FINALIZER } from "./names.ts";

const INT32_MAX = 2 ** 31 - 1;
const INTEGER = /^[+-]?\d+$/;

export const phaseOf = (pod: Pod): string => pod.status?.phase ?? "";

/** The phase will not change any more. */
export const isTerminal = (pod: Pod): boolean => phaseOf(pod) === "Succeeded" || phaseOf(pod) === "Failed";

export const isBeingDeleted = (pod: Pod): boolean => pod.metadata.deletionTimestamp !== undefined;

/** Neither finished nor being deleted. */
export const isActive = (pod: Pod): boolean => !isTerminal(pod) && !isBeingDeleted(pod);

/** Being deleted and not finished yet. */
export const isTerminating = (pod: Pod): boolean => !isTerminal(pod) && isBeingDeleted(pod);

export const isTracked = (pod: Pod): boolean => pod.metadata.finalizers?.includes(TRACKING_FINALIZER) === true;

const readyCondition = (pod: Pod) => pod.status?.conditions?.find((c) => c.type === "Ready");

export const isReady = (pod: Pod): boolean => readyCondition(pod)?.status === "True";

/** Since when the pod is ready; undefined when it is not, or when nobody says. */
export const readySince = (pod: Pod): Instant | undefined => (isReady(pod) ? parseTime(readyCondition(pod)?.lastTransitionTime) : undefined);

/** Counts as a failure: phase Failed, or, unless only failed pods are replaced, being deleted before it succeeded. */
export function isFailed(pod: Pod, job: Pick<Job, "spec">): boolean {
  if (phaseOf(pod) === "Failed") return true;
  return !replacesOnlyFailed(job) && isBeingDeleted(pod) && phaseOf(pod) !== "Succeeded";
}

const integerOf = (text: string | undefined): number | undefined => (text !== undefined && INTEGER.test(text) ? Number(text) : undefined);

/** The completion index in the pod's annotation; undefined when there is none that makes sense. */
export function completionIndexOf(pod: Pod): number | undefined {
  const index = integerOf(pod.metadata.annotations?.[COMPLETION_INDEX]);
  return index === undefined || index < 0 ? undefined : index;
}

function counterOf(pod: Pod, annotation: string): number {
  const count = integerOf(pod.metadata.annotations?.[annotation]);
  return count === undefined || count < 0 || count > INT32_MAX ? 0 : count;
}

/** How many counted failures its index had before this pod. */
export const indexFailureCount = (pod: Pod): number => counterOf(pod, INDEX_FAILURE_COUNT);

/** How many ignored failures its index had before this pod. */
export const indexIgnoredFailureCount = (pod: Pod): number => counterOf(pod, INDEX_IGNORED_FAILURE_COUNT);

/** Restarts of all containers, init containers included. */
export function restartCount(pod: Pod): number {
  const sum = (statuses: readonly ContainerStatus[] | undefined) => (statuses ?? []).reduce((n, s) => n + s.restartCount, 0);
  return sum(pod.status?.initContainerStatuses) + sum(pod.status?.containerStatuses);
}

function containersFinishedAt(pod: Pod): Instant | undefined {
  let latest: Instant | undefined;
  for (const status of pod.status?.containerStatuses ?? []) {
    const at = parseTime(status.state?.terminated?.finishedAt);
    if (at === undefined) return undefined;
    if (latest === undefined || at > latest) latest = at;
  }
  return latest;
}

/** When the pod ended: its last container, else when it stopped being ready, else when its deletion was asked for, else its creation. */
export function finishTime(pod: Pod): Instant {
  const fromContainers = containersFinishedAt(pod);
  if (fromContainers !== undefined) return fromContainers;
  const ready = readyCondition(pod);
  const notReadySince = ready?.status === "False" ? parseTime(ready.lastTransitionTime) : undefined;
  if (notReadySince !== undefined) return notReadySince;
  const deletion = parseTime(pod.metadata.deletionTimestamp);
  if (deletion !== undefined) return deletion - (pod.metadata.deletionGracePeriodSeconds ?? 0) * 1000;
  return parseTime(pod.metadata.creationTimestamp) ?? 0;
}
