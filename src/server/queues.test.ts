import { expect, test } from "vitest";
import { RequestQueue } from "./queues.ts";

test("so many run, so many wait in order, the rest get 429", async () => {
  const queue = new RequestQueue({ running: 1, waiting: 1 });
  const gate = Promise.withResolvers<void>();
  const order: string[] = [];
  const work = (name: string) => queue.run(async () => {
    order.push(name);
    await gate.promise;
  });
  const [first, second] = [work("first"), work("second")];
  await expect(work("third")).rejects.toMatchObject({ code: 429, reason: "TooManyRequests", details: { retryAfterSeconds: 1 } });
  expect(order).toEqual(["first"]);
  gate.resolve();
  await Promise.all([first, second]);
  expect(order).toEqual(["first", "second"]);
  expect([queue.running, queue.waiting]).toEqual([0, 0]);
});

test("a place is free again after a failure", async () => {
  const queue = new RequestQueue({ running: 1, waiting: 0 });
  await expect(queue.run(() => Promise.reject(new Error("no")))).rejects.toThrow("no");
  expect(await queue.run(() => Promise.resolve("yes"))).toBe("yes");
});
