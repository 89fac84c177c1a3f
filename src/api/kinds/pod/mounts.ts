/**
 * Where a container mounts the pod's volumes.
 * Follows kubernetes pkg/apis/core/validation (ValidateVolumeMounts, ValidateVolumeDevices).
 */
import { fieldNotFound, forbiddenField, invalidValue, required } from "../../field-error.ts";
import type { Container, Volume, VolumeMount } from "../../generated/types.ts";
import { type Errors, unsupported } from "../../validation/fields.ts";
import { hasBacksteps, validateDescendingPath } from "./paths.ts";

/** The volumes that are valid, by name. */
export type MountableVolumes = ReadonlyMap<string, Volume>;

const PROPAGATIONS = ["Bidirectional", "HostToContainer", "None"];
const RECURSIVE = ["Disabled", "Enabled", "IfPossible"];

export function validateVolumeMounts(out: Errors, field: string, c: Container, volumes: MountableVolumes): void {
  const points = new Set<string>();
  const devices = c.volumeDevices ?? [];
  (c.volumeMounts ?? []).forEach((mount, i) => {
    const at = `${field}[${i}]`;
    if (!mount.name) out.push(required(`${at}.name`));
    const volume = volumes.get(mount.name);
    if (!volume) out.push(fieldNotFound(`${at}.name`, mount.name ?? ""));
    if (!mount.mountPath) out.push(required(`${at}.mountPath`));
    if (points.has(mount.mountPath)) out.push(invalidValue(`${at}.mountPath`, mount.mountPath, "must be unique"));
    points.add(mount.mountPath);
    if (devices.some((d) => d.name === mount.name)) out.push(invalidValue(`${at}.name`, mount.name, "must not already exist in volumeDevices"));
    if (devices.some((d) => d.devicePath === mount.mountPath)) out.push(invalidValue(`${at}.mountPath`, mount.mountPath, "must not already exist as a path in volumeDevices"));
    validateSubPaths(out, field, at, mount);
    if (mount.mountPropagation !== undefined) validatePropagation(out, `${field}.mountPropagation`, mount.mountPropagation, c);
    if (mount.recursiveReadOnly !== undefined) validateRecursive(out, `${field}.recursiveReadOnly`, mount);
  });
}

/** Upstream names these fields without the mount's index. */
function validateSubPaths(out: Errors, field: string, at: string, mount: VolumeMount): void {
  if (mount.subPath) validateDescendingPath(out, `${field}.subPath`, mount.subPath);
  if (!mount.subPathExpr) return;
  if (mount.subPath) out.push(invalidValue(`${at}.subPathExpr`, mount.subPathExpr, "subPathExpr and subPath are mutually exclusive"));
  validateDescendingPath(out, `${field}.subPathExpr`, mount.subPathExpr);
}

function validatePropagation(out: Errors, field: string, propagation: string, c: Container): void {
  if (!PROPAGATIONS.includes(propagation)) out.push(unsupported(field, propagation, PROPAGATIONS));
  if (propagation === "Bidirectional" && c.securityContext?.privileged !== true) out.push(forbiddenField(field, "Bidirectional mount propagation is available only to privileged containers"));
}

function validateRecursive(out: Errors, field: string, mount: VolumeMount): void {
  const mode = mount.recursiveReadOnly ?? "";
  if (!RECURSIVE.includes(mode)) return void out.push(unsupported(field, mode, RECURSIVE));
  if (mode === "Disabled") return;
  if (!mount.readOnly) out.push(forbiddenField(field, "may only be specified when readOnly is true"));
  if (mount.mountPropagation !== undefined && mount.mountPropagation !== "None") out.push(forbiddenField(field, "may only be specified when mountPropagation is None or not specified"));
}

export function validateVolumeDevices(out: Errors, field: string, c: Container, volumes: MountableVolumes): void {
  const paths = new Set<string>();
  const names = new Set<string>();
  const mounts = c.volumeMounts ?? [];
  (c.volumeDevices ?? []).forEach(({ name, devicePath }, i) => {
    const at = `${field}[${i}]`;
    const volume = volumes.get(name);
    if (!name) out.push(required(`${at}.name`));
    if (names.has(name)) out.push(invalidValue(`${at}.name`, name, "must be unique"));
    if (volume && !volume.persistentVolumeClaim && !volume.ephemeral) out.push(invalidValue(`${at}.name`, name, "can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode"));
    if (!volume) out.push(fieldNotFound(`${at}.name`, name ?? ""));
    if (!devicePath) out.push(required(`${at}.devicePath`));
    if (paths.has(devicePath)) out.push(invalidValue(`${at}.devicePath`, devicePath, "must be unique"));
    if (devicePath && hasBacksteps(devicePath)) out.push(invalidValue(`${at}.devicePath`, devicePath, "can not contain backsteps ('..')"));
    else paths.add(devicePath);
    if (mounts.some((m) => m.name === name)) out.push(invalidValue(`${at}.name`, name, "must not already exist in volumeMounts"));
    if (mounts.some((m) => m.mountPath === devicePath)) out.push(invalidValue(`${at}.devicePath`, devicePath, "must not already exist as a path in volumeMounts"));
    if (name) names.add(name);
  });
}
