/**
 * The kind HorizontalPodAutoscaler: stored as autoscaling/v2, and seen as v1 too.
 * Follows kubernetes pkg/registry/autoscaling/horizontalpodautoscaler/strategy.go, pkg/apis/autoscaling/v2/defaults.go and printers.go (formatHPAMetrics).
 */
import type { Instant } from "../../../base/clock.ts";
import type { HorizontalPodAutoscaler, V2HorizontalPodAutoscaler, V2HPAScalingRules, V2MetricSpec, V2MetricStatus } from "../../generated/types.ts";
import type { KubeObject } from "../../object.ts";
import { canonicalQuantity } from "../../quantity.ts";
import type { Resource } from "../../resource.ts";
import { nonNegative } from "../../validation/fields.ts";
import { defineKind, type StatusRules } from "../define.ts";
import type { Cell, Draft, Kind } from "../kind.ts";
import { ageCell } from "../printing.ts";
import { ROUND_TRIP, toV1, toV2, withoutRoundTrip } from "./conversion.ts";
import { validateAutoscaler } from "./validation.ts";

const resource = <T extends object>(version: string): Resource<T> => ({ group: "autoscaling", version, plural: "horizontalpodautoscalers", kind: "HorizontalPodAutoscaler", namespaced: true });

const SHOWN_MAX = 2;
const UNKNOWN = "<unknown>";

const shownQuantity = (value: string | number | undefined): string => (value === undefined ? "<nil>" : canonicalQuantity(value));
const percent = (value: number | undefined, otherwise: string): string => (value === undefined ? otherwise : `${value}%`);

/** Of one that has a value, or one for each pod. */
function shownValue(source: V2MetricSpec["external"] | V2MetricSpec["object"], status: V2MetricStatus["external"] | V2MetricStatus["object"]): string {
  const each = source?.target?.averageValue;
  if (each === undefined) return `${status ? shownQuantity(status.current?.value) : UNKNOWN}/${shownQuantity(source?.target?.value)}`;
  const now = status?.current?.averageValue;
  return `${now === undefined ? UNKNOWN : shownQuantity(now)}/${shownQuantity(each)} (avg)`;
}

function shownResource(source: V2MetricSpec["resource"], status: V2MetricStatus["resource"]): string {
  const { averageValue, averageUtilization } = source?.target ?? {};
  if (averageValue !== undefined) return `${source?.name ?? ""}: ${status ? shownQuantity(status.current?.averageValue) : UNKNOWN}/${shownQuantity(averageValue)}`;
  return `${source?.name ?? ""}: ${percent(status?.current?.averageUtilization, UNKNOWN)}/${percent(averageUtilization, "<auto>")}`;
}

function shownMetric(metric: V2MetricSpec, status: V2MetricStatus | undefined): string {
  switch (metric.type) {
    case "External": return shownValue(metric.external, status?.external);
    case "Object": return shownValue(metric.object, status?.object);
    case "Pods": return `${status?.pods ? shownQuantity(status.pods.current?.averageValue) : UNKNOWN}/${shownQuantity(metric.pods?.target?.averageValue)}`;
    case "Resource": return shownResource(metric.resource, status?.resource);
    case "ContainerResource": return shownResource(metric.containerResource, status?.containerResource);
    default: return "<unknown type>";
  }
}

function shownMetrics({ spec, status }: V2HorizontalPodAutoscaler): string {
  const metrics = spec?.metrics ?? [];
  if (metrics.length === 0) return "<none>";
  const shown = metrics.map((metric, i) => shownMetric(metric, status?.currentMetrics?.[i]));
  const text = shown.slice(0, SHOWN_MAX).join(", ");
  return shown.length > SHOWN_MAX ? `${text} + ${shown.length - SHOWN_MAX} more...` : text;
}

function cells(o: V2HorizontalPodAutoscaler, now: Instant): readonly Cell[] {
  const { scaleTargetRef, minReplicas, maxReplicas } = o.spec ?? {};
  return [
    o.metadata.name ?? "", `${scaleTargetRef?.kind ?? ""}/${scaleTargetRef?.name ?? ""}`, shownMetrics(o), minReplicas === undefined ? "<unset>" : String(minReplicas),
    maxReplicas ?? 0, o.status?.currentReplicas ?? 0, ageCell(o, now),
  ];
}

const UP: V2HPAScalingRules = { stabilizationWindowSeconds: 0, selectPolicy: "Max", policies: [{ type: "Pods", value: 4, periodSeconds: 15 }, { type: "Percent", value: 100, periodSeconds: 15 }] };
const DOWN: V2HPAScalingRules = { selectPolicy: "Max", policies: [{ type: "Percent", value: 100, periodSeconds: 15 }] };

/** Fills in what is left out, in place. */
function defaultRules(rules: Draft<V2HPAScalingRules>, defaults: V2HPAScalingRules): void {
  rules.selectPolicy ??= defaults.selectPolicy ?? "Max";
  if (defaults.stabilizationWindowSeconds !== undefined) rules.stabilizationWindowSeconds ??= defaults.stabilizationWindowSeconds;
  rules.policies ??= (defaults.policies ?? []).map((policy) => ({ ...policy }));
}

/** Annotations that are fields of the other version mean nothing in this one. */
function dropRoundTrip(metadata: Draft<KubeObject>["metadata"]): void {
  const kept = withoutRoundTrip(metadata.annotations);
  if (!kept) delete metadata.annotations;
  else if (kept !== metadata.annotations) metadata.annotations = { ...kept };
}

const status = <T extends V2HorizontalPodAutoscaler | HorizontalPodAutoscaler>(): StatusRules<T> => ({
  validate(out, o) {
    nonNegative(out, "status.currentReplicas", o.status?.currentReplicas);
    nonNegative(out, "status.desiredReplicas", o.status?.desiredReplicas);
  },
});

export const autoscalerKind: Kind<V2HorizontalPodAutoscaler> = defineKind<V2HorizontalPodAutoscaler>({
  resource: resource("v2"),
  schema: "io.k8s.api.autoscaling.v2.HorizontalPodAutoscaler",
  printer: { cells, hiddenAnnotations: ROUND_TRIP },
  applyDefaults(draft) {
    draft.spec ??= { maxReplicas: 0, scaleTargetRef: { kind: "", name: "" } };
    const { spec } = draft;
    spec.minReplicas ??= 1;
    if (!spec.metrics?.length) spec.metrics = [{ type: "Resource", resource: { name: "cpu", target: { type: "Utilization", averageUtilization: 80 } } }];
    if (spec.behavior) {
      defaultRules((spec.behavior.scaleUp ??= {}), UP);
      defaultRules((spec.behavior.scaleDown ??= {}), DOWN);
    }
    dropRoundTrip(draft.metadata);
  },
  validate: (out, o) => validateAutoscaler(out, o),
  metaOnUpdate: "update",
  validateUpdate: validateAutoscaler,
  status: status(),
});

/** Makes the draft what v1 shows of an object. */
function setV1(draft: Draft<HorizontalPodAutoscaler>, object: V2HorizontalPodAutoscaler): void {
  const { metadata, spec, status: shown } = toV1(object) as Draft<HorizontalPodAutoscaler>;
  if (metadata.annotations) draft.metadata.annotations = metadata.annotations;
  else delete draft.metadata.annotations;
  draft.spec = spec;
  if (shown) draft.status = shown;
}

const statusOf = ({ status: s }: V2HorizontalPodAutoscaler): Pick<V2HorizontalPodAutoscaler, "status"> => (s ? { status: s } : {});

export const autoscalerV1Kind: Kind<HorizontalPodAutoscaler> = defineKind<HorizontalPodAutoscaler>({
  resource: resource("v1"),
  schema: "io.k8s.api.autoscaling.v1.HorizontalPodAutoscaler",
  storedAs: { resource: autoscalerKind.resource, toStored: (o) => toV2(o), fromStored: (o) => toV1(o as unknown as V2HorizontalPodAutoscaler) },
  printer: { cells: (o, now) => cells(toV2(o), now), hiddenAnnotations: ROUND_TRIP },
  applyDefaults(draft) {
    draft.spec ??= { maxReplicas: 0, scaleTargetRef: { kind: "", name: "" } };
    if (!Object.isFrozen(draft.spec)) draft.spec.minReplicas ??= 1;
    // Through the other form, where there is always a metric, and back.
    setV1(draft, toV2(draft));
  },
  // What stands in annotations belongs to the spec or to the status, and so is kept or dropped with it.
  prepareCreate(draft) {
    const { status: _status, ...rest } = toV2(draft);
    setV1(draft, rest);
    delete draft.status;
  },
  prepareUpdate: (draft, old) => setV1(draft, { ...toV2(draft), ...statusOf(toV2(old)) }),
  validate: (out, o) => validateAutoscaler(out, toV2(o)),
  metaOnUpdate: "update",
  validateUpdate: (out, o, old) => validateAutoscaler(out, toV2(o), toV2(old)),
  status: { ...status<HorizontalPodAutoscaler>(), prepare: (draft, old) => setV1(draft, { ...toV2(draft), spec: toV2(old).spec }) },
});
