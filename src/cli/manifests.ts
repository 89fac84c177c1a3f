/**
 * Reads manifests: files, directories' worth of them and standard input, YAML or JSON, several documents and Lists in one.
 * Only their outside is looked at here (is it an object with kind, apiVersion and a name?); what they mean is the server's to say.
 */
import { readFile } from "node:fs/promises";
import { fileErrorText, UsageError } from "../app/configuration.ts";
import type { KubeObject } from "../api/object.ts";

export interface Manifest {
  /** Where it was read: `job.yaml`, or `job.yaml (document 2)`. */
  readonly source: string;
  readonly object: KubeObject;
}

async function readSource(path: string, stdin: NodeJS.ReadableStream): Promise<string> {
  if (path !== "-") {
    return readFile(path, "utf8").catch((error: unknown) => {
      throw new UsageError(`can't read ${path}: ${fileErrorText(error)}`);
    });
  }
  const chunks: Uint8Array[] = [];
  for await (const chunk of stdin) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks).toString("utf8");
}

/** Throws UsageError with the place of the mistake. */
export async function readManifests(paths: readonly string[], stdin: NodeJS.ReadableStream): Promise<readonly Manifest[]> {
  const all: Manifest[] = [];
  for (const path of paths) {
    const text = await readSource(path, stdin);
    all.push(...(await parseManifests(text, path === "-" ? "standard input" : path)));
  }
  if (all.length === 0) throw new UsageError(`${paths.map((path) => (path === "-" ? "standard input" : path)).join(", ")}: no object in it`);
  return all;
}

export async function parseManifests(text: string, source: string): Promise<readonly Manifest[]> {
  const { parseAllDocuments } = await import("yaml");
  const documents = parseAllDocuments(text, { uniqueKeys: false });
  const found: Manifest[] = [];
  const list = Array.isArray(documents) ? documents : [];
  for (const [i, document] of list.entries()) {
    const where = list.length > 1 ? `${source} (document ${i + 1})` : source;
    const [error] = document.errors;
    if (error) throw new UsageError(`${where}: error parsing YAML: ${error.message.split("\n")[0]?.replace(/:$/, "")}`);
    const value: unknown = document.toJS();
    if (value !== null && value !== undefined) found.push(...flatten(value, where));
  }
  return found;
}

function flatten(value: unknown, source: string): readonly Manifest[] {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw new UsageError(`${source}: not a Kubernetes object: expected a mapping with apiVersion and kind`);
  const { apiVersion, kind, items, metadata } = value as { apiVersion?: unknown; kind?: unknown; items?: unknown; metadata?: unknown };
  if (typeof kind !== "string" || kind === "") throw new UsageError(`${source}: Object 'Kind' is missing`);
  if (typeof apiVersion !== "string" || apiVersion === "") throw new UsageError(`${source}: Object 'apiVersion' is missing`);
  if (Array.isArray(items) && kind.endsWith("List")) return items.flatMap((item, i) => flatten(item, `${source} (item ${i + 1})`));
  if (typeof metadata !== "object" || metadata === null) throw new UsageError(`${source}: ${kind} has no metadata: give it a name`);
  return [{ source, object: value as KubeObject }];
}
