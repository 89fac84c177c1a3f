/**
 * Turns a layer's tar stream into a directory: every entry stays inside it, whatever its name or links say.
 * Whiteouts are applied to the tree that is there (the caller puts the lower layers' files there first, as hard links, where a layer has some);
 * a regular file is always written anew, so a hard-linked lower file is never changed. Devices are left out: a sandbox has its own /dev.
 * Follows the OCI image specification, layer.md.
 */
import { createReadStream, createWriteStream } from "node:fs";
import { chmod, chown, lchown, link, lstat, lutimes, mkdir, open, readdir, rm, symlink, utimes } from "node:fs/promises";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGunzip, createZstdDecompress } from "node:zlib";
import { extract, type Header } from "tar-stream";
import { PullError } from "./images.ts";

const WHITEOUT = ".wh.";
const OPAQUE = ".wh..wh..opq";

export interface UnpackOptions {
  /** Set owners as the archive says: only root can. */
  readonly keepOwners: boolean;
  /** Directories of the layers below, lowest first: a directory that the archive only implies takes its mode from there. */
  readonly lower: readonly string[];
}

/** `a/b` from `./a/b/`, `/a/b`; undefined for the root itself; throws for a path that climbs out. */
export function safePath(name: string): string | undefined {
  const parts = name.split("/").filter((p) => p !== "" && p !== ".");
  if (parts.includes("..") || name.includes("\0")) throw new PullError("refused", `layer has an entry outside its root: ${JSON.stringify(name)}`);
  return parts.length === 0 ? undefined : parts.join("/");
}

/** Decompresses by the first bytes, not by the media type: gzip, zstd, or none. */
export async function openLayerFile(file: string): Promise<Readable> {
  const handle = await open(file);
  const head = Buffer.alloc(4);
  try {
    await handle.read(head, 0, 4, 0);
  } finally {
    await handle.close();
  }
  const raw = createReadStream(file);
  const decoder = head[0] === 0x1f && head[1] === 0x8b ? createGunzip() : head.readUInt32LE(0) === 0xfd2fb528 ? createZstdDecompress() : undefined;
  if (!decoder) return raw;
  raw.on("error", (error) => decoder.destroy(error));
  return raw.pipe(decoder);
}

/** Whether a layer file holds whiteouts (read to its end, without writing). */
export async function hasWhiteouts(tar: Readable): Promise<boolean> {
  const entries = extract();
  let found = false;
  const read = (async () => {
    for await (const entry of entries) {
      found ||= (safePath(entry.header.name)?.split("/").at(-1) ?? "").startsWith(WHITEOUT);
      entry.resume();
    }
  })();
  await Promise.all([pipeline(tar, entries), read]);
  return found;
}

/** Whether `path` in `root` is there, is no directory, and is reached through real directories only. */
async function isPlainFile(root: string, path: string): Promise<boolean> {
  const parts = path.split("/");
  for (let i = 1; i <= parts.length; i++) {
    const there = await lstat(join(root, ...parts.slice(0, i))).catch(() => undefined);
    if (!there || there.isDirectory() !== i < parts.length) return false;
  }
  return true;
}

class Unpacker {
  readonly #root: string;
  readonly #options: UnpackOptions;
  /** Directories known to be real ones inside the root (never links). */
  readonly #real = new Set<string>([""]);
  /** What this archive itself has put in place: an opaque whiteout spares it. */
  readonly #written = new Set<string>();
  /** Directories' times and modes are set at the end, deepest first. */
  readonly #directories: { readonly path: string; readonly mode: number; readonly mtime: Date }[] = [];

  constructor(root: string, options: UnpackOptions) {
    this.#root = root;
    this.#options = options;
  }

  async entry(header: Header, content: Readable): Promise<void> {
    const path = safePath(header.name);
    if (path === undefined) {
      if (header.type === "directory") this.#directories.push({ path: "", mode: header.mode ?? 0o755, mtime: header.mtime ?? new Date(0) });
      return;
    }
    const name = path.split("/").at(-1) ?? "";
    const parent = await this.#parent(path);
    if (name === OPAQUE) return this.#emptyLower(parent);
    if (name.startsWith(WHITEOUT)) return this.#remove(join(parent, name.slice(WHITEOUT.length)));
    await this.#place(join(parent, name), header, content);
  }

  async finish(): Promise<void> {
    for (const d of this.#directories.reverse()) {
      const full = join(this.#root, d.path);
      await chmod(full, d.mode);
      await utimes(full, d.mtime, d.mtime);
    }
  }

  /** Makes sure that every directory above `path` is a real one; a link or file in the way is replaced, as overlayfs would show it. */
  async #parent(path: string): Promise<string> {
    const parts = path.split("/").slice(0, -1);
    let at = "";
    for (const part of parts) {
      at = at === "" ? part : `${at}/${part}`;
      if (this.#real.has(at)) continue;
      const there = await lstat(join(this.#root, at)).catch(() => undefined);
      if (!there?.isDirectory()) {
        if (there) await rm(join(this.#root, at), { recursive: true, force: true });
        await this.#implied(at);
      }
      this.#real.add(at);
    }
    return at;
  }

  async #implied(path: string): Promise<void> {
    await mkdir(join(this.#root, path));
    for (const lower of [...this.#options.lower].reverse()) {
      const below = await lstat(join(lower, path)).catch(() => undefined);
      if (!below?.isDirectory()) continue;
      await chmod(join(this.#root, path), below.mode & 0o7777);
      if (this.#options.keepOwners) await chown(join(this.#root, path), below.uid, below.gid);
      return;
    }
  }

  async #place(path: string, header: Header, content: Readable): Promise<void> {
    const full = join(this.#root, path);
    const mode = header.mode ?? 0o644;
    const mtime = header.mtime ?? new Date(0);
    this.#written.add(path);
    if (header.type === "directory") {
      const there = await lstat(full).catch(() => undefined);
      if (there && !there.isDirectory()) await rm(full, { force: true });
      if (!there?.isDirectory()) await mkdir(full);
      this.#real.add(path);
      if (this.#options.keepOwners) await chown(full, header.uid ?? 0, header.gid ?? 0);
      this.#directories.push({ path, mode, mtime });
      return;
    }
    if (!["file", "contiguous-file", "symlink", "link"].includes(header.type ?? "file")) return;
    await this.#remove(path);
    if (header.type === "symlink") {
      await symlink(header.linkname ?? "", full);
      if (this.#options.keepOwners) await lchown(full, header.uid ?? 0, header.gid ?? 0);
      await lutimes(full, mtime, mtime);
    } else if (header.type === "link") {
      const target = safePath(header.linkname ?? "");
      if (target === undefined) throw new PullError("refused", `layer has a link to its root: ${JSON.stringify(header.name)}`);
      await link(await this.#linkSource(target), full);
    } else {
      await pipeline(content, createWriteStream(full, { flags: "wx", mode: 0o600 }));
      if (this.#options.keepOwners) await chown(full, header.uid ?? 0, header.gid ?? 0);
      await chmod(full, mode);
      await utimes(full, mtime, mtime);
    }
  }

  /** A hard link's target: of this layer, or of one below (copied by the file system's own link where both are on one). */
  async #linkSource(target: string): Promise<string> {
    for (const root of [this.#root, ...[...this.#options.lower].reverse()]) if (await isPlainFile(root, target)) return join(root, target);
    throw new PullError("refused", `layer has a link to a file that is not there: ${JSON.stringify(target)}`);
  }

  async #remove(path: string): Promise<void> {
    const there = await lstat(join(this.#root, path)).catch(() => undefined);
    if (!there) return;
    await rm(join(this.#root, path), { recursive: true, force: true });
    if (!there.isDirectory()) return;
    for (const known of this.#real) if (known === path || known.startsWith(`${path}/`)) this.#real.delete(known);
  }

  async #emptyLower(directory: string): Promise<void> {
    for (const name of await readdir(join(this.#root, directory))) {
      const path = directory === "" ? name : `${directory}/${name}`;
      if (![...this.#written].some((w) => w === path || w.startsWith(`${path}/`))) await this.#remove(path);
    }
  }
}

/** Unpacks the (decompressed) `tar` into `root`, which exists. */
export async function unpackLayer(tar: Readable, root: string, options: UnpackOptions): Promise<void> {
  const unpacker = new Unpacker(root, options);
  const entries = extract();
  const read = (async () => {
    for await (const entry of entries) {
      await unpacker.entry(entry.header, entry as unknown as Readable);
      entry.resume();
    }
  })();
  await Promise.all([pipeline(tar, entries), read]);
  await unpacker.finish();
}

/** Puts hard links of all files under `from` into `to` (directories made anew with the same mode and owner). Upper trees come last. */
export async function linkTree(from: string, to: string, keepOwners: boolean): Promise<void> {
  for (const entry of await readdir(from, { withFileTypes: true })) {
    const source = join(from, entry.name);
    const target = join(to, entry.name);
    const there = await lstat(target).catch(() => undefined);
    if (entry.isDirectory()) {
      const { mode, uid, gid } = await lstat(source);
      if (there && !there.isDirectory()) await rm(target, { force: true });
      if (!there?.isDirectory()) await mkdir(target);
      await linkTree(source, target, keepOwners);
      if (keepOwners) await chown(target, uid, gid);
      await chmod(target, mode & 0o7777);
    } else {
      if (there) await rm(target, { recursive: true, force: true });
      await link(source, target);
    }
  }
}
