/**
 * Strategic merge: a merge patch that knows, per list, by which key items belong together, with directives ($patch, $retainKeys,
 * $setElementOrder/…, $deleteFromPrimitiveList/…). The object is not changed; the patch is: directives that were carried out and nulls of new values
 * leave it, and messages about it show what is left.
 * Follows apimachinery pkg/util/strategicpatch/patch.go (mergeMap, mergeSlice).
 */
import { own, setOwn } from "../../base/own.ts";
import { NumberText, type JsonObject } from "../schema/json-parser.ts";
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

/** Takes the nulls out of maps, all the way down. */
function discardNulls(value: unknown): void {
  if (Array.isArray(value)) return value.forEach(discardNulls);
  if (!isObject(value)) return;
  for (const [key, inner] of Object.entries(value)) {
    if (inner === null) delete value[key];
    else discardNulls(inner);
  }
}

/** Takes directives out of maps; lists come back without the items that were directives. undefined: it was only a directive. */
function removeDirectives(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(removeDirectives).filter((item) => item !== undefined);
  if (!isObject(value)) return value;
  if (Object.hasOwn(value, DIRECTIVE)) return undefined;
  for (const [key, inner] of Object.entries(value)) {
    const kept = removeDirectives(inner);
    if (kept === undefined) delete value[key];
    else setOwn(value, key, kept);
  }
  return value;
}

/** What a patch sets where nothing was before. */
function fresh(value: unknown): unknown {
  discardNulls(value);
  return removeDirectives(value);
}

/** What a map of the object is an instance of: a struct, or (then nothing in it can be merged) a map of Go. */
type Owner = Struct | "map";

function fieldType(owner: Owner, key: string): Type | undefined {
  if (owner === "map") throw new StrategicMergeError("merging an object in json but data type is not struct, instead is: map");
  const type = owner.fields.get(key)?.type;
  if (!type) throw new StrategicMergeError(`unable to find api field in struct ${owner.goName} for the json field ${JSON.stringify(key)}`);
  return type;
}

function listType(owner: Owner, key: string): Type | undefined {
  const type = fieldType(owner, key);
  if (type !== undefined && type.kind !== "list") throw new StrategicMergeError("expected slice or array type, but got: struct");
  return type;
}

/** Values without a schema are of Go types that have no fields of their own. */
const opaque = (go: string): Struct => ({ name: go, goName: go.slice(go.lastIndexOf(".") + 1), fields: new Map(), always: [] });

function ownerBelow(type: Type | undefined): Owner {
  const inner = type?.kind === "list" ? type.element : type;
  if (inner?.kind === "struct") return inner.struct();
  return inner === undefined || inner.kind === "map" ? "map" : opaque(inner.go);
}

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

function checkElementOrder(patch: readonly unknown[] | undefined, order: readonly unknown[], mergeKey: string): void {
  if (!patch?.length || order.length === 0) return;
  const items = patch.filter((item) => !(isObject(item) && Object.hasOwn(item, DIRECTIVE)));
  const identity = identityBy(mergeKey);
  let at = 0;
  for (const named of order) {
    if (at >= items.length) break;
    if (mergeKey !== "") requireKeys(mergeKey, [items[at], named]);
    if (identity(items[at]) === identity(named)) at++;
  }
  if (at < items.length) throw new StrategicMergeError(`The order in patch list:\n${goText(patch)}\n doesn't match ${ELEMENT_ORDER} list:\n${goText(order)}\n`);
}

const listOrNothing = (value: unknown): unknown[] | undefined => {
  if (value === undefined || Array.isArray(value)) return value;
  throw badArgument("[]interface {}", value);
};

/** Lists that come with a $setElementOrder are merged and ordered here, and leave the patch. */
function applyElementOrders(original: JsonObject, patch: JsonObject, owner: Owner): void {
  for (const [directive, order] of Object.entries(patch)) {
    if (!directive.startsWith(ELEMENT_ORDER)) continue;
    delete patch[directive];
    if (!Array.isArray(order)) throw badArgument("[]interface {}", order);
    const key = keyOfDirective(directive, ELEMENT_ORDER);
    const [before, wanted] = [listOrNothing(own(original, key)), listOrNothing(own(patch, key))];
    const type = listType(owner, key);
    const identity = identityBy(mergeKeyOf(type));
    if (!before && !wanted) continue;
    if (wanted) checkElementOrder(wanted, order, mergeKeyOf(type));
    const merged = before && wanted ? mergeLists(before, wanted, type, false) : (before ?? removeDirectives(wanted));
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

function mergeMaps(original: readonly unknown[], patch: readonly unknown[], mergeKey: string, owner: Owner): unknown[] {
  const merged = [...original];
  const added = new Set<unknown>();
  for (const item of patch as readonly JsonObject[]) {
    if (!Object.hasOwn(item, mergeKey)) throw noMergeKey(item, mergeKey);
    const at = merged.findIndex((other) => isObject(other) && Object.hasOwn(other, mergeKey) && other[mergeKey] === item[mergeKey]);
    if (at >= 0) merged[at] = mergeMap(merged[at] as JsonObject, item, owner, added.has(merged[at]));
    else {
      merged.push(item);
      added.add(item);
    }
  }
  return merged;
}

function mergeLists(original: readonly unknown[], patch: readonly unknown[], type: Type | undefined, isDeletion: boolean): unknown[] {
  if (strategyOf(type) !== "merge" && !isDeletion) return patch as unknown[];
  if (original.length === 0 && patch.length === 0) return [];
  const mergeKey = mergeKeyOf(type);
  if (elementKind(original, patch) === "scalar") {
    if (isDeletion) return original.filter((item) => !patch.includes(item));
    return orderItems([...new Set([...original, ...patch])], patch, original, identityBy(mergeKey));
  }
  const owner = ownerBelow(type);
  if (mergeKey === "") throw new StrategicMergeError("cannot merge lists without merge key for struct");
  const [kept, items] = applyItemDirectives(original, patch, mergeKey);
  const merged = mergeMaps(kept, items, mergeKey, owner);
  requireKeys(mergeKey, merged);
  return orderItems(merged, items, kept, identityBy(mergeKey));
}

/** The patch's value for a key that the original has, both of the same kind. */
function mergeValue(before: unknown, value: unknown, type: Type | undefined, isDeletion: boolean): unknown {
  if (isObject(before) && isObject(value)) return strategyOf(type) === "replace" ? value : mergeMap(before, value, ownerBelow(type));
  if (Array.isArray(before) && Array.isArray(value)) return mergeLists(before, value, type, isDeletion);
  return removeDirectives(value);
}

/** `isOurs`: the object is of the patch itself, and changes. */
function mergeMap(before: JsonObject, patch: JsonObject, owner: Owner, isOurs = false): JsonObject {
  if (Object.hasOwn(patch, DIRECTIVE)) {
    const directive = patch[DIRECTIVE];
    if (directive === "delete") return {};
    if (directive !== "replace") throw badPatchType(directive, patch);
    delete patch[DIRECTIVE];
    return patch;
  }
  const original = isOurs ? before : { ...before };
  retainKeys(original, patch);
  applyElementOrders(original, patch, owner);
  for (const [name, value] of Object.entries(patch)) {
    const isDeletion = name.startsWith(DELETE_PRIMITIVES);
    const key = isDeletion ? keyOfDirective(name, DELETE_PRIMITIVES) : name;
    const current = own(original, key);
    const isNew = current === undefined || goTypeOf(current) !== goTypeOf(value);
    if (isNew && isDeletion && value !== null) continue;
    const both = (isObject(current) || Array.isArray(current)) && !isNew;
    const next = value === null ? undefined : isNew ? fresh(value) : mergeValue(current, value, both ? fieldType(owner, key) : undefined, isDeletion);
    if (next === undefined) delete original[key];
    else setOwn(original, key, next);
  }
  return original;
}

/** The patched object, not yet decoded again. The patch must be the caller's own. Throws StrategicMergeError. */
export const strategicMerge = (original: object, patch: JsonObject, struct: Struct): JsonObject => mergeMap(original as JsonObject, patch, struct);
