import { describe, expect, test } from "vitest";
import { NO_FAILURES, nextBackoffRecord, remainingBackoff, remainingIndexBackoff } from "./backoff.ts";
import { podOf, START } from "./builders.ts";

const s = (seconds: number) => START + seconds * 1000;
const ended = (seconds: number) => podOf({ phase: "Failed", finishedAt: seconds });

describe("nextBackoffRecord", () => {
  const two = { failures: 2, lastFailure: s(5), spreadMs: 70 };
  test.each([
    { name: "nothing ended", old: two, succeeded: [], failed: [], want: two },
    { name: "failures add up, the latest counts", old: two, succeeded: [], failed: [ended(30), ended(20)], want: { failures: 4, lastFailure: s(30), spreadMs: 9 } },
    { name: "a success starts over", old: two, succeeded: [ended(9)], failed: [], want: NO_FAILURES },
    { name: "after a success only later failures count", old: two, succeeded: [ended(10), ended(20)], failed: [ended(15), ended(20), ended(21), ended(25)], want: { failures: 2, lastFailure: s(25), spreadMs: 9 } },
    { name: "failures before the success do not", old: two, succeeded: [ended(20)], failed: [ended(20)], want: NO_FAILURES },
  ])("$name", ({ old, succeeded, failed, want }) => expect(nextBackoffRecord(old, succeeded, failed, 9)).toEqual(want));
});

describe("remainingBackoff", () => {
  test.each([
    { name: "no failure", failures: 0, elapsed: 0, want: 0 },
    { name: "the first failure", failures: 1, elapsed: 0, want: 10_000 },
    { name: "some time later", failures: 1, elapsed: 4, want: 6000 },
    { name: "the moment it ends", failures: 1, elapsed: 10, want: 0 },
    { name: "long after", failures: 1, elapsed: 11, want: 0 },
    { name: "the second failure", failures: 2, elapsed: 0, want: 20_000 },
    { name: "the sixth failure", failures: 6, elapsed: 0, want: 320_000 },
    { name: "the seventh reaches ten minutes", failures: 7, elapsed: 0, want: 600_000 },
    { name: "and no more", failures: 5000, elapsed: 0, want: 600_000 },
  ])("$name", ({ failures, elapsed, want }) => expect(remainingBackoff({ failures, lastFailure: s(0), spreadMs: 0 }, s(elapsed))).toBe(want));

  test("a record without a time asks for no wait", () => expect(remainingBackoff({ failures: 2, lastFailure: undefined, spreadMs: 5 }, s(0))).toBe(0));
  test("chance adds to the wait, beyond the longest too", () => {
    expect(remainingBackoff({ failures: 1, lastFailure: s(0), spreadMs: 400 }, s(0))).toBe(10_400);
    expect(remainingBackoff({ failures: 9, lastFailure: s(0), spreadMs: 400 }, s(0))).toBe(600_400);
  });
});

describe("remainingIndexBackoff", () => {
  test.each([
    { name: "no failed pod", pod: undefined, want: 0 },
    { name: "the first failure of the index", pod: podOf({ failures: 0, finishedAt: 0 }), want: 10_000 },
    { name: "counted and ignored failures alike", pod: podOf({ failures: 1, ignored: 1, finishedAt: 0 }), want: 40_000 },
  ])("$name", ({ pod, want }) => expect(remainingIndexBackoff(pod, s(0))).toBe(want));
});
