/**
 * An autoscaler of autoscaling/v1 made one of v2, and back: v1 knows one metric (the use of processors); what it has no fields for stands in annotations as
 * JSON. Upstream's internal type is v2's in all but its spelling.
 * Follows kubernetes pkg/apis/autoscaling/v1/conversion.go and pkg/apis/autoscaling/annotations.go.
 */
import { table } from "../../../base/own.ts";
import type { HorizontalPodAutoscaler, V2HorizontalPodAutoscaler, V2MetricSpec, V2MetricStatus } from "../../generated/types.ts";
import { quantitySign } from "../../quantity.ts";
import { convert, ConvertError } from "../../schema/convert.ts";
import { structOf } from "../../schema/schema.ts";
import { goSpelled } from "../go-spelling.ts";

type Fields = Readonly<Record<string, unknown>>;
type StringMap = Readonly<Record<string, string>>;

const PREFIX = "autoscaling.alpha.kubernetes.io/";
const METRICS = `${PREFIX}metrics`;
const STATUSES = `${PREFIX}current-metrics`;
const CONDITIONS = `${PREFIX}conditions`;
const BEHAVIOR = `${PREFIX}behavior`;
/** Annotations that are fields in the other version. */
export const ROUND_TRIP: readonly string[] = [METRICS, STATUSES, CONDITIONS, BEHAVIOR, `${PREFIX}scale-down-tolerance`, `${PREFIX}scale-up-tolerance`];

const V2 = "io.k8s.api.autoscaling.v2.";
const DEFAULT_CPU = { type: "Resource", resource: { name: "cpu", target: { type: "Utilization", averageUtilization: 80 } } };

/** A field of v1's source of a metric, where v2 has it, and whether it is always printed. */
type Row = readonly [v1: string, v2: readonly [string, string?], always?: "text" | "quantity" | "reference"];
const SOURCES: Readonly<Record<string, readonly Row[]>> = table({
  object: [["target", ["describedObject"], "reference"], ["metricName", ["metric", "name"], "text"], ["targetValue", ["target", "value"], "quantity"], ["selector", ["metric", "selector"]], ["averageValue", ["target", "averageValue"]]],
  pods: [["metricName", ["metric", "name"], "text"], ["targetAverageValue", ["target", "averageValue"], "quantity"], ["selector", ["metric", "selector"]]],
  resource: [["name", ["name"], "text"], ["targetAverageUtilization", ["target", "averageUtilization"]], ["targetAverageValue", ["target", "averageValue"]]],
  containerResource: [["name", ["name"], "text"], ["targetAverageUtilization", ["target", "averageUtilization"]], ["targetAverageValue", ["target", "averageValue"]], ["container", ["container"], "text"]],
  external: [["metricName", ["metric", "name"], "text"], ["metricSelector", ["metric", "selector"]], ["targetValue", ["target", "value"]], ["targetAverageValue", ["target", "averageValue"]]],
});
const STATUS_SOURCES: Readonly<Record<string, readonly Row[]>> = table({
  object: [["target", ["describedObject"], "reference"], ["metricName", ["metric", "name"], "text"], ["currentValue", ["current", "value"], "quantity"], ["selector", ["metric", "selector"]], ["averageValue", ["current", "averageValue"]]],
  pods: [["metricName", ["metric", "name"], "text"], ["currentAverageValue", ["current", "averageValue"], "quantity"], ["selector", ["metric", "selector"]]],
  resource: [["name", ["name"], "text"], ["currentAverageUtilization", ["current", "averageUtilization"]], ["currentAverageValue", ["current", "averageValue"], "quantity"]],
  containerResource: [["name", ["name"], "text"], ["currentAverageUtilization", ["current", "averageUtilization"]], ["currentAverageValue", ["current", "averageValue"], "quantity"], ["container", ["container"], "text"]],
  external: [["metricName", ["metric", "name"], "text"], ["metricSelector", ["metric", "selector"]], ["currentValue", ["current", "value"], "quantity"], ["currentAverageValue", ["current", "averageValue"]]],
});

const ZERO = { text: "", quantity: "0", reference: { kind: "", name: "" } };

const isFields = (v: unknown): v is Fields => typeof v === "object" && v !== null && !Array.isArray(v);
const at = (v: unknown, key: string): unknown => (isFields(v) ? v[key] : undefined);
const defined = (entries: readonly (readonly [string, unknown])[]): Record<string, unknown> => Object.fromEntries(entries.filter(([, value]) => value !== undefined && value !== null));

function sourceToV1(rows: readonly Row[], source: unknown): Fields {
  return defined(rows.map(([name, [first, second], always]) => [name, (second === undefined ? at(source, first) : at(at(source, first), second)) ?? (always && ZERO[always])]));
}

function sourceToV2(rows: readonly Row[], source: unknown): Record<string, Record<string, unknown>> {
  const out: Record<string, unknown> = {};
  for (const [name, [first, second], always] of rows) {
    const value = at(source, name) ?? (always && ZERO[always]);
    if (value === undefined) continue;
    if (second === undefined) out[first] = value;
    else out[first] = { ...(out[first] as object | undefined), [second]: value };
  }
  return out as Record<string, Record<string, unknown>>;
}

function metricToV1(tables: Readonly<Record<string, readonly Row[]>>, metric: V2MetricSpec | V2MetricStatus): Fields {
  const sources = ["object", "pods", "resource", "containerResource", "external"].map((key) => [key, at(metric, key) && sourceToV1(tables[key] ?? [], at(metric, key))] as const);
  return { type: metric.type ?? "", ...defined(sources) };
}

/** What a target of v1 says by what it leaves out. */
function targetOf(key: string, target: Fields): Fields {
  const { value, averageValue, averageUtilization } = target;
  if (key === "pods") return { type: "AverageValue", ...target };
  if (key === "external") return { type: value === undefined ? "AverageValue" : "Value", ...target };
  if (key !== "object") return { type: averageUtilization === undefined ? "AverageValue" : "Utilization", ...target };
  if (averageValue === undefined) return { type: "Value", ...target };
  const { value: _value, ...rest } = target;
  return { type: "AverageValue", ...(quantitySign(value as string) === 0 ? rest : target) };
}

function metricToV2(tables: Readonly<Record<string, readonly Row[]>>, metric: Fields): Fields {
  const out: Record<string, unknown> = { type: metric["type"] ?? "" };
  for (const [key, rows] of Object.entries(tables)) {
    if (!isFields(metric[key])) continue;
    const source = sourceToV2(rows, metric[key]);
    out[key] = tables === SOURCES ? { ...source, target: targetOf(key, source["target"] ?? {}) } : source;
  }
  return out;
}

const isCpu = (m: V2MetricSpec): boolean => m.type === "Resource" && m.resource?.name === "cpu" && m.resource.target?.averageUtilization !== undefined;

/** The annotations that mean something in both versions; undefined where there are none. */
export function withoutRoundTrip(annotations: StringMap | undefined): StringMap | undefined {
  if (!annotations || !ROUND_TRIP.some((key) => key in annotations)) return annotations;
  const kept = Object.keys(annotations).some((key) => !ROUND_TRIP.includes(key));
  if (!kept) return undefined;
  return Object.fromEntries(Object.entries(annotations).filter(([key]) => !ROUND_TRIP.includes(key)));
}

export function toV1(o: V2HorizontalPodAutoscaler): HorizontalPodAutoscaler {
  const { behavior, scaleTargetRef, minReplicas, maxReplicas } = o.spec ?? {};
  const { currentMetrics: metricsNow, conditions: conditionsNow, ...status } = o.status ?? { desiredReplicas: 0 };
  // Lists that are always printed are null where there is nothing.
  const [metrics, currentMetrics, conditions] = [o.spec?.metrics ?? [], metricsNow ?? [], conditionsNow ?? []];
  const cpu = metrics.find(isCpu)?.resource?.target.averageUtilization;
  const used = currentMetrics.findLast((m) => m.type === "Resource" && m.resource?.name === "cpu" && m.resource.current?.averageUtilization !== undefined)?.resource?.current.averageUtilization;
  const others = metrics.filter((m) => !isCpu(m)).map((m) => metricToV1(SOURCES, m));
  const added = {
    ...(others.length > 0 && { [METRICS]: JSON.stringify(others) }),
    ...(currentMetrics.length > 0 && { [STATUSES]: JSON.stringify(currentMetrics.map((m) => metricToV1(STATUS_SOURCES, m))) }),
    ...(behavior && { [BEHAVIOR]: goSpelled(`${V2}HorizontalPodAutoscalerBehavior`, behavior).text }),
    ...(conditions.length > 0 && { [CONDITIONS]: JSON.stringify(conditions) }),
  };
  const annotations = { ...withoutRoundTrip(o.metadata.annotations), ...added };
  const { annotations: _annotations, ...metadata } = o.metadata;
  return {
    kind: "HorizontalPodAutoscaler",
    apiVersion: "autoscaling/v1",
    metadata: { ...metadata, ...((o.metadata.annotations || Object.keys(added).length > 0) && { annotations }) },
    spec: { scaleTargetRef, ...(minReplicas !== undefined && { minReplicas }), maxReplicas, ...(cpu !== undefined && { targetCPUUtilizationPercentage: cpu }) },
    status: { currentReplicas: 0, ...status, ...(used !== undefined && { currentCPUUtilizationPercentage: used }) },
  };
}

const parsed = (text: string | undefined): unknown => {
  try {
    return text === undefined ? undefined : (JSON.parse(text) as unknown);
  } catch {
    return undefined;
  }
};

const listOf = (text: string | undefined): readonly Fields[] | undefined => {
  const value = parsed(text);
  return Array.isArray(value) && value.every(isFields) ? value : undefined;
};

/** Names as Go spells them, made those of JSON. */
function lowered(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(lowered);
  if (!isFields(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, v]) => [key.charAt(0).toLowerCase() + key.slice(1), lowered(v)]));
}

function behaviorOf(text: string | undefined): object | undefined {
  const value = lowered(parsed(text));
  if (!isFields(value)) return undefined;
  try {
    const { object } = convert(structOf(`${V2}HorizontalPodAutoscalerBehavior`), value);
    return Object.keys(object).length > 0 ? object : undefined;
  } catch (error) {
    if (error instanceof ConvertError) return undefined;
    throw error;
  }
}

export function toV2(o: HorizontalPodAutoscaler): V2HorizontalPodAutoscaler {
  const { annotations } = o.metadata;
  const { targetCPUUtilizationPercentage: cpu, ...spec } = o.spec ?? {};
  const { currentCPUUtilizationPercentage: used, ...status } = o.status ?? { desiredReplicas: 0 };
  const own = cpu === undefined ? [] : [{ type: "Resource", resource: { name: "cpu", target: { type: "Utilization", averageUtilization: cpu } } }];
  const others = (listOf(annotations?.[METRICS]) ?? []).map((m) => metricToV2(SOURCES, m));
  const metrics = [...others, ...own];
  const ownUse = used === undefined ? [] : [{ type: "Resource", resource: { name: "cpu", current: { averageUtilization: used } } }];
  const currentMetrics = listOf(annotations?.[STATUSES])?.map((m) => metricToV2(STATUS_SOURCES, m)) ?? ownUse;
  const conditions = listOf(annotations?.[CONDITIONS]);
  const behavior = behaviorOf(annotations?.[BEHAVIOR]);
  const kept = withoutRoundTrip(annotations);
  const { annotations: _annotations, ...metadata } = o.metadata;
  return {
    kind: "HorizontalPodAutoscaler",
    apiVersion: "autoscaling/v2",
    metadata: { ...metadata, ...(kept && { annotations: kept }) },
    spec: { ...spec, metrics: metrics.length > 0 ? metrics : [DEFAULT_CPU], ...(behavior && { behavior }) },
    status: { ...status, ...(currentMetrics.length > 0 && { currentMetrics }), ...(conditions && { conditions }) },
  } as unknown as V2HorizontalPodAutoscaler;
}
