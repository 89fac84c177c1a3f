/**
 * Owners and modes of what the agent writes. An agent that is not root cannot give files away: then they stay its own.
 * Follows kubernetes pkg/volume/volume_linux.go (SetVolumeOwnership).
 */
import { chmodSync, chownSync, lstatSync, readdirSync } from "node:fs";
import { join } from "node:path";

export interface Ownership {
  /** fsGroup of the pod. */
  readonly gid: number | undefined;
  /** Mounted read-only: the group may only read. */
  readonly readOnly: boolean;
  readonly uid?: number;
}

export const NO_OWNERSHIP: Ownership = { gid: undefined, readOnly: true };

const RW_MASK = 0o660;
const RO_MASK = 0o440;
const EXEC_MASK = 0o110;
const SETGID = 0o2000;

function give(path: string, uid: number, gid: number): void {
  if (uid === 0 && gid === 0) return;
  try {
    chownSync(path, uid, gid);
  } catch {
    // Not root: the sandbox maps the agent's own user, and the file is readable for it as it is.
  }
}

/** Sets mode and owner of a path that the agent has made. */
export function own(path: string, { gid, readOnly, uid = 0 }: Ownership, mode: number): void {
  give(path, uid, gid ?? 0);
  if (gid === undefined) return chmodSync(path, mode);
  const isDirectory = lstatSync(path).isDirectory();
  chmodSync(path, mode | (readOnly ? RO_MASK : RW_MASK) | (isDirectory ? SETGID | EXEC_MASK : 0));
}

/** Gives a writable volume and all that is in it to the pod's group. */
export function ownTree(path: string, ownership: Ownership): void {
  const stat = lstatSync(path);
  if (stat.isSymbolicLink()) return;
  own(path, { ...ownership, uid: stat.uid }, stat.mode & 0o7777);
  if (stat.isDirectory()) for (const name of readdirSync(path)) ownTree(join(path, name), ownership);
}
