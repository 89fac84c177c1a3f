/**
 * Volumes, claims and classes of attributes are kept by a finalizer while somebody uses them.
 * Follows kubernetes plugin/pkg/admission/storage/storageobjectinuseprotection.
 */
import type { Clock } from "../base/clock.ts";
import type { PersistentVolume } from "../api/generated/types.ts";
import type { Draft } from "../api/kinds/kind.ts";
import type { Resource } from "../api/resource.ts";
import { formatTime } from "../api/time.ts";
import { concerns, type AdmissionPlugin } from "../registry/admission.ts";

const storage = (plural: string, kind: string, namespaced: boolean, group = ""): Resource => ({ group, version: "v1", plural, kind, namespaced });

const FINALIZERS: readonly (readonly [Resource, string])[] = [
  [storage("persistentvolumeclaims", "PersistentVolumeClaim", true), "kubernetes.io/pvc-protection"],
  [storage("persistentvolumes", "PersistentVolume", false), "kubernetes.io/pv-protection"],
  [storage("volumeattributesclasses", "VolumeAttributesClass", false, "storage.k8s.io"), "kubernetes.io/vac-protection"],
];

export const storageProtection: AdmissionPlugin = {
  name: "StorageObjectInUseProtection",
  mutate({ metadata }, context) {
    for (const [resource, finalizer] of FINALIZERS) {
      if (concerns(context, resource, "CREATE") && !metadata.finalizers?.includes(finalizer)) metadata.finalizers = [...(metadata.finalizers ?? []), finalizer];
    }
  },
};

const VOLUMES = storage("persistentvolumes", "PersistentVolume", false);

/** When a volume came to its phase, where who says so says no time. Follows pkg/registry/core/persistentvolume/strategy.go. */
export const volumePhases = (clock: Clock): AdmissionPlugin => ({
  name: "PersistentVolumePhase",
  mutate(draft, context) {
    if (context.subresource !== "status" || !concerns({ ...context, subresource: "" }, VOLUMES, "UPDATE")) return;
    const { status } = draft as Draft<PersistentVolume>;
    const before = (context.old as PersistentVolume | undefined)?.status;
    if (!status || status.phase === before?.phase) return;
    if (status.lastPhaseTransitionTime === undefined || status.lastPhaseTransitionTime === before?.lastPhaseTransitionTime) status.lastPhaseTransitionTime = formatTime(clock.now());
  },
});
