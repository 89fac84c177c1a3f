/**
 * How many pods the controllers of some pods want. Jobs have no scale, so a share of their pods can't be told.
 * Follows kubernetes pkg/controller/disruption/disruption.go (getExpectedScale and its finders).
 */
import type { Deployment, OwnerReference, Pod, ReplicaSet } from "../../api/generated/types.ts";
import type { Stored } from "../../api/object.ts";
import { qualifiedPlural, type Resource } from "../../api/resource.ts";
import { isNotFound } from "../../api/status-error.ts";
import type { Client } from "../../client/client.ts";

/** A ReplicaSet and what else is shaped like it: with a number of replicas. */
type Scalable = Pick<ReplicaSet, "metadata" | "spec">;

const apps = <T extends object>(plural: string, kind: string): Resource<T> => ({ group: "apps", version: "v1", plural, kind, namespaced: true });
const DEPLOYMENTS = apps<Deployment>("deployments", "Deployment");
const SCALABLE: readonly Resource<Scalable>[] = [
  apps("replicasets", "ReplicaSet"),
  apps("statefulsets", "StatefulSet"),
  { group: "", version: "v1", plural: "replicationcontrollers", kind: "ReplicationController", namespaced: true },
];

export type Scale = { readonly expected: number; /** Pods that nothing controls. */ readonly unmanaged?: number } | { readonly error: string };

interface ScaleDeps {
  readonly client: Client;
  /** Everything that is served: to name what has no scale. */
  readonly resources: readonly Resource[];
}

const controllerOf = (object: { readonly metadata?: { readonly ownerReferences?: readonly OwnerReference[] } }) => object.metadata?.ownerReferences?.find((o) => o.controller);
const groupOf = (apiVersion: string) => (apiVersion.includes("/") ? (apiVersion.split("/")[0] ?? "") : "");

async function find<T extends object>(client: Client, resource: Resource<T>, namespace: string, { name, uid }: OwnerReference): Promise<Stored<T> | undefined> {
  try {
    const found = await client.get(resource, { namespace, name });
    return found.metadata.uid === uid ? found : undefined;
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

async function scaleOf({ client, resources }: ScaleDeps, pod: Stored<Pod>, owner: OwnerReference): Promise<Scale> {
  const { namespace = "", name } = pod.metadata;
  const is = (r: Resource) => r.kind === owner.kind && r.group === groupOf(owner.apiVersion);
  const resource = SCALABLE.find(is);
  if (!resource) {
    const known = resources.find(is);
    return { error: known ? `${qualifiedPlural(known)} does not implement the scale subresource` : `no matches for kind "${owner.kind}" in version "${owner.apiVersion}"` };
  }
  const found = await find(client, resource, namespace, owner);
  const above = found && controllerOf(found);
  const scaled = above?.kind === "Deployment" ? await find(client, DEPLOYMENTS, namespace, above) : found;
  return scaled ? { expected: scaled.spec?.replicas ?? 1 } : { error: `found no controllers for pod "${name}"` };
}

/** Pods without a controller do not count; each controller counts once. */
export async function expectedScale(deps: ScaleDeps, pods: readonly Stored<Pod>[]): Promise<Scale> {
  const scales = new Map<string, number>();
  for (const pod of pods) {
    const owner = controllerOf(pod);
    if (!owner || scales.has(owner.uid)) continue;
    const scale = await scaleOf(deps, pod, owner);
    if ("error" in scale) return scale;
    scales.set(owner.uid, scale.expected);
  }
  return { expected: [...scales.values()].reduce((sum, n) => sum + n, 0), unmanaged: pods.filter((pod) => !controllerOf(pod)).length };
}
