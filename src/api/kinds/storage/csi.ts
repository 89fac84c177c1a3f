/**
 * The kinds CSIDriver, CSINode, CSIStorageCapacity and VolumeAttachment: what storage drivers tell each other; stored and shown here.
 * Follows kubernetes pkg/apis/storage/validation/validation.go, pkg/apis/storage/v1/defaults.go and pkg/registry/storage.
 */
import { duplicate, forbiddenField, invalidValue, required, tooLong } from "../../field-error.ts";
import type { CSIDriver, CSINode, CSINodeDriver, CSIStorageCapacity, StorageTokenRequest, VolumeAttachment, VolumeError } from "../../generated/types.ts";
import { inclusiveRange, isQualifiedName, subdomainName } from "../../names.ts";
import { canonicalQuantity, quantitySign } from "../../quantity.ts";
import { type Errors, immutable, nonNegative, NOT_NEGATIVE, reasons, semanticallyEqual, unsupported } from "../../validation/fields.ts";
import { selectorParses, validateLabelSelector } from "../../validation/labels.ts";
import { defineKind } from "../define.ts";
import { goSpelled } from "../go-spelling.ts";
import type { Kind } from "../kind.ts";
import { validateDriverName } from "../pod/network-volumes.ts";
import { ageCell } from "../printing.ts";
import { defaultSources, validateVolumeSpec } from "./volume.ts";

const STORAGE = "storage.k8s.io";
const TOKEN_SECONDS_MIN = 600;
const TOKEN_SECONDS_MAX = 2 ** 32;
const FS_GROUP_POLICIES = ["File", "None", "ReadWriteOnceWithFSType"];
const TOKENS_IN_SECRETS = "spec.serviceAccountTokenInSecrets is unset; if supported by this CSI driver, set to true to prevent possible logging of tokens in volume attributes";

function validateTokens(out: Errors, requests: readonly StorageTokenRequest[]): void {
  const seen = new Set<string>();
  requests.forEach(({ audience, expirationSeconds: seconds }, i) => {
    const field = `spec.tokenRequests[${i}]`;
    if (seen.has(audience)) {
      out.push(duplicate(`${field}.audience`, audience));
      return;
    }
    seen.add(audience);
    if (seconds !== undefined && seconds < TOKEN_SECONDS_MIN) out.push(invalidValue(`${field}.expirationSeconds`, seconds, "may not specify a duration less than 10 minutes"));
    if (seconds !== undefined && seconds > TOKEN_SECONDS_MAX) out.push(invalidValue(`${field}.expirationSeconds`, seconds, "may not specify a duration larger than 2^32 seconds"));
  });
}

function validateDriver(out: Errors, { spec }: CSIDriver): void {
  const { fsGroupPolicy, tokenRequests = [], volumeLifecycleModes = [], nodeAllocatableUpdatePeriodSeconds: period, serviceAccountTokenInSecrets: inSecrets } = spec ?? {};
  if (fsGroupPolicy !== undefined && !FS_GROUP_POLICIES.includes(fsGroupPolicy)) out.push(unsupported("spec.fsGroupPolicy", fsGroupPolicy, FS_GROUP_POLICIES));
  validateTokens(out, tokenRequests);
  for (const mode of volumeLifecycleModes) if (mode !== "Persistent" && mode !== "Ephemeral") out.push(unsupported("spec.volumeLifecycleModes", mode, ["Persistent", "Ephemeral"]));
  if (period !== undefined && period < 10) out.push(invalidValue("spec.nodeAllocatableUpdatePeriodSeconds", period, "must be greater than or equal to 10 seconds"));
  if (inSecrets !== undefined && tokenRequests.length === 0) out.push(invalidValue("spec.serviceAccountTokenInSecrets", inSecrets, "serviceAccountTokenInSecrets is set but no tokenRequests are specified"));
}

const tokenWarnings = ({ spec }: CSIDriver): readonly string[] => (spec?.tokenRequests?.length && spec.serviceAccountTokenInSecrets === undefined ? [TOKENS_IN_SECRETS] : []);

export const csiDriverKind: Kind<CSIDriver> = defineKind<CSIDriver>({
  resource: { group: STORAGE, version: "v1", plural: "csidrivers", kind: "CSIDriver", namespaced: false },
  schema: "io.k8s.api.storage.v1.CSIDriver",
  printer: {
    cells(o, now) {
      const { attachRequired = true, podInfoOnMount = false, storageCapacity = false, tokenRequests, requiresRepublish = false, volumeLifecycleModes = [] } = o.spec ?? {};
      const audiences = tokenRequests ? tokenRequests.map(({ audience }) => audience).join(",") : "<unset>";
      return [o.metadata.name ?? "", attachRequired, podInfoOnMount, storageCapacity, audiences, requiresRepublish, volumeLifecycleModes.join(",") || "<none>", ageCell(o, now)];
    },
  },
  applyDefaults(draft) {
    const spec = (draft.spec ??= {});
    spec.attachRequired ??= true;
    spec.podInfoOnMount ??= false;
    spec.storageCapacity ??= false;
    spec.fsGroupPolicy ??= "ReadWriteOnceWithFSType";
    if (!spec.volumeLifecycleModes?.length) spec.volumeLifecycleModes = ["Persistent"];
    spec.requiresRepublish ??= false;
    spec.seLinuxMount ??= false;
  },
  // Behind a gate that is closed by default.
  prepareCreate: (draft) => void delete draft.spec.preventPodSchedulingIfMissing,
  validate: validateDriver,
  createWarnings: tokenWarnings,
  prepareUpdate(draft, old) {
    if (old.spec.preventPodSchedulingIfMissing === undefined) delete draft.spec.preventPodSchedulingIfMissing;
    // A new one has no generation: only changes are counted.
    if (!semanticallyEqual(draft.spec, old.spec)) draft.metadata.generation = (old.metadata.generation ?? 0) + 1;
  },
  metaOnUpdate: "update",
  validateUpdate(out, o, old) {
    validateDriver(out, o);
    immutable(out, "spec.attachedRequired", o.spec.attachRequired, old.spec.attachRequired);
    immutable(out, "spec.volumeLifecycleModes", o.spec.volumeLifecycleModes, old.spec.volumeLifecycleModes);
  },
  updateWarnings: (o, old) => (semanticallyEqual(o.spec.tokenRequests, old.spec.tokenRequests) ? [] : tokenWarnings(o)),
  allowUnconditionalUpdate: false,
  deleteReturnsObject: true,
});

const NODE_ID_MAX = 256;
const NODE_DRIVER = "io.k8s.api.storage.v1.CSINodeDriver";

function validateNodeDriver(out: Errors, field: string, driver: CSINodeDriver, before: readonly CSINodeDriver[]): void {
  const { name, nodeID, allocatable, topologyKeys = [] } = driver;
  validateDriverName(out, `${field}.name`, name ?? "");
  if (!nodeID) out.push(required(`${field}.nodeID`));
  else if (Buffer.byteLength(nodeID) > NODE_ID_MAX) out.push(invalidValue(`${field}.nodeID`, nodeID, `must be ${NODE_ID_MAX} characters or less`));
  nonNegative(out, `${field}.allocatable.count`, allocatable?.count);
  if (before.some((d) => d.name === name)) out.push(duplicate(`${field}.name`, name));
  (topologyKeys ?? []).forEach((key, i) => {
    if (key === "") out.push(required(field));
    if (topologyKeys.indexOf(key) < i) out.push(duplicate(field, key));
    reasons(out, field, key, isQualifiedName(key));
  });
}

const validateNodeDrivers = (out: Errors, { spec }: CSINode): void => (spec?.drivers ?? []).forEach((driver, i, all) => validateNodeDriver(out, `spec.drivers[${i}]`, driver, all.slice(0, i)));

export const csiNodeKind: Kind<CSINode> = defineKind<CSINode>({
  resource: { group: STORAGE, version: "v1", plural: "csinodes", kind: "CSINode", namespaced: false },
  schema: "io.k8s.api.storage.v1.CSINode",
  printer: { cells: (o, now) => [o.metadata.name ?? "", (o.spec?.drivers ?? []).length, ageCell(o, now)] },
  validate: validateNodeDrivers,
  metaOnUpdate: "create",
  validateUpdate(out, o, old) {
    validateNodeDrivers(out, o);
    for (const before of old.spec?.drivers ?? []) {
      for (const driver of (o.spec?.drivers ?? []).filter((d) => d.name === before.name)) {
        const [{ allocatable: _now, ...now }, { allocatable: _then, ...then }] = [driver, before];
        immutable(out, "spec.drivers", now, then, goSpelled(NODE_DRIVER, now));
      }
    }
  },
  allowUnconditionalUpdate: false,
  deleteReturnsObject: true,
});

function validateStorageCapacity(out: Errors, o: CSIStorageCapacity, old?: CSIStorageCapacity): void {
  validateLabelSelector(out, "nodeTopology", o.nodeTopology, { allowInvalidValues: old?.nodeTopology !== undefined && !selectorParses(old.nodeTopology) });
  reasons(out, "storageClassName", o.storageClassName ?? "", subdomainName(o.storageClassName ?? "", false));
  if (o.capacity !== undefined && quantitySign(o.capacity) < 0) out.push(invalidValue("capacity", canonicalQuantity(o.capacity), NOT_NEGATIVE));
}

export const csiStorageCapacityKind: Kind<CSIStorageCapacity> = defineKind<CSIStorageCapacity>({
  resource: { group: STORAGE, version: "v1", plural: "csistoragecapacities", kind: "CSIStorageCapacity", namespaced: true },
  schema: "io.k8s.api.storage.v1.CSIStorageCapacity",
  validate: (out, o) => validateStorageCapacity(out, o),
  validateUpdate(out, o, old) {
    validateStorageCapacity(out, o, old);
    immutable(out, "nodeTopology", o.nodeTopology ?? null, old.nodeTopology ?? null);
    immutable(out, "storageClassName", o.storageClassName, old.storageClassName);
  },
  allowUnconditionalUpdate: false,
  deleteReturnsObject: true,
});

const METADATA_BYTES_MAX = 256 * 1024;
const MESSAGE_BYTES_MAX = 1024;
const INT32_MAX = 2 ** 31 - 1;

function validateAttachmentSpec(out: Errors, { attacher, source, nodeName }: VolumeAttachment["spec"]): void {
  const { inlineVolumeSpec, persistentVolumeName: name } = source ?? {};
  const one = "must specify exactly one of inlineVolumeSpec and persistentVolumeName";
  validateDriverName(out, "spec.attacher", attacher ?? "");
  if (!inlineVolumeSpec && name === undefined) out.push(required("spec.source", one));
  else if (inlineVolumeSpec && name !== undefined) out.push(forbiddenField("spec.source", one));
  else if (name === "") out.push(required("spec.source.persistentVolumeName", "must specify non empty persistentVolumeName"));
  else if (inlineVolumeSpec) validateVolumeSpec(out, "spec.source.inlineVolumeSpec", inlineVolumeSpec, { name: "", inline: true });
  reasons(out, "spec.nodeName", nodeName ?? "", subdomainName(nodeName ?? "", false));
}

function validateVolumeError(out: Errors, field: string, error: VolumeError | undefined): void {
  // The bound that upstream names is the other one.
  if (Buffer.byteLength(error?.message ?? "") > MESSAGE_BYTES_MAX) out.push(tooLong(`${field}.message`, METADATA_BYTES_MAX));
  if (error?.errorCode !== undefined && error.errorCode < 0) out.push(invalidValue(`${field}.errorCode`, error.errorCode, inclusiveRange(0, INT32_MAX)));
}

function validateAttachment(out: Errors, o: VolumeAttachment): void {
  validateAttachmentSpec(out, o.spec);
  const { attachmentMetadata = {}, attachError, detachError } = o.status ?? {};
  const bytes = Object.entries(attachmentMetadata).reduce((n, [key, value]) => n + Buffer.byteLength(key) + Buffer.byteLength(value), 0);
  if (bytes > METADATA_BYTES_MAX) out.push(tooLong("status.attachmentMetadata", METADATA_BYTES_MAX));
  validateVolumeError(out, "status.attachError", attachError);
  validateVolumeError(out, "status.detachError", detachError);
  const name = o.spec?.source?.persistentVolumeName;
  if (name !== undefined) reasons(out, "spec.source.persistentVolumeName", name, subdomainName(name, false));
}

export const volumeAttachmentKind: Kind<VolumeAttachment> = defineKind<VolumeAttachment>({
  resource: { group: STORAGE, version: "v1", plural: "volumeattachments", kind: "VolumeAttachment", namespaced: false },
  schema: "io.k8s.api.storage.v1.VolumeAttachment",
  printer: { cells: (o, now) => [o.metadata.name ?? "", o.spec?.attacher ?? "", o.spec?.source?.persistentVolumeName ?? "", o.spec?.nodeName ?? "", o.status?.attached ?? false, ageCell(o, now)] },
  applyDefaults(draft) {
    const inline = draft.spec?.source?.inlineVolumeSpec;
    if (inline) defaultSources(inline);
  },
  validate: validateAttachment,
  metaOnUpdate: "create",
  validateUpdate(out, o, old) {
    validateAttachment(out, o);
    immutable(out, "spec", o.spec, old.spec, goSpelled("io.k8s.api.storage.v1.VolumeAttachmentSpec", o.spec));
  },
  status: { meta: "kept", validate: validateAttachment },
  allowUnconditionalUpdate: false,
  deleteReturnsObject: true,
});
