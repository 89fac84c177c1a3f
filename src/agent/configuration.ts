/**
 * ConfigMaps and Secrets as the agent reads them: from the caches, and once more from the API when a cache does not (yet) have one.
 */
import type { ConfigMap, Secret } from "../api/generated/types.ts";
import type { Stored } from "../api/object.ts";
import { CONFIG_MAPS, SECRETS, type Resource } from "../api/resource.ts";
import { isNotFound } from "../api/status-error.ts";
import type { Client } from "../client/client.ts";
import type { Informer } from "../client/informer.ts";

export interface Configuration {
  configMap(namespace: string, name: string): Promise<ConfigMap | undefined>;
  secret(namespace: string, name: string): Promise<Secret | undefined>;
}

export function openConfiguration(client: Client, informers: { readonly configMaps: Informer<ConfigMap>; readonly secrets: Informer<Secret> }): Configuration {
  const read = async <T extends object>(cache: Informer<T>, resource: Resource<T>, namespace: string, name: string): Promise<Stored<T> | undefined> => {
    const cached = cache.get(`${namespace}/${name}`);
    if (cached) return cached;
    try {
      return await client.get(resource, { namespace, name });
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  };
  return {
    configMap: (namespace, name) => read(informers.configMaps, CONFIG_MAPS, namespace, name),
    secret: (namespace, name) => read(informers.secrets, SECRETS, namespace, name),
  };
}

/** What a missing object is called in events and waiting states. */
export const notFoundText = (kind: "configmap" | "secret", name: string): string => `${kind} "${name}" not found`;

/** The bytes of a Secret's value. */
export const secretBytes = (value: string): Buffer => Buffer.from(value, "base64");
