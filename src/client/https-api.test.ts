import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { ApiRequest, WatchEvent } from "../api/request.ts";
import { CONFIG_MAPS, JOBS, NODES, PODS } from "../api/resource.ts";
import { isExpired, isNotFound } from "../api/status-error.ts";
import { httpRequestOf, httpWatchOf } from "./http-request.ts";
import { openHttpsApi, type HttpsApi } from "./https-api.ts";
import { isUnreachable } from "./unreachable.ts";

const at = { resource: JOBS, namespace: "ns", name: "j", subresource: "" };

test.each<{ request: ApiRequest; want: string }>([
  { request: { verb: "get", ...at }, want: "GET /apis/batch/v1/namespaces/ns/jobs/j" },
  { request: { verb: "get", ...at, resource: NODES, namespace: "" }, want: "GET /api/v1/nodes/j" },
  { request: { verb: "list", resource: PODS, namespace: "", options: { labelSelector: "a=b,c", limit: 5 } }, want: "GET /api/v1/pods?labelSelector=a%3Db%2Cc&limit=5" },
  { request: { verb: "create", resource: PODS, namespace: "ns", object: { metadata: {} }, options: { dryRun: ["All"] } }, want: 'POST /api/v1/namespaces/ns/pods?dryRun=All application/json {"metadata":{}}' },
  { request: { verb: "create", resource: PODS, namespace: "ns", object: { metadata: {} }, options: {}, name: "p", subresource: "binding" }, want: 'POST /api/v1/namespaces/ns/pods/p/binding application/json {"metadata":{}}' },
  { request: { verb: "update", ...at, subresource: "status", object: { metadata: {} }, options: {} }, want: 'PUT /apis/batch/v1/namespaces/ns/jobs/j/status application/json {"metadata":{}}' },
  { request: { verb: "patch", ...at, type: "apply", patch: { a: 1 }, options: { fieldManager: "m", force: true } }, want: 'PATCH /apis/batch/v1/namespaces/ns/jobs/j?fieldManager=m&force=true application/apply-patch+yaml {"a":1}' },
  { request: { verb: "delete", ...at, options: { propagationPolicy: "Foreground" } }, want: 'DELETE /apis/batch/v1/namespaces/ns/jobs/j application/json {"apiVersion":"v1","kind":"DeleteOptions","propagationPolicy":"Foreground"}' },
])("a request becomes $want", ({ request, want }) => {
  const { method, path, contentType, body } = httpRequestOf(request);
  expect([method, path, contentType, body].filter((part) => part !== undefined).join(" ")).toBe(want);
});

test("a watch of one object is a watch with a field selector", () => {
  expect(httpWatchOf({ resource: PODS, namespace: "ns", name: "p", options: { resourceVersion: "5" } }).path).toBe("/api/v1/namespaces/ns/pods?resourceVersion=5&fieldSelector=metadata.name%3Dp&watch=true");
});

describe("over HTTP", () => {
  let server: Server;
  let api: HttpsApi;
  let answer: (request: IncomingMessage, response: ServerResponse) => void;
  const caller = { user: { name: "u", groups: [] }, userAgent: "stint/test" };

  beforeEach(async () => {
    server = createServer((request, response) => answer(request, response)).listen(0, "127.0.0.1");
    await new Promise((resolve) => server.once("listening", resolve));
    api = openHttpsApi({ server: `http://127.0.0.1:${(server.address() as AddressInfo).port}/prefix/`, namespace: "default", token: "secret" });
  });
  afterEach(async () => {
    api.close();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  const get = () => api.handle({ verb: "get", resource: CONFIG_MAPS, namespace: "ns", name: "c", subresource: "" }, caller);
  const watch = async (seen: WatchEvent[]) => {
    const ended = Promise.withResolvers<void>();
    const handle = await api.watch({ resource: CONFIG_MAPS, namespace: "ns", options: {} }, caller, { onEvents: (events) => seen.push(...events), onEnd: () => ended.resolve() });
    return { handle, ended: ended.promise };
  };

  test("an answer comes back frozen, with its code and its warnings; the token is sent", async () => {
    answer = ({ url, headers }, response) => {
      response.setHeader("warning", '299 - "first \\"one\\"", 299 - "second"');
      response.end(JSON.stringify({ metadata: { name: "c" }, data: { url, auth: headers.authorization, agent: headers["user-agent"] } }));
    };
    const { code, body, warnings } = await get();
    expect(body).toMatchObject({ data: { url: "/prefix/api/v1/namespaces/ns/configmaps/c", auth: "Bearer secret", agent: "stint/test" } });
    expect([code, warnings, Object.isFrozen(body)]).toEqual([200, ['first "one"', "second"], true]);
  });

  test("a list's items say what they are", async () => {
    answer = (_, response) => response.end(JSON.stringify({ apiVersion: "v1", kind: "ConfigMapList", metadata: {}, items: [{ metadata: { name: "c" } }] }));
    const { body } = await api.handle({ verb: "list", resource: CONFIG_MAPS, namespace: "", options: {} }, caller);
    expect(body).toMatchObject({ items: [{ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "c" } }] });
  });

  test.each([
    { name: "a Status", code: 404, text: JSON.stringify({ kind: "Status", reason: "NotFound", message: "not here" }), message: "not here" },
    { name: "plain text", code: 404, text: "404 page not found\n", message: "404 page not found" },
  ])("a refusal is a StatusError: $name", async ({ code, text, message }) => {
    answer = (_, response) => response.writeHead(code).end(text);
    const error: unknown = await get().catch((e: unknown) => e);
    expect(isNotFound(error)).toBe(true);
    expect(error).toMatchObject({ code, message });
  });

  test("a server that is not there is said to be so", async () => {
    answer = (request) => request.destroy();
    expect(isUnreachable(await get().catch((e: unknown) => e))).toBe(true);
  });

  const line = (type: string, name: string) => `${JSON.stringify({ type, object: { metadata: { name } } })}\n`;

  test("a watch hands out its lines, wherever the chunks break, and ends with the response", async () => {
    const text = line("ADDED", "ä") + line("MODIFIED", "b");
    answer = (_, response) => {
      const bytes = Buffer.from(text);
      response.write(bytes.subarray(0, 40));
      response.write(bytes.subarray(40));
      response.end();
    };
    const seen: WatchEvent[] = [];
    await (await watch(seen)).ended;
    expect(seen.map((e) => [e.type, e.object.metadata])).toEqual([["ADDED", { name: "ä" }], ["MODIFIED", { name: "b" }]]);
  });

  test("a line that is no event ends the watch, and nothing after it is believed", async () => {
    answer = (_, response) => void response.write(`${line("ADDED", "a")}{"type":"MOD\n${line("DELETED", "a")}`);
    const seen: WatchEvent[] = [];
    await (await watch(seen)).ended;
    expect(seen.map((e) => e.type)).toEqual(["ADDED"]);
  });

  test("a watch that is refused rejects; one that is stopped says nothing more", async () => {
    answer = (_, response) => response.writeHead(410).end(JSON.stringify({ kind: "Status", reason: "Expired" }));
    expect(isExpired(await watch([]).catch((e: unknown) => e))).toBe(true);
    answer = (_, response) => void response.write(line("ADDED", "a"));
    const seen: WatchEvent[] = [];
    const { handle, ended } = await watch(seen);
    handle.stop();
    expect(await Promise.race([ended.then(() => "ended"), new Promise((resolve) => setImmediate(() => resolve("silent")))])).toBe("silent");
  });
});
