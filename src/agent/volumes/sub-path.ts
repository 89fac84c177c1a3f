/**
 * The part of a volume that a mount names. It is made when it is not there, and it never leads out of the volume.
 * Follows kubernetes pkg/volume/util/subpath/subpath_linux.go.
 */
import { chmodSync, existsSync, mkdirSync, realpathSync, statSync } from "node:fs";
import { join, sep } from "node:path";

const isBelow = (path: string, root: string): boolean => path === root || path.startsWith(root.endsWith(sep) ? root : `${root}${sep}`);

/** The real path of `subPath` in `volumePath`. Throws when it leads out of the volume. */
export function resolveSubPath(volumePath: string, subPath: string): string {
  const root = realpathSync(volumePath);
  let at = root;
  for (const part of subPath.split("/").filter((p) => p !== "" && p !== ".")) {
    if (part === "..") throw new Error(`subpath "${subPath}" not within volume path "${volumePath}"`);
    const next = join(at, part);
    if (!existsSync(next)) makeDirectory(next, root);
    at = realpathSync(next);
    if (!isBelow(at, root)) throw new Error(`subpath "${at}" not within volume path "${root}"`);
  }
  return at;
}

/** New directories have the volume's own mode. */
function makeDirectory(path: string, root: string): void {
  mkdirSync(path);
  chmodSync(path, statSync(root).mode & 0o7777);
}
