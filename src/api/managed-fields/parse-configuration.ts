/**
 * The body of an apply: YAML, of which JSON is a part, made an object.
 * Follows apiserver pkg/endpoints/handlers/patch.go (applyPatcher) over sigs.k8s.io/yaml.
 */
import { badRequest } from "../status-error.ts";
import { entriesOf, JsonSyntaxError, parseJson, plain, type JsonObject } from "../schema/json-parser.ts";
import { parseYaml, YamlError, type ParsedYaml } from "../schema/yaml-parser.ts";
import { isMap } from "./typed.ts";

export interface Configuration {
  readonly config: JsonObject;
  readonly strictErrors: readonly string[];
}

function hasDuplicates(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  return entriesOf(value) !== undefined || Object.values(value).some(hasDuplicates);
}

/** JSON is read as JSON, which is faster; keys that stand twice are told in YAML's words. */
function parseText(text: string): ParsedYaml {
  if (!text.trimStart().startsWith("{") || /\\u[dD][89a-fA-F]/.test(text)) return parseYaml(text);
  try {
    const value = parseJson(text);
    return hasDuplicates(value) ? parseYaml(text) : { value: plain(value), duplicates: [] };
  } catch (error) {
    if (error instanceof JsonSyntaxError) return parseYaml(text);
    throw error;
  }
}

const kindOf = (value: unknown): string => (Array.isArray(value) ? "array" : typeof value === "boolean" ? "bool" : typeof value);

/** Throws StatusError 400. A string is text, anything else is parsed already. */
export function parseConfiguration(body: unknown): Configuration {
  try {
    const { value, duplicates } = typeof body === "string" ? parseText(body) : { value: body, duplicates: [] };
    if (value !== null && !isMap(value)) throw badRequest(`error decoding YAML: error unmarshaling JSON: while decoding JSON: json: cannot unmarshal ${kindOf(value)} into Go value of type map[string]interface {}`);
    const strictErrors = duplicates.length > 0 ? [`error converting YAML to JSON: yaml: unmarshal errors:\n  ${duplicates.join("\n  ")}`] : [];
    return { config: value ?? {}, strictErrors };
  } catch (error) {
    if (error instanceof YamlError) throw badRequest(`error decoding YAML: error converting YAML to JSON: ${error.message}`);
    throw error;
  }
}
