/**
 * JSON as Go reads it: which keys stand twice is kept (`entriesOf`), numbers that JavaScript would blur keep their spelling (`NumberText`),
 * and syntax errors have Go's words. Follows Go encoding/json/scanner.go.
 */
import { setOwn } from "../../base/own.ts";
import { goQuote } from "../go-quote.ts";

/** Go's json.SyntaxError, with its text. */
export class JsonSyntaxError extends Error {}

/** A number whose spelling matters: a fraction, an exponent, or more digits than a double holds. */
export class NumberText {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

export type Entry = readonly [key: string, value: unknown];
export type JsonObject = Record<string, unknown>;

/** Entries of the parsed objects that have a key twice, in the text's order. Parsed values are not changed, so this stays true of them. */
const duplicates = new WeakMap<object, readonly Entry[]>();
let anyDuplicates = false;

/** All entries of an object in whose text a key stood twice; undefined for all others. */
export const entriesOf = (object: object): readonly Entry[] | undefined => (anyDuplicates ? duplicates.get(object) : undefined);

/** Go takes ten times this; what recurses over a value must never be out of stack. */
export const DEPTH_MAX = 1000;
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const PLAIN_STRING = /[^"\\\u0000-\u001f]*/y;
const SPACE = /[ \t\r\n]*/y;

/** `'h'`, as Go quotes a character. */
function quoteChar(c: string): string {
  if (c === "'") return "'\\''";
  if (c === '"') return `'"'`;
  // Go looks at bytes.
  const [byte = 0] = Buffer.from(c);
  return `'${goQuote(String.fromCharCode(byte)).slice(1, -1)}'`;
}

class Parser {
  readonly #text: string;
  #at = 0;
  #depth = 0;

  constructor(text: string) {
    this.#text = text;
  }

  document(): unknown {
    const value = this.#value();
    this.#skip();
    if (this.#at < this.#text.length) throw this.#error("after top-level value");
    return value;
  }

  #skip(): void {
    const c = this.#text.charCodeAt(this.#at);
    if (c !== 32 && c !== 10 && c !== 13 && c !== 9) return;
    SPACE.lastIndex = this.#at;
    SPACE.exec(this.#text);
    this.#at = SPACE.lastIndex;
  }

  #error(where: string): JsonSyntaxError {
    const code = this.#text.codePointAt(this.#at);
    return new JsonSyntaxError(code === undefined ? "unexpected end of JSON input" : `invalid character ${quoteChar(String.fromCodePoint(code))} ${where}`);
  }

  #value(): unknown {
    this.#skip();
    switch (this.#text[this.#at]) {
      case "{": return this.#nested(() => this.#object());
      case "[": return this.#nested(() => this.#array());
      case '"': return this.#string();
      case "t": return this.#literal("true", true);
      case "f": return this.#literal("false", false);
      case "n": return this.#literal("null", null);
      default: return this.#number();
    }
  }

  #nested<T>(read: () => T): T {
    if (++this.#depth > DEPTH_MAX) throw this.#error("exceeded max depth");
    const value = read();
    this.#depth--;
    return value;
  }

  #literal<T>(word: string, value: T): T {
    for (const c of word.split("")) {
      // Go takes the end of the text for a space.
      if (this.#at >= this.#text.length) throw new JsonSyntaxError(`invalid character ' ' in literal ${word} (expecting ${quoteChar(c)})`);
      if (this.#text[this.#at] !== c) throw this.#error(`in literal ${word} (expecting ${quoteChar(c)})`);
      this.#at++;
    }
    return value;
  }

  #number(): number | NumberText {
    NUMBER.lastIndex = this.#at;
    const text = NUMBER.exec(this.#text)?.[0];
    if (text === undefined) {
      const minus = this.#text[this.#at] === "-";
      if (minus) this.#at++;
      throw this.#error(minus ? "in numeric literal" : "looking for beginning of value");
    }
    this.#at += text.length;
    const next = this.#text[this.#at];
    if (next === "." || next === "e" || next === "E") this.#badNumberTail(next);
    return text.length <= 15 && /^-?\d+$/.test(text) ? Number(text) : new NumberText(text);
  }

  #badNumberTail(next: string): never {
    this.#at++;
    if (next !== "." && /[+-]/.test(this.#text[this.#at] ?? "")) this.#at++;
    throw this.#error(next === "." ? "after decimal point in numeric literal" : "in exponent of numeric literal");
  }

  #string(): string {
    const start = this.#at++;
    let escaped = false;
    for (;;) {
      PLAIN_STRING.lastIndex = this.#at;
      PLAIN_STRING.exec(this.#text);
      this.#at = PLAIN_STRING.lastIndex;
      const c = this.#text[this.#at];
      if (c === '"') break;
      if (c !== "\\") throw this.#error("in string literal");
      escaped = true;
      this.#escape();
    }
    this.#at++;
    const raw = this.#text.slice(start, this.#at);
    return escaped ? String(JSON.parse(raw)).toWellFormed() : raw.slice(1, -1);
  }

  #escape(): void {
    this.#at++;
    const c = this.#text[this.#at];
    if (c === undefined || !'"\\/bfnrtu'.includes(c)) throw this.#error("in string escape code");
    this.#at++;
    if (c !== "u") return;
    for (let i = 0; i < 4; i++, this.#at++) {
      if (!/[0-9a-fA-F]/.test(this.#text[this.#at] ?? "")) throw this.#error("in \\u hexadecimal character escape");
    }
  }

  #array(): unknown[] {
    this.#at++;
    const items: unknown[] = [];
    this.#skip();
    if (this.#text[this.#at] === "]") return this.#at++, items;
    for (;;) {
      items.push(this.#value());
      this.#skip();
      const c = this.#text[this.#at];
      if (c === "]") return this.#at++, items;
      if (c !== ",") throw this.#error("after array element");
      this.#at++;
    }
  }

  #object(): JsonObject {
    this.#at++;
    const object: JsonObject = {};
    let entries: Entry[] | undefined;
    this.#skip();
    if (this.#text[this.#at] === "}") return this.#at++, object;
    for (;;) {
      this.#skip();
      if (this.#text[this.#at] !== '"') throw this.#error("looking for beginning of object key string");
      const key = this.#string();
      this.#skip();
      if (this.#text[this.#at] !== ":") throw this.#error("after object key");
      this.#at++;
      const value = this.#value();
      if (!entries && Object.hasOwn(object, key)) {
        entries = Object.entries(object);
        duplicates.set(object, entries);
        anyDuplicates = true;
      }
      entries?.push([key, value]);
      setOwn(object, key, value);
      this.#skip();
      const c = this.#text[this.#at];
      if (c === "}") return this.#at++, object;
      if (c !== ",") throw this.#error("after object key:value pair");
      this.#at++;
    }
  }
}

/** Throws JsonSyntaxError. Objects with a key twice hold its last value; `entriesOf` knows the others. */
export const parseJson = (text: string): unknown => new Parser(text).document();

/** Whether a value that others have parsed is nested deeper than `depth`. */
export function isDeeper(value: unknown, depth: number): boolean {
  if (typeof value !== "object" || value === null) return false;
  return depth === 0 || Object.values(value).some((inner) => isDeeper(inner, depth - 1));
}

/** Whether a key stands twice anywhere in it. */
export function hasDuplicates(value: unknown): boolean {
  if (!anyDuplicates || typeof value !== "object" || value === null) return false;
  return duplicates.has(value) || Object.values(value).some(hasDuplicates);
}

/** Is there a NumberText in it? */
function isBlurred(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  if (value instanceof NumberText) return true;
  for (const inner of Array.isArray(value) ? value : Object.values(value)) if (isBlurred(inner)) return true;
  return false;
}

/** The value with every NumberText made a plain number; itself where there is none. */
export function plain(value: unknown): unknown {
  return isBlurred(value) ? plainCopy(value) : value;
}

function plainCopy(value: unknown): unknown {
  if (value instanceof NumberText) return Number(value.text);
  if (Array.isArray(value)) return value.map(plainCopy);
  if (typeof value !== "object" || value === null) return value;
  const out: JsonObject = {};
  for (const [key, inner] of Object.entries(value)) setOwn(out, key, plainCopy(inner));
  return out;
}
