/**
 * Who owns which fields after a create, update or (JSON, merge, strategic) patch.
 * Follows apimachinery pkg/util/managedfields/internal (fieldmanager.go Update and the managers it chains) and structured-merge-diff merge/update.go.
 */
import type { Instant } from "../../base/clock.ts";
import type { ManagedFieldsEntry } from "../generated/types.ts";
import type { KubeObject } from "../object.ts";
import { convert } from "../schema/convert.ts";
import type { JsonObject } from "../schema/json-parser.ts";
import type { GroupVersionKind, Struct, Type } from "../schema/schema.ts";
import { compareValues, deepEqual } from "./compare.ts";
import { canonical, canonicalUnion, difference, EMPTY, recursiveDifference, union, type FieldSet } from "./field-set.ts";
import { apiVersionOf, capUpdates, decodeManaged, encodeManaged, identifierOf, resetFields, stripMeta, structOfKind, takeChanges, timeText, type Managed, type Tracked } from "./managers.ts";

export interface UpdateRequest {
  /** The stored object; left out for a create. */
  readonly live?: KubeObject;
  /** What the client makes of it, defaulted, before the strategy puts anything back or adds to it. */
  readonly updated: KubeObject;
  /** "" is written as "unknown". */
  readonly manager: string;
  readonly gvk: GroupVersionKind;
  /** "" for the main road. */
  readonly subresource: string;
  readonly now: Instant | string;
}

const empties = new WeakMap<Struct, JsonObject>();

/** What Go's zero value of the type prints: the "live" object of a create. */
export function emptyObject(struct: Struct): JsonObject {
  let empty = empties.get(struct);
  if (!empty) empties.set(struct, (empty = convert(struct, {}).object));
  return empty;
}

/** The object's fields without kind, apiVersion and managedFields: what is compared. */
export function withoutManagedFields(object: object): JsonObject {
  const { kind: _kind, apiVersion: _apiVersion, ...rest } = object as JsonObject;
  const metadata = rest["metadata"];
  if (typeof metadata !== "object" || metadata === null || !("managedFields" in metadata)) return rest;
  const { managedFields: _managedFields, ...meta } = metadata;
  return { ...rest, metadata: meta };
}

export const typeOfStruct = (struct: Struct): Type => ({ kind: "struct", go: struct.goName, struct: () => struct, atomic: false });

/** `[]` or `[{}]`: forget who owns what. */
const isReset = (entries: readonly ManagedFieldsEntry[] | undefined): boolean =>
  entries !== undefined && (entries.length === 0 || (entries.length === 1 && Object.keys(entries[0] ?? {}).length === 0));

/** What the request itself says of managed fields counts on the main road, where it says something that can be read. */
function managedBefore({ live, updated, subresource }: UpdateRequest): Managed {
  const fromLive = () => decodeManaged(live?.metadata.managedFields) ?? new Map<string, Tracked>();
  if (subresource !== "") return fromLive();
  const given = updated.metadata.managedFields;
  if (given && deepEqual(given, live?.metadata.managedFields)) return fromLive();
  if (isReset(given)) return new Map();
  const decoded = decodeManaged(given);
  return decoded && decoded.size > 0 ? decoded : fromLive();
}

export interface Change {
  readonly struct: Struct;
  readonly before: JsonObject;
  readonly after: JsonObject;
  readonly manager: string;
  readonly apiVersion: string;
  readonly subresource: string;
  readonly now: Instant | string;
}

/** Gives the change to its manager and takes it from all others. */
export function recordChange(managed: Managed, change: Change): Managed {
  const ignored: FieldSet = resetFields(change.struct, change.subresource);
  const comparison = compareValues(typeOfStruct(change.struct), change.before, change.after, ignored);
  const owned = stripMeta(recursiveDifference(union(comparison.modified, comparison.added), ignored));
  if (owned.empty) return takeChanges(managed, comparison, change.apiVersion);
  const self = { manager: change.manager === "" ? "unknown" : change.manager, operation: "Update", apiVersion: change.apiVersion, subresource: change.subresource } as const;
  const id = identifierOf(self);
  const previous = managed.get(id);
  const kept = takeChanges(managed, comparison, change.apiVersion, id);
  const fields = canonicalUnion(previous ? difference(previous.fields, comparison.removed) : EMPTY, canonical(owned));
  kept.set(id, { ...self, time: timeText(change.now), fields, ...(previous?.entry && { entry: previous.entry }) });
  return capUpdates(kept);
}

/** The entries that the object shall carry; undefined for none. The live object's own list where nothing changes. */
export function trackUpdate(request: UpdateRequest): readonly ManagedFieldsEntry[] | undefined {
  const { live, updated, gvk } = request;
  const managed = managedBefore(request);
  if (managed.size === 0 && live) return undefined;
  const struct = structOfKind(gvk);
  const before = live ? withoutManagedFields(live) : emptyObject(struct);
  const change = { struct, before, after: withoutManagedFields(updated), manager: request.manager, apiVersion: apiVersionOf(gvk), subresource: request.subresource, now: request.now };
  return encodeManaged(recordChange(managed, change), live?.metadata.managedFields);
}
