import https from "node:https";
import { connect, createServer, type Server } from "node:net";
import { type Duplex, Readable } from "node:stream";
import { deflateSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { PODS } from "../../api/resource.ts";
import { systemClock } from "../../base/clock.ts";
import { podConnects } from "./connect.ts";
import { badRequest } from "../../api/status-error.ts";
import type { PodStreams } from "./streams.ts";
import { spdyDictionary } from "../../server/spdy-dictionary.ts";
import { openTestServer, type TestServer, TOKEN } from "../../server/testing.ts";

let server: TestServer;
let echo: Server;
const POD = "/api/v1/namespaces/n/pods";
const container = (name: string) => ({ name, image: "i" });

/** Says its arguments and what it is given, and ends with the code that its last argument names. */
const streams: PodStreams = {
  logs: (_pod, { container, follow }) => (container === "waiting" ? Promise.reject(badRequest("is waiting to start")) : Promise.resolve(Readable.from([Buffer.from(`log of ${container}`), Buffer.from(follow ? " follows\n" : "\n")]))),
  async exec(_pod, { command, stdin, stdout, stderr }) {
    stdout.write(Buffer.from(command.join(" ")));
    for await (const chunk of stdin ?? []) stderr.write(chunk);
    return Number(command.at(-1) ?? 0);
  },
  portForward: (_pod, port) =>
    new Promise((resolve, reject) => {
      const socket = connect(port, "127.0.0.1", () => resolve(socket));
      socket.once("error", reject);
    }),
};

beforeAll(async () => {
  server = await openTestServer((api) => ({ connects: podConnects({ api, clock: systemClock, streams }) }));
  echo = createServer((socket) => socket.pipe(socket));
  await new Promise<void>((resolve) => echo.listen(0, "127.0.0.1", resolve));
  server.api.add(PODS, { metadata: { name: "bound", namespace: "n" }, spec: { nodeName: "here", containers: [container("main")] } } as never);
  server.api.add(PODS, { metadata: { name: "one", namespace: "n" }, spec: { containers: [container("main")] } } as never);
  server.api.add(PODS, { metadata: { name: "two", namespace: "n" }, spec: { nodeName: "here", initContainers: [container("i")], containers: [container("a"), container("waiting")] } } as never);
});
afterAll(async () => {
  echo.close();
  await server.close();
});

describe("logs", () => {
  test.each([
    { path: "one/log", status: 204, text: "" },
    { path: "bound/log?follow=true", status: 200, text: "log of main follows\n" },
    { path: "two/log?container=i", status: 200, text: "log of i\n" },
  ])("$path", async ({ path, status, text }) => expect(await server.request("GET", `${POD}/${path}`)).toMatchObject({ status, text }));

  test.each([
    { path: "one/log?container=other", code: 400, message: "container other is not valid for pod one" },
    { path: "two/log", code: 400, message: "a container name must be specified for pod two, choose one of: [i a waiting]" },
    { path: "two/log?container=waiting", code: 400, message: "is waiting to start" },
    { path: "absent/log", code: 404, message: 'pods "absent" not found' },
    { path: "one/log?tailLines=x", code: 400, message: 'strconv.ParseInt: parsing "x": invalid syntax' },
    { path: "one/log?tailLines=-1", code: 422, message: 'PodLogOptions "one" is invalid: tailLines: Invalid value: -1: must be greater than or equal to 0' },
    { path: "one/log?sinceSeconds=5&sinceTime=2020-01-01T00:00:00Z", code: 422, message: 'PodLogOptions "one" is invalid: []: Forbidden: at most one of `sinceTime` or `sinceSeconds` may be specified' },
    { path: "one/log?limitBytes=0", code: 422, message: 'PodLogOptions "one" is invalid: limitBytes: Invalid value: 0: must be greater than 0' },
  ])("$path is refused", async ({ path, code, message }) => expect((await server.request("GET", `${POD}/${path}`)).body).toMatchObject({ code, message }));
});

test.each(["exec?command=ls&stdout=true", "attach", "portforward"])("%s of a pod without a node", async (path) => {
  expect((await server.request("POST", `${POD}/one/${path}`)).body).toMatchObject({ code: 400, message: "pod one does not have a host assigned" });
});

/** A masked binary frame; the mask is zero. */
function clientFrame(payload: Uint8Array): Buffer {
  const length = payload.length < 126 ? [payload.length | 0x80] : [126 | 0x80, payload.length >> 8, payload.length & 255];
  return Buffer.concat([Buffer.from([0x82, ...length, 0, 0, 0, 0]), payload]);
}

/** The payloads of whole, short frames that a server sends; the code of its close frame ends them. */
function serverFrames(bytes: Buffer): { readonly messages: Buffer[]; readonly closeCode: number | undefined } {
  const messages: Buffer[] = [];
  for (let at = 0; at + 2 <= bytes.length; ) {
    const short = (bytes[at + 1] ?? 0) & 127;
    const start = at + (short === 126 ? 4 : 2);
    const end = start + (short === 126 ? bytes.readUInt16BE(at + 2) : short);
    const payload = bytes.subarray(start, end);
    if (((bytes[at] ?? 0) & 15) === 8) return { messages, closeCode: payload.readUInt16BE(0) };
    if (((bytes[at] ?? 0) & 15) < 3) messages.push(payload);
    at = end;
  }
  return { messages, closeCode: undefined };
}

/** By hand, because client libraries refuse subprotocols with a slash. */
async function open(path: string, protocol: string) {
  const socket = await new Promise<Duplex>((resolve, reject) => {
    const headers = { authorization: `Bearer ${TOKEN}`, connection: "Upgrade", upgrade: "websocket", "sec-websocket-version": "13", "sec-websocket-key": Buffer.alloc(16).toString("base64"), "sec-websocket-protocol": protocol };
    const request = https.request(`${server.url}${POD}/${path}`, { ca: server.certificates.authority.certificate, agent: false, headers });
    request.on("upgrade", (response, upgraded) => {
      expect(response.headers["sec-websocket-protocol"]).toBe(protocol);
      resolve(upgraded);
    });
    request.on("response", (response) => reject(new Error(`${response.statusCode}`))).on("error", reject).end();
  });
  let received: Buffer = Buffer.alloc(0);
  socket.on("data", (chunk: Buffer) => (received = Buffer.concat([received, chunk]))).on("error", () => {});
  return { send: (payload: Uint8Array) => void socket.write(clientFrame(payload)), frames: () => serverFrames(received), close: () => socket.destroy() };
}

test("exec joins the channels, and ends with the exit code", async () => {
  const { send, frames, close } = await open("bound/exec?command=say&command=7&stdin=true&stdout=true&stderr=true", "v5.channel.k8s.io");
  send(Buffer.from([0, ...Buffer.from("typed")]));
  send(Buffer.from([255, 0]));
  await expect.poll(() => frames().closeCode).toBe(1000);
  const of = (channel: number) => Buffer.concat(frames().messages.filter((m) => m[0] === channel).map((m) => m.subarray(1))).toString();
  expect([of(1), of(2)]).toEqual(["say 7", "typed"]);
  expect(JSON.parse(of(3))).toMatchObject({ status: "Failure", reason: "NonZeroExitCode", details: { causes: [{ reason: "ExitCode", message: "7" }] } });
  close();
});

/** SPDY frames as a client sends them; one deflate stream a test, so each block is a stream of its own here. */
function synStream(id: number, headers: Record<string, string>): Buffer {
  const sized = (text: string) => Buffer.concat([Buffer.from([0, 0, 0, text.length]), Buffer.from(text)]);
  const pairs = Object.entries(headers).flatMap(([k, v]) => [sized(k), sized(v)]);
  const block = Buffer.concat([Buffer.from([0, 0, 0, Object.keys(headers).length]), ...pairs]);
  // Stored by hand, so that the second block goes on where the first ended.
  const head = id === 1 ? deflateSync(Buffer.alloc(0), { dictionary: spdyDictionary() }).subarray(0, 6) : Buffer.alloc(0);
  const stored = Buffer.from([0, block.length, 0, 255 - block.length, 255]);
  const payload = Buffer.concat([Buffer.from([0, 0, 0, id, 0, 0, 0, 0, 0, 0]), head, stored, block, Buffer.from([0, 0, 0, 255, 255])]);
  return Buffer.concat([Buffer.from([0x80, 3, 0, 1, 0, 0, 0, payload.length]), payload]);
}

const dataFrame = (id: number, text: string): Buffer => Buffer.concat([Buffer.from([0, 0, 0, id, 0, 0, 0, text.length]), Buffer.from(text)]);

const textOn = (stream: number, messages: readonly Buffer[]): string => messages.filter((m) => m.readUInt32BE(0) === stream).map((m) => m.subarray(8).toString()).join("");

test("port-forward joins a pair of streams with the port", async () => {
  const { port } = echo.address() as { port: number };
  const { send, frames, close } = await open("bound/portforward", "SPDY/3.1+portforward.k8s.io");
  const headers = { port: String(port), requestid: "0" };
  send(synStream(1, { ...headers, streamtype: "error" }));
  send(Buffer.concat([synStream(3, { ...headers, streamtype: "data" }), dataFrame(3, "to and fro")]));
  await expect.poll(() => textOn(3, frames().messages)).toBe("to and fro");
  close();
});

test("a port that nobody listens on is told on the error stream", async () => {
  const { send, frames, close } = await open("bound/portforward", "SPDY/3.1+portforward.k8s.io");
  send(synStream(1, { port: "1", requestid: "0", streamtype: "error" }));
  send(synStream(3, { port: "1", requestid: "0", streamtype: "data" }));
  await expect.poll(() => textOn(1, frames().messages)).toContain("error forwarding port 1 to pod");
  close();
});
