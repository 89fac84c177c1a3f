/**
 * Volumes that live elsewhere: no single machine mounts most of them, but what upstream accepts is accepted, and what it refuses is refused.
 * Follows kubernetes pkg/apis/core/validation (the functions of each volume type).
 */
import { own } from "../../../base/own.ts";
import { invalidValue, required, tooLong } from "../../field-error.ts";
import type { Volume } from "../../generated/types.ts";
import { inclusiveRange, isDns1123Label, isDns1123Subdomain, subdomainName } from "../../names.ts";
import { type Errors, reasons, unsupported } from "../../validation/fields.ts";
import { validateDescendingPath } from "./paths.ts";
import type { VolumeCheck } from "./volumes.ts";

const IQN = /^iqn\.\d{4}-\d{2}\.([A-Za-z0-9\-.]+)(:[^,;*&$|\s]+)$/;
const EUI = /^eui.[A-Za-z0-9]{16}$/;
const NAA = /^naa.[A-Za-z0-9]{32}$/;
const DRIVER_BYTES_MAX = 63;
const HOST_PORT = /^(\[[^\]]*\]|[^:]*):[^:]*$/;

export const needs = (out: Errors, field: string, object: object | undefined, ...keys: readonly string[]): void => {
  for (const key of keys) {
    const value: unknown = object && Reflect.get(object, key);
    if (!value || (Array.isArray(value) && value.length === 0)) out.push(required(`${field}.${key}`));
  }
};

function validatePartition(out: Errors, field: string, partition: number | undefined): void {
  if (partition !== undefined && (partition < 0 || partition > 255)) out.push(invalidValue(`${field}.partition`, partition, inclusiveRange(1, 255)));
}

export function validateInitiator(out: Errors, field: string, name: string, prefixError: string): void {
  const pattern = own({ iqn: IQN, eui: EUI, naa: NAA }, name.slice(0, 3));
  if (!pattern) out.push(invalidValue(field, name, prefixError));
  else if (!pattern.test(name)) out.push(invalidValue(field, name, "must be valid format"));
}

const INITIATOR_PREFIX = "must be valid format starting with iqn, eui, or naa";

function validateIscsi(out: Errors, field: string, iscsi: NonNullable<Volume["iscsi"]>): void {
  needs(out, field, iscsi, "targetPortal");
  if (!iscsi.iqn) out.push(required(`${field}.iqn`));
  else validateInitiator(out, `${field}.iqn`, iscsi.iqn, INITIATOR_PREFIX);
  validateLun(out, `${field}.lun`, iscsi.lun);
  if ((iscsi.chapAuthDiscovery || iscsi.chapAuthSession) && !iscsi.secretRef) out.push(required(`${field}.secretRef`));
  if (iscsi.initiatorName !== undefined) validateInitiator(out, `${field}.initiatorname`, iscsi.initiatorName, INITIATOR_PREFIX);
}

export function validateLun(out: Errors, field: string, lun: number | undefined): void {
  if (lun !== undefined && (lun < 0 || lun > 255)) out.push(invalidValue(field, lun, inclusiveRange(0, 255)));
}

function validateFibreChannel(out: Errors, field: string, fc: NonNullable<Volume["fc"]>): void {
  const names = fc.targetWWNs ?? [];
  const ids = fc.wwids ?? [];
  if (names.length === 0 && ids.length === 0) out.push(required(`${field}.targetWWNs`, "must specify either targetWWNs or wwids, but not both"));
  if (names.length > 0 && ids.length > 0) out.push(invalidValue(`${field}.targetWWNs`, names, "targetWWNs and wwids can not be specified simultaneously"));
  if (names.length === 0) return;
  if (fc.lun === undefined) out.push(required(`${field}.lun`, "lun is required if targetWWNs is specified"));
  else validateLun(out, `${field}.lun`, fc.lun);
}

function validateFlex(out: Errors, field: string, flex: NonNullable<Volume["flexVolume"]>): void {
  needs(out, field, flex, "driver");
  for (const key of Object.keys(flex.options ?? {})) {
    const domain = `.${(key.split("/")[0] ?? key).toLowerCase()}`;
    if (domain.endsWith(".kubernetes.io") || domain.endsWith(".k8s.io")) out.push(invalidValue(`${field}.options[${key}]`, key, "kubernetes.io and k8s.io namespaces are reserved"));
  }
}

function validateAzureDisk(out: Errors, field: string, disk: NonNullable<Volume["azureDisk"]>): void {
  needs(out, field, disk, "diskName", "diskURI");
  const { cachingMode, kind, diskURI } = disk;
  if (cachingMode !== undefined && !["None", "ReadOnly", "ReadWrite"].includes(cachingMode)) out.push(unsupported(`${field}.cachingMode`, cachingMode, ["None", "ReadOnly", "ReadWrite"]));
  if (kind !== undefined && !["Dedicated", "Managed", "Shared"].includes(kind)) out.push(unsupported(`${field}.kind`, kind, ["Dedicated", "Managed", "Shared"]));
  if (kind === "Managed" && !diskURI.startsWith("/subscriptions/")) {
    out.push(unsupported(`${field}.diskURI`, diskURI, ["/subscriptions/{sub-id}/resourcegroups/{group-name}/providers/microsoft.compute/disks/{disk-id}"]));
  }
  if (kind !== undefined && kind !== "Managed" && !diskURI.startsWith("https://")) {
    out.push(unsupported(`${field}.diskURI`, diskURI, ["https://{account-name}.blob.core.windows.net/{container-name}/{disk-name}.vhd"]));
  }
}

function validateQuobyte(out: Errors, field: string, q: NonNullable<Volume["quobyte"]>): void {
  const pairs = "must be a host:port pair or multiple pairs separated by commas";
  if (!q.registry) out.push(required(`${field}.registry`, pairs));
  else if ((q.tenant ?? "").length >= 65) out.push(required(`${field}.tenant`, "must be a UUID and may not exceed a length of 64 characters"));
  else for (const pair of q.registry.split(",")) if (!HOST_PORT.test(pair)) out.push(invalidValue(`${field}.registry`, q.registry, pairs));
  needs(out, field, q, "volume");
}

function validateFlocker(out: Errors, field: string, flocker: NonNullable<Volume["flocker"]>): void {
  const { datasetName = "", datasetUUID = "" } = flocker;
  if (datasetName === "" && datasetUUID === "") out.push(required(field, "one of datasetName and datasetUUID is required"));
  if (datasetName !== "" && datasetUUID !== "") out.push(invalidValue(field, "resource", "datasetName and datasetUUID can not be specified simultaneously"));
  if (datasetName.includes("/")) out.push(invalidValue(`${field}.datasetName`, datasetName, "must not contain '/'"));
}

/** Follows ValidateCSIDriverName. */
export function validateDriverName(out: Errors, field: string, name: string): void {
  if (name === "") return void out.push(required(field));
  if (Buffer.byteLength(name) > DRIVER_BYTES_MAX) out.push(tooLong(field, DRIVER_BYTES_MAX));
  reasons(out, field, name, isDns1123Subdomain(name.toLowerCase()));
}

function validateCsi(out: Errors, field: string, csi: NonNullable<Volume["csi"]>): void {
  validateDriverName(out, `${field}.driver`, csi.driver ?? "");
  const secret = csi.nodePublishSecretRef;
  if (!secret) return;
  if (!secret.name) out.push(required(`${field}.nodePublishSecretRef.name`));
  else reasons(out, `${field}.name`, secret.name, subdomainName(secret.name, false));
}

function validateStorageOs(out: Errors, field: string, s: NonNullable<Volume["storageos"]>): void {
  if (!s.volumeName) out.push(required(`${field}.volumeName`));
  else reasons(out, `${field}.volumeName`, s.volumeName, isDns1123Label(s.volumeName));
  if (s.volumeNamespace) reasons(out, `${field}.volumeNamespace`, s.volumeNamespace, isDns1123Label(s.volumeNamespace));
  if (s.secretRef && !s.secretRef.name) out.push(required(`${field}.secretRef.name`));
}

export const NETWORK_VOLUMES: Partial<Record<keyof Volume, VolumeCheck>> = {
  gitRepo: (out, field, { gitRepo }) => {
    needs(out, field, gitRepo, "repository");
    validateDescendingPath(out, `${field}.directory`, gitRepo?.directory ?? "");
  },
  gcePersistentDisk: (out, field, { gcePersistentDisk }) => {
    needs(out, field, gcePersistentDisk, "pdName");
    validatePartition(out, field, gcePersistentDisk?.partition);
  },
  awsElasticBlockStore: (out, field, { awsElasticBlockStore }) => {
    needs(out, field, awsElasticBlockStore, "volumeID");
    validatePartition(out, field, awsElasticBlockStore?.partition);
  },
  nfs: (out, field, { nfs }) => {
    needs(out, field, nfs, "server", "path");
    if (!nfs?.path?.startsWith("/")) out.push(invalidValue(`${field}.path`, nfs?.path ?? "", "must be an absolute path"));
  },
  iscsi: (out, field, v) => v.iscsi && validateIscsi(out, field, v.iscsi),
  glusterfs: (out, field, { glusterfs }) => needs(out, field, glusterfs, "endpoints", "path"),
  flocker: (out, field, v) => v.flocker && validateFlocker(out, field, v.flocker),
  rbd: (out, field, { rbd }) => needs(out, field, rbd, "monitors", "image"),
  cinder: (out, field, { cinder }) => {
    needs(out, field, cinder, "volumeID");
    if (cinder?.secretRef && !cinder.secretRef.name) out.push(required(`${field}.secretRef.name`));
  },
  cephfs: (out, field, { cephfs }) => needs(out, field, cephfs, "monitors"),
  quobyte: (out, field, v) => v.quobyte && validateQuobyte(out, field, v.quobyte),
  fc: (out, field, v) => v.fc && validateFibreChannel(out, field, v.fc),
  flexVolume: (out, field, v) => v.flexVolume && validateFlex(out, field, v.flexVolume),
  azureFile: (out, field, { azureFile }) => needs(out, field, azureFile, "secretName", "shareName"),
  vsphereVolume: (out, field, { vsphereVolume }) => needs(out, field, vsphereVolume, "volumePath"),
  photonPersistentDisk: (out, field, { photonPersistentDisk }) => needs(out, field, photonPersistentDisk, "pdID"),
  portworxVolume: (out, field, { portworxVolume }) => needs(out, field, portworxVolume, "volumeID"),
  azureDisk: (out, field, v) => v.azureDisk && validateAzureDisk(out, field, v.azureDisk),
  storageos: (out, field, v) => v.storageos && validateStorageOs(out, field, v.storageos),
  scaleIO: (out, field, { scaleIO }) => needs(out, field, scaleIO, "gateway", "system", "volumeName"),
  csi: (out, field, v) => v.csi && validateCsi(out, field, v.csi),
};
