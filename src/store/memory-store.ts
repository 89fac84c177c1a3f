/**
 * The store in memory alone: for tests, simulation and servers that are to forget. Same logic as the durable one (core.ts), no log.
 */
import { systemClock, type Clock } from "../base/clock.ts";
import { systemTurnEnd, type TurnEnd } from "../base/turn-end.ts";
import { DEFAULT_HISTORY, StoreCore, type HistoryBounds } from "./core.ts";
import { emptyLog } from "./log.ts";
import type { Store } from "./store.ts";

export interface MemoryStoreOptions {
  /** Measures the history's age. */
  readonly clock?: Clock;
  /** When staged writes are committed: after the turn's I/O, or (`microtaskTurnEnd`) with the microtasks, for a virtual clock. */
  readonly turnEnd?: TurnEnd;
  readonly history?: Partial<HistoryBounds>;
}

/** An empty store that lives as long as the process. */
export function openMemoryStore(options: MemoryStoreOptions = {}): Store {
  const { clock = systemClock, turnEnd = systemTurnEnd, history } = options;
  return new StoreCore(emptyLog, { clock, turnEnd, history: { ...DEFAULT_HISTORY, ...history }, onFailure: () => undefined });
}
