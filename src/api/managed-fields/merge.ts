/**
 * An applied configuration laid over an object, and fields taken away again. Pure.
 * Follows structured-merge-diff typed/merge.go and remove.go.
 */
import { own, setOwn } from "../../base/own.ts";
import type { JsonObject } from "../schema/json-parser.ts";
import type { ListType, Type } from "../schema/schema.ts";
import type { FieldSet } from "./field-set.ts";
import { elementOf, isAtomic, isMap, typeOfKey } from "./typed.ts";

/** `config` over `live`: the configuration's leaves win, nothing goes. */
export function mergeValues(type: Type, live: unknown, config: unknown): unknown {
  if (config === undefined) return live;
  if (live === undefined || isAtomic(type)) return config;
  if (type.kind === "list") return Array.isArray(live) && live.length > 0 ? (Array.isArray(config) ? mergeItems(type, live, config) : live) : config;
  if (!isMap(live)) return config;
  if (!isMap(config)) return Object.keys(live).length > 0 ? live : config;
  const out: JsonObject = { ...live };
  for (const [key, value] of Object.entries(config)) {
    const below = typeOfKey(type, key);
    setOwn(out, key, below ? mergeValues(below, own(live, key), value) : value);
  }
  return out;
}

interface Indexed {
  readonly elements: readonly string[];
  /** An element that stands more than once has no value of its own. */
  readonly values: ReadonlyMap<string, unknown>;
}

function index(type: ListType, items: readonly unknown[]): Indexed {
  const elements: string[] = [];
  const values = new Map<string, unknown>();
  for (const item of items) {
    const found = elementOf(type, item);
    if ("why" in found) continue;
    values.set(found.element, values.has(found.element) ? null : item);
    elements.push(found.element);
  }
  return { elements, values };
}

/** Items in the configuration's order, with those that only the live object has kept where they stood between them. */
function mergeItems(type: ListType, live: readonly unknown[], config: readonly unknown[]): unknown[] {
  const [left, right] = [index(type, live), index(type, config)];
  const shared = right.elements.filter((element) => left.values.has(element));
  const merged = new Set<string>();
  const out: unknown[] = [];
  let [l, r] = [0, 0];
  const take = (element: string) => {
    merged.add(element);
    out.push(mergeValues(type.element, left.values.get(element), right.values.get(element)));
    r++;
    if (shared[0] === element) shared.shift();
  };
  while (l < left.elements.length || r < right.elements.length) {
    const [mine, theirs] = [left.elements[l], right.elements[r]];
    if (mine !== undefined && mine === theirs) {
      l++;
      take(mine);
      continue;
    }
    if (mine !== undefined && theirs !== undefined && right.values.has(mine) && shared.length > 0 && shared[0] !== mine) {
      l++;
      continue;
    }
    if (mine !== undefined) {
      if (!right.values.has(mine)) {
        out.push(live[l]);
        l++;
        continue;
      }
      if (merged.has(mine)) l++;
    }
    if (theirs !== undefined) take(theirs);
  }
  return out;
}

/** The value without the fields and items of the set. */
export function removeItems(type: Type, value: unknown, set: FieldSet): unknown {
  if (set.empty) return value;
  if (type.kind === "list") return Array.isArray(value) && !isAtomic(type) ? removeFromList(type, value, set) : undefined;
  if (type.kind !== "struct" && type.kind !== "map") return value;
  if (!isMap(value) || isAtomic(type)) return undefined;
  const out: JsonObject = {};
  for (const [key, inner] of Object.entries(value)) {
    const element = `f:${key}`;
    if (set.members.has(element)) continue;
    const [below, child] = [typeOfKey(type, key), set.children.get(element)];
    setOwn(out, key, below && child && !child.empty ? (removeItems(below, inner, child) ?? null) : inner);
  }
  return Object.keys(out).length > 0 ? out : undefined;
}

function removeFromList(type: ListType, items: readonly unknown[], set: FieldSet): unknown[] | undefined {
  const kept: unknown[] = [];
  for (const item of items) {
    const found = elementOf(type, item);
    const element = "why" in found ? "" : found.element;
    if (set.members.has(element)) continue;
    const child = set.children.get(element);
    kept.push(child && !child.empty ? (removeItems(type.element, item, child) ?? null) : item);
  }
  return kept.length > 0 ? kept : undefined;
}
