/**
 * The text of a patched document as upstream's patch library prints it: objects that the patch has reached into come with sorted keys, all others as they
 * were written. Error messages quote it.
 * Follows evanphx/json-patch v4 (lazyNode.MarshalJSON) and Go encoding/json.
 */
import { NumberText, setOwn, type JsonObject } from "../schema/json-parser.ts";

/** Objects that the patch has reached into. */
export type Touched = WeakSet<object>;

const HTML: Readonly<Record<string, string>> = { "<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029" };

const quoted = (text: string): string => JSON.stringify(text).replace(/[<>&\u2028\u2029]/g, (c) => HTML[c] ?? c);

const keysOf = (value: object, touched: Touched): string[] => (touched.has(value) ? Object.keys(value).sort() : Object.keys(value));

/** The document's text. */
export function goJson(value: unknown, touched: Touched): string {
  if (value instanceof NumberText) return value.text;
  if (typeof value === "string") return quoted(value);
  if (Array.isArray(value)) return `[${value.map((item) => goJson(item, touched)).join(",")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value) ?? "null";
  return `{${keysOf(value, touched).map((key) => `${quoted(key)}:${goJson((value as JsonObject)[key], touched)}`).join(",")}}`;
}

/** A copy that prints the same, reached into or not. */
export function copyPrinted(value: unknown, touched: Touched): unknown {
  if (Array.isArray(value)) return value.map((item) => copyPrinted(item, touched));
  if (typeof value !== "object" || value === null || value instanceof NumberText) return value;
  const out: JsonObject = {};
  for (const key of keysOf(value, touched)) setOwn(out, key, copyPrinted((value as JsonObject)[key], touched));
  return out;
}
