/**
 * The kind PersistentVolumeClaim.
 * Follows kubernetes pkg/apis/core/validation (ValidatePersistentVolumeClaimUpdate, …StatusUpdate), pkg/api/persistentvolumeclaim and pkg/registry/core/persistentvolumeclaim.
 */
import type { Instant } from "../../../base/clock.ts";
import { forbiddenField, invalidValue, required } from "../../field-error.ts";
import type { PersistentVolumeClaim, PersistentVolumeClaimSpec } from "../../generated/types.ts";
import { isQualifiedName } from "../../names.ts";
import { canonicalQuantity, compareQuantities, isWholeQuantity, quantityValue } from "../../quantity.ts";
import { type Errors, IMMUTABLE, immutable, reasons, semanticallyEqual, unsupported } from "../../validation/fields.ts";
import { defineKind } from "../define.ts";
import { goDiff } from "../go-spelling.ts";
import type { Cell, Draft, Kind } from "../kind.ts";
import { ageCell } from "../printing.ts";
import { claimSpecWarnings, defaultClaim, validateClaimSpec } from "./claim-spec.ts";
import { CLASS_ANNOTATION, classOf, shownModes, terminatingOr } from "./printing.ts";

function claimCells(o: PersistentVolumeClaim, now: Instant): readonly Cell[] {
  const bound = Boolean(o.spec?.volumeName);
  return [
    o.metadata.name ?? "",
    terminatingOr(o, o.status?.phase),
    o.spec?.volumeName ?? "",
    bound ? canonicalQuantity(o.status?.capacity?.["storage"] ?? "0") : "",
    bound ? shownModes(o.status?.accessModes) : "",
    classOf(o.metadata.annotations, o.spec?.storageClassName),
    o.spec?.volumeAttributesClassName ?? "<unset>",
    ageCell(o, now),
    o.spec?.volumeMode ?? "<unset>",
  ];
}

type Spec = PersistentVolumeClaimSpec;
const SCHEMA = "io.k8s.api.core.v1.PersistentVolumeClaimSpec";
const CHANGEABLE = "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims";

const without = (spec: Spec, key: keyof Spec): Spec => Object.fromEntries(Object.entries(spec).filter(([name]) => name !== key));
const withField = <K extends keyof Spec>(spec: Spec, key: K, value: Spec[K] | undefined): Spec => (value === undefined ? without(spec, key) : { ...spec, [key]: value });

/** A class that stood in an annotation may move into its field, and one that was not chosen may be chosen. */
function validateClassChange(out: Errors, claim: PersistentVolumeClaim, old: PersistentVolumeClaim): "kept" | "dropped" | "free" {
  const [now, before] = [claim.metadata.annotations?.[CLASS_ANNOTATION], old.metadata.annotations?.[CLASS_ANNOTATION]];
  const [name, nameBefore] = [claim.spec?.storageClassName, old.spec?.storageClassName];
  if (before !== undefined && nameBefore === undefined && name === before && (now === undefined || now === before)) return "dropped";
  if ((now ?? "") !== (before ?? "")) out.push(invalidValue(`metadata.annotations.${CLASS_ANNOTATION}`, now ?? "", IMMUTABLE));
  return name !== undefined && nameBefore === undefined && (before === undefined || name === before) ? "dropped" : "kept";
}

/** The spec with what may change made the old one's. */
function comparable(now: Spec, before: Spec, bound: boolean): Spec {
  if (!bound) return now;
  const requests = now.resources?.requests && { ...now.resources.requests, storage: before.resources?.requests?.["storage"] ?? "0" };
  const spec = requests ? { ...now, resources: { ...now.resources, requests } } : now;
  return withField(spec, "volumeAttributesClassName", before.volumeAttributesClassName);
}

function validateUpdate(out: Errors, claim: PersistentVolumeClaim, old: PersistentVolumeClaim): void {
  validateClaimSpec(out, "spec", claim.spec);
  const [now, before]: [Spec, Spec] = [claim.spec ?? {}, old.spec ?? {}];
  const change = validateClassChange(out, claim, old);
  const left = comparable(change === "dropped" ? without(now, "storageClassName") : now, before, claim.status?.phase === "Bound");
  // A claim without a volume may be given one.
  const right = before.volumeName ? before : withField(before, "volumeName", now.volumeName);
  if (!semanticallyEqual(left, right)) out.push(forbiddenField("spec", `${CHANGEABLE}\n${goDiff(SCHEMA, right, left)}`));
  const [size, oldSize, capacity] = [now.resources?.requests?.["storage"], before.resources?.requests?.["storage"], old.status?.capacity?.["storage"]];
  if (compareQuantities(size ?? 0, oldSize ?? 0) < 0 && compareQuantities(size ?? 0, capacity ?? 0) <= 0) out.push(forbiddenField("spec.resources.requests.storage", "field can not be less than status.capacity"));
  immutable(out, "volumeMode", now.volumeMode ?? null, before.volumeMode ?? null);
  validateAttributesClass(out, now.volumeAttributesClassName, before.volumeAttributesClassName, old.status?.currentVolumeAttributesClassName);
}

function validateAttributesClass(out: Errors, now: string | undefined, before: string | undefined, current: string | undefined): void {
  if (now === before || current === undefined) return;
  if (now === undefined) out.push(forbiddenField("spec.volumeAttributesClassName", "update to nil is forbidden when status.currentVolumeAttributesClassName is not nil"));
  else if (now === "") out.push(forbiddenField("spec.volumeAttributesClassName", "update to empty string is forbidden when status.currentVolumeAttributesClassName is not nil"));
}

const RESIZES = ["ControllerResizeInProgress", "ControllerResizeInfeasible", "NodeResizeInProgress", "NodeResizeInfeasible", "NodeResizePending"].sort();

/** Whether the key is one of storage. Others need a domain. */
function validateStorageKey(out: Errors, field: string, key: string): boolean {
  const errors = isQualifiedName(key);
  reasons(out, field, key, errors);
  const native = !key.includes("/") || key.includes("kubernetes.io/");
  if (errors.length === 0 && native && key !== "storage") out.push(unsupported(field, key, ["storage"]));
  return errors.length === 0 && (!native || key === "storage");
}

function notNegative(out: Errors, field: string, size: string | number): boolean {
  const value = quantityValue(size);
  if (value < 0) out.push(invalidValue(field, value, "must be a valid resource quantity"));
  return value >= 0;
}

function validateStatus(out: Errors, { spec, status = {} }: PersistentVolumeClaim): void {
  if (!spec?.accessModes?.length) out.push(required("Spec.accessModes"));
  for (const [key, size] of Object.entries(status.capacity ?? {})) notNegative(out, `status.capacity[${key}]`, size);
  for (const [key, state] of Object.entries(status.allocatedResourceStatuses ?? {})) {
    validateStorageKey(out, "status.allocatedResourceStatuses", key);
    if (!RESIZES.includes(state)) out.push(unsupported("status.allocatedResourceStatuses", key, RESIZES));
  }
  for (const [key, size] of Object.entries(status.allocatedResources ?? {})) {
    const field = `status.allocatedResources[${key}]`;
    if (!validateStorageKey(out, "status.allocatedResources", key)) continue;
    if (notNegative(out, field, size) && !isWholeQuantity(size) && key === "storage") continue;
  }
}

type Source = Spec["dataSource"];
const isOldSource = (source: Source): boolean => (source?.kind === "PersistentVolumeClaim" && !source.apiGroup) || (source?.kind === "VolumeSnapshot" && source.apiGroup === "snapshot.storage.k8s.io");
const sourceOf = ({ apiGroup, kind, name }: NonNullable<Source>): NonNullable<Source> => ({ ...(apiGroup !== undefined && { apiGroup }), kind, name });

/** A source of data says the same in both of its fields; one that the older field never took is dropped, as is one of another namespace. */
function normaliseSources(draft: Draft<PersistentVolumeClaim>, old?: PersistentVolumeClaim): void {
  const spec = (draft.spec ??= {});
  if (spec.dataSourceRef?.namespace && !old?.spec?.dataSourceRef) delete spec.dataSourceRef;
  if (!old?.spec?.dataSource && !spec.dataSourceRef && !isOldSource(spec.dataSource)) delete spec.dataSource;
  if (spec.dataSource && !spec.dataSourceRef) spec.dataSourceRef = sourceOf(spec.dataSource);
  else if (spec.dataSourceRef && !spec.dataSource && !spec.dataSourceRef.namespace) spec.dataSource = sourceOf(spec.dataSourceRef);
}

const warnings = (o: PersistentVolumeClaim): readonly string[] => [
  ...(o.metadata.annotations?.[CLASS_ANNOTATION] === undefined ? [] : [`metadata.annotations[${CLASS_ANNOTATION}]: deprecated since v1.8; use "storageClassName" attribute instead`]),
  ...claimSpecWarnings(o.spec, "spec"),
];

export const persistentVolumeClaimKind: Kind<PersistentVolumeClaim> = defineKind<PersistentVolumeClaim>({
  resource: { group: "", version: "v1", plural: "persistentvolumeclaims", kind: "PersistentVolumeClaim", namespaced: true },
  schema: "io.k8s.api.core.v1.PersistentVolumeClaim",
  printer: { cells: claimCells },
  applyDefaults: defaultClaim,
  prepareCreate(draft) {
    draft.status = { phase: "Pending" };
    normaliseSources(draft);
  },
  validate: (out, o) => validateClaimSpec(out, "spec", o.spec),
  createWarnings: warnings,
  prepareUpdate: normaliseSources,
  validateUpdate,
  updateWarnings: warnings,
  status: { validate: validateStatus },
  deleteReturnsObject: true,
});
