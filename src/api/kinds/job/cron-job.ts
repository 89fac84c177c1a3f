/**
 * The kind CronJob.
 * Follows kubernetes pkg/apis/batch/validation/validation.go (ValidateCronJobSpec) and pkg/registry/batch/cronjob/strategy.go.
 */
import { parseSchedule } from "../../cron/schedule.ts";
import { isKnownZone } from "../../cron/zone.ts";
import { invalidValue, required } from "../../field-error.ts";
import type { CronJob, CronJobSpec } from "../../generated/types.ts";
import { isDns1123Label, maxLength } from "../../names.ts";
import { CRON_JOBS } from "../../resource.ts";
import { type Errors, nonNegative, semanticallyEqual, unsupported } from "../../validation/fields.ts";
import { defineKind } from "../define.ts";
import type { Kind } from "../kind.ts";
import { podTemplateWarnings } from "../pod/warnings.ts";
import { defaultCronJob } from "./defaults.ts";
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

function validateSpec(out: Errors, { spec }: CronJob, allowZone: boolean): void {
  validateSchedule(out, spec, allowZone);
  nonNegative(out, "spec.startingDeadlineSeconds", spec.startingDeadlineSeconds);
  validateTimeZone(out, spec.timeZone);
  if (!spec.concurrencyPolicy) out.push(required("spec.concurrencyPolicy"));
  else if (!POLICIES.includes(spec.concurrencyPolicy)) out.push(unsupported("spec.concurrencyPolicy", spec.concurrencyPolicy, POLICIES));
  validateJobTemplateSpec(out, spec.jobTemplate?.spec ?? { template: {} }, "spec.jobTemplate.spec");
  nonNegative(out, "spec.successfulJobsHistoryLimit", spec.successfulJobsHistoryLimit);
  nonNegative(out, "spec.failedJobsHistoryLimit", spec.failedJobsHistoryLimit);
}

function warnings(cronJob: CronJob, old: CronJob | undefined): string[] {
  const texts: string[] = [];
  const name = isDns1123Label(cronJob.metadata.name ?? "");
  if (name.length > 0) texts.push(`metadata.name: this is used in Pod names and hostnames, which can result in surprising behavior; a DNS label is recommended: [${name.join(" ")}]`);
  if (old && semanticallyEqual(cronJob.spec, old.spec)) return texts;
  texts.push(...podTemplateWarnings(cronJob.spec.jobTemplate?.spec?.template, "spec.jobTemplate.spec.template"));
  if (cronJob.spec.schedule?.includes("TZ")) texts.push("spec.schedule: TZ or CRON_TZ in schedule is not officially supported, see https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/#unsupported-timezone-specification for more details");
  return texts;
}

export const cronJobKind: Kind<CronJob> = defineKind<CronJob>({
  resource: CRON_JOBS,
  schema: "io.k8s.api.batch.v1.CronJob",
  printer: { cells: cronJobCells },
  applyDefaults: defaultCronJob,
  generation: "spec",
  validate(out, cronJob) {
    const name = cronJob.metadata.name ?? "";
    validateSpec(out, cronJob, false);
    if (name.length > NAME_MAX) out.push(invalidValue("metadata.name", name, maxLength(NAME_MAX)));
  },
  createWarnings: (cronJob) => warnings(cronJob, undefined),
  metaOnUpdate: "update",
  validateUpdate: (out, cronJob, old) => validateSpec(out, cronJob, (old.spec.schedule ?? "").includes("TZ")),
  updateWarnings: warnings,
  status: {},
});
