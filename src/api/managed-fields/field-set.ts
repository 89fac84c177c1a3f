/**
 * Sets of fields, and their FieldsV1 form. A path element is kept as FieldsV1 spells it: `f:name`, `k:{"name":"a"}`, `v:"x"`. Sets are not changed
 * once they are shared. Follows structured-merge-diff fieldpath/set.go and serialize.go.
 */
import { freezeDeeply } from "../../base/freeze.ts";

export class FieldSet {
  /** Elements whose path is itself in the set. */
  readonly members: Set<string>;
  readonly children: Map<string, FieldSet>;

  constructor(members: Iterable<string> = [], children: Iterable<readonly [string, FieldSet]> = []) {
    this.members = new Set(members);
    this.children = new Map(children);
  }

  get empty(): boolean {
    if (this.members.size > 0) return false;
    for (const child of this.children.values()) if (!child.empty) return false;
    return true;
  }

  /** The set below an element, made if need be. Only while the set is being built. */
  below(element: string): FieldSet {
    let child = this.children.get(element);
    if (!child) this.children.set(element, (child = new FieldSet()));
    return child;
  }

  /** Only while the set is being built. */
  insert(path: readonly string[]): void {
    const last = path.at(-1);
    if (last !== undefined) path.slice(0, -1).reduce<FieldSet>((set, element) => set.below(element), this).members.add(last);
  }

  has(path: readonly string[]): boolean {
    const parent = path.slice(0, -1).reduce<FieldSet | undefined>((set, element) => set?.children.get(element), this);
    return parent?.members.has(path.at(-1) ?? "") ?? false;
  }

  /** Every path, members before what is below them, in order. */
  *paths(prefix: readonly string[] = []): Generator<readonly string[]> {
    for (const element of [...this.members].sort(byElement)) yield [...prefix, element];
    for (const element of [...this.children.keys()].sort(byElement)) yield* this.children.get(element)?.paths([...prefix, element]) ?? [];
  }
}

export const EMPTY = new FieldSet();

/** Builds a set along a path that grows and shrinks: sets on the way are found once. */
export class FieldSetBuilder {
  readonly set = new FieldSet();
  /** The sets below the first n elements of the path. */
  readonly #below: FieldSet[] = [this.set];

  insert(path: readonly string[]): void {
    const last = path.at(-1);
    if (last === undefined) return;
    for (let n = this.#below.length; n < path.length; n++) this.#below.push((this.#below[n - 1] ?? this.set).below(path[n - 1] ?? ""));
    this.#below[path.length - 1]?.members.add(last);
  }

  /** The path has become shorter: `length` elements are left. */
  shrink(length: number): void {
    if (this.#below.length > length + 1) this.#below.length = length + 1;
  }
}

const byElement = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

export function union(a: FieldSet, b: FieldSet): FieldSet {
  if (b.empty) return a;
  if (a.empty) return b;
  const children = new Map(a.children);
  for (const [element, child] of b.children) children.set(element, union(children.get(element) ?? EMPTY, child));
  return new FieldSet([...a.members, ...b.members], children);
}

/** What is in `a` and not, by the same path, in `b`. `a` itself where nothing goes. */
export function difference(a: FieldSet, b: FieldSet): FieldSet {
  if (!overlaps(a, b)) return a;
  const children: [string, FieldSet][] = [];
  for (const [element, child] of a.children) {
    const theirs = b.children.get(element);
    const rest = theirs ? difference(child, theirs) : child;
    if (!rest.empty) children.push([element, rest]);
  }
  return new FieldSet([...a.members].filter((element) => !b.members.has(element)), children);
}

/** `difference`, where a member of `b` takes all below it along. `a` itself where nothing goes. */
export function recursiveDifference(a: FieldSet, b: FieldSet): FieldSet {
  if (b.empty) return a;
  let isLess = false;
  const children: [string, FieldSet][] = [];
  for (const [element, child] of a.children) {
    const theirs = b.children.get(element);
    const rest = b.members.has(element) ? EMPTY : theirs ? recursiveDifference(child, theirs) : child;
    isLess ||= rest !== child;
    if (!rest.empty) children.push([element, rest]);
  }
  const members = [...a.members].filter((element) => !b.members.has(element));
  return isLess || members.length < a.members.size ? new FieldSet(members, children) : a;
}

export function intersection(a: FieldSet, b: FieldSet): FieldSet {
  if (!overlaps(a, b)) return EMPTY;
  const children: [string, FieldSet][] = [];
  for (const [element, child] of a.children) {
    const theirs = b.children.get(element);
    const both = theirs ? intersection(child, theirs) : EMPTY;
    if (!both.empty) children.push([element, both]);
  }
  return new FieldSet([...a.members].filter((element) => b.members.has(element)), children);
}

/** Is any path in both? */
export function overlaps(a: FieldSet, b: FieldSet): boolean {
  const [small, large] = a.members.size < b.members.size ? [a, b] : [b, a];
  for (const element of small.members) if (large.members.has(element)) return true;
  for (const [element, child] of b.children) {
    const mine = a.children.get(element);
    if (mine && overlaps(mine, child)) return true;
  }
  return false;
}

/** Is every path of `b` in `a`? */
export function contains(a: FieldSet, b: FieldSet): boolean {
  for (const element of b.members) if (!a.members.has(element)) return false;
  for (const [element, child] of b.children) {
    const mine = a.children.get(element);
    if (mine ? !contains(mine, child) : !child.empty) return false;
  }
  return true;
}

export const equalSets = (a: FieldSet, b: FieldSet): boolean => a === b || (contains(a, b) && contains(b, a));

/** `{ "f:spec": { "f:suspend": {} } }`. */
export type FieldsV1 = Readonly<Record<string, unknown>>;

const parsed = new WeakMap<object, FieldSet>();

/** Pods of one Job own the same fields: each FieldsV1 that is written often is there once. The oldest goes first. */
const INTERNED_MAX = 2048;
const interned = new Map<string, FieldsV1>();

/** The set that FieldsV1 spells. Remembered per object: entries are frozen and shared. */
export function parseFields(fields: FieldsV1 | undefined): FieldSet {
  if (!fields) return EMPTY;
  let set = parsed.get(fields);
  if (!set) parsed.set(fields, (set = parse(fields)));
  return set;
}

function parse(fields: FieldsV1): FieldSet {
  const set = new FieldSet();
  for (const [element, below] of Object.entries(fields)) {
    if (element === "." || typeof below !== "object" || below === null) continue;
    const keys = Object.keys(below);
    if (keys.length === 0 || "." in below) set.members.add(element);
    if (keys.length === 0 || (keys.length === 1 && "." in below)) continue;
    set.children.set(element, parse(below as FieldsV1));
  }
  return set;
}

const formatted = new WeakMap<FieldSet, FieldsV1>();

/** FieldsV1 of a set, frozen and shared with all that say the same. */
export function formatFields(set: FieldSet): FieldsV1 {
  const known = formatted.get(set);
  if (known) return known;
  const made = format(set);
  const text = JSON.stringify(made);
  const fields = interned.get(text) ?? freezeDeeply(made);
  interned.delete(text);
  interned.set(text, fields);
  if (interned.size > INTERNED_MAX) for (const oldest of interned.keys()) {
    interned.delete(oldest);
    break;
  }
  if (fields === made) parsed.set(fields, set);
  formatted.set(set, fields);
  return fields;
}

/** The one set of all that say the same. */
export const canonical = (set: FieldSet): FieldSet => parseFields(formatFields(set));

const unions = new WeakMap<FieldSet, WeakMap<FieldSet, FieldSet>>();

/** The union of two canonical sets, canonical itself: the pods of a Job go through the same few unions, which are made once. */
export function canonicalUnion(a: FieldSet, b: FieldSet): FieldSet {
  if (contains(a, b)) return a;
  let ofA = unions.get(a);
  if (!ofA) unions.set(a, (ofA = new WeakMap()));
  let both = ofA.get(b);
  if (!both) ofA.set(b, (both = canonical(union(a, b))));
  return both;
}

function format(set: FieldSet): FieldsV1 {
  const out: Record<string, unknown> = {};
  for (const element of [...new Set([...set.members, ...set.children.keys()])].sort(byElement)) {
    const child = set.children.get(element);
    if (!child || child.empty) {
      if (set.members.has(element)) out[element] = {};
    } else out[element] = set.members.has(element) ? { ".": {}, ...format(child) } : format(child);
  }
  return out;
}

/** `.spec.containers[name="a"].image`: a path as messages show it. */
export function pathText(path: readonly string[]): string {
  return path.map(elementText).join("");
}

export function elementText(element: string): string {
  const body = element.slice(2);
  if (element.startsWith("f:")) return `.${body}`;
  if (element.startsWith("v:")) return `[=${body}]`;
  if (element.startsWith("i:")) return `[${body}]`;
  const keys = JSON.parse(body) as Readonly<Record<string, unknown>>;
  return `[${Object.entries(keys).map(([key, value]) => `${key}=${JSON.stringify(value)}`).join(",")}]`;
}

/** The set of dotted paths of field names. */
export function setOf(...paths: readonly string[]): FieldSet {
  const set = new FieldSet();
  for (const path of paths) set.insert(path.split(".").map((name) => `f:${name}`));
  return set;
}
