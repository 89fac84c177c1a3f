/**
 * Which volume a claim gets, and in which phase claims and volumes are. Pure.
 * Volumes are bound that are there; none are made, as nothing on this machine provisions them.
 * Follows kubernetes pkg/controller/volume/persistentvolume/pv_controller.go and staging component-helpers storage/volume (FindMatchingVolume).
 */
import type { PersistentVolume, PersistentVolumeClaim, Pod, StorageClass } from "../../api/generated/types.ts";
import { keyOf, type Stored } from "../../api/object.ts";
import { compareQuantities } from "../../api/quantity.ts";
import { matchesLabelSelector } from "../../api/selectors.ts";

export const BIND_COMPLETED = "pv.kubernetes.io/bind-completed";
export const BOUND_BY_CONTROLLER = "pv.kubernetes.io/bound-by-controller";
const SELECTED_NODE = "volume.kubernetes.io/selected-node";
const CLASS_ANNOTATION = "volume.beta.kubernetes.io/storage-class";
const DEFAULT_CLASS = "storageclass.kubernetes.io/is-default-class";

export type Claim = Stored<PersistentVolumeClaim>;
export type Volume = Stored<PersistentVolume>;

export interface VolumeEvent {
  readonly type: "Normal" | "Warning";
  readonly reason: string;
  readonly message: string;
}

export interface ClaimWorld {
  readonly claim: Claim;
  readonly volumes: readonly Volume[];
  readonly classes: readonly Stored<StorageClass>[];
  /** Those that use the claim. */
  readonly pods: readonly Stored<Pod>[];
}

export type ClaimStep =
  | { readonly kind: "bind"; readonly volume: Volume }
  | { readonly kind: "phase"; readonly phase: "Pending" | "Lost"; readonly event?: VolumeEvent }
  | { readonly kind: "assignClass"; readonly name: string }
  /** Somebody else is to make a volume: the claim says who. */
  | { readonly kind: "askProvisioner"; readonly provisioner: string; readonly event: VolumeEvent };

export type VolumeStep = { readonly kind: "phase"; readonly phase: "Available" | "Bound" | "Released" } | { readonly kind: "unbind" } | { readonly kind: "bindClaim" } | { readonly kind: "keep" };

const has = (o: { readonly metadata: { readonly annotations?: Readonly<Record<string, string>> } }, annotation: string): boolean => o.metadata.annotations?.[annotation] !== undefined;

export const classOf = ({ metadata, spec }: Claim | Volume): string => metadata.annotations?.[CLASS_ANNOTATION] ?? spec?.storageClassName ?? "";

const modeOf = ({ spec }: Claim | Volume): string => spec?.volumeMode ?? "Filesystem";

const offers = (volume: Volume, claim: Claim): boolean => (claim.spec?.accessModes ?? []).every((mode) => volume.spec?.accessModes?.includes(mode));

const sizeOf = (volume: Volume): string | number => volume.spec?.capacity?.["storage"] ?? 0;

const isLarge = (volume: Volume, claim: Claim): boolean => compareQuantities(sizeOf(volume), claim.spec?.resources?.requests?.["storage"]) >= 0;

/** The volume is meant for this claim: by its name, and where one is named by its uid. */
export function isFor({ spec }: Volume, { metadata }: Claim): boolean {
  const ref = spec?.claimRef;
  return ref?.name === metadata.name && ref.namespace === metadata.namespace && (!ref.uid || ref.uid === metadata.uid);
}

/** The volume that is meant for the claim, or the smallest that suits it, of those with the fewest access modes. */
function findVolume({ claim, volumes }: ClaimWorld, isDelayed: boolean): Volume | undefined {
  const fits = volumes.filter((v) => v.metadata.deletionTimestamp === undefined && offers(v, claim) && isLarge(v, claim) && modeOf(v) === modeOf(claim));
  const meant = fits.find((v) => v.spec?.claimRef && isFor(v, claim));
  if (meant || isDelayed) return meant;
  const free = fits.filter((v) => !v.spec?.claimRef && v.status?.phase === "Available" && classOf(v) === classOf(claim) && (!claim.spec?.selector || matchesLabelSelector(claim.spec.selector, v.metadata.labels)));
  const modes = (v: Volume) => v.spec?.accessModes?.length ?? 0;
  return [...free].sort((a, b) => modes(a) - modes(b) || compareQuantities(sizeOf(a), sizeOf(b)) || (a.metadata.name < b.metadata.name ? -1 : 1))[0];
}

/** Why the volume that the claim names can't be its. Follows checkVolumeSatisfyClaim. */
function misfit(volume: Volume, claim: Claim): string | undefined {
  if (volume.metadata.deletionTimestamp !== undefined) return `the volume is marked for deletion ${JSON.stringify(volume.metadata.name)}`;
  if (!isLarge(volume, claim)) return "requested PV is too small";
  if (classOf(volume) !== classOf(claim)) return "storageClassName does not match";
  if ((volume.spec?.volumeAttributesClassName ?? "") !== (claim.spec?.volumeAttributesClassName ?? "")) return "volumeAttributesClassName does not match";
  if (modeOf(volume) !== modeOf(claim)) return "incompatible volumeMode";
  return offers(volume, claim) ? undefined : "incompatible accessMode";
}

const pending = (event?: VolumeEvent): ClaimStep => ({ kind: "phase", phase: "Pending", ...(event && { event }) });
const lost = (reason: string, message: string): ClaimStep => ({ kind: "phase", phase: "Lost", event: { type: "Warning", reason, message } });

export function decideClaim(world: ClaimWorld): ClaimStep {
  const { claim, volumes } = world;
  const { volumeName } = claim.spec ?? {};
  const volume = volumes.find((v) => v.metadata.name === volumeName);
  if (has(claim, BIND_COMPLETED)) return decideBound(claim, volume);
  if (!volumeName) return decideUnbound(world);
  if (!volume) return pending();
  if (!volume.spec?.claimRef) {
    const why = misfit(volume, claim);
    return why === undefined ? { kind: "bind", volume } : pending({ type: "Warning", reason: "VolumeMismatch", message: `Cannot bind to requested volume ${JSON.stringify(volumeName)}: ${why}` });
  }
  if (isFor(volume, claim)) return { kind: "bind", volume };
  return pending({ type: "Warning", reason: "FailedBinding", message: `volume ${JSON.stringify(volumeName)} already bound to a different claim.` });
}

function decideBound(claim: Claim, volume: Volume | undefined): ClaimStep {
  if (!claim.spec?.volumeName) return lost("ClaimLost", "Bound claim has lost reference to PersistentVolume. Data on the volume is lost!");
  if (!volume) return lost("ClaimLost", "Bound claim has lost its PersistentVolume. Data on the volume is lost!");
  const ref = volume.spec?.claimRef;
  if (ref && ref.uid !== claim.metadata.uid) return lost("ClaimMisbound", "Two claims are bound to the same volume, this one is bound incorrectly");
  return { kind: "bind", volume };
}

function decideUnbound(world: ClaimWorld): ClaimStep {
  const { claim, classes, pods } = world;
  const className = classOf(claim);
  const storageClass = classes.find((c) => c.metadata.name === className);
  const isDelayed = storageClass?.volumeBindingMode === "WaitForFirstConsumer";
  const volume = findVolume(world, isDelayed);
  if (volume) return { kind: "bind", volume };
  if (claim.spec?.storageClassName === undefined && !has(claim, CLASS_ANNOTATION)) {
    const assigned = defaultClass(classes);
    if (assigned !== undefined) return { kind: "assignClass", name: assigned };
  }
  if (isDelayed && !has(claim, SELECTED_NODE)) return pending(waitsFor(pods));
  if (className === "") return pending({ type: "Normal", reason: "FailedBinding", message: "no persistent volumes available for this claim and no storage class is set" });
  return provision(className, storageClass);
}

/** The newest of the classes that are the default. */
function defaultClass(classes: readonly Stored<StorageClass>[]): string | undefined {
  const defaults = classes.filter((c) => c.metadata.annotations?.[DEFAULT_CLASS] === "true");
  const [first] = [...defaults].sort((a, b) => (a.metadata.creationTimestamp === b.metadata.creationTimestamp ? (a.metadata.name < b.metadata.name ? -1 : 1) : a.metadata.creationTimestamp > b.metadata.creationTimestamp ? -1 : 1));
  return first?.metadata.name;
}

function waitsFor(pods: readonly Stored<Pod>[]): VolumeEvent {
  const waiting = pods.filter((pod) => !pod.spec?.nodeName).map((pod) => pod.metadata.name);
  if (waiting.length === 0) return { type: "Normal", reason: "WaitForFirstConsumer", message: "waiting for first consumer to be created before binding" };
  return { type: "Normal", reason: "WaitForPodScheduled", message: `waiting for pod${waiting.length > 1 ? "s" : ""} ${waiting.join(",")} to be scheduled` };
}

function provision(className: string, storageClass: Stored<StorageClass> | undefined): ClaimStep {
  const failed = (message: string): ClaimStep => ({ kind: "phase", phase: "Pending", event: { type: "Warning", reason: "ProvisioningFailed", message } });
  if (!storageClass) return failed(`storageclass.storage.k8s.io ${JSON.stringify(className)} not found`);
  const { provisioner } = storageClass;
  if (provisioner.startsWith("kubernetes.io/")) return failed(`no volume plugin matched name: ${provisioner}`);
  const message = `Waiting for a volume to be created either by the external provisioner '${provisioner}' or manually by the system administrator. If volume creation is delayed, please verify that the provisioner is running and correctly registered.`;
  return { kind: "askProvisioner", provisioner, event: { type: "Normal", reason: "ExternalProvisioning", message } };
}

/** `claim`: the one that the volume names, if it is there and is the one that is meant. */
export function decideVolume(volume: Volume, claim: Claim | undefined): VolumeStep {
  const ref = volume.spec?.claimRef;
  if (!ref?.uid) return { kind: "phase", phase: "Available" };
  if (!claim) return volume.status?.phase === "Failed" ? { kind: "keep" } : { kind: "phase", phase: "Released" };
  if (!claim.spec?.volumeName) return { kind: "bindClaim" };
  return claim.spec.volumeName === volume.metadata.name ? { kind: "phase", phase: "Bound" } : { kind: "unbind" };
}

/** The volume with the claim written into it; undefined where it is there already. */
export function volumeBoundTo(volume: Volume, claim: Claim): Volume | undefined {
  const { name, namespace = "", uid, resourceVersion } = claim.metadata;
  const byController = !isFor(volume, claim) && !has(volume, BOUND_BY_CONTROLLER);
  if (isFor(volume, claim) && volume.spec?.claimRef?.uid === uid) return undefined;
  return {
    ...volume,
    metadata: { ...volume.metadata, ...(byController && { annotations: { ...volume.metadata.annotations, [BOUND_BY_CONTROLLER]: "yes" } }) },
    spec: { ...volume.spec, claimRef: { kind: "PersistentVolumeClaim", namespace, name, uid, apiVersion: "v1", resourceVersion } },
  };
}

/** The claim with the volume written into it; undefined where it is there already. */
export function claimBoundTo(claim: Claim, { metadata: { name } }: Volume): Claim | undefined {
  const isNamed = claim.spec?.volumeName === name;
  if (isNamed && has(claim, BIND_COMPLETED)) return undefined;
  const annotations = { ...claim.metadata.annotations, [BIND_COMPLETED]: "yes", ...(!isNamed && { [BOUND_BY_CONTROLLER]: "yes" }) };
  return { ...claim, metadata: { ...claim.metadata, annotations }, spec: { ...claim.spec, volumeName: name } };
}

/** The volume without its claim: what a user wrote into it stays, but for the uid. */
export function unbound(volume: Volume): Volume {
  const { claimRef, ...spec } = volume.spec ?? {};
  if (!has(volume, BOUND_BY_CONTROLLER)) {
    const { uid: _, ...ref } = claimRef ?? {};
    return { ...volume, spec: { ...spec, claimRef: ref } };
  }
  const { [BOUND_BY_CONTROLLER]: _, ...annotations } = volume.metadata.annotations ?? {};
  return { ...volume, metadata: { ...volume.metadata, annotations }, spec };
}

/** Keys of the claims that a pod uses, those of its ephemeral volumes too. */
export const claimsOf = (pod: Stored<Pod>): readonly string[] =>
  (pod.spec?.volumes ?? []).flatMap((volume) => {
    const name = volume.persistentVolumeClaim?.claimName ?? (volume.ephemeral ? `${pod.metadata.name}-${volume.name}` : undefined);
    return name === undefined ? [] : [`${pod.metadata.namespace ?? ""}/${name}`];
  });

const hasEnded = ({ status }: Pod): boolean => status?.phase === "Succeeded" || status?.phase === "Failed";

/** A claim that is being deleted stays while a pod that has a node uses it; an ended pod does not use what was made for it alone. Follows podUsesPVC. */
export function isUsed(claim: Claim, pods: readonly Stored<Pod>[]): boolean {
  const key = keyOf(claim);
  return pods.some((pod) => {
    if (!pod.spec?.nodeName) return false;
    const byName = pod.spec.volumes?.some((v) => v.persistentVolumeClaim && `${pod.metadata.namespace ?? ""}/${v.persistentVolumeClaim.claimName}` === key);
    return byName || (!hasEnded(pod) && claimsOf(pod).includes(key));
  });
}
