/**
 * Deletes finished Jobs, in the foreground, when their `ttlSecondsAfterFinished` is over.
 * Follows kubernetes pkg/controller/ttlafterfinished/ttlafterfinished_controller.go.
 */
import { WorkQueue } from "../../base/work-queue.ts";
import type { Job } from "../../api/generated/types.ts";
import { keyOf, splitKey, type Stored } from "../../api/object.ts";
import { JOBS } from "../../api/resource.ts";
import { isNotFound } from "../../api/status-error.ts";
import type { Controller, ControllerContext, ReconcileResult } from "../framework/controller.ts";
import { decideTtl } from "./decide.ts";

/** Makes the controller; it is to be run when the informers are synced. */
export function openTtlController({ client, informers, clock, logger }: ControllerContext): readonly Controller[] {
  const queue = new WorkQueue({ clock });
  const jobs = informers.of(JOBS);
  jobs.on({ onSet: (job) => decideTtl(job, clock.now()).kind !== "keep" && queue.add(keyOf(job)) });

  async function reconcile(key: string): Promise<ReconcileResult> {
    const cached = jobs.get(key);
    if (!cached) return {};
    const first = decideTtl(cached, clock.now());
    if (first.kind === "recheck") return { requeueAfterMs: first.afterMs };
    if (first.kind === "keep") return {};
    // Read it again before deleting: the cached TTL may be stale, and a delete cannot be taken back.
    const ref = splitKey(key);
    const job: Stored<Job> = await client.get(JOBS, ref);
    const action = decideTtl(job, clock.now());
    if (action.kind === "recheck") return { requeueAfterMs: action.afterMs };
    if (action.kind === "delete") await client.delete(JOBS, ref, { propagationPolicy: "Foreground", preconditions: { uid: job.metadata.uid } });
    return {};
  }

  const tolerant = async (key: string) => {
    try {
      return await reconcile(key);
    } catch (error) {
      if (isNotFound(error)) return {};
      throw error;
    }
  };
  return [{ name: "ttl-after-finished", queue, workers: 5, reconcile: tolerant, logger }];
}
