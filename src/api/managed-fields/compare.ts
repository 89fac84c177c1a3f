/**
 * What differs between two values of a type: added, modified and removed fields.
 * Follows structured-merge-diff typed/compare.go.
 */
import { own } from "../../base/own.ts";
import type { ListType, Type } from "../schema/schema.ts";
import { EMPTY, FieldSetBuilder, recursiveDifference, type FieldSet } from "./field-set.ts";
import { elementOf, isAtomic, isMap, typeOfKey } from "./typed.ts";

export interface Comparison {
  readonly added: FieldSet;
  readonly modified: FieldSet;
  readonly removed: FieldSet;
}

/** Are two JSON values the same? Objects of different key order are. */
export function deepEqual(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (Array.isArray(a)) return Array.isArray(b) && a.length === b.length && a.every((item, i) => deepEqual(item, b[i]));
  if (Array.isArray(b)) return false;
  const keys = Object.keys(a);
  if (keys.length !== Object.keys(b).length) return false;
  return keys.every((key) => Object.hasOwn(b, key) && deepEqual((a as Record<string, unknown>)[key], (b as Record<string, unknown>)[key]));
}

const isEmptyValue = (value: unknown): boolean => value === null || value === undefined || (typeof value === "object" && Object.keys(value).length === 0);

class Comparer {
  readonly added = new FieldSetBuilder();
  readonly modified = new FieldSetBuilder();
  readonly removed = new FieldSetBuilder();
  readonly #path: string[] = [];

  /** undefined: the side does not have it. */
  compare(type: Type, left: unknown, right: unknown): void {
    if (left === right) return;
    if (this.#isLeaf(type, left, right)) return this.#leaf(left, right);
    if (type.kind === "list") this.#items(type, asList(left), asList(right));
    else this.#fields(type, isMap(left) ? left : {}, isMap(right) ? right : {});
    if (left === undefined) this.added.insert(this.#path);
    else if (right === undefined) this.removed.insert(this.#path);
  }

  #isLeaf(type: Type, left: unknown, right: unknown): boolean {
    if (isAtomic(type)) return true;
    return isEmptyValue(left) && isEmptyValue(right);
  }

  #leaf(left: unknown, right: unknown): void {
    if (left === undefined) this.added.insert(this.#path);
    else if (right === undefined) this.removed.insert(this.#path);
    else if (!deepEqual(left, right)) this.modified.insert(this.#path);
  }

  #below(element: string, type: Type, left: unknown, right: unknown): void {
    this.#path.push(element);
    this.compare(type, left, right);
    this.#path.pop();
    const { length } = this.#path;
    this.added.shrink(length);
    this.modified.shrink(length);
    this.removed.shrink(length);
  }

  #fields(type: Type, left: Readonly<Record<string, unknown>>, right: Readonly<Record<string, unknown>>): void {
    for (const key in right) this.#field(type, key, own(left, key), right[key]);
    for (const key in left) if (own(right, key) === undefined) this.#field(type, key, left[key], undefined);
  }

  #field(type: Type, key: string, left: unknown, right: unknown): void {
    if (left === right) return;
    const below = typeOfKey(type, key);
    if (below) this.#below(`f:${key}`, below, left, right);
  }

  #items(type: ListType, left: readonly unknown[], right: readonly unknown[]): void {
    const [before, after] = [byElement(type, left), byElement(type, right)];
    for (const [element, now] of after) this.#item(type, element, before.get(element) ?? [], now);
    for (const [element, then] of before) if (!after.has(element)) this.#item(type, element, then, []);
  }

  /** Items of one key on both sides; more than one a side are compared as a whole. */
  #item(type: ListType, element: string, then: readonly unknown[], now: readonly unknown[]): void {
    if (then.length <= 1 && now.length <= 1) return this.#below(element, type.element, then[0], now[0]);
    if (then.length > 1 && now.length > 1) return deepEqual(then, now) ? undefined : this.#whole(this.modified, element);
    if (then.length > 1) {
      if (now.length > 0) this.#below(element, type.element, undefined, now[0]);
      return this.#whole(this.removed, element);
    }
    if (then.length > 0) this.#below(element, type.element, then[0], undefined);
    return this.#whole(this.added, element);
  }

  #whole(set: FieldSetBuilder, element: string): void {
    set.insert([...this.#path, element]);
    set.shrink(this.#path.length);
  }
}

const asList = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

function byElement(type: ListType, items: readonly unknown[]): ReadonlyMap<string, unknown[]> {
  const found = new Map<string, unknown[]>();
  for (const item of items) {
    const element = elementOf(type, item);
    if ("why" in element) continue;
    const same = found.get(element.element);
    if (same) same.push(item);
    else found.set(element.element, [item]);
  }
  return found;
}

export const NO_CHANGES: Comparison = { added: EMPTY, modified: EMPTY, removed: EMPTY };

/** From `left` to `right`, without what is at or below `ignored`. */
export function compareValues(type: Type, left: unknown, right: unknown, ignored: FieldSet = EMPTY): Comparison {
  if (left === right) return NO_CHANGES;
  const comparer = new Comparer();
  comparer.compare(type, left, right);
  return { added: recursiveDifference(comparer.added.set, ignored), modified: recursiveDifference(comparer.modified.set, ignored), removed: recursiveDifference(comparer.removed.set, ignored) };
}
