import { describe, expect, test } from "vitest";
import { seededChance, seededIds } from "../../base/chance.ts";
import { VirtualClock } from "../../base/clock.ts";
import type { ContainerSpec, SandboxSpec } from "../runtime.ts";
import { openSimulatedRuntime, type OnStop, type Outcome } from "./simulated-runtime.ts";

const pod = { uid: "u", namespace: "ns", name: "p" };

async function started(outcome: Outcome, onStop?: OnStop) {
  const clock = new VirtualClock(1000);
  const runtime = openSimulatedRuntime({ clock, ids: seededIds(seededChance(1)), script: { outcome: () => outcome, ...(onStop && { onStop: () => onStop }) } });
  const hints: string[] = [];
  runtime.onHint((uid) => hints.push(uid));
  await runtime.open();
  const sandbox = await runtime.runSandbox({ pod, hostname: "p" } as SandboxSpec);
  const container = await runtime.startContainer({ sandboxId: sandbox.id, name: "main", attempt: 0, logPath: "/log", annotations: { a: "b" } } as unknown as ContainerSpec);
  const now = async () => (await runtime.list()).containers[0];
  return { clock, runtime, hints, sandbox, container, now };
}

describe("a container", () => {
  test("exits as its script says, and hints", async () => {
    const { clock, now, hints } = await started({ kind: "exit", code: 3, afterMs: 500 });
    expect(await now()).toMatchObject({ state: "running", startedAtMs: 1000, exitCode: undefined, annotations: { a: "b" } });
    const before = hints.length;
    clock.advance(500);
    expect(await now()).toMatchObject({ state: "exited", exitCode: 3, reason: "Error", finishedAtMs: 1500 });
    expect(hints.length).toBe(before + 1);
  });

  test.each([
    { name: "ends when asked", onStop: { kind: "exit", code: 0, afterMs: 20 } as const, at: 20, want: { exitCode: 0, reason: "Completed" } },
    { name: "is killed after the grace period", onStop: { kind: "ignore" } as const, at: 100, want: { exitCode: 137, reason: "Error" } },
    { name: "ends with 143 when nothing else is said", onStop: undefined, at: 0, want: { exitCode: 143, reason: "Error" } },
  ])("that hangs $name", async ({ onStop, at, want }) => {
    const { clock, runtime, container, now } = await started({ kind: "hang" }, onStop);
    let stopped = false;
    void runtime.stopContainer(container.id, { gracePeriodMs: 100 }).then(() => (stopped = true));
    clock.advance(at - 1);
    await Promise.resolve();
    expect(stopped).toBe(false);
    clock.advance(1);
    await Promise.resolve();
    expect([stopped, await now()]).toMatchObject([true, want]);
    await runtime.stopContainer(container.id, { gracePeriodMs: 100 });
  });

  test("that cannot be started is there, exited", async () => {
    expect(await (await started({ kind: "startError", message: "no such file" })).now()).toMatchObject({ state: "exited", exitCode: 128, reason: "StartError", message: "no such file", startedAtMs: undefined });
  });

  test("can be killed from outside", async () => {
    const { runtime, now } = await started({ kind: "hang" });
    runtime.kill("u");
    expect(await now()).toMatchObject({ exitCode: 137, reason: "OOMKilled" });
  });

  test("takes exec while it runs", async () => {
    const { runtime, container } = await started({ kind: "hang" });
    const signal = new AbortController().signal;
    expect(await runtime.exec(container.id, {} as never, signal)).toBe(0);
    await runtime.removeContainer(container.id);
    await expect(runtime.exec(container.id, {} as never, signal)).rejects.toThrow("is not running");
  });
});

test("a stopped sandbox ends its containers, takes no more, and can be forgotten", async () => {
  const { runtime, sandbox, now, clock } = await started({ kind: "hang" });
  await runtime.stopSandbox(sandbox.id);
  expect(await now()).toMatchObject({ state: "exited", exitCode: 137 });
  await expect(runtime.startContainer({ sandboxId: sandbox.id } as ContainerSpec)).rejects.toThrow("is not running");
  await runtime.removeSandbox(sandbox.id);
  await runtime.stopSandbox(sandbox.id);
  expect(await runtime.list()).toEqual({ sandboxes: [], containers: [] });
  expect(clock.nextDue()).toBeUndefined();
});

test("what runs survives a runtime that is closed", async () => {
  const { runtime, hints, clock, now } = await started({ kind: "exit", code: 0, afterMs: 10 });
  await runtime.close();
  hints.length = 0;
  clock.advance(10);
  expect([hints, await now()]).toMatchObject([[], { state: "exited", exitCode: 0 }]);
});
