/**
 * RFC 7386: null removes, objects merge, all else replaces. Pure. Where nothing may be merged with, upstream takes the patch as it stands, nulls and all.
 * Follows evanphx/json-patch v4 merge.go.
 */
import { setOwn } from "../../base/own.ts";
import { NumberText, type JsonObject } from "../schema/json-parser.ts";
import { inPrintedOrder, type Touched } from "./go-json.ts";

const isObject = (value: unknown): value is JsonObject => typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof NumberText);

/** The patch's value where nothing was before: keys with null fall away, in lists too. */
function withoutNulls(value: unknown, touched: Touched): unknown {
  if (Array.isArray(value)) {
    const items = value.map((inner) => withoutNulls(inner, touched));
    touched.add(items);
    return items;
  }
  if (!isObject(value)) return value;
  const out: JsonObject = {};
  for (const [key, inner] of Object.entries(value)) if (inner !== null) setOwn(out, key, withoutNulls(inner, touched));
  touched.add(out);
  return out;
}

function merge(target: unknown, patch: unknown, touched: Touched): unknown {
  if (!isObject(target)) return withoutNulls(patch, touched);
  if (!isObject(patch)) return patch;
  const out: JsonObject = { ...target };
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete out[key];
    else setOwn(out, key, Object.hasOwn(out, key) ? merge(out[key], value, touched) : withoutNulls(value, touched));
  }
  touched.add(out);
  return out;
}

/** `patch` merged into `target`; what the merge has reached into has its keys sorted. */
export function mergePatch(target: unknown, patch: unknown): unknown {
  const touched: Touched = new WeakSet();
  return inPrintedOrder(merge(target, patch, touched), touched);
}
