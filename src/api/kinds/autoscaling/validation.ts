/**
 * What an autoscaler may ask for: its metrics, their targets, and the rules of its steps.
 * Follows kubernetes pkg/apis/autoscaling/validation/validation.go.
 */
import { table } from "../../../base/own.ts";
import { forbiddenField, invalidValue, required } from "../../field-error.ts";
import type { V2CrossVersionObjectReference, V2HorizontalPodAutoscaler, V2HPAScalingRules, V2MetricSpec, V2MetricTarget } from "../../generated/types.ts";
import { isDns1123Label, isPathSegmentName } from "../../names.ts";
import { canonicalQuantity, quantitySign } from "../../quantity.ts";
import { type Errors, NOT_NEGATIVE, reasons, unsupported } from "../../validation/fields.ts";
import { validateContainerResourceName } from "../pod/resources.ts";

const PERIOD_SECONDS_MAX = 1800;
const WINDOW_SECONDS_MAX = 3600;
const METRIC_TYPES = ["ContainerResource", "External", "Object", "Pods", "Resource"];
const SOURCE_OF: Readonly<Record<string, SourceKey>> = table({ Object: "object", Pods: "pods", Resource: "resource", External: "external", ContainerResource: "containerResource" });

type SourceKey = "object" | "external" | "pods" | "resource" | "containerResource";

/** What a reference may leave out: stored objects may hold more than new ones. */
interface ReferenceRules {
  readonly anyApiVersion: boolean;
  readonly coreGroup: boolean;
}

function pathSegment(out: Errors, field: string, value: string | undefined): void {
  if (!value) out.push(required(field));
  else reasons(out, field, value, isPathSegmentName(value, false));
}

function apiVersionError({ apiVersion = "" }: V2CrossVersionObjectReference, coreGroup: boolean): string | undefined {
  const parts = apiVersion.split("/");
  if (parts.length > 2) return `unexpected GroupVersion string: ${apiVersion}`;
  return !coreGroup && (parts.length < 2 || parts[0] === "") ? "apiVersion must specify API group" : undefined;
}

function validateReference(out: Errors, field: string, ref: V2CrossVersionObjectReference, { anyApiVersion, coreGroup }: ReferenceRules): void {
  pathSegment(out, `${field}.kind`, ref.kind);
  pathSegment(out, `${field}.name`, ref.name);
  const error = anyApiVersion ? undefined : apiVersionError(ref, coreGroup);
  if (error !== undefined) out.push(invalidValue(`${field}.apiVersion`, ref.apiVersion ?? "", error));
}

function validateIdentifier(out: Errors, field: string, name: string | undefined): void {
  if (!name) out.push(required(`${field}.name`, "must specify a metric name"));
  else reasons(out, `${field}.name`, name, isPathSegmentName(name, false));
}

function validateTarget(out: Errors, field: string, target: V2MetricTarget): void {
  const { type, value, averageValue, averageUtilization } = target;
  if (type === "") out.push(required(`${field}.type`, "must specify a metric target type"));
  if (type !== "Utilization" && type !== "Value" && type !== "AverageValue") out.push(invalidValue(`${field}.type`, type, "must be either Utilization, Value, or AverageValue"));
  if (value !== undefined && quantitySign(value) !== 1) out.push(invalidValue(`${field}.value`, canonicalQuantity(value), "must be positive"));
  if (averageValue !== undefined && quantitySign(averageValue) !== 1) out.push(invalidValue(`${field}.averageValue`, canonicalQuantity(averageValue), "must be positive"));
  if (averageUtilization !== undefined && averageUtilization < 1) out.push(invalidValue(`${field}.averageUtilization`, averageUtilization, "must be greater than 0"));
}

/** Of a resource: a raw value or a utilisation, not both. */
function validateUtilization(out: Errors, field: string, target: V2MetricTarget): void {
  validateTarget(out, field, target);
  const { averageUtilization, averageValue } = target;
  if (averageUtilization === undefined && averageValue === undefined) out.push(required(`${field}.averageUtilization`, "must set either a target raw value or a target utilization"));
  if (averageUtilization !== undefined && averageValue !== undefined) out.push(forbiddenField(`${field}.averageValue`, "may not set both a target raw value and a target utilization"));
}

type SourceCheck = (out: Errors, field: string, metric: V2MetricSpec, rules: ReferenceRules) => void;
const NO_TARGET: V2MetricTarget = { type: "" };

/** In the order in which upstream looks for them. */
const SOURCES: Readonly<Record<SourceKey, SourceCheck>> = {
  object(out, field, { object }, rules) {
    const target = object?.target ?? NO_TARGET;
    validateReference(out, `${field}.describedObject`, object?.describedObject ?? { kind: "", name: "" }, rules);
    validateIdentifier(out, `${field}.metric`, object?.metric?.name);
    validateTarget(out, `${field}.target`, target);
    if (target.value === undefined && target.averageValue === undefined) out.push(required(`${field}.target.averageValue`, "must set either a target value or averageValue"));
  },
  external(out, field, { external }) {
    const target = external?.target ?? NO_TARGET;
    validateIdentifier(out, `${field}.metric`, external?.metric?.name);
    validateTarget(out, `${field}.target`, target);
    if (target.value === undefined && target.averageValue === undefined) out.push(required(`${field}.target.averageValue`, "must set either a target value for metric or a per-pod target"));
    if (target.value !== undefined && target.averageValue !== undefined) out.push(forbiddenField(`${field}.target.value`, "may not set both a target value for metric and a per-pod target"));
  },
  pods(out, field, { pods }) {
    validateIdentifier(out, `${field}.metric`, pods?.metric?.name);
    validateTarget(out, `${field}.target`, pods?.target ?? NO_TARGET);
    if (pods?.target?.averageValue === undefined) out.push(required(`${field}.target.averageValue`, "must specify a positive target averageValue"));
  },
  resource(out, field, { resource }) {
    if (!resource?.name) out.push(required(`${field}.name`, "must specify a resource name"));
    validateUtilization(out, `${field}.target`, resource?.target ?? NO_TARGET);
  },
  containerResource(out, field, { containerResource: source }) {
    if (!source?.name) out.push(required(`${field}.name`, "must specify a resource name"));
    else validateContainerResourceName(out, `${field}.name`, source.name);
    if (!source?.container) out.push(required(`${field}.container`, "must specify a container"));
    else reasons(out, `${field}.container`, source.container, isDns1123Label(source.container));
    validateUtilization(out, `${field}.target`, source?.target ?? NO_TARGET);
  },
};

function validateMetric(out: Errors, field: string, metric: V2MetricSpec, rules: ReferenceRules): void {
  const { type } = metric;
  const wrongType = unsupported(`${field}.type`, type, METRIC_TYPES);
  const expected = SOURCE_OF[type];
  if (type === "") out.push(required(`${field}.type`, "must specify a metric source type"));
  if (expected === undefined) out.push(wrongType);
  const present = (Object.keys(SOURCES) as SourceKey[]).filter((key) => metric[key] !== undefined);
  const [first] = present;
  if (first) SOURCES[first](out, `${field}.${first}`, metric, rules);
  if (expected === undefined) out.push(wrongType);
  else if (!present.includes(expected)) out.push(required(`${field}.${expected}`, "must populate information for the given metric source"));
  if (present.length === 1) return;
  for (const key of present) if (key !== expected) out.push(forbiddenField(`${field}.${key}`, "must populate the given metric source only"));
}

const SELECT_POLICIES = ["Disabled", "Max", "Min"];

function validateRules(out: Errors, field: string, rules: V2HPAScalingRules | undefined): void {
  if (!rules) return;
  const { stabilizationWindowSeconds: window, selectPolicy, policies = [], tolerance } = rules;
  if (window !== undefined && window < 0) out.push(invalidValue(`${field}.stabilizationWindowSeconds`, window, "must be greater than or equal to zero"));
  if (window !== undefined && window > WINDOW_SECONDS_MAX) out.push(invalidValue(`${field}.stabilizationWindowSeconds`, window, `must be less than or equal to ${WINDOW_SECONDS_MAX}`));
  if (selectPolicy !== undefined && !SELECT_POLICIES.includes(selectPolicy)) out.push(unsupported(`${field}.selectPolicy`, selectPolicy, SELECT_POLICIES));
  if (policies.length === 0) out.push(required(`${field}.policies`, "must specify at least one Policy"));
  policies.forEach(({ type, value, periodSeconds }, i) => {
    const at = `${field}.policies[${i}]`;
    if (type !== "Pods" && type !== "Percent") out.push(unsupported(`${at}.type`, type ?? "", ["Percent", "Pods"]));
    if ((value ?? 0) <= 0) out.push(invalidValue(`${at}.value`, value ?? 0, "must be greater than zero"));
    if ((periodSeconds ?? 0) <= 0) out.push(invalidValue(`${at}.periodSeconds`, periodSeconds ?? 0, "must be greater than zero"));
    if ((periodSeconds ?? 0) > PERIOD_SECONDS_MAX) out.push(invalidValue(`${at}.periodSeconds`, periodSeconds, `must be less than or equal to ${PERIOD_SECONDS_MAX}`));
  });
  if (tolerance !== undefined && quantitySign(tolerance) < 0) out.push(invalidValue(`${field}.tolerance`, canonicalQuantity(tolerance), NOT_NEGATIVE));
}

const NO_REFERENCE: V2CrossVersionObjectReference = { kind: "", name: "" };

/** Looks again only at what is new. */
function rulesFor(o: V2HorizontalPodAutoscaler, old: V2HorizontalPodAutoscaler | undefined): { readonly target: ReferenceRules; readonly metrics: ReferenceRules } {
  const [ref, before] = [o.spec?.scaleTargetRef ?? NO_REFERENCE, old?.spec?.scaleTargetRef ?? NO_REFERENCE];
  const same = old !== undefined && ref.apiVersion === before.apiVersion && ref.kind === before.kind;
  const wrong = (m: V2MetricSpec) => m.type === "Object" && m.object !== undefined && apiVersionError(m.object.describedObject ?? NO_REFERENCE, true) !== undefined;
  return {
    target: { anyApiVersion: same, coreGroup: !same && ref.kind === "ReplicationController" },
    metrics: { anyApiVersion: old?.spec?.metrics?.some(wrong) ?? false, coreGroup: true },
  };
}

export function validateAutoscaler(out: Errors, o: V2HorizontalPodAutoscaler, old?: V2HorizontalPodAutoscaler): void {
  const { minReplicas, maxReplicas, scaleTargetRef, metrics = [], behavior } = o.spec ?? { maxReplicas: 0, scaleTargetRef: NO_REFERENCE };
  const least = old?.spec?.minReplicas === 0 ? 0 : 1;
  const { target, metrics: metricRules } = rulesFor(o, old);
  if (minReplicas !== undefined && minReplicas < least) out.push(invalidValue("spec.minReplicas", minReplicas, `must be greater than or equal to ${least}`));
  if (maxReplicas === 0) out.push(required("spec.maxReplicas", "must be set and greater than 0"));
  else if (maxReplicas < 0) out.push(invalidValue("spec.maxReplicas", maxReplicas, "must be greater than or equal to 1"));
  if (minReplicas !== undefined && maxReplicas < minReplicas) out.push(invalidValue("spec.maxReplicas", maxReplicas, "must be greater than or equal to `minReplicas`"));
  validateReference(out, "spec.scaleTargetRef", scaleTargetRef ?? NO_REFERENCE, target);
  metrics.forEach((metric, i) => validateMetric(out, `spec.metrics[${i}]`, metric, metricRules));
  const scalesFromZero = metrics.some((m) => m.type === "Object" || m.type === "External");
  if (minReplicas === 0 && !scalesFromZero) out.push(forbiddenField("spec.metrics", "must specify at least one Object or External metric to support scaling to zero replicas"));
  validateRules(out, "spec.behavior.scaleUp", behavior?.scaleUp);
  validateRules(out, "spec.behavior.scaleDown", behavior?.scaleDown);
}
