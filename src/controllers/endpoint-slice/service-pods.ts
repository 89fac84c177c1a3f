/**
 * What Endpoints and EndpointSlices have in common: which Services a pod belongs to, which pods count, and where a Service's port leads in
 * a pod. Pure.
 * Follows kubernetes staging/src/k8s.io/endpointslice/util and pkg/api/v1/pod/util.go (FindPort).
 */
import type { Pod, Service, ServicePort } from "../../api/generated/types.ts";
import { keyOf, type Stored } from "../../api/object.ts";
import type { Informer } from "../../client/informer.ts";

export const HEADLESS_LABEL = "service.kubernetes.io/headless";

export const isHeadless = (service: Service): boolean => service.spec?.clusterIP === "None";

/** A Service whose endpoints are kept by its selector. */
export const hasEndpoints = ({ spec }: Service): boolean => spec?.type !== "ExternalName" && Object.keys(spec?.selector ?? {}).length > 0;

export function selects(service: Service, pod: Pod): boolean {
  if (!hasEndpoints(service)) return false;
  const labels = pod.metadata?.labels ?? {};
  return Object.entries(service.spec?.selector ?? {}).every(([key, value]) => labels[key] === value);
}

/** Keys of the Services that select the pod. */
export function servicesOf(services: Informer<Service>, pod: Stored<Pod>): readonly string[] {
  const ofNamespace = services.byIndex("namespace", pod.metadata.namespace ?? "");
  return ofNamespace.filter((service) => selects(service, pod)).map((service) => keyOf(service));
}

export const isReady = ({ status }: Pod): boolean => status?.conditions?.some((c) => c.type === "Ready" && c.status === "True") ?? false;

export const isTerminating = ({ metadata }: Pod): boolean => metadata?.deletionTimestamp !== undefined;

const hasEnded = ({ status }: Pod) => status?.phase === "Succeeded" || status?.phase === "Failed";

/** The pods that may stand among the endpoints: they have an address and have not ended. */
export const reachable = <P extends Pod>(pods: readonly P[]): readonly P[] => pods.filter((pod) => !hasEnded(pod) && addressesOf(pod).length > 0);

export function addressesOf({ status }: Pod): readonly string[] {
  const ips = (status?.podIPs ?? []).map(({ ip }) => ip).filter((ip) => ip !== undefined && ip !== "");
  return ips.length > 0 ? ips : status?.podIP ? [status.podIP] : [];
}

export interface TargetPort {
  readonly name: string;
  readonly port: number;
  readonly protocol: string;
  readonly appProtocol?: string;
}

/** Where the Service's ports lead in this pod; ports that it does not have are left out. */
export function targetPortsOf(service: Service, pod: Pod): readonly TargetPort[] {
  return (service.spec?.ports ?? []).flatMap((servicePort) => {
    const port = findPort(servicePort, pod);
    const { name = "", protocol = "TCP", appProtocol } = servicePort;
    return port === undefined ? [] : [{ name, port, protocol, ...(appProtocol !== undefined && { appProtocol }) }];
  });
}

function findPort({ targetPort, port, protocol = "TCP" }: ServicePort, { spec }: Pod): number | undefined {
  if (targetPort === undefined || targetPort === 0) return port;
  if (typeof targetPort === "number") return targetPort;
  const sidecars = (spec?.initContainers ?? []).filter((c) => c.restartPolicy === "Always");
  const ports = [...(spec?.containers ?? []), ...sidecars].flatMap((container) => container.ports ?? []);
  return ports.find((p) => p.name === targetPort && (p.protocol ?? "TCP") === protocol)?.containerPort;
}

/** The pod's own host name, where DNS is to know it under this Service. */
export function hostnameUnder(service: Service, { spec }: Pod): string | undefined {
  return spec?.hostname && spec.subdomain === service.metadata?.name ? spec.hostname : undefined;
}

/** Labels in an order of their own, to be compared. */
export const sortedLabels = (labels: Readonly<Record<string, string>> = {}): readonly string[] => Object.entries(labels).map(([key, value]) => `${key}=${value}`).sort();
