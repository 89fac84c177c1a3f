import { describe, expect, test } from "vitest";
import type { HorizontalPodAutoscaler } from "../../generated/types.ts";
import { kindFor, stored, tryCreate, tryUpdate } from "../testing.ts";
import { toV1, toV2 } from "./conversion.ts";

const target = { apiVersion: "apps/v1", kind: "Deployment", name: "d" };
const autoscaler = (spec: object = {}) => ({ metadata: { name: "h" }, spec: { scaleTargetRef: target, maxReplicas: 2, ...spec } });
const [v1, v2] = [kindFor("autoscaling/v1", "HorizontalPodAutoscaler"), kindFor("autoscaling/v2", "HorizontalPodAutoscaler")];
const pods = { type: "Pods", pods: { metric: { name: "queue" }, target: { type: "AverageValue", averageValue: "10" } } };

test("v1 without a metric asks for the default one", () => {
  expect(stored(v1, autoscaler())).toMatchObject({ spec: { minReplicas: 1, targetCPUUtilizationPercentage: 80 } });
});

test("what v1 has no fields for stands in annotations, and comes back", () => {
  const spec = { metrics: [pods], behavior: { scaleUp: { stabilizationWindowSeconds: 5 } } };
  const object = stored(v2, autoscaler(spec)) as unknown as Parameters<typeof toV1>[0];
  const seen = toV1(object);
  expect(seen.spec).toEqual({ scaleTargetRef: target, minReplicas: 1, maxReplicas: 2 });
  expect(seen.metadata.annotations).toEqual({
    "autoscaling.alpha.kubernetes.io/metrics": '[{"type":"Pods","pods":{"metricName":"queue","targetAverageValue":"10"}}]',
    "autoscaling.alpha.kubernetes.io/behavior":
      '{"ScaleUp":{"StabilizationWindowSeconds":5,"SelectPolicy":"Max","Policies":[{"Type":"Pods","Value":4,"PeriodSeconds":15},{"Type":"Percent","Value":100,"PeriodSeconds":15}],"Tolerance":null},'
      + '"ScaleDown":{"StabilizationWindowSeconds":null,"SelectPolicy":"Max","Policies":[{"Type":"Percent","Value":100,"PeriodSeconds":15}],"Tolerance":null}}',
  });
  expect(toV2(seen).spec).toEqual(object.spec);
});

test("annotations that can't be read say nothing", () => {
  const odd = { ...autoscaler(), metadata: { name: "h", annotations: { "autoscaling.alpha.kubernetes.io/metrics": "{", "autoscaling.alpha.kubernetes.io/behavior": "1", mine: "x" } } };
  expect(toV2(odd as HorizontalPodAutoscaler)).toMatchObject({ metadata: { annotations: { mine: "x" } }, spec: { metrics: [{ type: "Resource" }] } });
});

describe("create refuses", () => {
  test.each([
    { name: "an unknown metric", kind: v2, spec: { metrics: [{ type: "Luck" }] }, want: [...Array(2)].map(() => 'spec.metrics[0].type: Unsupported value: "Luck": supported values: "ContainerResource", "External", "Object", "Pods", "Resource"') },
    { name: "a target in the core group that is no controller", kind: v2, spec: { scaleTargetRef: { apiVersion: "v1", kind: "Pod", name: "p" } }, want: ['spec.scaleTargetRef.apiVersion: Invalid value: "v1": apiVersion must specify API group'] },
    { name: "nothing to start from", kind: v2, spec: { minReplicas: 0 }, want: ["spec.minReplicas: Invalid value: 0: must be greater than or equal to 1", "spec.metrics: Forbidden: must specify at least one Object or External metric to support scaling to zero replicas"] },
    { name: "v1's metric under the name of v2's field", kind: v1, spec: { targetCPUUtilizationPercentage: -1 }, want: ["spec.metrics[0].resource.target.averageUtilization: Invalid value: -1: must be greater than 0"] },
  ])("$name", ({ kind, spec, want }) => {
    expect(tryCreate(kind, autoscaler(spec)).errors).toEqual(want);
  });
});

test("what annotations of v1 say of a status is kept or dropped with it", () => {
  const old = stored(v1, autoscaler());
  const status = { currentReplicas: 1, desiredReplicas: 1, currentCPUUtilizationPercentage: 5 };
  const change = (draft: Record<string, unknown>) => Object.assign(draft, { status });
  expect(tryUpdate(v1, old, change).object.metadata.annotations).toBeUndefined();
  expect(tryUpdate(v1, old, change, "status").object).toMatchObject({ metadata: { annotations: { "autoscaling.alpha.kubernetes.io/current-metrics": expect.any(String) } }, status });
});

test("a row shows two metrics and counts the rest", () => {
  const object = stored(v2, autoscaler({ metrics: [pods, { type: "Resource", resource: { name: "cpu", target: { type: "Utilization", averageUtilization: 50 } } }, pods] }));
  expect(v2.printer.cells(object, 0)[2]).toBe("<unknown>/10, cpu: <unknown>/50% + 1 more...");
});
