import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { WatchEvent } from "../api/request.ts";
import { CONFIG_MAPS, JOBS } from "../api/resource.ts";
import { microtaskTurnEnd } from "../base/turn-end.ts";
import { openMemoryStore } from "../store/memory-store.ts";
import { encodeContinue } from "./continue-token.ts";
import { configMap, openTestRegistry, refusal } from "./test-kinds.ts";

const names = (list: { items: readonly { metadata: { name?: string } }[] }) => list.items.map((o) => o.metadata.name);
const brief = (events: readonly WatchEvent[]) => events.map(({ type, object }) => `${type} ${"metadata" in object ? ((object.metadata as { name?: string }).name ?? "-") : ""}`);

async function withConfigMaps(...given: readonly string[]) {
  const r = openTestRegistry();
  for (const name of given) await r.create(CONFIG_MAPS, configMap(name, {}, { labels: { first: name.charAt(0) } }));
  return r;
}

describe("list", () => {
  test("later pages show the state of the first", async () => {
    const r = await withConfigMaps("x", "y", "z");
    const first = await r.list(CONFIG_MAPS, { limit: 1 });
    expect(first.metadata).toMatchObject({ resourceVersion: "3", remainingItemCount: 2 });
    await r.remove(CONFIG_MAPS, "y");
    const rest = await r.list(CONFIG_MAPS, { limit: 5, continue: first.metadata.continue ?? "" });
    expect(names(rest)).toEqual(["y", "z"]);
    expect(rest.metadata).toEqual({ resourceVersion: "3" });
  });

  test("an expired token comes with one that goes on", async () => {
    const r = await withConfigMaps("x", "y", "z");
    const first = await r.list(CONFIG_MAPS, { limit: 1 });
    await r.remove(CONFIG_MAPS, "y");
    await r.store.compact(r.store.revision);
    const status = await refusal(r.list(CONFIG_MAPS, { limit: 5, continue: first.metadata.continue ?? "" }));
    expect(status).toMatchObject({ code: 410, reason: "Expired", metadata: { continue: encodeContinue({ revision: -1, after: "x" }) } });
    expect(names(await r.list(CONFIG_MAPS, { continue: status.metadata?.continue ?? "" }))).toEqual(["z"]);
  });

  test.each([
    { options: { resourceVersion: "1", resourceVersionMatch: "Exact" }, items: ["x"] },
    { options: { resourceVersion: "1", resourceVersionMatch: "NotOlderThan" }, items: ["x", "y"] },
    { options: { resourceVersion: "1", limit: 5 }, items: ["x"] },
    { options: { resourceVersion: "0", limit: 1 }, items: ["x", "y"] },
    { options: { labelSelector: "first in (y,z)" }, items: ["y"] },
    { options: { fieldSelector: "metadata.name=x" }, items: ["x"] },
    { options: { fieldSelector: "metadata.name!=x" }, items: ["y"] },
    { options: { fieldSelector: "metadata.name=x", resourceVersion: "1", resourceVersionMatch: "Exact" }, items: ["x"] },
    { options: { fieldSelector: "metadata.namespace=other" }, items: [] },
  ])("$options", async ({ options, items }) => {
    expect(names(await (await withConfigMaps("x", "y")).list(CONFIG_MAPS, options))).toEqual(items);
  });

  test.each([
    { options: { resourceVersion: "abc" }, code: 400, message: 'invalid resource version: resourceVersion: Invalid value: "abc": strconv.ParseUint: parsing "abc": invalid syntax' },
    { options: { resourceVersion: "1", resourceVersionMatch: "Sometimes" }, code: 422, message: 'ListOptions.meta.k8s.io "" is invalid: resourceVersionMatch: Unsupported value: "Sometimes": supported values: "Exact", "NotOlderThan", ""' },
    { options: { continue: "garbage" }, code: 400, message: "invalid continue token: continue key is not valid: invalid character '\\u0081' looking for beginning of value" },
    { options: { continue: encodeContinue({ revision: 1, after: "x" }), resourceVersion: "1" }, code: 400, message: "specifying resource version is not allowed when using continue" },
    { options: { fieldSelector: "data.a=1" }, code: 400, message: '"data.a" is not a known field selector: only "metadata.name", "metadata.namespace"' },
  ])("is refused: $options", async ({ options, code, message }) => {
    expect(await refusal((await withConfigMaps("x")).list(CONFIG_MAPS, options))).toMatchObject({ code, message });
  });

  test("waits a little for a version of the future", async () => {
    const r = await withConfigMaps("x");
    const early = r.list(CONFIG_MAPS, { resourceVersion: "2" });
    await r.create(CONFIG_MAPS, configMap("y"));
    expect(names(await early)).toEqual(["x", "y"]);
    const never = refusal(r.list(CONFIG_MAPS, { resourceVersion: "100" }));
    await Promise.resolve();
    r.clock.advance(3_000);
    expect(await never).toMatchObject({ code: 504, message: "Timeout: Too large resource version: 100, current: 2", details: { retryAfterSeconds: 1 } });
    expect(r.clock.nextDue()).toBeUndefined();
  });

  test("pages together are the list at the revision of the first, whatever happens meanwhile", async () => {
    const change = fc.record({ name: fc.constantFrom("a", "b", "c", "d", "e", "f", "g", "h"), remove: fc.boolean() });
    await fc.assert(
      fc.asyncProperty(fc.array(change, { maxLength: 12 }), fc.array(change, { maxLength: 12 }), fc.integer({ min: 1, max: 4 }), async (before, during, limit) => {
        const r = openTestRegistry();
        const apply = async ({ name, remove }: { name: string; remove: boolean }) => void (await (remove ? r.remove(CONFIG_MAPS, name) : r.create(CONFIG_MAPS, configMap(name))).catch(() => undefined));
        for (const c of before) await apply(c);
        const expected = names(await r.list(CONFIG_MAPS));
        let page = await r.list(CONFIG_MAPS, { limit });
        const seen = names(page);
        while (page.metadata.continue) {
          const next = during.shift();
          if (next) await apply(next);
          page = await r.list(CONFIG_MAPS, { limit, continue: page.metadata.continue });
          seen.push(...names(page));
        }
        expect(seen).toEqual(expected);
      }),
      { numRuns: 60 },
    );
  });
});

describe("watch", () => {
  test("tells what is there and what happens", async () => {
    const r = await withConfigMaps("old");
    const { events } = await r.watch(CONFIG_MAPS);
    await r.create(CONFIG_MAPS, configMap("new"));
    await r.patch(CONFIG_MAPS, "new", { data: { a: "1" } });
    await r.patch(CONFIG_MAPS, "new", { data: { a: "1" } });
    await r.remove(CONFIG_MAPS, "new");
    expect(brief(events)).toEqual(["ADDED old", "ADDED new", "MODIFIED new", "DELETED new"]);
    expect(events[3]?.object).toMatchObject({ metadata: { resourceVersion: "4" } });
  });

  test("shares its events between watchers", async () => {
    const r = await withConfigMaps();
    const watches = await Promise.all([r.watch(CONFIG_MAPS), r.watch(CONFIG_MAPS, {}, "")]);
    await r.create(CONFIG_MAPS, configMap("x"));
    expect(watches[0].events[0]).toBe(watches[1].events[0]);
  });

  test("an object enters and leaves the selection", async () => {
    const r = await withConfigMaps();
    const { events } = await r.watch(CONFIG_MAPS, { labelSelector: "w=in" });
    await r.create(CONFIG_MAPS, configMap("x", {}, { labels: { w: "out" } }));
    const label = (w: string, a: string) => r.patch(CONFIG_MAPS, "x", { metadata: { labels: { w } }, data: { a } });
    await label("in", "1");
    await label("in", "2");
    await label("out", "3");
    await label("out", "4");
    expect(brief(events)).toEqual(["ADDED x", "MODIFIED x", "DELETED x"]);
    expect(events[2]?.object).toMatchObject({ metadata: { labels: { w: "in" }, resourceVersion: "4" }, data: { a: "2" } });
  });

  test("a list by watch ends with a bookmark", async () => {
    const r = await withConfigMaps("a", "b");
    const streaming = { sendInitialEvents: true, resourceVersionMatch: "NotOlderThan", allowWatchBookmarks: true };
    const { events } = await r.watch(CONFIG_MAPS, streaming);
    expect(brief(events)).toEqual(["ADDED a", "ADDED b", "BOOKMARK -"]);
    expect(events[2]?.object).toEqual({ kind: "ConfigMap", apiVersion: "v1", metadata: { resourceVersion: "2", annotations: { "k8s.io/initial-events-end": "true" } } });
    expect(brief((await r.watch(CONFIG_MAPS, { allowWatchBookmarks: true })).events)).toEqual(["ADDED a", "ADDED b", "BOOKMARK -"]);
    const jobs = await r.watch(JOBS, streaming);
    expect(jobs.events[0]?.object).toMatchObject({ kind: "Job", spec: { template: { metadata: {}, spec: { containers: null } } }, status: {} });
    expect(brief((await r.watch(CONFIG_MAPS, { sendInitialEvents: false, resourceVersionMatch: "NotOlderThan" })).events)).toEqual([]);
  });

  test("bookmarks come each minute to those who ask, and the end when its time is over", async () => {
    const r = await withConfigMaps("a");
    const watch = await r.watch(CONFIG_MAPS, { resourceVersion: "1", allowWatchBookmarks: true, timeoutSeconds: 90 });
    const silent = await r.watch(CONFIG_MAPS, { resourceVersion: "1" });
    r.clock.advance(60_000);
    expect(brief(watch.events)).toEqual(["BOOKMARK -"]);
    r.clock.advance(30_000);
    expect(watch.ended()).toBe(true);
    expect(silent.events).toEqual([]);
    expect(silent.ended()).toBe(false);
    expect(r.clock.nextDue()).toBeUndefined();
  });

  test("a list by watch of a version that never comes ends with an ERROR event", async () => {
    const r = await withConfigMaps("a");
    const opening = r.watch(CONFIG_MAPS, { sendInitialEvents: true, resourceVersionMatch: "NotOlderThan", resourceVersion: "100" });
    await Promise.resolve();
    r.clock.advance(3_000);
    expect((await opening).events).toMatchObject([{ type: "ERROR", object: { code: 504, message: "Timeout: Too large resource version: 100, current: 1" } }]);
  });

  test("a token has no place in a watch", async () => {
    expect(await refusal((await withConfigMaps("a")).watch(CONFIG_MAPS, { continue: "x" }))).toMatchObject({ code: 422 });
  });

  test("a version that is forgotten is an ERROR event", async () => {
    const r = await withConfigMaps("a", "b");
    await r.store.compact(2);
    const { events, ended } = await r.watch(CONFIG_MAPS, { resourceVersion: "1" });
    expect(events).toEqual([{ type: "ERROR", object: { kind: "Status", apiVersion: "v1", metadata: {}, status: "Failure", message: "too old resource version: 1 (2)", reason: "Expired", code: 410 } }]);
    expect(ended()).toBe(true);
  });

  test("nothing comes after stop, and the store is left alone", async () => {
    const r = await withConfigMaps();
    const { events, handle } = await r.watch(CONFIG_MAPS);
    handle.stop();
    await r.create(CONFIG_MAPS, configMap("x"));
    expect(events).toEqual([]);
  });

  test("a watch from any revision is the rest of the story: replayed on the list there it gives the list now", async () => {
    const change = fc.record({ name: fc.constantFrom("a", "b", "c", "d"), what: fc.constantFrom("create", "remove", "in", "out") });
    await fc.assert(
      fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 25 }), fc.nat(), fc.constantFrom("", "w=in", "w!=in"), async (changes, at, labelSelector) => {
        const r = openTestRegistry({ store: openMemoryStore({ turnEnd: microtaskTurnEnd }) });
        const run = { create: (name: string) => r.create(CONFIG_MAPS, configMap(name)), remove: (name: string) => r.remove(CONFIG_MAPS, name) };
        const live = await r.watch(CONFIG_MAPS, { labelSelector });
        for (const { name, what } of changes) {
          const done: Promise<unknown> = what === "create" || what === "remove" ? run[what](name) : r.patch(CONFIG_MAPS, name, { metadata: { labels: { w: what } } });
          await done.catch(() => undefined);
        }
        fc.pre(r.store.revision > 0);
        const now = (await r.list(CONFIG_MAPS, { labelSelector })).items;
        const from = String(1 + (at % r.store.revision));
        const then = await r.list(CONFIG_MAPS, { labelSelector, resourceVersion: from, resourceVersionMatch: "Exact" });
        const past = await r.watch(CONFIG_MAPS, { labelSelector, resourceVersion: from });
        expect(replay(then.items, past.events)).toEqual(now);
        expect(replay([], live.events)).toEqual(now);
      }),
      { numRuns: 80 },
    );
  });
});

/** The objects that are left when the events have happened to `start`; every event must fit what is there. */
function replay(start: readonly object[], events: readonly WatchEvent[]): object[] {
  const nameOf = (object: object) => (object as { metadata: { name: string } }).metadata.name;
  const state = new Map(start.map((object) => [nameOf(object), object]));
  for (const { type, object } of events) {
    expect(state.has(nameOf(object)), `${type} ${nameOf(object)}`).toBe(type !== "ADDED");
    if (type === "DELETED") state.delete(nameOf(object));
    else state.set(nameOf(object), object);
  }
  return [...state.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, object]) => object);
}
