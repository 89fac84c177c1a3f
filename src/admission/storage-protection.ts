/**
 * Volumes, claims and classes of attributes are kept by a finalizer while somebody uses them.
 * Follows kubernetes plugin/pkg/admission/storage/storageobjectinuseprotection.
 */
import type { Resource } from "../api/resource.ts";
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
