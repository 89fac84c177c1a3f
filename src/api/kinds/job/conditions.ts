/**
 * Which conditions a Job has.
 */
import type { Job, JobCondition } from "../../generated/types.ts";

export const isTrue = (conditions: readonly JobCondition[] | undefined, type: string): boolean => (conditions ?? []).some((c) => c.type === type && c.status === "True");

export const hasTrue = (job: Job, type: string): boolean => isTrue(job.status?.conditions, type);

/** Complete or Failed. */
export const isFinished = (job: Job): boolean => hasTrue(job, "Complete") || hasTrue(job, "Failed");
