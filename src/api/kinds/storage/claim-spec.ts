/**
 * The spec of a PersistentVolumeClaim, and of the template of one inside a pod.
 * Follows kubernetes pkg/apis/core/validation (ValidatePersistentVolumeClaimSpec, ValidatePersistentVolumeClaimTemplate).
 */
import { table } from "../../../base/own.ts";
import { forbiddenField, invalidValue, required, Spelled } from "../../field-error.ts";
import type { PersistentVolumeClaim, PersistentVolumeClaimSpec, PersistentVolumeClaimTemplate } from "../../generated/types.ts";
import { isDns1123Subdomain, labelName, subdomainName } from "../../names.ts";
import { canonicalQuantity, isWholeQuantity, quantitySign } from "../../quantity.ts";
import { type Errors, NOT_NEGATIVE, reasons, unsupported } from "../../validation/fields.ts";
import { validateAnnotations, validateLabels, validateLabelSelector } from "../../validation/labels.ts";
import type { Draft } from "../kind.ts";

/** Of a claim, and of the template of one. */
export function defaultClaim(claim: Draft<PersistentVolumeClaim>): void {
  claim.spec ??= {};
  claim.spec.volumeMode ??= "Filesystem";
  claim.status ??= {};
  claim.status.phase ||= "Pending";
}

/** Follows pkg/api/persistentvolumeclaim (GetWarningsForPersistentVolumeClaimSpec). */
export function claimSpecWarnings(spec: PersistentVolumeClaimSpec | undefined, field: string): readonly string[] {
  return (["requests", "limits"] as const).flatMap((kind) => {
    const size = spec?.resources?.[kind]?.["storage"];
    return size !== undefined && !isWholeQuantity(size) ? [`${field}.resources.${kind}[storage]: fractional byte value ${JSON.stringify(canonicalQuantity(size))} is invalid, must be an integer`] : [];
  });
}

export const ACCESS_MODES = ["ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"];
export const VOLUME_MODES = ["Block", "Filesystem"];

export function validateAccessModes(out: Errors, field: string, modes: readonly string[] | undefined): void {
  const list = modes ?? [];
  for (const mode of list) if (!ACCESS_MODES.includes(mode)) out.push(unsupported(field, mode, ACCESS_MODES));
  if (list.includes("ReadWriteOncePod") && list.some((m) => m !== "ReadWriteOncePod")) out.push(forbiddenField(field, "may not use ReadWriteOncePod with other access modes"));
}

/** More than nothing. */
export function validateStorageSize(out: Errors, field: string, size: string | number | undefined): void {
  if (size === undefined) out.push(required(field));
  else if (quantitySign(size) < 0) out.push(invalidValue(field, canonicalQuantity(size), NOT_NEGATIVE));
  else if (quantitySign(size) === 0) out.push(invalidValue(field, canonicalQuantity(size), "must be greater than zero"));
}

export function validateClaimSpec(out: Errors, field: string, spec: PersistentVolumeClaimSpec | undefined): void {
  const s = spec ?? {};
  if (!s.accessModes?.length) out.push(required(`${field}.accessModes`, "at least 1 access mode is required"));
  validateLabelSelector(out, `${field}.selector`, s.selector);
  validateAccessModes(out, `${field}.accessModes`, s.accessModes);
  const size = s.resources?.requests?.["storage"];
  if (size === undefined) out.push(required(`${field}.resources[storage]`));
  else if (quantitySign(size) <= 0) out.push(invalidValue(`${field}.resources[storage]`, canonicalQuantity(size), "must be greater than zero"));
  if (s.storageClassName) reasons(out, `${field}.storageClassName`, s.storageClassName, subdomainName(s.storageClassName, false));
  if (s.volumeMode !== undefined && !VOLUME_MODES.includes(s.volumeMode)) out.push(unsupported(`${field}.volumeMode`, s.volumeMode, VOLUME_MODES));
  validateDataSource(out, `${field}.dataSource`, s.dataSource);
  validateDataSource(out, `${field}.dataSourceRef`, s.dataSourceRef);
  const { namespace } = s.dataSourceRef ?? {};
  if (namespace) reasons(out, `${field}.dataSourceRef.namespace`, namespace, labelName(namespace, false));
  validateBothSources(out, field, s);
  if (s.volumeAttributesClassName) reasons(out, `${field}.volumeAttributesClassName`, s.volumeAttributesClassName, subdomainName(s.volumeAttributesClassName, false));
}

function validateDataSource(out: Errors, field: string, source: PersistentVolumeClaimSpec["dataSource"]): void {
  if (!source) return;
  if (!source.name) out.push(required(`${field}.name`));
  if (!source.kind) out.push(required(`${field}.kind`));
  if (!source.apiGroup && source.kind !== "PersistentVolumeClaim") out.push(invalidValue(field, source.kind ?? "", "must be 'PersistentVolumeClaim' when referencing the default apiGroup"));
  if (source.apiGroup) reasons(out, `${field}.apiGroup`, source.apiGroup, isDns1123Subdomain(source.apiGroup));
}

/** Two sources are one said twice; upstream shows an empty object instead of a value. */
function validateBothSources(out: Errors, field: string, { dataSource, dataSourceRef }: PersistentVolumeClaimSpec): void {
  if (!dataSource || !dataSourceRef) return;
  const refuse = (why: string) => out.push(invalidValue(field, new Spelled("{}"), why));
  if (dataSourceRef.namespace) refuse("may not be specified when dataSourceRef.namespace is specified");
  else if ((["apiGroup", "kind", "name"] as const).some((key) => dataSource[key] !== dataSourceRef[key])) refuse("must match dataSourceRef");
}

/** All of the metadata but labels and annotations, in the order of the Go type. */
const META_FIELDS = ["name", "generateName", "namespace", "selfLink", "uid", "resourceVersion", "generation", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "ownerReferences", "finalizers", "managedFields"] as const;
/** Upstream makes the field's path of the Go name. */
const GO_FIELDS: Readonly<Record<string, string>> = table({ uid: "uID" });

export function validateClaimTemplate(out: Errors, field: string, template: PersistentVolumeClaimTemplate): void {
  validateAnnotations(out, `${field}.metadata.annotations`, template.metadata?.annotations);
  validateLabels(out, `${field}.metadata.labels`, template.metadata?.labels);
  for (const key of META_FIELDS) {
    const value = template.metadata?.[key];
    if (value !== undefined && value !== null && value !== "" && !(key === "generation" && value === 0)) out.push(forbiddenField(`${field}.metadata.${GO_FIELDS[key] ?? key}`, "cannot be set"));
  }
  validateClaimSpec(out, `${field}.spec`, template.spec);
}
