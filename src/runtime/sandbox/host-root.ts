/**
 * A root made of this machine's own userland: system directories appear read-only, everything else is empty and the container's own. What is
 * not system software is not there at all: /home, /root, /var, /srv, the data directory. Of /etc, what others may not read is left out, and
 * the pod's own /etc/hosts, hostname and resolv.conf stand before the machine's.
 */
import { lstatSync, mkdirSync, readdirSync, readlinkSync, type Stats, statSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import type { Layout } from "./layout.ts";
import type { FstabEntry } from "./shell.ts";

export interface HostRoot {
  /** A layer with the empty directories and the links that are at the machine's top (`/bin -> usr/bin`). */
  readonly layer: string;
  /** Top directories of the machine that the container sees. */
  readonly system: readonly string[];
}

const SYSTEM = ["usr", "etc", "opt", "bin", "sbin", "lib", "lib32", "lib64", "libx32", "nix", "gnu"];
const EMPTY = ["home", "root", "tmp", "run", "var/tmp", "var/log", "var/lib", "var/cache", "mnt", "media", "srv", "proc", "sys", "dev", "etc"];
/** How deep /etc is searched for what is not everybody's. */
const ETC_DEPTH_MAX = 6;

export function hostRoot(layout: Layout): HostRoot {
  const layer = join(layout.state, "userland");
  const system: string[] = [];
  for (const name of EMPTY) mkdirSync(join(layer, name), { recursive: true });
  for (const name of SYSTEM) {
    const stat = lstatSync(`/${name}`, { throwIfNoEntry: false });
    const link = join(layer, name);
    if (stat?.isSymbolicLink() && !lstatSync(link, { throwIfNoEntry: false })) symlinkSync(readlinkSync(`/${name}`), link);
    if (!stat?.isDirectory()) continue;
    mkdirSync(link, { recursive: true });
    system.push(name);
  }
  return { layer, system };
}

/** What of a directory others cannot read: whole directories, or single files. Links are what they point to elsewhere. */
function hiddenOf(directory: string, level: number): string[] {
  return entriesOf(directory).flatMap((name) => {
    const path = `${directory}/${name}`;
    const stat = lstatSync(path, { throwIfNoEntry: false });
    if (!stat || stat.isSymbolicLink()) return [];
    if (!isReadableByAll(stat)) return [path];
    return stat.isDirectory() && level < ETC_DEPTH_MAX ? hiddenOf(path, level + 1) : [];
  });
}

function entriesOf(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}

const isReadableByAll = (stat: Stats): boolean => (stat.mode & (stat.isDirectory() ? 0o005 : 0o004)) === (stat.isDirectory() ? 0o005 : 0o004);

/** The mounts that show the system directories. One that has mount points of the container's own gets a layer for them. */
export function systemMounts(layout: Layout, host: HostRoot, directory: string): FstabEntry[] {
  const entries: FstabEntry[] = [];
  for (const name of host.system) {
    const points = join(directory, "system", name);
    const target = join(layout.root, name);
    if (readdirSync(points).length === 0) entries.push({ source: `/${name}`, target, type: "none", options: ["rbind", "ro"] });
    else entries.push({ source: "overlay", target, type: "overlay", options: ["ro", `lowerdir=system/${name}:${layout.layerLink(`/${name}`)}`] });
  }
  return [...entries, ...hiddenMounts(layout)];
}

/** Covers what is hidden in /etc. Looked for at every start: a secret may be new. */
function hiddenMounts(layout: Layout): FstabEntry[] {
  return hiddenOf("/etc", 0).map((path) => {
    const target = layout.root + path;
    return statSync(path).isDirectory() ? { source: "tmpfs", target, type: "tmpfs", options: ["ro", "mode=0755"] } : { source: "/dev/null", target, type: "none", options: ["bind"] };
  });
}
