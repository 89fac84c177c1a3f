/**
 * What an applier let go: fields that it applied last time, not now, and that nobody else owns go from the object. Versions may differ: that of the last
 * apply, that of this one, and those of the others.
 * Follows structured-merge-diff merge/update.go (prune, addBackOwnedItems, addBackDanglingItems).
 */
import type { JsonObject } from "../schema/json-parser.ts";
import type { Type } from "../schema/schema.ts";
import { difference, EMPTY, intersection, union, type FieldSet } from "./field-set.ts";
import type { Managed, Tracked } from "./managers.ts";
import { removeItems } from "./merge.ts";
import { typeOfStruct } from "./track-update.ts";
import { fieldsOf, withNamedFields } from "./typed.ts";
import type { Versions } from "./versions.ts";

/** An object's content in one of its versions. */
interface Versioned {
  readonly apiVersion: string;
  readonly object: JsonObject;
}

class Pruner {
  readonly #versions: Versions;

  constructor(versions: Versions) {
    this.#versions = versions;
  }

  as(apiVersion: string, { apiVersion: from, object }: Versioned): Versioned {
    return { apiVersion, object: from === apiVersion ? object : this.#versions.convert(object, from, apiVersion) };
  }

  #type(apiVersion: string): Type | undefined {
    const struct = this.#versions.struct(apiVersion);
    return struct && typeOfStruct(struct);
  }

  named({ apiVersion, object }: Versioned): FieldSet {
    const type = this.#type(apiVersion);
    return type ? withNamedFields(fieldsOf(type, object), type) : EMPTY;
  }

  without({ apiVersion, object }: Versioned, set: FieldSet): Versioned {
    const type = this.#type(apiVersion);
    return { apiVersion, object: type ? ((removeItems(type, object, set) ?? {}) as JsonObject) : object };
  }

  isKnown = (apiVersion: string): boolean => this.#versions.struct(apiVersion) !== undefined;

  /** The set with what leads to its members. */
  withNamed(apiVersion: string, set: FieldSet): FieldSet {
    return withNamedFields(set, this.#type(apiVersion));
  }
}

/** Who owns what, by version, the given one first. */
function ownedByVersion(managed: Managed, first: string): ReadonlyMap<string, FieldSet> {
  const owned = new Map<string, FieldSet>([[first, EMPTY]]);
  for (const { apiVersion, fields } of managed.values()) owned.set(apiVersion, union(owned.get(apiVersion) ?? EMPTY, fields));
  return owned;
}

/** `merged`, in `apiVersion`, without what its applier let go. `last`: what it applied before; `managed`: with what it applies now. */
export function prune(versions: Versions, apiVersion: string, object: JsonObject, managed: Managed, last: Tracked | undefined): JsonObject {
  const pruner = new Pruner(versions);
  if (!last || last.fields.empty || !pruner.isKnown(last.apiVersion)) return object;
  const whole = pruner.as(last.apiVersion, { apiVersion, object });
  let merged = whole;
  let pruned = pruner.without(merged, pruner.withNamed(last.apiVersion, last.fields));
  for (const [version, owned] of ownedByVersion(managed, last.apiVersion)) {
    if (!pruner.isKnown(version)) continue;
    merged = pruner.as(version, merged);
    const kept = union(pruner.named(pruner.as(version, pruned)), pruner.withNamed(version, owned));
    pruned = pruner.without(merged, difference(pruner.named(merged), kept));
  }
  const gone = difference(pruner.named(whole), pruner.named(pruner.as(last.apiVersion, pruned)));
  return pruner.as(apiVersion, pruner.without(whole, intersection(gone, pruner.withNamed(last.apiVersion, last.fields)))).object;
}
