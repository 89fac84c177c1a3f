/**
 * `metadata.managedFields` read into sets and written again: who owns what, since when. Entries that do not change stay the same objects.
 * Follows apimachinery pkg/util/managedfields/internal/managedfields.go, capmanagers.go and stripmeta.go.
 */
import type { Instant } from "../../base/clock.ts";
import { table } from "../../base/own.ts";
import type { ManagedFieldsEntry } from "../generated/types.ts";
import type { Struct } from "../schema/schema.ts";
import { formatTime } from "../time.ts";
import type { Comparison } from "./compare.ts";
import type { Versions } from "./versions.ts";
import { difference, equalSets, FieldSet, formatFields, intersection, overlaps, parseFields, setOf, union } from "./field-set.ts";

export interface Tracked {
  readonly manager: string;
  readonly operation: "Apply" | "Update";
  readonly apiVersion: string;
  readonly subresource: string;
  readonly time: string | undefined;
  readonly fields: FieldSet;
  /** What it was read from, where it is still that. */
  readonly entry?: ManagedFieldsEntry;
}

/** By identifier: one entry per manager, operation, version (of updates) and subresource. */
export type Managed = ReadonlyMap<string, Tracked>;

const IDENTIFIERS_MAX = 1024;
const identifiers = new Map<string, string>();

/** Upstream's identifier, which also orders conflicts. Appliers have one entry, whatever version they apply. */
export function identifierOf(t: Pick<Tracked, "manager" | "operation" | "apiVersion" | "subresource">): string {
  const key = `${t.operation}\n${t.apiVersion}\n${t.subresource}\n${t.manager}`;
  let identifier = identifiers.get(key);
  if (identifier === undefined) {
    if (identifiers.size >= IDENTIFIERS_MAX) identifiers.clear();
    identifiers.set(key, (identifier = spellIdentifier(t)));
  }
  return identifier;
}

function spellIdentifier(t: Pick<Tracked, "manager" | "operation" | "apiVersion" | "subresource">): string {
  return JSON.stringify({ manager: t.manager, operation: t.operation, ...(t.operation === "Update" && { apiVersion: t.apiVersion }), ...(t.subresource !== "" && { subresource: t.subresource }) });
}

/** What was read lately: an object is often written again soon. More would be held for every object there is. */
const DECODED_MAX = 512;
const decoded = new Map<object, Managed>();
const NONE: Managed = new Map();

function remember(entries: object, managed: Managed): void {
  decoded.set(entries, managed);
  if (decoded.size <= DECODED_MAX) return;
  for (const oldest of decoded.keys()) {
    decoded.delete(oldest);
    break;
  }
}

function decodeAll(entries: readonly ManagedFieldsEntry[]): Managed | undefined {
  const managed = new Map<string, Tracked>();
  for (const entry of entries) {
    const { operation, apiVersion = "" } = entry;
    if ((operation !== "Apply" && operation !== "Update") || apiVersion === "" || entry.fieldsType !== "FieldsV1") return undefined;
    const tracked: Tracked = { manager: entry.manager ?? "", operation, apiVersion, subresource: entry.subresource ?? "", time: entry.time, fields: parseFields(entry.fieldsV1), entry };
    managed.set(identifierOf(tracked), tracked);
  }
  return managed;
}

/** undefined where an entry is not one. Remembered per list. */
export function decodeManaged(entries: readonly ManagedFieldsEntry[] | undefined): Managed | undefined {
  if (!entries || entries.length === 0) return NONE;
  let managed = decoded.get(entries);
  if (!managed) {
    managed = decodeAll(entries);
    if (managed) remember(entries, managed);
  }
  return managed;
}

function encodeOne(t: Tracked): ManagedFieldsEntry {
  const { entry } = t;
  const fields = entry && parseFields(entry.fieldsV1);
  const same = fields !== undefined && equalSets(fields, t.fields);
  if (entry && same && t.time === entry.time && t.apiVersion === entry.apiVersion) return entry;
  return {
    manager: t.manager,
    operation: t.operation,
    apiVersion: t.apiVersion,
    ...(t.time !== undefined && { time: t.time }),
    fieldsType: "FieldsV1",
    fieldsV1: entry?.fieldsV1 && same ? entry.fieldsV1 : formatFields(t.fields),
    ...(t.subresource !== "" && { subresource: t.subresource }),
  };
}

const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

const byOperationAndTime = (a: Tracked, b: Tracked): number =>
  compareText(a.operation, b.operation) || compareText(a.time ?? "", b.time ?? "") || compareText(a.manager, b.manager) || compareText(a.apiVersion, b.apiVersion) || compareText(a.subresource, b.subresource);

/** The entries in upstream's order; undefined when there are none; `before` itself when nothing changed. */
export function encodeManaged(managed: Managed, before: readonly ManagedFieldsEntry[] | undefined): readonly ManagedFieldsEntry[] | undefined {
  if (managed.size === 0) return undefined;
  const entries = [...managed.values()].sort(byOperationAndTime).map(encodeOne);
  return before?.length === entries.length && entries.every((entry, i) => entry === before[i]) ? before : entries;
}

/** Fields that nobody owns. */
const STRIPPED = setOf(
  "apiVersion", "kind", "metadata", "metadata.name", "metadata.namespace", "metadata.creationTimestamp", "metadata.selfLink", "metadata.uid",
  "metadata.clusterName", "metadata.generation", "metadata.managedFields", "metadata.resourceVersion",
);

export const stripMeta = (fields: FieldSet): FieldSet => difference(fields, STRIPPED);

const STATUS = setOf("status");
const SPEC = setOf("spec");
const NOTHING = new FieldSet();
/** Where a subresource puts back more than the spec. */
const RESET: Readonly<Record<string, FieldSet>> = table({
  "Pod/status": setOf("spec", "metadata.deletionTimestamp", "metadata.ownerReferences"),
  "Deployment/status": setOf("spec", "metadata.labels"),
  "VolumeAttachment/status": setOf("spec", "metadata"),
  "ServiceCIDR/status": setOf("spec", "metadata"),
  "Namespace/finalize": STATUS,
  "CertificateSigningRequest/": setOf("spec", "status"),
  "CertificateSigningRequest/status": setOf("spec", "status.conditions"),
  "CertificateSigningRequest/approval": setOf("spec", "status.certificate"),
});

/** Fields that a write through this road does not change, and so does not own (the strategies' GetResetFields). */
export function resetFields(struct: Struct, subresource: string): FieldSet {
  const own = RESET[`${struct.goName}/${subresource}`];
  if (own) return own;
  if (subresource === "") return struct.fields.has("status") ? STATUS : NOTHING;
  return subresource === "status" ? SPEC : NOTHING;
}

/** What has changed, as a version sees it. */
export type ComparisonIn = (apiVersion: string) => Comparison;

/** Takes from every manager what somebody else has now changed or removed. Managers with nothing left go. */
export function takeChanges(managed: Managed, comparisonIn: ComparisonIn, except = ""): Map<string, Tracked> {
  const kept = new Map<string, Tracked>();
  for (const [id, tracked] of managed) {
    const { added, modified, removed } = comparisonIn(tracked.apiVersion);
    const changed = union(modified, added);
    const isTouched = id !== except && (overlaps(tracked.fields, changed) || overlaps(tracked.fields, removed));
    const fields = isTouched ? difference(difference(tracked.fields, intersection(tracked.fields, changed)), removed) : tracked.fields;
    if (!fields.empty) kept.set(id, fields === tracked.fields ? tracked : { ...tracked, fields });
  }
  return kept;
}

const UPDATE_MANAGERS_MAX = 10;
const ANCIENT_CHANGES = "ancient-changes";

/** Merges the oldest updates of a version into one entry while there are too many. */
export function capUpdates(managed: Map<string, Tracked>): Map<string, Tracked> {
  const updates = [...managed].filter(([, t]) => t.operation === "Update").sort(([a, x], [b, y]) => compareText(x.time ?? "", y.time ?? "") || compareText(a, b));
  let excess = updates.length - UPDATE_MANAGERS_MAX;
  const firstOf = new Map<string, string>();
  for (const [id, tracked] of updates) {
    if (excess <= 0) break;
    const first = firstOf.get(tracked.apiVersion);
    if (first === undefined) {
      firstOf.set(tracked.apiVersion, id);
      continue;
    }
    const bucket = { manager: ANCIENT_CHANGES, operation: "Update", apiVersion: tracked.apiVersion, subresource: "" } as const;
    const bucketId = identifierOf(bucket);
    const base = managed.get(bucketId) ?? managed.get(first);
    if (!managed.has(bucketId)) managed.delete(first);
    managed.delete(id);
    managed.set(bucketId, { ...bucket, time: tracked.time, fields: union(tracked.fields, base?.fields ?? NOTHING) });
    excess--;
  }
  return managed;
}

/** Without managers of versions in which the kind is not served any more. */
export function knownManagers(managed: Managed, versions: Versions): Managed {
  const unknown = [...managed.values()].filter((tracked) => versions.struct(tracked.apiVersion) === undefined);
  return unknown.length === 0 ? managed : new Map([...managed].filter(([, tracked]) => !unknown.includes(tracked)));
}

/** The time of a write: an instant, or its RFC 3339 text. */
export const timeText = (now: Instant | string): string => (typeof now === "string" ? now : formatTime(now));
