/**
 * JSON values as YAML text, word for word as Go's writer gives it: sorted keys, lists level with their key, plain text where that reads back as text,
 * long lines folded at 80 columns. Follows go.yaml.in/yaml/v2 (encode.go, emitterc.go, sorter.go, resolve.go).
 */
import { table } from "../base/own.ts";
const WIDTH = 80;
const STEP = 2;

const WORDS = new Set(["", "~", ".nan", ".NaN", ".NAN"]);
const WORD_PATTERN = /^(?:[yY]|[nN]|yes|Yes|YES|no|No|NO|true|True|TRUE|false|False|FALSE|on|On|ON|off|Off|OFF|null|Null|NULL|[+-]?\.(?:inf|Inf|INF))$/;
const INTEGER = /^[-+]?(?:0[xX][0-9a-fA-F]+|0[bB][01]+|0[oO]?[0-7]*|[1-9]\d*)$/;
const FLOAT = /^[-+]?(?:\.\d+|\d+(?:\.\d*)?)(?:[eE][-+]?\d+)?$/;
const BASE_60 = /^[-+]?\d[\d_]*(?::[0-5]?\d)+(?:\.[\d_]*)?$/;
const TIMESTAMP = /^(\d{4}-\d{1,2}-\d{1,2})(?:[Tt]\d{1,2}:\d{1,2}:\d{1,2}(?:\.\d+)?(?:Z|[-+]\d\d:\d\d)| \d{1,2}:\d{1,2}:\d{1,2}(?:\.\d+)?)?$/;

/** Whether the text is a moment, on a day that the calendar has. */
function isTimestamp(text: string): boolean {
  const [year = 0, month = 0, day = 0] = (TIMESTAMP.exec(text)?.[1] ?? "").split("-").map(Number);
  return month >= 1 && month <= 12 && day >= 1 && day <= new Date(Date.UTC(year, month, 0)).getUTCDate();
}

/** Whether plain text would be read as something else than text. */
function readsAsOther(text: string): boolean {
  if (WORDS.has(text) || WORD_PATTERN.test(text) || BASE_60.test(text)) return true;
  if (!/^[-+.\d]/.test(text)) return false;
  const plain = text.replaceAll("_", "");
  return INTEGER.test(plain) || (FLOAT.test(plain) && Number.isFinite(Number(plain))) || isTimestamp(text);
}

/** As Go's writer sees it: neither tabs nor what lies beyond the basic plane. */
const UNPRINTABLE = /[^\n\u0020-\u007e\u00a0-\ud7ff\ue000-\ufefe\uff00-\ufffd]|[\u2028\u2029\u0085]/u;
const BREAK = /[\n\r\u0085\u2028\u2029]/;

interface Allowed {
  readonly plain: boolean;
  readonly single: boolean;
  readonly block: boolean;
}

function allowedFor(text: string): Allowed {
  if (text === "") return { plain: false, single: true, block: false };
  const special = UNPRINTABLE.test(text);
  const spaceBreak = / [\n\r]/.test(text);
  const breakSpace = /[\n\r] /.test(text);
  const edges = /^[ \n\r]|[ \n\r]$/.test(text);
  const indicators = /^(?:---|\.\.\.)|^[#,[\]{}&*!|>'"%@`]|^[-?:](?:\s|$)|:(?:\s|$)| #/.test(text);
  return {
    plain: !special && !spaceBreak && !breakSpace && !edges && !indicators && !BREAK.test(text),
    single: !special && !spaceBreak && !breakSpace,
    block: !special && !spaceBreak && !text.endsWith(" "),
  };
}

interface Place {
  /** Where the lines after the first one begin. */
  readonly indent: number;
  readonly column: number;
  /** A key is never folded. */
  readonly isKey: boolean;
}

/** Breaks at single spaces beyond the width. `atEdges`: the first and the last character are no place for it. */
function folded(pieces: readonly string[], { indent, isKey, column: start }: Place, atEdges: boolean): string {
  let out = "";
  let column = start;
  let wasSpace = false;
  for (const [i, piece] of pieces.entries()) {
    const next = pieces[i + 1];
    const inside = !atEdges || (i > 0 && next !== undefined);
    if (piece === " " && !isKey && !wasSpace && column > WIDTH && inside && next !== " ") {
      out += `\n${" ".repeat(indent)}`;
      column = indent;
    } else {
      out += piece;
      column += piece.length;
    }
    wasSpace = piece === " ";
  }
  return out;
}

const ESCAPES: Readonly<Record<string, string>> = table({
  "\0": "\\0", "\x07": "\\a", "\b": "\\b", "\t": "\\t", "\n": "\\n", "\v": "\\v", "\f": "\\f", "\r": "\\r", "\x1b": "\\e", '"': '\\"', "\\": "\\\\", "\u0085": "\\N", "\u2028": "\\L", "\u2029": "\\P",
});

function escaped(character: string): string {
  const known = ESCAPES[character];
  if (known !== undefined) return known;
  if (!UNPRINTABLE.test(character)) return character;
  const code = (character.codePointAt(0) ?? 0).toString(16).toUpperCase();
  return code.length <= 2 ? `\\x${code.padStart(2, "0")}` : code.length <= 4 ? `\\u${code.padStart(4, "0")}` : `\\U${code.padStart(8, "0")}`;
}

/** Between double quotes a line is broken before any space beyond the width; a second space is kept by a backslash. */
function doubleQuoted(text: string, { indent, isKey, column: start }: Place): string {
  const characters = Array.from(text);
  let out = "";
  let column = start + 1;
  let wasSpace = false;
  for (const [i, character] of characters.entries()) {
    if (character === " " && !isKey && !wasSpace && column > WIDTH && i > 0 && i < characters.length - 1) {
      const keeps = characters[i + 1] === " " ? "\\" : "";
      out += `\n${" ".repeat(indent)}${keeps}`;
      column = indent + keeps.length;
    } else {
      const piece = escaped(character);
      out += piece;
      column += piece.length;
    }
    wasSpace = character === " ";
  }
  return `"${out}"`;
}

function literal(text: string, indent: number): string {
  const hint = /^[ \n]/.test(text) ? String(STEP) : "";
  const chomp = !text.endsWith("\n") ? "-" : text === "\n" || text.endsWith("\n\n") ? "+" : "";
  const lines = text.replace(/\n$/, "").split("\n");
  return `|${hint}${chomp}\n${lines.map((line) => (line === "" ? "" : " ".repeat(indent) + line)).join("\n")}`;
}

function textOf(text: string, place: Place): string {
  const allowed = allowedFor(text);
  if (text.includes("\n")) return allowed.block && !place.isKey ? literal(text, place.indent) : doubleQuoted(text, place);
  if (readsAsOther(text)) return doubleQuoted(text, place);
  if (allowed.plain) return folded(Array.from(text), place, false);
  if (!allowed.single) return doubleQuoted(text, place);
  return `'${folded(Array.from(text).map((c) => (c === "'" ? "''" : c)), { ...place, column: place.column + 1 }, true)}'`;
}

/** As Go's shortest `g`. */
function numberText(value: number): string {
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-4 || size >= 1e21)) return value.toExponential().replace(/e([+-])(\d)$/, "e$10$2");
  return String(value);
}

const isLetter = (c: string): boolean => /\p{L}/u.test(c);
const isDigit = (c: string | undefined): boolean => c !== undefined && /\d/.test(c);

/** Letters after the rest, numbers by their value. */
function compareKeys(a: string, b: string): number {
  for (let i = 0; i < a.length && i < b.length; i++) {
    const [x, y] = [a.charAt(i), b.charAt(i)];
    if (x === y) continue;
    if (isLetter(x) && isLetter(y)) return x < y ? -1 : 1;
    if (isLetter(x) || isLetter(y)) return isLetter(y) ? -1 : 1;
    return compareNumbers(a, b, i);
  }
  return a.length - b.length;
}

function compareNumbers(a: string, b: string, at: number): number {
  const digits = (text: string) => /^\d*/.exec(text.slice(at))?.[0] ?? "";
  const [x, y] = [digits(a), digits(b)];
  let ahead = "";
  if (a[at] === "0" || b[at] === "0") for (let j = at - 1; j >= 0 && isDigit(a[j]); j--) if (a[j] !== "0") ahead = "1";
  const [m, n] = [Number(ahead + x), Number(ahead + y)];
  if (m !== n) return m - n;
  if (x.length !== y.length) return x.length - y.length;
  return a.charAt(at) < b.charAt(at) ? -1 : 1;
}

const isTree = (value: unknown): value is object => typeof value === "object" && value !== null && Object.keys(value).length > 0;

/** A value that follows on the same line. */
function scalar(value: unknown, place: Place): string {
  if (typeof value === "string") return textOf(value, place);
  if (typeof value === "number") return numberText(value);
  if (value === null || value === undefined) return "null";
  if (typeof value === "object") return Array.isArray(value) ? "[]" : "{}";
  return value === true ? "true" : "false";
}

/** The lines of a list or a map at `indent`; the first one without its indentation. */
function tree(value: object, indent: number): string {
  const next = `\n${" ".repeat(indent)}`;
  if (Array.isArray(value)) return value.map((item: unknown) => `- ${isTree(item) ? tree(item, indent + STEP) : scalar(item, { indent: indent + STEP, column: indent + STEP, isKey: false })}`).join(next);
  const entries = Object.entries(value as Readonly<Record<string, unknown>>).sort(([a], [b]) => compareKeys(a, b));
  return entries.map(([name, inner]) => (isSimpleKey(name) ? member(textOf(name, { indent, column: indent, isKey: true }), inner, indent) : longMember(name, inner, indent))).join(next);
}

const KEY_BYTES_MAX = 128;
const isSimpleKey = (name: string): boolean => !BREAK.test(name) && Buffer.byteLength(name) <= KEY_BYTES_MAX;

function member(key: string, value: unknown, indent: number): string {
  if (!isTree(value)) return `${key}: ${scalar(value, { indent: indent + STEP, column: indent + key.length + 2, isKey: false })}`;
  const inside = Array.isArray(value) ? indent : indent + STEP;
  return `${key}:\n${" ".repeat(inside)}${tree(value, inside)}`;
}

/** A key that is too long for one line has lines of its own. */
function longMember(name: string, value: unknown, indent: number): string {
  const place: Place = { indent: indent + STEP, column: indent + STEP, isKey: false };
  return `? ${textOf(name, place)}\n${" ".repeat(indent)}: ${isTree(value) ? tree(value, indent + STEP) : scalar(value, place)}`;
}

/** A JSON value as a YAML document. */
export const yamlText = (value: unknown): string => `${isTree(value) ? tree(value, 0) : scalar(value, { indent: STEP, column: 0, isKey: false })}\n`;
