/**
 * The changes that are still remembered, in order of revision, without gaps: a watch from an old revision and a list at one read them.
 * Of a value that was superseded only the text is kept: the past is rarely looked at, and its objects would weigh several times as much.
 */
import { assert } from "../base/assert.ts";
import type { Change, Entry, Revision } from "./store.ts";
import { slim } from "./text-value.ts";

/** Forgotten changes are cut off the front when they are this many, and at least half of what is held. */
const FORGOTTEN_MIN = 1024;

export class History {
  /** Forgotten places are undefined until they are cut off, so that they keep nothing alive. */
  #changes: (Change | undefined)[] = [];
  #begin = 0;
  #compacted: Revision;
  #textLength = 0;

  constructor(compacted: Revision) {
    this.#compacted = compacted;
  }

  /** Changes up to here are forgotten. */
  get compacted(): Revision {
    return this.#compacted;
  }

  get length(): number {
    return this.#changes.length - this.#begin;
  }

  /** Characters of the texts that are held. */
  get textLength(): number {
    return this.#textLength;
  }

  append(change: Change): void {
    assert(change.entry.revision === this.#compacted + this.length + 1, `revision ${change.entry.revision} does not follow ${this.#compacted + this.length}`);
    const { kind, entry, previous } = change;
    this.#changes.push({ kind, entry: kind === "delete" ? slim(entry) : entry, previous: previous && this.#supersede(previous) });
    this.#textLength += change.entry.value.text.length;
  }

  #supersede(previous: Entry): Entry {
    const slimmed = slim(previous);
    const index = this.#begin + previous.revision - this.#compacted - 1;
    const made = index >= this.#begin ? this.#changes[index] : undefined;
    if (made) this.#changes[index] = { ...made, entry: slimmed };
    return slimmed;
  }

  /** Changes with a revision above `from`, oldest first. */
  *after(from: Revision): Generator<Change, void> {
    for (let i = this.#begin + Math.max(0, from - this.#compacted); i < this.#changes.length; i++) {
      const change = this.#changes[i];
      if (change) yield change;
    }
  }

  /** For each key of `prefix` that changed after `at`: what it was at `at`. */
  stateAt(at: Revision, prefix: string): Map<string, Entry | undefined> {
    const state = new Map<string, Entry | undefined>();
    for (const { entry, previous } of this.after(at)) {
      if (entry.key.startsWith(prefix) && !state.has(entry.key)) state.set(entry.key, previous);
    }
    return state;
  }

  /** The oldest changes, `count` at most. */
  oldest(count: number): readonly Change[] {
    return this.#changes.slice(this.#begin, this.#begin + count).filter((change) => change !== undefined);
  }

  /** Forgets the `count` oldest. */
  forget(count: number): void {
    const end = Math.min(this.#begin + count, this.#changes.length);
    for (let i = this.#begin; i < end; i++) {
      this.#textLength -= this.#changes[i]?.entry.value.text.length ?? 0;
      this.#changes[i] = undefined;
    }
    this.#compacted += end - this.#begin;
    this.#begin = end;
    if (this.length === 0 || (this.#begin >= FORGOTTEN_MIN && this.#begin * 2 >= this.#changes.length)) {
      this.#changes = this.#changes.slice(this.#begin);
      this.#begin = 0;
    }
  }
}
