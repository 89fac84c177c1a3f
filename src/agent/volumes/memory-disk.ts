/**
 * Memory volumes with a size of their own: a tmpfs, where this process may mount one. Elsewhere a directory on a tmpfs has to do.
 */
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { promisify } from "node:util";

const run = promisify(execFile);

const mayMount = (): boolean => process.getuid?.() === 0;

/** Mounts a tmpfs of `sizeBytes` on `dir`; false when this process may not. */
export async function mountMemory(dir: string, sizeBytes: number): Promise<boolean> {
  if (!mayMount()) return false;
  try {
    await run("mount", ["-t", "tmpfs", "-o", `size=${sizeBytes},mode=1777`, "stint-memory", dir]);
    return true;
  } catch {
    return false;
  }
}

/** Unmounts whatever is mounted below `dir`. */
export async function unmountBelow(dir: string): Promise<void> {
  if (!mayMount()) return;
  const mounts = readFileSync("/proc/self/mounts", "utf8").split("\n").map((line) => line.split(" ")[1] ?? "").filter((at) => at.startsWith(`${dir}/`));
  for (const at of mounts.toReversed()) await run("umount", ["-l", at]).catch(() => undefined);
}
