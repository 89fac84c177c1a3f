/**
 * The contract of an informer: a cache of one resource, kept by list and watch, and a call for every object that changed.
 * Handlers get objects only to find keys in them: whoever acts reads the cache again.
 */
import type { Stored } from "../api/object.ts";

export interface InformerHandler<T extends object> {
  /** `old` is undefined when the object is new to the cache. After a re-list an update may skip states and repeat the last one. */
  readonly onSet?: (object: Stored<T>, old: Stored<T> | undefined) => void;
  readonly onDelete?: (object: Stored<T>) => void;
}

export interface Informer<T extends object> {
  get(key: string): Stored<T> | undefined;
  list(): readonly Stored<T>[];
  /** Objects under `value` of an index that was named when the informer was made ("namespace" and "owner" (controller's uid) are always there). */
  byIndex(index: string, value: string): readonly Stored<T>[];
  on(handler: InformerHandler<T>): void;
  readonly hasSynced: boolean;
  /** Resolves when the first list is in the cache and handlers have seen it. */
  synced(signal: AbortSignal): Promise<void>;
  /** Lists and watches until `signal` aborts; retries with back-off; never rejects. */
  run(signal: AbortSignal): Promise<void>;
}
