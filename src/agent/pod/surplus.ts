/**
 * Which containers of a pod nobody asks about any more: what ran before the last two attempts of each. Their records, writable layers and logs go.
 * Follows kubernetes pkg/kubelet/kuberuntime/kuberuntime_gc.go (one dead container beside the newest).
 */
import { readdir, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import type { Runtime } from "../../runtime/runtime.ts";
import { attemptsOf, hasEnded, type ContainerRecord, type PodRuntime } from "./world.ts";

const KEPT = 2;

export function surplusOf(runtime: PodRuntime): readonly ContainerRecord[] {
  if (runtime.containers.length <= KEPT) return [];
  const names = new Set(runtime.containers.map((c) => c.name));
  return [...names].flatMap((name) => attemptsOf(runtime, name).slice(KEPT).filter(hasEnded));
}

/** Takes a container away with its log, rotated files included. */
export async function removeSurplus(runtime: Runtime, { id, logPath }: ContainerRecord): Promise<void> {
  await runtime.removeContainer(id);
  const directory = dirname(logPath);
  const files = await readdir(directory).catch(() => []);
  const own = files.filter((name) => name === basename(logPath) || name.startsWith(`${basename(logPath)}.`));
  await Promise.all(own.map((name) => rm(join(directory, name), { force: true })));
}
