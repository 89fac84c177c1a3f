/**
 * A root made of this machine's own userland: system directories appear read-only, everything else is empty and the container's own. What is
 * not system software is not there at all: /home, /root, /var, /srv, the data directory; in /etc, what only root may read is left out.
 */
import { lstatSync, mkdirSync, readdirSync, readlinkSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import type { Layout } from "./layout.ts";
import type { FstabEntry } from "./shell.ts";

export interface HostRoot {
  readonly layer: string;
  readonly entries: readonly FstabEntry[];
}

const SYSTEM = ["usr", "etc", "opt", "bin", "sbin", "lib", "lib32", "lib64", "libx32", "nix", "gnu"];
const EMPTY = ["home", "root", "tmp", "run", "var/tmp", "var/log", "var/lib", "var/cache", "mnt", "media", "srv", "proc", "sys", "dev", "etc"];

export function hostRoot(layout: Layout): HostRoot {
  const layer = join(layout.state, "userland");
  const entries: FstabEntry[] = [];
  for (const name of EMPTY) mkdirSync(join(layer, name), { recursive: true });
  const there = new Set(readdirSync(layer));
  for (const name of SYSTEM) {
    const stat = lstatSync(`/${name}`, { throwIfNoEntry: false });
    if (stat?.isSymbolicLink() && !there.has(name)) symlinkSync(readlinkSync(`/${name}`), join(layer, name));
    if (!stat?.isDirectory()) continue;
    mkdirSync(join(layer, name), { recursive: true });
    entries.push({ source: `/${name}`, target: join(layout.root, name), type: "none", options: ["rbind", "ro"] });
  }
  return { layer, entries };
}
