/**
 * hostPath volumes: checks of their type, and what the types create. Follows kubernetes pkg/volume/hostpath/host_path.go.
 */
import { mkdirSync, statSync, writeFileSync, type Stats } from "node:fs";
import { VolumeError } from "./payload.ts";

const TYPES: Readonly<Record<string, { readonly fits: (s: Stats) => boolean; readonly what: string }>> = {
  Directory: { fits: (s) => s.isDirectory(), what: "directory" },
  DirectoryOrCreate: { fits: (s) => s.isDirectory(), what: "directory" },
  File: { fits: (s) => s.isFile(), what: "file" },
  FileOrCreate: { fits: (s) => s.isFile(), what: "file" },
  Socket: { fits: (s) => s.isSocket(), what: "socket file" },
  CharDevice: { fits: (s) => s.isCharacterDevice(), what: "character device" },
  BlockDevice: { fits: (s) => s.isBlockDevice(), what: "block device" },
};

function create(path: string, type: string): void {
  try {
    // Without a type the container runtime makes a directory of what is not there.
    if (type === "DirectoryOrCreate" || type === "") mkdirSync(path, { recursive: true, mode: 0o755 });
    if (type === "FileOrCreate") writeFileSync(path, "", { flag: "wx", mode: 0o644 });
  } catch (error) {
    throw new VolumeError(`hostPath type check failed: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** Sees to it that `path` is what `type` says. Throws VolumeError when it is not. */
export function prepareHostPath(path: string, type: string): void {
  let stat = statSync(path, { throwIfNoEntry: false });
  if (!stat) {
    create(path, type);
    stat = statSync(path, { throwIfNoEntry: false });
  }
  const wanted = TYPES[type];
  if (!wanted || (stat && wanted.fits(stat))) return;
  throw new VolumeError(`hostPath type check failed: ${path} is not a ${wanted.what}`);
}
