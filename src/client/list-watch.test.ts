import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { VirtualClock } from "../base/clock.ts";
import { silentLogger } from "../base/logger.ts";
import type { KubeObject, Stored } from "../api/object.ts";
import { PODS } from "../api/resource.ts";
import { internalError } from "../api/status-error.ts";
import { gone, ScriptedApi } from "../../test/support/scripted-api.ts";
import { openClient } from "./client.ts";
import type { Informer } from "./informer.ts";
import { openInformer } from "./list-watch.ts";

const settled = () => new Promise((resolve) => setImmediate(resolve));

describe("an informer", () => {
  let api: ScriptedApi;
  let clock: VirtualClock;
  let informer: Informer<KubeObject>;
  let stop: AbortController;
  let seen: string[];
  let running: Promise<void>;

  const caller = { user: { name: "test", groups: [] }, userAgent: "test" };
  const cached = () => informer.list().map((o) => `${o.metadata.name}@${o.metadata.resourceVersion}`).sort().join(" ");
  const start = async () => {
    running = informer.run(stop.signal);
    await settled();
  };

  beforeEach(() => {
    api = new ScriptedApi();
    clock = new VirtualClock(0);
    stop = new AbortController();
    seen = [];
    informer = openInformer(openClient(api, caller), PODS as never, { clock, chance: { next: () => 0 }, logger: silentLogger });
    informer.on({
      onSet: (object, old) => seen.push(`${old ? "changed" : "new"} ${object.metadata.name}@${object.metadata.resourceVersion}`),
      onDelete: (object) => seen.push(`gone ${object.metadata.name}`),
    });
  });
  afterEach(async () => {
    stop.abort();
    await running;
  });

  test("has the list, then what changes", async () => {
    api.set("a");
    api.set("b");
    expect(informer.hasSynced).toBe(false);
    await start();
    expect(informer.hasSynced).toBe(true);
    api.set("a");
    api.remove("b");
    expect(cached()).toBe("a@3");
    expect(seen).toEqual(["new a@1", "new b@2", "changed a@3", "gone b"]);
    expect(informer.get("ns/a")?.metadata.uid).toBe("uid-a");
  });

  test("lists in pages", async () => {
    for (const name of ["a", "b", "c"]) api.set(name);
    api.pageSize = 2;
    await start();
    expect(cached()).toBe("a@1 b@2 c@3");
    expect(api.asked).toEqual(["list pods", "list pods", "watch pods"]);
  });

  test("is not moved by events that come twice", async () => {
    api.repeat = 2;
    await start();
    api.set("a");
    api.set("a");
    api.remove("a");
    expect(seen).toEqual(["new a@1", "changed a@2", "gone a"]);
  });

  test("goes on after a watch that was cut from where it was, at once when it had got on", async () => {
    await start();
    api.set("a");
    api.cut();
    api.set("b");
    await settled();
    expect(cached()).toBe("a@1 b@2");
    expect(api.watchedFrom).toEqual(["0", "1"]);
    expect(api.asked.filter((a) => a === "list pods")).toHaveLength(1);
  });

  test("an error in a watch is followed by a pause, and what came before it is not repeated", async () => {
    await start();
    api.set("a");
    api.cut(internalError("etcd is away"));
    api.set("b");
    await settled();
    expect(cached()).toBe("a@1");
    clock.advance(800);
    await settled();
    expect(cached()).toBe("a@1 b@2");
    expect(api.watchedFrom).toEqual(["0", "1"]);
  });

  test.each([
    { name: "refuses the watch", expire: () => api.cut() },
    { name: "says so in the watch", expire: () => api.cut(gone()) },
  ])("lists again when its version was compacted and the server $name: what went meanwhile is told as gone", async ({ expire }) => {
    api.set("a");
    api.set("b");
    await start();
    expire();
    api.remove("a");
    api.set("b");
    api.set("c");
    api.compact();
    await settled();
    while (clock.fireNext()) await settled();
    expect(cached()).toBe("b@4 c@5");
    expect(seen.slice(2)).toEqual(["gone a", "changed b@4", "new c@5"]);
  });

  test("tries again with growing pauses while the server fails, and polls nothing once it watches", async () => {
    api.failures.push(internalError("1"), internalError("2"), internalError("3"));
    await start();
    const pauses: number[] = [];
    for (let due = clock.nextDue(); due !== undefined; due = clock.nextDue()) {
      pauses.push(due - clock.now());
      clock.fireNext();
      await settled();
    }
    expect(pauses).toEqual([800, 1600, 3200]);
    expect([informer.hasSynced, api.watchers]).toEqual([true, 1]);
  });

  test("finds objects by namespace, owner and its own indexes, also by one that is added late", async () => {
    await start();
    const owned = { metadata: { ownerReferences: [{ apiVersion: "v1", kind: "Job", name: "j", uid: "u1", controller: true }] } };
    api.set("a", owned);
    api.set("b");
    const names = (objects: readonly Stored[]) => objects.map((o) => o.metadata.name);
    expect(names(informer.byIndex("owner", "u1"))).toEqual(["a"]);
    expect(names(informer.byIndex("namespace", "ns"))).toEqual(["a", "b"]);
    api.set("a");
    expect(informer.byIndex("owner", "u1")).toEqual([]);
  });

  test("a new object under an old name is told as gone and new", async () => {
    await start();
    api.set("a");
    api.set("a", { metadata: { uid: "other" } });
    expect(seen).toEqual(["new a@1", "gone a", "new a@2"]);
  });

  test("a handler that comes late sees what is there; one that throws disturbs nobody", async () => {
    api.set("a");
    await start();
    const late: string[] = [];
    informer.on({ onSet: () => { throw new Error("handler"); } });
    informer.on({ onSet: (object) => late.push(object.metadata.name) });
    api.set("b");
    expect(late).toEqual(["a", "b"]);
  });

  test("stops at once, in a watch or in a pause", async () => {
    await start();
    stop.abort();
    await running;
    expect(api.watchers).toBe(0);
    expect(clock.nextDue()).toBeUndefined();
  });
});
