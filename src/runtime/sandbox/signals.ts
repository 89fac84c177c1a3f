/** Signals to containers, always to exactly the process that was started. */
import { readdirSync, readlinkSync } from "node:fs";
import { constants } from "node:os";
import type { Container } from "./container.ts";
import { isContainer } from "./record.ts";

/** SIGTERM, TERM, 15, SIGRTMIN+3: as images write them. SIGTERM when it is none of these. */
export function signalNumber(name: string): number {
  const bare = name.trim().toUpperCase().replace(/^SIG/, "");
  if (/^\d+$/.test(bare)) return Number(bare) > 0 && Number(bare) < 65 ? Number(bare) : constants.signals.SIGTERM;
  const realTime = /^RT(MIN|MAX)(?:([+-]\d+))?$/.exec(bare);
  if (realTime) return (realTime[1] === "MIN" ? 34 : 64) + Number(realTime[2] ?? 0);
  return Object.entries(constants.signals).find(([known]) => known === `SIG${bare}`)?.[1] ?? constants.signals.SIGTERM;
}

/** Sends a signal to the container's process; false when it is gone. */
export function signalContainer(container: Container, signal: string): boolean {
  const started = container.record?.started;
  if (!started || !isContainer(started, container.id)) return false;
  try {
    return process.kill(started.container, signalNumber(signal));
  } catch {
    return false;
  }
}

/** Ends every process in a mount namespace but the shim: what a container has left that has no pid namespace to end with it. */
export function killMountNamespace(name: string, shim: number): void {
  for (const entry of readdirSync("/proc")) {
    if (!/^\d+$/.test(entry) || Number(entry) === shim) continue;
    try {
      if (readlinkSync(`/proc/${entry}/ns/mnt`) === name) process.kill(Number(entry), "SIGKILL");
    } catch {
      // It has ended meanwhile, or is not ours to see.
    }
  }
}
