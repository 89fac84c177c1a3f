/**
 * Keeps the Endpoints of Services with a selector, for those who still read them instead of EndpointSlices.
 * Follows kubernetes pkg/controller/endpoint/endpoints_controller.go.
 */
import { WorkQueue } from "../../base/work-queue.ts";
import type { Pod } from "../../api/generated/types.ts";
import { keyOf, splitKey, type Stored } from "../../api/object.ts";
import { ENDPOINTS, PODS, SERVICES } from "../../api/resource.ts";
import { isAlreadyExists, isConflict, isNotFound } from "../../api/status-error.ts";
import { hasEndpoints, selects, servicesOf } from "../endpoint-slice/service-pods.ts";
import { TriggerTimes } from "../endpoint-slice/trigger-times.ts";
import type { Controller, ControllerContext } from "../framework/controller.ts";
import { isNamespaceGoing } from "../framework/namespace-going.ts";
import { decideEndpoints } from "./decide.ts";

/** Makes the controller; it is to be run when the informers are synced. */
export function openEndpointsController({ client, informers, clock, recorder, logger }: ControllerContext): readonly Controller[] {
  const queue = new WorkQueue({ clock, retry: { baseMs: 1000, maxMs: 100_000 } });
  const services = informers.of(SERVICES);
  const pods = informers.of(PODS);
  const endpoints = informers.of(ENDPOINTS);
  const triggers = new TriggerTimes();

  const followPod = (pod: Stored<Pod>) => {
    for (const key of servicesOf(services, pod)) queue.add(key);
  };
  services.on({ onSet: (service) => queue.add(keyOf(service)), onDelete: (service) => queue.add(keyOf(service)) });
  pods.on({
    onSet(pod, old) {
      followPod(pod);
      if (old && old.metadata.labels !== pod.metadata.labels) followPod(old);
    },
    onDelete: followPod,
  });
  endpoints.on({ onDelete: (object) => queue.add(keyOf(object)) });

  /** Not of what is ordinary: somebody was quicker, or all of it goes. */
  function tell(about: Parameters<typeof recorder.event>[1], isUpdate: boolean, error: unknown): void {
    if (isNotFound(error) || isAlreadyExists(error) || isNamespaceGoing(error) || isConflict(error)) return;
    const { namespace = "", name = "" } = about.metadata;
    const text = error instanceof Error ? error.message : String(error);
    const [reason, message] = isUpdate ? ["FailedToUpdateEndpoint", `Failed to update endpoint ${namespace}/${name}: ${text}`] : ["FailedToCreateEndpoint", `Failed to create endpoint for service ${namespace}/${name}: ${text}`];
    recorder.event(ENDPOINTS, about, "Warning", reason, message);
  }

  async function reconcile(key: string): Promise<void> {
    const service = services.get(key);
    const current = endpoints.get(key);
    const { namespace, name } = splitKey(key);
    try {
      if (!service) {
        triggers.forget(key);
        // Endpoints under the name of a Service that never was are somebody's own: only those of a Service that had them go.
        if (current?.metadata.labels?.["endpoints.kubernetes.io/managed-by"] === "endpoint-controller") await client.delete(ENDPOINTS, { namespace, name });
        return;
      }
      if (!hasEndpoints(service)) return;
      const selected = pods.byIndex("namespace", namespace).filter((pod) => selects(service, pod));
      const wanted = decideEndpoints(service, selected, current, triggers.since(service, selected));
      if (!wanted) return;
      try {
        await (current ? client.update(ENDPOINTS, wanted) : client.create(ENDPOINTS, namespace, wanted));
      } catch (error) {
        tell(current ?? { metadata: { namespace, name } }, current !== undefined, error);
        throw error;
      }
    } catch (error) {
      if (!isNotFound(error) && !isAlreadyExists(error) && !isNamespaceGoing(error)) throw error;
    }
  }
  return [{ name: "endpoints", queue, workers: 5, reconcile, logger }];
}
