import { afterEach, beforeEach, expect, test } from "vitest";
import { CONFIG_MAPS } from "../api/resource.ts";
import { openTestServer, type TestServer } from "./testing.ts";
import { SharedEvents } from "./watch.ts";

let server: TestServer;
const WATCH = "/api/v1/namespaces/n/configmaps?watch=maybe";
const map = (name: string, data: object = {}) => ({ metadata: { name, namespace: "n" }, data }) as never;
const META = "g=meta.k8s.io;v=v1";

beforeEach(async () => {
  server = await openTestServer();
});
afterEach(() => server.close());

const nextEvent = async (stream: { next: () => Promise<string> }) => JSON.parse(await stream.next()) as { type: string; object: Record<string, unknown> };

test("one line an event, as it happens", async () => {
  server.api.add(CONFIG_MAPS, map("old"));
  const stream = await server.stream(WATCH);
  expect(await nextEvent(stream)).toMatchObject({ type: "ADDED", object: { kind: "ConfigMap", metadata: { name: "old" } } });
  server.api.add(CONFIG_MAPS, map("new"));
  expect(await nextEvent(stream)).toMatchObject({ type: "ADDED", object: { metadata: { name: "new" } } });
  stream.close();
});

test("only the first event of a Table carries the columns", async () => {
  server.api.add(CONFIG_MAPS, map("a"));
  server.api.add(CONFIG_MAPS, map("b"));
  const stream = await server.stream(WATCH, { accept: `application/json;as=Table;${META}` });
  expect((await nextEvent(stream)).object["columnDefinitions"]).toHaveLength(2);
  expect((await nextEvent(stream)).object["columnDefinitions"]).toBeNull();
  stream.close();
});

test("metadata only", async () => {
  server.api.add(CONFIG_MAPS, map("a"));
  const stream = await server.stream(WATCH, { accept: `application/json;as=PartialObjectMetadata;${META}` });
  expect((await nextEvent(stream)).object).toMatchObject({ kind: "PartialObjectMetadata", apiVersion: "meta.k8s.io/v1", metadata: { name: "a" } });
  stream.close();
});

test("an error before the watch is an answer, one after it an event", async () => {
  expect((await server.request("GET", `${WATCH}&fieldSelector=bad`)).body).toMatchObject({ code: 400, message: "a bad selector" });
  const stream = await server.stream(WATCH);
  server.api.emit(CONFIG_MAPS, { type: "ERROR", object: { kind: "Status", apiVersion: "v1", metadata: {}, code: 410 } });
  expect(await nextEvent(stream)).toEqual({ type: "ERROR", object: { kind: "Status", apiVersion: "v1", metadata: {}, code: 410 } });
  for (const { sink } of server.api.watches) sink.onEnd();
  expect(await stream.ended).toBe("end");
});

test("who goes away is no watcher any more, and a server that stops ends its watches", async () => {
  const [one, two] = await Promise.all([server.stream(WATCH), server.stream(WATCH)]);
  expect(server.api.watches.size).toBe(2);
  one.close();
  await expect.poll(() => server.api.watches.size).toBe(1);
  const closed = server.close();
  expect(await two.ended).toBe("end");
  await closed;
  server = await openTestServer();
});

test("the old address and an object's own", async () => {
  const stream = await server.stream("/api/v1/watch/namespaces/n/configmaps/a");
  expect([...server.api.watches][0]?.request).toMatchObject({ namespace: "n", name: "a" });
  stream.close();
});

test("a watcher that falls behind too far is cut off, and the others go on", async () => {
  const [slow, fast] = await Promise.all([server.stream(WATCH), server.stream(WATCH)]);
  const [first] = server.api.watches;
  // All in one turn: nothing can leave for the client in between.
  const big = "x".repeat(1 << 20);
  for (let i = 0; i < 64 && server.api.watches.size === 2; i++) first?.sink.onEvents([{ type: "ADDED", object: map(`m${i}`, { big }) }]);
  expect(server.api.watches.size).toBe(1);
  expect(await Promise.race([slow.ended, fast.ended])).toBe("cut");
  server.api.add(CONFIG_MAPS, map("small"));
  expect(await Promise.race([slow.next(), fast.next()])).toContain("small");
});

test("bytes of an event are made once for all who want the same form", () => {
  const shared = new SharedEvents();
  const object = {};
  let made = 0;
  const make = () => `line ${++made}`;
  expect(shared.bytesOf(object, "ADDED/", make)).toBe(shared.bytesOf(object, "ADDED/", make));
  shared.bytesOf(object, "ADDED/Table", make);
  expect(made).toBe(2);
});
