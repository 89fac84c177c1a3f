/**
 * The store's logic, shared by all its implementations: revisions, compare-and-set, group commit, lists now and in the past, watches and
 * compaction, all in memory. What survives a restart is the log's part (see log.ts): a batch is committed to it before anybody sees it.
 */
import type { Clock, Instant, Timer } from "../base/clock.ts";
import type { TurnEnd } from "../base/turn-end.ts";
import { History } from "./history.ts";
import type { Log } from "./log.ts";
import { endOfPrefix, SortedEntries } from "./sorted-entries.ts";
import type { Change, Entry, ListOptions, ListResult, Revision, Store, WatchHandlers, WatchResult, Write, WriteResult } from "./store.ts";
import { Watchers } from "./watchers.ts";

/** How much history is kept; what is beyond is compacted without being asked. Whichever bound is met first counts. */
export interface HistoryBounds {
  readonly changesMax: number;
  /** Characters of the changes' texts. */
  readonly textLengthMax: number;
  readonly ageMs: number;
}

export const DEFAULT_HISTORY: HistoryBounds = { changesMax: 40_000, textLengthMax: 48 * 2 ** 20, ageMs: 5 * 60_000 };

export interface CoreOptions {
  readonly clock: Clock;
  readonly turnEnd: TurnEnd;
  readonly history: HistoryBounds;
  /** The log could not keep a batch: the store is closed, and whoever runs the process has to know. */
  readonly onFailure: (error: Error) => void;
}

/** Compaction forgets this many changes at a time. */
const FORGET_CHANGES = 512;
/** History gets an age mark this often at most. */
const MARK_EVERY_MS = 30_000;

/** An answer that waits for the batch it depends on. */
interface Waiting {
  readonly result: WriteResult;
  readonly resolve: (result: WriteResult) => void;
  readonly reject: (error: Error) => void;
}

interface Mark {
  readonly at: Instant;
  readonly revision: Revision;
}

export class StoreCore implements Store {
  readonly #log: Log;
  readonly #options: CoreOptions;
  readonly #entries = new SortedEntries();
  readonly #history: History;
  readonly #watchers = new Watchers();
  #revision: Revision;
  #staged: Change[] = [];
  /** The newest staged change of each key. */
  #stagedByKey = new Map<string, Change>();
  #waiting: Waiting[] = [];
  #commitDue = false;
  #closed: Error | undefined;
  #marks: Mark[] = [];
  #ageTimer: Timer | undefined;

  constructor(log: Log, options: CoreOptions) {
    this.#log = log;
    this.#options = options;
    const { compacted, entries, changes } = log.remembered;
    this.#history = new History(compacted);
    for (const entry of entries) this.#entries.set(entry);
    for (const { kind, entry } of changes) this.#apply({ kind, entry, previous: this.#entries.get(entry.key) });
    this.#revision = compacted + this.#history.length;
    if (this.#history.length > 0) this.#mark();
  }

  get revision(): Revision {
    return this.#revision;
  }

  get compactedRevision(): Revision {
    return this.#history.compacted;
  }

  get(key: string): Entry | undefined {
    return this.#entries.get(key);
  }

  count(prefix: string): number {
    return this.#entries.countRange(prefix, endOfPrefix(prefix));
  }

  list(prefix: string, options: ListOptions = {}): ListResult {
    const { after, limit = Infinity, at = this.#revision } = options;
    if (at < this.#history.compacted) return { ok: false, reason: "compacted" };
    if (at > this.#revision) return { ok: false, reason: "future" };
    const end = endOfPrefix(prefix);
    const from = after !== undefined && after >= prefix ? `${after}\0` : prefix;
    if (at === this.#revision) {
      const entries = this.#entries.range(from, end).take(limit).toArray();
      const remaining = limit === Infinity ? 0 : this.#entries.countRange(from, end) - entries.length;
      return { ok: true, entries, revision: at, remaining };
    }
    const changed = this.#history.stateAt(at, prefix);
    const then = [...changed].filter(([key, entry]) => entry !== undefined && key >= from).map(([, entry]) => entry as Entry).sort((a, b) => (a.key < b.key ? -1 : 1));
    const all = merge(this.#entries.range(from, end).filter((entry) => !changed.has(entry.key)), then);
    const entries: Entry[] = [];
    let remaining = 0;
    for (const entry of all) {
      if (entries.length < limit) entries.push(entry);
      else remaining++;
    }
    return { ok: true, entries, revision: at, remaining };
  }

  write(write: Write): Promise<WriteResult> {
    if (this.#closed) return Promise.reject(this.#closed);
    const { key, expect, kind } = write;
    const staged = this.#stagedByKey.get(key);
    const current = staged ? (staged.kind === "put" ? staged.entry : undefined) : this.#entries.get(key);
    if ((expect !== undefined && expect !== (current?.revision ?? 0)) || (kind === "delete" && !current)) {
      // What is not on disk yet is not told either: such an answer waits for the batch.
      const result = { ok: false, current } as const;
      return staged ? new Promise((resolve, reject) => void this.#waiting.push({ result, resolve, reject })) : Promise.resolve(result);
    }
    const revision = this.#revision + this.#staged.length + 1;
    return new Promise((resolve, reject) => {
      const entry = { key, value: write.value(revision), revision };
      const change = { kind, entry, previous: current };
      this.#staged.push(change);
      this.#stagedByKey.set(key, change);
      this.#waiting.push({ result: { ok: true, entry }, resolve, reject });
      this.#commitAtTurnEnd();
    });
  }

  watch(prefix: string, from: Revision, handlers: WatchHandlers): WatchResult {
    if (from < this.#history.compacted) return { ok: false, reason: "compacted" };
    const missed = this.#history.after(from).filter((c) => c.entry.key.startsWith(prefix)).toArray();
    const stop = this.#watchers.add(prefix, Math.max(from, this.#revision), handlers);
    if (missed.length > 0) handlers.onChanges(missed);
    if (from < this.#revision) handlers.onProgress?.(this.#revision);
    return { ok: true, stop };
  }

  async compact(revision: Revision): Promise<void> {
    const target = Math.min(revision, this.#revision);
    while (this.#history.compacted < target) {
      if (this.#closed) throw this.#closed;
      this.#commit([], Math.min(FORGET_CHANGES, target - this.#history.compacted));
      await new Promise<void>((resolve) => this.#options.turnEnd(resolve));
    }
  }

  close(): Promise<void> {
    if (!this.#closed) {
      this.#commitStaged();
      this.#ageTimer?.cancel();
      this.#closed ??= new Error("the store is closed");
      this.#log.close();
    }
    return Promise.resolve();
  }

  #commitAtTurnEnd(): void {
    if (this.#commitDue) return;
    this.#commitDue = true;
    this.#options.turnEnd(() => {
      this.#commitDue = false;
      if (!this.#closed) this.#commitStaged();
    });
  }

  #commitStaged(): void {
    const changes = this.#staged;
    const waiting = this.#waiting;
    if (waiting.length === 0) return;
    this.#staged = [];
    this.#stagedByKey = new Map();
    this.#waiting = [];
    this.#commit(changes, this.#forgetWith(changes.length));
    const error = this.#closed;
    // Watchers come first: whoever waits for a write finds it in every cache of this process.
    try {
      if (!error) this.#watchers.deliver(changes, this.#revision);
    } finally {
      for (const { result, resolve, reject } of waiting) {
        if (error) reject(error);
        else resolve(result);
      }
    }
  }

  /** How many old changes a batch of `count` new ones pushes out. */
  #forgetWith(count: number): number {
    const { changesMax, textLengthMax } = this.#options.history;
    const isOver = this.#history.length + count > changesMax || this.#history.textLength > textLengthMax;
    return isOver ? Math.min(Math.max(FORGET_CHANGES, 2 * count), this.#history.length) : 0;
  }

  /** Commits to the log, then to memory. A log that fails closes the store. */
  #commit(appended: readonly Change[], forget: number): void {
    const forgotten = this.#history.oldest(forget);
    try {
      this.#log.commit({ appended, forgotten, compacted: this.#history.compacted + forgotten.length });
    } catch (cause) {
      this.#fail(cause);
      return;
    }
    this.#history.forget(forgotten.length);
    for (const change of appended) this.#apply(change);
    this.#revision += appended.length;
    if (appended.length > 0) this.#mark();
  }

  #apply(change: Change): void {
    this.#history.append(change);
    if (change.kind === "put") this.#entries.set(change.entry);
    else this.#entries.delete(change.entry.key);
  }

  #fail(cause: unknown): void {
    const why = cause instanceof Error ? cause.message : String(cause);
    this.#closed = new Error(`the store could not write to disk and is closed: ${why}`, { cause });
    this.#ageTimer?.cancel();
    try {
      this.#log.close();
    } finally {
      this.#options.onFailure(this.#closed);
    }
  }

  /** Remembers when this revision was new, so that history can be forgotten by age. Timers run only while there is history. */
  #mark(): void {
    const at = this.#options.clock.now();
    const last = this.#marks.at(-1);
    if (last && at - last.at < MARK_EVERY_MS) this.#marks[this.#marks.length - 1] = { at: last.at, revision: this.#revision };
    else this.#marks.push({ at, revision: this.#revision });
    this.#armAgeTimer();
  }

  #armAgeTimer(): void {
    const oldest = this.#marks[0];
    if (!oldest || this.#ageTimer || this.#closed) return;
    const due = oldest.at + MARK_EVERY_MS + this.#options.history.ageMs;
    this.#ageTimer = this.#options.clock.after(due - this.#options.clock.now(), () => {
      const { revision } = this.#marks.shift() ?? oldest;
      // A failing log has closed the store and told so; there is nobody else to tell.
      const armNext = () => {
        this.#ageTimer = undefined;
        this.#armAgeTimer();
      };
      this.compact(revision).then(armNext, armNext);
    });
  }
}

/** Both are sorted by key and share none. */
function* merge(left: IteratorObject<Entry>, right: readonly Entry[]): Generator<Entry, void> {
  let i = 0;
  for (const entry of left) {
    for (let next = right[i]; next && next.key < entry.key; next = right[++i]) yield next;
    yield entry;
  }
  yield* right.slice(i);
}
