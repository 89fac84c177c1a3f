/**
 * RFC 7386: null removes, objects merge, all else replaces. Pure.
 */
import { NumberText, plain, setOwn, type JsonObject } from "../schema/json-parser.ts";

const isObject = (value: unknown): value is JsonObject => typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof NumberText);

/** The patch's value where nothing was before: keys with null fall away, in lists too. */
function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (!isObject(value)) return plain(value);
  const out: JsonObject = {};
  for (const [key, inner] of Object.entries(value)) if (inner !== null) setOwn(out, key, withoutNulls(inner));
  return out;
}

/** `patch` merged into `target`. */
export function mergePatch(target: unknown, patch: unknown): unknown {
  if (!isObject(patch) || !isObject(target)) return withoutNulls(patch);
  const out: JsonObject = { ...target };
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete out[key];
    else setOwn(out, key, Object.hasOwn(out, key) ? mergePatch(out[key], value) : withoutNulls(value));
  }
  return out;
}
