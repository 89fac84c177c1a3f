/**
 * What the kinds that make pods have in common: a selector that must match the template's labels, and a template whose pods are restarted for ever.
 * Follows kubernetes pkg/apis/apps/validation/validation.go and pkg/apis/core/validation (ValidatePodTemplateSpecForRC).
 */
import { forbiddenField, invalidValue, required } from "../../field-error.ts";
import type { LabelSelector, PodTemplateSpec } from "../../generated/types.ts";
import { type Errors, sortedMap, unsupported } from "../../validation/fields.ts";
import { matchesSelector, selectorParses, validateLabelSelector } from "../../validation/labels.ts";
import { validatePodTemplate } from "../pod/validation.ts";

const FIELD = "spec.template";

/** The labels of an invalid selector are shown in order. */
export const shownSelector = (s: LabelSelector): LabelSelector => ({ ...(s.matchLabels && { matchLabels: sortedMap(s.matchLabels) }), ...(s.matchExpressions && { matchExpressions: s.matchExpressions }) });

export const isEmptySelector = (s: LabelSelector): boolean => !Object.keys(s.matchLabels ?? {}).length && !s.matchExpressions?.length;

/** Whether it can be matched against labels at all; none matches nothing, which is an answer too. */
export const canSelect = (selector: LabelSelector | undefined): boolean => !selector || selectorParses(selector);

export function labelsMatch(out: Errors, selector: LabelSelector | undefined, template: PodTemplateSpec): void {
  const labels = template.metadata?.labels;
  if (!matchesSelector(selector, labels)) out.push(invalidValue(`${FIELD}.metadata.labels`, labels ? sortedMap(labels) : null, "`selector` does not match template `labels`"));
}

export function podsGoOn(out: Errors, { spec }: PodTemplateSpec, kind: string): void {
  if (spec?.restartPolicy !== "Always") out.push(unsupported(`${FIELD}.spec.restartPolicy`, spec?.restartPolicy ?? "", ["Always"]));
  if (spec?.activeDeadlineSeconds !== undefined) out.push(forbiddenField(`${FIELD}.spec.activeDeadlineSeconds`, `activeDeadlineSeconds in ${kind} is not Supported`));
}

export function requireSelector(out: Errors, selector: LabelSelector | undefined, emptyFor: string): void {
  if (!selector) return void out.push(required("spec.selector"));
  validateLabelSelector(out, "spec.selector", selector);
  if (isEmptySelector(selector)) out.push(invalidValue("spec.selector", shownSelector(selector), `empty selector is invalid for ${emptyFor}`));
}

/** ReplicaSets' and Deployments'. */
export function validateReplicaTemplate(out: Errors, selector: LabelSelector | undefined, template: PodTemplateSpec): void {
  if (selector && !canSelect(selector)) return void out.push(invalidValue("spec.selector", shownSelector(selector), "invalid label selector"));
  labelsMatch(out, selector, template);
  validatePodTemplate(out, template, FIELD);
  podsGoOn(out, template, "ReplicaSet");
}
