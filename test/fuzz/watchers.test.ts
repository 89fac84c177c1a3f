/**
 * Watchers that do not read: each is cut off when it has missed too much, what waits for them is there once and not once for each, and whoever reads
 * hears everything, in order, as if the others were not there.
 */
import { afterAll, beforeAll, expect, test } from "vitest";
import { Attacked, type Connection, rawRequest, within } from "./attacked.ts";

const MAPS = "/api/v1/namespaces/default/configmaps";
const SLOW = 24;
const WRITES = 80;
const BYTES = 200_000;
/** Unshared, what the slow ones are allowed to miss would be more than twice this. */
const BUFFERS_MB_MAX = 80;

let server: Attacked;
beforeAll(async () => {
  server = await Attacked.start();
}, 60_000);
afterAll(() => server.stop());

/** Counts the events of a watch that is read; `heard` resolves with their versions when there are so many. */
function reader(connection: Connection, count: number): Promise<readonly number[]> {
  return new Promise((resolve, reject) => {
    const versions: number[] = [];
    let rest = "";
    const stream = connection.session.request({ ":path": `${MAPS}?watch=1`, authorization: "Bearer the-administrator" });
    stream.on("error", reject).setEncoding("utf8").on("data", (text: string) => {
      const lines = (rest + text).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) versions.push(Number(/"resourceVersion":"(\d+)"/.exec(line)?.[1]));
      if (versions.length >= count) resolve(versions);
    });
  });
}

test("who does not read is cut off, and costs the others nothing", { timeout: 120_000 }, async () => {
  const [writer, listener] = [server.connect(), server.connect({ initialWindowSize: 1 << 20 })];
  await writer.json("POST", MAPS, { metadata: { name: "big" }, data: {} });
  const heard = reader(listener, WRITES + 1);
  const slow = await Promise.all(Array.from({ length: SLOW }, async () => {
    const socket = await server.tls();
    socket.on("error", () => {}).pause().write(rawRequest({ method: "GET", path: `${MAPS}?watch=1`, headers: {}, body: undefined }));
    return socket;
  }));
  await expect.poll(async () => (await server.gauges(writer)).watches, { timeout: 10_000 }).toBe(SLOW + 1);
  const before = await server.held();
  let most = 0;
  for (let i = 0; i < WRITES; i++) {
    const { status } = await writer.json("PUT", `${MAPS}/big`, { metadata: { name: "big" }, data: { round: String(i), text: "x".repeat(BYTES) } });
    expect(status).toBe(200);
    if (i % 10 === 9) most = Math.max(most, (await server.held()).buffersMB - before.buffersMB);
  }
  const versions = await within(heard, "the reader");
  expect(versions).toEqual([...new Set(versions)].sort((a, b) => a - b));
  await expect.poll(async () => (await server.gauges(writer)).watches, { timeout: 10_000 }).toBe(1);
  expect(most).toBeLessThan(BUFFERS_MB_MAX);
  for (const socket of slow) socket.destroy();
  await Promise.all([writer.close(), listener.close()]);
  await expect.poll(async () => (await server.held()).buffersMB, { timeout: 10_000 }).toBeLessThan(before.buffersMB + 8);
});
