/**
 * A running server, and clients that do everything wrong: whole and broken requests in every form, slow bodies, cut connections, bytes that are no
 * HTTP, watchers and readers that do not read. It answers what can be answered, never with a 500 that upstream does not give, is there for the
 * others meanwhile, and holds no more afterwards than before.
 */
import { once } from "node:events";
import { asyncProperty, check, constantFrom, gen, nat } from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Discovery } from "../../src/api/discovery/discovery.ts";
import { kinds } from "../../src/api/kinds/table.ts";
import { Attacked, type Connection, rawRequest, type Received, type Sent, within } from "./attacked.ts";
import { type Draw, leastObject } from "./generate.ts";
import { isUpstream500 } from "./known.ts";
import { collectionOf, drawRequest, NAMES, type Target } from "./wire-requests.ts";

const LONG = process.env["STINT_TEST_LONG"] === "1";
const SEED = Number(process.env["STINT_FUZZ_SEED"] ?? (LONG ? Date.now() % 2 ** 31 : 1));
const BOUTS = LONG ? 1500 : 10;
const WARM_UP = LONG ? 100 : 4;
const REQUESTS = 16;
const REST_MS = 20;

const creatable = new Set(new Discovery().versions().flatMap((v) => v.resources.filter((r) => r.verbs.includes("create")).map((r) => `${v.group}/${v.version}/${r.name}`)));
// Namespaces would take the others with them.
const resources = kinds.map((kind) => kind.resource).filter((r) => r.plural !== "namespaces" && creatable.has(`${r.group}/${r.version}/${r.plural}`));

let server: Attacked;
beforeAll(async () => {
  server = await Attacked.start();
}, 60_000);
afterAll(() => server.stop());

const shown = ({ method, path, headers, body }: Sent) => `${method} ${path.slice(0, 300)} ${JSON.stringify(headers).slice(0, 500)} ${body?.subarray(0, 3000).toString("latin1") ?? ""}`;

function judge(sent: Sent, { status, type, body }: Received): void {
  const text = body.toString();
  const late = status === 504 && text.includes("Too large resource version");
  if (status >= 500 && !late && !isUpstream500(text)) throw new Error(`${status} ${text.slice(0, 500)}\nof ${shown(sent)}`);
  if (type !== "application/json" || text === "" || sent.method === "HEAD" || sent.path.includes("watch") || text.startsWith('{"type":')) return;
  const answer = JSON.parse(text) as { readonly kind?: string; readonly status?: unknown; readonly code?: number };
  if (answer.kind === "Status" && answer.status === "Failure" && answer.code !== status) throw new Error(`the Status says ${answer.code}, the answer ${status}, to ${shown(sent)}`);
}

const anything = (g: Draw): Target => ({ resource: g(constantFrom, ...resources), name: g(constantFrom, ...NAMES) });

/** What a client can do to a server. Each ends by itself or is ended by the signal, and is judged. */
type Action = (connection: Connection, ended: Promise<void>) => Promise<void>;

async function overHttp1(sent: Sent): Promise<void> {
  const socket = await server.tls();
  const chunks: Buffer[] = [];
  socket.on("data", (chunk: Buffer) => void chunks.push(chunk));
  socket.write(rawRequest({ ...sent, headers: { ...sent.headers, connection: "close" } }));
  await within(once(socket, "close"), `HTTP/1.1 ${shown(sent)}`);
  const text = Buffer.concat(chunks).toString("latin1");
  const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(text)?.[1]);
  if (Number.isNaN(status)) throw new Error(`no HTTP in ${JSON.stringify(text.slice(0, 200))} to ${shown(sent)}`);
  judge(sent, { status, type: "", retryAfter: undefined, body: Buffer.from(text.slice(text.indexOf("\r\n\r\n") + 4)) });
}

/** Node's client sends no such header. */
const isRefusedByClient = (error: unknown): boolean => error instanceof TypeError && /^ERR_(?:HTTP2_INVALID|INVALID_CHAR|HTTP2_CONNECT|HTTP_INVALID)/.test((error as NodeJS.ErrnoException).code ?? "");

function request(g: Draw, present: readonly Target[] = []): Action {
  const target = present.length > 0 && g(nat, 3) > 0 ? g(constantFrom, ...present) : anything(g);
  const sent = drawRequest(g, target);
  if (g(nat, 3) === 0 && /^[\x21-\x7e]+$/.test(sent.path) && Object.values(sent.headers).every((v) => /^[\x20-\x7e]*$/.test(v))) return () => overHttp1(sent);
  return async (connection) => {
    try {
      judge(sent, await connection.send(sent));
    } catch (error) {
      if (!isRefusedByClient(error)) throw error;
    }
  };
}

/** A request of which only a part comes; its rest never, or the connection is cut. */
function partOfRequest(g: Draw): Action {
  const bytes = rawRequest(drawRequest(g, anything(g)));
  const part = bytes.subarray(0, g(nat, bytes.length));
  const waits = g(nat, 1) === 0;
  return async (_connection, ended) => {
    const socket = await server.tls();
    socket.on("error", () => {}).resume().write(part);
    if (waits) await ended;
    socket.destroy();
  };
}

function slowBody(g: Draw): Action {
  const body = Buffer.from(JSON.stringify({ metadata: { name: "slow" }, data: { a: "x".repeat(g(nat, 2000)) } }));
  const pauses = g(constantFrom, 1, 3, 10);
  return async () => {
    const socket = await server.tls();
    socket.on("error", () => {});
    const chunks: Buffer[] = [];
    const closed = once(socket.on("data", (chunk: Buffer) => void chunks.push(chunk)), "close");
    const head = rawRequest({ method: "POST", path: "/api/v1/namespaces/default/configmaps?dryRun=All", headers: { "content-type": "application/json", "content-length": String(body.length), connection: "close" }, body: undefined });
    socket.write(head);
    for (let i = 0; i < pauses; i++) {
      socket.write(body.subarray(Math.floor((i * body.length) / pauses), Math.floor(((i + 1) * body.length) / pauses)));
      await new Promise((resolve) => setTimeout(resolve, REST_MS));
    }
    await within(closed, "a slow body");
    const text = Buffer.concat(chunks).toString();
    if (!/^HTTP\/1\.1 (201|409)/.test(text)) throw new Error(`a slow body is answered ${text.slice(0, 300)}`);
  };
}

function noHttp(g: Draw): Action {
  const bytes = Buffer.from(Array.from({ length: g(constantFrom, 1, 24, 200, 5000) }, () => g(nat, 255)));
  const preface = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
  const frames = Buffer.from(g(constantFrom, "000000040000000000", "0000050100000000010102030405", "00000c040000000000000300000000000400000000", "ffffff000000000001", "000004080000000000ffffffff", "00000806000000000000000000000000"), "hex");
  const protocol = g(constantFrom, "h2", "http/1.1");
  const sent = protocol === "h2" ? Buffer.concat([preface, frames, bytes]) : bytes;
  return async (_connection, ended) => {
    const socket = await server.tls(protocol);
    socket.on("error", () => {}).resume().write(sent);
    await Promise.race([ended, once(socket, "close")]);
    socket.destroy();
  };
}

/** Asks for a lot and takes nothing. */
function doesNotRead(g: Draw): Action {
  const path = g(constantFrom, "/api/v1/pods?watch=1", "/api/v1/namespaces/default/configmaps?watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true", "/openapi/v2", "/api/v1/configmaps", "/apis/rbac.authorization.k8s.io/v1/clusterroles");
  const overTls = g(nat, 1) === 0;
  return async (_connection, ended) => {
    if (overTls) {
      const socket = await server.tls();
      socket.on("error", () => {}).pause().write(rawRequest({ method: "GET", path, headers: {}, body: undefined }));
      await ended;
      socket.destroy();
      return;
    }
    const own = server.connect({ initialWindowSize: 0 });
    void own.json("GET", path).catch(() => {});
    await ended;
    await own.close();
  };
}

function watchesAWhile(g: Draw): Action {
  const path = g(constantFrom, "/api/v1/pods?watch=1", "/apis/batch/v1/jobs?watch=1&allowWatchBookmarks=true");
  return async (connection, ended) => {
    const stream = connection.session.request({ ":path": path, authorization: "Bearer the-administrator" });
    stream.on("error", () => {}).resume();
    await within(once(stream, "response"), "a watch");
    await ended;
    stream.close(8);
  };
}

function changesItsMind(g: Draw): Action {
  const sent = drawRequest(g, anything(g));
  const code = g(constantFrom, 8, 2, 11);
  return async (connection) => {
    try {
      const stream = connection.session.request({ ":method": sent.method, ":path": sent.path, authorization: "Bearer the-administrator", ...sent.headers });
      stream.on("error", () => {}).resume();
      if (sent.body) stream.write(sent.body);
      stream.close(code);
      await within(new Promise((resolve) => void stream.once("close", resolve)), `a stream that was reset with ${code}`);
    } catch (error) {
      if (!isRefusedByClient(error)) throw error;
    }
  };
}

function tooMuch(g: Draw): Action {
  const megabytes = g(constantFrom, 3, 4, 8);
  return async (connection) => {
    const { status } = await connection.send({ method: "POST", path: "/api/v1/namespaces/default/configmaps", headers: { "content-type": "application/json" }, body: Buffer.alloc(megabytes * 2 ** 20 + 1, " ") });
    if (status !== 413) throw new Error(`${megabytes} MB are answered ${status}`);
  };
}

const OTHERS: readonly ((g: Draw) => Action)[] = [partOfRequest, slowBody, noHttp, doesNotRead, watchesAWhile, changesItsMind, tooMuch];

/** Some of everything at a time; the server is there for others all the while. */
async function bout(g: Draw): Promise<void> {
  const present = Array.from({ length: 4 }, () => anything(g));
  const actions = [...Array.from({ length: REQUESTS }, () => request(g, present)), ...OTHERS.map((make) => make(g))];
  const ended = Promise.withResolvers<void>();
  const [attacker, other] = [server.connect(), server.connect()];
  try {
    // So that there is something to change.
    await Promise.all(present.map(({ resource, name }) => other.json("POST", collectionOf(resource), leastObject(resource, name))));
    const running = Promise.all(actions.map((action) => action(attacker, ended.promise)));
    running.catch(() => {});
    const answers = await within(Promise.all(["/readyz", "/api/v1/namespaces/default"].map((path) => other.json("GET", path))), "an ordinary request", 5000);
    expect(answers.map(({ status }) => status)).toEqual([200, 200]);
    setTimeout(() => ended.resolve(), REST_MS);
    await running;
  } finally {
    ended.resolve();
    await Promise.all([attacker.close(), other.close()]);
  }
  server.check();
}

async function removeAll(connection: Connection): Promise<void> {
  for (const r of resources.filter(({ group }) => group !== "rbac.authorization.k8s.io")) {
    const url = collectionOf(r);
    await connection.json("DELETE", `${url}?fieldSelector=metadata.name!=default`, { gracePeriodSeconds: 0, propagationPolicy: "Background" });
    const left = JSON.parse((await connection.json("GET", url)).body.toString()) as { readonly items: readonly { readonly metadata: { readonly name: string } }[] };
    for (const { metadata } of left.items) {
      if (metadata.name === "default" || metadata.name.startsWith("system-")) continue;
      await connection.json("PATCH", `${url}/${metadata.name}`, { metadata: { finalizers: null } }, "application/merge-patch+json");
      await connection.json("DELETE", `${url}/${metadata.name}`, { gracePeriodSeconds: 0 });
    }
  }
}

/** What was drawn is in the error's text as far as it matters; all of it would fill pages. */
async function bouts(count: number, seed: number): Promise<void> {
  const { failed, counterexamplePath, errorInstance } = await check(asyncProperty(gen(), bout), { numRuns: count, seed, endOnFailure: true });
  if (failed) throw new Error(`bout ${counterexamplePath} of seed ${seed}: ${errorInstance instanceof Error ? errorInstance.message : String(errorInstance)}`, { cause: errorInstance });
}

/** What the server holds when nobody wants anything any more. */
async function atRest() {
  const connection = server.connect();
  await removeAll(connection);
  await expect.poll(() => server.gauges(connection), { timeout: 10_000 }).toEqual({ inFlight: 1, inQueue: 0, watches: 0 });
  await connection.close();
  const sockets = async () => (await server.held()).handles["TCPSocketWrap"] ?? 0;
  await expect.poll(sockets, { timeout: 10_000 }).toBe(0);
  return server.held();
}

test(`a server that is treated badly answers, stays, and grows no more (seed ${SEED})`, { timeout: LONG ? 3_600_000 : 240_000 }, async () => {
  await bouts(WARM_UP, SEED + 1);
  const before = await atRest();
  await bouts(BOUTS, SEED);
  const after = await atRest();
  expect([...before.errors, ...after.errors]).toEqual([]);
  expect(after.heapMB).toBeLessThan(before.heapMB + 12);
  expect(after.buffersMB).toBeLessThan(before.buffersMB + 8);
});
