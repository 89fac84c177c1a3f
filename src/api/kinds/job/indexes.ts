/**
 * Lists of completion indexes: `0-2,5`. Rising numbers and ranges, below the number of completions.
 * Follows kubernetes pkg/apis/batch/validation/validation.go (validateIndexesFormat, parseIndexInterval).
 */

interface Interval {
  readonly first: number;
  readonly last: number;
}

export type ParsedIndexes = { readonly intervals: readonly Interval[]; readonly total: number } | { readonly error: string };

const INT = /^[+-]?\d+$/;

/** The number, or upstream's words for why it is none. */
function parseIndex(text: string, completions: number): number | string {
  if (!INT.test(text)) return `cannot convert string to integer for index: ${JSON.stringify(text)}`;
  const index = Number(text);
  return index >= completions ? `too large index: ${JSON.stringify(text)}` : index;
}

function parseInterval(text: string, completions: number): Interval | string {
  const parts = text.split("-");
  if (parts.length > 2) return `the fragment ${JSON.stringify(text)} violates the requirement that an index interval can have at most two parts separated by '-'`;
  const first = parseIndex(parts[0] ?? "", completions);
  if (typeof first === "string") return first;
  if (parts.length === 1) return { first, last: first };
  const last = parseIndex(parts[1] ?? "", completions);
  if (typeof last === "string") return last;
  return first >= last ? `non-increasing order, previous: ${first}, current: ${last}` : { first, last };
}

export function parseIndexes(text: string, completions: number): ParsedIndexes {
  const intervals: Interval[] = [];
  let total = 0;
  if (text === "") return { intervals, total };
  let previous: number | undefined;
  for (const part of text.split(",")) {
    const interval = parseInterval(part, completions);
    if (typeof interval === "string") return { error: interval };
    if (previous !== undefined && previous >= interval.first) return { error: `non-increasing order, previous: ${previous}, current: ${interval.first}` };
    total += interval.last - interval.first + 1;
    intervals.push(interval);
    previous = interval.last;
  }
  return { intervals, total };
}

/** The first index that both lists have. */
export function overlap(a: readonly Interval[], b: readonly Interval[]): number | undefined {
  for (const x of a) {
    for (const y of b) {
      const first = Math.max(x.first, y.first);
      if (first <= Math.min(x.last, y.last)) return first;
    }
  }
  return undefined;
}
