import { describe, expect, test } from "vitest";
import { backoffMs } from "./backoff.ts";
import { VirtualClock } from "./clock.ts";
import { WorkQueue } from "./work-queue.ts";

const opened = () => {
  const clock = new VirtualClock(0);
  return { clock, queue: new WorkQueue({ clock, retry: { baseMs: 10, maxMs: 50 } }) };
};

describe("a work queue", () => {
  test("keeps the order and each key once", async () => {
    const { queue } = opened();
    for (const key of ["a", "b", "a", "c", "b"]) queue.add(key);
    expect(queue.length).toBe(3);
    expect([await queue.take(), await queue.take(), await queue.take()]).toEqual(["a", "b", "c"]);
  });

  test("a key in work is not given out again before it is done, however often it is added", async () => {
    const { queue } = opened();
    queue.add("a");
    await queue.take();
    queue.add("a");
    queue.add("a");
    expect(queue.length).toBe(0);
    queue.done("a");
    expect(queue.length).toBe(1);
    await queue.take();
    queue.done("a");
    expect(queue.isIdle).toBe(true);
  });

  test("what was added for later can be taken back", () => {
    const { clock, queue } = opened();
    queue.addAfter("a", 30);
    queue.cancelDelayed("a");
    queue.cancelDelayed("never");
    clock.advance(100);
    expect(queue.isIdle).toBe(true);
  });

  test("whoever waits gets the next key, in order of waiting", async () => {
    const { queue } = opened();
    const taken = Promise.all([queue.take(), queue.take()]);
    queue.add("a");
    queue.add("b");
    expect(await taken).toEqual(["a", "b"]);
  });

  test("of several delays the earliest counts", () => {
    const { queue, clock } = opened();
    queue.addAfter("a", 100);
    queue.addAfter("a", 30);
    queue.addAfter("a", 200);
    clock.advance(29);
    expect(queue.length).toBe(0);
    clock.advance(1);
    expect(queue.length).toBe(1);
    expect(clock.nextDue()).toBeUndefined();
  });

  test("failures of a key raise its wait up to the bound, until it is forgotten", () => {
    const { queue, clock } = opened();
    const waits = [1, 2, 3, 4].map(() => queue.addRateLimited("a"));
    expect(waits).toEqual([10, 20, 40, 50]);
    expect(queue.addRateLimited("b")).toBe(10);
    queue.forget("a");
    expect(queue.addRateLimited("a")).toBe(10);
    clock.advance(10);
    expect(queue.length).toBe(2);
  });

  test("a stop sends takers home and drops what waits, delayed keys too", async () => {
    const { queue, clock } = opened();
    const waiting = queue.take();
    queue.addAfter("a", 10);
    queue.stop();
    expect(await waiting).toBeUndefined();
    queue.add("b");
    expect([await queue.take(), queue.length, clock.nextDue()]).toEqual([undefined, 0, undefined]);
  });
});

test.each([
  { name: "first", failures: 1, want: 100 },
  { name: "third", failures: 3, want: 400 },
  { name: "bounded", failures: 60, want: 1000 },
])("back-off after the $name failure", ({ failures, want }) => {
  expect(backoffMs({ baseMs: 100, maxMs: 1000 }, failures)).toBe(want);
  expect(backoffMs({ baseMs: 100, maxMs: 1000, jitter: 1 }, failures, { next: () => 0.5 })).toBe(want * 1.5);
});
