/**
 * A value seen through its type: which path an item of a list has, whether the value fits, which fields it sets.
 * Follows structured-merge-diff typed/helpers.go, validate.go and tofieldset.go.
 */
import { goText } from "../patch/go-text.ts";
import { zeroOf } from "../schema/convert.ts";
import { NumberText, type JsonObject } from "../schema/json-parser.ts";
import { DECLARED_DEFAULTS, type ListType, type Type } from "../schema/schema.ts";
import { elementText, FieldSet } from "./field-set.ts";

export const isMap = (value: unknown): value is JsonObject => typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof NumberText);

/** One value as a whole: it has no fields of its own. */
export function isAtomic(type: Type): boolean {
  switch (type.kind) {
    case "struct": case "map": return type.atomic;
    case "list": return type.list === "atomic";
    default: return true;
  }
}

/** The type of a struct's field or of a map's values. */
export function typeOfKey(type: Type, key: string): Type | undefined {
  if (type.kind === "struct") return type.struct().fields.get(key)?.type;
  return type.kind === "map" ? type.value : undefined;
}

/** The type below a path element of a struct, a map or a list; undefined where the schema has no such field. */
export function typeBelow(type: Type, element: string): Type | undefined {
  switch (type.kind) {
    case "struct": return type.struct().fields.get(element.slice(2))?.type;
    case "map": return type.value;
    case "list": return type.element;
    default: return undefined;
  }
}

const PLAIN = /^[\w.:/ -]*$/;

/** The path element of an item, or why it has none. */
export function elementOf(list: ListType, item: unknown): { readonly element: string } | { readonly why: string } {
  if (list.list === "set") return setElement(item);
  if (item === null) return { why: "associative list with keys may not have a null element" };
  if (!isMap(item)) return { why: "associative list with keys may not have non-map elements" };
  const [only] = list.keys;
  // The usual case: one key, and a text that needs no escapes.
  const text = list.keys.length === 1 && only !== undefined ? item[only] : undefined;
  if (typeof text === "string" && PLAIN.test(text)) return { element: `k:{"${only ?? ""}":"${text}"}` };
  const owner = list.element.kind === "struct" ? list.element.struct().goName : "";
  const keys: JsonObject = {};
  for (const key of [...list.keys].sort()) {
    const value = Object.hasOwn(item, key) ? item[key] : keyDefault(list, owner, key);
    if (value !== undefined) keys[key] = value instanceof NumberText ? Number(value.text) : value;
  }
  if (Object.keys(keys).length === 0) {
    return { why: `associative list with keys has an element that omits all key fields [${list.keys.map((k) => JSON.stringify(k)).join(" ")}] (and doesn't have default values for any key fields)` };
  }
  return { element: `k:${JSON.stringify(keys)}` };
}

/** Fields that Go always prints have a default in the schema: the zero value, or what the type declares. */
function keyDefault(list: ListType, owner: string, key: string): unknown {
  const declared = DECLARED_DEFAULTS[`${owner}.${key}`];
  if (declared !== undefined || list.element.kind !== "struct") return declared;
  const field = list.element.struct().fields.get(key);
  return field?.always && !field.pointer ? zeroOf(field.type) : undefined;
}

function setElement(item: unknown): { readonly element: string } | { readonly why: string } {
  if (item === null) return { why: "associative list without keys has an element that's an explicit null" };
  if (Array.isArray(item)) return { why: "not supported: associative list with lists as elements" };
  if (isMap(item)) return { why: "associative list without keys has an element that's a map type" };
  return { element: `v:${JSON.stringify(item instanceof NumberText ? Number(item.text) : item)}` };
}

/** `%#v` of Go. */
function goSyntax(value: unknown): string {
  if (value === null) return "interface {}(nil)";
  if (Array.isArray(value)) return `[]interface {}{${value.map(goSyntax).join(", ")}}`;
  if (isMap(value)) return `map[string]interface {}{${Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)).map(([k, v]) => `${JSON.stringify(k)}:${goSyntax(v)}`).join(", ")}}`;
  return typeof value === "string" ? JSON.stringify(value) : goText(value);
}

const got = (value: unknown): string => `got &{${goText(value)}}`;

function goTypeName(value: unknown): string {
  if (Array.isArray(value)) return "[]interface {}";
  return isMap(value) ? "map[string]interface {}" : typeof value === "boolean" ? "bool" : "string";
}

function scalarError(type: Type, value: unknown): string | undefined {
  const isNumber = typeof value === "number" || value instanceof NumberText;
  switch (type.kind) {
    case "int32": case "int64": case "float64": return isNumber ? undefined : `expected numeric (int or float), got ${goTypeName(value)}`;
    case "string": case "bytes": return typeof value === "string" ? undefined : `expected string, got &value.valueUnstructured{Value:${goSyntax(value)}}`;
    case "bool": return typeof value === "boolean" ? undefined : `expected boolean, ${got(value)}`;
    case "time": case "microTime": return isMap(value) || Array.isArray(value) ? `expected any scalar, ${got(value)}` : undefined;
    default: return undefined;
  }
}

/** What does not fit, each with its path; nulls fit everywhere. */
export function validate(type: Type, value: unknown, path = ""): string[] {
  const at = (why: string) => [path === "" ? why : `${path}: ${why}`];
  if (value === null || value === undefined) return [];
  switch (type.kind) {
    case "list": return Array.isArray(value) ? validateItems(type, value, path) : at(`expected list, ${got(value)}`);
    case "map": return isMap(value) ? Object.entries(value).flatMap(([key, inner]) => validate(type.value, inner, `${path}.${key}`)) : at(`expected map, ${got(value)}`);
    case "struct": return isMap(value) ? validateFields(type, value, path) : at(`expected map, ${got(value)}`);
    default: {
      const why = scalarError(type, value);
      return why === undefined ? [] : at(why);
    }
  }
}

function validateFields(type: Type & { readonly kind: "struct" }, value: JsonObject, path: string): string[] {
  const { fields } = type.struct();
  const errors: string[] = [];
  for (const [key, inner] of Object.entries(value)) {
    const field = fields.get(key);
    if (!field) return [...errors, `${path}.${key}: field not declared in schema`];
    errors.push(...validate(field.type, inner, `${path}.${key}`));
  }
  return errors;
}

function validateItems(type: ListType, items: readonly unknown[], path: string): string[] {
  const seen = new Set<string>();
  const errors: string[] = [];
  for (const [i, item] of items.entries()) {
    const found = type.list === "atomic" ? { element: `i:${i}` } : elementOf(type, item);
    if ("why" in found) return [...errors, `${path}: element ${i}: ${found.why}`];
    if (seen.has(found.element)) errors.push(`${path}: duplicate entries for key ${elementText(found.element)}`);
    seen.add(found.element);
    errors.push(...validate(type.element, item, path + elementText(found.element)));
  }
  return errors;
}

function addFields(set: FieldSet, type: Type, value: unknown, path: readonly string[]): void {
  if (isAtomic(type)) return set.insert(path);
  if (type.kind === "list" && Array.isArray(value)) {
    for (const item of value as readonly unknown[]) {
      const found = elementOf(type, item);
      if ("why" in found) continue;
      addFields(set, type.element, item, [...path, found.element]);
      set.insert([...path, found.element]);
    }
  } else if (isMap(value)) {
    for (const [key, inner] of Object.entries(value)) {
      const below = typeOfKey(type, key);
      const at = [...path, `f:${key}`];
      if (below) addFields(set, below, inner, at);
      if (type.kind !== "struct" || inner === null || (isMap(inner) && Object.keys(inner).length === 0)) set.insert(at);
    }
  }
}

/** Every field and item that the value sets. */
export function fieldsOf(type: Type, value: unknown): FieldSet {
  const set = new FieldSet();
  addFields(set, type, value, []);
  return set;
}

/** The set with the named fields on the way to its members as members too. */
export function withNamedFields(set: FieldSet, type: Type | undefined): FieldSet {
  const members = new Set(set.members);
  const children: [string, FieldSet][] = [];
  for (const [element, child] of set.children) {
    if (type?.kind === "struct" && type.struct().fields.has(element.slice(2))) members.add(element);
    children.push([element, withNamedFields(child, type && typeBelow(type, element))]);
  }
  return new FieldSet(members, children);
}
