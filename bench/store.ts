/** Writes a second of the stores, with 1, 8 and 64 writers, and the time to open a store of many objects. Run: node bench/store.ts */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openDurableStore } from "../src/store/durable-store.ts";
import { openMemoryStore } from "../src/store/memory-store.ts";
import type { Store } from "../src/store/store.ts";

const OBJECT_CHARACTERS = 3000;
const SECONDS = 2;
const OBJECTS = 20_000;

const padding = "x".repeat(OBJECT_CHARACTERS);
const write = (store: Store, key: string) =>
  store.write({
    key,
    kind: "put",
    value: (revision) => {
      const object = Object.freeze({ key, revision, padding });
      return { object, text: JSON.stringify(object) };
    },
  });

async function writesPerSecond(store: Store, writers: number): Promise<number> {
  const begin = performance.now();
  let writes = 0;
  const one = async (writer: number) => {
    for (let n = 0; performance.now() - begin < SECONDS * 1000; n++) {
      await write(store, `/bench/${writer}/${n % 100}`);
      writes++;
    }
  };
  await Promise.all(Array.from({ length: writers }, (_, writer) => one(writer)));
  return Math.round((writes / (performance.now() - begin)) * 1000);
}

const home = mkdtempSync(join(tmpdir(), "stint-bench-"));
const kinds = { memory: () => openMemoryStore(), durable: () => openDurableStore(join(home, "writes")) };
for (const [name, open] of Object.entries(kinds)) {
  const store = open();
  for (const writers of [1, 8, 64]) console.log(`${name} ${writers} writers: ${await writesPerSecond(store, writers)} writes/s`);
  await store.close();
}

const big = openDurableStore(join(home, "big"));
for (let i = 0; i < OBJECTS; i += 500) await Promise.all(Array.from({ length: 500 }, (_, n) => write(big, `/objects/${i + n}`)));
await big.close();
const begin = performance.now();
const reopened = openDurableStore(join(home, "big"));
const opened = performance.now();
const list = reopened.list("/objects/");
for (const entry of list.ok ? list.entries : []) Object.keys(entry.value.object);
console.log(`open ${OBJECTS} objects: ${Math.round(opened - begin)} ms, parse them all: ${Math.round(performance.now() - opened)} ms`);
await reopened.close();
rmSync(home, { recursive: true });
