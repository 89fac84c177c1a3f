/**
 * What storage classes say about claims: the default one is filled in, and a claim grows only where its class lets it.
 * Follows kubernetes plugin/pkg/admission/storage/storageclass/setdefault and plugin/pkg/admission/storage/persistentvolume/resize.
 */
import type { PersistentVolumeClaim, StorageClass } from "../api/generated/types.ts";
import { compareQuantities } from "../api/quantity.ts";
import { PERSISTENT_VOLUME_CLAIMS, STORAGE_CLASSES } from "../api/resource.ts";
import { concerns, refuse, type AdmissionPlugin } from "../registry/admission.ts";

const CLASS_ANNOTATION = "volume.beta.kubernetes.io/storage-class";
const DEFAULT_ANNOTATIONS = ["storageclass.kubernetes.io/is-default-class", "storageclass.beta.kubernetes.io/is-default-class"];

/** Of several the newest; of those of one second the first by name. */
function defaultClass(classes: readonly StorageClass[]): string | undefined {
  const defaults = classes.filter(({ metadata }) => DEFAULT_ANNOTATIONS.some((key) => metadata.annotations?.[key] === "true"));
  const [first] = defaults.toSorted(({ metadata: a }, { metadata: b }) => {
    if (a.creationTimestamp !== b.creationTimestamp) return (a.creationTimestamp ?? "") > (b.creationTimestamp ?? "") ? -1 : 1;
    return (a.name ?? "") < (b.name ?? "") ? -1 : 1;
  });
  return first?.metadata.name;
}

export const defaultStorageClass: AdmissionPlugin = {
  name: "DefaultStorageClass",
  mutate(draft, context) {
    if (!concerns(context, PERSISTENT_VOLUME_CLAIMS, "CREATE")) return;
    const claim = draft as { spec?: { storageClassName?: string }; metadata: { annotations?: Record<string, string> } };
    if (claim.spec?.storageClassName !== undefined || claim.metadata.annotations?.[CLASS_ANNOTATION] !== undefined) return;
    const name = defaultClass(context.reader.list(STORAGE_CLASSES, ""));
    if (name !== undefined) claim.spec = { ...claim.spec, storageClassName: name };
  },
};

const sizeOf = ({ spec }: PersistentVolumeClaim) => spec?.resources?.requests?.["storage"];

export const claimResize: AdmissionPlugin = {
  name: "PersistentVolumeClaimResize",
  validate(object, context) {
    if (!concerns(context, PERSISTENT_VOLUME_CLAIMS, "UPDATE")) return;
    const old = context.old as PersistentVolumeClaim;
    if (compareQuantities(sizeOf(object as PersistentVolumeClaim), sizeOf(old)) <= 0) return;
    if (old.status?.phase !== "Bound") throw refuse(context, object, "Only bound persistent volume claims can be expanded");
    const className = old.metadata.annotations?.[CLASS_ANNOTATION] ?? old.spec?.storageClassName ?? "";
    const allows = className !== "" && context.reader.get(STORAGE_CLASSES, "", className)?.allowVolumeExpansion === true;
    if (!allows) throw refuse(context, object, "only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize");
  },
};
