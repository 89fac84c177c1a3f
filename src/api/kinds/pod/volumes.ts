/**
 * Volumes of a pod, of every type that upstream knows.
 * Follows kubernetes pkg/apis/core/validation (ValidateVolumes, validateVolumeSource and the functions of each type).
 */
import { duplicate, forbiddenField, invalidValue, required } from "../../field-error.ts";
import type { DownwardAPIVolumeFile, KeyToPath, ObjectMeta, ProjectedVolumeSource, Volume, VolumeProjection } from "../../generated/types.ts";
import { isDns1123Label, subdomainName } from "../../names.ts";
import { quantitySign } from "../../quantity.ts";
import { type Errors, reasons, unsupported } from "../../validation/fields.ts";
import { validateClaimTemplate } from "../storage/claim-spec.ts";
import { validateFieldRef, validateResourceFieldRef, VOLUME_FIELDS } from "./env.ts";
import type { MountableVolumes } from "./mounts.ts";
import { NETWORK_VOLUMES } from "./network-volumes.ts";
import { validateLocalPath, validateNoBacksteps } from "./paths.ts";

const MODE_MAX = 0o777;
const MODE_ERROR = "must be a number between 0 and 0777 (octal), both inclusive";
const HOST_PATH_TYPES = ["", "BlockDevice", "CharDevice", "Directory", "DirectoryOrCreate", "File", "FileOrCreate", "Socket"];
const CONFLICTING_PATHS = "conflicting duplicate paths";
const TOKEN_SECONDS_MIN = 600;
const TOKEN_SECONDS_MAX = 2 ** 32;

/** `meta` is that of a real Pod. */
export type VolumeCheck = (out: Errors, field: string, volume: Volume, meta: ObjectMeta | undefined) => void;

function validateMode(out: Errors, field: string, mode: number | undefined): void {
  if (mode !== undefined && (mode < 0 || mode > MODE_MAX)) out.push(invalidValue(field, mode, MODE_ERROR));
}

function validateItem(out: Errors, at: string, item: KeyToPath): void {
  if (!item.key) out.push(required(`${at}.key`));
  if (!item.path) out.push(required(`${at}.path`));
  validateLocalPath(out, `${at}.path`, item.path ?? "");
  validateMode(out, `${at}.mode`, item.mode);
}

const validateItems = (out: Errors, field: string, items: readonly KeyToPath[] | undefined): void => (items ?? []).forEach((item, i) => validateItem(out, `${field}[${i}]`, item));

/** Upstream names these without their index. */
function validateDownwardFile(out: Errors, field: string, file: DownwardAPIVolumeFile): void {
  if (!file.path) out.push(required(`${field}.path`));
  validateLocalPath(out, `${field}.path`, file.path ?? "");
  if (file.fieldRef) {
    validateFieldRef(out, `${field}.fieldRef`, file.fieldRef, VOLUME_FIELDS);
    if (file.resourceFieldRef) out.push(invalidValue(field, "resource", "fieldRef and resourceFieldRef can not be specified simultaneously"));
  } else if (file.resourceFieldRef) validateResourceFieldRef(out, `${field}.resourceFieldRef`, file.resourceFieldRef, true);
  else out.push(required(field, "one of fieldRef and resourceFieldRef is required"));
  validateMode(out, `${field}.mode`, file.mode);
}

function validateProjected(out: Errors, field: string, projected: ProjectedVolumeSource): void {
  validateMode(out, `${field}.defaultMode`, projected.defaultMode);
  const paths = new Set<string>();
  (projected.sources ?? []).forEach((source, i) => {
    const at = `${field}.sources[${i}]`;
    const count = validateProjection(out, field, at, source, paths);
    if (count > 1) out.push(forbiddenField(at, "may not specify more than 1 volume type per source"));
  });
}

function takePath(out: Errors, field: string, paths: Set<string>, path: string | undefined, shown: string): void {
  if (!path) return;
  if (paths.has(path)) out.push(invalidValue(field, shown, CONFLICTING_PATHS));
  else paths.add(path);
}

function validateProjection(out: Errors, field: string, at: string, source: VolumeProjection, paths: Set<string>): number {
  let count = 0;
  for (const key of ["secret", "configMap"] as const) {
    const part = source[key];
    if (!part) continue;
    count += 1;
    if (!part.name) out.push(required(`${at}.${key}.name`));
    for (const [i, item] of (part.items ?? []).entries()) {
      validateItem(out, `${at}.${key}.items[${i}]`, item);
      takePath(out, field, paths, item.path, part.name ?? "");
    }
  }
  if (source.downwardAPI) {
    count += 1;
    for (const file of source.downwardAPI.items ?? []) {
      validateDownwardFile(out, `${at}.downwardAPI`, file);
      takePath(out, field, paths, file.path, file.path);
    }
  }
  if (source.serviceAccountToken) {
    count += 1;
    validateToken(out, field, `${at}.serviceAccountToken`, source.serviceAccountToken.expirationSeconds ?? 0, source.serviceAccountToken.path ?? "");
  }
  return count;
}

function validateToken(out: Errors, field: string, at: string, seconds: number, path: string): void {
  if (seconds < TOKEN_SECONDS_MIN) out.push(invalidValue(`${at}.expirationSeconds`, seconds, "may not specify a duration less than 10 minutes"));
  if (seconds > TOKEN_SECONDS_MAX) out.push(invalidValue(`${at}.expirationSeconds`, seconds, "may not specify a duration larger than 2^32 seconds"));
  if (path === "") out.push(required(`${field}.path`));
  else validateLocalPath(out, `${field}.path`, path);
}

const LOCAL_VOLUMES: Partial<Record<keyof Volume, VolumeCheck>> = {
  emptyDir: (out, field, { emptyDir }) => {
    if (emptyDir?.sizeLimit !== undefined && quantitySign(emptyDir.sizeLimit) < 0) out.push(forbiddenField(`${field}.sizeLimit`, "SizeLimit field must be a valid resource quantity"));
  },
  hostPath: (out, field, { hostPath }) => validateHostPath(out, field, hostPath),
  secret: (out, field, { secret }) => {
    if (!secret?.secretName) out.push(required(`${field}.secretName`));
    validateMode(out, `${field}.defaultMode`, secret?.defaultMode);
    validateItems(out, `${field}.items`, secret?.items);
  },
  persistentVolumeClaim: (out, field, { persistentVolumeClaim }) => {
    if (!persistentVolumeClaim?.claimName) out.push(required(`${field}.claimName`));
  },
  downwardAPI: (out, field, { downwardAPI }) => {
    validateMode(out, `${field}.defaultMode`, downwardAPI?.defaultMode);
    for (const file of downwardAPI?.items ?? []) validateDownwardFile(out, field, file);
  },
  configMap: (out, field, { configMap }) => {
    if (!configMap?.name) out.push(required(`${field}.name`));
    validateMode(out, `${field}.defaultMode`, configMap?.defaultMode);
    validateItems(out, `${field}.items`, configMap?.items);
  },
  projected: (out, field, { projected }) => validateProjected(out, field, projected ?? {}),
  ephemeral: (out, field, { ephemeral }) => {
    if (!ephemeral?.volumeClaimTemplate) out.push(required(`${field}.volumeClaimTemplate`));
    else validateClaimTemplate(out, `${field}.volumeClaimTemplate`, ephemeral.volumeClaimTemplate);
  },
  image: (out, field, { image }, meta) => {
    // A template may leave it to whoever completes it.
    if (meta && !image?.reference) out.push(required(`${field}.reference`));
    const policy = image?.pullPolicy ?? "";
    if (policy === "") out.push(required(`${field}.pullPolicy`));
    else if (!["Always", "IfNotPresent", "Never"].includes(policy)) out.push(unsupported(`${field}.pullPolicy`, policy, ["Always", "IfNotPresent", "Never"]));
  },
};

/** All types, in upstream's order: the first that is set is checked, each further one is refused. */
const ORDER: readonly (keyof Volume)[] = [
  "emptyDir", "hostPath", "gitRepo", "gcePersistentDisk", "awsElasticBlockStore", "secret", "nfs", "iscsi", "glusterfs", "flocker", "persistentVolumeClaim", "rbd", "cinder", "cephfs", "quobyte", "downwardAPI",
  "fc", "flexVolume", "configMap", "azureFile", "vsphereVolume", "photonPersistentDisk", "portworxVolume", "azureDisk", "storageos", "projected", "scaleIO", "csi", "ephemeral", "image",
];
/** Upstream's slips of the pen. */
const SECOND_NAMES: Partial<Record<keyof Volume, string>> = { cephfs: "cephFS", downwardAPI: "downwarAPI" };
const CHECKED_AS: Partial<Record<keyof Volume, string>> = { gcePersistentDisk: "persistentDisk" };
const NAME_AND_PORTAL_MAX = 64;

function validatePortalLength(out: Errors, field: string, { name, iscsi }: Volume): void {
  if (iscsi?.initiatorName === undefined || Buffer.byteLength(`${name ?? ""}:${iscsi.targetPortal ?? ""}`) <= NAME_AND_PORTAL_MAX) return;
  out.push(invalidValue(field, name ?? "", "Total length of <volume name>:<iscsi.targetPortal> must be under 64 characters if iscsi.initiatorName is specified."));
}

function validateSource(out: Errors, field: string, volume: Volume, meta: ObjectMeta | undefined): void {
  let found = false;
  for (const key of ORDER) {
    if (volume[key] === undefined || volume[key] === null) continue;
    if (found) out.push(forbiddenField(`${field}.${SECOND_NAMES[key] ?? key}`, "may not specify more than 1 volume type"));
    else (LOCAL_VOLUMES[key] ?? NETWORK_VOLUMES[key])?.(out, `${field}.${CHECKED_AS[key] ?? key}`, volume, meta);
    if (key === "iscsi") validatePortalLength(out, `${field}.name`, volume);
    if (!found && key === "ephemeral" && meta?.name && volume.name) validateClaimName(out, `${field}.name`, volume.name, `${meta.name}-${volume.name}`);
    found = true;
  }
  if (!found) out.push(required(field, "must specify a volume type"));
}

function validateClaimName(out: Errors, field: string, volume: string, claim: string): void {
  for (const text of subdomainName(claim, false)) out.push(invalidValue(field, volume, `PVC name ${JSON.stringify(claim)}: ${text}`));
}

export function validateHostPath(out: Errors, field: string, hostPath: Volume["hostPath"]): void {
  if (!hostPath?.path) return void out.push(required(`${field}.path`));
  validateNoBacksteps(out, `${field}.path`, hostPath.path);
  if (hostPath.type !== undefined && !HOST_PATH_TYPES.includes(hostPath.type)) out.push(unsupported(`${field}.type`, hostPath.type, HOST_PATH_TYPES));
}

/** Returns the volumes that containers may mount: those that are valid. `meta` is that of a real Pod. */
export function validateVolumes(out: Errors, field: string, volumes: readonly Volume[] | undefined, meta: ObjectMeta | undefined): MountableVolumes {
  const mountable = new Map<string, Volume>();
  const created = new Set(meta?.name ? (volumes ?? []).filter((v) => v.ephemeral).map((v) => `${meta.name ?? ""}-${v.name}`) : []);
  (volumes ?? []).forEach((volume, i) => {
    const errors: Errors = [];
    validateSource(errors, `${field}[${i}]`, volume, meta);
    if (!volume.name) errors.push(required(`${field}[${i}].name`));
    else reasons(errors, `${field}[${i}].name`, volume.name, isDns1123Label(volume.name));
    if (mountable.has(volume.name)) errors.push(duplicate(`${field}[${i}].name`, volume.name));
    if (errors.length === 0) mountable.set(volume.name, volume);
    out.push(...errors);
    const claim = volume.persistentVolumeClaim?.claimName;
    if (claim !== undefined && created.has(claim)) out.push(invalidValue(`${field}[${i}].persistentVolumeClaim.claimName`, claim, "must not reference a PVC that gets created for an ephemeral volume"));
  });
  return mountable;
}
