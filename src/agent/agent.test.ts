import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { AgentHarness } from "./testing/agent-harness.ts";

let h: AgentHarness;
beforeEach(async () => {
  h = new AgentHarness();
  await h.start();
});
afterEach(() => h.close());

describe("a pod that runs to its end", () => {
  test("succeeds, is told in upstream's events, and leaves nothing in the runtime", async () => {
    h.create("p", [{}]);
    await h.advance(500);
    expect(h.phase("p")).toBe("Succeeded");
    expect(h.states("p")).toEqual(["main terminated Completed 0"]);
    expect(h.events).toEqual([
      'Normal | Pulled | Container image "busybox" already present on machine and can be accessed by the pod | spec.containers{main}',
      "Normal | Created | Container created | spec.containers{main}",
      "Normal | Started | Container started | spec.containers{main}",
    ]);
    expect(h.pod("p")?.status?.conditions?.map((c) => [c.type, c.status, c.reason])).toEqual([
      ["PodReadyToStartContainers", "False", undefined], ["Initialized", "True", "PodCompleted"], ["Ready", "False", "PodCompleted"],
      ["ContainersReady", "False", "PodCompleted"], ["PodScheduled", "True", undefined],
    ]);
    expect(h.runtime.sandboxes.size).toBe(0);
  });
});
