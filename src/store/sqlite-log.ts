/**
 * A log on disk (node:sqlite): a row a change, a transaction a batch, flushed before `commit` returns. Compaction deletes the rows that a
 * forgotten change replaced, in the same transaction, so what is left can always be replayed: rows up to the compacted revision are current
 * values, rows above it are the history. Values are parsed when somebody looks at them, not at start.
 */
import { DatabaseSync, type StatementSync } from "node:sqlite";
import type { Batch, Log, Remembered } from "./log.ts";
import type { Change, Entry, Revision } from "./store.ts";
import { TextValue } from "./text-value.ts";

/** The format of the file; another number is another format, which this code does not read. */
const FORMAT = 1;
/** The write-ahead log is copied back after this many pages. */
const CHECKPOINT_PAGES = 500;

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS changes (revision INTEGER PRIMARY KEY, deleted INTEGER NOT NULL, key TEXT NOT NULL, text TEXT NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  INSERT OR IGNORE INTO facts VALUES ('format', ${FORMAT}), ('compacted', 0);
`;

interface Row {
  readonly revision: number;
  readonly deleted: number;
  readonly key: string;
  readonly text: string;
}

const entryOf = ({ key, revision, text }: Row): Entry => ({ key, revision, value: new TextValue(text) });

function* map<A, B>(items: Iterable<A>, toB: (item: A) => B): Generator<B, void> {
  for (const item of items) yield toB(item);
}

export class SqliteLog implements Log {
  readonly remembered: Remembered;
  readonly #database: DatabaseSync;
  readonly #insert: StatementSync;
  readonly #delete: StatementSync;
  readonly #setCompacted: StatementSync;
  #compacted: Revision;

  /** Throws with `errcode` 5 (busy) when another process holds the file. */
  constructor(file: string) {
    this.#database = new DatabaseSync(file, { timeout: 0 });
    // Exclusive locking is what refuses a second process, and it spares the shared-memory file.
    this.#database.exec(`PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=${CHECKPOINT_PAGES}; PRAGMA temp_store=MEMORY;`);
    this.#database.exec(`BEGIN IMMEDIATE; ${SCHEMA} COMMIT;`);
    const format = this.#fact("format");
    if (format !== FORMAT) throw new Error(`${file} has format ${format}, this version of stint reads format ${FORMAT}`);
    this.#compacted = this.#fact("compacted");
    this.#insert = this.#database.prepare("INSERT INTO changes (revision, deleted, key, text) VALUES (?, ?, ?, ?)");
    this.#delete = this.#database.prepare("DELETE FROM changes WHERE revision = ?");
    this.#setCompacted = this.#database.prepare("UPDATE facts SET value = ? WHERE name = 'compacted'");
    this.remembered = this.#remember();
  }

  commit({ appended, forgotten, compacted }: Batch): void {
    this.#database.exec("BEGIN IMMEDIATE");
    try {
      for (const { kind, entry } of appended) this.#insert.run(entry.revision, kind === "delete" ? 1 : 0, entry.key, entry.value.text);
      for (const change of forgotten) this.#forget(change);
      if (compacted !== this.#compacted) this.#setCompacted.run(compacted);
      this.#database.exec("COMMIT");
    } catch (error) {
      if (this.#database.isTransaction) this.#database.exec("ROLLBACK");
      throw error;
    }
    this.#compacted = compacted;
  }

  close(): void {
    this.#database.close();
  }

  #forget({ kind, entry, previous }: Change): void {
    if (previous) this.#delete.run(previous.revision);
    if (kind === "delete") this.#delete.run(entry.revision);
  }

  #remember(): Remembered {
    const select = (where: string) => this.#database.prepare(`SELECT revision, deleted, key, text FROM changes WHERE revision ${where} ? ORDER BY revision`).iterate(this.#compacted) as unknown as Iterable<Row>;
    return {
      compacted: this.#compacted,
      entries: map(select("<="), entryOf),
      changes: map(select(">"), (row) => ({ kind: row.deleted ? ("delete" as const) : ("put" as const), entry: entryOf(row) })),
    };
  }

  #fact(name: string): number {
    const row = this.#database.prepare("SELECT value FROM facts WHERE name = ?").get(name);
    return Number(row?.["value"] ?? 0);
  }
}
