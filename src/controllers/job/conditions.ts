/**
 * Conditions of a Job: made, found, replaced in place. Conditions of other types, which users may add, are kept as they are.
 * Follows kubernetes pkg/controller/job/job_controller.go (newCondition, ensureJobConditionStatus).
 */
import type { Instant } from "../../base/clock.ts";
import type { Job, JobCondition } from "../../api/generated/types.ts";
import { formatTime } from "../../api/time.ts";

export type ConditionType = "Suspended" | "Complete" | "Failed" | "FailureTarget" | "SuccessCriteriaMet";

export function newCondition(type: ConditionType, status: "True" | "False", reason: string, message: string, now: Instant): JobCondition {
  const at = formatTime(now);
  return { type, status, lastProbeTime: at, lastTransitionTime: at, reason, message };
}

const find = (conditions: readonly JobCondition[] | undefined, type: ConditionType): JobCondition | undefined => conditions?.find((c) => c.type === type);

/** The condition, if it is True. */
export function trueCondition(job: Pick<Job, "status">, type: ConditionType): JobCondition | undefined {
  const found = find(job.status?.conditions, type);
  return found?.status === "True" ? found : undefined;
}

/** Complete or Failed: nothing will change any more. */
export const isFinished = (job: Pick<Job, "status">): boolean => trueCondition(job, "Complete") !== undefined || trueCondition(job, "Failed") !== undefined;

/** Appends or replaces a condition. The list itself comes back when nothing changed: a False condition that never was True is not added. */
export function withCondition(conditions: readonly JobCondition[], wanted: JobCondition): readonly JobCondition[] {
  const old = conditions.find((c) => c.type === wanted.type);
  if (!old) return wanted.status === "False" ? conditions : [...conditions, wanted];
  if (old.status === wanted.status && old.reason === wanted.reason && old.message === wanted.message) return conditions;
  return conditions.map((c) => (c === old ? wanted : c));
}
