/**
 * The store of a run, which outlives the servers that are killed over it: in memory, or on disk, where each new server reads it again from the file.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Clock } from "../../src/base/clock.ts";
import { microtaskTurnEnd } from "../../src/base/turn-end.ts";
import { openDurableStore } from "../../src/store/durable-store.ts";
import { openMemoryStore } from "../../src/store/memory-store.ts";
import type { Store } from "../../src/store/store.ts";

export interface KeptStore {
  readonly current: Store;
  /** The process that had it open is gone; another one opens it. */
  reopen(): Promise<void>;
  dispose(): Promise<void>;
}

export function keepInMemory(clock: Clock): KeptStore {
  const current = openMemoryStore({ clock, turnEnd: microtaskTurnEnd });
  return { current, reopen: () => Promise.resolve(), dispose: () => Promise.resolve() };
}

export function keepOnDisk(clock: Clock): KeptStore {
  const directory = mkdtempSync(join(tmpdir(), "stint-sim-"));
  const open = () => openDurableStore(directory, { clock, turnEnd: microtaskTurnEnd });
  let current = open();
  return {
    get current() {
      return current;
    },
    async reopen() {
      await current.close();
      current = open();
    },
    async dispose() {
      await current.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
