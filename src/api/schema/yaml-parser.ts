/**
 * YAML as the API server reads it: YAML 1.1 scalars (`yes` is true), one document, keys made strings, and libyaml's words for what is wrong.
 * Follows sigs.k8s.io/yaml (YAMLToJSON, YAMLToJSONStrict) over goyaml.v2.
 */
import { isAlias, isMap, isPair, isScalar, isSeq, LineCounter, parseAllDocuments, type Document, type ErrorCode } from "yaml";

/** `yaml: line 1: did not find expected node content`. */
export class YamlError extends Error {}

export interface ParsedYaml {
  readonly value: unknown;
  /** Keys that stand twice, in the words of the strict converter. */
  readonly duplicates: readonly string[];
}

/** libyaml's texts for the parser's error codes; what has none keeps a general one. */
const TEXTS: Partial<Record<ErrorCode, string>> = {
  BAD_ALIAS: "did not find expected alphabetic or numeric character",
  BAD_COLLECTION_TYPE: "did not find expected node content",
  BAD_DQ_ESCAPE: "found unknown escape character",
  BAD_INDENT: "did not find expected key",
  BAD_SCALAR_START: "found character that cannot start any token",
  BLOCK_AS_IMPLICIT_KEY: "mapping values are not allowed in this context",
  BLOCK_IN_FLOW: "did not find expected node content",
  MISSING_CHAR: "did not find expected node content",
  MULTILINE_IMPLICIT_KEY: "could not find expected ':'",
  TAB_AS_INDENT: "found character that cannot start any token",
  UNEXPECTED_TOKEN: "did not find expected node content",
};

function errorText(code: ErrorCode, message: string, text: string): string {
  const flow = /Flow (map|sequence)/.exec(message);
  if (flow) return /[[{,]\s*$/.test(text) ? "did not find expected node content" : `did not find expected ',' or '${flow[1] === "map" ? "}" : "]"}'`;
  if (code === "MISSING_CHAR" && /quote/.test(message)) return "found unexpected end of stream";
  if (code === "MISSING_CHAR" && /Implicit|':'/.test(message)) return "could not find expected ':'";
  return TEXTS[code] ?? "did not find expected node content";
}

const OPTIONS = {
  version: "1.1",
  merge: true,
  uniqueKeys: false,
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

/** Aliases that do not resolve are an error here, not an exception of the library. */
function unknownAnchor(node: unknown, document: Document.Parsed): string | undefined {
  if (isAlias(node) && !node.resolve(document)) return node.source;
  if (isSeq(node)) return node.items.map((item) => unknownAnchor(item, document)).find((name) => name !== undefined);
  if (isMap(node)) return node.items.map((pair) => unknownAnchor(pair.value, document)).find((name) => name !== undefined);
  return undefined;
}

/** The first document; throws YamlError. An empty text is null. */
export function parseYaml(text: string): ParsedYaml {
  const lines = new LineCounter();
  const documents = parseAllDocuments(text, { ...OPTIONS, customTags: OPTIONS.customTags as never, lineCounter: lines });
  const document = Array.isArray(documents) ? documents[0] : undefined;
  if (!document) return { value: null, duplicates: [] };
  const [error] = document.errors;
  if (error) throw new YamlError(`yaml: line ${Math.max(error.linePos?.[0].line ?? 1, 1)}: ${errorText(error.code, error.message, text)}`);
  const anchor = unknownAnchor(document.contents, document);
  if (anchor !== undefined) throw new YamlError(`yaml: unknown anchor '${anchor}' referenced`);
  try {
    return { value: document.toJS({ maxAliasCount: 1000 }) as unknown, duplicates: duplicateKeys(document, lines) };
  } catch (error) {
    throw new YamlError(`yaml: ${error instanceof Error ? error.message : String(error)}`);
  }
}
