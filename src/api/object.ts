/**
 * What every Kubernetes object has. `Stored<T>` is an object as the server hands it out: the fields that the server sets are there, for sure.
 */
import type { ObjectMeta, OwnerReference } from "./generated/types.ts";

/** Any Kubernetes object, as far as generic code may look into it. */
export interface KubeObject {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata: ObjectMeta;
}

export interface StoredMeta extends ObjectMeta {
  readonly name: string;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly creationTimestamp: string;
}

export type Stored<T extends object = KubeObject> = Omit<T, "metadata"> & { readonly metadata: StoredMeta };

/** `namespace/name`, or `name` for an object of the whole cluster: the key of caches and queues. */
export function keyOf(o: { readonly metadata: ObjectMeta }): string {
  const { namespace, name } = o.metadata;
  return namespace ? `${namespace}/${name ?? ""}` : (name ?? "");
}

export function splitKey(key: string): { readonly namespace: string; readonly name: string } {
  const slash = key.indexOf("/");
  return slash < 0 ? { namespace: "", name: key } : { namespace: key.slice(0, slash), name: key.slice(slash + 1) };
}

/** The owner reference with `controller: true`, if there is one. */
export function controllerOf(o: { readonly metadata: ObjectMeta }): OwnerReference | undefined {
  return o.metadata.ownerReferences?.find((ref) => ref.controller === true);
}
