/**
 * Limits by control groups, for containers that ask for them: version 2, or version 1 where its controllers are mounted. A machine that
 * lets this process make no groups runs such containers without limits, said once in the log.
 */
import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import type { LinuxResources } from "../runtime.ts";

const ROOT = "/sys/fs/cgroup";
const PERIOD_US = 100_000;
/** Below this the kernel refuses a quota. */
const QUOTA_US_MIN = 1000;

type Setting = readonly [file: string, value: string];

const quota = (millicores: number): number => Math.max(QUOTA_US_MIN, Math.round((millicores * PERIOD_US) / 1000));

/** The files of version 2. Shares become a weight as in kubernetes pkg/kubelet/cm (CPUSharesToCPUWeight). */
export function settingsV2(r: LinuxResources): Setting[] {
  return [
    ...(r.memoryLimitBytes !== undefined ? [["memory.max", String(r.memoryLimitBytes)], ["memory.swap.max", "0"]] as const : []),
    ...(r.cpuQuotaMillicores !== undefined ? [["cpu.max", `${quota(r.cpuQuotaMillicores)} ${PERIOD_US}`]] as const : []),
    ...(r.cpuShares !== undefined ? [["cpu.weight", String(Math.max(1, Math.round(1 + ((Math.max(r.cpuShares, 2) - 2) * 9999) / 262142)))]] as const : []),
    ...(r.pidsLimit !== undefined ? [["pids.max", String(r.pidsLimit)]] as const : []),
  ];
}

/** The files of version 1, by controller. */
export function settingsV1(r: LinuxResources): Readonly<Record<string, readonly Setting[]>> {
  return {
    ...(r.memoryLimitBytes !== undefined && { memory: [["memory.limit_in_bytes", String(r.memoryLimitBytes)], ["memory.memsw.limit_in_bytes", String(r.memoryLimitBytes)]] as const }),
    ...((r.cpuQuotaMillicores !== undefined || r.cpuShares !== undefined) && {
      cpu: [
        ...(r.cpuShares !== undefined ? [["cpu.shares", String(Math.max(r.cpuShares, 2))]] as const : []),
        ...(r.cpuQuotaMillicores !== undefined ? [["cpu.cfs_period_us", String(PERIOD_US)], ["cpu.cfs_quota_us", String(quota(r.cpuQuotaMillicores))]] as const : []),
      ],
    }),
    ...(r.pidsLimit !== undefined && { pids: [["pids.max", String(r.pidsLimit)]] as const }),
  };
}

/** Settings that a kernel may lack without the limit being lost. */
const OPTIONAL = new Set(["memory.swap.max", "memory.memsw.limit_in_bytes"]);

function makeGroup(directory: string, settings: readonly Setting[]): void {
  mkdirSync(directory, { recursive: true });
  for (const [file, value] of settings) {
    try {
      writeFileSync(join(directory, file), value);
    } catch (error) {
      if (!OPTIONAL.has(file)) throw error;
    }
  }
}

/** Makes the groups of a container; gives their directories, and why there are none where that failed. */
export function makeCgroups(id: string, resources: LinuxResources): { readonly directories: readonly string[]; readonly problem: string | undefined } {
  const v2 = settingsV2(resources);
  if (v2.length === 0) return { directories: [], problem: undefined };
  const directories: string[] = [];
  try {
    if (existsSync(join(ROOT, "cgroup.controllers"))) {
      const parent = join(ROOT, "stint");
      mkdirSync(parent, { recursive: true });
      for (const group of [ROOT, parent]) writeFileSync(join(group, "cgroup.subtree_control"), "+memory +cpu +pids");
      directories.push(join(parent, id));
      makeGroup(join(parent, id), v2);
    } else {
      for (const [controller, settings] of Object.entries(settingsV1(resources))) {
        const directory = join(ROOT, controller, "stint", id);
        directories.push(directory);
        makeGroup(directory, settings);
      }
    }
    return { directories, problem: undefined };
  } catch (error) {
    removeCgroups(directories);
    return { directories: [], problem: (error as Error).message };
  }
}

/** Removes a container's groups once its processes are gone, and the parent when it was the last. */
export function removeCgroups(directories: readonly string[]): void {
  for (const directory of directories.flatMap((d) => [d, join(d, "..")])) {
    if (basename(directory) === "cgroup") continue;
    try {
      rmdirSync(directory);
    } catch {
      // Not empty, or not there.
    }
  }
}

/** Whether the kernel has killed a process of these groups for memory. */
export function hadOutOfMemory(directories: readonly string[]): boolean {
  return directories.some((d) => ["memory.events", "memory.oom_control"].some((file) => {
    try {
      return Number(/^oom_kill (\d+)$/m.exec(readFileSync(join(d, file), "utf8"))?.[1] ?? 0) > 0;
    } catch {
      return false;
    }
  }));
}
