/**
 * YAML as the API server reads it: YAML 1.1 scalars (`yes` is true), one document, keys made strings, and libyaml's words for what is wrong.
 * Follows sigs.k8s.io/yaml (YAMLToJSON, YAMLToJSONStrict) over goyaml.v2.
 */
import { setOwn } from "../../base/own.ts";
import { isAlias, isMap, isPair, isScalar, isSeq, LineCounter, parseAllDocuments, type Document } from "yaml";
import { hasDuplicates, parseJson, plain, type JsonObject } from "./json-parser.ts";
import { yamlErrorText } from "./yaml-errors.ts";

/** `yaml: line 1: did not find expected node content`. */
export class YamlError extends Error {}

export interface ParsedYaml {
  readonly value: unknown;
  /** Keys that stand twice, in the words of the strict converter. */
  readonly duplicates: readonly string[];
}

const OPTIONS = {
  version: "1.1",
  merge: true,
  uniqueKeys: false,
  // It would look up the place of each of thousands.
  prettyErrors: false,
  intAsBigInt: false,
  customTags: (tags: readonly (string | { tag: string; format?: string })[]) => tags.filter((t) => typeof t === "string" || (t.format !== "TIME" && !t.tag.endsWith(":timestamp"))),
} as const;

function duplicateKeys(document: Document.Parsed, lines: LineCounter): string[] {
  const found: string[] = [];
  const visit = (node: unknown): void => {
    if (isSeq(node)) for (const item of node.items) visit(item);
    if (!isMap(node)) return;
    const seen = new Set<unknown>();
    for (const pair of node.items) {
      if (!isPair(pair)) continue;
      const key = isScalar(pair.key) ? pair.key.value : pair.key;
      if (isScalar(pair.key) && seen.has(key) && key !== "<<") found.push(`line ${lines.linePos(pair.key.range?.[0] ?? 0).line}: key ${JSON.stringify(key)} already set in map`);
      seen.add(key);
      visit(pair.value);
    }
  };
  visit(document.contents);
  return found;
}

/** Nobody needs as many, and what they stand for is looked up again for each. */
const ALIASES_MAX = 1000;

/** What goyaml refuses of anchors and aliases. Goes through the document once, in the text's order. */
function refusedAlias(document: Document.Parsed): string | undefined {
  const known = new Set<string>();
  let aliases = 0;
  const look = (node: unknown, around: readonly string[]): string | undefined => {
    if (isAlias(node)) {
      if (around.includes(node.source)) return `anchor '${node.source}' value contains itself`;
      if (!known.has(node.source)) return `unknown anchor '${node.source}' referenced`;
      return ++aliases > ALIASES_MAX ? "document contains excessive aliasing" : undefined;
    }
    if (isScalar(node) && node.anchor !== undefined) known.add(node.anchor);
    if (!isSeq(node) && !isMap(node)) return undefined;
    if (node.anchor !== undefined) known.add(node.anchor);
    const inside = node.anchor === undefined ? around : [...around, node.anchor];
    for (const child of node.items) {
      const refused = isPair(child) ? (look(child.key, inside) ?? look(child.value, inside)) : look(child, inside);
      if (refused !== undefined) return refused;
    }
    return undefined;
  };
  return look(document.contents, []);
}

/** Errors behind a root in braces or brackets are of what nobody reads. */
function errorsThatCount(document: Document.Parsed, text: string): boolean {
  const { contents, errors } = document;
  const [first] = errors;
  if (!first) return false;
  const end = (isMap(contents) || isSeq(contents)) && contents.flow === true ? (contents.range?.[1] ?? 0) : 0;
  return !(/[}\]]/.test(text.slice(Math.max(end - 1, 0), end)) && first.pos[0] >= end);
}

/** Go's interface values in the texts of its errors. */
const goSyntax = (value: unknown): string => (value === null ? "interface {}(nil)" : typeof value === "string" || typeof value === "number" || typeof value === "boolean" ? JSON.stringify(value) : "map[interface {}]interface {}{}");

/** The value as its JSON would be read: keys are texts and sorted, numbers finite. */
function asJson(value: unknown): unknown {
  if (typeof value === "number" && !Number.isFinite(value)) throw new YamlError(`json: unsupported value: ${Number.isNaN(value) ? "NaN" : value > 0 ? "+Inf" : "-Inf"}`);
  if (value instanceof Uint8Array) return Buffer.from(value).toString("utf8");
  if (Array.isArray(value)) return value.map(asJson);
  if (!(value instanceof Map)) return value;
  const out: JsonObject = {};
  const entries = [...value].map(([key, inner]) => [keyText(key, inner), inner] as const);
  for (const [key, inner] of entries.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))) setOwn(out, key, asJson(inner));
  return out;
}

function keyText(key: unknown, value: unknown): string {
  if (typeof key === "string") return key;
  if (typeof key === "number" || typeof key === "boolean") return String(key);
  if (key === null || key === undefined) throw new YamlError(`unsupported map key of type: %!s(<nil>), key: <nil>, value: ${goSyntax(value)}`);
  throw new YamlError(`yaml: invalid map key: ${Array.isArray(key) ? `[]interface {}{${key.map(goSyntax).join(", ")}}` : goSyntax(key)}`);
}

const CONTROL = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/;
const SURROGATE_ESCAPE = /\\u[dD][89a-fA-F][0-9a-fA-F]{2}/g;

/** The line, from one, on which a quoted text escapes half a character; 0 where none does. Looks at each place once. */
function surrogateLine(text: string): number {
  for (const { index } of text.matchAll(SURROGATE_ESCAPE)) {
    const start = text.lastIndexOf("\n", index) + 1;
    const quote = text.lastIndexOf('"', index);
    if (quote >= start && !text.slice(start, quote).includes("#")) return text.slice(0, index).split("\n").length;
  }
  return 0;
}

/** Errors that anybody looks at. */
const ERRORS_READ = 2;
/** Signs that begin a node, about: the library takes some hundred microseconds for each, during which nobody else is served. */
const NODES_MAX = 200_000;
const NODE_SIGN = /[\n:,[{"']/g;

function isTooMuch(text: string): boolean {
  let signs = 0;
  NODE_SIGN.lastIndex = 0;
  while (signs <= NODES_MAX && NODE_SIGN.test(text)) signs++;
  return signs > NODES_MAX;
}

/** What libyaml refuses and the parser takes. */
function refuseEarly(text: string): void {
  if (isTooMuch(text)) throw new YamlError("yaml: document has more nodes than are read here; send it as JSON");
  if (CONTROL.test(text)) throw new YamlError("yaml: control characters are not allowed");
  const directive = /^%YAML\s+(\S+)/.exec(text);
  if (directive && directive[1] !== "1.1") throw new YamlError("yaml: found incompatible YAML document");
  const line = surrogateLine(text);
  if (line > 0) throw new YamlError(`yaml: ${line > 1 ? `line ${line}: ` : ""}found invalid Unicode character escape code`);
}

/** The first document; throws YamlError. An empty text is null. */
export function parseYaml(text: string): ParsedYaml {
  const json = text.startsWith("{") ? asPlainJson(text) : undefined;
  return json ? { value: json, duplicates: [] } : parseReally(text);
}

/** Most of what is called YAML is JSON, which is read much faster: the object, where it is one that means the same in both. */
function asPlainJson(text: string): unknown {
  try {
    const value = parseJson(text);
    return hasDuplicates(value) ? undefined : plain(value);
  } catch {
    return undefined;
  }
}

function parseReally(text: string): ParsedYaml {
  refuseEarly(text);
  const lines = new LineCounter();
  const documents = parseAllDocuments(text, { ...OPTIONS, customTags: OPTIONS.customTags as never, lineCounter: lines });
  const document = Array.isArray(documents) ? documents[0] : undefined;
  if (!document) return { value: null, duplicates: [] };
  for (const error of document.errors.slice(0, ERRORS_READ)) error.linePos = [lines.linePos(error.pos[0]), lines.linePos(error.pos[1])];
  if (document.errors.some(({ code }) => code === "RESOURCE_EXHAUSTION")) throw new YamlError("yaml: exceeded max depth of 10000");
  if (errorsThatCount(document, text)) throw new YamlError(yamlErrorText(document, text));
  const refused = refusedAlias(document);
  if (refused !== undefined) throw new YamlError(`yaml: ${refused}`);
  let value: unknown;
  try {
    value = document.toJS({ maxAliasCount: 1000, mapAsMap: true });
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new YamlError(`yaml: ${why.startsWith("Excessive alias count") ? "document contains excessive aliasing" : why}`);
  }
  return { value: asJson(value), duplicates: duplicateKeys(document, lines) };
}
