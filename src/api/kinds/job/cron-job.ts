/**
 * The kind CronJob.
 * Follows kubernetes pkg/apis/batch/validation/validation.go (ValidateCronJobSpec) and pkg/registry/batch/cronjob/strategy.go.
 */
import { parseSchedule } from "../../cron/schedule.ts";
import { isKnownZone } from "../../cron/zone.ts";
import { invalidValue, required } from "../../field-error.ts";
import type { CronJob, CronJobSpec } from "../../generated/types.ts";
import { maxLength } from "../../names.ts";
import { CRON_JOBS } from "../../resource.ts";
import { type Errors, nonNegative, unsupported } from "../../validation/fields.ts";
import { defineKind } from "../define.ts";
import type { Kind } from "../kind.ts";
import { dropDisabledTemplateFields } from "../pod/disabled.ts";
import { nameWarnings } from "../pod/warnings.ts";
import { defaultCronJob } from "./defaults.ts";
import { jobSpecWarnings } from "./job.ts";
import { cronJobCells } from "./printer.ts";
import { validateJobTemplateSpec } from "./validation.ts";

/** A Job's name is the CronJob's, a dash and ten digits; it must fit a label. */
const NAME_MAX = 52;
const POLICIES = ["Allow", "Forbid", "Replace"];
const ZONE_ERROR = "timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones";

function validateSchedule(out: Errors, spec: CronJobSpec, allowZone: boolean): void {
  const schedule = spec.schedule ?? "";
  if (schedule === "") return void out.push(required("spec.schedule"));
  const parsed = parseSchedule(schedule);
  if ("error" in parsed) out.push(invalidValue("spec.schedule", schedule, parsed.error));
  if (!schedule.includes("TZ")) return;
  if (!allowZone) out.push(invalidValue("spec.schedule", schedule, "cannot use TZ or CRON_TZ in schedule, use timeZone field instead"));
  else if (spec.timeZone !== undefined) out.push(invalidValue("spec.schedule", schedule, "cannot use both timeZone field and TZ or CRON_TZ in schedule"));
}

/** Parts of zone names as the database has them. */
const ZONE_PART = /^[A-Za-z0-9._\-+]+$/;

function validateTimeZone(out: Errors, zone: string | undefined): void {
  const field = "spec.timeZone";
  if (zone === undefined) return;
  if (zone === "") return void out.push(invalidValue(field, zone, "timeZone must be nil or non-empty string"));
  const unknown = () => out.push(invalidValue(field, zone, `unknown time zone ${zone}`));
  for (const part of zone.split("/")) {
    if (part === "." || part === ".." || !ZONE_PART.test(part) || part.startsWith("-")) return void unknown();
  }
  if (zone.toLowerCase() === "local") out.push(invalidValue(field, zone, ZONE_ERROR));
  if (!isKnownZone(zone)) unknown();
}

function validateSpec(out: Errors, { spec }: CronJob, old?: CronJob): void {
  validateSchedule(out, spec, (old?.spec.schedule ?? "").includes("TZ"));
  nonNegative(out, "spec.startingDeadlineSeconds", spec.startingDeadlineSeconds);
  // The zones that are known may have become fewer.
  if (!old || old.spec.timeZone !== spec.timeZone) validateTimeZone(out, spec.timeZone);
  if (!spec.concurrencyPolicy) out.push(required("spec.concurrencyPolicy"));
  else if (!POLICIES.includes(spec.concurrencyPolicy)) out.push(unsupported("spec.concurrencyPolicy", spec.concurrencyPolicy, POLICIES));
  validateJobTemplateSpec(out, spec.jobTemplate?.spec ?? { template: {} }, "spec.jobTemplate.spec");
  nonNegative(out, "spec.successfulJobsHistoryLimit", spec.successfulJobsHistoryLimit);
  nonNegative(out, "spec.failedJobsHistoryLimit", spec.failedJobsHistoryLimit);
}

const TEMPLATE = "spec.jobTemplate.spec";

export const cronJobKind: Kind<CronJob> = defineKind<CronJob>({
  resource: CRON_JOBS,
  schema: "io.k8s.api.batch.v1.CronJob",
  printer: { cells: cronJobCells },
  applyDefaults: defaultCronJob,
  generation: "spec",
  validate(out, cronJob) {
    const name = cronJob.metadata.name ?? "";
    validateSpec(out, cronJob);
    if (name.length > NAME_MAX) out.push(invalidValue("metadata.name", name, maxLength(NAME_MAX)));
  },
  prepareCreate: (draft) => dropDisabledTemplateFields(draft.spec.jobTemplate?.spec?.template),
  createWarnings: (cronJob) => [...nameWarnings(cronJob.metadata.name), ...jobSpecWarnings(cronJob.spec.jobTemplate?.spec, TEMPLATE)],
  prepareUpdate: (draft) => dropDisabledTemplateFields(draft.spec.jobTemplate?.spec?.template),
  metaOnUpdate: "update",
  validateUpdate: validateSpec,
  updateWarnings: (cronJob, old) => [
    ...(cronJob.metadata.generation === old.metadata.generation ? [] : jobSpecWarnings(cronJob.spec.jobTemplate?.spec, TEMPLATE)),
    // Upstream says "spec" twice.
    ...(cronJob.spec.schedule?.includes("TZ") ? ["cannot use TZ or CRON_TZ in spec.spec.schedule, use timeZone instead, see https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/ for more details"] : []),
  ],
  status: { meta: "none" },
});
