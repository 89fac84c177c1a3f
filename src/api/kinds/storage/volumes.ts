/**
 * The kinds PersistentVolume, PersistentVolumeClaim and StorageClass.
 * Follows kubernetes pkg/apis/core/validation (ValidatePersistentVolume, ValidatePersistentVolumeClaimUpdate), pkg/apis/storage and their strategies.
 */
import type { Instant } from "../../../base/clock.ts";
import { forbiddenField, invalidValue, required } from "../../field-error.ts";
import type { PersistentVolume, PersistentVolumeClaim, PersistentVolumeClaimSpec, StorageClass } from "../../generated/types.ts";
import { isQualifiedName } from "../../names.ts";
import { canonicalQuantity, compareQuantities } from "../../quantity.ts";
import type { Resource } from "../../resource.ts";
import { type Errors, IMMUTABLE, immutable, reasons, semanticallyEqual, sortedMap, unsupported } from "../../validation/fields.ts";
import { defineKind } from "../define.ts";
import { goDiff } from "../go-spelling.ts";
import type { Cell, Kind } from "../kind.ts";
import { defaultNetworkVolume } from "../pod/defaults.ts";
import { ageCell } from "../printing.ts";
import { validateAccessModes, validateClaimSpec, validateStorageSize, VOLUME_MODES } from "./claim-spec.ts";

const VOLUMES: Resource<PersistentVolume> = { group: "", version: "v1", plural: "persistentvolumes", kind: "PersistentVolume", namespaced: false };
const CLAIMS: Resource<PersistentVolumeClaim> = { group: "", version: "v1", plural: "persistentvolumeclaims", kind: "PersistentVolumeClaim", namespaced: true };
const CLASSES: Resource<StorageClass> = { group: "storage.k8s.io", version: "v1", plural: "storageclasses", kind: "StorageClass", namespaced: false };

const CLASS_ANNOTATION = "volume.beta.kubernetes.io/storage-class";
const RECLAIM_POLICIES = ["Delete", "Recycle", "Retain"];
const SHORT_MODES: Readonly<Record<string, string>> = { ReadWriteOnce: "RWO", ReadOnlyMany: "ROX", ReadWriteMany: "RWX", ReadWriteOncePod: "RWOP" };
const MODE_ORDER = Object.keys(SHORT_MODES);

/** `RWO,RWX`: in a fixed order, each once. */
const shownModes = (modes: readonly string[] | undefined): string => MODE_ORDER.filter((m) => modes?.includes(m)).map((m) => SHORT_MODES[m] ?? "").join(",");

const terminatingOr = (o: { readonly metadata: { readonly deletionTimestamp?: string } }, phase: string | undefined): string => (o.metadata.deletionTimestamp ? "Terminating" : (phase ?? ""));

const classOf = (annotations: Readonly<Record<string, string>> | undefined, name: string | undefined): string => annotations?.[CLASS_ANNOTATION] ?? name ?? "";

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

/** Sizes may grow while bound; the rest stays. */
function validateClaimUpdate(out: Errors, claim: PersistentVolumeClaim, old: PersistentVolumeClaim): void {
  // Once as a create, once as an update.
  for (let i = 0; i < 2; i += 1) validateClaimSpec(out, "spec", claim.spec);
  const now: PersistentVolumeClaimSpec = claim.spec ?? {};
  const before: PersistentVolumeClaimSpec = old.spec ?? {};
  const bound = old.status?.phase === "Bound";
  const { resources: _r, volumeAttributesClassName: _v, volumeName, storageClassName, ...rest } = now;
  const mutable: PersistentVolumeClaimSpec = {
    ...rest,
    ...(before.resources && { resources: bound ? before.resources : (now.resources ?? {}) }),
    ...(bound ? before.volumeAttributesClassName !== undefined && { volumeAttributesClassName: before.volumeAttributesClassName } : now.volumeAttributesClassName !== undefined && { volumeAttributesClassName: now.volumeAttributesClassName }),
    // A claim without a volume may be given one, and one without a class a class.
    ...(before.volumeName ? volumeName !== undefined && { volumeName } : before.volumeName !== undefined && { volumeName: before.volumeName }),
    ...(before.storageClassName === undefined ? {} : storageClassName !== undefined && { storageClassName }),
  };
  if (!semanticallyEqual(mutable, before)) {
    const schema = "io.k8s.api.core.v1.PersistentVolumeClaimSpec";
    out.push(forbiddenField("spec", `spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims\n${goDiff(schema, before, mutable)}`));
    return;
  }
  const size = now.resources?.requests?.["storage"];
  const oldSize = before.resources?.requests?.["storage"];
  if (bound && size !== undefined && oldSize !== undefined && compareQuantities(size, oldSize) < 0 && compareQuantities(size, old.status?.capacity?.["storage"]) <= 0) {
    out.push(forbiddenField("spec.resources.requests.storage", "field can not be less than status.capacity"));
  }
}

export const persistentVolumeClaimKind: Kind<PersistentVolumeClaim> = defineKind<PersistentVolumeClaim>({
  resource: CLAIMS,
  schema: "io.k8s.api.core.v1.PersistentVolumeClaim",
  printer: { cells: claimCells },
  applyDefaults(draft) {
    draft.spec ??= {};
    draft.spec.volumeMode ??= "Filesystem";
    if (!draft.spec.dataSourceRef && draft.spec.dataSource) draft.spec.dataSourceRef = { ...draft.spec.dataSource };
    draft.status ??= {};
    draft.status.phase ||= "Pending";
  },
  status: {
    validate(out, o) {
      if (!o.spec?.accessModes?.length) out.push(required("Spec.accessModes"));
    },
  },
  prepareCreate(draft) {
    draft.status = { phase: "Pending" };
  },
  validate: (out, o) => validateClaimSpec(out, "spec", o.spec),
  validateUpdate: validateClaimUpdate,
  deleteReturnsObject: true,
});

const NOT_SOURCES = new Set(["accessModes", "capacity", "claimRef", "mountOptions", "nodeAffinity", "persistentVolumeReclaimPolicy", "storageClassName", "volumeAttributesClassName", "volumeMode"]);

function validateVolume(out: Errors, o: PersistentVolume): void {
  const spec = o.spec ?? {};
  if (!spec.accessModes?.length) out.push(required("spec.accessModes"));
  validateAccessModes(out, "spec.accessModes", spec.accessModes);
  const capacity = spec.capacity ?? {};
  if (Object.keys(capacity).length === 0) out.push(required("spec.capacity"));
  if (capacity["storage"] === undefined || Object.keys(capacity).length > 1) out.push(unsupported("spec.capacity", Object.keys(capacity)[0] ?? "", ["storage"]));
  else validateStorageSize(out, "spec.capacity[storage]", capacity["storage"]);
  if (spec.persistentVolumeReclaimPolicy && !RECLAIM_POLICIES.includes(spec.persistentVolumeReclaimPolicy)) out.push(unsupported("spec.persistentVolumeReclaimPolicy", spec.persistentVolumeReclaimPolicy, RECLAIM_POLICIES));
  const sources = Object.entries(spec).filter(([key, value]) => value !== undefined && value !== null && !NOT_SOURCES.has(key));
  if (sources.length === 0) out.push(required("spec", "must specify a volume type"));
  for (const [key] of sources.slice(1)) out.push(forbiddenField(`spec.${key}`, "may not specify more than 1 volume type"));
  if (spec.hostPath && spec.hostPath.path === "/" && spec.persistentVolumeReclaimPolicy === "Recycle") out.push(forbiddenField("spec.persistentVolumeReclaimPolicy", "may not be 'recycle' for a hostPath mount of '/'"));
  if (spec.volumeMode !== undefined && !VOLUME_MODES.includes(spec.volumeMode)) out.push(unsupported("spec.volumeMode", spec.volumeMode, VOLUME_MODES));
}

function volumeCells(o: PersistentVolume, now: Instant): readonly Cell[] {
  const claim = o.spec?.claimRef;
  return [
    o.metadata.name ?? "",
    canonicalQuantity(o.spec?.capacity?.["storage"] ?? "0"),
    shownModes(o.spec?.accessModes),
    o.spec?.persistentVolumeReclaimPolicy ?? "",
    terminatingOr(o, o.status?.phase),
    claim ? `${claim.namespace ?? ""}/${claim.name ?? ""}` : "",
    classOf(o.metadata.annotations, o.spec?.storageClassName),
    o.spec?.volumeAttributesClassName ?? "<unset>",
    o.status?.reason ?? "",
    ageCell(o, now),
    o.spec?.volumeMode ?? "<unset>",
  ];
}

export const persistentVolumeKind: Kind<PersistentVolume> = defineKind<PersistentVolume>({
  metaOnUpdate: "create twice",
  resource: VOLUMES,
  schema: "io.k8s.api.core.v1.PersistentVolume",
  printer: { cells: volumeCells },
  applyDefaults(draft) {
    draft.spec ??= {};
    draft.spec.persistentVolumeReclaimPolicy ||= "Retain";
    draft.spec.volumeMode ??= "Filesystem";
    if (draft.spec.hostPath) draft.spec.hostPath.type ??= "";
    const { iscsi, rbd, azureDisk, scaleIO } = draft.spec;
    defaultNetworkVolume({ ...(iscsi && { iscsi }), ...(rbd && { rbd }), ...(azureDisk && { azureDisk }), ...(scaleIO && { scaleIO }) });
    draft.status ??= {};
    draft.status.phase ||= "Pending";
  },
  status: {},
  prepareCreate(draft) {
    const { creationTimestamp } = draft.metadata;
    draft.status = { phase: "Pending", ...(creationTimestamp !== undefined && { lastPhaseTransitionTime: creationTimestamp }) };
  },
  validate: validateVolume,
  validateUpdate(out, o, old) {
    validateVolume(out, o);
    const sources = (spec: object | undefined) => Object.fromEntries(Object.entries(spec ?? {}).filter(([key]) => !NOT_SOURCES.has(key)));
    if (!semanticallyEqual(sources(o.spec), sources(old.spec))) {
      out.push(forbiddenField("spec.persistentvolumesource", `spec.persistentvolumesource is immutable after creation\n${goDiff("io.k8s.api.core.v1.PersistentVolumeSpec", old.spec ?? {}, o.spec ?? {}, NOT_SOURCES)}`));
    }
    immutable(out, "spec.volumeMode", o.spec?.volumeMode ?? null, old.spec?.volumeMode ?? null);
    if (old.spec?.nodeAffinity && !semanticallyEqual(o.spec?.nodeAffinity, old.spec.nodeAffinity)) out.push(invalidValue("spec.nodeAffinity", o.spec?.nodeAffinity ?? null, IMMUTABLE));
  },
  deleteReturnsObject: true,
});

function validateStorageClass(out: Errors, o: StorageClass): void {
  if (!o.provisioner) out.push(required("provisioner"));
  else reasons(out, "provisioner", o.provisioner, isQualifiedName(o.provisioner.toLowerCase()));
  for (const key of Object.keys(o.parameters ?? {})) if (key === "") out.push(invalidValue("parameters", key, "field can not be empty."));
  if (o.reclaimPolicy && o.reclaimPolicy !== "Delete" && o.reclaimPolicy !== "Retain") out.push(unsupported("reclaimPolicy", o.reclaimPolicy, ["Delete", "Retain"]));
  const mode = o.volumeBindingMode;
  if (mode !== undefined && mode !== "Immediate" && mode !== "WaitForFirstConsumer") out.push(unsupported("volumeBindingMode", mode, ["Immediate", "WaitForFirstConsumer"]));
}

export const storageClassKind: Kind<StorageClass> = defineKind<StorageClass>({
  resource: CLASSES,
  schema: "io.k8s.api.storage.v1.StorageClass",
  printer: {
    cells(o, now) {
      const isDefault = ["storageclass.kubernetes.io/is-default-class", "storageclass.beta.kubernetes.io/is-default-class"].some((key) => o.metadata.annotations?.[key] === "true");
      return [`${o.metadata.name ?? ""}${isDefault ? " (default)" : ""}`, o.provisioner, o.reclaimPolicy ?? "Delete", o.volumeBindingMode ?? "Immediate", o.allowVolumeExpansion ?? false, ageCell(o, now)];
    },
  },
  applyDefaults(draft) {
    draft.reclaimPolicy ??= "Delete";
    draft.volumeBindingMode ??= "Immediate";
  },
  validate: validateStorageClass,
  validateUpdate(out, o, old) {
    validateStorageClass(out, o);
    immutable(out, "parameters", o.parameters ? sortedMap(o.parameters) : null, old.parameters ?? null);
    immutable(out, "provisioner", o.provisioner ?? "", old.provisioner ?? "");
    immutable(out, "reclaimPolicy", o.reclaimPolicy ?? null, old.reclaimPolicy ?? null);
    immutable(out, "volumeBindingMode", o.volumeBindingMode ?? null, old.volumeBindingMode ?? null);
  },
  deleteReturnsObject: true,
});
