/**
 * Lets claims and volumes go that are being deleted, when nobody uses them any more; and makes the claims of generic ephemeral volumes.
 * Follows kubernetes pkg/controller/volume/pvcprotection, pkg/controller/volume/pvprotection and pkg/controller/volume/ephemeral.
 */
import { WorkQueue } from "../../base/work-queue.ts";
import type { PersistentVolumeClaim, Pod, VolumeAttributesClass } from "../../api/generated/types.ts";
import { keyOf, splitKey, type KubeObject, type Stored } from "../../api/object.ts";
import { PERSISTENT_VOLUME_CLAIMS, PERSISTENT_VOLUMES, type Resource } from "../../api/resource.ts";
import { isAlreadyExists, isConflict, isNotFound } from "../../api/status-error.ts";
import type { Controller, ControllerContext } from "../framework/controller.ts";
import { isNamespaceGoing } from "../framework/namespace-going.ts";
import { claimsOf, isUsed } from "./decide.ts";
import { podsOf, podsOfClaims } from "./persistent-volume.ts";

const CLAIM_FINALIZER = "kubernetes.io/pvc-protection";
const VOLUME_FINALIZER = "kubernetes.io/pv-protection";
const ATTRIBUTES_FINALIZER = "kubernetes.io/vac-protection";
const ATTRIBUTES_CLASSES: Resource<VolumeAttributesClass> = { group: "storage.k8s.io", version: "v1", plural: "volumeattributesclasses", kind: "VolumeAttributesClass", namespaced: false };

/** Makes the controllers; they are to be run when the informers are synced. */
export function openVolumeProtectionControllers(context: ControllerContext): readonly Controller[] {
  const { informers } = context;
  const pods = podsOfClaims(informers);
  const claims = informers.of(PERSISTENT_VOLUME_CLAIMS);
  const claim = openProtection(context, PERSISTENT_VOLUME_CLAIMS, CLAIM_FINALIZER, (object) => isUsed(object, podsOf(pods, object)));
  const wake = (pod: Stored<Pod>) => claimsOf(pod).forEach((key) => claims.get(key)?.metadata.deletionTimestamp !== undefined && claim.queue.add(key));
  pods.on({ onSet: wake, onDelete: wake });
  const volume = openProtection(context, PERSISTENT_VOLUMES, VOLUME_FINALIZER, (object) => object.status?.phase === "Bound");
  return [claim, volume, openAttributesProtection(context), openEphemeralVolumes(context)];
}

/** Keeps a class of attributes while a claim or a volume names it. Follows pkg/controller/volume/vacprotection. */
function openAttributesProtection(context: ControllerContext): Controller {
  const claims = context.informers.of(PERSISTENT_VOLUME_CLAIMS);
  const volumes = context.informers.of(PERSISTENT_VOLUMES);
  const classes = context.informers.of(ATTRIBUTES_CLASSES);
  const isNamed = ({ metadata: { name } }: KubeObject) =>
    [...claims.list()].some((claim) => classesOf(claim).includes(name)) || [...volumes.list()].some((volume) => volume.spec?.volumeAttributesClassName === name);
  const protection = openProtection(context, ATTRIBUTES_CLASSES, ATTRIBUTES_FINALIZER, isNamed);
  const wake = (names: readonly (string | undefined)[]) => names.forEach((name) => name !== undefined && classes.get(name)?.metadata.deletionTimestamp !== undefined && protection.queue.add(name));
  claims.on({ onSet: (claim, old) => wake([...classesOf(claim), ...(old ? classesOf(old) : [])]), onDelete: (claim) => wake(classesOf(claim)) });
  volumes.on({ onDelete: (volume) => wake([volume.spec?.volumeAttributesClassName]) });
  return protection;
}

const classesOf = ({ spec, status }: PersistentVolumeClaim): readonly (string | undefined)[] =>
  [spec?.volumeAttributesClassName, status?.currentVolumeAttributesClassName, status?.modifyVolumeStatus?.targetVolumeAttributesClassName];

/** Puts the finalizer on what lacks it, and takes it off what is being deleted and not used. */
function openProtection<T extends KubeObject>({ client, informers, clock, logger }: ControllerContext, resource: Resource<T>, finalizer: string, isInUse: (object: Stored<T>) => boolean): Controller {
  const queue = new WorkQueue({ clock });
  const objects = informers.of(resource);
  objects.on({ onSet: (object) => queue.add(keyOf(object)) });

  async function reconcile(key: string): Promise<void> {
    const object = objects.get(key);
    if (!object) return;
    const { finalizers = [], deletionTimestamp, name, namespace = "", resourceVersion } = object.metadata;
    const isHeld = finalizers.includes(finalizer);
    const isGoing = deletionTimestamp !== undefined;
    if (isGoing ? !isHeld || isInUse(object) : isHeld) return;
    const wanted = isGoing ? finalizers.filter((f) => f !== finalizer) : [...finalizers, finalizer];
    try {
      await client.patch(resource, { namespace, name }, "merge", { metadata: { resourceVersion, finalizers: wanted } });
    } catch (error) {
      // Overtaken: the change that did it brings the object back here.
      if (!isNotFound(error) && !isConflict(error)) throw error;
    }
  }
  return { name: `${resource.plural}-protection`, queue, workers: 1, reconcile, logger };
}

function openEphemeralVolumes({ client, informers, clock, logger }: ControllerContext): Controller {
  const queue = new WorkQueue({ clock });
  const pods = podsOfClaims(informers);
  const claims = informers.of(PERSISTENT_VOLUME_CLAIMS);
  const isOfInterest = (pod: Stored<Pod>) => pod.metadata.deletionTimestamp === undefined && pod.spec?.volumes?.some((v) => v.ephemeral);
  pods.on({ onSet: (pod) => isOfInterest(pod) && queue.add(keyOf(pod)) });
  claims.on({
    onDelete(claim) {
      const owner = claim.metadata.ownerReferences?.find((o) => o.controller && o.kind === "Pod");
      if (owner) queue.add(`${claim.metadata.namespace ?? ""}/${owner.name}`);
    },
  });

  async function reconcile(key: string): Promise<void> {
    const pod = pods.get(key);
    if (!pod || !isOfInterest(pod)) return;
    const { namespace } = splitKey(key);
    for (const volume of pod.spec?.volumes ?? []) {
      const template = volume.ephemeral?.volumeClaimTemplate;
      const name = `${pod.metadata.name}-${volume.name}`;
      if (!template || claims.get(`${namespace}/${name}`)) continue;
      const { labels, annotations } = template.metadata ?? {};
      const claim: PersistentVolumeClaim = {
        metadata: {
          name, namespace, ...(labels && { labels }), ...(annotations && { annotations }),
          ownerReferences: [{ apiVersion: "v1", kind: "Pod", name: pod.metadata.name, uid: pod.metadata.uid, controller: true, blockOwnerDeletion: true }],
        },
        spec: template.spec,
      };
      try {
        await client.create(PERSISTENT_VOLUME_CLAIMS, namespace, claim);
      } catch (error) {
        if (!isAlreadyExists(error) && !isNamespaceGoing(error)) throw error;
      }
    }
  }
  return { name: "ephemeral-volume", queue, workers: 1, reconcile, logger };
}
