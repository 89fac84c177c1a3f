/** Kills a writing process without warning, several times over one directory, and looks at what is left. */
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { afterAll, expect, test } from "vitest";
import { openDurableStore } from "../../src/store/durable-store.ts";

const ROUNDS = 5;
const directory = mkdtempSync(join(tmpdir(), "stint-crash-"));
afterAll(() => rmSync(directory, { recursive: true }));

/** What the writer acknowledged before it was killed, at about the `killAfter`th acknowledgement. */
async function acknowledgedUntilKilled(round: number, killAfter: number): Promise<Map<string, number>> {
  const child = spawn(process.execPath, [fileURLToPath(new URL("store-writer.ts", import.meta.url)), directory, String(round)], { stdio: ["ignore", "pipe", "inherit"] });
  const acknowledged = new Map<string, number>();
  for await (const line of createInterface(child.stdout)) {
    const [key = "", revision] = line.split(" ");
    acknowledged.set(key, Number(revision));
    if (acknowledged.size === killAfter) child.kill("SIGKILL");
  }
  return acknowledged;
}

test("kill -9 among concurrent writers loses nothing that was acknowledged and gives no revision twice", { timeout: 60_000 }, async () => {
  const all = new Map<string, number>();
  for (let round = 0; round < ROUNDS; round++) {
    const acknowledged = await acknowledgedUntilKilled(round, 150 + 211 * round);
    expect(acknowledged.size).toBeGreaterThan(100);
    for (const [key, revision] of acknowledged) all.set(key, revision);
    const store = openDurableStore(directory, { history: { changesMax: 600 } });
    const kept = store.list("/kept/");
    const revisions = new Map(kept.ok ? kept.entries.map((e) => [e.key, e.revision]) : []);
    expect([...all].filter(([key, revision]) => revisions.get(key) !== revision)).toEqual([]);
    expect(Math.max(...revisions.values())).toBeLessThanOrEqual(store.revision);
    // The history that is left is whole: one change a revision up to the newest.
    const seen: number[] = [];
    store.watch("", store.compactedRevision, { onChanges: (changes) => seen.push(...changes.map((c) => c.entry.revision)) });
    expect(seen).toEqual(Array.from({ length: store.revision - store.compactedRevision }, (_, i) => store.compactedRevision + i + 1));
    await store.close();
  }
  expect(new Set(all.values()).size).toBe(all.size);
});
