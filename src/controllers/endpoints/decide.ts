/**
 * What the Endpoints of a Service should be. Pure.
 * Follows kubernetes pkg/controller/endpoint/endpoints_controller.go and pkg/api/v1/endpoints/util.go (RepackSubsets).
 */
import type { EndpointAddress, EndpointPort, Endpoints, EndpointSubset, Pod, Service } from "../../api/generated/types.ts";
import type { Stored } from "../../api/object.ts";
import { endpointsText, portsInOrder } from "../endpoint-slice/port-order.ts";
import { addressesOf, HEADLESS_LABEL, hostnameUnder, isHeadless, isReady, isTerminating, reachable, selects, sortedLabels, targetPortsOf } from "../endpoint-slice/service-pods.ts";
import { withTrigger } from "../endpoint-slice/trigger-times.ts";

const MANAGED_BY_LABEL = "endpoints.kubernetes.io/managed-by";
/** Endpoints hold no more addresses than this; the slices hold them all. */
const ADDRESSES_MAX = 1000;
const OVER_CAPACITY = "endpoints.kubernetes.io/over-capacity";

/** Behind one port, or behind none: addresses, and whether they are ready. */
interface Gathered {
  readonly ports: EndpointPort[];
  readonly addresses: { readonly address: EndpointAddress; readonly ready: boolean }[];
}

/** The Endpoints to write; undefined when `current` says it already. */
export function decideEndpoints(service: Stored<Service>, pods: readonly Stored<Pod>[], current: Stored<Endpoints> | undefined, triggerTime?: string): Endpoints | undefined {
  const { subsets, isTruncated } = truncate(subsetsOf(service, pods));
  const { name, namespace = "", labels = {} } = service.metadata;
  const { [OVER_CAPACITY]: _, ...annotations } = current?.metadata.annotations ?? {};
  const wanted: Endpoints = {
    apiVersion: "v1",
    kind: "Endpoints",
    ...current,
    metadata: {
      ...(current?.metadata ?? { name, namespace }),
      labels: { ...labels, [MANAGED_BY_LABEL]: "endpoint-controller", ...(isHeadless(service) && { [HEADLESS_LABEL]: "" }) },
      annotations: { ...withTrigger(annotations, triggerTime), ...(isTruncated && { [OVER_CAPACITY]: "truncated" }) },
    },
    subsets,
  };
  return current && isSame(current, wanted) ? undefined : wanted;
}

function subsetsOf(service: Stored<Service>, pods: readonly Stored<Pod>[]): readonly EndpointSubset[] {
  const early = service.spec?.publishNotReadyAddresses === true;
  const byPort = new Map<string, Gathered>();
  for (const pod of reachable(pods.filter((pod) => selects(service, pod)))) {
    if (isTerminating(pod) && !early) continue;
    const ports = targetPortsOf(service, pod).map(({ name, ...rest }) => ({ ...(name !== "" && { name }), ...rest }));
    // A pod that has none of the ports is behind no port; a headless Service needs none.
    if (ports.length === 0 && (service.spec?.ports ?? []).length > 0) continue;
    for (const port of ports.length > 0 ? ports : [undefined]) {
      const key = JSON.stringify(port ?? null);
      const gathered = byPort.get(key) ?? { ports: port ? [port] : [], addresses: [] };
      byPort.set(key, gathered);
      gathered.addresses.push({ address: addressOf(service, pod), ready: early || isReady(pod) });
    }
  }
  return joinPorts([...byPort.values()]);
}

/** Subsets of any shape as they would be written: each address once behind a port, not ready where it is both. Follows RepackSubsets. */
export function repack(subsets: readonly EndpointSubset[]): readonly EndpointSubset[] {
  const byPort = new Map<string, Gathered>();
  const put = (port: EndpointPort | undefined, address: EndpointAddress, ready: boolean) => {
    const key = JSON.stringify(port ?? null);
    const gathered = byPort.get(key) ?? { ports: port ? [port] : [], addresses: [] };
    byPort.set(key, gathered);
    const known = gathered.addresses.findIndex((a) => a.address.ip === address.ip && a.address.targetRef?.uid === address.targetRef?.uid);
    if (known < 0) gathered.addresses.push({ address, ready });
    else if (!ready) gathered.addresses[known] = { address, ready };
  };
  for (const { addresses = [], notReadyAddresses = [], ports = [] } of subsets) {
    for (const port of ports.length > 0 ? ports : [undefined]) {
      for (const address of addresses) put(port, address, true);
      for (const address of notReadyAddresses) put(port, address, false);
    }
  }
  return joinPorts([...byPort.values()]);
}

/** Ports with the same addresses behind them share a subset. */
function joinPorts(byPort: readonly Gathered[]): readonly EndpointSubset[] {
  const joined = new Map<string, Gathered>();
  for (const { ports, addresses } of byPort) {
    const sorted = [...addresses].sort((a, b) => byAddress(a.address, b.address));
    const key = JSON.stringify(sorted.map(({ address, ready }) => [address.ip, address.targetRef?.uid, ready]));
    const subset = joined.get(key) ?? { ports: [], addresses: sorted };
    joined.set(key, subset);
    subset.ports.push(...ports);
  }
  return [...joined.values()].map(({ ports, addresses }) => {
    const [ready, notReady] = [true, false].map((wanted) => addresses.filter((a) => a.ready === wanted).map((a) => a.address));
    return {
      ...(ready?.length && { addresses: ready }),
      ...(notReady?.length && { notReadyAddresses: notReady }),
      ...(ports.length > 0 && { ports: portsInOrder(ports, endpointsText) }),
    };
  });
}

const byAddress = (a: EndpointAddress, b: EndpointAddress) => (a.ip === b.ip ? ((a.targetRef?.uid ?? "") < (b.targetRef?.uid ?? "") ? -1 : 1) : a.ip < b.ip ? -1 : 1);

function addressOf(service: Stored<Service>, pod: Stored<Pod>): EndpointAddress {
  const { namespace, name, uid } = pod.metadata;
  const [family = "IPv4"] = service.spec?.ipFamilies ?? [];
  const addresses = addressesOf(pod);
  const ip = addresses.find((address) => address.includes(":") === (family === "IPv6")) ?? addresses[0] ?? "";
  const hostname = hostnameUnder(service, pod);
  return {
    ip,
    ...(hostname !== undefined && { hostname }),
    // Of a pod without a node this is no name, and the server refuses it, as upstream.
    nodeName: pod.spec?.nodeName ?? "",
    targetRef: { kind: "Pod", ...(namespace !== undefined && { namespace }), name, uid },
  };
}

/** Keeps ready addresses before others. */
function truncate(subsets: readonly EndpointSubset[]): { readonly subsets: readonly EndpointSubset[]; readonly isTruncated: boolean } {
  const count = subsets.reduce((sum, s) => sum + (s.addresses?.length ?? 0) + (s.notReadyAddresses?.length ?? 0), 0);
  if (count <= ADDRESSES_MAX) return { subsets, isTruncated: false };
  let room = ADDRESSES_MAX;
  const take = (addresses: readonly EndpointAddress[] | undefined) => {
    const taken = (addresses ?? []).slice(0, room);
    room -= taken.length;
    return taken;
  };
  const ready = subsets.map((s) => take(s.addresses));
  const cut = subsets.map((subset, i) => {
    const notReadyAddresses = take(subset.notReadyAddresses);
    const addresses = ready[i] ?? [];
    return { ...(addresses.length > 0 && { addresses }), ...(notReadyAddresses.length > 0 && { notReadyAddresses }), ...(subset.ports && { ports: subset.ports }) };
  });
  return { subsets: cut.filter((s) => "addresses" in s || "notReadyAddresses" in s), isTruncated: true };
}

function isSame(a: Endpoints, b: Endpoints): boolean {
  const address = ({ ip, hostname, nodeName, targetRef }: EndpointAddress) => [ip, hostname, nodeName, targetRef?.uid];
  const port = ({ name = "", port, protocol = "TCP", appProtocol }: EndpointPort) => [name, port, protocol, appProtocol];
  const subset = (s: EndpointSubset) => [(s.addresses ?? []).map(address), (s.notReadyAddresses ?? []).map(address), (s.ports ?? []).map(port)];
  const shape = ({ metadata, subsets }: Endpoints) => JSON.stringify([sortedLabels(metadata.labels), metadata.annotations?.[OVER_CAPACITY], (subsets ?? []).map(subset)]);
  return shape(a) === shape(b);
}
