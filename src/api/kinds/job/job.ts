/**
 * The kind Job: what a client's create and update become before they are stored, and how they are checked.
 * Follows kubernetes pkg/registry/batch/job/strategy.go.
 */
import type { Job } from "../../generated/types.ts";
import { JOBS } from "../../resource.ts";
import { isDns1123Label } from "../../names.ts";
import type { Errors } from "../../validation/fields.ts";
import { semanticallyEqual } from "../../validation/fields.ts";
import { defineKind } from "../define.ts";
import type { Draft, Kind } from "../kind.ts";
import { podTemplateWarnings } from "../pod/warnings.ts";
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
  metadata.labels = { [LEGACY_JOB_NAME]: name, [JOB_NAME]: name, [LEGACY_CONTROLLER_UID]: uid, [CONTROLLER_UID]: uid, ...metadata.labels };
  job.spec.selector ??= {};
  job.spec.selector.matchLabels = { [CONTROLLER_UID]: uid, ...job.spec.selector.matchLabels };
}

function nameWarnings(name: string | undefined): string[] {
  const errors = isDns1123Label(name ?? "");
  if (errors.length === 0) return [];
  return [`metadata.name: this is used in Pod names and hostnames, which can result in surprising behavior; a DNS label is recommended: [${errors.join(" ")}]`];
}

const COMPLETIONS_SOFT_MAX = 100_000;
const PARALLELISM_SOFT_MAX = 10_000;

function specWarnings({ spec }: Job): string[] {
  const warnings: string[] = [];
  if (spec.completionMode === "Indexed" && (spec.completions ?? 0) > COMPLETIONS_SOFT_MAX && (spec.parallelism ?? 0) > PARALLELISM_SOFT_MAX) {
    warnings.push("spec: In Indexed Jobs with a number of completions higher than 10^5 and a parallelism higher than 10^4, Kubernetes might not be able to track completedIndexes when a big number of indexes fail");
  }
  return [...warnings, ...podTemplateWarnings(spec.template, "spec.template")];
}

export const jobKind: Kind<Job> = defineKind<Job>({
  resource: JOBS,
  schema: "io.k8s.api.batch.v1.Job",
  printer: { cells: jobCells },
  applyDefaults: defaultJob,
  generation: "spec",
  prepareCreate(draft) {
    if (draft.spec.manualSelector !== true) generateSelector(draft);
    // Storing makes an empty list no list, and this one is shown all the same.
    if (draft.spec.podFailurePolicy?.rules?.length === 0) Reflect.set(draft.spec.podFailurePolicy, "rules", null);
  },
  validate: (out: Errors, job) => validateJob(out, job),
  createWarnings: (job) => [...nameWarnings(job.metadata.name), ...specWarnings(job)],
  validateUpdate: validateJobUpdate,
  metaOnUpdate: "own",
  updateWarnings: (job, old) => [...nameWarnings(job.metadata.name), ...(job.metadata.generation === old.metadata.generation && semanticallyEqual(job.spec, old.spec) ? [] : specWarnings(job))],
  status: { validate: validateJobStatusUpdate },
  defaultPropagation: "Orphan",
  deleteWarnings: (options) =>
    options.propagationPolicy === undefined && options.orphanDependents === undefined
      ? ["child pods are preserved by default when jobs are deleted; set propagationPolicy=Background to remove them or set propagationPolicy=Orphan to suppress this warning"]
      : [],
  selectableFields: { "status.successful": (job) => String(job.status?.succeeded ?? 0) },
});
