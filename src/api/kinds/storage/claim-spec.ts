/**
 * The spec of a PersistentVolumeClaim, and of the template of one inside a pod.
 * Follows kubernetes pkg/apis/core/validation (ValidatePersistentVolumeClaimSpec, ValidatePersistentVolumeClaimTemplate).
 */
import { forbiddenField, invalidValue, required } from "../../field-error.ts";
import type { PersistentVolumeClaim, PersistentVolumeClaimSpec, PersistentVolumeClaimTemplate } from "../../generated/types.ts";
import { subdomainName } from "../../names.ts";
import { canonicalQuantity, isWholeQuantity, quantitySign } from "../../quantity.ts";
import { type Errors, NOT_NEGATIVE, reasons, unsupported } from "../../validation/fields.ts";
import { validateAnnotations, validateLabels, validateLabelSelector } from "../../validation/labels.ts";
import type { Draft } from "../kind.ts";

/** Of a claim, and of the template of one. */
export function defaultClaim(claim: Draft<PersistentVolumeClaim>): void {
  claim.spec ??= {};
  claim.spec.volumeMode ??= "Filesystem";
  if (!claim.spec.dataSourceRef && claim.spec.dataSource) claim.spec.dataSourceRef = { ...claim.spec.dataSource };
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
  validateStorageSize(out, `${field}.resources[storage]`, s.resources?.requests?.["storage"]);
  if (s.storageClassName) reasons(out, `${field}.storageClassName`, s.storageClassName, subdomainName(s.storageClassName, false));
  if (s.volumeMode !== undefined && !VOLUME_MODES.includes(s.volumeMode)) out.push(unsupported(`${field}.volumeMode`, s.volumeMode, VOLUME_MODES));
  validateDataSource(out, `${field}.dataSource`, s.dataSource);
  validateDataSource(out, `${field}.dataSourceRef`, s.dataSourceRef);
  if (s.volumeAttributesClassName) reasons(out, `${field}.volumeAttributesClassName`, s.volumeAttributesClassName, subdomainName(s.volumeAttributesClassName, false));
}

function validateDataSource(out: Errors, field: string, source: PersistentVolumeClaimSpec["dataSource"]): void {
  if (!source) return;
  if (!source.name) out.push(required(`${field}.name`));
  if (!source.kind) out.push(required(`${field}.kind`));
  if (!source.apiGroup && source.kind !== "PersistentVolumeClaim") out.push(invalidValue(field, source.kind ?? "", "must be 'PersistentVolumeClaim' when referencing the default apiGroup"));
}

export function validateClaimTemplate(out: Errors, field: string, template: PersistentVolumeClaimTemplate): void {
  validateAnnotations(out, `${field}.metadata.annotations`, template.metadata?.annotations);
  validateLabels(out, `${field}.metadata.labels`, template.metadata?.labels);
  for (const key of ["name", "generateName", "namespace", "uid", "ownerReferences", "finalizers"] as const) {
    if (template.metadata?.[key] !== undefined) out.push(forbiddenField(`${field}.metadata.${key}`, "cannot be set"));
  }
  validateClaimSpec(out, `${field}.spec`, template.spec);
}
