/**
 * What every store must do, whatever keeps it. Run by the test of each implementation.
 */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Change, Entry, Revision, Store, Value, WriteResult } from "./store.ts";

export const valueOf = (object: object): Value => ({ object: Object.freeze(object), text: JSON.stringify(object) });

export function put(store: Store, key: string, content: string, expectAt?: Revision): Promise<WriteResult> {
  return store.write({ key, kind: "put", value: (revision) => valueOf({ content, revision }), ...(expectAt !== undefined && { expect: expectAt }) });
}

export function remove(store: Store, key: string, expectAt?: Revision): Promise<WriteResult> {
  return store.write({ key, kind: "delete", value: (revision) => valueOf({ deleted: key, revision }), ...(expectAt !== undefined && { expect: expectAt }) });
}

export const contentOf = (entry: Entry | undefined): string | undefined => {
  const value: { content?: string } | undefined = entry?.value.object;
  return value?.content;
};

export function listed(store: Store, prefix: string, at?: Revision): string[] {
  const list = store.list(prefix, at === undefined ? {} : { at });
  return list.ok ? list.entries.map((e) => `${e.key}=${contentOf(e)}`) : [list.reason];
}

const shown = (c: Change) => `${c.entry.revision} ${c.kind} ${c.entry.key} after ${c.previous?.revision ?? 0}`;

export function testStore(name: string, open: () => Store): void {
  describe(`the ${name} store`, () => {
    let store: Store;
    beforeEach(() => {
      store = open();
    });
    afterEach(() => store.close());

    test("gives each change the next revision, and the value is made for it", async () => {
      expect(store.revision).toBe(0);
      const results = await Promise.all([put(store, "/a", "1"), put(store, "/b", "2")]);
      expect(results.map((r) => r.ok && r.entry.revision)).toEqual([1, 2]);
      expect(store.get("/b")?.value.object).toEqual({ content: "2", revision: 2 });
      expect(store.revision).toBe(2);
    });

    test.each([
      { name: "absent as expected", setUp: [], expectAt: 0, ok: true },
      { name: "absent but there", setUp: ["x"], expectAt: 0, ok: false },
      { name: "at the revision", setUp: ["x"], expectAt: 1, ok: true },
      { name: "at an older revision", setUp: ["x", "y"], expectAt: 1, ok: false },
      { name: "anything", setUp: ["x"], expectAt: undefined, ok: true },
    ])("compares and sets: $name", async ({ setUp, expectAt, ok }) => {
      for (const content of setUp) await put(store, "/k", content);
      const result = await put(store, "/k", "new", expectAt);
      expect(result.ok).toBe(ok);
      expect(contentOf(store.get("/k"))).toBe(ok ? "new" : setUp.at(-1));
      if (!result.ok) expect(contentOf(result.current)).toBe(setUp.at(-1));
    });

    test("of two writes in one turn the second is judged by the first, and both answers come after the commit", async () => {
      const first = put(store, "/k", "first", 0);
      const second = put(store, "/k", "second", 0).then((result) => ({ result, seen: contentOf(store.get("/k")) }));
      const third = put(store, "/k", "third", 1);
      expect(store.get("/k")).toBeUndefined();
      expect((await first).ok).toBe(true);
      expect(await second).toMatchObject({ result: { ok: false, current: { revision: 1 } }, seen: "third" });
      expect((await third).ok).toBe(true);
    });

    test("deleting what is absent is a failed expectation", async () => {
      expect(await remove(store, "/none")).toEqual({ ok: false, current: undefined });
      expect(store.revision).toBe(0);
    });

    test("a value that cannot be made rejects its own write only", async () => {
      const broken = store.write({ key: "/x", kind: "put", value: () => { throw new Error("no value"); } });
      const good = put(store, "/y", "1");
      await expect(broken).rejects.toThrow("no value");
      expect(await good).toMatchObject({ ok: true, entry: { revision: 1 } });
    });

    test("lists a prefix in the keys' order, in pages, and says how many remain", async () => {
      await Promise.all(["/p/c", "/p/a", "/q/x", "/p/d", "/p/b", "/o"].map((key) => put(store, key, key)));
      const page = store.list("/p/", { limit: 2 });
      expect(page).toMatchObject({ ok: true, entries: [{ key: "/p/a" }, { key: "/p/b" }], revision: 6, remaining: 2 });
      expect(store.list("/p/", { limit: 2, after: "/p/b" })).toMatchObject({ entries: [{ key: "/p/c" }, { key: "/p/d" }], remaining: 0 });
      expect(store.count("/p/")).toBe(4);
      expect(store.count("")).toBe(6);
      expect(listed(store, "/none/")).toEqual([]);
    });

    test("lists as it was at a revision", async () => {
      await put(store, "/p/a", "1");
      await put(store, "/p/b", "2");
      await remove(store, "/p/a");
      await put(store, "/p/b", "3");
      await put(store, "/p/c", "4");
      await put(store, "/p/a", "5");
      const at = [0, 1, 2, 3, 4, 5, 6].map((revision) => listed(store, "/p/", revision).join(" "));
      expect(at).toEqual(["", "/p/a=1", "/p/a=1 /p/b=2", "/p/b=2", "/p/b=3", "/p/b=3 /p/c=4", "/p/a=5 /p/b=3 /p/c=4"]);
      expect(listed(store, "/p/", 7)).toEqual(["future"]);
      expect(store.list("/p/", { at: 2, limit: 1 })).toMatchObject({ entries: [{ key: "/p/a" }], remaining: 1 });
      expect(store.list("/p/", { at: 2, limit: 1, after: "/p/a" })).toMatchObject({ entries: [{ key: "/p/b" }], remaining: 0 });
    });

    test("watches from a revision: first what was missed, then what comes, once and in order", async () => {
      await put(store, "/p/a", "1");
      await put(store, "/q/a", "2");
      await put(store, "/p/a", "3");
      const seen: string[] = [];
      const progress: number[] = [];
      const watch = store.watch("/p/", 1, { onChanges: (changes) => seen.push(...changes.map(shown)), onProgress: (revision) => progress.push(revision) });
      expect(seen).toEqual(["3 put /p/a after 1"]);
      await Promise.all([remove(store, "/p/a"), put(store, "/p/a", "5"), put(store, "/q/a", "6")]);
      expect(seen).toEqual(["3 put /p/a after 1", "4 delete /p/a after 3", "5 put /p/a after 0"]);
      expect(progress).toEqual([3, 6]);
      if (watch.ok) watch.stop();
      await put(store, "/p/a", "7");
      expect(seen).toHaveLength(3);
    });

    test("watchers have seen a change before its writer gets the answer, and nobody before the commit", async () => {
      const seen: string[] = [];
      store.watch("", 0, { onChanges: (changes) => seen.push(...changes.map((c) => c.entry.key)) });
      const written = put(store, "/a", "1").then(() => seen.length);
      expect(seen).toEqual([]);
      expect(await written).toBe(1);
    });

    test("a watch that begins inside a delivery misses nothing and repeats nothing", async () => {
      const inner: number[] = [];
      let begun = false;
      store.watch("/p/", 0, {
        onChanges: () => {
          if (!begun) store.watch("/p/", 0, { onChanges: (changes) => inner.push(...changes.map((c) => c.entry.revision)) });
          begun = true;
        },
      });
      await put(store, "/p/a", "1");
      await put(store, "/p/b", "2");
      expect(inner).toEqual([1, 2]);
    });

    test("compaction forgets the past and keeps the present", async () => {
      for (const key of ["/a", "/b", "/a", "/c"]) await put(store, key, key);
      await remove(store, "/c");
      await store.compact(4);
      expect(store.compactedRevision).toBe(4);
      expect(listed(store, "")).toEqual(["/a=/a", "/b=/b"]);
      expect(listed(store, "", 3)).toEqual(["compacted"]);
      expect(listed(store, "", 4)).toEqual(["/a=/a", "/b=/b", "/c=/c"]);
      expect(store.watch("", 3, { onChanges: () => undefined })).toEqual({ ok: false, reason: "compacted" });
      const seen: string[] = [];
      store.watch("", 4, { onChanges: (changes) => seen.push(...changes.map(shown)) });
      expect(seen).toEqual(["5 delete /c after 4"]);
      await store.compact(100);
      expect(store.compactedRevision).toBe(5);
      expect(await put(store, "/d", "1")).toMatchObject({ ok: true, entry: { revision: 6 } });
    });

    test("keeps 3,000 keys in order through puts and deletes", async () => {
      const keys = Array.from({ length: 3000 }, (_, i) => `/k/${(i * 7919) % 3000}`);
      await Promise.all(keys.map((key) => put(store, key, key)));
      await Promise.all(keys.filter((_, i) => i % 3 === 0).map((key) => remove(store, key)));
      const left = keys.filter((_, i) => i % 3 !== 0).sort();
      const list = store.list("/k/");
      expect(list.ok && list.entries.map((e) => e.key)).toEqual(left);
      expect(store.count("/k/1")).toBe(left.filter((key) => key.startsWith("/k/1")).length);
    });

    test("a closed store finishes what was begun and refuses the rest", async () => {
      const begun = put(store, "/a", "1");
      await store.close();
      expect((await begun).ok).toBe(true);
      await expect(put(store, "/a", "2")).rejects.toThrow("the store is closed");
    });
  });
}
