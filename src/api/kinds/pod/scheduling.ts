/**
 * Where a pod may run: affinity, tolerations, topology spread, gates.
 * Follows kubernetes pkg/apis/core/validation (validateAffinity, ValidateTolerations, validateTopologySpreadConstraints).
 */
import { duplicate, forbiddenField, invalidValue, required } from "../../field-error.ts";
import type { LabelSelector, NodeAffinity, NodeSelector, NodeSelectorRequirement, NodeSelectorTerm, PodAffinity, PodAffinityTerm, PodSpec, Toleration, TopologySpreadConstraint } from "../../generated/types.ts";
import { isLabelValue, isQualifiedName, labelName, subdomainName } from "../../names.ts";
import { type Errors, reasons, unsupported } from "../../validation/fields.ts";
import { validateLabelSelector } from "../../validation/labels.ts";

export const TAINT_EFFECTS = ["NoSchedule", "PreferNoSchedule", "NoExecute"];
const WEIGHT_ERROR = "must be in the range 1-100";

export function validateTolerations(out: Errors, field: string, tolerations: readonly Toleration[] | undefined): void {
  (tolerations ?? []).forEach((t, i) => {
    const at = `${field}[${i}]`;
    const operator = t.operator ?? "";
    if (t.key) reasons(out, `${at}.key`, t.key, isQualifiedName(t.key));
    else if (operator !== "Exists") out.push(invalidValue(`${at}.operator`, operator, `operator must be Exists when \`key\` is empty, which means "match all values and all keys"`));
    if (t.tolerationSeconds !== undefined && t.effect !== "NoExecute") out.push(invalidValue(`${at}.effect`, t.effect ?? "", "effect must be 'NoExecute' when `tolerationSeconds` is set"));
    validateTolerationValue(out, `${at}.operator`, operator, t.value ?? "");
    if (t.effect && !TAINT_EFFECTS.includes(t.effect)) out.push(unsupported(`${at}.effect`, t.effect, TAINT_EFFECTS));
  });
}

function validateTolerationValue(out: Errors, field: string, operator: string, value: string): void {
  if (operator === "" || operator === "Equal") {
    const texts = isLabelValue(value);
    if (texts.length > 0) out.push(invalidValue(field, value, texts.join(";")));
  } else if (operator === "Exists") {
    if (value !== "") out.push(invalidValue(field, value, "value must be empty when `operator` is 'Exists'"));
  } else if (operator === "Lt" || operator === "Gt") out.push(unsupported(field, operator, ["Equal", "Exists", "Lt", "Gt"]));
  else out.push(unsupported(field, operator, ["Equal", "Exists"]));
}

function validateNodeRequirement(out: Errors, field: string, e: NodeSelectorRequirement, checkValues: boolean): void {
  const values = e.values ?? [];
  switch (e.operator) {
    case "In":
    case "NotIn":
      if (values.length === 0) out.push(required(`${field}.values`, "must be specified when `operator` is 'In' or 'NotIn'"));
      break;
    case "Exists":
    case "DoesNotExist":
      if (values.length > 0) out.push(forbiddenField(`${field}.values`, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"));
      break;
    case "Gt":
    case "Lt":
      if (values.length !== 1) out.push(required(`${field}.values`, "must be specified single value when `operator` is 'Lt' or 'Gt'"));
      break;
    default:
      out.push(invalidValue(`${field}.operator`, e.operator ?? "", "not a valid selector operator"));
  }
  reasons(out, `${field}.key`, e.key ?? "", isQualifiedName(e.key ?? ""));
  if (checkValues) values.forEach((value, i) => reasons(out, `${field}.values[${i}]`, value, isLabelValue(value)));
}

function validateNodeField(out: Errors, field: string, e: NodeSelectorRequirement): void {
  const values = e.values ?? [];
  if (e.operator !== "In" && e.operator !== "NotIn") out.push(invalidValue(`${field}.operator`, e.operator ?? "", "not a valid selector operator"));
  else if (values.length !== 1) out.push(required(`${field}.values`, "must be only one value when `operator` is 'In' or 'NotIn' for node field selector"));
  if (e.key !== "metadata.name") out.push(invalidValue(`${field}.key`, e.key ?? "", "not a valid field selector key"));
  else values.forEach((value, i) => reasons(out, `${field}.values[${i}]`, value, subdomainName(value, false)));
}

function validateNodeTerm(out: Errors, field: string, term: NodeSelectorTerm | undefined, checkValues: boolean): void {
  (term?.matchExpressions ?? []).forEach((e, i) => validateNodeRequirement(out, `${field}.matchExpressions[${i}]`, e, checkValues));
  (term?.matchFields ?? []).forEach((e, i) => validateNodeField(out, `${field}.matchFields[${i}]`, e));
}

export function validateNodeSelector(out: Errors, field: string, selector: NodeSelector): void {
  const terms = selector.nodeSelectorTerms ?? [];
  if (terms.length === 0) out.push(required(`${field}.nodeSelectorTerms`, "must have at least one node selector term"));
  terms.forEach((term, i) => validateNodeTerm(out, `${field}.nodeSelectorTerms[${i}]`, term, true));
}

function validateNodeAffinity(out: Errors, field: string, affinity: NodeAffinity): void {
  const hard = affinity.requiredDuringSchedulingIgnoredDuringExecution;
  if (hard) validateNodeSelector(out, `${field}.requiredDuringSchedulingIgnoredDuringExecution`, hard);
  (affinity.preferredDuringSchedulingIgnoredDuringExecution ?? []).forEach((term, i) => {
    const at = `${field}.preferredDuringSchedulingIgnoredDuringExecution[${i}]`;
    if (term.weight <= 0 || term.weight > 100) out.push(invalidValue(`${at}.weight`, term.weight, WEIGHT_ERROR));
    validateNodeTerm(out, `${at}.preference`, term.preference, false);
  });
}

function validateLabelKeys(out: Errors, field: string, keys: readonly string[] | undefined, selector: LabelSelector | undefined): void {
  if (!keys?.length) return;
  if (!selector) return void out.push(forbiddenField(field, "must not be specified when labelSelector is not set"));
  keys.forEach((key, i) => reasons(out, `${field}[${i}]`, key, isQualifiedName(key)));
}

/** A key may be chosen by one of the two only: expressions that repeat what `matchLabels` or an expression before them say. Upstream forgets the field's name. */
function validateRepeatedKeys(out: Errors, field: string, keys: readonly string[] | undefined, selector: LabelSelector | undefined): void {
  if (!selector || !keys?.length) return;
  const seen = new Set(Object.keys(selector.matchLabels ?? {}));
  for (const { key } of selector.matchExpressions ?? []) {
    if (keys.includes(key) && seen.has(key)) out.push(invalidValue(`${field}[${keys.lastIndexOf(key)}]`, key, "exists in both matchLabelKeys and labelSelector"));
    seen.add(key);
  }
}

function validatePodTerm(out: Errors, field: string, term: PodAffinityTerm): void {
  validateLabelSelector(out, `${field}.labelSelector`, term.labelSelector);
  validateLabelSelector(out, `${field}.namespaceSelector`, term.namespaceSelector);
  for (const name of term.namespaces ?? []) reasons(out, `${field}.namespace`, name, labelName(name, false));
  validateLabelKeys(out, `${field}.matchLabelKeys`, term.matchLabelKeys, term.labelSelector);
  validateLabelKeys(out, `${field}.mismatchLabelKeys`, term.mismatchLabelKeys, term.labelSelector);
  validateRepeatedKeys(out, field, term.matchLabelKeys, term.labelSelector);
  (term.matchLabelKeys ?? []).forEach((key, i) => {
    if (term.mismatchLabelKeys?.includes(key)) out.push(invalidValue(`${field}.matchLabelKeys[${i}]`, key, "exists in both matchLabelKeys and mismatchLabelKeys"));
  });
  if (!term.topologyKey) out.push(required(`${field}.topologyKey`, "can not be empty"));
  reasons(out, `${field}.topologyKey`, term.topologyKey ?? "", isQualifiedName(term.topologyKey ?? ""));
}

function validatePodAffinity(out: Errors, field: string, affinity: PodAffinity): void {
  (affinity.requiredDuringSchedulingIgnoredDuringExecution ?? []).forEach((term, i) => validatePodTerm(out, `${field}.requiredDuringSchedulingIgnoredDuringExecution[${i}]`, term));
  (affinity.preferredDuringSchedulingIgnoredDuringExecution ?? []).forEach((term, i) => {
    const at = `${field}.preferredDuringSchedulingIgnoredDuringExecution[${i}]`;
    if (term.weight <= 0 || term.weight > 100) out.push(invalidValue(`${at}.weight`, term.weight, WEIGHT_ERROR));
    validatePodTerm(out, `${at}.podAffinityTerm`, term.podAffinityTerm);
  });
}

export function validateAffinity(out: Errors, field: string, affinity: PodSpec["affinity"]): void {
  if (affinity?.nodeAffinity) validateNodeAffinity(out, `${field}.nodeAffinity`, affinity.nodeAffinity);
  if (affinity?.podAffinity) validatePodAffinity(out, `${field}.podAffinity`, affinity.podAffinity);
  if (affinity?.podAntiAffinity) validatePodAffinity(out, `${field}.podAntiAffinity`, affinity.podAntiAffinity);
}

const SPREAD_ACTIONS = ["DoNotSchedule", "ScheduleAnyway"];

export function validateTopologySpread(out: Errors, field: string, constraints: readonly TopologySpreadConstraint[] | undefined): void {
  (constraints ?? []).forEach((c, i) => {
    const at = `${field}[${i}]`;
    if ((c.maxSkew ?? 0) <= 0) out.push(invalidValue(`${at}.maxSkew`, c.maxSkew ?? 0, "must be greater than zero"));
    if (!c.topologyKey) out.push(required(`${at}.topologyKey`, "can not be empty"));
    if (!SPREAD_ACTIONS.includes(c.whenUnsatisfiable)) out.push(unsupported(`${at}.whenUnsatisfiable`, c.whenUnsatisfiable ?? "", SPREAD_ACTIONS));
    const repeated = (constraints ?? []).slice(i + 1).some((d) => d.topologyKey === c.topologyKey && d.whenUnsatisfiable === c.whenUnsatisfiable);
    if (repeated) out.push(duplicate(`${at}.{topologyKey, whenUnsatisfiable}`, `{${c.topologyKey}, ${c.whenUnsatisfiable}}`));
    validateMinDomains(out, `${at}.minDomains`, c);
    for (const key of ["nodeAffinityPolicy", "nodeTaintsPolicy"] as const) {
      const policy = c[key];
      if (policy !== undefined && policy !== "Honor" && policy !== "Ignore") out.push(unsupported(`${at}.${key}`, policy, ["Honor", "Ignore"]));
    }
    validateLabelKeys(out, `${at}.matchLabelKeys`, c.matchLabelKeys, c.labelSelector);
    validateRepeatedKeys(out, at, c.matchLabelKeys, c.labelSelector);
    validateLabelSelector(out, `${at}.labelSelector`, c.labelSelector);
  });
}

function validateMinDomains(out: Errors, field: string, { minDomains, whenUnsatisfiable }: TopologySpreadConstraint): void {
  if (minDomains === undefined) return;
  if (minDomains <= 0) out.push(invalidValue(field, minDomains, "must be greater than zero"));
  if (whenUnsatisfiable !== "DoNotSchedule") out.push(invalidValue(field, minDomains, `can only use minDomains if whenUnsatisfiable=DoNotSchedule, not ${whenUnsatisfiable}`));
}

export function validateSchedulingGates(out: Errors, field: string, gates: PodSpec["schedulingGates"]): void {
  const seen = new Set<string>();
  (gates ?? []).forEach(({ name }, i) => {
    reasons(out, `${field}[${i}]`, name, isQualifiedName(name));
    if (seen.has(name)) out.push(duplicate(`${field}[${i}]`, name));
    seen.add(name);
  });
}
