/**
 * An informer's cache: objects by key and under any number of indexes. Tells handlers of what changed; knows nothing of lists and watches.
 */
import { controllerOf, keyOf, type KubeObject, type Stored } from "../api/object.ts";
import type { Logger } from "../base/logger.ts";
import type { InformerHandler } from "./informer.ts";

/** The values that an object stands under. */
export type IndexFunction<T extends object> = (object: Stored<T>) => readonly string[];

interface Index<T extends object> {
  readonly valuesOf: IndexFunction<T>;
  readonly objects: Map<string, Map<string, Stored<T>>>;
}

const namespaceOf = (o: KubeObject): readonly string[] => [o.metadata.namespace ?? ""];
const ownerOf = (o: KubeObject): readonly string[] => {
  const owner = controllerOf(o);
  return owner ? [owner.uid] : [];
};

const asKube = (object: object) => object as KubeObject;

export class Cache<T extends object> {
  readonly #logger: Logger;
  readonly #objects = new Map<string, Stored<T>>();
  readonly #indexes = new Map<string, Index<T>>();
  readonly #handlers: InformerHandler<T>[] = [];

  constructor(logger: Logger) {
    this.#logger = logger;
    this.addIndex("namespace", (object) => namespaceOf(asKube(object)));
    this.addIndex("owner", (object) => ownerOf(asKube(object)));
  }

  get(key: string): Stored<T> | undefined {
    return this.#objects.get(key);
  }

  list(): readonly Stored<T>[] {
    return [...this.#objects.values()];
  }

  byIndex(name: string, value: string): readonly Stored<T>[] {
    const index = this.#indexes.get(name);
    if (!index) throw new Error(`bug: no index ${name}`);
    return [...(index.objects.get(value)?.values() ?? [])];
  }

  addIndex(name: string, valuesOf: IndexFunction<T>): void {
    if (this.#indexes.has(name)) return;
    const index = { valuesOf, objects: new Map<string, Map<string, Stored<T>>>() };
    this.#indexes.set(name, index);
    for (const [key, object] of this.#objects) enter(index, key, object);
  }

  /** The handler sees what is here already, then every change. */
  on(handler: InformerHandler<T>): void {
    this.#handlers.push(handler);
    for (const object of this.#objects.values()) this.#tell(() => handler.onSet?.(object, undefined));
  }

  /** A state that is here already changes nothing. */
  set(object: Stored<T>): void {
    const key = keyOf(object);
    const old = this.#objects.get(key);
    if (old && old.metadata.resourceVersion === object.metadata.resourceVersion && old.metadata.uid === object.metadata.uid) return;
    // Another object under the same name: the one before was deleted, and nobody told.
    if (old && old.metadata.uid !== object.metadata.uid) return this.#replace(old, object);
    for (const index of this.#indexes.values()) {
      if (old) leave(index, key, old);
      enter(index, key, object);
    }
    this.#objects.set(key, object);
    for (const handler of this.#handlers) this.#tell(() => handler.onSet?.(object, old));
  }

  /** `object` is the last state, for the handlers. */
  delete(object: Stored<T>): void {
    const key = keyOf(object);
    const old = this.#objects.get(key);
    if (!old) return;
    for (const index of this.#indexes.values()) leave(index, key, old);
    this.#objects.delete(key);
    for (const handler of this.#handlers) this.#tell(() => handler.onDelete?.(object));
  }

  /** The cache becomes exactly `objects`; handlers are told the difference. */
  reset(objects: readonly Stored<T>[]): void {
    const keys = new Set(objects.map((object) => keyOf(object)));
    for (const [key, object] of this.#objects) if (!keys.has(key)) this.delete(object);
    for (const object of objects) this.set(object);
  }

  #replace(old: Stored<T>, object: Stored<T>): void {
    this.delete(old);
    this.set(object);
  }

  #tell(call: () => void): void {
    try {
      call();
    } catch (error) {
      this.#logger.error("bug: an informer's handler threw", { error });
    }
  }
}

function enter<T extends object>(index: Index<T>, key: string, object: Stored<T>): void {
  for (const value of index.valuesOf(object)) {
    const objects = index.objects.get(value);
    if (objects) objects.set(key, object);
    else index.objects.set(value, new Map([[key, object]]));
  }
}

function leave<T extends object>(index: Index<T>, key: string, object: Stored<T>): void {
  for (const value of index.valuesOf(object)) {
    const objects = index.objects.get(value);
    objects?.delete(key);
    if (objects?.size === 0) index.objects.delete(value);
  }
}
