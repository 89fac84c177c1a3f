/**
 * Whether the Job is over, and why: what was decided in an earlier sync stands; else the first rule that holds.
 * Completion itself is not decided here: it depends on what becomes of the pods (see settle).
 * Follows kubernetes pkg/controller/job/job_controller.go (syncJob).
 */
import type { Instant } from "../../base/clock.ts";
import type { JobCondition } from "../../api/generated/types.ts";
import { newCondition, trueCondition } from "./conditions.ts";
import { deadlineAt } from "./deadline.ts";
import { failJobMessage } from "./failure-policy.ts";
import { countIndexes } from "./indexes.ts";
import { REASON, type StoredJob, type StoredPod } from "./names.ts";
import { phaseOf, restartCount } from "./pods.ts";
import { matchSuccessPolicy } from "./success-policy.ts";
import type { IndexTally, Tally } from "./tally.ts";
import type { JobWorld } from "./world.ts";

/** Restarts of containers of unfinished pods use up the limit too, with restartPolicy OnFailure: at the limit, or at the first where the limit is 0. */
export function isPastRestartLimit(job: StoredJob, pods: readonly StoredPod[]): boolean {
  if (job.spec.template.spec?.restartPolicy !== "OnFailure") return false;
  const restarts = pods.filter((pod) => phaseOf(pod) === "Running" || phaseOf(pod) === "Pending").reduce((sum, pod) => sum + restartCount(pod), 0);
  const limit = job.spec.backoffLimit ?? 6;
  return limit === 0 ? restarts > 0 : restarts >= limit;
}

function indexFailure(job: StoredJob, { failed, succeeded, completions }: IndexTally): readonly [reason: string, message: string] | undefined {
  const failures = failed ? countIndexes(failed) : 0;
  const { maxFailedIndexes } = job.spec;
  if (failed && typeof maxFailedIndexes === "number" && failures > maxFailedIndexes) {
    return [REASON.maxFailedIndexesExceeded, "Job has exceeded the specified maximal number of failed indexes"];
  }
  return failures > 0 && failures + countIndexes(succeeded) >= completions ? [REASON.failedIndexes, "Job has failed indexes"] : undefined;
}

function failure({ job, pods, now }: JobWorld, tally: Tally, startTime: string | undefined): readonly [reason: string, message: string] | undefined {
  if (tally.failed > (job.spec.backoffLimit ?? 6) || isPastRestartLimit(job, pods)) return [REASON.backoffLimitExceeded, "Job has reached the specified backoff limit"];
  const deadline: Instant | undefined = deadlineAt(job, startTime);
  if (deadline !== undefined && now >= deadline) return [REASON.deadlineExceeded, "Job was active longer than specified deadline"];
  return tally.index && indexFailure(job, tally.index);
}

/** The condition that ends the Job; undefined while it goes on. A FailureTarget that stands already comes back as Failed. */
export function findEnd(world: JobWorld, tally: Tally, startTime: string | undefined): JobCondition | undefined {
  const { job, pods, letGo, now } = world;
  const met = trueCondition(job, "SuccessCriteriaMet");
  if (met) return met;
  const target = trueCondition(job, "FailureTarget");
  if (target) return newCondition("Failed", "True", target.reason ?? "", target.message ?? "", now);
  const message = failJobMessage(job, [...pods, ...letGo]);
  if (message !== undefined) return newCondition("FailureTarget", "True", REASON.podFailurePolicy, message, now);
  const failed = failure(world, tally, startTime);
  if (failed) return newCondition("FailureTarget", "True", ...failed, now);
  const matched = tally.index && matchSuccessPolicy(job.spec.successPolicy, tally.index.succeeded, tally.index.completions);
  return matched === undefined ? undefined : newCondition("SuccessCriteriaMet", "True", REASON.successPolicy, matched, now);
}
