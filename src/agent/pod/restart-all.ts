/**
 * RestartAllContainers: everything in the pod is stopped and forgotten, init containers included, and the pod begins again in its sandbox.
 * Follows kubernetes pkg/kubelet/kuberuntime/kuberuntime_manager.go (RestartAllContainers).
 */
import { sleep } from "../../base/clock.ts";
import type { PodDeps } from "../deps.ts";
import { RESTARTING_ALL } from "../status/container-statuses.ts";
import type { Memory } from "./memory.ts";
import { attemptsOf, isRunning, type PodWorld } from "./world.ts";

/** How long the new beginning waits until users can see that there is one. */
const TOLD_MS_MAX = 1000;

export interface RestartAllContext {
  readonly deps: PodDeps;
  readonly memory: Memory;
  readonly world: PodWorld;
  /** Tells that it is under way. */
  readonly publish: () => void;
  readonly flush: () => Promise<void>;
}

export async function restartAll({ deps, memory, world, publish, flush }: RestartAllContext): Promise<void> {
  const { runtime } = deps;
  memory.restartingAll = true;
  const records = world.runtime.containers;
  await Promise.all(records.filter(isRunning).map((c) => runtime.stopContainer(c.id, { gracePeriodMs: 0 })));
  for (const name of new Set(records.map((c) => c.name))) {
    const attempt = (attemptsOf(world.runtime, name)[0]?.attempt ?? 0) + 1;
    memory.restarted.set(name, { attempt, lastState: RESTARTING_ALL });
    memory.backOffs.delete(name);
    memory.failures.delete(name);
  }
  for (const record of records) await runtime.removeContainer(record.id);
  publish();
  await Promise.race([flush(), sleep(deps.clock, TOLD_MS_MAX)]);
  memory.restartingAll = false;
}
