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
import { compareValues, deepEqual, NO_CHANGES, type Comparison } from "./compare.ts";
import { canonical, canonicalUnion, difference, EMPTY, recursiveDifference, union, type FieldSet } from "./field-set.ts";
import { capUpdates, decodeManaged, encodeManaged, identifierOf, knownManagers, resetFields, stripMeta, takeChanges, timeText, type ComparisonIn, type Managed, type Tracked } from "./managers.ts";
import { apiVersionOf, onlyVersion, structOfKind, type Versions } from "./versions.ts";

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
  /** Left out: there is no other version. */
  readonly versions?: Versions;
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
  readonly versions: Versions;
  readonly before: JsonObject;
  readonly after: JsonObject;
  readonly manager: string;
  readonly apiVersion: string;
  readonly subresource: string;
  readonly now: Instant | string;
}

const ignoredIn = ({ versions, subresource }: Pick<Change, "versions" | "subresource">, apiVersion: string): FieldSet => {
  const struct = versions.struct(apiVersion);
  return struct ? resetFields(struct, subresource) : EMPTY;
};

/** What differs between two objects, in any of their versions, each worked out when it is asked for. */
export function comparisons(change: Pick<Change, "versions" | "before" | "after" | "apiVersion" | "subresource">): ComparisonIn {
  const { versions, before, after, apiVersion: own } = change;
  const known = new Map<string, Comparison>();
  return (apiVersion) => {
    let comparison = known.get(apiVersion);
    if (!comparison) {
      const struct = versions.struct(apiVersion);
      const as = (object: JsonObject) => (apiVersion === own ? object : versions.convert(object, own, apiVersion));
      comparison = struct ? compareValues(typeOfStruct(struct), as(before), as(after), ignoredIn(change, apiVersion)) : NO_CHANGES;
      known.set(apiVersion, comparison);
    }
    return comparison;
  };
}

/** Gives the change to its manager and takes it from all others. */
export function recordChange(given: Managed, change: Change): Managed {
  const comparisonIn = comparisons(change);
  const comparison = comparisonIn(change.apiVersion);
  const managed = knownManagers(given, change.versions);
  const ignored = ignoredIn(change, change.apiVersion);
  const owned = stripMeta(recursiveDifference(union(comparison.modified, comparison.added), ignored));
  if (owned.empty) return takeChanges(managed, comparisonIn);
  const self = { manager: change.manager === "" ? "unknown" : change.manager, operation: "Update", apiVersion: change.apiVersion, subresource: change.subresource } as const;
  const id = identifierOf(self);
  const previous = managed.get(id);
  const kept = takeChanges(managed, comparisonIn, id);
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
  const change = { versions: request.versions ?? onlyVersion(gvk), before, after: withoutManagedFields(updated), manager: request.manager, apiVersion: apiVersionOf(gvk), subresource: request.subresource, now: request.now };
  return encodeManaged(recordChange(managed, change), live?.metadata.managedFields);
}
