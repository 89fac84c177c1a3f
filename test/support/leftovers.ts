/**
 * What is left of a directory's users: processes that name it (in their arguments, environment, working directory or mounts) and mounts under it.
 * Test pods carry the directory in their environment (MARK), so that none of theirs can hide.
 */
import { readdirSync, readFileSync, readlinkSync } from "node:fs";

/** The variable with which pods of tests name their test's directory. */
export const MARK = "STINT_TEST_DIRECTORY";

const read = (get: () => string): string => {
  try {
    return get();
  } catch {
    return "";
  }
};

/** Pids of living processes that name `directory`, with their command lines. The caller's own process is none. */
export function processesOf(directory: string): readonly { readonly pid: number; readonly command: string }[] {
  return readdirSync("/proc").filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid).flatMap((pid) => {
    const command = read(() => readFileSync(`/proc/${pid}/cmdline`, "utf8")).replaceAll("\0", " ").trim();
    const about = [command, read(() => readFileSync(`/proc/${pid}/environ`, "utf8")), read(() => readlinkSync(`/proc/${pid}/cwd`)), read(() => readFileSync(`/proc/${pid}/mountinfo`, "utf8"))];
    return about.some((text) => text.includes(directory)) ? [{ pid: Number(pid), command }] : [];
  });
}

/** One line for each process and mount that is left. */
export function leftovers(directory: string): readonly string[] {
  const mounts = readFileSync("/proc/self/mountinfo", "utf8").split("\n").filter((line) => line.includes(directory));
  return [...processesOf(directory).map(({ pid, command }) => `process ${pid}: ${command}`), ...mounts.map((line) => `mount ${line}`)];
}

/** Kills what a failed test has left, so that others do not find it. */
export function killLeftovers(directory: string): void {
  for (const { pid } of processesOf(directory)) {
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // Gone meanwhile.
    }
  }
}
