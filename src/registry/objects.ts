/**
 * What happens to an object on its way into the store and out: copied into a draft, compared, stamped with its resourceVersion, frozen,
 * turned into text once. Knows no kinds. Objects are plain JSON; a field that is `undefined` counts as absent.
 */
import { own, setOwn } from "../base/own.ts";
import type { Draft, DraftObject } from "../api/kinds/kind.ts";
import type { KubeObject } from "../api/object.ts";
import { apiVersionOf, type Resource } from "../api/resource.ts";
import type { Revision, Value } from "../store/store.ts";

/** A writable copy, all the way down. */
export function thaw<T>(value: T): Draft<T> {
  return copy(value) as Draft<T>;
}

function copy(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(copy);
  const out: Record<string, unknown> = {};
  for (const key in value) {
    const field = (value as Record<string, unknown>)[key];
    if (field !== undefined) setOwn(out, key, typeof field === "object" ? copy(field) : field);
  }
  return out;
}

/** Freezes all the way down, and stops where something is frozen already. */
export function freeze<T>(value: T): T {
  if (typeof value !== "object" || value === null || Object.isFrozen(value)) return value;
  Object.freeze(value);
  for (const key in value) freeze((value as Record<string, unknown>)[key]);
  return value;
}

/** Whether two JSON values say the same. */
export function equal(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (Array.isArray(a) || Array.isArray(b)) return Array.isArray(a) && Array.isArray(b) && a.length === b.length && a.every((x, i) => equal(x, b[i]));
  return holds(a as Record<string, unknown>, b as Record<string, unknown>) && covers(b as Record<string, unknown>, a as Record<string, unknown>);
}

function holds(a: Record<string, unknown>, b: Record<string, unknown>): boolean {
  for (const key in a) if (!equal(a[key], b[key])) return false;
  return true;
}

function covers(a: Record<string, unknown>, b: Record<string, unknown>): boolean {
  for (const key in a) if (a[key] !== undefined && own(b, key) === undefined) return false;
  return true;
}

const texts = new WeakMap<object, string>();

/** The JSON text of an object that was handed out: made once, shared by all who send it. */
export function textOf(object: object): string {
  const known = texts.get(object);
  if (known !== undefined) return known;
  const text = JSON.stringify(object);
  if (Object.isFrozen(object)) texts.set(object, text);
  return text;
}

/** That `text` is the object's: it was stored beside it. */
export function keepText(object: object, text: string): void {
  if (!texts.has(object)) texts.set(object, text);
}

/** The text of an object as an item of a list, after its opening brace: kind and apiVersion are left out. */
export function itemFieldsOf(object: KubeObject): string {
  const text = textOf(object);
  const head = `{"kind":"${object.kind ?? ""}","apiVersion":"${object.apiVersion ?? ""}",`;
  if (text.startsWith(head)) return text.slice(head.length);
  const { kind: _kind, apiVersion: _apiVersion, ...rest } = object;
  return JSON.stringify(rest).slice(1);
}

/** Frozen, and with kind and apiVersion in front, as they are sent. */
export function finished(draft: DraftObject, resource: Pick<Resource, "group" | "version" | "kind">): KubeObject {
  const { kind: _kind, apiVersion: _apiVersion, metadata, ...rest } = draft;
  return freeze({ kind: resource.kind, apiVersion: apiVersionOf(resource), metadata, ...rest });
}

/** What the store keeps: the draft with this revision as its resourceVersion. Ends the draft's life. */
export function stamp(draft: DraftObject, resource: Resource, revision: Revision): Value {
  draft.metadata.resourceVersion = String(revision);
  const object = finished(draft, resource);
  return { object, text: textOf(object) };
}

/** A frozen variant of a frozen object with another resourceVersion: what watchers see of an object that leaves their selection. */
export function withRevision(object: KubeObject, revision: Revision): KubeObject {
  return Object.freeze({ ...object, metadata: Object.freeze({ ...object.metadata, resourceVersion: String(revision) }) });
}
