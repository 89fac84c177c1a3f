/**
 * What a shim wrote about its container, and whether processes that it names still live. A record is the truth about an end: it is read
 * first; process ids count only where the processes prove to be what they were.
 */
import { closeSync, fstatSync, openSync, readFileSync } from "node:fs";

export interface Processes {
  /** The container's process, a child of the shim. */
  readonly container: number;
  readonly shim: number;
  /** Where no pid namespace ends with the container: its mount namespace, by which processes that it leaves are known. */
  readonly mountNamespace: string | undefined;
}

export interface Record {
  /** Set once the command was about to be executed. */
  readonly started: Processes | undefined;
  /** Its first process has ended, others that it left may not have. */
  readonly isLeaving: boolean;
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

export function parseRecord(text: string): Pick<Record, "started" | "isLeaving" | "exitCode" | "failure"> {
  let started: Processes | undefined;
  let isLeaving = false;
  let exitCode: number | undefined;
  let failure: string | undefined;
  for (const line of text.split("\n").slice(0, -1)) {
    const pids = /^started (\d+) (\d+) (mnt:\[\d+\])?$/.exec(line);
    if (pids) started = { container: Number(pids[1]), shim: Number(pids[2]), mountNamespace: pids[3] };
    isLeaving ||= line.startsWith("ended ");
    const exited = /^exited (\d+) (?:failed (.*))?/.exec(line);
    if (exited) {
      exitCode = Number(exited[1]);
      failure = exited[2];
    }
  }
  return { started, isLeaving, exitCode, failure };
}

/**
 * Whether this is the shim of container `id`: its command line ends with the id, which no other process ever had. Process ids alone are
 * given to others again.
 */
export function isShim(pid: number, id: string): boolean {
  return readProc(pid, "cmdline").endsWith(`\0${id}\0`);
}

/** Whether this is the living child of that shim: a zombie has ended. */
export function isContainer({ container, shim }: Processes, id: string): boolean {
  const stat = readProc(container, "stat");
  const [state, parent] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return Number(parent) === shim && state !== "Z" && state !== "X" && isShim(shim, id);
}

function readProc(pid: number, name: string): string {
  try {
    return readFileSync(`/proc/${pid}/${name}`, "utf8");
  } catch {
    return "";
  }
}
