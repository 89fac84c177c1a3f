/**
 * Carries out a decision's actions: one executor an action. Records the events that belong to an action, and notes what the cache has to show.
 * Follows kubernetes pkg/controller/controller_utils.go (RealPodControl) and pkg/controller/job/job_controller.go (deleteJobPods).
 */
import type { Clock } from "../../base/clock.ts";
import { JOBS, PODS } from "../../api/resource.ts";
import { isConflict, isNotFound, StatusError } from "../../api/status-error.ts";
import type { Client } from "../../client/client.ts";
import { adoptionPatch, finalizerPatch, releasePatch, surplusPatch } from "./adoption.ts";
import type { Expectations } from "./expectations.ts";
import type { JobEvent, StoredJob, StoredPod } from "./names.ts";
import { isTracked } from "./pods.ts";
import type { JobAction } from "./world.ts";

/** What an executor answers: the object as it is stored now, if there is one. */
interface Results {
  readonly adoptPod: StoredPod | undefined;
  readonly releasePod: void;
  /** undefined: not made, and nobody is to blame (the namespace is being deleted). */
  readonly createPod: StoredPod | undefined;
  readonly deletePod: void;
  readonly removeFinalizer: void;
  readonly updateStatus: StoredJob;
}

export type Executors = { readonly [K in JobAction["kind"]]: (action: Extract<JobAction, { kind: K }>) => Promise<Results[K]> };

export interface ExecuteDeps {
  readonly client: Client;
  readonly clock: Clock;
  readonly expectations: Expectations;
  readonly record: (job: StoredJob, event: JobEvent) => void;
}

const refOf = ({ metadata }: StoredPod) => ({ namespace: metadata.namespace ?? "", name: metadata.name });

const isNamespaceTerminating = (error: unknown): boolean => error instanceof StatusError && error.details?.causes?.some((c) => c.reason === "NamespaceTerminating") === true;

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

const isGone = (error: unknown): boolean => isNotFound(error);

/** Makes the executors of a controller. */
export function jobExecutors({ client, clock, expectations, record }: ExecuteDeps): Executors {
  const patchPod = (pod: StoredPod, patch: object) => client.patch(PODS, refOf(pod), "strategic", patch);

  return {
    async adoptPod({ job, pod }) {
      try {
        return await patchPod(pod, adoptionPatch(job, pod));
      } catch (error) {
        if (isGone(error)) return undefined;
        throw error;
      }
    },

    async releasePod({ job, pod }) {
      try {
        await patchPod(pod, releasePatch(job, pod));
      } catch (error) {
        // Invalid: somebody else took the reference away, or the pod is another one by now.
        if (!isGone(error) && !(error instanceof StatusError && error.code === 422)) throw error;
      }
    },

    async createPod({ job, pod }) {
      const { uid, namespace = "" } = job.metadata;
      try {
        const created = await client.create(PODS, namespace, pod);
        expectations.created(uid, created, clock.now());
        record(job, { type: "Normal", reason: "SuccessfulCreate", message: `Created pod: ${created.metadata.name}` });
        return created;
      } catch (error) {
        if (isNamespaceTerminating(error)) return undefined;
        record(job, { type: "Warning", reason: "FailedCreate", message: `Error creating: ${messageOf(error)}` });
        throw error;
      }
    },

    async deletePod({ job, pod, letGo }) {
      const { uid } = pod.metadata;
      expectations.deleting(job.metadata.uid, uid);
      try {
        if (letGo && isTracked(pod)) await patchPod(pod, surplusPatch(pod));
        await client.delete(PODS, refOf(pod), { preconditions: { uid } });
        record(job, { type: "Normal", reason: "SuccessfulDelete", message: `Deleted pod: ${pod.metadata.name}` });
      } catch (error) {
        // Gone: the cache has to show that still.
        if (isGone(error)) return;
        expectations.notDeleting(job.metadata.uid, uid);
        if (!isConflict(error)) record(job, { type: "Warning", reason: "FailedDelete", message: `Error deleting: ${messageOf(error)}` });
        throw error;
      }
    },

    async removeFinalizer({ job, pod }) {
      const { uid } = pod.metadata;
      expectations.releasing(job.metadata.uid, uid);
      try {
        await patchPod(pod, finalizerPatch());
      } catch (error) {
        // Gone: it is counted now, and must not be again while the cache still shows it.
        if (isGone(error)) return;
        expectations.notReleasing(job.metadata.uid, uid);
        throw error;
      }
    },

    updateStatus: ({ job, status }) => client.updateStatus(JOBS, { ...job, status }),
  };
}
