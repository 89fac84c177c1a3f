import { expect, test } from "vitest";
import type { Job } from "../../api/generated/types.ts";
import type { Stored } from "../../api/object.ts";
import type { Observer, Stint } from "../../app/stint.ts";
import { VirtualClock } from "../../base/clock.ts";
import type { Reporter } from "./report.ts";
import { Session } from "./session.ts";

const target = { kind: "Job" as const, namespace: "default", name: "x" };
const job = (type: string): Stored<Job> =>
  ({ metadata: { namespace: "default", name: "x" }, spec: {}, status: { conditions: [{ type, status: "True", reason: "R", message: "M" }] } }) as unknown as Stored<Job>;

/** A session over a stint of which only what is observed, and its failure, is real. */
function open() {
  const failure = Promise.withResolvers<Error>();
  let observer: Observer | undefined;
  const stint = { failed: failure.promise, observe: (o: Observer) => (observer = o) } as unknown as Stint;
  const reporter = { attempt() {}, progress() {}, warning() {} } as unknown as Reporter;
  const clock = new VirtualClock(0);
  const interrupted = new AbortController();
  const session = new Session({ stint, clock, reporter, targets: [target] });
  const end = session.run({ interrupted: interrupted.signal, timeoutMs: 1000 });
  return { end, clock, interrupted, fail: failure.resolve, see: (o: Stored<Job>) => observer?.onJob(o, false) };
}

test.each([
  { name: "a complete Job ends it well", condition: "Complete", failed: false },
  { name: "a failed Job ends it badly", condition: "Failed", failed: true },
])("$name", async ({ condition, failed }) => {
  const { end, see } = open();
  see(job(condition));
  expect(await end).toMatchObject({ kind: "over", failed });
});

test("its time is over when it is over, and not before", async () => {
  const { end, clock } = open();
  clock.advance(1000);
  expect(await end).toMatchObject({ kind: "timed-out", afterMs: 1000 });
});

test("an interruption ends it", async () => {
  const { end, interrupted } = open();
  interrupted.abort();
  expect(await end).toMatchObject({ kind: "interrupted" });
});

test("a stint that can't go on ends it with the reason, instead of waiting for what will never come", async () => {
  const { end, fail } = open();
  fail(new Error("the disk is gone"));
  await expect(end).rejects.toThrow("the run can't go on: the disk is gone");
});
