/**
 * The kind PersistentVolume.
 * Follows kubernetes pkg/apis/core/validation (ValidatePersistentVolumeSpec, ValidatePersistentVolumeUpdate), pkg/volume/validation and pkg/registry/core/persistentvolume.
 */
import type { Instant } from "../../../base/clock.ts";
import { table } from "../../../base/own.ts";
import { forbiddenField, invalidValue, required } from "../../field-error.ts";
import type { PersistentVolume, PersistentVolumeSpec } from "../../generated/types.ts";
import { subdomainName } from "../../names.ts";
import { validateObjectMeta } from "../../object-meta.ts";
import { canonicalQuantity, quantitySign, quantityValue } from "../../quantity.ts";
import { type Errors, IMMUTABLE, immutable, reasons, semanticallyEqual, sortedMap, unsupported } from "../../validation/fields.ts";
import { defineKind } from "../define.ts";
import { goDiff, goSpelled } from "../go-spelling.ts";
import type { Cell, Draft, Kind } from "../kind.ts";
import { defaultNetworkVolume } from "../pod/defaults.ts";
import { validateNodeSelector } from "../pod/scheduling.ts";
import { DEPRECATED_NODE_LABELS } from "../pod/warnings.ts";
import { ageCell } from "../printing.ts";
import { validateAccessModes, VOLUME_MODES } from "./claim-spec.ts";
import { CLASS_ANNOTATION, classOf, shownModes, terminatingOr } from "./printing.ts";
import { isSource, MOUNTABLE, sourcesOf, validateSources } from "./volume-sources.ts";

const RECLAIM_POLICIES = ["Delete", "Recycle", "Retain"];
const MOUNT_OPTIONS = "volume.beta.kubernetes.io/mount-options";
const VOLUME_NODE_AFFINITY = "io.k8s.api.core.v1.VolumeNodeAffinity";

function validateCapacity(out: Errors, field: string, capacity: Readonly<Record<string, string | number>> = {}): void {
  const names = Object.keys(capacity);
  if (names.length === 0) out.push(required(field));
  if (!("storage" in capacity) || names.length > 1) out.push(unsupported(field, names.length === 0 ? null : sortedMap(capacity), ["storage"]));
  for (const [name, size] of Object.entries(capacity)) {
    if (quantityValue(size) < 0) out.push(invalidValue(`${field}[${name}]`, quantityValue(size), "must be a valid resource quantity"));
    if (quantitySign(size) <= 0) out.push(invalidValue(`${field}[${name}]`, canonicalQuantity(size), "must be greater than zero"));
  }
}

const isRoot = (path: string): boolean => path.split("/").reduce<string[]>((parts, part) => (part === ".." ? parts.slice(0, -1) : part === "" || part === "." ? parts : [...parts, part]), []).length === 0;

export function defaultSources(spec: Draft<PersistentVolumeSpec>): void {
  const { hostPath, iscsi, rbd, azureDisk, scaleIO } = spec;
  if (hostPath) hostPath.type ??= "";
  defaultNetworkVolume({ ...(iscsi && { iscsi }), ...(rbd && { rbd }), ...(azureDisk && { azureDisk }), ...(scaleIO && { scaleIO }) });
}

/** `inline`: within a VolumeAttachment, where it has neither claim nor size and must be of CSI. */
export function validateVolumeSpec(out: Errors, field: string, spec: PersistentVolumeSpec, { name, inline = false }: { readonly name: string; readonly inline?: boolean }): void {
  const never = (key: keyof PersistentVolumeSpec): void => {
    if (spec[key]) out.push(forbiddenField(`${field}.${key}`, "may not be specified in the context of inline volumes"));
  };
  if (inline) {
    never("claimRef");
    if (Object.keys(spec.capacity ?? {}).length > 0) never("capacity");
    if (!spec.csi) out.push(required(`${field}.csi`, "has to be specified in the context of inline volumes"));
  }
  if (!spec.accessModes?.length) out.push(required(`${field}.accessModes`));
  validateAccessModes(out, `${field}.accessModes`, spec.accessModes);
  if (!inline) validateCapacity(out, `${field}.capacity`, spec.capacity);
  const policy = spec.persistentVolumeReclaimPolicy;
  if (policy && inline && policy !== "Retain") out.push(forbiddenField(`${field}.persistentVolumeReclaimPolicy`, "may only be Retain in the context of inline volumes"));
  if (policy && !inline && !RECLAIM_POLICIES.includes(policy)) out.push(unsupported(`${field}.persistentVolumeReclaimPolicy`, policy, RECLAIM_POLICIES));
  if (inline) never("nodeAffinity");
  else if (spec.nodeAffinity?.required) validateNodeSelector(out, `${field}.nodeAffinity.required`, spec.nodeAffinity.required);
  else if (spec.nodeAffinity) out.push(required(`${field}.nodeAffinity.required`, "must specify required node constraints"));
  validateSources(out, field, spec, name);
  if (spec.hostPath && isRoot(spec.hostPath.path) && policy === "Recycle") out.push(forbiddenField(`${field}.persistentVolumeReclaimPolicy`, "may not be 'recycle' for a hostPath mount of '/'"));
  validateClassAndMode(out, field, spec, inline);
}

function validateClassAndMode(out: Errors, field: string, spec: PersistentVolumeSpec, inline: boolean): void {
  const { storageClassName, volumeMode, volumeAttributesClassName: attributes } = spec;
  if (storageClassName && inline) out.push(forbiddenField(`${field}.storageClassName`, "may not be specified in the context of inline volumes"));
  else if (storageClassName) reasons(out, `${field}.storageClassName`, storageClassName, subdomainName(storageClassName, false));
  if (volumeMode !== undefined && inline && volumeMode !== "Filesystem") out.push(forbiddenField(`${field}.volumeMode`, "may not specify volumeMode other than Filesystem in the context of inline volumes"));
  if (volumeMode !== undefined && !inline && !VOLUME_MODES.includes(volumeMode)) out.push(unsupported(`${field}.volumeMode`, volumeMode, VOLUME_MODES));
  if (attributes === undefined || inline) return;
  if (attributes === "") out.push(required(`${field}.volumeAttributesClassName`, "an empty string is disallowed"));
  else reasons(out, `${field}.volumeAttributesClassName`, attributes, subdomainName(attributes, false));
  if (!spec.csi) out.push(required(`${field}.csi`, "has to be specified when using volumeAttributesClassName"));
}

const validateVolume = (out: Errors, o: PersistentVolume): void => validateVolumeSpec(out, "spec", o.spec ?? {}, { name: o.metadata.name ?? "" });

function validateMountOptions(out: Errors, o: PersistentVolume): void {
  const mountable = sourcesOf(o.spec ?? {}).some((key) => MOUNTABLE.has(key));
  if (!mountable && o.metadata.annotations?.[MOUNT_OPTIONS] !== undefined) out.push(forbiddenField(`metadata.annotations.${MOUNT_OPTIONS}`, "may not specify mount options for this volume type"));
}

/** Labels of nodes may be made their newer selves. */
const NEWER: Readonly<Record<string, string>> = table({
  "beta.kubernetes.io/arch": "kubernetes.io/arch", "beta.kubernetes.io/os": "kubernetes.io/os", "beta.kubernetes.io/instance-type": "node.kubernetes.io/instance-type",
  "failure-domain.beta.kubernetes.io/zone": "topology.kubernetes.io/zone", "failure-domain.beta.kubernetes.io/region": "topology.kubernetes.io/region",
});
const renewed = (affinity: PersistentVolumeSpec["nodeAffinity"]): unknown =>
  JSON.parse(JSON.stringify(affinity ?? null), (key, value: unknown) => (key === "key" && typeof value === "string" ? (NEWER[value] ?? value) : value));

const SOURCE = "io.k8s.api.core.v1.PersistentVolumeSpec";
const onlySources = (spec: PersistentVolumeSpec): PersistentVolumeSpec => Object.fromEntries(Object.entries(spec).filter(([key]) => isSource(key)));

function validateChange(out: Errors, now: PersistentVolumeSpec, old: PersistentVolumeSpec): void {
  let [sources, before] = [onlySources(now), onlySources(old)];
  if (sources.csi && before.csi && !before.csi.controllerExpandSecretRef) {
    const { controllerExpandSecretRef: _secret, ...csi } = sources.csi;
    sources = { ...sources, csi };
  }
  if (!semanticallyEqual(sources, before)) {
    const others = new Set(Object.keys({ ...OTHERS, ...now, ...old }).filter((key) => !isSource(key)));
    out.push(forbiddenField("spec.persistentvolumesource", `spec.persistentvolumesource is immutable after creation\n${goDiff(SOURCE, before, sources, others)}`));
  }
  immutable(out, "volumeMode", now.volumeMode ?? null, old.volumeMode ?? null);
  if (old.nodeAffinity && !semanticallyEqual(renewed(now.nodeAffinity), renewed(old.nodeAffinity))) out.push(invalidValue("nodeAffinity", goSpelled(VOLUME_NODE_AFFINITY, now.nodeAffinity), `${IMMUTABLE}, except for updating from beta label to GA`));
  if (old.volumeAttributesClassName !== undefined && now.volumeAttributesClassName === undefined) out.push(forbiddenField("spec.volumeAttributesClassName", "update from non-nil value to nil is forbidden"));
}

const OTHERS: Readonly<Record<string, true>> = table({ accessModes: true, capacity: true, claimRef: true, mountOptions: true, nodeAffinity: true, persistentVolumeReclaimPolicy: true, storageClassName: true, volumeAttributesClassName: true, volumeMode: true });

const DEPRECATED_ANNOTATIONS: Readonly<Record<string, string>> = table({
  [CLASS_ANNOTATION]: "deprecated since v1.8; use \"storageClassName\" attribute instead",
  [MOUNT_OPTIONS]: "deprecated since v1.31; use \"mountOptions\" attribute instead",
});
const DEPRECATED_SOURCES: readonly (readonly [key: keyof PersistentVolumeSpec, text: string, shown?: string])[] = [
  ["cephfs", "deprecated in v1.28, non-functional in v1.31+"], ["photonPersistentDisk", "deprecated in v1.11, non-functional in v1.16+"], ["scaleIO", "deprecated in v1.16, non-functional in v1.22+"],
  ["storageos", "deprecated in v1.22, non-functional in v1.25+", "storageOS"], ["glusterfs", "deprecated in v1.25, non-functional in v1.26+"], ["rbd", "deprecated in v1.28, non-functional in v1.31+"],
];

function warnings({ metadata, spec }: PersistentVolume): readonly string[] {
  const terms = spec?.nodeAffinity?.required?.nodeSelectorTerms ?? [];
  return [
    ...Object.entries(DEPRECATED_ANNOTATIONS).flatMap(([key, text]) => (metadata.annotations?.[key] === undefined ? [] : [`metadata.annotations[${key}]: ${text}`])),
    ...(spec?.persistentVolumeReclaimPolicy === "Recycle" ? ["spec.persistentVolumeReclaimPolicy: The Recycle reclaim policy is deprecated. Instead, the recommended approach is to use dynamic provisioning."] : []),
    ...terms.flatMap((term, i) => (term.matchExpressions ?? []).flatMap(({ key }, j) => (DEPRECATED_NODE_LABELS[key] === undefined ? [] : [`spec.nodeAffinity.required.nodeSelectorTerms[${i}].matchExpressions[${j}].key: ${key} is ${DEPRECATED_NODE_LABELS[key]}`]))),
    ...DEPRECATED_SOURCES.flatMap(([key, text, shown = key]) => (spec?.[key] ? [`spec.${shown}: ${text}`] : [])),
  ];
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
  resource: { group: "", version: "v1", plural: "persistentvolumes", kind: "PersistentVolume", namespaced: false },
  schema: "io.k8s.api.core.v1.PersistentVolume",
  printer: { cells: volumeCells },
  applyDefaults(draft) {
    draft.spec ??= {};
    draft.spec.persistentVolumeReclaimPolicy ||= "Retain";
    draft.spec.volumeMode ??= "Filesystem";
    defaultSources(draft.spec);
    draft.status ??= {};
    draft.status.phase ||= "Pending";
  },
  status: {
    prepare(draft, old) {
      if (draft.status?.phase !== old.status?.phase || draft.status?.lastPhaseTransitionTime !== undefined || old.status?.lastPhaseTransitionTime === undefined) return;
      draft.status = { ...draft.status, lastPhaseTransitionTime: old.status.lastPhaseTransitionTime };
    },
  },
  prepareCreate(draft) {
    const { creationTimestamp } = draft.metadata;
    draft.status = { phase: "Pending", ...(creationTimestamp !== undefined && { lastPhaseTransitionTime: creationTimestamp }) };
  },
  validate(out, o) {
    validateVolume(out, o);
    validateMountOptions(out, o);
  },
  createWarnings: warnings,
  metaOnUpdate: "own",
  /** As a create, twice, and then what has changed. */
  validateUpdate(out, o, old) {
    const whole = () => {
      out.push(...validateObjectMeta(o.metadata, { namespaced: false, validateName: subdomainName, builtIn: true }));
      validateVolume(out, o);
    };
    whole();
    validateMountOptions(out, o);
    whole();
    validateChange(out, o.spec ?? {}, old.spec ?? {});
  },
  updateWarnings: warnings,
  deleteReturnsObject: true,
});
