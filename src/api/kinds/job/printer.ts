/**
 * The rows of Jobs and CronJobs in a Table.
 * Follows kubernetes pkg/printers/internalversion/printers.go (printJob, printCronJob).
 */
import type { Instant } from "../../../base/clock.ts";
import { humanDuration } from "../../duration.ts";
import type { CronJob, Job } from "../../generated/types.ts";
import { parseTime } from "../../time.ts";
import { formatLabelSelector } from "../../validation/labels.ts";
import type { Cell } from "../kind.ts";
import { ageCell, ageOf, containerCells } from "../printing.ts";
import { hasTrue } from "./conditions.ts";

function statusOf(job: Job): string {
  if (hasTrue(job, "Complete")) return "Complete";
  if (hasTrue(job, "Failed")) return "Failed";
  if (job.metadata.deletionTimestamp) return "Terminating";
  if (hasTrue(job, "Suspended")) return "Suspended";
  if (hasTrue(job, "FailureTarget")) return "FailureTarget";
  return hasTrue(job, "SuccessCriteriaMet") ? "SuccessCriteriaMet" : "Running";
}

function completionsOf({ spec, status }: Job): string {
  const succeeded = status?.succeeded ?? 0;
  if (spec.completions !== undefined) return `${succeeded}/${spec.completions}`;
  const parallelism = spec.parallelism ?? 0;
  return parallelism > 1 ? `${succeeded}/1 of ${parallelism}` : `${succeeded}/1`;
}

function durationOf({ status }: Job, now: Instant): string {
  const start = parseTime(status?.startTime);
  if (start === undefined) return "";
  return humanDuration((parseTime(status?.completionTime) ?? now) - start);
}

export function jobCells(job: Job, now: Instant): readonly Cell[] {
  return [job.metadata.name ?? "", statusOf(job), completionsOf(job), durationOf(job, now), ageCell(job, now), ...containerCells(job.spec.template), formatLabelSelector(job.spec.selector)];
}

const shownBoolean = (value: boolean | undefined): string => (value === undefined ? "<unset>" : value ? "True" : "False");

export function cronJobCells(cronJob: CronJob, now: Instant): readonly Cell[] {
  const { spec, status } = cronJob;
  const last = status?.lastScheduleTime ? ageOf(status.lastScheduleTime, now) : "<none>";
  return [
    cronJob.metadata.name ?? "",
    spec.schedule,
    spec.timeZone ?? "<none>",
    shownBoolean(spec.suspend),
    (status?.active ?? []).length,
    last,
    ageCell(cronJob, now),
    ...containerCells(spec.jobTemplate?.spec?.template),
    formatLabelSelector(spec.jobTemplate?.spec?.selector),
  ];
}
