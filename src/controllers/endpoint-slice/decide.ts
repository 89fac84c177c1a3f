/**
 * Which EndpointSlices a Service should have, and what to do to get there from those that it has. Pure.
 * Follows kubernetes staging/src/k8s.io/endpointslice (reconciler.go, utils.go).
 */
import { assert } from "../../base/assert.ts";
import type { DiscoveryEndpointPort, Endpoint, EndpointSlice, Node, Pod, Service } from "../../api/generated/types.ts";
import type { Stored } from "../../api/object.ts";
import { portsInOrder, sliceText } from "./port-order.ts";
import { addressesOf, sortedLabels, HEADLESS_LABEL, hasEndpoints, hostnameUnder, isHeadless, isReady, isTerminating, reachable, selects, targetPortsOf } from "./service-pods.ts";
import { withTrigger } from "./trigger-times.ts";

export const SERVICE_NAME_LABEL = "kubernetes.io/service-name";
export const MANAGED_BY_LABEL = "endpointslice.kubernetes.io/managed-by";
export const MANAGED_BY = "endpointslice-controller.k8s.io";
const ENDPOINTS_MAX = 100;
const ZONE_LABEL = "topology.kubernetes.io/zone";
/** Values of trafficDistribution under which an endpoint is for those of its zone. */
const CLOSE = new Set(["PreferClose", "PreferSameZone", "PreferSameNode"]);

export interface SliceWorld {
  readonly service: Stored<Service>;
  readonly pods: readonly Stored<Pod>[];
  /** The Service's slices that this controller made. */
  readonly slices: readonly Stored<EndpointSlice>[];
  readonly nodeOf: (name: string) => Node | undefined;
  /** When the change began that leads to this. */
  readonly triggerTime?: string | undefined;
}

export interface SliceDecision {
  readonly create: readonly EndpointSlice[];
  readonly update: readonly Stored<EndpointSlice>[];
  readonly delete: readonly Stored<EndpointSlice>[];
  /** Pods that were left out, as their node is not there. */
  readonly lost: readonly Stored<Pod>[];
}

/** Endpoints that lead to the same ports and so share slices. */
interface Group {
  readonly addressType: string;
  readonly ports: readonly DiscoveryEndpointPort[];
  readonly endpoints: Endpoint[];
}

const familyOf = (address: string) => (address.includes(":") ? "IPv6" : "IPv4");
const groupKey = (addressType: string, ports: readonly DiscoveryEndpointPort[] | null | undefined) => JSON.stringify([addressType, (ports ?? []).map((p) => JSON.stringify([p.name ?? "", p.port, p.protocol ?? "TCP", p.appProtocol ?? ""])).sort()]);
const podOf = (endpoint: Endpoint) => endpoint.targetRef?.uid ?? endpoint.addresses[0] ?? "";

/** Slices of a Service that has lost its selector stay as they are. */
export function decideSlices(world: SliceWorld): SliceDecision {
  const { service, slices, triggerTime } = world;
  if (!hasEndpoints(service)) return { create: [], update: [], delete: [], lost: [] };
  const { groups, lost } = groupsOf(world);
  const filled = new Map<Stored<EndpointSlice>, readonly Endpoint[]>();
  const unplaced: { readonly group: Group; readonly endpoints: readonly Endpoint[] }[] = [];
  for (const [key, group] of groups) {
    const own = slices.filter((s) => groupKey(s.addressType, s.ports) === key);
    const left = place(group, own, filled);
    if (left.length > 0 || (group.endpoints.length === 0 && own.length === 0)) unplaced.push({ group, endpoints: left });
  }
  const decision = settle(service, slices, groups, filled, unplaced);
  const triggered = <S extends EndpointSlice>(slice: S): S => ({ ...slice, metadata: { ...slice.metadata, annotations: withTrigger(slice.metadata.annotations, triggerTime) } });
  return { create: decision.create.map(triggered), update: decision.update.map(triggered), delete: decision.delete, lost };
}

function groupsOf({ service, pods, nodeOf }: SliceWorld): { readonly groups: Map<string, Group>; readonly lost: readonly Stored<Pod>[] } {
  const groups = new Map<string, Group>();
  const early = service.spec?.publishNotReadyAddresses === true;
  const lost = new Set<Stored<Pod>>();
  const groupOf = (addressType: string, ports: readonly DiscoveryEndpointPort[]): Group => {
    const key = groupKey(addressType, ports);
    const group = groups.get(key) ?? { addressType, ports: portsInOrder(ports, sliceText), endpoints: [] };
    groups.set(key, group);
    return group;
  };
  for (const addressType of service.spec?.ipFamilies ?? ["IPv4"]) {
    for (const pod of reachable(pods.filter((pod) => selects(service, pod)))) {
      const addresses = addressesOf(pod).filter((address) => familyOf(address) === addressType);
      const node = nodeOf(pod.spec?.nodeName ?? "");
      if (!node && !early) lost.add(pod);
      else if (addresses.length > 0) groupOf(addressType, targetPortsOf(service, pod)).endpoints.push(endpointOf(service, pod, addresses, node));
    }
    // A Service without endpoints has one empty slice, so that everybody knows that it was looked at.
    if (![...groups.values()].some((group) => group.addressType === addressType)) groupOf(addressType, []);
  }
  return { groups, lost: [...lost] };
}

/** Whom the endpoint is for, where the Service prefers what is near. */
function hintsOf(service: Stored<Service>, ready: boolean, zone: string | undefined, nodeName: string | undefined): Pick<Endpoint, "hints"> {
  const { trafficDistribution = "" } = service.spec ?? {};
  const forNode = trafficDistribution === "PreferSameNode" && nodeName;
  if (!ready || !CLOSE.has(trafficDistribution) || (!zone && !forNode)) return {};
  return { hints: { ...(zone && { forZones: [{ name: zone }] }), ...(forNode && { forNodes: [{ name: forNode }] }) } };
}

function endpointOf(service: Stored<Service>, pod: Stored<Pod>, addresses: readonly string[], node: Node | undefined): Endpoint {
  const { namespace, name, uid } = pod.metadata;
  const serving = isReady(pod);
  const terminating = isTerminating(pod);
  const hostname = hostnameUnder(service, pod);
  const ready = service.spec?.publishNotReadyAddresses === true || (serving && !terminating);
  const zone = node?.metadata?.labels?.[ZONE_LABEL];
  return {
    addresses,
    conditions: { ready, serving, terminating },
    ...(hostname !== undefined && { hostname }),
    targetRef: { kind: "Pod", ...(namespace !== undefined && { namespace }), name, uid },
    ...(pod.spec?.nodeName && { nodeName: pod.spec.nodeName }),
    ...(zone && { zone }),
    ...hintsOf(service, ready, zone, pod.spec?.nodeName),
  };
}

/** Leaves endpoints in the slice that they are in, puts new ones where there is room, and returns those without a place. */
function place(group: Group, slices: readonly Stored<EndpointSlice>[], filled: Map<Stored<EndpointSlice>, readonly Endpoint[]>): readonly Endpoint[] {
  const left = new Map(group.endpoints.map((endpoint) => [podOf(endpoint), endpoint]));
  const kept = new Map<Stored<EndpointSlice>, Endpoint[]>();
  for (const slice of slices) {
    const endpoints = (slice.endpoints ?? []).flatMap((old) => {
      const endpoint = left.get(podOf(old));
      left.delete(podOf(old));
      return endpoint ? [endpoint] : [];
    });
    kept.set(slice, endpoints);
  }
  const waiting = [...left.values()];
  for (const [slice, endpoints] of kept) {
    endpoints.push(...waiting.splice(0, Math.max(0, ENDPOINTS_MAX - endpoints.length)));
    filled.set(slice, endpoints);
  }
  return waiting;
}

function settle(
  service: Stored<Service>,
  slices: readonly Stored<EndpointSlice>[],
  groups: ReadonlyMap<string, Group>,
  filled: ReadonlyMap<Stored<EndpointSlice>, readonly Endpoint[]>,
  unplaced: readonly { readonly group: Group; readonly endpoints: readonly Endpoint[] }[],
): Pick<SliceDecision, "create" | "update" | "delete"> {
  const create: EndpointSlice[] = [];
  const update: Stored<EndpointSlice>[] = [];
  const isKeptEmpty = (slice: Stored<EndpointSlice>) => groups.get(groupKey(slice.addressType, slice.ports))?.endpoints.length === 0;
  const firstEmpty = slices.find((slice) => filled.has(slice) && isKeptEmpty(slice));
  const idle = slices.filter((slice) => slice !== firstEmpty && (filled.get(slice)?.length ?? 0) === 0);
  for (const [slice, endpoints] of filled) {
    if (idle.includes(slice)) continue;
    const wanted = sliceOf(service, slice.addressType, slice.ports ?? [], endpoints, slice);
    if (!isSame(slice, wanted)) update.push(wanted);
  }
  for (const { group, endpoints } of unplaced) {
    for (let i = 0; i === 0 || i < endpoints.length; i += ENDPOINTS_MAX) {
      const chunk = endpoints.slice(i, i + ENDPOINTS_MAX);
      // A slice that is not needed any more is used again before a new one is made.
      const reused = idle.findIndex((slice) => slice.addressType === group.addressType);
      const [slice] = reused < 0 ? [] : idle.splice(reused, 1);
      if (slice) update.push(sliceOf(service, group.addressType, group.ports, chunk, slice));
      else create.push(sliceOf(service, group.addressType, group.ports, chunk, undefined));
    }
  }
  return { create, update, delete: idle };
}

/** The slice as it should be; of `current` its name and whatever others wrote into its metadata stay. */
function sliceOf(service: Stored<Service>, addressType: string, ports: readonly DiscoveryEndpointPort[], endpoints: readonly Endpoint[], current: Stored<EndpointSlice>): Stored<EndpointSlice>;
function sliceOf(service: Stored<Service>, addressType: string, ports: readonly DiscoveryEndpointPort[], endpoints: readonly Endpoint[], current: undefined): EndpointSlice;
function sliceOf(service: Stored<Service>, addressType: string, ports: readonly DiscoveryEndpointPort[], endpoints: readonly Endpoint[], current: Stored<EndpointSlice> | undefined): EndpointSlice {
  const { name, namespace = "", uid, labels = {} } = service.metadata;
  assert(endpoints.length <= ENDPOINTS_MAX, "a slice is too large");
  return {
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    metadata: {
      ...(current?.metadata ?? { generateName: `${name}-`, namespace }),
      labels: { ...labels, [MANAGED_BY_LABEL]: MANAGED_BY, [SERVICE_NAME_LABEL]: name, ...(isHeadless(service) && { [HEADLESS_LABEL]: "" }) },
      ownerReferences: [{ apiVersion: "v1", kind: "Service", name, uid, controller: true, blockOwnerDeletion: true }],
    },
    addressType,
    ...(endpoints.length > 0 && { endpoints }),
    ...(ports.length > 0 && { ports }),
  };
}

function isSame(a: EndpointSlice, b: EndpointSlice): boolean {
  const shape = ({ metadata, endpoints, ports }: EndpointSlice) => JSON.stringify([sortedLabels(metadata.labels), (endpoints ?? []).map(sortedEndpoint), ports ?? []]);
  return shape(a) === shape(b);
}

const sortedEndpoint = ({ addresses, conditions, hostname, nodeName, zone, hints, targetRef }: Endpoint) =>
  [addresses, conditions?.ready, conditions?.serving, conditions?.terminating, hostname, nodeName, zone, hints?.forZones?.map((z) => z.name), hints?.forNodes?.map((n) => n.name), targetRef?.uid];
