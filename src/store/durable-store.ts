/**
 * The store on disk: the logic of core.ts over a SQLite log in a directory of its own, which one process at a time may open.
 *
 * Bounds: the writes of one event-loop turn are one transaction, on disk before any of them is answered. History (watches and lists of the
 * past) is kept for 5 minutes, 40,000 changes or 48 Mi characters, whichever is less, and survives a restart.
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { systemClock, type Clock } from "../base/clock.ts";
import { systemTurnEnd, type TurnEnd } from "../base/turn-end.ts";
import { DEFAULT_HISTORY, StoreCore, type HistoryBounds } from "./core.ts";
import { SqliteLog } from "./sqlite-log.ts";
import type { Store } from "./store.ts";

export interface DurableStoreOptions {
  /** Measures the history's age. */
  readonly clock?: Clock;
  readonly turnEnd?: TurnEnd;
  readonly history?: Partial<HistoryBounds>;
  /** The disk failed and the store is closed: every further write rejects. */
  readonly onFailure?: (error: Error) => void;
}

/** SQLite's result code for a file that somebody else has locked. */
const SQLITE_BUSY = 5;

/** Opens the store in `directory`, which is made where it is missing (readable to its owner only). Throws when another process has it open. */
export function openDurableStore(directory: string, options: DurableStoreOptions = {}): Store {
  const { clock = systemClock, turnEnd = systemTurnEnd, history, onFailure = () => undefined } = options;
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const log = openLog(directory);
  return new StoreCore(log, { clock, turnEnd, history: { ...DEFAULT_HISTORY, ...history }, onFailure });
}

function openLog(directory: string): SqliteLog {
  const ownerFile = join(directory, "store.pid");
  try {
    const log = new SqliteLog(join(directory, "store.db"));
    writeFileSync(ownerFile, `${process.pid}\n`);
    return log;
  } catch (error) {
    if (!isBusy(error)) throw new Error(`cannot open the store in ${directory}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
    throw new Error(`the store in ${directory} is in use by another process${ownerOf(ownerFile)}`, { cause: error });
  }
}

const isBusy = (error: unknown) => error instanceof Error && "errcode" in error && error.errcode === SQLITE_BUSY;

/** Who wrote the pid file last; only for the error's text, the lock itself is the database's. */
function ownerOf(file: string): string {
  try {
    return ` (pid ${readFileSync(file, "utf8").trim()})`;
  } catch {
    return "";
  }
}
