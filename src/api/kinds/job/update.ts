/**
 * What of a Job an update may change. The whole create validation runs as well, and that of the spec twice, as upstream's does.
 * Follows kubernetes pkg/apis/batch/validation/validation.go (ValidateJobUpdate, validateCompletions, validatePodTemplateUpdate) and
 * pkg/registry/batch/job/strategy.go (validationOptionsForJob).
 */
import { invalidValue } from "../../field-error.ts";
import type { Container, Job, JobSpec, PodSpec, PodTemplateSpec } from "../../generated/types.ts";
import { subdomainName } from "../../names.ts";
import { validateObjectMeta, validateObjectMetaUpdate } from "../../object-meta.ts";
import { type Errors, IMMUTABLE, immutable, semanticallyEqual } from "../../validation/fields.ts";
import { goSpelled } from "../go-spelling.ts";
import { isTrue } from "./conditions.ts";
import { shownSuccessPolicy } from "./policies.ts";
import { shownSelector, validateJob, validateJobSpec } from "./validation.ts";

const SPEC = "spec";

export function validateJobUpdate(out: Errors, job: Job, old: Job): void {
  out.push(...validateObjectMeta(job.metadata, { namespaced: true, validateName: subdomainName, builtIn: true }));
  validateJob(out, job);
  out.push(...validateObjectMetaUpdate(job.metadata, old.metadata, true));
  validateJobSpec(out, job.spec, SPEC);
  validateCompletions(out, job.spec, old.spec);
  const { spec } = job;
  immutable(out, "spec.selector", spec.selector, old.spec.selector, spec.selector ? shownSelector(spec.selector) : null);
  validateTemplate(out, job, old);
  immutable(out, "spec.completionMode", spec.completionMode ?? null, old.spec.completionMode ?? null);
  immutableStruct(out, "spec.podFailurePolicy", spec.podFailurePolicy, old.spec.podFailurePolicy, goSpelled("io.k8s.api.batch.v1.PodFailurePolicy", spec.podFailurePolicy));
  immutable(out, "spec.backoffLimitPerIndex", spec.backoffLimitPerIndex ?? null, old.spec.backoffLimitPerIndex ?? null);
  immutable(out, "spec.managedBy", spec.managedBy ?? null, old.spec.managedBy ?? null);
  immutableStruct(out, "spec.successPolicy", spec.successPolicy, old.spec.successPolicy, spec.successPolicy ? shownSuccessPolicy(spec.successPolicy) : null);
}

/** Pointers to structs: one that is there and empty differs from none. */
function immutableStruct(out: Errors, field: string, value: object | undefined, old: object | undefined, shown: object | null): void {
  if ((value === undefined) !== (old === undefined) || !semanticallyEqual(value, old)) out.push(invalidValue(field, shown, IMMUTABLE));
}

/** Elastic Indexed Jobs: completions may follow parallelism. */
function validateCompletions(out: Errors, spec: JobSpec, old: JobSpec): void {
  const field = "spec.completions";
  const { completions } = spec;
  if (spec.completionMode !== "Indexed" || completions === undefined || old.completions === undefined) {
    // Without completions an Indexed Job has its Required error already.
    if (spec.completionMode !== "Indexed" || completions !== undefined) immutable(out, field, completions ?? null, old.completions ?? null);
    return;
  }
  if (completions === old.completions) return;
  if (completions !== spec.parallelism) out.push(invalidValue(field, completions, "can only be modified in tandem with spec.parallelism"));
}

/** While it is suspended and has no pods, a Job's template may get scheduling directives and resources. */
function isMutableTemplate(old: Job): boolean {
  if (old.spec.suspend !== true) return false;
  const status = old.status;
  return (status?.active ?? 0) === 0 && (status?.startTime === undefined || status.startTime === null || isTrue(status.conditions, "Suspended"));
}

function validateTemplate(out: Errors, job: Job, old: Job): void {
  const template = job.spec.template ?? {};
  const before = old.spec.template ?? {};
  if (!isMutableTemplate(old)) {
    if (!semanticallyEqual(template, before)) out.push(invalidValue("spec.template", goSpelled("io.k8s.api.core.v1.PodTemplateSpec", template), IMMUTABLE));
    return;
  }
  if (!semanticallyEqual(withDirectivesOf(template, before), before.spec)) out.push(invalidValue("spec.template.spec", goSpelled("io.k8s.api.core.v1.PodSpec", template.spec), IMMUTABLE));
}

/** The new pod spec with everything that may change put back as it was. */
function withDirectivesOf(template: PodTemplateSpec, before: PodTemplateSpec): PodSpec | undefined {
  const { spec } = template;
  const old = before.spec;
  if (!spec || !old) return spec;
  const { nodeSelector: _n, tolerations: _t, schedulingGates: _g, affinity: now, ...rest } = spec;
  const { nodeAffinity: _a, ...otherAffinity } = now ?? {};
  const affinity = { ...otherAffinity, ...(old.affinity?.nodeAffinity && { nodeAffinity: old.affinity.nodeAffinity }) };
  return {
    ...rest,
    ...(old.nodeSelector && { nodeSelector: old.nodeSelector }),
    ...(old.tolerations && { tolerations: old.tolerations }),
    ...(old.schedulingGates && { schedulingGates: old.schedulingGates }),
    ...((old.affinity !== undefined || Object.keys(affinity).length > 0) && { affinity }),
    containers: withResourcesOf(spec.containers, old.containers),
    ...(spec.initContainers && { initContainers: withResourcesOf(spec.initContainers, old.initContainers) }),
  };
}

const withResourcesOf = (containers: readonly Container[] | undefined, before: readonly Container[] | undefined): Container[] =>
  (containers ?? []).map((c, i) => {
    const old = before?.[i];
    if (!old || old.name !== c.name) return c;
    const { resources: _r, ...rest } = c;
    return { ...rest, ...(old.resources && { resources: old.resources }) };
  });
