/**
 * What is wrong with a YAML text, in libyaml's words and with its line: its scanner counts lines from one and its parser from zero, and neither names the first.
 * The errors that the YAML library finds say where; its codes and texts say which of libyaml's errors that would be.
 * Follows go.yaml.in/yaml/v2 decode.go (fail), scannerc.go and parserc.go.
 */
import { isSeq, type Document, type YAMLError } from "yaml";

interface Problem {
  readonly text: string;
  readonly by: "scanner" | "parser";
  /** From one. */
  readonly line: number;
}

const NO_CONTENT = "did not find expected node content";
const NO_KEY = "did not find expected key";
const NO_COLON = "could not find expected ':'";
const NO_MAPPING = "mapping values are not allowed in this context";
const NO_ITEM = "did not find expected '-' indicator";

const lineOf = (error: YAMLError): number => error.linePos?.[0].line ?? 1;
const lastLineOf = (error: YAMLError): number => error.linePos?.[1]?.line ?? lineOf(error);

/** The line of what comes next, comments included, after the line on which the error is. */
function nextLine(error: YAMLError, text: string): number {
  const lines = text.split("\n");
  let line = lineOf(error);
  while (line < lines.length - 1 && lines[line]?.trim() === "") line++;
  return line + 1;
}

/** The end of the text stands on a line of its own. */
const endLine = (text: string): number => text.split("\n").length + (text.endsWith("\n") ? 0 : 1);

const flowEnd = (message: string): string => `did not find expected ',' or '${/Flow map|map/i.test(message) ? "}" : "]"}'`;

/** A text that ends within brackets. */
const unclosed = (message: string, text: string): string => (/[[{,:]\s*$/.test(text) ? NO_CONTENT : flowEnd(message));

/** Whether a value should be there: nothing but a key's colon or an item's dash is before it. */
const isValueDue = (error: YAMLError, text: string): boolean => ["", ":", "-"].includes(text.slice(0, error.pos[0]).trimEnd().slice(-1));

function unexpectedToken(error: YAMLError, document: Document.Parsed, text: string): string {
  if (/flow-(?:map|seq)-end/.test(error.message)) return isValueDue(error, text) ? NO_CONTENT : NO_KEY;
  if (/at node end/.test(error.message)) return isSeq(document.contents) ? NO_ITEM : NO_KEY;
  return /block-seq-ind/.test(error.message) ? NO_KEY : NO_CONTENT;
}

function problemOf(errors: readonly YAMLError[], document: Document.Parsed, text: string): Problem {
  const [error, second] = errors as readonly [YAMLError, YAMLError?];
  const line = lineOf(error);
  const scanner = (problem: string, at = line): Problem => ({ text: problem, by: "scanner", line: at });
  const isAtEnd = text.slice(error.pos[0]).trim() === "";
  const parser = (problem: string): Problem => ({ text: problem, by: "parser", line: isAtEnd ? endLine(text) : line });
  if (second && /block-seq-ind/.test(second.message)) return parser(NO_KEY);
  switch (error.code) {
    case "BAD_ALIAS": return scanner("did not find expected alphabetic or numeric character");
    case "ALIAS_PROPS": return parser(NO_KEY);
    case "BAD_DQ_ESCAPE": return scanner(/\\[xuU]/.test(error.message) ? "did not find expected hexdecimal number" : "found unknown escape character");
    case "BAD_SCALAR_START": case "TAB_AS_INDENT": return scanner("found character that cannot start any token");
    case "BLOCK_AS_IMPLICIT_KEY": return scanner(NO_MAPPING, second?.code === "MULTILINE_IMPLICIT_KEY" ? lastLineOf(second) : line);
    case "BLOCK_IN_FLOW": return parser(flowEnd(text.slice(0, error.pos[0]).lastIndexOf("{") > text.slice(0, error.pos[0]).lastIndexOf("[") ? "map" : "sequence"));
    case "MULTILINE_IMPLICIT_KEY": return scanner(NO_COLON);
    case "UNEXPECTED_TOKEN": return parser(unexpectedToken(error, document, text));
    case "MISSING_CHAR": return /quote/.test(error.message) ? scanner("found unexpected end of stream") : /Flow/.test(error.message) ? parser(unclosed(error.message, text)) : scanner(NO_COLON, nextLine(error, text));
    case "BAD_INDENT":
      if (/Flow (?:map|sequence)/.test(error.message)) return parser(unclosed(error.message, text));
      return parser(/sequence items/.test(error.message) ? NO_ITEM : NO_KEY);
    default: return parser(NO_CONTENT);
  }
}

/** `yaml: line 3: did not find expected key`. There is at least one error. */
export function yamlErrorText(document: Document.Parsed, text: string): string {
  const { text: problem, by, line } = problemOf(document.errors, document, text);
  const shown = by === "scanner" ? line : line - 1;
  const isNamed = by === "scanner" ? line > 1 : shown > 0;
  return `yaml: ${isNamed ? `line ${shown}: ` : ""}${problem}`;
}
