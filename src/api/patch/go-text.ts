/**
 * Values as Go's `%v` prints them: patch errors quote patches this way. Follows Go fmt: maps with sorted keys.
 */
import { NumberText } from "../schema/json-parser.ts";

/** `map[spec:map[paralelism:1]]`. */
export function goText(value: unknown): string {
  if (value === null || value === undefined) return "<nil>";
  if (value instanceof NumberText) return goFloat(value.text);
  if (Array.isArray(value)) return `[${value.map(goText).join(" ")}]`;
  if (typeof value === "string") return value;
  if (typeof value === "number" || typeof value === "boolean") return goFloat(String(value));
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `map[${entries.map(([k, v]) => `${k}:${goText(v)}`).join(" ")}]`;
}

/** Whether Go reads a number's text as int64; all others are float64. */
export const isGoInteger = (text: string): boolean => /^-?\d+$/.test(text) && BigInt.asIntN(64, BigInt(text)) === BigInt(text);

/** Floats from here on have an exponent. */
const FLOAT_EXPONENT_MAX = 6;

function goFloat(text: string): string {
  if (text === "true" || text === "false" || isGoInteger(text)) return text;
  const n = Number(text);
  const [mantissa = "", e = "0"] = n.toExponential().split("e");
  if (Number(e) >= -4 && Number(e) < FLOAT_EXPONENT_MAX) return String(n);
  return `${mantissa}e${Number(e) < 0 ? "-" : "+"}${String(Math.abs(Number(e))).padStart(2, "0")}`;
}

/** The Go type of a decoded JSON value. */
export function goTypeOf(value: unknown): string {
  if (value === null || value === undefined) return "%!s(<nil>)";
  if (Array.isArray(value)) return "[]interface {}";
  if (value instanceof NumberText) return isGoInteger(value.text) ? "int64" : "float64";
  switch (typeof value) {
    case "string": return "string";
    case "boolean": return "bool";
    case "number": return Number.isInteger(value) ? "int64" : "float64";
    default: return "map[string]interface {}";
  }
}
