/**
 * What a shim wrote about its container, and whether processes that it names still live. A record is the truth about an end: it is read
 * first; process ids count only together with their start time.
 */
import { closeSync, fstatSync, openSync, readFileSync } from "node:fs";

export interface ProcessId {
  readonly pid: number;
  /** Field 22 of /proc/PID/stat: with the pid it names one process of one boot. */
  readonly startTicks: string;
}

export interface Record {
  readonly container: ProcessId | undefined;
  readonly shim: ProcessId | undefined;
  readonly exitCode: number | undefined;
  /** Why the command could not be started. */
  readonly failure: string | undefined;
  readonly createdAtMs: number;
  readonly changedAtMs: number;
}

/** The record of a container; undefined when its shim has not begun. A line counts once its end is written. */
export function readRecord(path: string): Record | undefined {
  let fd: number;
  try {
    fd = openSync(path, "r");
  } catch {
    return undefined;
  }
  try {
    const stat = fstatSync(fd);
    return { ...parseRecord(readFileSync(fd, "utf8")), createdAtMs: stat.birthtimeMs || stat.mtimeMs, changedAtMs: stat.mtimeMs };
  } finally {
    closeSync(fd);
  }
}

export function parseRecord(text: string): Pick<Record, "container" | "shim" | "exitCode" | "failure"> {
  let container: ProcessId | undefined;
  let shim: ProcessId | undefined;
  let exitCode: number | undefined;
  let failure: string | undefined;
  for (const line of text.split("\n").slice(0, -1)) {
    const started = /^started (\d+) (\d+) (\d+) (\d+)$/.exec(line);
    if (started) {
      container = { pid: Number(started[1]), startTicks: started[2] ?? "" };
      shim = { pid: Number(started[3]), startTicks: started[4] ?? "" };
    }
    const exited = /^exited (\d+) (?:failed (.*))?/.exec(line);
    if (exited) {
      exitCode = Number(exited[1]);
      failure = exited[2];
    }
  }
  return { container, shim, exitCode, failure };
}

/** Whether exactly this process is there and has not ended (a zombie has). */
export function isAlive(process: ProcessId): boolean {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${process.pid}/stat`, "utf8");
  } catch {
    return false;
  }
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return fields[19] === process.startTicks && fields[0] !== "Z" && fields[0] !== "X";
}
