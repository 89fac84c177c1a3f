import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterAll, describe, expect, test } from "vitest";
import { openDurableStore, type DurableStoreOptions } from "./durable-store.ts";
import { SqliteLog } from "./sqlite-log.ts";
import { StoreCore, DEFAULT_HISTORY } from "./core.ts";
import { listed, put, remove, testStore } from "./store.contract.ts";
import type { Change, Store } from "./store.ts";
import { systemClock } from "../base/clock.ts";
import { systemTurnEnd } from "../base/turn-end.ts";

const home = mkdtempSync(join(tmpdir(), "stint-store-"));
afterAll(() => rmSync(home, { recursive: true }));
let opened = 0;
const directory = () => join(home, String(opened++));

testStore("durable", () => openDurableStore(directory()));

async function reopened(fill: (store: Store) => Promise<unknown>, options?: DurableStoreOptions): Promise<Store> {
  const path = directory();
  const before = openDurableStore(path, options);
  await fill(before);
  await before.close();
  return openDurableStore(path);
}

describe("after a restart the durable store", () => {
  test("has its entries, frozen, its revision and its history", async () => {
    const store = await reopened(async (s) => {
      await put(s, "/a", "1");
      await put(s, "/b", "2");
      await put(s, "/a", "3");
      await remove(s, "/b");
    });
    expect(store.revision).toBe(4);
    expect(listed(store, "")).toEqual(["/a=3"]);
    expect(listed(store, "", 2)).toEqual(["/a=1", "/b=2"]);
    expect(Object.isFrozen(store.get("/a")?.value.object)).toBe(true);
    const seen: Change[] = [];
    store.watch("/", 2, { onChanges: (changes) => seen.push(...changes) });
    expect(seen.map((c) => [c.kind, c.entry.revision, c.previous?.revision])).toEqual([["put", 3, 1], ["delete", 4, 2]]);
    await store.close();
  });

  test("remembers what was compacted and gives no revision again, also when the last change was a compacted delete", async () => {
    const store = await reopened(async (s) => {
      await put(s, "/a", "1");
      await put(s, "/b", "2");
      await remove(s, "/b");
      await s.compact(3);
    });
    expect([store.revision, store.compactedRevision]).toEqual([3, 3]);
    expect(listed(store, "")).toEqual(["/a=1"]);
    expect(await put(store, "/c", "3")).toMatchObject({ ok: true, entry: { revision: 4 } });
    await store.close();
  });

  test("keeps no rows that nobody can ask for", async () => {
    const path = directory();
    const store = openDurableStore(path, { history: { changesMax: 600 } });
    for (let round = 0; round < 40; round++) await Promise.all(Array.from({ length: 100 }, (_, i) => put(store, `/k${i}`, String(round))));
    for (let i = 0; i < 50; i++) await remove(store, `/k${i}`);
    await store.compact(store.revision);
    await store.close();
    const database = new DatabaseSync(join(path, "store.db"));
    expect(database.prepare("SELECT count(*) AS n FROM changes").get()).toEqual({ n: 50 });
    database.close();
  });
});

test("a second process on one directory is refused, with the directory and the first one's pid", async () => {
  const path = directory();
  const store = openDurableStore(path);
  expect(() => openDurableStore(path)).toThrow(`the store in ${path} is in use by another process (pid ${process.pid})`);
  await store.close();
  await openDurableStore(path).close();
});

test("a disk that fails closes the store: the write rejects, nobody sees it, the failure is told once", async () => {
  const log = new SqliteLog(join(home, "failing.db"));
  const failures: Error[] = [];
  const seen: Change[] = [];
  const failing = {
    remembered: log.remembered,
    close: () => log.close(),
    commit: () => {
      throw new Error("disk I/O error");
    },
  };
  const store = new StoreCore(failing, { clock: systemClock, turnEnd: systemTurnEnd, history: DEFAULT_HISTORY, onFailure: (error) => failures.push(error) });
  store.watch("", 0, { onChanges: (changes) => seen.push(...changes) });
  const writes = await Promise.allSettled([put(store, "/a", "1"), put(store, "/a", "2", 0)]);
  expect(writes.map((w) => w.status)).toEqual(["rejected", "rejected"]);
  await expect(put(store, "/b", "1")).rejects.toThrow("the store could not write to disk and is closed: disk I/O error");
  expect(store.get("/a")).toBeUndefined();
  expect(seen).toEqual([]);
  expect(failures).toHaveLength(1);
});
