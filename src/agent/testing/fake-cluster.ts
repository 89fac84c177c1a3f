/**
 * An API for tests of the agent: objects in a map, informers that see every change at once. Knows just enough of patches for pods' statuses.
 */
import type { ConfigMap, Pod, Secret, Service } from "../../api/generated/types.ts";
import { keyOf, type KubeObject, type Stored } from "../../api/object.ts";
import type { Resource } from "../../api/resource.ts";
import { alreadyExists, notFound } from "../../api/status-error.ts";
import type { Client } from "../../client/client.ts";
import type { Informer, InformerHandler } from "../../client/informer.ts";
import type { AgentInformers } from "../ports.ts";

type Plain = Record<string, unknown>;
const isPlain = (v: unknown): v is Plain => typeof v === "object" && v !== null && !Array.isArray(v);

/** A merge patch that merges lists of conditions by type, as a strategic one would. */
function merged(target: unknown, patch: unknown): unknown {
  if (!isPlain(patch)) return patch;
  const out: Plain = isPlain(target) ? { ...target } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (key.startsWith("$")) continue;
    if (value === null) delete out[key];
    else if (key === "conditions" && Array.isArray(value)) out[key] = mergedConditions((out[key] ?? []) as Plain[], value as Plain[]);
    else out[key] = merged(out[key], value);
  }
  return out;
}

const mergedConditions = (old: readonly Plain[], changed: readonly Plain[]): readonly Plain[] => {
  const byType = new Map(old.map((c) => [c["type"], c]));
  for (const c of changed) byType.set(c["type"], merged(byType.get(c["type"]), c) as Plain);
  return [...byType.values()];
};

class FakeInformer<T extends object> implements Informer<T> {
  readonly objects = new Map<string, Stored<T>>();
  readonly #handlers: InformerHandler<T>[] = [];
  readonly hasSynced = true;

  get(key: string): Stored<T> | undefined { return this.objects.get(key); }
  list(): readonly Stored<T>[] { return [...this.objects.values()]; }
  byIndex(index: string, value: string): readonly Stored<T>[] {
    return index === "namespace" ? this.list().filter((o) => o.metadata.namespace === value) : [];
  }
  on(handler: InformerHandler<T>): void { this.#handlers.push(handler); }
  async synced(): Promise<void> {}
  async run(): Promise<void> {}

  set(object: Stored<T>): void {
    const old = this.objects.get(keyOf(object));
    this.objects.set(keyOf(object), object);
    for (const h of this.#handlers) h.onSet?.(object, old);
  }
  remove(key: string): void {
    const old = this.objects.get(key);
    this.objects.delete(key);
    if (old) for (const h of this.#handlers) h.onDelete?.(old);
  }
}

export class FakeCluster {
  readonly pods = new FakeInformer<Pod>();
  readonly services = new FakeInformer<Service>();
  readonly configMaps = new FakeInformer<ConfigMap>();
  readonly secrets = new FakeInformer<Secret>();
  readonly writes: string[] = [];
  readonly #others = new Map<string, FakeInformer<object>>();
  #revision = 0;

  get informers(): AgentInformers { return this; }

  #of(resource: Resource): FakeInformer<object> {
    const known: Record<string, unknown> = { pods: this.pods, services: this.services, configmaps: this.configMaps, secrets: this.secrets };
    const other = this.#others.get(resource.plural) ?? new FakeInformer<object>();
    this.#others.set(resource.plural, other);
    return (known[resource.plural] ?? other) as FakeInformer<object>;
  }

  put<T extends object>(resource: Resource<T>, object: T): Stored<T> {
    const { metadata } = object as { metadata: KubeObject["metadata"] };
    const stored = { ...object, metadata: { uid: `uid-of-${metadata.name ?? ""}`, creationTimestamp: "2024-01-01T00:00:00Z", generation: 1, ...metadata, resourceVersion: String(++this.#revision) } } as unknown as Stored<T>;
    this.#of(resource).set(stored);
    return stored;
  }

  remove(resource: Resource, key: string): void { this.#of(resource).remove(key); }

  readonly client: Client = {
    get: async (resource, ref) => {
      const found = this.#of(resource).get(ref.namespace ? `${ref.namespace}/${ref.name}` : ref.name);
      if (!found) throw notFound(resource, ref.name);
      return found as never;
    },
    list: async (resource) => ({ resourceVersion: "1", continue: undefined, items: this.#of(resource).list() as never }),
    watch: async () => ({ stop() {} }),
    create: async (resource, namespace, object) => {
      const { metadata } = object as { metadata: KubeObject["metadata"] };
      if (this.#of(resource).get(namespace ? `${namespace}/${metadata.name ?? ""}` : (metadata.name ?? ""))) throw alreadyExists(resource, metadata.name ?? "");
      return this.put(resource, { ...object, metadata: { ...metadata, ...(namespace && { namespace }) } });
    },
    update: async (resource, object) => this.put(resource, object),
    updateStatus: async (resource, object) => this.put(resource, object),
    patch: async (resource, ref, _type, patch, options) => {
      const old = await this.client.get(resource, ref);
      this.writes.push(`patch ${resource.plural}${options?.subresource ? `/${options.subresource}` : ""}`);
      return this.put(resource, merged(old, patch) as never);
    },
    delete: async (resource, ref) => {
      const old = await this.client.get(resource, ref);
      this.writes.push(`delete ${resource.plural}`);
      this.remove(resource, keyOf(old));
      return { code: 200, body: old as never, warnings: [] };
    },
    deleteCollection: async () => {},
    createSubresource: async () => ({ code: 201, body: { status: { token: "a.b.c" } } as never, warnings: [] }),
  };
}
