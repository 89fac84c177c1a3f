/**
 * The kinds PriorityClass, RuntimeClass and PodDisruptionBudget.
 * Follows kubernetes pkg/apis/{scheduling,node,policy}/validation and their registries' strategies.
 */
import { table } from "../../base/own.ts";
import { duplicate, forbiddenField, invalidValue, required } from "../field-error.ts";
import type { PodDisruptionBudget, PriorityClass, RuntimeClass } from "../generated/types.ts";
import { labelName, subdomainName } from "../names.ts";
import { validateObjectMeta, validateObjectMetaUpdate } from "../object-meta.ts";
import { POD_DISRUPTION_BUDGETS, PRIORITY_CLASSES, type Resource } from "../resource.ts";
import { type Errors, immutable, nonNegative, reasons, unsupported } from "../validation/fields.ts";
import { validateConditions } from "../validation/conditions.ts";
import { selectorParses, validateLabels, validateLabelSelector } from "../validation/labels.ts";
import { atMost100Percent, intOrPercent } from "../validation/percent.ts";
import { defineKind } from "./define.ts";
import { goSpelled } from "./go-spelling.ts";
import type { Kind } from "./kind.ts";
import { validateResourceRequirements } from "./pod/resources.ts";
import { validateTolerations } from "./pod/scheduling.ts";
import { DEPRECATED_NODE_LABELS } from "./pod/warnings.ts";
import { ageCell } from "./printing.ts";

const USER_PRIORITY_MAX = 1_000_000_000;
/** The classes that every cluster has. */
export const SYSTEM_PRIORITIES: Readonly<Record<string, number>> = table({ "system-cluster-critical": 2_000_000_000, "system-node-critical": 2_000_001_000 });

/** Why a name that begins with `system-` is not one of the known classes. */
function systemClassError(o: PriorityClass, name: string): string | undefined {
  const value = SYSTEM_PRIORITIES[name];
  if (value === undefined) return `${name} is not a known system priority class`;
  if ((o.value ?? 0) !== value) return `value of ${name} PriorityClass must be ${value}`;
  return o.globalDefault ? `globalDefault of ${name} PriorityClass must be false` : undefined;
}

function validatePriorityClass(out: Errors, o: PriorityClass): void {
  const name = o.metadata.name ?? "";
  if (name.startsWith("system-")) {
    const error = systemClassError(o, name);
    if (error !== undefined) out.push(forbiddenField("metadata.name", `priority class names with 'system-' prefix are reserved for system use only. error: ${error}`));
  } else if ((o.value ?? 0) > USER_PRIORITY_MAX) out.push(forbiddenField("value", `maximum allowed value of a user defined priority is ${USER_PRIORITY_MAX}`));
  const policy = o.preemptionPolicy;
  if (policy === "") out.push(required("preemptionPolicy"));
  else if (policy !== undefined && policy !== "PreemptLowerPriority" && policy !== "Never") out.push(unsupported("preemptionPolicy", policy, ["PreemptLowerPriority", "Never"]));
}

export const priorityClassKind: Kind<PriorityClass> = defineKind<PriorityClass>({
  resource: PRIORITY_CLASSES,
  schema: "io.k8s.api.scheduling.v1.PriorityClass",
  printer: { cells: (o, now) => [o.metadata.name ?? "", o.value ?? 0, o.globalDefault ?? false, ageCell(o, now), o.preemptionPolicy ?? ""] },
  applyDefaults(draft) {
    draft.preemptionPolicy ??= "PreemptLowerPriority";
  },
  prepareCreate(draft) {
    draft.metadata.generation = 1;
  },
  keeps: (name) => (name in SYSTEM_PRIORITIES ? "this is a system priority class and cannot be deleted" : undefined),
  validate: validatePriorityClass,
  metaOnUpdate: "update",
  validateUpdate(out, o, old) {
    if ((o.value ?? 0) !== (old.value ?? 0)) out.push(forbiddenField("value", "may not be changed in an update."));
    immutable(out, "preemptionPolicy", o.preemptionPolicy ?? null, old.preemptionPolicy ?? null);
  },
});

const RUNTIME_CLASSES: Resource<RuntimeClass> = { group: "node.k8s.io", version: "v1", plural: "runtimeclasses", kind: "RuntimeClass", namespaced: false };

/** Its finalizers may have any name. */
function validateRuntimeClass(out: Errors, o: RuntimeClass): void {
  out.push(...validateObjectMeta(o.metadata, { namespaced: false, validateName: subdomainName, builtIn: false }));
  if (o.handler) reasons(out, "handler", o.handler, labelName(o.handler, false));
  else out.push(required("handler"));
  if (o.overhead) validateResourceRequirements(out, "overhead", { limits: o.overhead.podFixed ?? {} });
  const { nodeSelector, tolerations = [] } = o.scheduling ?? {};
  validateLabels(out, "scheduling.nodeSelector", nodeSelector);
  validateTolerations(out, "scheduling.tolerations", tolerations);
  const seen = new Set<string>();
  tolerations.forEach((toleration, i) => {
    const key = JSON.stringify([toleration.key ?? "", toleration.operator ?? "", toleration.value ?? "", toleration.effect ?? ""]);
    if (seen.has(key)) out.push(duplicate(`scheduling.tolerations[${i}]`, goSpelled("io.k8s.api.core.v1.Toleration", toleration)));
    seen.add(key);
  });
}

const runtimeClassWarnings = ({ scheduling }: RuntimeClass): readonly string[] =>
  Object.keys(scheduling?.nodeSelector ?? {}).flatMap((key) => {
    const text = DEPRECATED_NODE_LABELS[key];
    return text === undefined ? [] : [`scheduling.nodeSelector: ${text}`];
  });

export const runtimeClassKind: Kind<RuntimeClass> = defineKind<RuntimeClass>({
  resource: RUNTIME_CLASSES,
  schema: "io.k8s.api.node.v1.RuntimeClass",
  printer: { cells: (o, now) => [o.metadata.name ?? "", o.handler, ageCell(o, now)] },
  ownMetaOnCreate: true,
  validate: validateRuntimeClass,
  createWarnings: runtimeClassWarnings,
  metaOnUpdate: "own",
  validateUpdate(out, o, old) {
    validateRuntimeClass(out, o);
    out.push(...validateObjectMetaUpdate(o.metadata, old.metadata, false));
    immutable(out, "handler", o.handler ?? "", old.handler ?? "");
  },
  updateWarnings: runtimeClassWarnings,
  allowCreateOnUpdate: true,
  allowUnconditionalUpdate: false,
});

function validateCount(out: Errors, field: string, value: string | number | undefined): void {
  if (value === undefined) return;
  intOrPercent(out, field, value);
  atMost100Percent(out, field, value);
}

function validateBudget(out: Errors, { spec }: PodDisruptionBudget, allowInvalidValues: boolean): void {
  if (spec.minAvailable !== undefined && spec.maxUnavailable !== undefined) {
    out.push(invalidValue("spec", goSpelled("io.k8s.api.policy.v1.PodDisruptionBudgetSpec", spec), "minAvailable and maxUnavailable cannot be both set"));
  }
  validateCount(out, "spec.minAvailable", spec.minAvailable);
  validateCount(out, "spec.maxUnavailable", spec.maxUnavailable);
  validateLabelSelector(out, "spec.selector", spec.selector, { allowInvalidValues });
  const policy = spec.unhealthyPodEvictionPolicy;
  if (policy !== undefined && policy !== "AlwaysAllow" && policy !== "IfHealthyBudget") out.push(unsupported("spec.unhealthyPodEvictionPolicy", policy, ["AlwaysAllow", "IfHealthyBudget"]));
}

const orNone = (value: string | number | undefined): string => (value === undefined ? "N/A" : String(value));

export const podDisruptionBudgetKind: Kind<PodDisruptionBudget> = defineKind<PodDisruptionBudget>({
  resource: POD_DISRUPTION_BUDGETS,
  schema: "io.k8s.api.policy.v1.PodDisruptionBudget",
  printer: { cells: (o, now) => [o.metadata.name ?? "", orNone(o.spec?.minAvailable), orNone(o.spec?.maxUnavailable), o.status?.disruptionsAllowed ?? 0, ageCell(o, now)] },
  generation: "spec",
  // Its metadata meet the generic rules only.
  ownMetaOnCreate: true,
  validate: (out, o) => validateBudget(out, o, false),
  metaOnUpdate: "none",
  // A selector that was taken before its values were looked at stays.
  validateUpdate: (out, o, old) => validateBudget(out, o, old.spec.selector !== undefined && !selectorParses(old.spec.selector)),
  status: {
    meta: "none",
    validate(out, { status }) {
      validateConditions(out, "status.conditions", status?.conditions);
      for (const key of ["disruptionsAllowed", "currentHealthy", "desiredHealthy", "expectedPods"] as const) nonNegative(out, `status.${key}`, status?.[key]);
    },
  },
  allowUnconditionalUpdate: false,
});
