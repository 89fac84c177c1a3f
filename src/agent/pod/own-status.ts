/**
 * The status that the API has, as far as a worker can know: its own last write, with what others have written beside it.
 * The cache may lag behind the worker's writes, and the worker knows nothing of the writes of others but from the cache.
 */
import type { Pod, PodStatus } from "../../api/generated/types.ts";
import type { Stored } from "../../api/object.ts";
import { isTerminalPhase } from "./world.ts";

const OWNED: ReadonlySet<string> = new Set(["PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled", "AllContainersRestarting"]);

export function withStatus(cached: Stored<Pod>, written: PodStatus | undefined): Stored<Pod> {
  if (!written || written === cached.status) return cached;
  // Whoever ends a pod from outside (its node was thought lost) has the last word.
  if (isTerminalPhase(cached.status?.phase) && !isTerminalPhase(written.phase)) return cached;
  const others = (cached.status?.conditions ?? []).filter((c) => !OWNED.has(c.type));
  const own = (written.conditions ?? []).filter((c) => OWNED.has(c.type));
  return { ...cached, status: { ...written, conditions: [...others, ...own] } };
}
