/**
 * Which EndpointSlices show what somebody wrote into the Endpoints of a Service without a selector. Pure.
 * Follows kubernetes pkg/controller/endpointslicemirroring (reconciler.go, reconciler_helpers.go, utils.go).
 */
import { isIPv4, isIPv6 } from "node:net";
import type { DiscoveryEndpointPort, Endpoint, EndpointAddress, EndpointPort, Endpoints, EndpointSlice } from "../../api/generated/types.ts";
import type { Stored } from "../../api/object.ts";
import { repack } from "../endpoints/decide.ts";
import { MANAGED_BY_LABEL, SERVICE_NAME_LABEL } from "../endpoint-slice/decide.ts";
import { portsInOrder, sliceText } from "../endpoint-slice/port-order.ts";
import { LAST_CHANGE } from "../endpoint-slice/trigger-times.ts";

export const MIRRORED_BY = "endpointslicemirroring-controller.k8s.io";
const SKIP_LABEL = "endpointslice.kubernetes.io/skip-mirror";
const LEADER = "control-plane.alpha.kubernetes.io/leader";
const LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration";
/** Of one subset. */
const ADDRESSES_MAX = 1000;

export interface MirrorDecision {
  readonly create: readonly EndpointSlice[];
  readonly update: readonly Stored<EndpointSlice>[];
  readonly delete: readonly Stored<EndpointSlice>[];
  readonly invalid: number;
  readonly skipped: number;
}

/** Not those that somebody keeps slices for, nor those that are a lock. */
export const isMirrored = ({ metadata }: Endpoints): boolean => metadata?.labels?.[SKIP_LABEL] !== "true" && metadata?.annotations?.[LEADER] === undefined;

interface Wanted {
  readonly addressType: string;
  readonly ports: readonly DiscoveryEndpointPort[];
  readonly endpoints: readonly Endpoint[];
}

const portsKey = (addressType: string, ports: readonly DiscoveryEndpointPort[] | null | undefined) =>
  JSON.stringify([addressType, portsInOrder(ports ?? [], sliceText).map(sliceText)]);

const toSlicePort = ({ name = "", port, protocol = "TCP", appProtocol }: EndpointPort): DiscoveryEndpointPort => ({ name, protocol, port, ...(appProtocol !== undefined && { appProtocol }) });

const toEndpoint = ({ ip, hostname, nodeName, targetRef }: EndpointAddress, ready: boolean): Endpoint => ({
  addresses: [ip], conditions: { ready }, ...(hostname && { hostname }), ...(targetRef && { targetRef }), ...(nodeName && { nodeName }),
});

export function decideMirror(endpoints: Stored<Endpoints>, slices: readonly Stored<EndpointSlice>[]): MirrorDecision {
  const { wanted, invalid, skipped } = wantedOf(endpoints);
  const left = new Set(slices);
  const create: Wanted[] = [];
  const update: Stored<EndpointSlice>[] = [];
  for (const want of wanted) {
    const current = slices.find((s) => left.has(s) && portsKey(s.addressType, s.ports) === portsKey(want.addressType, want.ports));
    if (!current) {
      create.push(want);
      continue;
    }
    left.delete(current);
    const next = sliceOf(endpoints, want, current);
    if (shapeOf(next) !== shapeOf(current)) update.push(next);
  }
  // A slice that is not needed any more is used again before a new one is made.
  const made = create.filter((want) => {
    const reused = [...left].find((s) => s.addressType === want.addressType);
    if (!reused) return true;
    left.delete(reused);
    update.push(sliceOf(endpoints, want, reused));
    return false;
  });
  return { create: made.map((want) => sliceOf(endpoints, want, undefined)), update, delete: [...left], invalid, skipped };
}

function wantedOf({ subsets = [] }: Endpoints): { readonly wanted: readonly Wanted[]; readonly invalid: number; readonly skipped: number } {
  const wanted: Wanted[] = [];
  let [invalid, skipped] = [0, 0];
  for (const { addresses = [], notReadyAddresses = [], ports = [] } of repack(subsets)) {
    const all = [...addresses.map((a) => toEndpoint(a, true)), ...notReadyAddresses.map((a) => toEndpoint(a, false))];
    const valid = all.filter(({ addresses: [ip = ""] }) => isIPv4(ip) || isIPv6(ip));
    const kept = valid.slice(0, ADDRESSES_MAX);
    invalid += all.length - valid.length;
    skipped += all.length - kept.length;
    for (const [addressType, is] of [["IPv4", isIPv4], ["IPv6", isIPv6]] as const) {
      const endpoints = kept.filter(({ addresses: [ip = ""] }) => is(ip));
      if (endpoints.length > 0) wanted.push({ addressType, ports: portsInOrder(ports.map(toSlicePort), sliceText), endpoints });
    }
  }
  return { wanted, invalid, skipped };
}

function sliceOf(endpoints: Stored<Endpoints>, wanted: Wanted, current: Stored<EndpointSlice>): Stored<EndpointSlice>;
function sliceOf(endpoints: Stored<Endpoints>, wanted: Wanted, current: undefined): EndpointSlice;
function sliceOf({ metadata }: Stored<Endpoints>, { addressType, ports, endpoints }: Wanted, current: Stored<EndpointSlice> | undefined): EndpointSlice {
  const { name, namespace = "", uid, labels = {}, annotations = {} } = metadata;
  const { [LAST_CHANGE]: _, [LAST_APPLIED]: __, ...kept } = annotations;
  return {
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    metadata: {
      ...(current?.metadata ?? { generateName: `${name}-`, namespace }),
      labels: { ...labels, [SERVICE_NAME_LABEL]: name, [MANAGED_BY_LABEL]: MIRRORED_BY },
      annotations: kept,
      ownerReferences: [{ apiVersion: "v1", kind: "Endpoints", name, uid, controller: true, blockOwnerDeletion: true }],
    },
    addressType,
    endpoints,
    ports,
  };
}

const sorted = (map: Readonly<Record<string, string>> | undefined) => Object.entries(map ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));

const shapeOf = ({ metadata, endpoints, ports }: EndpointSlice): string =>
  JSON.stringify([
    sorted(metadata.labels), sorted(metadata.annotations), portsKey("", ports),
    (endpoints ?? []).map(({ addresses, conditions, hostname, nodeName, targetRef }) => JSON.stringify([addresses, conditions?.ready, hostname, nodeName, targetRef?.kind, targetRef?.namespace, targetRef?.name, targetRef?.uid])).sort(),
  ]);
