/**
 * The current entries in the order of their keys: a list of sorted chunks, so that insertion stays cheap with 100,000 keys and a prefix is
 * found by two binary searches. Knows no revisions and no history.
 */
import type { Entry } from "./store.ts";

/** A chunk is split in two when it grows beyond this. */
const CHUNK_ENTRIES_MAX = 512;

interface Slot {
  readonly key: string;
  entry: Entry;
}

interface Position {
  readonly chunk: number;
  readonly index: number;
}

/** The least string above all strings that begin with `prefix`; undefined when there is none. */
export function endOfPrefix(prefix: string): string | undefined {
  for (let i = prefix.length - 1; i >= 0; i--) {
    const code = prefix.charCodeAt(i);
    if (code < 0xffff) return prefix.slice(0, i) + String.fromCharCode(code + 1);
  }
  return undefined;
}

/** The first index in [0, length) for which `isAtOrAfter` holds; `length` when there is none. */
function firstIndex(length: number, isAtOrAfter: (index: number) => boolean): number {
  let low = 0;
  let high = length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (isAtOrAfter(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}

export class SortedEntries {
  #slots = new Map<string, Slot>();
  #chunks: Slot[][] = [];

  get size(): number {
    return this.#slots.size;
  }

  get(key: string): Entry | undefined {
    return this.#slots.get(key)?.entry;
  }

  set(entry: Entry): void {
    const known = this.#slots.get(entry.key);
    if (known) {
      known.entry = entry;
      return;
    }
    const slot = { key: entry.key, entry };
    this.#slots.set(entry.key, slot);
    this.#insert(slot);
  }

  delete(key: string): void {
    if (!this.#slots.delete(key)) return;
    const { chunk, index } = this.#seek(key);
    const slots = this.#chunks[chunk];
    slots?.splice(index, 1);
    if (slots?.length === 0) this.#chunks.splice(chunk, 1);
  }

  /** Entries with `from` <= key < `to`, in order. Not to be held over a change. */
  *range(from: string, to: string | undefined): Generator<Entry, void> {
    const start = this.#seek(from);
    for (let c = start.chunk; c < this.#chunks.length; c++) {
      const slots = this.#chunks[c] ?? [];
      for (let i = c === start.chunk ? start.index : 0; i < slots.length; i++) {
        const slot = slots[i];
        if (!slot || (to !== undefined && slot.key >= to)) return;
        yield slot.entry;
      }
    }
  }

  /** How many keys are in `from` <= key < `to`. */
  countRange(from: string, to: string | undefined): number {
    return Math.max(0, (to === undefined ? this.size : this.#rank(this.#seek(to))) - this.#rank(this.#seek(from)));
  }

  #insert(slot: Slot): void {
    // A key that would begin a chunk goes to the end of the one before, so that rising keys fill chunks.
    const at = this.#seek(slot.key);
    const previous = at.index === 0 ? this.#chunks[at.chunk - 1] : undefined;
    const chunk = previous ? at.chunk - 1 : at.chunk;
    const slots = previous ?? this.#chunks[at.chunk];
    if (!slots) {
      this.#chunks.push([slot]);
      return;
    }
    slots.splice(previous ? slots.length : at.index, 0, slot);
    if (slots.length > CHUNK_ENTRIES_MAX) this.#chunks.splice(chunk + 1, 0, slots.splice(CHUNK_ENTRIES_MAX >>> 1));
  }

  /** Where the first key at or after `key` is. */
  #seek(key: string): Position {
    const chunk = firstIndex(this.#chunks.length, (c) => (this.#chunks[c]?.at(-1)?.key ?? "") >= key);
    const slots = this.#chunks[chunk] ?? [];
    return { chunk, index: firstIndex(slots.length, (i) => (slots[i]?.key ?? "") >= key) };
  }

  #rank({ chunk, index }: Position): number {
    let before = index;
    for (let c = 0; c < chunk; c++) before += this.#chunks[c]?.length ?? 0;
    return before;
  }
}
