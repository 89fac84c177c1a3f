/**
 * Which pods a Job claims: its own that still match its selector, and orphans that do. Own pods that stopped matching are released.
 * Follows kubernetes pkg/controller/controller_ref_manager.go (ClaimPods).
 */
import { matchesSelector, selectorOf, type Selector } from "../../api/selectors.ts";
import { controllerOf } from "../../api/object.ts";
import { apiVersionOf, JOBS } from "../../api/resource.ts";
import { isBeingDeleted } from "./pods.ts";
import { TRACKING_FINALIZER, type StoredJob, type StoredPod } from "./names.ts";

export interface Claim {
  readonly keep: readonly StoredPod[];
  readonly adopt: readonly StoredPod[];
  readonly release: readonly StoredPod[];
}

/** The Job's selector, ready to match; undefined when it selects nothing that can be parsed. */
export const jobSelector = (job: StoredJob): Selector | undefined => (job.spec.selector ? selectorOf(job.spec.selector) : undefined);

/** Sorts candidates: pods that the Job controls, and pods without a controller. A Job that is being deleted takes and releases nothing. */
export function claimPods(job: StoredJob, selector: Selector, candidates: Iterable<StoredPod>): Claim {
  const claim = { keep: [] as StoredPod[], adopt: [] as StoredPod[], release: [] as StoredPod[] };
  const deleting = job.metadata.deletionTimestamp !== undefined;
  for (const pod of candidates) {
    const owner = controllerOf(pod);
    const matches = matchesSelector(selector, pod.metadata.labels);
    if (owner) {
      if (owner.uid !== job.metadata.uid) continue;
      if (matches) claim.keep.push(pod);
      else if (!deleting) claim.release.push(pod);
    } else if (matches && !deleting && !isBeingDeleted(pod)) claim.adopt.push(pod);
  }
  return claim;
}

export const controllerReference = (job: StoredJob) => ({ apiVersion: apiVersionOf(JOBS), kind: JOBS.kind, name: job.metadata.name, uid: job.metadata.uid, controller: true, blockOwnerDeletion: true });

/** The strategic merge patch that takes a pod. */
export const adoptionPatch = (job: StoredJob, pod: StoredPod) => ({
  metadata: { ownerReferences: [controllerReference(job)], uid: pod.metadata.uid, finalizers: [TRACKING_FINALIZER] },
});

/** The strategic merge patch that lets a pod go, finalizer included. */
export const releasePatch = (job: StoredJob, pod: StoredPod) => ({
  metadata: { uid: pod.metadata.uid, "$deleteFromPrimitiveList/finalizers": [TRACKING_FINALIZER], ownerReferences: [{ $patch: "delete", uid: job.metadata.uid }] },
});

/** The strategic merge patch that takes the finalizer off a pod that is counted. */
export const finalizerPatch = () => ({ metadata: { "$deleteFromPrimitiveList/finalizers": [TRACKING_FINALIZER] } });

/** The same for a surplus pod, which is not to be counted: refused where it has changed, for it may have succeeded. Upstream does not look. */
export const surplusPatch = ({ metadata: { resourceVersion } }: StoredPod) => ({ metadata: { ...finalizerPatch().metadata, resourceVersion } });
