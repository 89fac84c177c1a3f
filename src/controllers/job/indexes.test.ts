import { describe, expect, test } from "vitest";
import * as fc from "fast-check";
import { countIndexes, countOverlap, firstFreeIndexes, formatIndexes, hasIndex, intervalsOf, mergeIntervals, parseIndexes } from "./indexes.ts";

const expand = (text: string) => parseIndexes(text, 1000).flatMap(({ first, last }) => Array.from({ length: last - first + 1 }, (_, i) => first + i));

describe("parseIndexes", () => {
  test.each([
    { name: "nothing", text: "", completions: 5, want: "" },
    { name: "absent", text: undefined, completions: 5, want: "" },
    { name: "null", text: null, completions: 5, want: "" },
    { name: "single numbers and ranges", text: "1,3-5,7", completions: 10, want: "1,3-5,7" },
    { name: "neighbours become one", text: "1,2,3", completions: 10, want: "1-3" },
    { name: "a range that touches", text: "0-1,2-4", completions: 10, want: "0-4" },
    { name: "beyond completions", text: "1,3-5,7", completions: 3, want: "1" },
    { name: "a range over the end is cut", text: "1,3-9", completions: 5, want: "1,3,4" },
    { name: "the last index", text: "0-4", completions: 5, want: "0-4" },
    { name: "an index that equals completions", text: "5", completions: 5, want: "" },
    { name: "what is no number is left out", text: "a,1,2-x,4,-,6-", completions: 10, want: "1,4" },
  ])("$name", ({ text, completions, want }) => expect(formatIndexes(parseIndexes(text, completions))).toBe(want));
});

describe("formatIndexes", () => {
  test.each([
    { indexes: [], want: "" },
    { indexes: [0], want: "0" },
    { indexes: [9, 10], want: "9,10" },
    { indexes: [8, 9, 10], want: "8-10" },
    { indexes: [5, 3, 1, 4, 4], want: "1,3-5" },
  ])("$indexes is $want", ({ indexes, want }) => expect(formatIndexes(intervalsOf(indexes))).toBe(want));
});

const numbers = fc.array(fc.nat(60), { maxLength: 40 });
const sorted = (set: Iterable<number>) => [...set].sort((a, b) => a - b);

describe("lists behave like sets", () => {
  test("reading what was written gives the same list", () => fc.assert(fc.property(numbers, (n) => { expect(expand(formatIndexes(intervalsOf(n)))).toEqual(sorted(new Set(n))); })));
  test("merging is union, counting is size, overlap is intersection", () =>
    fc.assert(
      fc.property(numbers, numbers, (a, b) => {
        const merged = mergeIntervals(intervalsOf(a), intervalsOf(b));
        expect(merged).toEqual(intervalsOf([...a, ...b]));
        expect(countIndexes(merged)).toBe(new Set([...a, ...b]).size);
        expect(countOverlap(intervalsOf(a), intervalsOf(b))).toBe([...new Set(a)].filter((n) => b.includes(n)).length);
      }),
    ));
  test("has finds exactly the members", () => fc.assert(fc.property(numbers, fc.nat(62), (n, i) => { expect(hasIndex(intervalsOf(n), i)).toBe(n.includes(i)); })));
  test("free indexes are the lowest that are not taken", () =>
    fc.assert(
      fc.property(numbers, fc.nat(20), fc.nat(50), (taken, count, completions) => {
        const free = Array.from({ length: completions }, (_, i) => i).filter((i) => !taken.includes(i));
        expect(firstFreeIndexes(intervalsOf(taken), count, completions)).toEqual(free.slice(0, count));
      }),
    ));
});

test("merging keeps its arguments as they are", () => {
  const a = intervalsOf([1, 2]);
  mergeIntervals(a, intervalsOf([3, 9]));
  expect(a).toEqual([{ first: 1, last: 2 }]);
});
