/**
 * Where a PersistentVolume is kept: one of many kinds of source, most of which no single machine mounts. What upstream takes is taken.
 * Most are a pod's volumes too; what is different in a PersistentVolume is here.
 * Follows kubernetes pkg/apis/core/validation (ValidatePersistentVolumeSpec and the functions of each source).
 */
import { table } from "../../../base/own.ts";
import { forbiddenField, invalidValue, required } from "../../field-error.ts";
import type { PersistentVolumeSpec, Volume } from "../../generated/types.ts";
import { isDns1123Label, isDns1123Subdomain, labelName } from "../../names.ts";
import { type Errors, reasons } from "../../validation/fields.ts";
import { NETWORK_VOLUMES, needs, validateDriverName, validateInitiator, validateLun } from "../pod/network-volumes.ts";
import { validateNoBacksteps } from "../pod/paths.ts";
import { validateHostPath } from "../pod/volumes.ts";

type Spec = PersistentVolumeSpec;
type SourceCheck = (out: Errors, field: string, spec: Spec, name: string) => void;
interface Secret {
  readonly name?: string;
  readonly namespace?: string;
}

/** Looked at as a pod's volume. */
const asVolume = (key: keyof Volume & keyof Spec): SourceCheck => (out, field, spec) => NETWORK_VOLUMES[key]?.(out, field, { name: "", [key]: spec[key] }, undefined);

function needsWholeSecret(out: Errors, field: string, secret: Secret | undefined): void {
  if (secret) needs(out, field, secret, "name", "namespace");
}

const ISCSI_NAME_MAX = 64;

function validateIscsi(out: Errors, field: string, iscsi: NonNullable<Spec["iscsi"]>, name: string): void {
  needs(out, field, iscsi, "targetPortal");
  if (iscsi.initiatorName !== undefined && `${name}:${iscsi.targetPortal}`.length > ISCSI_NAME_MAX) {
    out.push(invalidValue(`${field}.targetportal`, iscsi.targetPortal, "Total length of <volume name>:<iscsi.targetPortal> must be under 64 characters if iscsi.initiatorName is specified."));
  }
  if (!iscsi.iqn) out.push(required(`${field}.iqn`));
  else validateInitiator(out, `${field}.iqn`, iscsi.iqn, "must be valid format");
  validateLun(out, `${field}.lun`, iscsi.lun);
  if ((iscsi.chapAuthDiscovery || iscsi.chapAuthSession) && !iscsi.secretRef) out.push(required(`${field}.secretRef`));
  if (iscsi.secretRef && !iscsi.secretRef.name) out.push(required(`${field}.secretRef.name`));
  if (iscsi.initiatorName !== undefined) validateInitiator(out, `${field}.initiatorname`, iscsi.initiatorName, "must be valid format");
}

function validateSecretReference(out: Errors, field: string, secret: Secret | undefined): void {
  if (!secret) return;
  if (!secret.name) out.push(required(`${field}.name`));
  else reasons(out, `${field}.name`, secret.name, isDns1123Subdomain(secret.name));
  if (!secret.namespace) out.push(required(`${field}.namespace`));
  else reasons(out, `${field}.namespace`, secret.namespace, isDns1123Label(secret.namespace));
}

function validateCsi(out: Errors, field: string, csi: NonNullable<Spec["csi"]>): void {
  validateDriverName(out, `${field}.driver`, csi.driver ?? "");
  needs(out, field, csi, "volumeHandle");
  for (const key of ["controllerPublishSecretRef", "controllerExpandSecretRef", "nodePublishSecretRef", "nodeExpandSecretRef"] as const) validateSecretReference(out, `${field}.${key}`, csi[key]);
}

/** In upstream's order. */
const SOURCES: Readonly<Record<string, SourceCheck>> = table({
  hostPath: (out, field, { hostPath }) => validateHostPath(out, field, hostPath),
  gcePersistentDisk: (out, _field, spec, name) => asVolume("gcePersistentDisk")(out, "spec.persistentDisk", spec, name),
  awsElasticBlockStore: asVolume("awsElasticBlockStore"),
  glusterfs(out, field, { glusterfs }) {
    needs(out, field, glusterfs, "endpoints", "path");
    const namespace = glusterfs?.endpointsNamespace;
    if (namespace === "") out.push(invalidValue(`${field}.endpointsNamespace`, namespace, "if the endpointnamespace is set, it must be a valid namespace name"));
    else if (namespace !== undefined) reasons(out, `${field}.endpointsNamespace`, namespace, labelName(namespace, false));
  },
  flocker: asVolume("flocker"),
  nfs: asVolume("nfs"),
  rbd: (out, field, { rbd }) => needs(out, field, rbd, "monitors", "image"),
  quobyte: asVolume("quobyte"),
  cephfs: (out, field, { cephfs }) => needs(out, field, cephfs, "monitors"),
  iscsi: (out, field, { iscsi }, name) => iscsi && validateIscsi(out, field, iscsi, name),
  cinder(out, field, { cinder }) {
    needs(out, field, cinder, "volumeID");
    needsWholeSecret(out, `${field}.secretRef`, cinder?.secretRef);
  },
  fc: asVolume("fc"),
  flexVolume: asVolume("flexVolume"),
  azureFile(out, field, { azureFile }) {
    needs(out, field, azureFile, "secretName", "shareName");
    if (azureFile?.secretNamespace === "") out.push(required(`${field}.secretNamespace`));
  },
  vsphereVolume: asVolume("vsphereVolume"),
  photonPersistentDisk: asVolume("photonPersistentDisk"),
  portworxVolume: asVolume("portworxVolume"),
  azureDisk: asVolume("azureDisk"),
  scaleIO: (out, field, { scaleIO }) => needs(out, field, scaleIO, "gateway", "system", "volumeName"),
  local(out, field, { local, nodeAffinity }) {
    if (local?.path) validateNoBacksteps(out, `${field}.path`, local.path);
    else out.push(required(`${field}.path`));
    if (!nodeAffinity) out.push(required("spec.nodeAffinity", "Local volume requires node affinity"));
  },
  storageos(out, field, { storageos }) {
    if (!storageos?.volumeName) out.push(required(`${field}.volumeName`));
    else reasons(out, `${field}.volumeName`, storageos.volumeName, isDns1123Label(storageos.volumeName));
    if (storageos?.volumeNamespace) reasons(out, `${field}.volumeNamespace`, storageos.volumeNamespace, isDns1123Label(storageos.volumeNamespace));
    needsWholeSecret(out, `${field}.secretRef`, storageos?.secretRef);
  },
  csi: (out, field, { csi }) => csi && validateCsi(out, field, csi),
});

/** Those whose mount takes options. */
export const MOUNTABLE: ReadonlySet<string> = new Set(["gcePersistentDisk", "awsElasticBlockStore", "glusterfs", "nfs", "rbd", "quobyte", "iscsi", "cinder", "cephfs", "azureFile", "vsphereVolume", "azureDisk", "photonPersistentDisk"]);

export const isSource = (key: string): boolean => Object.hasOwn(SOURCES, key);

/** The sources that are set. */
export const sourcesOf = (spec: Spec): readonly string[] => Object.keys(SOURCES).filter((key) => Boolean(Reflect.get(spec, key)));

/** Exactly one; upstream lets a flexVolume stand beside another. */
export function validateSources(out: Errors, field: string, spec: Spec, name: string): void {
  let found = false;
  for (const key of sourcesOf(spec)) {
    if (found && key !== "flexVolume") out.push(forbiddenField(`${field}.${key === "cephfs" ? "cephFS" : key}`, "may not specify more than 1 volume type"));
    else SOURCES[key]?.(out, `${field}.${key}`, spec, name);
    found = true;
  }
  if (!found) out.push(required(field, "must specify a volume type"));
}
