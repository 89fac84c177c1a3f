/**
 * The kind Job: what a client's create and update become before they are stored, and how they are checked.
 * Follows kubernetes pkg/registry/batch/job/strategy.go.
 */
import type { Job, JobSpec } from "../../generated/types.ts";
import { JOBS } from "../../resource.ts";
import type { Errors } from "../../validation/fields.ts";
import { defineKind } from "../define.ts";
import type { Draft, Kind } from "../kind.ts";
import { dropDisabledTemplateFields } from "../pod/disabled.ts";
import { nameWarnings, podTemplateWarnings } from "../pod/warnings.ts";
import { defaultJob } from "./defaults.ts";
import { jobCells } from "./printer.ts";
import { validateJobStatusUpdate } from "./status.ts";
import { validateJobUpdate } from "./update.ts";
import { validateJob } from "./validation.ts";

export const CONTROLLER_UID = "batch.kubernetes.io/controller-uid";
export const JOB_NAME = "batch.kubernetes.io/job-name";
const LEGACY_CONTROLLER_UID = "controller-uid";
const LEGACY_JOB_NAME = "job-name";

/** Unless the user manages the selector, pods of this Job carry its uid and name, and the selector asks for the uid. */
function generateSelector(job: Draft<Job>): void {
  const { uid = "", name = "" } = job.metadata;
  if (uid === "") return;
  job.spec.template.metadata ??= {};
  const { metadata } = job.spec.template;
  const labels = (metadata.labels ??= {});
  for (const [key, value] of [[LEGACY_JOB_NAME, name], [JOB_NAME, name], [LEGACY_CONTROLLER_UID, uid], [CONTROLLER_UID, uid]] as const) labels[key] ??= value;
  job.spec.selector ??= {};
  job.spec.selector.matchLabels = { [CONTROLLER_UID]: uid, ...job.spec.selector.matchLabels };
}

const COMPLETIONS_SOFT_MAX = 100_000;
const PARALLELISM_SOFT_MAX = 10_000;

/** Of a Job, or of the one inside a CronJob. Follows pkg/api/job/warnings.go. */
export function jobSpecWarnings(spec: JobSpec | undefined, field: string): string[] {
  const warnings: string[] = [];
  if (spec?.completionMode === "Indexed" && (spec.completions ?? 0) > COMPLETIONS_SOFT_MAX && (spec.parallelism ?? 0) > PARALLELISM_SOFT_MAX) {
    warnings.push(`${field}: In Indexed Jobs with a number of completions higher than 10^5 and a parallelism higher than 10^4, Kubernetes might not be able to track completedIndexes when a big number of indexes fail`);
  }
  return [...warnings, ...podTemplateWarnings(spec?.template, `${field}.template`)];
}

export const jobKind: Kind<Job> = defineKind<Job>({
  resource: JOBS,
  schema: "io.k8s.api.batch.v1.Job",
  printer: { cells: jobCells },
  applyDefaults: defaultJob,
  generation: "spec",
  prepareCreate(draft) {
    dropDisabledTemplateFields(draft.spec.template);
    if (draft.spec.manualSelector !== true) generateSelector(draft);
    // Storing makes an empty list no list, and this one is shown all the same.
    if (draft.spec.podFailurePolicy?.rules?.length === 0) Reflect.set(draft.spec.podFailurePolicy, "rules", null);
  },
  validate: (out: Errors, job) => validateJob(out, job),
  createWarnings: (job) => [...nameWarnings(job.metadata.name), ...jobSpecWarnings(job.spec, "spec")],
  prepareUpdate: (draft) => dropDisabledTemplateFields(draft.spec.template),
  validateUpdate: validateJobUpdate,
  metaOnUpdate: "own",
  updateWarnings: (job, old) => (job.metadata.generation === old.metadata.generation ? [] : jobSpecWarnings(job.spec, "spec")),
  status: { validate: validateJobStatusUpdate },
  defaultPropagation: "Orphan",
  deleteWarnings: (options) =>
    options.propagationPolicy === undefined && options.orphanDependents === undefined
      ? ["child pods are preserved by default when jobs are deleted; set propagationPolicy=Background to remove them or set propagationPolicy=Orphan to suppress this warning"]
      : [],
  selectableFields: { "status.successful": (job) => String(job.status?.succeeded ?? 0) },
});
