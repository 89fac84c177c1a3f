/**
 * A data directory and who has it: one server at a time. The holder is named by pid and start time, so that a pid given again is not mistaken for it.
 */
import { mkdir, open, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { fileErrorText, UsageError } from "./configuration.ts";

const LOCK = "server.lock";

/** The start time of a process in clock ticks since boot (field 22 of /proc/PID/stat); undefined where it is gone. */
export async function processStartTime(pid: number): Promise<string | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => undefined);
  return stat?.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
}

interface Holder {
  readonly pid: number;
  readonly startTime: string;
}

async function holderOf(directory: string): Promise<Holder | undefined> {
  const text = await readFile(join(directory, LOCK), "utf8").catch(() => undefined);
  const [pid = "", startTime = ""] = text?.split(" ") ?? [];
  if (!/^\d+$/.test(pid) || (await processStartTime(Number(pid))) !== startTime) return undefined;
  return { pid: Number(pid), startTime };
}

/** Whether a live server has this directory. */
export const dataDirectoryInUse = async (directory: string): Promise<boolean> => (await holderOf(directory)) !== undefined;

export interface DataDirectory {
  readonly path: string;
  release(): Promise<void>;
}

const unusable = (path: string, error: unknown) => new UsageError(`can't use the data directory ${path}: ${fileErrorText(error)}. Name another one with --data-dir DIR`);

/** Makes the directory, for its user alone: pods' Secrets will lie in it. One that is there stays as it is. */
export async function makeDataDirectory(path: string): Promise<void> {
  await mkdir(path, { recursive: true, mode: 0o700 }).catch((error: unknown) => {
    throw unusable(path, error);
  });
}

/** Makes the directory and takes it; UsageError where another server has it or it can't be written. */
export async function takeDataDirectory(path: string): Promise<DataDirectory> {
  await makeDataDirectory(path);
  const lock = join(path, LOCK);
  const startTime = await processStartTime(process.pid);
  for (let tries = 0; tries < 3; tries++) {
    try {
      const file = await open(lock, "wx", 0o600);
      await file.writeFile(`${process.pid} ${startTime}`);
      await file.close();
      return { path, release: () => rm(lock, { force: true }) };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw unusable(path, error);
      const holder = await holderOf(path);
      if (holder) throw new UsageError(`the data directory ${path} is in use by another stint (process ${holder.pid}). Stop that one, or name another directory with --data-dir DIR`);
      await rm(lock, { force: true });
    }
  }
  throw new UsageError(`can't take the data directory ${path}: its lock keeps changing hands`);
}
