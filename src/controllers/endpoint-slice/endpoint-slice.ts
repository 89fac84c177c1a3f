/**
 * Keeps the EndpointSlices of Services with a selector: who is behind the Service, and who of them is ready.
 * Follows kubernetes pkg/controller/endpointslice/endpointslice_controller.go.
 */
import { WorkQueue } from "../../base/work-queue.ts";
import type { EndpointSlice, Pod } from "../../api/generated/types.ts";
import { keyOf, splitKey, type Stored } from "../../api/object.ts";
import { ENDPOINT_SLICES, NODES, PODS, SERVICES } from "../../api/resource.ts";
import { isNotFound } from "../../api/status-error.ts";
import type { Controller, ControllerContext, ReconcileResult } from "../framework/controller.ts";
import { isNamespaceGoing } from "../framework/namespace-going.ts";
import { OwnWrites } from "../framework/own-writes.ts";
import { decideSlices, MANAGED_BY, MANAGED_BY_LABEL, SERVICE_NAME_LABEL } from "./decide.ts";
import { selects, servicesOf } from "./service-pods.ts";
import { TriggerTimes } from "./trigger-times.ts";

function lostText(service: string, lost: readonly Stored<Pod>[]): string {
  const texts = lost.map(({ metadata, spec }) => `skipping Pod ${metadata.name} for Service ${service}: Node ${spec?.nodeName ?? ""} Not Found`);
  return texts.length === 1 ? (texts[0] ?? "") : `[${texts.join(", ")}]`;
}

/** Makes the controller; it is to be run when the informers are synced. */
export function openEndpointSliceController({ client, informers, clock, recorder, logger }: ControllerContext): readonly Controller[] {
  const queue = new WorkQueue({ clock, retry: { baseMs: 1000, maxMs: 100_000 } });
  const serviceKey = ({ metadata }: Stored<EndpointSlice>) => `${metadata.namespace ?? ""}/${metadata.labels?.[SERVICE_NAME_LABEL] ?? ""}`;
  const isOurs = ({ metadata }: Stored<EndpointSlice>) => metadata.labels?.[MANAGED_BY_LABEL] === MANAGED_BY;
  const services = informers.of(SERVICES);
  const pods = informers.of(PODS);
  const slices = informers.of(ENDPOINT_SLICES, { "endpoint-slice/service": (slice) => (isOurs(slice) ? [serviceKey(slice)] : []) });
  const nodes = informers.of(NODES);
  const writes = new OwnWrites(slices, clock);
  const triggers = new TriggerTimes();
  /** Services with pods on a node that is not known (yet). */
  const waiting = new Set<string>();

  const followPod = (pod: Stored<Pod>) => {
    for (const key of servicesOf(services, pod)) queue.add(key);
  };
  const followSlice = (slice: Stored<EndpointSlice>) => isOurs(slice) && queue.add(serviceKey(slice));
  services.on({
    onSet: (service) => queue.add(keyOf(service)),
    onDelete(service) {
      writes.forget(keyOf(service));
      triggers.forget(keyOf(service));
      waiting.delete(keyOf(service));
    },
  });
  pods.on({
    onSet(pod, old) {
      followPod(pod);
      if (old && old.metadata.labels !== pod.metadata.labels) followPod(old);
    },
    onDelete: followPod,
  });
  slices.on({ onSet: followSlice, onDelete: followSlice });
  nodes.on({
    onSet(_, old) {
      if (old) return;
      for (const key of waiting) queue.add(key);
    },
  });

  async function reconcile(key: string): Promise<ReconcileResult> {
    const waitMs = writes.waitMs(key);
    if (waitMs > 0) return { requeueAfterMs: waitMs };
    // The slices of a Service that is gone go with it: they are its dependents.
    const service = services.get(key);
    if (!service || service.metadata.deletionTimestamp !== undefined) return {};
    const { namespace } = splitKey(key);
    const selected = pods.byIndex("namespace", namespace).filter((pod) => selects(service, pod));
    const decision = decideSlices({
      service, pods: selected, slices: slices.byIndex("endpoint-slice/service", key), nodeOf: (name) => nodes.get(name), triggerTime: triggers.since(service, selected),
    });
    if (decision.lost.length > 0) waiting.add(key);
    else waiting.delete(key);
    if (decision.lost.length > 0) recorder.event(SERVICES, service, "Warning", "FailedToUpdateEndpointSlices", `Error updating Endpoint Slices for Service ${key}: ${lostText(key, decision.lost)}`);
    try {
      for (const slice of decision.create) writes.created(key, await client.create(ENDPOINT_SLICES, namespace, slice));
      for (const slice of decision.update) {
        const { resourceVersion } = slice.metadata;
        const updated = await client.update<EndpointSlice>(ENDPOINT_SLICES, slice);
        writes.changed(key, updated, (cached) => cached.metadata.resourceVersion !== resourceVersion);
      }
      for (const slice of decision.delete) {
        await client.delete(ENDPOINT_SLICES, splitKey(keyOf(slice)));
        writes.deleted(key, slice);
      }
    } catch (error) {
      if (!isNamespaceGoing(error) && !isNotFound(error)) throw error;
    }
    return {};
  }
  return [{ name: "endpoint-slice", queue, workers: 5, reconcile, logger }];
}
