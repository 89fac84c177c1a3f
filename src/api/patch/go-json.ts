/**
 * The text of a patched document as upstream's patch library prints it: objects that the patch has reached into come with sorted keys, all others as they
 * were written. Error messages quote it.
 * Follows evanphx/json-patch v4 (lazyNode.MarshalJSON) and Go encoding/json.
 */
import { setOwn, table } from "../../base/own.ts";
import { NumberText, type JsonObject } from "../schema/json-parser.ts";

/** Objects and lists that the patch has reached into. */
export type Touched = WeakSet<object>;

const HTML: Readonly<Record<string, string>> = table({ "<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029" });

const quoted = (text: string): string => JSON.stringify(text).replace(/[<>&\u2028\u2029]/g, (c) => HTML[c] ?? c);

/** JavaScript puts keys that are numbers first. Only maps have such, and Go sorts those. */
function keysOf(value: object): string[] {
  const keys = Object.keys(value);
  return /^\d+$/.test(keys[0] ?? "") ? keys.sort() : keys;
}

/** The document's text. */
export function goJson(value: unknown): string {
  if (value instanceof NumberText) return value.text;
  if (typeof value === "string") return quoted(value);
  if (Array.isArray(value)) return `[${value.map((item) => goJson(item)).join(",")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value) ?? "null";
  return `{${keysOf(value).map((key) => `${quoted(key)}:${goJson((value as JsonObject)[key])}`).join(",")}}`;
}

/** The document as it is printed, and read again: the keys of all that was reached into are sorted. */
export function inPrintedOrder(value: unknown, touched: Touched): unknown {
  if (typeof value !== "object" || value === null || !touched.has(value)) return value;
  if (Array.isArray(value)) return value.map((item) => inPrintedOrder(item, touched));
  const out: JsonObject = {};
  for (const key of Object.keys(value).sort()) setOwn(out, key, inPrintedOrder((value as JsonObject)[key], touched));
  return out;
}
