/**
 * What of a Job's status an update may change, and what may stand together.
 * Follows kubernetes pkg/apis/batch/validation/validation.go (ValidateJobStatus, ValidateJobStatusUpdate) and pkg/registry/batch/job/strategy.go
 * (getStatusValidationOptions: most rules are looked at only when what they speak of has changed).
 */
import { duplicate, invalidValue, required, Spelled } from "../../field-error.ts";
import type { Job, JobStatus } from "../../generated/types.ts";
import { parseTime } from "../../time.ts";
import { type Errors, IMMUTABLE, invalidOmit, nonNegative, semanticallyEqual } from "../../validation/fields.ts";
import { isTrue } from "./conditions.ts";
import { overlap, parseIndexes } from "./indexes.ts";

const TERMINAL = ["Failed", "Complete", "FailureTarget"];
const CONDITIONS = "status.conditions";

interface Change {
  readonly job: Job;
  readonly old: Job;
  readonly now: JobStatus;
  readonly before: JobStatus;
}

const completeOf = (s: JobStatus) => isTrue(s.conditions, "Complete");
const failedOf = (s: JobStatus) => isTrue(s.conditions, "Failed");
const finishedOf = (s: JobStatus) => completeOf(s) || failedOf(s);

export function validateJobStatusUpdate(out: Errors, job: Job, old: Job): void {
  const change: Change = { job, old, now: job.status ?? {}, before: old.status ?? {} };
  validateCounts(out, change);
  validateExclusion(out, change);
  validateTimes(out, change);
  validatePreconditions(out, change);
  validateFinished(out, change);
  validateIndexes(out, change);
  validateEnd(out, change);
  validateTransitions(out, change);
}

function validateCounts(out: Errors, { now }: Change): void {
  nonNegative(out, "status.active", now.active);
  nonNegative(out, "status.succeeded", now.succeeded);
  nonNegative(out, "status.failed", now.failed);
  nonNegative(out, "status.ready", now.ready);
  nonNegative(out, "status.terminating", now.terminating);
  const seen = new Set<string>();
  for (const list of ["succeeded", "failed"] as const) {
    (now.uncountedTerminatedPods?.[list] ?? []).forEach((uid, i) => {
      const field = `status.uncountedTerminatedPods.${list}[${i}]`;
      if (uid === "") out.push(invalidValue(field, uid, "must not be empty"));
      else if (seen.has(uid)) out.push(duplicate(field, uid));
      else seen.add(uid);
    });
  }
}

const sameTime = (a: string | null | undefined, b: string | null | undefined): boolean => parseTime(a) === parseTime(b);

const changed = ({ now, before }: Change, ...types: readonly string[]): boolean => types.some((type) => isTrue(now.conditions, type) !== isTrue(before.conditions, type));

function notBoth(out: Errors, { now }: Change, a: string, b: string): void {
  if (isTrue(now.conditions, a) && isTrue(now.conditions, b)) out.push(invalidOmit(CONDITIONS, `cannot set ${a}=True and ${b}=true conditions`));
}

function validateExclusion(out: Errors, change: Change): void {
  for (const other of ["Failed", "FailureTarget"]) if (changed(change, "Complete", other)) notBoth(out, change, "Complete", other);
}

/** completionTime goes with Complete. */
function validateTimes(out: Errors, change: Change): void {
  const { now, before } = change;
  const field = "status.completionTime";
  const endChanged = !sameTime(now.completionTime, before.completionTime);
  if (changed(change, "Complete") || endChanged) {
    if (now.completionTime && !completeOf(now)) out.push(invalidValue(field, now.completionTime, "cannot set completionTime when there is no Complete=True condition"));
    if (!now.completionTime && completeOf(now)) out.push(required(field, "completionTime is required for Complete jobs"));
  }
  const start = parseTime(now.startTime);
  const end = parseTime(now.completionTime);
  if ((endChanged || !sameTime(now.startTime, before.startTime)) && start !== undefined && end !== undefined && end < start) {
    out.push(invalidValue(field, now.completionTime ?? null, "must be equal to or after `startTime`"));
  }
}

/** Failed and Complete are announced before they are set. */
function validatePreconditions(out: Errors, change: Change): void {
  for (const [type, announced] of [["Failed", "FailureTarget"], ["Complete", "SuccessCriteriaMet"]] as const) {
    if (changed(change, type, announced) && isTrue(change.now.conditions, type) && !isTrue(change.now.conditions, announced)) {
      out.push(invalidOmit(CONDITIONS, `cannot set ${type}=True condition without the ${announced}=true condition`));
    }
  }
}

function validateFinished(out: Errors, { job, now, before }: Change): void {
  const finished = finishedOf(now);
  const becomes = finished !== finishedOf(before);
  if (!finished) return;
  if ((becomes || (now.active ?? 0) !== (before.active ?? 0)) && (now.active ?? 0) > 0) out.push(invalidValue("status.active", now.active ?? 0, "active>0 is invalid for finished job"));
  const needsNoStart = job.spec.suspend === true && job.spec.completions === 0;
  if ((becomes || !sameTime(now.startTime, before.startTime)) && !now.startTime && !needsNoStart) out.push(required("status.startTime", "startTime is required for finished job"));
  const uncounted = now.uncountedTerminatedPods;
  const listed = (uncounted?.succeeded?.length ?? 0) + (uncounted?.failed?.length ?? 0);
  if ((becomes || !semanticallyEqual(uncounted, before.uncountedTerminatedPods)) && listed > 0) {
    out.push(invalidValue("status.uncountedTerminatedPods", new Spelled(JSON.stringify({ Succeeded: uncounted?.succeeded ?? null, Failed: uncounted?.failed ?? null })), "must be empty for finished job"));
  }
}

function validateIndexes(out: Errors, { job, now, before }: Change): void {
  const { completedIndexes = "", failedIndexes } = now;
  const { completions, backoffLimitPerIndex, completionMode } = job.spec;
  const completedChanged = completedIndexes !== (before.completedIndexes ?? "");
  const failedChanged = failedIndexes !== before.failedIndexes;
  const completed = completions === undefined ? undefined : parseIndexes(completedIndexes, completions);
  const failed = completions === undefined || backoffLimitPerIndex === undefined || failedIndexes === undefined ? undefined : parseIndexes(failedIndexes, completions);
  if (completedChanged && completed && "error" in completed) out.push(invalidValue("status.completedIndexes", completedIndexes, `error parsing completedIndexes: ${completed.error}`));
  if (failedChanged && failed && "error" in failed) out.push(invalidValue("status.failedIndexes", failedIndexes ?? "", `error parsing failedIndexes: ${failed.error}`));
  if (completedChanged && completionMode !== "Indexed" && completedIndexes !== "") out.push(invalidValue("status.completedIndexes", completedIndexes, "cannot set non-empty completedIndexes when non-indexed completion mode"));
  if (failedChanged && failedIndexes !== undefined && backoffLimitPerIndex === undefined) out.push(invalidValue("status.failedIndexes", failedIndexes, "cannot set non-null failedIndexes when backoffLimitPerIndex is null"));
  if (!(failedChanged || completedChanged) || !completed || !failed || "error" in failed || "error" in completed) return;
  const common = overlap(completed.intervals, failed.intervals);
  if (common !== undefined) out.push(invalidValue("status.failedIndexes", failedIndexes ?? "", `failedIndexes and completedIndexes overlap at index: ${common}`));
}

function validateEnd(out: Errors, change: Change): void {
  const { job, now, before } = change;
  const terminating = now.terminating ?? 0;
  const terminatingMatters = finishedOf(now) !== finishedOf(before) || terminating !== (before.terminating ?? 0);
  if (terminatingMatters && finishedOf(now) && terminating > 0) out.push(invalidValue("status.terminating", terminating, "terminating>0 is invalid for finished job"));
  const counted = (now.active ?? 0) !== (before.active ?? 0) || now.ready !== before.ready;
  if (counted && (now.ready ?? 0) > (now.active ?? 0)) out.push(invalidValue("status.ready", now.ready ?? 0, "cannot set more ready pods than active"));
  notBoth(out, change, "SuccessCriteriaMet", "Failed");
  notBoth(out, change, "SuccessCriteriaMet", "FailureTarget");
  if (job.spec.successPolicy && completeOf(now) && !isTrue(now.conditions, "SuccessCriteriaMet")) {
    out.push(invalidOmit(CONDITIONS, "cannot set Complete=True for Job with SuccessPolicy unless SuccessCriteriaMet=True"));
  }
}

function validateTransitions(out: Errors, { job, old, now, before }: Change): void {
  for (const type of TERMINAL) {
    if (isTrue(before.conditions, type) && !isTrue(now.conditions, type)) out.push(invalidOmit(CONDITIONS, `cannot disable the terminal ${type}=True condition`));
  }
  if ((now.failed ?? 0) < (before.failed ?? 0)) out.push(invalidValue("status.failed", now.failed ?? 0, "cannot decrease the failed counter"));
  const elastic = job.spec.completionMode === "Indexed" && job.spec.completions !== undefined && job.spec.completions === job.spec.parallelism;
  if (!elastic && (now.succeeded ?? 0) < (before.succeeded ?? 0)) out.push(invalidValue("status.succeeded", now.succeeded ?? 0, "cannot decrease the succeeded counter"));
  if (before.completionTime && now.completionTime && !sameTime(now.completionTime, before.completionTime)) out.push(invalidValue("status.completionTime", now.completionTime, IMMUTABLE));
  const resumes = isTrue(before.conditions, "Suspended") && !isTrue(now.conditions, "Suspended");
  if (before.startTime && !sameTime(now.startTime, before.startTime) && old.spec.suspend !== true && !resumes) {
    out.push(invalidValue("status.startTime", now.startTime ?? null, "field is immutable for unsuspended job once set"));
  }
  if (isTrue(before.conditions, "SuccessCriteriaMet") && !isTrue(now.conditions, "SuccessCriteriaMet")) out.push(invalidOmit(CONDITIONS, "cannot disable the SuccessCriteriaMet=True condition"));
  if (isTrue(now.conditions, "SuccessCriteriaMet") && !isTrue(before.conditions, "SuccessCriteriaMet") && completeOf(before)) {
    out.push(invalidOmit(CONDITIONS, "cannot set SuccessCriteriaMet=True for Job already has Complete=true conditions"));
  }
}
