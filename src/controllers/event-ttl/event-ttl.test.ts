import { expect, test } from "vitest";
import type { Event } from "../../api/generated/types.ts";
import type { Stored } from "../../api/object.ts";
import { formatTime } from "../../api/time.ts";
import { decideSweep } from "./event-ttl.ts";

const NOW = Date.UTC(2024, 0, 1);
const event = (name: string, agoMs: number, more: Partial<Event> = {}): Stored<Event> => ({
  involvedObject: {}, ...more, metadata: { name, uid: name, resourceVersion: "1", creationTimestamp: formatTime(NOW - agoMs) },
});
const sweep = (events: readonly Stored<Event>[], eventsMax = 10) => {
  const { remove, nextAfterMs } = decideSweep(events, NOW, { ttlMs: 60_000, eventsMax });
  return { remove: remove.map((e) => e.metadata.name), nextAfterMs };
};

test("what is old goes, and the next one is known", () => {
  expect(sweep([event("young", 1000), event("old", 60_000), event("middle", 30_000)])).toEqual({ remove: ["old"], nextAfterMs: 30_000 });
});

test("an event that happened again is young", () => {
  expect(sweep([event("again", 90_000, { lastTimestamp: formatTime(NOW - 1000) })])).toEqual({ remove: [], nextAfterMs: 59_000 });
});

test("the oldest go where there are too many", () => {
  expect(sweep([event("a", 3000), event("b", 1000), event("c", 2000)], 1)).toEqual({ remove: ["a", "c"], nextAfterMs: 59_000 });
});

test("nothing is due when nothing is left", () => {
  expect(sweep([event("a", 70_000)])).toEqual({ remove: ["a"], nextAfterMs: undefined });
});
