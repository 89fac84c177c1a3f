/**
 * The annotation of kubectl's client-side apply: what an apply by "kubectl" may take over because of it, and its text.
 * Follows apimachinery pkg/util/managedfields/internal/lastappliedmanager.go and lastapplied.go.
 */
import type { JsonObject } from "../schema/json-parser.ts";
import type { Type } from "../schema/schema.ts";
import { compareValues } from "./compare.ts";
import { difference, type FieldSet } from "./field-set.ts";
import { fieldsOf, isMap } from "./typed.ts";

export const LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration";

function parseObject(text: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isMap(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Fields that were applied from the client's side and still have that value; undefined where there is no such annotation. */
export function allowedByLastApplied(type: Type, live: JsonObject, apiVersion: string): FieldSet | undefined {
  const metadata = live["metadata"];
  const annotations = isMap(metadata) ? metadata["annotations"] : undefined;
  const text = isMap(annotations) ? annotations[LAST_APPLIED] : undefined;
  const last = typeof text === "string" ? parseObject(text) : undefined;
  if (!last || last["apiVersion"] !== apiVersion) return undefined;
  const { added, modified, removed } = compareValues(type, last, live);
  return difference(difference(difference(fieldsOf(type, last), modified), added), removed);
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  return isMap(value) ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, inner]) => [key, sorted(inner)])) : value;
}

/** The configuration as the annotation holds it: keys sorted, without the annotation itself, a line break at the end. */
export function lastAppliedText(config: JsonObject): string {
  const metadata = isMap(config["metadata"]) ? config["metadata"] : {};
  const annotations = isMap(metadata["annotations"]) ? { ...metadata["annotations"] } : undefined;
  if (annotations) delete annotations[LAST_APPLIED];
  const { annotations: _annotations, ...rest } = metadata;
  const meta = annotations && Object.keys(annotations).length > 0 ? { ...rest, annotations } : rest;
  return `${JSON.stringify(sorted({ ...config, metadata: meta }))}\n`;
}
