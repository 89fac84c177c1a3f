/**
 * The informers that a process shares: one a resource, so each object is cached once and each resource is listed and watched once.
 */
import type { Informer } from "./informer.ts";
import type { Resource } from "../api/resource.ts";
import { openInformer, type IndexFunction, type InformerDeps, type OpenInformer } from "./list-watch.ts";
import type { Client } from "./client.ts";

export interface Informers {
  /** The informer of a resource over all namespaces, made at the first call (and started, when the others run already). Indexes add up. */
  of<T extends object>(resource: Resource<T>, indexes?: Readonly<Record<string, IndexFunction<T>>>): Informer<T>;
  /** Resolves when all informers that were asked for so far are synced, or `signal` aborts. */
  synced(signal: AbortSignal): Promise<void>;
  /** Runs them all until `signal` aborts. Never rejects. */
  run(signal: AbortSignal): Promise<void>;
}

/** Makes an empty set of informers over `client`. */
export function openInformers(client: Client, deps: InformerDeps): Informers {
  const informers = new Map<string, OpenInformer<object>>();
  const running: Promise<void>[] = [];
  let signal: AbortSignal | undefined;
  return {
    of<T extends object>(resource: Resource<T>, indexes: Readonly<Record<string, IndexFunction<T>>> = {}) {
      const key = `${resource.group}/${resource.plural}`;
      let informer = informers.get(key) as OpenInformer<T> | undefined;
      if (!informer) {
        informer = openInformer(client, resource, deps);
        informers.set(key, informer);
        if (signal) running.push(informer.run(signal));
      }
      for (const [name, index] of Object.entries(indexes)) informer.addIndex(name, index);
      return informer;
    },
    async synced(until) {
      await Promise.all([...informers.values()].map((informer) => informer.synced(until)));
    },
    async run(until) {
      signal = until;
      running.push(...[...informers.values()].map((informer) => informer.run(until)));
      await new Promise<void>((resolve) => {
        if (until.aborted) resolve();
        until.addEventListener("abort", () => resolve(), { once: true });
      });
      await Promise.all(running);
    },
  };
}
