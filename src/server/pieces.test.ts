import { gunzipSync } from "node:zlib";
import https from "node:https";
import { describe, expect, test } from "vitest";
import { CONFIG_MAPS } from "../api/resource.ts";
import type { ByteSink } from "./exchange.ts";
import { bodyOf, piecesOf, sendPieces } from "./pieces.ts";
import { openTestServer, TOKEN } from "./testing.ts";

const MB = 1 << 20;

describe("texts in pieces", () => {
  test.each([
    { name: "none", texts: [] },
    { name: "empty ones", texts: ["", "a", ""] },
    { name: "one longer than a piece", texts: ["a", "ä".repeat(MB), "b"] },
    { name: "many, of one to four bytes a character", texts: Array.from({ length: 20_000 }, (_, i) => `${i}ä€😀`) },
  ])("are the texts' bytes: $name", ({ texts }) => {
    expect(Buffer.concat([...piecesOf(texts)]).toString()).toBe(texts.join(""));
    const { length, body, pieces } = bodyOf(texts);
    expect(length).toBe(Buffer.byteLength(texts.join("")));
    expect(body === undefined ? Buffer.concat([...(pieces ?? [])]).toString() : body).toBe(texts.join(""));
  });
});

/** A client that takes what is on its way when it is told to. */
class SlowSink implements ByteSink {
  written = 0;
  pending = 0;
  ended = false;
  drained: () => void = () => {};
  closed: () => void = () => {};
  write(chunk: string | Uint8Array): void {
    this.written += chunk.length;
    this.pending += chunk.length;
  }
  writeAll(chunks: readonly Uint8Array[]): void {
    for (const chunk of chunks) this.write(chunk);
  }
  onClose(callback: () => void): void {
    this.closed = callback;
  }
  onDrain(callback: () => void): void {
    this.drained = callback;
  }
  end(): void {
    this.ended = true;
  }
  cut(): void {}
  take(): void {
    this.pending = 0;
    this.drained();
  }
}

describe("a long body", () => {
  const texts = Array.from({ length: 100 }, () => "x".repeat(100_000));

  test("is made as fast as the client takes it", () => {
    const sink = new SlowSink();
    sendPieces(sink, piecesOf(texts));
    expect(sink.written).toBeLessThan(MB);
    for (let turns = 0; !sink.ended && turns < 100; turns++) sink.take();
    expect(sink).toMatchObject({ ended: true, written: 10_000_000 });
  });

  test("is not made for who has gone", () => {
    const sink = new SlowSink();
    let made = 0;
    const counted = (function* () {
      for (const piece of piecesOf(texts)) {
        made++;
        yield piece;
      }
    })();
    sendPieces(sink, counted);
    const before = made;
    sink.closed();
    sink.take();
    expect({ made, ended: sink.ended }).toEqual({ made: before, ended: false });
  });

  test("is the same over HTTP/1.1, HTTP/2 and compressed", async () => {
    const server = await openTestServer();
    for (let i = 0; i < 500; i++) server.api.add(CONFIG_MAPS, { metadata: { name: `m${i}`, namespace: "n" }, data: { x: "ö".repeat(1000) } } as never);
    const path = "/api/v1/namespaces/n/configmaps";
    const one = await server.request("GET", path);
    expect(one.headers["content-length"]).toBe(String(Buffer.byteLength(one.text)));
    expect((one.body as { items: unknown[] }).items).toHaveLength(500);
    expect((await server.over2(path)).text).toBe(one.text);
    const zipped = await new Promise<Buffer>((resolve, reject) => {
      https.get(`${server.url}${path}`, { rejectUnauthorized: false, headers: { authorization: `Bearer ${TOKEN}`, "accept-encoding": "gzip" } }, (response) => {
        const chunks: Buffer[] = [];
        expect(response.headers).toMatchObject({ "content-encoding": "gzip", vary: "Accept-Encoding" });
        response.on("data", (chunk: Buffer) => void chunks.push(chunk)).on("end", () => resolve(Buffer.concat(chunks)));
      }).on("error", reject);
    });
    expect(gunzipSync(zipped).toString()).toBe(one.text);
    await server.close();
  });
});
