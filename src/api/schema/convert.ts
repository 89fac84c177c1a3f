/**
 * A parsed value made an object of a type, as Go's decoder followed by its encoder would: unknown fields left out (and told), nulls and empty values
 * dropped where upstream drops them, zero values printed where upstream prints them, fields in Go's order, map keys sorted. Pure.
 * Follows sigs.k8s.io/json (UnmarshalStrict): the order and the words of errors are its own.
 */
import { setOwn, table } from "../../base/own.ts";
import { goQuote } from "../go-quote.ts";
import { isGoInteger } from "../patch/go-text.ts";
import { canonicalQuantity, parseQuantity, QUANTITY_SYNTAX_ERROR, roundedToMilli } from "../quantity.ts";
import { entriesOf, NumberText, plain, type Entry, type JsonObject } from "./json-parser.ts";
import { canonicalBytes, canonicalMicroTime, canonicalTime, ScalarError } from "./scalars.ts";
import type { Field, ScalarName, Struct, Type } from "./schema.ts";

type ScalarType = Extract<Type, { kind: ScalarName }>;

const STRICT_ERRORS_MAX = 100;

/** The first error that Go would report, and what strict decoding found. */
export interface Converted {
  readonly object: JsonObject;
  readonly strictErrors: readonly string[];
}

/** Go's json.UnmarshalTypeError and the errors of UnmarshalJSON methods, by their texts. */
export class ConvertError extends Error {}

function goKindOf(value: unknown): string {
  if (Array.isArray(value)) return "array";
  if (value instanceof NumberText || typeof value === "number") return "number";
  if (typeof value === "boolean") return "bool";
  return typeof value === "string" ? "string" : "object";
}

const isObject = (value: unknown): value is JsonObject => typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof NumberText);

const INTEGER = /^-?\d+$/;
const LIMITS = { int32: [-(2n ** 31n), 2n ** 31n - 1n], int64: [-(2n ** 63n), 2n ** 63n - 1n] } as const;

/** Whose words errors have: Go's JSON decoder's, or the converter's that reads strategic merge results (apimachinery pkg/runtime/converter.go). */
export type Words = "json" | "unstructured";

/** Where a value stands, besides names and indexes of lists: keys of maps, and fields of an embedded struct. */
interface Step {
  readonly key: string;
  readonly embedded?: string;
}

/** The step in Go's words: those of maps and lists are left out. */
const inGo = (step: string | number | Step): readonly string[] => (typeof step === "string" ? [step] : typeof step === "object" && step.embedded !== undefined ? [`${step.embedded}.${step.key}`] : []);

/** Values come out undefined where nothing was set (null, or an error that is saved). */
class Converter {
  readonly strictErrors = new Set<string>();
  readonly #words: Words;
  readonly #known: JsonObject | undefined;
  readonly #steps: (string | number | Step)[] = [];
  /** The struct that is being filled: Go's errors name it. */
  #struct = "";
  #saved: string | undefined;

  constructor(words: Words, known?: JsonObject) {
    this.#words = words;
    this.#known = known;
  }

  /** The whole value. Parts that are the very same objects as at their place in the known object are in their final form: they are taken as they are. */
  document(type: Type, value: unknown): unknown {
    return this.value(type, value, undefined, this.#known);
  }

  finish(): void {
    if (this.#saved !== undefined) throw new ConvertError(this.#saved);
  }

  #strict(text: string): void {
    if (this.strictErrors.size < STRICT_ERRORS_MAX) this.strictErrors.add(text);
  }

  /** `spec.containers[0].name`. */
  #pathTo(key: string): string {
    let path = "";
    for (const step of [...this.#steps, key]) {
      const at = typeof step === "object" ? step.key : step;
      path += typeof at === "number" ? `[${at}]` : path === "" ? at : `.${at}`;
    }
    return path;
  }

  #mismatch(value: unknown, { kind, go }: Pick<Type, "kind" | "go">, literal = false): undefined {
    if (this.#words === "unstructured") throw new ConvertError(cannotRestore(value, kind, go));
    this.#saved ??= this.#typeError(value, go, literal);
    return undefined;
  }

  #typeError(value: unknown, go: string, literal = false): string {
    const what = literal ? `number ${value instanceof NumberText ? value.text : String(value)}` : goKindOf(value);
    const fields = this.#steps.flatMap(inGo).join(".");
    return `json: cannot unmarshal ${what} into ${fields === "" ? `Go value of type ${go}` : `Go struct field ${this.#struct}.${fields} of type ${go}`}`;
  }

  value(type: Type, value: unknown, into?: unknown, known?: unknown): unknown {
    if (value === null || value === undefined) return undefined;
    if (value === known && typeof value === "object" && into === undefined) return value;
    switch (type.kind) {
      case "struct": return isObject(value) ? this.#structOf(type.struct(), value, isObject(into) ? into : undefined, isObject(known) ? known : undefined) : this.#mismatch(value, type);
      case "list": return Array.isArray(value) ? this.#list(type.element, value, Array.isArray(known) ? known : undefined) : this.#mismatch(value, type);
      case "map": return isObject(value) ? this.#map(type.value, value, isObject(into) ? into : undefined) : this.#mismatch(value, type);
      default: return this.#scalar(type, value);
    }
  }

  #list(element: Type, values: readonly unknown[], known: readonly unknown[] | undefined): unknown[] {
    const out: unknown[] = [];
    for (let i = 0; i < values.length; i++) {
      this.#steps.push(i);
      out.push(this.value(element, values[i], undefined, known?.[i]) ?? zeroOf(element));
      this.#steps.pop();
    }
    return out;
  }

  #map(type: Type, value: JsonObject, into: JsonObject | undefined): JsonObject {
    const out: JsonObject = { ...into };
    const entries = entriesOf(value);
    if (entries) this.#tellDuplicates(entries);
    const keys = Object.keys(value);
    if (keys.length > 1) keys.sort();
    for (const key of keys) {
      this.#steps.push({ key });
      const amount = this.value(type, value[key]) ?? zeroOf(type);
      // Amounts of resources are kept in thousandths at the finest: a default of upstream's, on every list of them.
      setOwn(out, key, type.kind === "quantity" && typeof amount === "string" ? roundedToMilli(amount) : amount);
      this.#steps.pop();
    }
    return out;
  }

  #tellDuplicates(entries: readonly Entry[]): void {
    const seen = new Set<string>();
    for (const [key] of entries) {
      if (seen.has(key)) this.#strict(`duplicate field ${goQuote(this.#pathTo(key))}`);
      seen.add(key);
    }
  }

  /** `into`: what an earlier entry of the same key made; Go decodes the later one over it. */
  #structOf(struct: Struct, value: JsonObject, into: JsonObject | undefined, known: JsonObject | undefined): JsonObject {
    const outer = this.#struct;
    const entries = entriesOf(value);
    const found: Field[] = [];
    const values: JsonObject = { ...into };
    if (into) for (const key of Object.keys(into)) found.push(...(struct.fields.get(key) ? [struct.fields.get(key) as Field] : []));
    if (entries) {
      this.#tellDuplicatesOf(struct, entries, found, values);
    } else if (this.#words === "unstructured") {
      this.#fieldsInOrder(struct, value, known, found, values);
    } else {
      for (const key in value) {
        this.#struct = struct.goName;
        const field = struct.fields.get(key);
        if (!field) this.#strict(`unknown field ${goQuote(this.#pathTo(key))}`);
        else if (this.#field(field, value[key], values, known?.[key])) found.push(field);
      }
    }
    this.#struct = outer;
    return arrange(struct, found, values, this.#steps.length === 1);
  }

  /** As the converter goes about it: field after field of the struct, and then what is left over. */
  #fieldsInOrder(struct: Struct, value: JsonObject, known: JsonObject | undefined, found: Field[], values: JsonObject): void {
    for (const field of struct.fields.values()) if (Object.hasOwn(value, field.name) && this.#field(field, value[field.name], values, known?.[field.name])) found.push(field);
    for (const key in value) if (!struct.fields.has(key)) this.strictErrors.add(`unknown field "${this.#pathTo(key)}"`);
  }

  #tellDuplicatesOf(struct: Struct, entries: readonly Entry[], found: Field[], values: JsonObject): void {
    const seen = new Set<string>();
    for (const [key, entry] of entries) {
      this.#struct = struct.goName;
      const field = struct.fields.get(key);
      if (!field) this.#strict(`unknown field ${goQuote(this.#pathTo(key))}`);
      else if (seen.has(key)) this.#strict(`duplicate field ${goQuote(this.#pathTo(key))}`);
      else found.push(field);
      seen.add(key);
      if (field) this.#field(field, entry, values);
    }
  }

  /** Whether the field is set. */
  #field(field: Field, entry: unknown, values: JsonObject, known?: unknown): boolean {
    this.#steps.push(field.embedded === undefined ? field.name : { key: field.name, embedded: field.embedded });
    const converted = this.value(field.type, entry, values[field.name], known);
    this.#steps.pop();
    if (converted !== undefined) values[field.name] = converted;
    else if (entry === null && field.pointer) delete values[field.name];
    return converted !== undefined;
  }

  #scalar(type: ScalarType, value: unknown): unknown {
    switch (type.kind) {
      case "string": return typeof value === "string" ? value : this.#mismatch(value, type);
      case "bool": return typeof value === "boolean" ? value : this.#mismatch(value, type);
      case "int32": case "int64": return this.#integer(type.kind, type, value);
      case "float64": return typeof value === "number" || value instanceof NumberText ? plain(value) : this.#mismatch(value, type);
      case "bytes": return typeof value === "string" ? this.#savedOn(() => canonicalBytes(value)) : this.#mismatch(value, type);
      case "time": return this.#textual(value, canonicalTime);
      case "microTime": return this.#textual(value, canonicalMicroTime);
      case "quantity": return quantity(value);
      case "intOrString": return this.#intOrString(value);
      case "any":
        this.#tellDuplicatesWithin(value);
        return plain(value);
      case "object": default: return plain(value);
    }
  }

  /** Types that decode themselves end the decoding with their errors, which JSON's decoder still says where they were. */
  #ended(value: unknown, go: string, literal = false): ConvertError {
    const what = literal ? `number ${value instanceof NumberText ? value.text : String(value)}` : goKindOf(value);
    return new ConvertError(this.#words === "unstructured" ? `json: cannot unmarshal ${what} into Go value of type ${go}` : this.#typeError(value, go, literal));
  }

  #textual(value: unknown, canonical: (text: string) => string): string {
    if (typeof value !== "string") throw this.#ended(value, "string");
    return canonical(value);
  }

  #intOrString(value: unknown): string | number {
    if (typeof value === "string") return value;
    const text = value instanceof NumberText ? value.text : String(value);
    if (typeof value !== "number" && !(value instanceof NumberText)) throw this.#ended(value, "int32");
    if (!INTEGER.test(text) || BigInt(text) < LIMITS.int32[0] || BigInt(text) > LIMITS.int32[1]) throw this.#ended(value, "int32", true);
    return Number(text);
  }

  /** Of values of any type only keys that stand twice are told. */
  #tellDuplicatesWithin(value: unknown): void {
    if (typeof value !== "object" || value === null || value instanceof NumberText) return;
    const entries = entriesOf(value);
    if (entries) this.#tellDuplicates(entries);
    for (const [key, inner] of Array.isArray(value) ? value.entries() : Object.entries(value)) {
      this.#steps.push(typeof key === "number" ? key : { key });
      this.#tellDuplicatesWithin(inner);
      this.#steps.pop();
    }
  }

  #savedOn<T>(make: () => T): T | undefined {
    try {
      return make();
    } catch (error) {
      if (!(error instanceof ScalarError)) throw error;
      if (this.#words === "unstructured") throw new ConvertError(`error decoding from json: ${error.message}`);
      this.#saved ??= error.message;
      return undefined;
    }
  }

  #integer(kind: "int32" | "int64", type: ScalarType, value: unknown): number | undefined {
    if (typeof value === "number" && Number.isSafeInteger(value) && (kind === "int64" || (value >= -2147483648 && value <= 2147483647))) return value;
    if (typeof value !== "number" && !(value instanceof NumberText)) return this.#mismatch(value, type);
    const text = value instanceof NumberText ? value.text : String(value);
    const [min, max] = LIMITS[kind];
    if (this.#words === "unstructured" && Number.isInteger(Number(text))) return wrapped(kind, text);
    if (!INTEGER.test(text) || BigInt(text) < min || BigInt(text) > max) return this.#mismatch(value, type, true);
    return Number(text);
  }
}

/** Go's conversion between kinds of numbers: high bits are lost, and what is no int64 at all becomes the least. */
function wrapped(kind: "int32" | "int64", text: string): number {
  const exact = INTEGER.test(text) ? BigInt(text) : BigInt(Number(text));
  const [min, max] = LIMITS.int64;
  const long = exact < min || exact > max ? min : exact;
  return Number(kind === "int32" ? BigInt.asIntN(32, long) : long);
}

const RESTORED_KINDS: Readonly<Record<string, string>> = table({ array: "slice", object: "map", string: "string", bool: "bool" });

function cannotRestore(value: unknown, kind: Type["kind"], go: string): string {
  const whole = typeof value === "number" ? Number.isSafeInteger(value) : value instanceof NumberText && isGoInteger(value.text);
  const from = RESTORED_KINDS[goKindOf(value)] ?? (whole ? "int64" : "float64");
  switch (kind) {
    case "list": case "bytes": return `cannot restore slice from ${from}`;
    case "map": return `cannot restore map from ${from}`;
    case "struct": return `cannot restore struct from: ${from}`;
    case "string": return from === "int64" ? `cannot convert int64 to ${go}` : "unrecognized type: string";
    case "int32": case "int64": return from === "float64" ? `cannot convert float64 to ${go}` : `unrecognized type: ${kind}`;
    default: return `unrecognized type: ${kind}`;
  }
}

function quantity(value: unknown): string {
  const text = value instanceof NumberText ? value.text : typeof value === "string" || typeof value === "number" ? String(value).trim() : "";
  if (text === "" || parseQuantity(text) === undefined) throw new ScalarError(QUANTITY_SYNTAX_ERROR);
  return canonicalQuantity(text);
}

/** What Go prints for a value that nobody set. */
export function zeroOf(type: Type): unknown {
  switch (type.kind) {
    case "struct": return arrange(type.struct(), [], {});
    case "string": return "";
    case "bool": return false;
    case "int32": case "int64": case "float64": case "intOrString": return 0;
    case "quantity": return "0";
    default: return null;
  }
}

/** Would `omitempty` drop it? Only fields that are no pointers are asked. */
function isEmpty(field: Field, value: unknown): boolean {
  if (value === "" || value === 0 || value === false) return field.type.kind !== "intOrString" && field.type.kind !== "quantity";
  if (Array.isArray(value)) return value.length === 0;
  return field.type.kind === "map" && Object.keys(value as object).length === 0;
}

/** An empty list of the object's own managed fields means something to those who track them (forget all), though nobody ever prints it. */
const isReset = (struct: Struct, field: Field): boolean => field.name === "managedFields" && struct.goName === "ObjectMeta";

/** Is the value to be printed? */
function isPrinted(struct: Struct, field: Field, value: unknown, isOwnMeta: boolean): boolean {
  if (value === undefined) return false;
  return field.pointer || !isEmpty(field, value) || (isOwnMeta && isReset(struct, field));
}

/** The fields that Go prints, in Go's order. */
function arrange(struct: Struct, found: readonly Field[], values: JsonObject, isOwnMeta = false): JsonObject {
  const printed: Field[] = [];
  let last = -1;
  let sorted = true;
  for (const field of found) {
    if (field.always || !isPrinted(struct, field, values[field.name], isOwnMeta)) continue;
    sorted &&= field.index > last;
    last = field.index;
    printed.push(field);
  }
  if (struct.always.length > 0) {
    printed.push(...struct.always);
    sorted &&= printed.length === struct.always.length;
  }
  if (!sorted) printed.sort(byIndex);
  const out: JsonObject = {};
  for (const field of printed) {
    const value = values[field.name];
    out[field.name] = value === undefined ? (field.pointer ? null : zeroOf(field.type)) : value;
  }
  return out;
}

const byIndex = (a: Field, b: Field): number => a.index - b.index;

/** Throws ConvertError with the first error that Go would report. `known`: a converted object that `value` may share parts with, which cost nothing then. */
export function convert(struct: Struct, value: unknown, words: Words = "json", known?: JsonObject): Converted {
  return convertAny({ kind: "struct", go: `${struct.name.split(".").at(-2) ?? ""}.${struct.goName}`, struct: () => struct, atomic: false }, value ?? {}, words, known) as Converted & { readonly object: JsonObject };
}

/** The same for a value of any type; null gives undefined. */
export function convertAny(type: Type, value: unknown, words: Words = "json", known?: JsonObject): { readonly object: unknown; readonly strictErrors: readonly string[] } {
  const converter = new Converter(words, known);
  let object: unknown;
  try {
    object = converter.document(type, value);
  } catch (error) {
    if (error instanceof ScalarError) throw new ConvertError(error.message);
    throw error;
  }
  converter.finish();
  const strictErrors = [...converter.strictErrors];
  return { object, strictErrors: words === "unstructured" ? strictErrors.sort() : strictErrors };
}
