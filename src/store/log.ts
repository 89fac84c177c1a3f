/**
 * The port between the store's logic and what keeps it: a log takes one batch at a time, whole or not at all.
 */
import type { Change, Entry, Revision } from "./store.ts";

export interface Batch {
  /** New changes, in order of revision. */
  readonly appended: readonly Change[];
  /** The oldest remembered changes: what they replaced is not needed any more, nor they themselves where they are deletes. */
  readonly forgotten: readonly Change[];
  /** The compacted revision after this batch. */
  readonly compacted: Revision;
}

/** What a log held when it was opened. */
export interface Remembered {
  readonly compacted: Revision;
  /** Values that were current at `compacted`, in any order. */
  readonly entries: Iterable<Entry>;
  /** The changes after `compacted`, in order of revision. */
  readonly changes: Iterable<Omit<Change, "previous">>;
}

export interface Log {
  readonly remembered: Remembered;
  /** Returns when the batch is kept for good; throws when it is not, and the store is closed then. */
  commit(batch: Batch): void;
  close(): void;
}

/** Keeps nothing. */
export const emptyLog: Log = { remembered: { compacted: 0, entries: [], changes: [] }, commit() {}, close() {} };
