import { expect, test } from "vitest";
import type { Job, Pod } from "../../api/generated/types.ts";
import type { Stored } from "../../api/object.ts";
import { hasFailed, isOver, logSources, type RunState, seenKey, type Target, verdictsOf } from "./outcome.ts";

const job = (type?: string, reason = "R", message = "M") => ({ status: type === undefined ? {} : { conditions: [{ type, status: "True", reason, message }] } }) as unknown as Stored<Job>;
const pod = (phase: string, reason?: string) => ({ status: { phase, reason } }) as unknown as Stored<Pod>;

function state(target: Target, object: Stored<Job> | Stored<Pod> | undefined, seen = true): RunState {
  const key = `${target.namespace}/${target.name}`;
  const entries = object ? [[key, object] as const] : [];
  return {
    jobs: new Map(target.kind === "Job" ? (entries as [string, Stored<Job>][]) : []),
    pods: new Map(target.kind === "Pod" ? (entries as [string, Stored<Pod>][]) : []),
    seen: new Set(seen ? [seenKey(target.kind, key)] : []),
  };
}
const target = (kind: Target["kind"]): Target => ({ kind, namespace: "default", name: "x" });

test.each([
  { name: "a Job not seen yet still runs", kind: "Job" as const, object: undefined, seen: false, want: { kind: "running" }, over: false },
  { name: "a Job that was there and is not is gone", kind: "Job" as const, object: undefined, seen: true, want: { kind: "gone" }, over: true },
  { name: "a Job without a final condition runs", kind: "Job" as const, object: job(), seen: true, want: { kind: "running" }, over: false },
  { name: "FailureTarget is not the end yet", kind: "Job" as const, object: job("FailureTarget"), seen: true, want: { kind: "running" }, over: false },
  { name: "Complete is complete", kind: "Job" as const, object: job("Complete"), seen: true, want: { kind: "complete" }, over: true },
  { name: "Failed tells its reason", kind: "Job" as const, object: job("Failed", "BackoffLimitExceeded", "too often"), seen: true, want: { kind: "failed", reason: "BackoffLimitExceeded", message: "too often" }, over: true },
  { name: "a Pending pod runs", kind: "Pod" as const, object: pod("Pending"), seen: true, want: { kind: "running" }, over: false },
  { name: "a Succeeded pod is complete", kind: "Pod" as const, object: pod("Succeeded"), seen: true, want: { kind: "complete" }, over: true },
  { name: "a Failed pod failed", kind: "Pod" as const, object: pod("Failed", "Evicted"), seen: true, want: { kind: "failed", reason: "Evicted", message: "" }, over: true },
])("$name", ({ kind, object, seen, want, over }) => {
  const verdicts = verdictsOf([target(kind)], state(target(kind), object, seen));
  expect(verdicts[0]?.verdict).toEqual(want);
  expect(isOver(verdicts)).toBe(over);
  expect(hasFailed(verdicts)).toBe(want.kind !== "complete");
});

test.each([
  { name: "one Job with one container", objects: [{ spec: { template: { spec: { containers: [{}] } } } }], want: 1 },
  { name: "parallel pods", objects: [{ spec: { completions: 3, parallelism: 2, template: { spec: { containers: [{}] } } } }], want: 3 },
  { name: "a work queue", objects: [{ spec: { parallelism: 4, template: { spec: { containers: [{}] } } } }], want: 4 },
  { name: "two containers", objects: [{ spec: { containers: [{}], initContainers: [{}] } }], want: 2 },
  { name: "two objects", objects: [{ spec: { containers: [{}] } }, { spec: { containers: [{}] } }], want: 2 },
])("$name: logs of $want sources", ({ objects, want }) => {
  expect(logSources(objects.map((object) => ({ object })))).toBe(want);
});
