/**
 * One store watch per storage, fanned out to all who watch it. A change is turned into events once; watchers share the event objects, so that the
 * server can share their bytes. Open while somebody watches. Buffers nothing: a sink that is too slow is its owner's to stop.
 */
import type { KubeObject } from "../api/object.ts";
import type { WatchEvent } from "../api/request.ts";
import type { Change, Revision, Store } from "../store/store.ts";
import { objectOf } from "./call.ts";
import { withRevision } from "./objects.ts";

/** A change with the events that it can be, each made once. */
export class ChangeEvents {
  readonly revision: Revision;
  readonly key: string;
  readonly object: KubeObject;
  readonly previous: KubeObject | undefined;
  readonly gone: boolean;
  readonly #made: Partial<Record<"ADDED" | "MODIFIED" | "DELETED", WatchEvent>> = {};

  constructor({ kind, entry, previous }: Change, fromStored: (object: KubeObject) => KubeObject) {
    this.revision = entry.revision;
    this.key = entry.key;
    this.gone = kind === "delete";
    this.object = fromStored(objectOf(entry));
    this.previous = previous && fromStored(objectOf(previous));
  }

  event(type: "ADDED" | "MODIFIED" | "DELETED"): WatchEvent {
    return (this.#made[type] ??= { type, object: this.#objectOf(type) });
  }

  /** An object that leaves a selection is shown as it last was in it, with the version of the change. */
  #objectOf(type: "ADDED" | "MODIFIED" | "DELETED"): KubeObject {
    return type === "DELETED" && !this.gone && this.previous ? withRevision(this.previous, this.revision) : this.object;
  }
}

export interface HubListener {
  onChanges(changes: readonly ChangeEvents[]): void;
}

export class WatchHub {
  readonly #store: Store;
  readonly #prefix: string;
  readonly #fromStored: (object: KubeObject) => KubeObject;
  readonly #listeners = new Set<HubListener>();
  #stop: (() => void) | undefined;
  #delivered: Revision = 0;

  constructor(store: Store, prefix: string, fromStored: (object: KubeObject) => KubeObject) {
    this.#store = store;
    this.#prefix = prefix;
    this.#fromStored = fromStored;
  }

  /** All changes up to here have reached the listeners. */
  get delivered(): Revision {
    return this.#delivered;
  }

  /** From now on; what is being delivered at this moment may come too. */
  add(listener: HubListener): void {
    this.#listeners.add(listener);
    if (!this.#stop) this.#open();
  }

  remove(listener: HubListener): void {
    this.#listeners.delete(listener);
    if (this.#listeners.size > 0) return;
    this.#stop?.();
    this.#stop = undefined;
  }

  /** Changes after `from` that are in the log; undefined where they are forgotten. */
  replay(from: Revision): readonly ChangeEvents[] | undefined {
    const changes: ChangeEvents[] = [];
    const result = this.#store.watch(this.#prefix, from, { onChanges: (batch) => void changes.push(...batch.map((change) => new ChangeEvents(change, this.#fromStored))) });
    if (!result.ok) return undefined;
    result.stop();
    return changes;
  }

  #open(): void {
    this.#delivered = this.#store.revision;
    const result = this.#store.watch(this.#prefix, this.#delivered, {
      onChanges: (batch) => this.#deliver(batch),
      onProgress: (revision) => void (this.#delivered = Math.max(this.#delivered, revision)),
    });
    if (result.ok) this.#stop = result.stop;
  }

  #deliver(batch: readonly Change[]): void {
    const changes = batch.map((change) => new ChangeEvents(change, this.#fromStored));
    this.#delivered = changes.at(-1)?.revision ?? this.#delivered;
    for (const listener of this.#listeners) listener.onChanges(changes);
  }
}
