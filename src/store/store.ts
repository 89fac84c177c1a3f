/**
 * The store's contract: an append-only log of key changes. Every change has a revision of its own, one above the change before it, for the
 * whole store. Knows nothing of Kubernetes: a value is a frozen JSON object that the caller made, and its text.
 *
 * Promises: a `write` that resolved with `ok: true` is on disk (durable store); no revision is ever given twice, crashes included; nobody sees
 * a change before it is on disk; a watch from revision N delivers every change after N once, in order, or ends with "compacted".
 * Values are shared between all readers and never copied: they are deeply frozen by the caller.
 */
export type Revision = number;

export interface Value {
  /** The object itself, deeply frozen. */
  readonly object: object;
  /** Its JSON text: made once, stored as it is, sent as it is. */
  readonly text: string;
}

export interface Entry {
  readonly key: string;
  readonly value: Value;
  /** The revision of the change that made this value. */
  readonly revision: Revision;
}

export interface Write {
  readonly key: string;
  /** What the key must be at before the write: a revision, 0 for "absent". Left out: anything. */
  readonly expect?: Revision;
  /**
   * Called synchronously when the revision is known. For a put: the new value. For a delete: the last state, which watchers get
   * (it carries the delete's revision where the caller stamps one).
   */
  readonly value: (revision: Revision) => Value;
  readonly kind: "put" | "delete";
}

/** A failed expectation is an outcome, not an error. `current` is what is there (undefined: nothing). */
export type WriteResult =
  | { readonly ok: true; readonly entry: Entry }
  | { readonly ok: false; readonly current: Entry | undefined };

export interface Change {
  readonly kind: "put" | "delete";
  readonly entry: Entry;
  /** The entry before the change; undefined where the key was absent. */
  readonly previous: Entry | undefined;
}

export interface ListOptions {
  /** Only keys after this one (exclusive). */
  readonly after?: string;
  readonly limit?: number;
  /** As it was at this revision; left out: now. */
  readonly at?: Revision;
}

export type ListResult =
  | { readonly ok: true; readonly entries: readonly Entry[]; readonly revision: Revision; /** How many more there are beyond `limit`. */ readonly remaining: number }
  | { readonly ok: false; readonly reason: "compacted" | "future" };

export interface WatchHandlers {
  /** Called once per batch of committed changes of the prefix, in order of revision. Must not throw; must not block. */
  readonly onChanges: (changes: readonly Change[]) => void;
  /** All changes up to `revision` were delivered (also when none of them was of the prefix). */
  readonly onProgress?: (revision: Revision) => void;
}

export type WatchResult =
  | { readonly ok: true; readonly stop: () => void }
  | { readonly ok: false; readonly reason: "compacted" };

export interface Store {
  /** The revision of the newest change that is on disk; 0 when nothing was ever written. */
  readonly revision: Revision;
  /** Changes up to here (inclusive) are forgotten: a watch from a revision below it, or a list at one, is refused. */
  readonly compactedRevision: Revision;
  get(key: string): Entry | undefined;
  /** Entries whose key begins with `prefix`, in the keys' order. */
  list(prefix: string, options?: ListOptions): ListResult;
  /** How many keys begin with `prefix` now. */
  count(prefix: string): number;
  /** Writes of one event-loop turn are committed together. Rejects only where the disk fails: the store is closed then. */
  write(write: Write): Promise<WriteResult>;
  /** Delivers changes after `from` of keys that begin with `prefix`: first those in the log (synchronously, before it returns), then new ones. */
  watch(prefix: string, from: Revision, handlers: WatchHandlers): WatchResult;
  /** Forgets the history up to `revision`; current values stay. */
  compact(revision: Revision): Promise<void>;
  /** Finishes what was begun, then closes; further calls reject. */
  close(): Promise<void>;
}
