/**
 * Writes a set of files so that a reader sees either all the old or all the new ones: a dated directory, a link `..data` to it that is swapped,
 * and links to what is in it. Follows kubernetes pkg/volume/util/atomic_writer.go.
 */
import { chmodSync, lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Instant } from "../../base/clock.ts";
import { own, type Ownership } from "./ownership.ts";

export interface VolumeFile {
  /** Relative, without `..`. */
  readonly path: string;
  readonly data: Buffer;
  readonly mode: number;
  /** Owner of the file, where it is not root. */
  readonly uid?: number;
}

const DATA = "..data";
const NEW_DATA = "..data_tmp";

/** `2006_01_02_15_04_05`: how the dated directories are called. */
const stamp = (now: Instant): string => new Date(now).toISOString().slice(0, 19).replaceAll(/[-T:]/g, "_");

function currentDirectory(dir: string): string | undefined {
  try {
    return readlinkSync(join(dir, DATA));
  } catch {
    return undefined;
  }
}

function isSame(dir: string, files: readonly VolumeFile[]): boolean {
  const present = readdirSync(dir, { recursive: true, withFileTypes: true }).filter((e) => e.isFile()).length;
  if (present !== files.length) return false;
  return files.every((f) => {
    try {
      return readFileSync(join(dir, f.path)).equals(f.data);
    } catch {
      return false;
    }
  });
}

function writePayload(dir: string, files: readonly VolumeFile[], ownership: Ownership): void {
  chmodSync(dir, 0o755);
  own(dir, ownership, 0o755);
  for (const file of files) {
    const path = join(dir, file.path);
    for (const parent of parentsOf(file.path)) {
      mkdirSync(join(dir, parent), { recursive: true, mode: 0o755 });
      own(join(dir, parent), ownership, 0o755);
    }
    writeFileSync(path, file.data);
    own(path, { ...ownership, ...(file.uid !== undefined && { uid: file.uid }) }, file.mode);
  }
}

function parentsOf(path: string): readonly string[] {
  const parent = dirname(path);
  return parent === "." ? [] : [...parentsOf(parent), parent];
}

/** Makes `dir` show `files` and nothing else. Says whether anything changed. */
export function writeAtomically(dir: string, files: readonly VolumeFile[], ownership: Ownership, now: Instant): boolean {
  const old = currentDirectory(dir);
  if (old !== undefined && isSame(join(dir, old), files)) return false;
  const dated = mkdtempSync(join(dir, `..${stamp(now)}.`));
  writePayload(dated, files, ownership);
  const name = dated.slice(dir.length + 1);
  rmSync(join(dir, NEW_DATA), { force: true });
  symlinkSync(name, join(dir, NEW_DATA));
  renameSync(join(dir, NEW_DATA), join(dir, DATA));
  linkVisible(dir, new Set(files.map((f) => f.path.split("/")[0] ?? f.path)));
  if (old !== undefined) rmSync(join(dir, old), { recursive: true, force: true });
  return true;
}

function linkVisible(dir: string, wanted: ReadonlySet<string>): void {
  const present = readdirSync(dir).filter((name) => !name.startsWith("..") && lstatSync(join(dir, name)).isSymbolicLink());
  for (const name of present) if (!wanted.has(name)) rmSync(join(dir, name), { force: true });
  for (const name of wanted) if (!present.includes(name)) symlinkSync(`${DATA}/${name}`, join(dir, name));
}
