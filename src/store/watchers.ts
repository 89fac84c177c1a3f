/**
 * Who watches which prefix. A batch of changes costs work in proportion to its changes and to the distinct lengths of the prefixes that are
 * watched, not to the number of watchers; watchers of one prefix share one array.
 */
import type { Change, Revision, WatchHandlers } from "./store.ts";

interface Watcher {
  readonly handlers: WatchHandlers;
  /** Changes up to here were delivered, or are not wanted. */
  delivered: Revision;
  stopped: boolean;
}

export class Watchers {
  #byPrefix = new Map<string, Set<Watcher>>();
  /** How many prefixes of each length are watched. */
  #lengths = new Map<number, number>();

  /** Delivers changes above `from` from now on; returns how to end it. */
  add(prefix: string, from: Revision, handlers: WatchHandlers): () => void {
    const watcher: Watcher = { handlers, delivered: from, stopped: false };
    let watchers = this.#byPrefix.get(prefix);
    if (!watchers) {
      watchers = new Set();
      this.#byPrefix.set(prefix, watchers);
      this.#lengths.set(prefix.length, (this.#lengths.get(prefix.length) ?? 0) + 1);
    }
    watchers.add(watcher);
    return () => {
      watcher.stopped = true;
      this.#remove(prefix, watcher);
    };
  }

  /** Hands out a batch that is committed. All watchers get theirs, also when a handler throws; the first error is thrown then. */
  deliver(changes: readonly Change[], revision: Revision): void {
    const errors: unknown[] = [];
    const attempt = (call: () => void) => {
      try {
        call();
      } catch (error) {
        errors.push(error);
      }
    };
    for (const [prefix, batch] of this.#split(changes)) {
      for (const watcher of this.#byPrefix.get(prefix) ?? []) {
        const wanted = this.#wanted(watcher, batch);
        if (wanted.length > 0) attempt(() => watcher.handlers.onChanges(wanted));
      }
    }
    for (const watchers of this.#byPrefix.values()) {
      for (const watcher of watchers) {
        if (watcher.stopped || watcher.delivered >= revision) continue;
        watcher.delivered = revision;
        if (watcher.handlers.onProgress) attempt(() => watcher.handlers.onProgress?.(revision));
      }
    }
    if (errors.length > 0) throw errors[0];
  }

  #wanted(watcher: Watcher, batch: readonly Change[]): readonly Change[] {
    if (watcher.stopped) return [];
    const first = batch[0]?.entry.revision ?? 0;
    return watcher.delivered < first ? batch : batch.filter((c) => c.entry.revision > watcher.delivered);
  }

  #split(changes: readonly Change[]): Map<string, Change[]> {
    const batches = new Map<string, Change[]>();
    for (const change of changes) {
      for (const length of this.#lengths.keys()) {
        const prefix = change.entry.key.slice(0, length);
        if (prefix.length !== length || !this.#byPrefix.has(prefix)) continue;
        const batch = batches.get(prefix);
        if (batch) batch.push(change);
        else batches.set(prefix, [change]);
      }
    }
    return batches;
  }

  #remove(prefix: string, watcher: Watcher): void {
    const watchers = this.#byPrefix.get(prefix);
    if (!watchers?.delete(watcher) || watchers.size > 0) return;
    this.#byPrefix.delete(prefix);
    const left = (this.#lengths.get(prefix.length) ?? 1) - 1;
    if (left > 0) this.#lengths.set(prefix.length, left);
    else this.#lengths.delete(prefix.length);
  }
}
