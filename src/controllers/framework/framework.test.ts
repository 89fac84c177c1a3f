import { describe, expect, test } from "vitest";
import { VirtualClock } from "../../base/clock.ts";
import { silentLogger } from "../../base/logger.ts";
import { WorkQueue } from "../../base/work-queue.ts";
import type { KubeObject, Stored } from "../../api/object.ts";
import { Cache } from "../../client/cache.ts";
import type { Informer } from "../../client/informer.ts";
import { runController, type ReconcileResult } from "./controller.ts";
import { OwnWrites } from "./own-writes.ts";

const settled = () => new Promise((resolve) => setImmediate(resolve));

function started(reconcile: (key: string) => Promise<ReconcileResult | void>, workers = 2) {
  const clock = new VirtualClock(0);
  const queue = new WorkQueue({ clock });
  const stop = new AbortController();
  const running = runController({ name: "test", queue, workers, reconcile, logger: silentLogger }, stop.signal);
  return { clock, queue, stop, running };
}

describe("a controller", () => {
  test("works on as many keys at once as it has workers, and on one key never twice at once", async () => {
    const begun: string[] = [];
    const finish: (() => void)[] = [];
    const { queue, stop, running } = started((key) => {
      begun.push(key);
      return new Promise((resolve) => finish.push(resolve));
    });
    for (const key of ["a", "a", "b", "c"]) queue.add(key);
    await settled();
    queue.add("a");
    expect(begun).toEqual(["a", "b"]);
    finish[0]?.();
    await settled();
    expect(begun).toEqual(["a", "b", "c"]);
    stop.abort();
    finish[1]?.();
    finish[2]?.();
    await running;
    expect(begun).toHaveLength(3);
  });

  test("tries a key again after its back-off when it failed, and begins anew once it went well", async () => {
    let failing = 2;
    const at: number[] = [];
    const { clock, queue, stop, running } = started(async () => {
      at.push(clock.now());
      if (failing-- > 0) throw new Error("not yet");
    });
    queue.add("a");
    await settled();
    while (clock.fireNext()) await settled();
    expect(at).toEqual([0, 5, 15]);
    expect(queue.failuresOf("a")).toBe(0);
    stop.abort();
    await running;
  });

  test("looks again when it asked to", async () => {
    const at: number[] = [];
    const { clock, queue, stop, running } = started(async () => {
      at.push(clock.now());
      return at.length < 2 ? { requeueAfterMs: 700 } : {};
    });
    queue.add("a");
    await settled();
    clock.advance(700);
    await settled();
    expect(at).toEqual([0, 700]);
    expect(clock.nextDue()).toBeUndefined();
    stop.abort();
    await running;
  });
});

describe("own writes", () => {
  const pod = (extra: object = {}, uid = "u1"): Stored => ({ metadata: { name: "p", namespace: "ns", uid, resourceVersion: "1", creationTimestamp: "", ...extra } });
  const opened = () => {
    const clock = new VirtualClock(0);
    const cache = new Cache<KubeObject>(silentLogger);
    return { clock, cache, writes: new OwnWrites(cache as unknown as Informer<KubeObject>, clock) };
  };

  test("a created object is awaited until the cache has it", () => {
    const { cache, writes } = opened();
    writes.created("job", pod());
    expect([writes.caughtUp("job"), writes.caughtUp("other")]).toEqual([false, true]);
    cache.set(pod());
    expect(writes.caughtUp("job")).toBe(true);
  });

  test("a created object that the cache has already is not awaited", () => {
    const { cache, writes } = opened();
    cache.set(pod());
    writes.created("job", pod());
    expect(writes.caughtUp("job")).toBe(true);
  });

  test.each([
    { name: "terminating", event: (cache: Cache<KubeObject>) => cache.set(pod({ resourceVersion: "2", deletionTimestamp: "t" })) },
    { name: "gone", event: (cache: Cache<KubeObject>) => cache.delete(pod()) },
    { name: "another under its name", event: (cache: Cache<KubeObject>) => cache.set(pod({}, "u2")) },
  ])("a deleted object is awaited until it is $name", ({ event }) => {
    const { cache, writes } = opened();
    cache.set(pod());
    writes.deleted("job", pod());
    cache.set(pod({ resourceVersion: "1.5" }));
    expect(writes.caughtUp("job")).toBe(false);
    event(cache);
    expect(writes.caughtUp("job")).toBe(true);
  });

  test("a change is awaited until its state is seen; what never comes is given up after five minutes", () => {
    const { cache, writes, clock } = opened();
    cache.set(pod({ finalizers: ["f"] }));
    writes.changed("job", pod(), (o) => !o.metadata.finalizers?.includes("f"));
    clock.advance(299_999);
    expect(writes.waitMs("job")).toBe(1);
    clock.advance(1);
    expect(writes.waitMs("job")).toBe(0);
    writes.changed("job", pod(), (o) => !o.metadata.finalizers?.includes("f"));
    cache.set(pod({ resourceVersion: "3" }));
    expect(writes.caughtUp("job")).toBe(true);
  });
});
