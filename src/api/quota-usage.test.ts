import { expect, test } from "vitest";
import { inScope } from "./quota-usage.ts";
import { PERSISTENT_VOLUME_CLAIMS, PODS } from "./resource.ts";

const quota = (scopeName: string, operator: string, values?: readonly string[]) => ({ metadata: { name: "q" }, spec: { scopeSelector: { matchExpressions: [{ scopeName, operator, ...(values && { values }) }] } } });

test.each([
  { of: "PriorityClass", operator: "NotIn", values: ["high"], name: "", want: true },
  { of: "PriorityClass", operator: "NotIn", values: ["high"], name: "high", want: false },
  { of: "PriorityClass", operator: "In", values: ["high"], name: "", want: false },
  { of: "VolumeAttributesClass", operator: "In", values: ["gold"], name: "gold", want: true },
  { of: "VolumeAttributesClass", operator: "Exists", name: "", want: false },
  { of: "VolumeAttributesClass", operator: "DoesNotExist", name: "", want: true },
])("$operator $values of $of takes in $name: $want", ({ of, operator, values, name, want }) => {
  const isPod = of === "PriorityClass";
  const object = { metadata: { name: "x" }, spec: isPod ? { containers: [], priorityClassName: name } : { volumeAttributesClassName: name } };
  expect(inScope(quota(of, operator, values), isPod ? PODS : PERSISTENT_VOLUME_CLAIMS, object)).toBe(want);
  expect(inScope(quota(of, operator, values), isPod ? PERSISTENT_VOLUME_CLAIMS : PODS, object)).toBe(false);
});
