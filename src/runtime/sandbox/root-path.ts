/**
 * Paths inside a container's root, looked up before it exists: the layers under it are directories of this machine that never change, so
 * links are followed here, inside the root, and mount points that no layer has are made in the container's writable layer.
 * Never follows a link out of the root. The caller gives layers lowest first; the topmost that has a path decides, as in overlayfs.
 */
import { chmodSync, chownSync, lstatSync, mkdirSync, readlinkSync, writeFileSync, type Stats } from "node:fs";
import { dirname, join } from "node:path";

const LINKS_MAX = 40;
/** Looked-up paths that are remembered; when full, all are forgotten. */
const CACHE_ENTRIES_MAX = 4096;

export interface Found {
  /** Absolute, without links, dots or doubled slashes. */
  readonly path: string;
  readonly kind: "directory" | "file" | "missing";
  /** The deepest directory above (or at) `path` that is there. */
  readonly base: string;
}

export const parts = (path: string): string[] => path.split("/").filter((p) => p !== "" && p !== ".");

const lstat = (path: string): Stats | undefined => lstatSync(path, { throwIfNoEntry: false });

export class RootPaths {
  readonly #cache = new Map<string, Found>();

  /** Where `path` leads in a root of `layers`. */
  find(layers: readonly string[], path: string): Found {
    const key = `${layers.join("\0")}\0\0${path}`;
    const known = this.#cache.get(key);
    if (known) return known;
    const found = walk(layers, path);
    if (this.#cache.size >= CACHE_ENTRIES_MAX) this.#cache.clear();
    this.#cache.set(key, found);
    return found;
  }

  /** Makes sure that a root of `layers` with the writable layer `upper` has `path`, as a directory or (empty) file; gives its resolved form. */
  ensure(layers: readonly string[], upper: string, path: string, kind: "directory" | "file"): string {
    const found = this.find([...layers], path);
    if (found.kind !== "missing") return found.path;
    const directory = kind === "directory" ? found.path : dirname(found.path);
    makeDirectories(layers, upper, directory, found.base);
    if (kind === "file") writeFileSync(join(upper, found.path), "", { flag: "a" });
    return found.path;
  }
}

function entryOf(layers: readonly string[], path: string): { readonly stat: Stats; readonly file: string } | undefined {
  for (let i = layers.length - 1; i >= 0; i--) {
    const file = join(layers[i] ?? "", path);
    const stat = lstat(file);
    if (stat) return { stat, file };
  }
  return undefined;
}

function walk(layers: readonly string[], path: string): Found {
  const todo = parts(path);
  const done: string[] = [];
  let links = 0;
  for (let next = todo.shift(); next !== undefined; next = todo.shift()) {
    if (next === "..") {
      done.pop();
      continue;
    }
    const base = `/${done.join("/")}`;
    const entry = entryOf(layers, join(base, next));
    if (entry?.stat.isSymbolicLink() && ++links <= LINKS_MAX) {
      const target = readlinkSync(entry.file);
      if (target.startsWith("/")) done.length = 0;
      todo.unshift(...parts(target));
    } else if (entry?.stat.isDirectory()) {
      done.push(next);
    } else {
      const rest = [next, ...todo].filter((p) => p !== "..");
      return { path: join(base, ...rest), kind: entry && rest.length === 1 ? "file" : "missing", base };
    }
  }
  const all = `/${done.join("/")}`;
  return { path: all, kind: "directory", base: all };
}

/** A directory that hides one of a lower layer takes its mode and owner: overlayfs shows the upper one's. */
function makeDirectories(layers: readonly string[], upper: string, path: string, base: string): void {
  const known = parts(base).length;
  const names = parts(path);
  for (let i = 1; i <= names.length; i++) {
    const at = names.slice(0, i).join("/");
    const full = join(upper, at);
    if (lstat(full)?.isDirectory()) continue;
    mkdirSync(full, { mode: 0o755 });
    const lower = i <= known ? entryOf(layers, at) : undefined;
    if (!lower) continue;
    chmodSync(full, lower.stat.mode & 0o7777);
    if (process.geteuid?.() === 0) chownSync(full, lower.stat.uid, lower.stat.gid);
  }
}
