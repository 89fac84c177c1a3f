/**
 * The names that a Job and its pods share: labels, annotations, the finalizer, reasons and bounds. Facts only, no rules.
 * Follows kubernetes staging/src/k8s.io/api/batch/v1/types.go and pkg/controller/job/job_controller.go.
 */
import type { Job, JobCondition, Pod } from "../../api/generated/types.ts";
import type { Stored } from "../../api/object.ts";

export type StoredJob = Stored<Job>;
export type StoredPod = Stored<Pod>;
export type { JobCondition };

export const CONTROLLER_UID_LABEL = "batch.kubernetes.io/controller-uid";
/** Annotation and label of the pods of Indexed Jobs. */
export const COMPLETION_INDEX = "batch.kubernetes.io/job-completion-index";
export const INDEX_FAILURE_COUNT = "batch.kubernetes.io/job-index-failure-count";
export const INDEX_IGNORED_FAILURE_COUNT = "batch.kubernetes.io/job-index-ignored-failure-count";
export const TRACKING_FINALIZER = "batch.kubernetes.io/job-tracking";
/** The value of `managedBy` that means the built-in controller. */
export const JOB_CONTROLLER_NAME = "kubernetes.io/job-controller";
export const COMPLETION_INDEX_VARIABLE = "JOB_COMPLETION_INDEX";

/** The component that signs the controller's events. */
export const COMPONENT = "job-controller";

export const REASON = {
  backoffLimitExceeded: "BackoffLimitExceeded",
  deadlineExceeded: "DeadlineExceeded",
  podFailurePolicy: "PodFailurePolicy",
  maxFailedIndexesExceeded: "MaxFailedIndexesExceeded",
  failedIndexes: "FailedIndexes",
  successPolicy: "SuccessPolicy",
  completionsReached: "CompletionsReached",
} as const;

/** Entries in status.uncountedTerminatedPods and new indexes in one sync: keeps the status below about 20 KB. */
export const UNCOUNTED_PODS_MAX = 500;
/** Pods that one sync creates or deletes at most. */
export const PODS_PER_SYNC_MAX = 500;

export const POD_BACKOFF_BASE_MS = 10_000;
export const POD_BACKOFF_MAX_MS = 600_000;

/** An event to be recorded about the Job. */
export interface JobEvent {
  readonly type: "Normal" | "Warning";
  readonly reason: string;
  readonly message: string;
}

export const isIndexed = (job: Pick<Job, "spec">): boolean => job.spec.completionMode === "Indexed";

export const isSuspended = (job: Pick<Job, "spec">): boolean => job.spec.suspend === true;

export const hasBackoffLimitPerIndex = (job: Pick<Job, "spec">): boolean => typeof job.spec.backoffLimitPerIndex === "number";

/** What an Indexed Job or a Job with a fixed number of completions wants; undefined for a work queue. */
export const completionsOf = (job: Pick<Job, "spec">): number | undefined => job.spec.completions ?? undefined;

/** Pods are replaced only when they have failed, not while they are still being deleted. */
export const replacesOnlyFailed = (job: Pick<Job, "spec">): boolean => job.spec.podReplacementPolicy === "Failed" || hasFailurePolicy(job);

export const hasFailurePolicy = (job: Pick<Job, "spec">): boolean => job.spec.podFailurePolicy !== undefined && job.spec.podFailurePolicy !== null;

/** The foreign controller that drives this Job; undefined when it is ours. */
export function externalController(job: Pick<Job, "spec">): string | undefined {
  const { managedBy } = job.spec;
  return managedBy && managedBy !== JOB_CONTROLLER_NAME ? managedBy : undefined;
}
