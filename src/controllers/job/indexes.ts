/**
 * Lists of completion indexes in the compressed form of the status: "1,3-5,7". Pure arithmetic on ordered intervals.
 * Follows kubernetes pkg/controller/job/indexed_job_utils.go (orderedIntervals).
 */

export interface Interval {
  readonly first: number;
  readonly last: number;
}

/** Ascending, without overlap; neighbours that touch are one interval. */
export type Intervals = readonly Interval[];

const NUMBER = /^[+-]?\d+$/;

/** Reads a list; parts that are not numbers are left out, indexes from `completions` on are cut off. */
export function parseIndexes(text: string | null | undefined, completions: number): Intervals {
  if (!text) return [];
  const result: { first: number; last: number }[] = [];
  for (const part of text.split(",")) {
    const [low = "", high] = part.split("-");
    if (!NUMBER.test(low) || (high !== undefined && !NUMBER.test(high))) continue;
    const first = Number(low);
    if (first >= completions) break;
    const last = high === undefined ? first : Math.min(Number(high), completions - 1);
    const previous = result.at(-1);
    if (previous && previous.last === first - 1) previous.last = last;
    else result.push({ first, last });
  }
  return result;
}

/** Three or more in a row become "a-b", two stay "a,b". */
export function formatIndexes(intervals: Intervals): string {
  const parts = intervals.map(({ first, last }) => {
    if (last === first) return `${first}`;
    return last === first + 1 ? `${first},${last}` : `${first}-${last}`;
  });
  return parts.join(",");
}

export function countIndexes(intervals: Intervals): number {
  let count = 0;
  for (const { first, last } of intervals) count += last - first + 1;
  return count;
}

/** Binary search. */
export function hasIndex(intervals: Intervals, index: number): boolean {
  let low = 0;
  let high = intervals.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((intervals[middle]?.last ?? 0) >= index) high = middle;
    else low = middle + 1;
  }
  const found = intervals[low];
  return found !== undefined && found.first <= index;
}

/** The union of two lists, in one pass. */
export function mergeIntervals(a: Intervals, b: Intervals): Intervals {
  if (a.length === 0) return b;
  if (b.length === 0) return a;
  const result: { first: number; last: number }[] = [];
  let i = 0;
  let j = 0;
  for (;;) {
    const [x, y] = [a[i], b[j]];
    const next = y === undefined || (x !== undefined && x.first < y.first) ? x : y;
    if (next === undefined) return result;
    if (next === x) i += 1;
    else j += 1;
    const previous = result.at(-1);
    if (!previous || next.first > previous.last + 1) result.push({ first: next.first, last: next.last });
    else if (previous.last < next.last) previous.last = next.last;
  }
}

/** Intervals of single numbers, given in any order, repeats allowed. */
export function intervalsOf(indexes: Iterable<number>): Intervals {
  const result: { first: number; last: number }[] = [];
  for (const index of [...indexes].sort((a, b) => a - b)) {
    const previous = result.at(-1);
    if (previous && index <= previous.last + 1) previous.last = index;
    else result.push({ first: index, last: index });
  }
  return result;
}

/** How many indexes are in both lists. */
export function countOverlap(a: Intervals, b: Intervals): number {
  let count = 0;
  let i = 0;
  let j = 0;
  for (let x = a[i], y = b[j]; x && y; x = a[i], y = b[j]) {
    count += Math.max(0, Math.min(x.last, y.last) - Math.max(x.first, y.first) + 1);
    if (x.last <= y.last) i += 1;
    if (y.last <= x.last) j += 1;
  }
  return count;
}

/** The lowest `count` indexes below `completions` that `taken` does not cover. Bounded by `taken` and `count`. */
export function firstFreeIndexes(taken: Intervals, count: number, completions: number): number[] {
  const result: number[] = [];
  let candidate = 0;
  const fill = (end: number) => {
    for (; candidate < end && result.length < count; candidate++) result.push(candidate);
  };
  for (const { first, last } of taken) {
    if (result.length >= count) return result;
    fill(Math.min(first, completions));
    candidate = Math.max(candidate, last + 1);
  }
  fill(completions);
  return result;
}
