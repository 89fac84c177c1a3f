/**
 * What a cluster has before anybody asks: its namespaces, the Service of the API itself, system priority classes.
 * (The default roles are put in place by auth/.)
 * Made where missing, never changed back. Follows kubernetes pkg/controlplane/controller.
 */
import { networkInterfaces } from "node:os";
import type { Client } from "../client/client.ts";
import type { Namespace, PriorityClass, Service, EndpointSlice, Endpoints } from "../api/generated/types.ts";
import { ENDPOINT_SLICES, ENDPOINTS, NAMESPACES, PRIORITY_CLASSES, type Resource, SERVICES } from "../api/resource.ts";
import { isAlreadyExists, isNotFound } from "../api/status-error.ts";

const SYSTEM_NAMESPACES = ["default", "kube-system", "kube-public", "kube-node-lease"] as const;
/** Begins where the range that kube-apiserver has by itself does; one of its addresses, the first, is the API's own. */
export const SERVICE_NETWORK = "10.0.0.0/16";
export const API_SERVICE_IP = "10.0.0.1";

async function ensure<T extends object>(client: Client, resource: Resource<T>, namespace: string, object: T): Promise<void> {
  await client.create(resource, namespace, object).catch((error: unknown) => {
    if (!isAlreadyExists(error)) throw error;
  });
}

const namespace = (name: string): Namespace => ({ metadata: { name }, spec: {} });

const PRIORITIES: readonly PriorityClass[] = [
  { metadata: { name: "system-cluster-critical" }, value: 2_000_000_000, description: "Used for system critical pods that must run in the cluster, but can be moved to another node if necessary." },
  { metadata: { name: "system-node-critical" }, value: 2_000_001_000, description: "Used for system critical pods that must not be moved from their current node." },
];

/** The least that Jobs and Pods need: for a server that lives as long as one run. */
export async function bootstrapNamespaces(client: Client): Promise<void> {
  await Promise.all(SYSTEM_NAMESPACES.map((name) => ensure(client, NAMESPACES, "", namespace(name))));
  await Promise.all(PRIORITIES.map((p) => ensure(client, PRIORITY_CLASSES, "", p)));
}

async function bootstrapApiService(client: Client, port: number): Promise<void> {
  const labels = { component: "apiserver", provider: "kubernetes" };
  const service: Service = {
    metadata: { name: "kubernetes", namespace: "default", labels },
    spec: { type: "ClusterIP", clusterIP: API_SERVICE_IP, ipFamilyPolicy: "SingleStack", sessionAffinity: "None", ports: [{ name: "https", port: 443, protocol: "TCP", targetPort: port }] },
  };
  // Looked for first: its address is taken by itself, and creating it again would be refused for that before its name is looked at.
  const found = await client.get(SERVICES, { namespace: "default", name: "kubernetes" }).catch((error: unknown) => {
    if (!isNotFound(error)) throw error;
    return undefined;
  });
  if (!found) await ensure(client, SERVICES, "default", service);
  const address = machineAddress();
  if (address === undefined) return;
  const ports = [{ name: "https", port, protocol: "TCP" }];
  const endpoints: Endpoints = { metadata: { name: "kubernetes", namespace: "default", labels: { "endpointslice.kubernetes.io/skip-mirror": "true" } }, subsets: [{ addresses: [{ ip: address }], ports }] };
  const slice: EndpointSlice = { metadata: { name: "kubernetes", namespace: "default", labels: { "kubernetes.io/service-name": "kubernetes" } }, addressType: "IPv4", endpoints: [{ addresses: [address], conditions: { ready: true } }], ports };
  await put(client, ENDPOINTS, endpoints);
  await put(client, ENDPOINT_SLICES, slice);
}

/** The machine's first address that is no loopback one: Endpoints may not name those. */
export function machineAddress(): string | undefined {
  return Object.values(networkInterfaces()).flat().find((i) => i !== undefined && i.family === "IPv4" && !i.internal)?.address;
}

/** Creates, or brings what is there up to date (the port may have changed). */
async function put<T extends object>(client: Client, resource: Resource<T>, object: T): Promise<void> {
  await client.create(resource, "default", object).catch(async (error: unknown) => {
    if (!isAlreadyExists(error)) throw error;
    await client.update(resource, object);
  });
}

/** All of it, for a server that others use and that listens on `port`. */
export async function bootstrapCluster(client: Client, port: number): Promise<void> {
  await bootstrapNamespaces(client);
  await bootstrapApiService(client, port);
}
