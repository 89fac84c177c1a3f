/**
 * What the Job controller counts, under upstream's names. Where the numbers go is the caller's business.
 * Upstream's stale_sync_skips_total has nothing to count here: no sync is skipped, one that the cache lags behind goes on from what was written.
 * Follows kubernetes pkg/controller/job/metrics/metrics.go.
 */
import type { Job, JobCondition, JobStatus, Pod } from "../../api/generated/types.ts";
import { countIndexes, parseIndexes } from "./indexes.ts";
import { completionsOf, hasBackoffLimitPerIndex, isIndexed, type StoredJob } from "./names.ts";
import { isTerminal, isTracked } from "./pods.ts";
import type { Tally } from "./tally.ts";
import type { SyncAction } from "./world.ts";

type Labels = Readonly<Record<string, string>>;

/** Where metrics go; names come without the prefix `job_controller_`. */
export interface MetricSink {
  add(name: string, labels: Labels, by: number): void;
  observe(name: string, labels: Labels, value: number): void;
}

export const NO_METRICS: MetricSink = { add() {}, observe() {} };

/** Upper bounds of job_sync_duration_seconds. */
export const SYNC_DURATION_BUCKETS: readonly number[] = Array.from({ length: 15 }, (_, i) => 0.004 * 2 ** i);

/** Name and help of each metric, and its type: what a scrape endpoint has to say about it. */
export const JOB_METRICS = {
  job_sync_duration_seconds: { type: "histogram", help: "The time it took to sync a job", labels: ["completion_mode", "result", "action"] },
  job_syncs_total: { type: "counter", help: "The number of job syncs", labels: ["completion_mode", "result", "action"] },
  jobs_finished_total: { type: "counter", help: "The number of finished jobs", labels: ["completion_mode", "result", "reason"] },
  job_pods_finished_total: { type: "counter", help: "The number of finished Pods that are fully tracked", labels: ["completion_mode", "result"] },
  pod_failures_handled_by_failure_policy_total: { type: "counter", help: "The number of failed Pods handled by failure policy, by the action of the rule that matched", labels: ["action"] },
  terminated_pods_tracking_finalizer_total: { type: "counter", help: "The number of terminated pods that have the job-tracking finalizer, by event (add or delete)", labels: ["event"] },
  job_finished_indexes_total: { type: "counter", help: "The number of finished indexes", labels: ["status", "backoffLimit"] },
  job_pods_creation_total: { type: "counter", help: "The number of Pods created by the Job controller, by reason and status", labels: ["reason", "status"] },
  jobs_by_external_controller_total: { type: "counter", help: "The number of Jobs managed by an external controller", labels: ["controller_name"] },
} as const;

const completionMode = (job: Pick<Job, "spec">): string => (isIndexed(job) ? "Indexed" : "NonIndexed");

export function recordSync(sink: MetricSink, job: Pick<Job, "spec">, sync: { readonly ok: boolean; readonly action: SyncAction; readonly seconds: number }): void {
  const labels = { completion_mode: completionMode(job), result: sync.ok ? "success" : "error", action: sync.action };
  sink.observe("job_sync_duration_seconds", labels, sync.seconds);
  sink.add("job_syncs_total", labels, 1);
}

export function recordFinished(sink: MetricSink, job: Pick<Job, "spec">, { type, reason = "" }: JobCondition): void {
  sink.add("jobs_finished_total", { completion_mode: completionMode(job), result: type === "Complete" ? "succeeded" : "failed", reason }, 1);
}

/** Compares two statuses of a Job; a number that fell (completions were lowered) takes nothing back. */
export function recordCounted(sink: MetricSink, job: Pick<Job, "spec">, before: JobStatus, after: JobStatus): void {
  const mode = completionMode(job);
  const add = (name: string, labels: Labels, by: number) => (by > 0 ? sink.add(name, labels, by) : undefined);
  const completions = completionsOf(job) ?? 0;
  const grown = (a: string | undefined, b: string | undefined) => (a === b ? 0 : countIndexes(parseIndexes(b, completions)) - countIndexes(parseIndexes(a, completions)));
  const succeeded = isIndexed(job) ? grown(before.completedIndexes, after.completedIndexes) : (after.succeeded ?? 0) - (before.succeeded ?? 0);
  if (isIndexed(job)) {
    const backoffLimit = hasBackoffLimitPerIndex(job) ? "perIndex" : "global";
    add("job_finished_indexes_total", { status: "succeeded", backoffLimit }, succeeded);
    add("job_finished_indexes_total", { status: "failed", backoffLimit }, grown(before.failedIndexes, after.failedIndexes));
  }
  add("job_pods_finished_total", { completion_mode: mode, result: "succeeded" }, succeeded);
  add("job_pods_finished_total", { completion_mode: mode, result: "failed" }, (after.failed ?? 0) - (before.failed ?? 0));
}

export function recordCreations(sink: MetricSink, job: StoredJob, tally: Pick<Tally, "failed" | "terminating">, created: number, failed: number): void {
  const onlyFailed = job.spec.podReplacementPolicy === "Failed";
  let reason = "new";
  if (onlyFailed && tally.failed > 0) reason = "recreate_failed";
  else if (tally.failed > 0 || tally.terminating > 0) reason = "recreate_terminating_or_failed";
  if (created > 0) sink.add("job_pods_creation_total", { reason, status: "succeeded" }, created);
  if (failed > 0) sink.add("job_pods_creation_total", { reason, status: "failed" }, failed);
}

/** Counts finished pods that get or lose the finalizer. */
export function recordTrackedPod(sink: MetricSink, before: Pod | undefined, after: Pod | undefined): void {
  const [was, is] = [before, after].map((pod) => pod !== undefined && isTerminal(pod) && isTracked(pod));
  if (was !== is) sink.add("terminated_pods_tracking_finalizer_total", { event: is ? "add" : "delete" }, 1);
}
