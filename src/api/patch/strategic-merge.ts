/**
 * Strategic merge: a merge patch that knows, per list, by which key items belong together, with directives ($patch, $retainKeys,
 * $setElementOrder/…, $deleteFromPrimitiveList/…). Pure: neither object nor patch is changed.
 * Follows apimachinery pkg/util/strategicpatch/patch.go (mergeMap, mergeSlice).
 */
import { NumberText, plain, setOwn, type JsonObject } from "../schema/json-parser.ts";
import type { Struct, Type } from "../schema/schema.ts";
import { goText, goTypeOf } from "./go-text.ts";
import { orderItems, type Identity } from "./list-order.ts";

/** `bad`: the patch's form is wrong (400). `unprocessable`: 422 without words. `other`: 500. */
export class StrategicMergeError extends Error {
  readonly how: "bad" | "unprocessable" | "other";
  constructor(message: string, how: "bad" | "unprocessable" | "other" = "other") {
    super(message);
    this.how = how;
  }
}

const DIRECTIVE = "$patch";
const RETAIN_KEYS = "$retainKeys";
const DELETE_PRIMITIVES = "$deleteFromPrimitiveList";
const ELEMENT_ORDER = "$setElementOrder";

const isObject = (value: unknown): value is JsonObject => typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof NumberText);

const badArgument = (wanted: string, got: unknown) => new StrategicMergeError(`expected a ${wanted}, but received a ${goTypeOf(got)}`);
const noMergeKey = (item: JsonObject, key: string) => new StrategicMergeError(`map: ${goText(item)} does not contain declared merge key: ${key}`);
const badPatchType = (directive: unknown, map: JsonObject) => new StrategicMergeError(`unknown patch type: ${goText(directive)} in map: ${goText(map)}`);

/** What a patch sets where nothing was before: nulls and directives fall away. undefined: it was only a directive. */
function fresh(value: unknown): unknown {
  if (Array.isArray(value)) return value.map((item) => (item === null ? null : fresh(item))).filter((item) => item !== undefined);
  if (!isObject(value)) return plain(value);
  if (Object.hasOwn(value, DIRECTIVE)) return undefined;
  const out: JsonObject = {};
  for (const [key, inner] of Object.entries(value)) {
    const kept = inner === null ? undefined : fresh(inner);
    if (kept !== undefined) setOwn(out, key, kept);
  }
  return out;
}

function fieldType(struct: Struct | undefined, key: string): Type | undefined {
  if (!struct) return undefined;
  const type = struct.fields.get(key)?.type;
  if (!type) throw new StrategicMergeError(`unable to find api field in struct ${struct.goName} for the json field ${JSON.stringify(key)}`);
  return type;
}

const structBelow = (type: Type | undefined): Struct | undefined => {
  const inner = type?.kind === "list" ? type.element : type;
  return inner?.kind === "struct" ? inner.struct() : undefined;
};

const strategyOf = (type: Type | undefined): string => type?.strategy?.find((s) => s !== "retainKeys") ?? "";
const mergeKeyOf = (type: Type | undefined): string => (type?.kind === "list" ? (type.mergeKey ?? "") : "");

/** `containers` of `$setElementOrder/containers`. */
function keyOfDirective(key: string, prefix: string): string {
  const slash = key.indexOf("/");
  if (slash >= 0 && key.slice(0, slash) === prefix) return key.slice(slash + 1);
  throw new StrategicMergeError(prefix === ELEMENT_ORDER ? "invalid patch format of setElementOrder list" : "invalid patch format of primitive list", "bad");
}

/** Drops what $retainKeys does not name. */
function retainKeys(original: JsonObject, patch: JsonObject): void {
  if (!Object.hasOwn(patch, RETAIN_KEYS)) return;
  const keys = patch[RETAIN_KEYS];
  delete patch[RETAIN_KEYS];
  const bad = () => new StrategicMergeError("invalid patch format of retainKeys", "bad");
  if (!Array.isArray(keys)) throw bad();
  const kept = new Set<unknown>(keys);
  for (const [key, value] of Object.entries(patch)) {
    if (value !== null && !key.startsWith(DELETE_PRIMITIVES) && !key.startsWith(ELEMENT_ORDER) && !kept.has(key)) throw bad();
  }
  for (const key of Object.keys(original)) if (!kept.has(key)) delete original[key];
}

function checkElementOrder(patch: readonly unknown[] | undefined, order: readonly unknown[], identity: Identity): void {
  if (!patch?.length || order.length === 0) return;
  const items = patch.filter((item) => !(isObject(item) && Object.hasOwn(item, DIRECTIVE)));
  let at = 0;
  for (const named of order) if (at < items.length && identity(items[at]) === identity(named)) at++;
  if (at < items.length) throw new StrategicMergeError(`The order in patch list:\n${goText(patch)}\n doesn't match ${ELEMENT_ORDER} list:\n${goText(order)}\n`);
}

const listOrNothing = (value: unknown): unknown[] | undefined => {
  if (value === undefined || Array.isArray(value)) return value;
  throw badArgument("[]interface {}", value);
};

/** Lists that come with a $setElementOrder are merged and ordered here, and leave the patch. */
function applyElementOrders(original: JsonObject, patch: JsonObject, struct: Struct | undefined): void {
  for (const [directive, order] of Object.entries(patch)) {
    if (!directive.startsWith(ELEMENT_ORDER)) continue;
    delete patch[directive];
    if (!Array.isArray(order)) throw badArgument("[]interface {}", order);
    const key = keyOfDirective(directive, ELEMENT_ORDER);
    const [before, wanted] = [listOrNothing(original[key]), listOrNothing(patch[key])];
    const type = fieldType(struct, key);
    const identity = identityBy(mergeKeyOf(type));
    if (!before && !wanted) continue;
    if (wanted) checkElementOrder(wanted, order, identity);
    const merged = before && wanted ? mergeLists(before, wanted, type, false) : (before ?? fresh(wanted));
    if (elementKind(before ?? [], wanted ?? []) === "map") requireKeys(mergeKeyOf(type), merged as unknown[], order);
    original[key] = orderItems(merged as unknown[], order, before ?? [], identity);
    delete patch[key];
  }
}

function requireKeys(mergeKey: string, ...lists: (readonly unknown[])[]): void {
  for (const item of lists.flat()) {
    if (!isObject(item)) throw badArgument("map[string]interface {}", item);
    if (!Object.hasOwn(item, mergeKey)) throw noMergeKey(item, mergeKey);
  }
}

const identityBy = (mergeKey: string): Identity => (item) => (mergeKey !== "" && isObject(item) ? item[mergeKey] : item);

/** `map` or `scalar`; all elements of all lists must be of one Go type. */
function elementKind(...lists: (readonly unknown[])[]): "map" | "scalar" {
  const [first, ...rest] = lists.flat().map(goTypeOf);
  if (first === undefined) throw new StrategicMergeError("no elements in any of the given slices");
  if (first === "[]interface {}") throw new StrategicMergeError("lists of lists are not supported", "unprocessable");
  if (rest.some((type) => type !== first)) throw new StrategicMergeError(`list element types are not identical: ${goText(lists)}`);
  return first === "map[string]interface {}" ? "map" : "scalar";
}

/** Carries out $patch: delete and replace of items; gives the list to merge into and the items to merge. */
function applyItemDirectives(original: readonly unknown[], patch: readonly unknown[], mergeKey: string): readonly [unknown[], unknown[]] {
  let kept = [...original];
  const items: unknown[] = [];
  let replace = false;
  for (const item of patch as readonly JsonObject[]) {
    const directive = item[DIRECTIVE];
    if (directive === undefined) items.push(item);
    else if (directive === "replace") replace = true;
    else if (directive === "merge") throw new StrategicMergeError("merging lists cannot yet be specified in the patch");
    else if (directive !== "delete") throw badPatchType(directive, item);
    else if (!Object.hasOwn(item, mergeKey)) throw noMergeKey(item, mergeKey);
    else kept = kept.filter((other) => !isObject(other) || other[mergeKey] !== item[mergeKey]);
  }
  return replace ? [items, []] : [kept, items];
}

function mergeMaps(original: readonly unknown[], patch: readonly unknown[], mergeKey: string, struct: Struct | undefined): unknown[] {
  const merged = [...original];
  for (const item of patch as readonly JsonObject[]) {
    if (!Object.hasOwn(item, mergeKey)) throw noMergeKey(item, mergeKey);
    const at = merged.findIndex((other) => isObject(other) && Object.hasOwn(other, mergeKey) && other[mergeKey] === item[mergeKey]);
    if (at >= 0) merged[at] = mergeMap(merged[at] as JsonObject, item, struct);
    else merged.push(plain(item));
  }
  return merged;
}

function mergeLists(original: readonly unknown[], patch: readonly unknown[], type: Type | undefined, isDeletion: boolean): unknown[] {
  if (strategyOf(type) !== "merge" && !isDeletion) return plain(patch) as unknown[];
  if (original.length === 0 && patch.length === 0) return [];
  const mergeKey = mergeKeyOf(type);
  if (elementKind(original, patch) === "scalar") {
    if (isDeletion) return original.filter((item) => !patch.includes(item));
    return orderItems([...new Set([...original, ...patch])], patch, original, identityBy(mergeKey));
  }
  const struct = structBelow(type);
  if (mergeKey === "") throw new StrategicMergeError(`cannot merge lists without merge key for ${struct?.goName ?? ""}`);
  const [kept, items] = applyItemDirectives(original, patch, mergeKey);
  const merged = mergeMaps(kept, items, mergeKey, struct);
  requireKeys(mergeKey, merged);
  return orderItems(merged, items, kept, identityBy(mergeKey));
}

/** The patch's value for a key that the original has, both of the same kind. */
function mergeValue(before: unknown, value: unknown, type: Type | undefined, isDeletion: boolean): unknown {
  if (isObject(before) && isObject(value)) return strategyOf(type) === "replace" ? plain(value) : mergeMap(before, value, structBelow(type));
  if (Array.isArray(before) && Array.isArray(value)) return mergeLists(before, value, type, isDeletion);
  return fresh(value);
}

function mergeMap(before: JsonObject, patchBefore: JsonObject, struct: Struct | undefined): JsonObject {
  if (Object.hasOwn(patchBefore, DIRECTIVE)) {
    const { [DIRECTIVE]: directive, ...rest } = patchBefore;
    if (directive === "replace") return plain(rest) as JsonObject;
    if (directive === "delete") return {};
    throw badPatchType(directive, patchBefore);
  }
  const original = { ...before };
  const patch = { ...patchBefore };
  retainKeys(original, patch);
  applyElementOrders(original, patch, struct);
  for (const [name, value] of Object.entries(patch)) {
    const isDeletion = name.startsWith(DELETE_PRIMITIVES);
    const key = isDeletion ? keyOfDirective(name, DELETE_PRIMITIVES) : name;
    const current = Object.hasOwn(original, key) ? original[key] : undefined;
    const isNew = current === undefined || goTypeOf(current) !== goTypeOf(value);
    if (isNew && isDeletion && value !== null) continue;
    const both = (isObject(current) || Array.isArray(current)) && !isNew;
    const next = value === null ? undefined : isNew ? fresh(value) : mergeValue(current, value, both ? fieldType(struct, key) : undefined, isDeletion);
    if (next === undefined) delete original[key];
    else setOwn(original, key, next);
  }
  return original;
}

/** The patched object, not yet decoded again. Throws StrategicMergeError. */
export const strategicMerge = (original: object, patch: JsonObject, struct: Struct): JsonObject => mergeMap(original as JsonObject, patch, struct);
