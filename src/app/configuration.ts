/**
 * What a user may set, from the command line and from a configuration file, and where things are kept by default. Parsed here, trusted inside.
 */
import { readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";

export const USERLANDS = ["image", "host", "auto"] as const;
export type Userland = (typeof USERLANDS)[number];

/** What a server can do without: somebody else then plays its part. */
export const PARTS = ["agent", "scheduler", "controllers"] as const;
export type Part = (typeof PARTS)[number];

/** A mistake of the user's: shown as one line, exit status 2. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** Why a file can't be had, in words. */
export function fileErrorText(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  const words: Readonly<Record<string, string>> = {
    ENOENT: "there is no such file", EACCES: "permission denied", EPERM: "permission denied", EISDIR: "it is a directory", ENOTDIR: "a part of the path is no directory", EEXIST: "a file is in the way", EROFS: "the file system is read-only", ENOSPC: "no space is left on the device",
  };
  return words[code ?? ""] ?? code ?? message;
}

export interface Settings {
  readonly userland: Userland | undefined;
  readonly strictPull: boolean;
  /** Registry → base URLs asked before it. */
  readonly registryMirrors: Readonly<Record<string, readonly string[]>>;
}

export const isUserland = (text: string): text is Userland => (USERLANDS as readonly string[]).includes(text);

/** Where images and, for `stint up`, everything else is kept when `--data-dir` is not given. */
export function defaultDataDirectory(env: NodeJS.ProcessEnv = process.env, isRoot: boolean = process.getuid?.() === 0): string {
  if (env["STINT_DATA_DIR"]) return env["STINT_DATA_DIR"];
  if (isRoot) return "/var/lib/stint";
  return join(env["XDG_DATA_HOME"] || join(env["HOME"] || homedir(), ".local", "share"), "stint");
}

/** Parses `docker.io=http://127.0.0.1:5000`. */
export function parseMirror(text: string): { readonly registry: string; readonly url: string } {
  const [, registry, url] = /^([^=\s]+)=(https?:\/\/[^\s]+)$/.exec(text) ?? [];
  if (registry === undefined || url === undefined || !URL.canParse(url)) throw new UsageError(`--registry-mirror ${text}: expected REGISTRY=URL, such as docker.io=http://127.0.0.1:5000`);
  return { registry, url };
}

/** Adds mirrors of the command line in front of those of the file. */
export function mergeMirrors(file: Settings["registryMirrors"], flags: readonly string[]): Settings["registryMirrors"] {
  const merged: Record<string, readonly string[]> = { ...file };
  for (const flag of [...flags].reverse()) {
    const { registry, url } = parseMirror(flag);
    merged[registry] = [url, ...(merged[registry] ?? [])];
  }
  return merged;
}

const NO_SETTINGS: Settings = { userland: undefined, strictPull: false, registryMirrors: {} };

/**
 * Reads the configuration file: the one that is named, else `stint/config.yaml` in the user's configuration directory if it is there.
 * Throws UsageError that names the file and the field.
 */
export async function readSettings(file: string | undefined, env: NodeJS.ProcessEnv = process.env): Promise<Settings> {
  const path = file ?? join(env["XDG_CONFIG_HOME"] || join(env["HOME"] || homedir(), ".config"), "stint", "config.yaml");
  const text = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (file === undefined && (error.code === "ENOENT" || error.code === "ENOTDIR" || error.code === "EACCES")) return undefined;
    throw new UsageError(`can't read the configuration file ${path}: ${fileErrorText(error)}`);
  });
  if (text === undefined) return NO_SETTINGS;
  const { parse } = await import("yaml");
  let value: unknown;
  try {
    value = parse(text);
  } catch (error) {
    throw new UsageError(`${path}: ${error instanceof Error ? error.message.split("\n")[0]?.replace(/:$/, "") : String(error)}`);
  }
  return parseSettings(value ?? {}, path);
}

function parseSettings(value: unknown, path: string): Settings {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw new UsageError(`${path}: expected a mapping with userland, strictPull, registryMirrors`);
  const { userland, strictPull, registryMirrors, ...unknown } = value as Record<string, unknown>;
  const stranger = Object.keys(unknown)[0];
  if (stranger !== undefined) throw new UsageError(`${path}: unknown field ${JSON.stringify(stranger)}; known are userland, strictPull, registryMirrors`);
  if (userland !== undefined && (typeof userland !== "string" || !isUserland(userland))) throw new UsageError(`${path}: userland: expected one of ${USERLANDS.join(", ")}`);
  if (strictPull !== undefined && typeof strictPull !== "boolean") throw new UsageError(`${path}: strictPull: expected true or false`);
  return { userland, strictPull: strictPull ?? false, registryMirrors: parseMirrors(registryMirrors ?? {}, path) };
}

function parseMirrors(value: unknown, path: string): Settings["registryMirrors"] {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw new UsageError(`${path}: registryMirrors: expected a mapping from registry to URLs`);
  return Object.fromEntries(
    Object.entries(value).map(([registry, urls]) => {
      const list: readonly unknown[] = Array.isArray(urls) ? urls : [urls];
      return [registry, list.map((url) => {
        if (typeof url !== "string" || !/^https?:\/\//.test(url) || !URL.canParse(url)) throw new UsageError(`${path}: registryMirrors.${registry}: expected http:// or https:// URLs`);
        return url;
      })];
    }),
  );
}
