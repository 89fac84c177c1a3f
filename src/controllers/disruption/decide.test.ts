import { describe, expect, test } from "vitest";
import type { Pod, PodDisruptionBudget, PodDisruptionBudgetSpec } from "../../api/generated/types.ts";
import type { Stored } from "../../api/object.ts";
import { formatTime } from "../../api/time.ts";
import { decideBudget, DELETION_TIMEOUT_MS, staleDisruptionAfterMs, type BudgetWorld } from "./decide.ts";

const NOW = Date.UTC(2024, 0, 1);
const pod = (name: string, { ready = true, deleting = false } = {}): Stored<Pod> => ({
  metadata: { name, namespace: "ns", uid: name, resourceVersion: "1", creationTimestamp: "", ...(deleting && { deletionTimestamp: formatTime(NOW) }) },
  spec: { containers: [] },
  status: { conditions: [{ type: "Ready", status: ready ? "True" : "False" }] },
});
const budget = (spec: PodDisruptionBudgetSpec, status?: PodDisruptionBudget["status"]): Stored<PodDisruptionBudget> => ({
  metadata: { name: "b", namespace: "ns", uid: "b", resourceVersion: "1", creationTimestamp: "", generation: 1 }, spec, ...(status && { status }),
});
const world = (spec: PodDisruptionBudgetSpec, more: Partial<BudgetWorld> = {}): BudgetWorld => ({ budget: budget(spec), pods: [pod("a"), pod("b"), pod("c", { ready: false }), pod("d", { deleting: true })], scale: { expected: 10 }, now: NOW, ...more });

test.each([
  { name: "a number counts the pods that there are", spec: { minAvailable: 1 }, want: { expectedPods: 4, desiredHealthy: 1, currentHealthy: 2, disruptionsAllowed: 1 } },
  { name: "a share counts those that are wanted, rounded up", spec: { minAvailable: "11%" }, want: { expectedPods: 10, desiredHealthy: 2, disruptionsAllowed: 0 } },
  { name: "what may be missing is taken from those that are wanted", spec: { maxUnavailable: 9 }, want: { expectedPods: 10, desiredHealthy: 1, disruptionsAllowed: 1 } },
  { name: "more may be missing than there are", spec: { maxUnavailable: "100%" }, want: { desiredHealthy: 0, disruptionsAllowed: 2 } },
  { name: "a budget that says nothing allows nothing", spec: {}, want: { expectedPods: 0, disruptionsAllowed: 0 } },
])("$name", ({ spec, want }) => {
  const { status } = decideBudget(world(spec));
  expect(status).toMatchObject({ ...want, observedGeneration: 1 });
  const [condition] = status?.conditions ?? [];
  expect(condition).toMatchObject({ type: "DisruptionAllowed", ...(want.disruptionsAllowed > 0 ? { status: "True", reason: "SufficientPods" } : { status: "False", reason: "InsufficientPods" }) });
});

describe("a budget", () => {
  test("that is right is left alone", () => {
    const { status } = decideBudget(world({ minAvailable: 1 }));
    expect(status).toBeDefined();
    expect(decideBudget(world({ minAvailable: 1 }, { budget: budget({ minAvailable: 1 }, status) })).status).toBeUndefined();
  });

  test("allows nothing where the number of pods can't be told, and says so once", () => {
    const scale = { error: "jobs.batch does not implement the scale subresource" };
    const { status, error } = decideBudget(world({ maxUnavailable: 1 }, { scale }));
    expect(error).toBe(scale.error);
    expect(status).toMatchObject({ disruptionsAllowed: 0, conditions: [{ reason: "SyncFailed", status: "False", message: scale.error }] });
    expect(decideBudget(world({ maxUnavailable: 1 }, { scale, budget: budget({ maxUnavailable: 1 }, status) })).status).toBeUndefined();
  });

  test("does not count a pod that is being evicted, until it is plain that it isn't", () => {
    const spent = (agoMs: number) => budget({ minAvailable: 1 }, { currentHealthy: 2, desiredHealthy: 1, expectedPods: 4, disruptionsAllowed: 0, disruptedPods: { a: formatTime(NOW - agoMs), gone: formatTime(NOW) } });
    const fresh = decideBudget(world({ minAvailable: 1 }, { budget: spent(1000) }));
    expect(fresh.status).toMatchObject({ currentHealthy: 1, disruptionsAllowed: 0, disruptedPods: { a: formatTime(NOW - 1000) } });
    expect(fresh.status?.disruptedPods).not.toHaveProperty("gone");
    expect(fresh.recheckAfterMs).toBe(DELETION_TIMEOUT_MS - 999);
    const late = decideBudget(world({ minAvailable: 1 }, { budget: spent(DELETION_TIMEOUT_MS + 1000) }));
    expect(late.notDeleted.map((p) => p.metadata.name)).toEqual(["a"]);
    expect(late.status).toMatchObject({ currentHealthy: 2, disruptionsAllowed: 1 });
  });
});

test.each([
  { name: "a fresh mark", mark: { status: "True" }, want: DELETION_TIMEOUT_MS - 1000 },
  { name: "a mark of the kubelet", mark: { status: "True", reason: "TerminationByKubelet" }, want: undefined },
  { name: "a mark that was taken back", mark: { status: "False" }, want: undefined },
])("$name becomes void after: $want", ({ mark, want }) => {
  const marked: Pod = { ...pod("a"), status: { conditions: [{ type: "DisruptionTarget", lastTransitionTime: formatTime(NOW - 1000), ...mark }] } };
  expect(staleDisruptionAfterMs(marked, NOW)).toBe(want);
});
