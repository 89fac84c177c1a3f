/**
 * Counts what ResourceQuotas bound: at once when a quota is new or changed, and again when something that it counts has gone. What is created
 * is booked by admission, so nothing is counted then; every five minutes all is counted anew, as bookings of failed creates stay behind.
 * Follows kubernetes pkg/controller/resourcequota/resource_quota_controller.go.
 */
import { WorkQueue } from "../../base/work-queue.ts";
import type { Pod } from "../../api/generated/types.ts";
import { keyOf, splitKey, type KubeObject, type Stored } from "../../api/object.ts";
import { EVENTS, PODS, RESOURCE_QUOTAS, type Resource } from "../../api/resource.ts";
import { isNotFound } from "../../api/status-error.ts";
import type { Controller, ControllerContext, ReconcileResult } from "../framework/controller.ts";
import { decideQuota, isCounted } from "./decide.ts";

export interface ResourceQuotaOptions {
  /** All kinds of namespaced objects that may be counted. */
  readonly resources: readonly Resource[];
}

const RESYNC_MS = 5 * 60_000;
/** Things go in numbers: they are counted once. */
const RECOUNT_MS = 100;

/** Makes the controller; it is to be run when the informers are synced. */
export function openResourceQuotaController({ client, informers, clock, logger }: ControllerContext, options: ResourceQuotaOptions): readonly Controller[] {
  const queue = new WorkQueue({ clock });
  const resources = (options.resources as readonly Resource<KubeObject>[]).filter((r) => r.namespaced && r.kind !== EVENTS.kind);
  const quotas = informers.of(RESOURCE_QUOTAS);

  const recount = (resource: Resource, namespace: string) => {
    for (const quota of quotas.byIndex("namespace", namespace)) if (isCounted(quota, resource)) queue.addAfter(keyOf(quota), RECOUNT_MS);
  };
  quotas.on({ onSet: (quota, old) => JSON.stringify(old?.spec) !== JSON.stringify(quota.spec) && queue.add(keyOf(quota)) });
  for (const resource of resources) informers.of(resource).on({ onDelete: ({ metadata }) => recount(resource, metadata.namespace ?? "") });
  const uses = ({ status, metadata }: Stored<Pod>) => status?.phase !== "Succeeded" && status?.phase !== "Failed" && metadata.deletionTimestamp === undefined;
  informers.of(PODS).on({ onSet: (pod, old) => old && uses(old) && !uses(pod) && recount(PODS, pod.metadata.namespace ?? "") });

  async function reconcile(key: string): Promise<ReconcileResult> {
    const quota = quotas.get(key);
    if (!quota) return {};
    const { namespace } = splitKey(key);
    const counted = resources.filter((r) => isCounted(quota, r)).map((resource) => ({ resource, objects: informers.of(resource).byIndex("namespace", namespace) }));
    const wanted = decideQuota(quota, counted, clock.now());
    try {
      if (wanted) await client.updateStatus(RESOURCE_QUOTAS, wanted);
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
    return { requeueAfterMs: RESYNC_MS };
  }
  return [{ name: "resource-quota", queue, workers: 2, reconcile, logger }];
}
