/**
 * Whether a text is a JSON object, in the words of Go's encoding/json.
 */
import { table } from "../../base/own.ts";
import { JsonSyntaxError, parseJson } from "../schema/json-parser.ts";

const GO_KIND: Readonly<Record<string, string>> = table({ string: "string", number: "number", boolean: "bool" });

/** Why `text` is no JSON object; undefined when it is one (or null, which Go takes). */
export function jsonObjectError(text: string): string | undefined {
  try {
    const value = parseJson(text);
    if (value === null || (typeof value === "object" && !Array.isArray(value))) return undefined;
    return `json: cannot unmarshal ${Array.isArray(value) ? "array" : (GO_KIND[typeof value] ?? "number")} into Go value of type map[string]interface {}`;
  } catch (e) {
    if (e instanceof JsonSyntaxError) return e.message;
    throw e;
  }
}
