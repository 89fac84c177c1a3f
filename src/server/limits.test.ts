/** What many clients, slow clients and clients that do not read can do to each other: nothing. */
import { connect, type TLSSocket } from "node:tls";
import { afterEach, beforeEach, expect, test } from "vitest";
import { CONFIG_MAPS } from "../api/resource.ts";
import { openTestServer, type TestServer, TOKEN } from "./testing.ts";

const MAPS = "/api/v1/namespaces/n/configmaps";
const one = { running: 1, waiting: 1 };
let server: TestServer;
/** Whoever holds it lets no write through. */
let gate: PromiseWithResolvers<void>;

beforeEach(async () => {
  gate = Promise.withResolvers();
  server = await openTestServer((api) => {
    const held: typeof api.handle = async (request, caller) => {
      if (request.verb === "create") await gate.promise;
      return api.handle(request, caller);
    };
    return { limits: { reading: one, mutating: one }, api: { handle: held, watch: (...args) => api.watch(...args) } };
  });
  server.api.add(CONFIG_MAPS, { metadata: { name: "a", namespace: "n" } });
});
afterEach(() => server.close());

const create = (name: string) => server.request("POST", MAPS, { body: { metadata: { name } } });
const raw = (text: string) => new Promise<TLSSocket>((resolve) => {
  const { hostname: host, port } = new URL(server.url);
  const socket = connect({ host, port: Number(port), rejectUnauthorized: false, ALPNProtocols: ["http/1.1"] }, () => resolve(socket));
  socket.on("error", () => {}).write(text);
});

test("writes beyond what runs and waits are told to come again; reads are served meanwhile; then all of them are", async () => {
  const first = [create("m0"), create("m1")];
  await expect.poll(async () => (await server.request("GET", "/metrics")).text).toMatch(/inqueue_requests\{request_kind="mutating"\} 1/);
  const refused = await create("m2");
  expect([refused.status, refused.headers["retry-after"]]).toEqual([429, "1"]);
  expect(refused.body).toMatchObject({ kind: "Status", reason: "TooManyRequests", code: 429, details: { retryAfterSeconds: 1 } });
  expect((await server.request("GET", `${MAPS}/a`)).status).toBe(200);
  gate.resolve();
  expect((await Promise.all(first)).map(({ status }) => status)).toEqual([201, 201]);
  expect((await create("m2")).status).toBe(201);
});

test("a body that never comes whole holds no place", async () => {
  gate.resolve();
  const head = `POST ${MAPS} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${TOKEN}\r\ncontent-type: application/json\r\ncontent-length: 1000\r\n\r\n{`;
  const slow = await Promise.all([raw(head), raw(head), raw(head)]);
  expect((await create("m")).status).toBe(201);
  for (const socket of slow) socket.destroy();
});

test("watches hold no place", async () => {
  const watches = await Promise.all(Array.from({ length: 5 }, () => server.stream(`${MAPS}?watch=1`)));
  expect((await server.request("GET", `${MAPS}/a`)).status).toBe(200);
  for (const watch of watches) watch.close();
});
