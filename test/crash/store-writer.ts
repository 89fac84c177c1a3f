/** Writes to a durable store with many writers at once until it is killed; says each acknowledged write on standard output. */
import { writeSync } from "node:fs";
import { openDurableStore } from "../../src/store/durable-store.ts";

const WRITERS = 16;
const [directory = "", round = ""] = process.argv.slice(2);
// Little history, so that compaction is going on whenever the kill comes.
const store = openDurableStore(directory, { history: { changesMax: 600 } });

async function write(writer: number): Promise<void> {
  for (let n = 0; ; n++) {
    const key = `/kept/${round}/${writer}/${n}`;
    const value = (object: object) => () => ({ object, text: JSON.stringify(object) });
    const kept = await store.write({ key, kind: "put", expect: 0, value: value({ key }) });
    if (kept.ok) writeSync(1, `${key} ${kept.entry.revision}\n`);
    const busy = await store.write({ key: `/busy/${writer}`, kind: "put", value: value({ round, n }) });
    if (busy.ok && n % 3 === 0) await store.write({ key: `/busy/${writer}`, kind: "delete", value: value({ round, n }) });
  }
}

await Promise.all(Array.from({ length: WRITERS }, (_, writer) => write(writer)));
