/** One connection carries everything of a client: a long answer that is read slowly keeps nothing else from it. */
import http2 from "node:http2";
import { expect, test } from "vitest";
import { NAMESPACES } from "../api/resource.ts";
import { openTestServer, TOKEN } from "./testing.ts";

test("a list of 20 MB that nobody reads lets other requests of the connection pass", async () => {
  const server = await openTestServer();
  for (let i = 0; i < 20; i++) server.api.add(NAMESPACES, { metadata: { name: `n${i}`, annotations: { long: "x".repeat(1 << 20) } } });
  const session = http2.connect(server.url, { ca: server.certificates.authority.certificate, settings: { initialWindowSize: 1 << 16 } });
  const open = (path: string) => session.request({ ":path": path, authorization: `Bearer ${TOKEN}` });
  const statusOf = (stream: http2.ClientHttp2Stream) => new Promise((resolve, reject) => stream.on("response", (headers) => resolve(headers[":status"])).on("error", reject));
  const list = open("/api/v1/namespaces");
  expect(await statusOf(list)).toBe(200);
  list.pause();
  expect(await Promise.all(Array.from({ length: 5 }, () => statusOf(open("/version"))))).toEqual([200, 200, 200, 200, 200]);
  session.destroy();
  await server.close();
});
