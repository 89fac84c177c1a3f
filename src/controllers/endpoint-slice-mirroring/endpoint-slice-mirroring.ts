/**
 * Shows Endpoints that somebody writes for a Service without a selector in EndpointSlices too: those are what everybody reads.
 * Follows kubernetes pkg/controller/endpointslicemirroring/endpointslicemirroring_controller.go.
 */
import { WorkQueue } from "../../base/work-queue.ts";
import type { EndpointSlice } from "../../api/generated/types.ts";
import { keyOf, splitKey, type Stored } from "../../api/object.ts";
import { ENDPOINT_SLICES, ENDPOINTS, SERVICES } from "../../api/resource.ts";
import { isNotFound } from "../../api/status-error.ts";
import { MANAGED_BY_LABEL, SERVICE_NAME_LABEL } from "../endpoint-slice/decide.ts";
import type { Controller, ControllerContext, ReconcileResult } from "../framework/controller.ts";
import { isNamespaceGoing } from "../framework/namespace-going.ts";
import { OwnWrites } from "../framework/own-writes.ts";
import { decideMirror, isMirrored, MIRRORED_BY, type MirrorDecision } from "./decide.ts";

const ADDRESSES_MAX = 1000;

/** Makes the controller; it is to be run when the informers are synced. */
export function openEndpointSliceMirroringController({ client, informers, clock, recorder, logger }: ControllerContext): readonly Controller[] {
  const queue = new WorkQueue({ clock, retry: { baseMs: 1000, maxMs: 100_000 } });
  const services = informers.of(SERVICES);
  const endpoints = informers.of(ENDPOINTS);
  const serviceKey = ({ metadata }: Stored<EndpointSlice>) => `${metadata.namespace ?? ""}/${metadata.labels?.[SERVICE_NAME_LABEL] ?? ""}`;
  const isOurs = ({ metadata }: Stored<EndpointSlice>) => metadata.labels?.[MANAGED_BY_LABEL] === MIRRORED_BY;
  const slices = informers.of(ENDPOINT_SLICES, { "endpoint-slice-mirroring/service": (slice) => (isOurs(slice) ? [serviceKey(slice)] : []) });
  const writes = new OwnWrites(slices, clock);

  const follow = (object: Parameters<typeof keyOf>[0]) => queue.add(keyOf(object));
  const followSlice = (slice: Stored<EndpointSlice>) => isOurs(slice) && queue.add(serviceKey(slice));
  services.on({
    onSet: (service, old) => (!old || Boolean(old.spec?.selector) !== Boolean(service.spec?.selector)) && follow(service),
    onDelete: follow,
  });
  endpoints.on({ onSet: follow, onDelete: follow });
  slices.on({ onSet: followSlice, onDelete: followSlice });

  const NOTHING: MirrorDecision = { create: [], update: [], delete: [], invalid: 0, skipped: 0 };

  function decide(key: string): MirrorDecision {
    const current = slices.byIndex("endpoint-slice-mirroring/service", key);
    const [source, service] = [endpoints.get(key), services.get(key)];
    const isWanted = source && isMirrored(source) && service && !service.spec?.selector;
    if (!isWanted) return { ...NOTHING, delete: current };
    const decision = decideMirror(source, current);
    if (decision.invalid > 0) recorder.event(ENDPOINTS, source, "Warning", "InvalidIPAddress", `Skipped ${decision.invalid} invalid IP addresses when mirroring to EndpointSlices`);
    if (decision.skipped > decision.invalid) {
      recorder.event(ENDPOINTS, source, "Warning", "TooManyAddressesToMirror", `A max of ${ADDRESSES_MAX} addresses can be mirrored to EndpointSlices per Endpoints subset. ${decision.skipped} addresses were skipped`);
    }
    return source.metadata.deletionTimestamp === undefined ? decision : { ...decision, create: [] };
  }

  async function reconcile(key: string): Promise<ReconcileResult> {
    const waitMs = writes.waitMs(key);
    if (waitMs > 0) return { requeueAfterMs: waitMs };
    const { namespace } = splitKey(key);
    const decision = decide(key);
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
  return [{ name: "endpoint-slice-mirroring", queue, workers: 5, reconcile, logger }];
}
