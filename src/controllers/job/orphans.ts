/**
 * Takes the tracking finalizer off pods that no Job will count any more: their Job is gone, or finished, or they lost their owner.
 * Without it such pods could never be deleted.
 * Follows kubernetes pkg/controller/job/job_controller.go (syncOrphanPod).
 */
import { controllerOf, splitKey } from "../../api/object.ts";
import { apiVersionOf, JOBS, PODS } from "../../api/resource.ts";
import { isNotFound } from "../../api/status-error.ts";
import type { Client } from "../../client/client.ts";
import type { Informer } from "../../client/informer.ts";
import type { Job, Pod } from "../../api/generated/types.ts";
import { matchesSelector } from "../../api/selectors.ts";
import { finalizerPatch, jobSelector } from "./adoption.ts";
import { isFinished } from "./conditions.ts";
import { externalController, type StoredPod } from "./names.ts";
import { isTracked } from "./pods.ts";

/** Nobody will take the finalizer off unless this controller does. */
export function isOrphan(pod: StoredPod, jobs: Pick<Informer<Job>, "get">): boolean {
  if (!isTracked(pod)) return false;
  const owner = controllerOf(pod);
  if (!owner) return true;
  if (owner.kind !== JOBS.kind || owner.apiVersion !== apiVersionOf(JOBS)) return false;
  const job = jobs.get(`${pod.metadata.namespace ?? ""}/${owner.name}`);
  if (!job || job.metadata.uid !== owner.uid) return true;
  if (externalController(job) !== undefined) return false;
  // A Job that is being deleted releases nothing, and counts only pods that match: of the others it would wait for ever.
  const strayed = job.metadata.deletionTimestamp !== undefined && !matchesSelector(jobSelector(job) ?? [], pod.metadata.labels);
  return strayed || isFinished(job);
}

/** Looks at the pod behind `key` and lets it go if it is an orphan. */
export async function releaseOrphan(key: string, { client, jobs, pods }: { readonly client: Client; readonly jobs: Informer<Job>; readonly pods: Informer<Pod> }): Promise<void> {
  const pod = pods.get(key);
  if (!pod || !isOrphan(pod, jobs)) return;
  try {
    await client.patch(PODS, splitKey(key), "strategic", finalizerPatch());
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
}
