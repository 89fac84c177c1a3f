import { expect, test } from "vitest";
import type { Pod } from "../../api/generated/types.ts";
import type { Stored } from "../../api/object.ts";
import { isTerminated, isUnscheduledAndTerminating, surplusOf } from "./decide.ts";

const pod = (name: string, created: string, { reason, deleted = false, node = "", phase = "Failed" }: { reason?: string; deleted?: boolean; node?: string; phase?: string } = {}): Stored<Pod> => ({
    metadata: { name, uid: name, resourceVersion: "1", creationTimestamp: created, ...(deleted && { deletionTimestamp: "t" }) },
    spec: { containers: [], ...(node !== "" && { nodeName: node }) },
    status: { phase, ...(reason !== undefined && { reason }) },
  });

test("of too many terminated pods evicted ones go first, then the oldest", () => {
  const pods = [pod("new", "2024-01-03"), pod("old", "2024-01-01"), pod("evicted", "2024-01-04", { reason: "Evicted" }), pod("middle", "2024-01-02")];
  expect(surplusOf(pods, 2).map((p) => p.metadata.name)).toEqual(["evicted", "old"]);
  expect(surplusOf(pods, 4)).toEqual([]);
});

test.each([
  { name: "deleted without a node", pod: pod("p", "", { deleted: true, phase: "Pending" }), want: [false, true] },
  { name: "deleted on a node", pod: pod("p", "", { deleted: true, node: "n", phase: "Running" }), want: [false, false] },
  { name: "waiting for a node", pod: pod("p", "", { phase: "Pending" }), want: [false, false] },
  { name: "succeeded", pod: pod("p", "", { phase: "Succeeded", node: "n" }), want: [true, false] },
])("a pod that is $name", ({ pod, want }) => {
  expect([isTerminated(pod), isUnscheduledAndTerminating(pod)]).toEqual(want);
});
