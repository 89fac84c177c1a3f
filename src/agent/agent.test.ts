import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Container, Pod, PodSpec } from "../api/generated/types.ts";
import { AgentHarness, START } from "./testing/agent-harness.ts";
import type { Script } from "./testing/fake-runtime.ts";

let h: AgentHarness;
beforeEach(async () => {
  h = new AgentHarness();
  await h.start();
});
afterEach(() => h.close());

const conditions = (pod: Pod | undefined) => (pod?.status?.conditions ?? []).map((c) => [c.type, c.status, c.reason, c.message].filter(Boolean).join(" "));
const reasons = () => h.events.map((e) => e.split(" | ")[1]);

interface Case {
  readonly name: string;
  readonly spec?: Partial<PodSpec>;
  readonly containers?: readonly Partial<Container>[];
  readonly scripts: Readonly<Record<string, Script | readonly Script[]>>;
  readonly phase: string;
  readonly states: readonly string[];
}

const fails = (exit: number, afterMs = 1000): Script => ({ exit, afterMs });

test.each<Case>([
  { name: "exit 0", scripts: { main: fails(0) }, phase: "Succeeded", states: ["main terminated Completed 0"] },
  { name: "exit 3 under Never", scripts: { main: fails(3) }, phase: "Failed", states: ["main terminated Error 3"] },
  { name: "a command that cannot start", scripts: { main: "cannot start" }, phase: "Failed", states: ["main terminated StartError 128"] },
  { name: "the second run succeeds under OnFailure", spec: { restartPolicy: "OnFailure" }, scripts: { main: [fails(4), fails(0)] }, phase: "Succeeded", states: ["main terminated Completed 0 x1"] },
  { name: "the third run waits for its back-off", spec: { restartPolicy: "OnFailure" }, scripts: { main: [fails(1), fails(2), fails(0)] }, phase: "Succeeded", states: ["main terminated Completed 0 x2"] },
  { name: "one fails, the other goes on", containers: [{ name: "a" }, { name: "b" }], scripts: { a: fails(3), b: fails(0, 5000) }, phase: "Failed", states: ["a terminated Error 3", "b terminated Completed 0"] },
  { name: "a container's policy over the pod's", containers: [{ restartPolicy: "OnFailure" }], scripts: { main: [fails(1), fails(0)] }, phase: "Succeeded", states: ["main terminated Completed 0 x1"] },
  { name: "Never in a pod with OnFailure", spec: { restartPolicy: "OnFailure" }, containers: [{ restartPolicy: "Never" }], scripts: { main: fails(1) }, phase: "Failed", states: ["main terminated Error 1"] },
  {
    name: "a rule for an exit code", containers: [{ restartPolicy: "Never", restartPolicyRules: [{ action: "Restart", exitCodes: { operator: "In", values: [42] } }] }],
    scripts: { main: [fails(42), fails(7)] }, phase: "Failed", states: ["main terminated Error 7 x1"],
  },
  {
    name: "RestartAllContainers", spec: { initContainers: [{ name: "prepare" }] },
    containers: [{ restartPolicy: "Never", restartPolicyRules: [{ action: "RestartAllContainers", exitCodes: { operator: "In", values: [88] } }] }, { name: "other" }],
    scripts: { prepare: fails(0, 10), main: [fails(88), fails(0)], other: ["runs", fails(0)] }, phase: "Succeeded",
    states: ["prepare terminated Completed 0 x1", "main terminated Completed 0 x1", "other terminated Completed 0 x1"],
  },
  { name: "init containers in their order", spec: { initContainers: [{ name: "one" }, { name: "two" }] }, scripts: { one: fails(0), two: fails(0), main: fails(0) }, phase: "Succeeded", states: ["one terminated Completed 0", "two terminated Completed 0", "main terminated Completed 0"] },
  { name: "an init container that fails", spec: { initContainers: [{ name: "good" }, { name: "bad" }, { name: "later" }] }, scripts: { bad: fails(5) }, phase: "Failed", states: ["good terminated Completed 0", "bad terminated Error 5", "later waiting PodInitializing", "main waiting PodInitializing"] },
  { name: "an init container again under OnFailure", spec: { restartPolicy: "OnFailure", initContainers: [{ name: "once" }] }, scripts: { once: [fails(1), fails(0)], main: fails(0) }, phase: "Succeeded", states: ["once terminated Completed 0 x1", "main terminated Completed 0"] },
  { name: "a sidecar is stopped at the end", spec: { initContainers: [{ name: "side", restartPolicy: "Always" }] }, scripts: { side: "runs", main: fails(0) }, phase: "Succeeded", states: ["side terminated Completed 0", "main terminated Completed 0"] },
  { name: "a sidecar is restarted", spec: { initContainers: [{ name: "side", restartPolicy: "Always" }] }, scripts: { side: [fails(3), "runs"], main: fails(0, 8000) }, phase: "Succeeded", states: ["side terminated Completed 0 x1", "main terminated Completed 0"] },
])("$name", async ({ spec, containers = [{}], scripts, phase, states }) => {
  for (const [name, script] of Object.entries(scripts)) h.runtime.scripts.set(name, script);
  h.create("p", containers, spec);
  await h.advance(60_000);
  expect([h.phase("p"), ...h.states("p")]).toEqual([phase, ...states]);
  await h.until(() => h.runtime.sandboxes.size === 0);
  expect(h.runtime.sandboxes.size).toBe(0);
});

describe("a pod that runs to its end", () => {
  test("is told in upstream's events and conditions", async () => {
    h.create("p", [{}]);
    await h.advance(500);
    expect(h.events).toEqual([
      'Normal | Pulled | Container image "busybox" already present on machine and can be accessed by the pod | spec.containers{main}',
      "Normal | Created | Container created | spec.containers{main}",
      "Normal | Started | Container started | spec.containers{main}",
    ]);
    expect(conditions(h.pod("p"))).toEqual(["PodReadyToStartContainers False", "Initialized True PodCompleted", "Ready False PodCompleted", "ContainersReady False PodCompleted", "PodScheduled True"]);
  });

  test("needs few writes", async () => {
    h.create("p", [{}]);
    await h.advance(500);
    expect(h.cluster.writes.filter((w) => w === "patch pods/status").length).toBeLessThanOrEqual(2);
  });

  test("shows while it runs what it is and where", async () => {
    h.runtime.scripts.set("main", "runs");
    h.create("p", [{ resources: { requests: { cpu: "10m" } } }]);
    await h.advance(100);
    expect(h.pod("p")?.status).toMatchObject({
      phase: "Running", observedGeneration: 1, hostIP: "192.0.2.1", hostIPs: [{ ip: "192.0.2.1" }], podIP: "10.0.0.1", podIPs: [{ ip: "10.0.0.1" }], qosClass: "Burstable", startTime: "2024-05-01T12:00:00Z",
      containerStatuses: [{ name: "main", ready: true, started: true, restartCount: 0, image: "docker.io/library/busybox:latest", imageID: "docker.io/library/busybox@sha256:2", containerID: expect.stringMatching(/^stint:\/\/[0-9a-f]{64}$/), allocatedResources: { cpu: "10m" }, lastState: {} }],
    });
    expect(conditions(h.pod("p"))).toEqual(["PodReadyToStartContainers True", "Initialized True", "Ready True", "ContainersReady True", "PodScheduled True"]);
  });
});

describe("a container that fails again and again", () => {
  test("shows its end, then that it waits, and the pauses double", async () => {
    h.runtime.scripts.set("main", fails(7));
    h.create("p", [{}], { restartPolicy: "OnFailure" });
    await h.advance(2500);
    expect(h.states("p")).toEqual(["main terminated Error 7 x1"]);
    await h.advance(2000);
    expect(h.pod("p")?.status?.containerStatuses?.[0]?.state?.waiting).toEqual({ reason: "CrashLoopBackOff", message: "back-off 10s restarting failed container=main pod=p_ns(uid-of-p)" });
    expect(h.phase("p")).toBe("Running");
    await h.advance(200_000);
    const starts = h.runtime.specs.map((s) => s.attempt);
    expect(starts).toEqual([0, 1, 2, 3, 4, 5]);
    expect([...h.runtime.containers.values()].map((c) => c.attempt)).toEqual([4, 5]);
    expect(h.runtime.startedAtMs.map((t) => Math.round((t - START) / 1000))).toEqual([0, 1, 12, 33, 74, 155]);
    expect(h.events.filter((e) => e.includes("BackOff"))[0]).toBe("Warning | BackOff | Back-off restarting failed container main in pod p_ns(uid-of-p) | spec.containers{main}");
  });
});

describe("a pod that is deleted", () => {
  test("gets its grace period, a last status and is then gone", async () => {
    h.runtime.scripts.set("main", "runs");
    h.runtime.onStop.set("main", undefined);
    h.create("p", [{}]);
    await h.advance(1000);
    h.delete("p", 4);
    await h.advance(3900);
    expect(h.states("p")).toEqual(["main running"]);
    const seen: (string | undefined)[] = [];
    h.cluster.pods.on({ onDelete: (pod) => seen.push(pod.status?.phase, String(pod.status?.containerStatuses?.[0]?.state?.terminated?.exitCode)) });
    await h.advance(500);
    await h.until(() => seen.length > 0);
    expect(seen).toEqual(["Failed", "137"]);
    expect(h.runtime.stops).toMatchObject([{ name: "main", gracePeriodMs: 4000 }]);
    expect(reasons()).toContain("Killing");
  });

  test("ends sooner when the grace period becomes shorter", async () => {
    h.runtime.scripts.set("main", "runs");
    h.runtime.onStop.set("main", undefined);
    h.create("p", [{}]);
    await h.advance(1000);
    h.delete("p", 60);
    await h.advance(1000);
    h.delete("p", 3);
    await h.advance(2600);
    await h.until(() => h.pod("p") === undefined);
    expect(h.pod("p")).toBeUndefined();
  });

  test("is killed even when its object is already gone", async () => {
    h.runtime.scripts.set("main", "runs");
    h.runtime.onStop.set("main", undefined);
    h.create("p", [{}]);
    await h.advance(1000);
    h.cluster.remove({ group: "", version: "v1", plural: "pods", kind: "Pod", namespaced: true }, "ns/p");
    await h.advance(2500);
    await h.until(() => h.runtime.sandboxes.size === 0);
    expect([...h.runtime.containers.values(), ...h.runtime.sandboxes.values()]).toEqual([]);
  });

  test("stops its sidecars in reverse order, after the others", async () => {
    for (const name of ["a", "b", "main"]) h.runtime.scripts.set(name, "runs");
    h.create("p", [{}], { initContainers: [{ name: "a", restartPolicy: "Always" }, { name: "b", restartPolicy: "Always" }] });
    await h.advance(1000);
    h.delete("p", 30);
    await h.advance(1000);
    expect(h.runtime.stops.map((s) => s.name)).toEqual(["main", "b", "a"]);
  });

  test("runs its preStop hook first, and what fails is told", async () => {
    h.runtime.scripts.set("main", "runs");
    h.runtime.exec = async () => 3;
    h.create("p", [{ lifecycle: { preStop: { exec: { command: ["x"] } } } }]);
    await h.advance(1000);
    h.delete("p", 30);
    await h.advance(1000);
    expect(reasons().slice(-2)).toEqual(["Killing", "FailedPreStopHook"]);
  });

  test("that never ran has failed", async () => {
    h.create("p", [{ image: "absent", imagePullPolicy: "Never" }]);
    await h.advance(100);
    const seen: (string | undefined)[] = [];
    h.cluster.pods.on({ onDelete: (pod) => seen.push(pod.status?.phase) });
    h.delete("p", 30);
    await h.advance(1000);
    await h.until(() => seen.length > 0);
    expect(seen).toEqual(["Failed"]);
  });
});

describe("hooks and deadlines", () => {
  test("a container is not running before its postStart hook has ended", async () => {
    let finish: (code: number) => void = () => {};
    h.runtime.exec = () => new Promise((resolve) => { finish = resolve; });
    h.runtime.scripts.set("main", "runs");
    h.create("p", [{ lifecycle: { postStart: { exec: { command: ["x"] } } } }]);
    await h.advance(1000);
    expect([h.phase("p"), ...h.states("p")]).toEqual(["Pending", "main waiting ContainerCreating"]);
    finish(0);
    await h.advance(1000);
    expect([h.phase("p"), ...h.states("p")]).toEqual(["Running", "main running"]);
  });

  test("a postStart hook that fails ends the container", async () => {
    h.runtime.exec = async () => 4;
    h.runtime.scripts.set("main", "runs");
    h.create("p", [{ lifecycle: { postStart: { exec: { command: ["x"] } } } }]);
    await h.advance(3000);
    expect(h.phase("p")).toBe("Succeeded");
    expect(h.events.slice(-3)).toEqual([
      "Normal | Started | Container started | spec.containers{main}", "Warning | FailedPostStartHook | PostStartHook failed | spec.containers{main}", "Normal | Killing | FailedPostStartHook | spec.containers{main}",
    ]);
  });

  test("activeDeadlineSeconds ends the pod", async () => {
    h.runtime.scripts.set("main", "runs");
    h.create("p", [{}], { activeDeadlineSeconds: 5 });
    await h.advance(6000);
    expect(h.pod("p")?.status).toMatchObject({ phase: "Failed", reason: "DeadlineExceeded", message: "Pod was active on the node longer than the specified deadline" });
    expect(h.states("p")).toEqual(["main terminated Completed 0"]);
    expect(reasons().slice(-2)).toEqual(["DeadlineExceeded", "Killing"]);
  });

  test("what the node has no room for is rejected", async () => {
    h.create("p", [{ resources: { requests: { cpu: "5000" } } }]);
    await h.advance(500);
    expect(h.pod("p")?.status).toMatchObject({ phase: "Failed", reason: "OutOfcpu", message: expect.stringContaining("Pod was rejected: Node didn't have enough resource: cpu, requested: 5000000, used: 0, capacity: ") });
    expect(h.pod("p")?.status?.containerStatuses).toBeUndefined();
  });
});

describe("after the agent was killed", () => {
  test("what runs is gone on with, and ends once", async () => {
    h.runtime.scripts.set("main", "runs");
    h.create("p", [{}]);
    await h.advance(1000);
    await h.restart();
    await h.advance(1000);
    expect(h.runtime.specs.length).toBe(1);
    h.runtime.endNamed("main", 0);
    await h.advance(1000);
    expect([h.phase("p"), ...h.states("p")]).toEqual(["Succeeded", "main terminated Completed 0"]);
  });

  test("what ended meanwhile is told", async () => {
    h.runtime.scripts.set("main", fails(3, 5000));
    h.create("p", [{}]);
    await h.advance(1000);
    h.runtime.endNamed("main", 3);
    await h.restart();
    await h.advance(1000);
    expect([h.phase("p"), h.runtime.specs.length]).toEqual(["Failed", 1]);
  });

  test("a sandbox whose pod is gone is taken away", async () => {
    await h.runtime.runSandbox({ pod: { uid: "lost", namespace: "ns", name: "lost" }, hostname: "x", hostNetwork: false, hostPid: false, hostIpc: false, shareProcessNamespace: false, sysctls: {}, resources: {} });
    await h.restart();
    await h.until(() => h.runtime.sandboxes.size === 0);
    expect(h.runtime.sandboxes.size).toBe(0);
  });
});
