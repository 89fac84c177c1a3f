/**
 * Stops one container: its preStop hook, its stop signal, what is left of the grace period (never less than two seconds), SIGKILL.
 * Follows kubernetes pkg/kubelet/kuberuntime/kuberuntime_container.go (killContainer).
 */
import type { Pod } from "../../api/generated/types.ts";
import type { Stored } from "../../api/object.ts";
import { tellOf, type PodDeps } from "../deps.ts";
import type { StopContainer } from "./decide.ts";
import { GRACE_MIN_MS } from "./decide-termination.ts";
import { runHook } from "./hooks.ts";
import type { Memory } from "./memory.ts";
import { messageOf } from "./start-refused.ts";

export interface StopContext {
  readonly deps: PodDeps;
  readonly pod: Stored<Pod>;
  readonly memory: Memory;
  readonly podIp: string;
}

/** Resolves when the container has ended. */
export async function stopContainer(context: StopContext, stop: StopContainer): Promise<void> {
  const { deps, pod, memory } = context;
  const { record, message, gracePeriodMs } = stop;
  const startedAt = deps.clock.now();
  memory.stopping.set(record.id, startedAt + Math.max(gracePeriodMs, GRACE_MIN_MS));
  // Without a text this only shortens a stop that is under way: its hook has run or runs.
  if (message !== undefined) {
    tellOf(deps, pod, stop.fieldPath)("Normal", "Killing", message);
    await preStop(context, stop);
  }
  const left = gracePeriodMs - (deps.clock.now() - startedAt);
  await deps.runtime.stopContainer(record.id, { gracePeriodMs: Math.max(left, GRACE_MIN_MS) });
}

async function preStop({ deps, pod, podIp }: StopContext, { container, record, fieldPath, gracePeriodMs }: StopContainer): Promise<void> {
  const hook = container?.lifecycle?.preStop;
  if (!hook || !container || gracePeriodMs <= 0) return;
  const out = new AbortController();
  const timer = deps.clock.after(gracePeriodMs, () => out.abort(new Error("the grace period is over")));
  const over = new Promise<void>((resolve) => out.signal.addEventListener("abort", () => resolve(), { once: true }));
  const hooked = runHook({ runtime: deps.runtime, clock: deps.clock, container, containerId: record.id, podIp }, hook, out.signal).catch((error: unknown) => {
    if (out.signal.aborted) return;
    tellOf(deps, pod, fieldPath)("Warning", "FailedPreStopHook", "PreStopHook failed");
    deps.logger.debug("a preStop hook failed", { pod: pod.metadata.name, error: messageOf(error) });
  });
  await Promise.race([hooked, over]);
  timer.cancel();
}
