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

function goFloat(text: string): string {
  if (/^(?:-?\d+|true|false)$/.test(text)) return text;
  const n = Number(text);
  const exponent = n === 0 ? 0 : Math.floor(Math.log10(Math.abs(n)));
  if (exponent >= -4 && exponent < 21) return String(n);
  const [mantissa = "", e = "0"] = n.toExponential().split("e");
  return `${mantissa}e${Number(e) < 0 ? "-" : "+"}${String(Math.abs(Number(e))).padStart(2, "0")}`;
}

/** The Go type of a decoded JSON value. */
export function goTypeOf(value: unknown): string {
  if (value === null || value === undefined) return "%!s(<nil>)";
  if (Array.isArray(value)) return "[]interface {}";
  if (value instanceof NumberText) return /^-?\d+$/.test(value.text) ? "int64" : "float64";
  switch (typeof value) {
    case "string": return "string";
    case "boolean": return "bool";
    case "number": return Number.isInteger(value) ? "int64" : "float64";
    default: return "map[string]interface {}";
  }
}
