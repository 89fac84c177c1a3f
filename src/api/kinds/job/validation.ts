/**
 * What makes a Job (and the Job inside a CronJob) invalid, apart from its metadata and its policies.
 * Follows kubernetes pkg/apis/batch/validation/validation.go (ValidateJob, validateJobSpec).
 */
import { invalidValue, required, tooLong } from "../../field-error.ts";
import type { Job, JobSpec } from "../../generated/types.ts";
import { isDns1123Label } from "../../names.ts";
import { type Errors, nonNegative, sortedMap, unsupported } from "../../validation/fields.ts";
import { matchesSelector, selectorParses, validateLabelSelector } from "../../validation/labels.ts";
import { validateDomainPath } from "../../validation/paths.ts";
import { validatePodTemplate } from "../pod/validation.ts";
import { validatePodFailurePolicy, validatePodReplacementPolicy, validateSuccessPolicy } from "./policies.ts";

const PARALLELISM_MAX = 100_000;
const COMPLETIONS_WITHOUT_LIMITS_MAX = 100_000;
const PARALLELISM_BEYOND_MAX = 10_000;
const FAILED_INDEXES_MAX = 100_000;
const FAILED_INDEXES_BEYOND_MAX = 10_000;
const MANAGED_BY_BYTES_MAX = 63;

export function validateJob(out: Errors, job: Job): void {
  validateGeneratedSelector(out, job);
  validateJobSpec(out, job.spec, "spec");
  const { completionMode, completions } = job.spec;
  if (completionMode === "Indexed" && completions !== undefined && completions > 0) validateIndexedName(out, job.metadata.name ?? "", completions);
}

/** The pods' host names end with the index: the last one must still be a DNS label. */
function validateIndexedName(out: Errors, name: string, completions: number): void {
  const last = `${name}-${completions - 1}`;
  if (isDns1123Label(last).length > 0) out.push(invalidValue("metadata.name", name, `will not able to create pod with invalid DNS label: ${last}`));
}

const GENERATED: readonly (readonly [string, "uid" | "name"])[] = [["controller-uid", "uid"], ["job-name", "name"], ["batch.kubernetes.io/controller-uid", "uid"], ["batch.kubernetes.io/job-name", "name"]];

function validateGeneratedSelector(out: Errors, job: Job): void {
  const { manualSelector, selector, template } = job.spec;
  if (manualSelector === true || !selector) return;
  const { uid = "", name = "" } = job.metadata;
  if (uid === "") out.push(required("metadata.uid"));
  const labels = template?.metadata?.labels ?? {};
  for (const [key, source] of GENERATED) {
    const wanted = source === "uid" ? uid : name;
    const field = `spec.template.metadata.labels[${key}]`;
    if (labels[key] === undefined) out.push(required(field, `must be '${wanted}'`));
    else if (labels[key] !== wanted) out.push(invalidValue(field, sortedMap(labels), `must be '${wanted}'`));
  }
  const generated = Object.fromEntries(GENERATED.map(([key, source]) => [key, source === "uid" ? uid : name]));
  if (selectorParses(selector) && !matchesSelector(selector, generated)) out.push(invalidValue("spec.selector", shownSelector(selector), "`selector` not auto-generated"));
}

export const shownSelector = (selector: NonNullable<JobSpec["selector"]>): object => ({
  ...(selector.matchLabels && Object.keys(selector.matchLabels).length > 0 && { matchLabels: sortedMap(selector.matchLabels) }),
  ...(selector.matchExpressions && selector.matchExpressions.length > 0 && { matchExpressions: selector.matchExpressions }),
});

/** Follows ValidateJobSpec: the rules of a Job, then those of its selector. */
export function validateJobSpec(out: Errors, spec: JobSpec, field: string): void {
  validateSpecWithoutSelector(out, spec, field);
  const { selector } = spec;
  if (!selector) out.push(required(`${field}.selector`));
  else validateLabelSelector(out, `${field}.selector`, selector);
  const labels = spec.template?.metadata?.labels;
  // A selector that is absent selects nothing; one that does not parse is not matched.
  if ((!selector || selectorParses(selector)) && !matchesSelector(selector, labels)) {
    out.push(invalidValue(`${field}.template.metadata.labels`, labels ? sortedMap(labels) : null, "`selector` does not match template `labels`"));
  }
}

/** The Job inside a CronJob: its selector is always generated. */
export function validateJobTemplateSpec(out: Errors, spec: JobSpec, field: string): void {
  validateSpecWithoutSelector(out, spec, field);
  if (spec.selector) out.push(invalidValue(`${field}.selector`, shownSelector(spec.selector), "`selector` will be auto-generated"));
  if (spec.manualSelector === true) out.push(unsupported(`${field}.manualSelector`, true, ["nil", "false"]));
}

function validateSpecWithoutSelector(out: Errors, spec: JobSpec, field: string): void {
  nonNegative(out, `${field}.parallelism`, spec.parallelism);
  nonNegative(out, `${field}.completions`, spec.completions);
  nonNegative(out, `${field}.activeDeadlineSeconds`, spec.activeDeadlineSeconds);
  nonNegative(out, `${field}.backoffLimit`, spec.backoffLimit);
  nonNegative(out, `${field}.ttlSecondsAfterFinished`, spec.ttlSecondsAfterFinished);
  nonNegative(out, `${field}.backoffLimitPerIndex`, spec.backoffLimitPerIndex);
  if (spec.maxFailedIndexes !== undefined) {
    nonNegative(out, `${field}.maxFailedIndexes`, spec.maxFailedIndexes);
    if (spec.backoffLimitPerIndex === undefined) out.push(required(`${field}.backoffLimitPerIndex`, "when maxFailedIndexes is specified"));
  }
  if (spec.managedBy !== undefined) validateManagedBy(out, `${field}.managedBy`, spec.managedBy);
  validateCompletionMode(out, spec, field);
  if (spec.podFailurePolicy) validatePodFailurePolicy(out, spec, `${field}.podFailurePolicy`);
  if (spec.successPolicy) validateSuccessPolicy(out, spec, `${field}.successPolicy`);
  validatePodReplacementPolicy(out, spec, `${field}.podReplacementPolicy`);
  validatePodTemplate(out, spec.template ?? {}, `${field}.template`);
  validateRestartPolicy(out, spec, `${field}.template.spec.restartPolicy`);
}

function validateRestartPolicy(out: Errors, spec: JobSpec, field: string): void {
  const policy = spec.template?.spec?.restartPolicy ?? "";
  if (policy === "" || policy === "Always") out.push(required(field, `valid values: "OnFailure", "Never"`));
  else if (policy !== "OnFailure" && policy !== "Never") out.push(unsupported(field, policy, ["OnFailure", "Never"]));
  else if (spec.podFailurePolicy && policy !== "Never") out.push(invalidValue(field, policy, `only "Never" is supported when podFailurePolicy is specified`));
}

function validateManagedBy(out: Errors, field: string, managedBy: string): void {
  validateDomainPath(out, field, managedBy);
  if (Buffer.byteLength(managedBy) > MANAGED_BY_BYTES_MAX) out.push(tooLong(field, MANAGED_BY_BYTES_MAX));
}

function validateCompletionMode(out: Errors, spec: JobSpec, field: string): void {
  if (spec.completionMode !== undefined && spec.completionMode !== "NonIndexed" && spec.completionMode !== "Indexed") {
    out.push(unsupported(`${field}.completionMode`, spec.completionMode, ["NonIndexed", "Indexed"]));
  }
  if (spec.completionMode === "Indexed") return validateIndexed(out, spec, field);
  if (spec.backoffLimitPerIndex !== undefined) out.push(invalidValue(`${field}.backoffLimitPerIndex`, spec.backoffLimitPerIndex, "requires indexed completion mode"));
  if (spec.maxFailedIndexes !== undefined) out.push(invalidValue(`${field}.maxFailedIndexes`, spec.maxFailedIndexes, "requires indexed completion mode"));
}

function validateIndexed(out: Errors, spec: JobSpec, field: string): void {
  const { completions, parallelism, maxFailedIndexes } = spec;
  if (completions === undefined) out.push(required(`${field}.completions`, "when completion mode is Indexed"));
  if (parallelism !== undefined && parallelism > PARALLELISM_MAX) out.push(invalidValue(`${field}.parallelism`, parallelism, `must be less than or equal to ${PARALLELISM_MAX} when completion mode is Indexed`));
  if (completions !== undefined && maxFailedIndexes !== undefined && maxFailedIndexes > completions) out.push(invalidValue(`${field}.maxFailedIndexes`, maxFailedIndexes, "must be less than or equal to completions"));
  if (maxFailedIndexes !== undefined && maxFailedIndexes > FAILED_INDEXES_MAX) out.push(invalidValue(`${field}.maxFailedIndexes`, maxFailedIndexes, `must be less than or equal to ${FAILED_INDEXES_MAX}`));
  if (completions === undefined || completions <= COMPLETIONS_WITHOUT_LIMITS_MAX || spec.backoffLimitPerIndex === undefined) return;
  if (maxFailedIndexes === undefined) out.push(required(`${field}.maxFailedIndexes`, `must be specified when completions is above ${COMPLETIONS_WITHOUT_LIMITS_MAX}`));
  if (parallelism !== undefined && parallelism > PARALLELISM_BEYOND_MAX) {
    out.push(invalidValue(`${field}.parallelism`, parallelism, `must be less than or equal to ${PARALLELISM_BEYOND_MAX} when completions are above ${COMPLETIONS_WITHOUT_LIMITS_MAX} and used with backoff limit per index`));
  }
  if (maxFailedIndexes !== undefined && maxFailedIndexes > FAILED_INDEXES_BEYOND_MAX) {
    out.push(invalidValue(`${field}.maxFailedIndexes`, maxFailedIndexes, `must be less than or equal to ${FAILED_INDEXES_BEYOND_MAX} when completions are above ${COMPLETIONS_WITHOUT_LIMITS_MAX} and used with backoff limit per index`));
  }
}
