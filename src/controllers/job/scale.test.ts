import { describe, expect, test } from "vitest";
import { indexedJob, jobOf, podOf, type PodSketch } from "./builders.ts";
import { delayedPods, failsIndex, newlyFailedIndexes, newlySucceededIndexes, nextFailureCounts, pendingIndexes } from "./indexed-pods.ts";
import { parseIndexes } from "./indexes.ts";
import { boundRemoval, leastAdvancedFirst, podsToRemove, slowStart, wantedActive } from "./scale.ts";

const names = (pods: readonly { metadata: { name: string } }[]) => pods.map((p) => p.metadata.name);

describe("wantedActive", () => {
  test.each([
    { name: "one of one", spec: {}, succeeded: 0, active: 0, want: 1 },
    { name: "parallelism bounds it", spec: { completions: 5, parallelism: 2 }, succeeded: 1, active: 0, want: 2 },
    { name: "so does what is left", spec: { completions: 5, parallelism: 4 }, succeeded: 3, active: 0, want: 2 },
    { name: "nothing is left", spec: { completions: 5, parallelism: 4 }, succeeded: 6, active: 2, want: 0 },
    { name: "paused", spec: { completions: 5, parallelism: 0 }, succeeded: 0, active: 2, want: 0 },
    { name: "a work queue", spec: { parallelism: 3 }, succeeded: 0, active: 1, want: 3 },
    { name: "a work queue after the first success", spec: { parallelism: 3 }, succeeded: 1, active: 2, want: 2 },
  ])("$name", ({ spec, succeeded, active, want }) => expect(wantedActive(jobOf(spec), succeeded, active)).toBe(want));
});

describe("the order in which surplus pods go", () => {
  const sidecar = { name: "side", restartPolicy: "Always" };
  const sideStatus = (n: number) => ({ initContainerStatuses: [{ name: "side", image: "", imageID: "", ready: true, restartCount: n }, { name: "setup", image: "", imageID: "", ready: true, restartCount: 9 - n }] });
  test.each<{ name: string; first: PodSketch; second: PodSketch }>([
    { name: "unbound before bound", first: { phase: "Running", ready: true }, second: { node: "n" } },
    { name: "pending before running", first: { node: "n", phase: "Pending", ready: true }, second: { node: "n", phase: "Running" } },
    { name: "unknown before running", first: { node: "n", phase: "Unknown" }, second: { node: "n", phase: "Running" } },
    { name: "pending before unknown", first: { node: "n", phase: "Pending" }, second: { node: "n", phase: "Unknown" } },
    { name: "not ready before ready", first: { phase: "Running", ready: false, createdAt: 1 }, second: { phase: "Running", ready: true, createdAt: 9 } },
    { name: "ready most recently first", first: { phase: "Running", ready: true, readyAt: 9 }, second: { phase: "Running", ready: true, readyAt: 2 } },
    { name: "ready nobody knows since when first of all", first: { phase: "Running", ready: true }, second: { phase: "Running", ready: true, readyAt: 2 } },
    { name: "more restarts first", first: { restarts: 3, createdAt: 1 }, second: { restarts: 1, createdAt: 9 } },
    { name: "more restarts of sidecars first", first: { spec: { initContainers: [sidecar] }, status: sideStatus(3) }, second: { spec: { initContainers: [sidecar] }, status: sideStatus(1), createdAt: 9 } },
    { name: "newer first", first: { createdAt: 9 }, second: { createdAt: 1 } },
    { name: "the index plays no part", first: { createdAt: 9, index: 0 }, second: { createdAt: 1, index: 5 } },
  ])("$name", ({ first, second }) => {
    const [a, b] = [podOf({ uid: "a", ...first }), podOf({ uid: "b", ...second })];
    expect([b, a].sort(leastAdvancedFirst).map((p) => p.metadata.uid)).toEqual(["a", "b"]);
    expect(leastAdvancedFirst(a, b)).toBeLessThan(0);
    expect(leastAdvancedFirst(b, a)).toBeGreaterThan(0);
  });

  test("pods of equal standing are equal", () => expect(leastAdvancedFirst(podOf({ createdAt: 1 }), podOf({ createdAt: 1 }))).toBe(0));
});

describe("podsToRemove", () => {
  const sorted = (pods: ReturnType<typeof podsToRemove>) => names(pods).sort();
  const running = (uid: string, index?: number) => podOf({ uid, phase: "Running", ...(index !== undefined && { index }) });
  const pending = (uid: string, index?: number) => podOf({ uid, ...(index !== undefined && { index }) });
  test.each([
    { name: "the least advanced", job: jobOf(), pods: [running("a"), pending("b"), running("c")], atLeast: 1, want: ["b"] },
    { name: "none", job: jobOf(), pods: [running("a")], atLeast: 0, want: [] },
    { name: "all", job: jobOf(), pods: [running("a"), pending("b")], atLeast: 2, want: ["a", "b"] },
    { name: "Indexed: duplicates, the best stays", job: indexedJob(2), pods: [running("a", 0), pending("b", 0), pending("c", 1)], atLeast: 0, want: ["b"] },
    { name: "Indexed: no index and indexes too high", job: indexedJob(2), pods: [running("a", 0), running("b", 2), running("c")], atLeast: 0, want: ["b", "c"] },
    { name: "Indexed: the misplaced count as removed", job: indexedJob(3), pods: [running("a", 0), running("b", 5), pending("c", 1)], atLeast: 2, want: ["b", "c"] },
    { name: "Indexed: more misplaced than asked for", job: indexedJob(1), pods: [running("a", 3), running("b", 4), running("c", 0)], atLeast: 1, want: ["a", "b"] },
    { name: "no Indexed Job: indexes mean nothing", job: jobOf({ completions: 2 }), pods: [running("a", 7), running("b", 7)], atLeast: 0, want: [] },
  ])("$name", ({ job, pods, atLeast, want }) => expect(sorted(podsToRemove(job, pods, atLeast))).toEqual(want));

  test("one sync removes 500 at most", () => {
    const pods = Array.from({ length: 501 }, () => podOf());
    expect(boundRemoval(pods)).toHaveLength(500);
    expect(boundRemoval(pods.slice(0, 500))).toHaveLength(500);
  });
});

describe("slowStart", () => {
  test.each([
    { count: 0, proven: false, want: [] },
    { count: 1, proven: false, want: [1] },
    { count: 7, proven: false, want: [1, 2, 4] },
    { count: 10, proven: false, want: [1, 2, 4, 3] },
    { count: 10, proven: true, want: [1, 9] },
    { count: 1, proven: true, want: [1] },
  ])("$count pods, proven $proven: $want", ({ count, proven, want }) => expect(slowStart(count, proven)).toEqual(want));
});

describe("indexes of pods", () => {
  const job = indexedJob(4, { backoffLimitPerIndex: 1 });
  const failed = (index: number, failures: number, more: PodSketch = {}) => podOf({ phase: "Failed", index, failures, ...more });

  test("newly succeeded: tracked, with a valid index", () => {
    const pods = [podOf({ phase: "Succeeded", index: 2 }), podOf({ phase: "Succeeded", index: 1, tracked: false }), podOf({ phase: "Succeeded", index: 4 }), podOf({ phase: "Succeeded" }), podOf({ phase: "Running", index: 0 })];
    expect(newlySucceededIndexes(pods, 4)).toEqual([2]);
  });

  test.each([
    { name: "a retry is left", pod: failed(0, 0), want: false },
    { name: "the limit is used up", pod: failed(0, 1), want: true },
    { name: "not failed at all", pod: podOf({ phase: "Running", index: 0, failures: 5 }), want: false },
    { name: "FailIndex", pod: failed(0, 0, { exitCode: 42 }), want: true },
    { name: "ignored", pod: failed(0, 1, { exitCode: 7 }), want: false },
  ])("failsIndex: $name", ({ pod, want }) => {
    const rules = [{ action: "FailIndex", onExitCodes: { operator: "In", values: [42] } }, { action: "Ignore", onExitCodes: { operator: "In", values: [7] } }];
    expect(failsIndex(pod, indexedJob(4, { backoffLimitPerIndex: 1, podFailurePolicy: { rules } }))).toBe(want);
  });

  test("newly failed: tracked, valid, beyond repair", () => {
    expect(newlyFailedIndexes([failed(0, 1), failed(1, 0), failed(2, 1, { tracked: false }), failed(4, 1)], job, 4)).toEqual([0]);
  });

  test("a failed pod is kept until its index has ended or has another pod", () => {
    const pods = [failed(0, 0), failed(1, 0), failed(2, 0), failed(3, 0), failed(9, 0)];
    const delayed = delayedPods(pods, [podOf({ index: 1 })], { succeeded: parseIndexes("2", 4), failed: parseIndexes("3", 4) }, 4);
    expect([...delayed.keys()]).toEqual([0]);
  });

  test.each([
    { name: "more failures", a: { failures: 2, ignored: 0, finishedAt: 1 }, b: { failures: 1, ignored: 0, finishedAt: 0 }, want: "a" },
    { name: "ignored ones count", a: { failures: 1, ignored: 0, finishedAt: 1 }, b: { failures: 1, ignored: 1, finishedAt: 1 }, want: "b" },
    { name: "the later of equals", a: { failures: 1, finishedAt: 1 }, b: { failures: 1, finishedAt: 2 }, want: "b" },
    { name: "not the earlier", a: { failures: 1, finishedAt: 2 }, b: { failures: 2, finishedAt: 1 }, want: "a" },
  ])("of two failed pods of an index the one with $name is kept", ({ a, b, want }) => {
    const pods = [podOf({ uid: "a", phase: "Failed", index: 0, ...a }), podOf({ uid: "b", phase: "Failed", index: 0, ...b })];
    expect(delayedPods(pods, [], { succeeded: [], failed: [] }, 4).get(0)?.metadata.uid).toBe(want);
  });

  test.each([
    { name: "a first pod", replaced: undefined, want: { failures: 0, ignored: 0 } },
    { name: "after a counted failure", replaced: podOf({ failures: 1, ignored: 2, exitCode: 1 }), want: { failures: 2, ignored: 2 } },
    { name: "after an ignored failure", replaced: podOf({ failures: 1, ignored: 2, exitCode: 7 }), want: { failures: 1, ignored: 3 } },
  ])("failure counts of $name", ({ replaced, want }) => {
    const rules = [{ action: "Ignore", onExitCodes: { operator: "In", values: [7] } }];
    expect(nextFailureCounts(indexedJob(1, { podFailurePolicy: { rules } }), replaced)).toEqual(want);
  });

  test.each([
    { name: "active, succeeded and failed ones are taken", policy: undefined, want: [2, 5] },
    { name: "terminating ones too where only failed pods are replaced", policy: "Failed", want: [5, 6] },
  ])("pending indexes: $name", ({ policy, want }) => {
    const [active, leaving] = [podOf({ index: 0 }), podOf({ index: 2, deletedAt: 1 })];
    const state = { succeeded: parseIndexes("1,3", 8), failed: parseIndexes("4", 8) };
    expect(pendingIndexes(indexedJob(8, policy ? { podReplacementPolicy: policy } : {}), [active, leaving], [active], state, 2, 8)).toEqual(want);
  });
});
