import { expect, test } from "vitest";
import { VirtualClock } from "../base/clock.ts";
import { microtaskTurnEnd } from "../base/turn-end.ts";
import { openMemoryStore } from "./memory-store.ts";
import { put, testStore } from "./store.contract.ts";

testStore("memory", () => openMemoryStore());
testStore("memory (committing with the microtasks)", () => openMemoryStore({ turnEnd: microtaskTurnEnd }));

test("history is forgotten by age, and no timer is left when there is none", async () => {
  const clock = new VirtualClock(0);
  const store = openMemoryStore({ clock, turnEnd: microtaskTurnEnd, history: { ageMs: 60_000 } });
  await put(store, "/a", "1");
  clock.advance(20_000);
  await put(store, "/a", "2");
  clock.advance(89_000 - 20_000);
  expect(store.compactedRevision).toBe(0);
  clock.advance(1000);
  expect(store.compactedRevision).toBe(2);
  await new Promise((resolve) => setImmediate(resolve));
  expect(clock.nextDue()).toBeUndefined();
});

test.each([
  { name: "changes", history: { changesMax: 1000 } },
  { name: "text", history: { textLengthMax: 20_000 } },
])("history is bounded by $name", async ({ history }) => {
  const store = openMemoryStore({ turnEnd: microtaskTurnEnd, history });
  for (let i = 0; i < 3000; i++) await put(store, "/a", "x");
  expect(store.revision).toBe(3000);
  expect(store.compactedRevision).toBeGreaterThan(1900);
  expect(store.list("", { at: store.revision - 1 }).ok).toBe(true);
});
