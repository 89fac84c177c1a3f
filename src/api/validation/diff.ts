/**
 * Two texts as a unified diff with three lines of context and no file names.
 * Written the way difflib does it, line for line, whose output Kubernetes puts into some field errors: the longest run of lines that both texts
 * have is kept, and what is before and after it is compared in the same way; lines that are all over a long text begin no run.
 */

const CONTEXT = 3;
/** From this length on, lines that stand in more than one of a hundred places are too common to begin a run. */
const LONG = 200;
/** Beyond this many pairs of lines, everything is shown as replaced. */
const PAIRS_MAX = 25_000_000;

/** Lines `[i1, i2)` of the first text and `[j1, j2)` of the second: the same, or one instead of the other. */
interface Block {
  readonly same: boolean;
  readonly i1: number;
  readonly i2: number;
  readonly j1: number;
  readonly j2: number;
}

type Places = ReadonlyMap<string, readonly number[]>;

function placesOf(b: readonly string[]): Places {
  const places = new Map<string, number[]>();
  for (const [j, line] of b.entries()) {
    const known = places.get(line);
    if (known) known.push(j);
    else places.set(line, [j]);
  }
  const most = Math.floor(b.length / 100) + 1;
  if (b.length >= LONG) for (const [line, list] of places) if (list.length > most) places.delete(line);
  return places;
}

interface Run {
  readonly i: number;
  readonly j: number;
  readonly size: number;
}

interface Span {
  readonly i1: number;
  readonly i2: number;
  readonly j1: number;
  readonly j2: number;
}

/** The longest run inside the span: of several the first in the first text, and of those the first in the second. */
function longestRun(a: readonly string[], b: readonly string[], places: Places, { i1, i2, j1, j2 }: Span): Run {
  let best: Run = { i: i1, j: j1, size: 0 };
  let lengths = new Map<number, number>();
  for (let i = i1; i < i2; i++) {
    const next = new Map<number, number>();
    for (const j of places.get(a[i] ?? "") ?? []) {
      if (j < j1) continue;
      if (j >= j2) break;
      const size = (lengths.get(j - 1) ?? 0) + 1;
      next.set(j, size);
      if (size > best.size) best = { i: i - size + 1, j: j - size + 1, size };
    }
    lengths = next;
  }
  let { i, j, size } = best;
  while (i > i1 && j > j1 && a[i - 1] === b[j - 1]) {
    i -= 1;
    j -= 1;
    size += 1;
  }
  while (i + size < i2 && j + size < j2 && a[i + size] === b[j + size]) size += 1;
  return { i, j, size };
}

function runsIn(a: readonly string[], b: readonly string[]): readonly Run[] {
  const places = placesOf(b);
  const runs: Run[] = [];
  const spans: Span[] = [{ i1: 0, i2: a.length, j1: 0, j2: b.length }];
  for (let span = spans.pop(); span; span = spans.pop()) {
    const run = longestRun(a, b, places, span);
    if (run.size === 0) continue;
    runs.push(run);
    if (span.i1 < run.i && span.j1 < run.j) spans.push({ ...span, i2: run.i, j2: run.j });
    if (run.i + run.size < span.i2 && run.j + run.size < span.j2) spans.push({ ...span, i1: run.i + run.size, j1: run.j + run.size });
  }
  return runs.sort((x, y) => x.i - y.i || x.j - y.j);
}

function blocksOf(a: readonly string[], b: readonly string[]): readonly Block[] {
  const blocks: Block[] = [];
  let [i, j] = [0, 0];
  const runs = a.length * b.length > PAIRS_MAX ? [] : runsIn(a, b);
  for (const run of [...runs, { i: a.length, j: b.length, size: 0 }]) {
    if (i < run.i || j < run.j) blocks.push({ same: false, i1: i, i2: run.i, j1: j, j2: run.j });
    const last = blocks.at(-1);
    [i, j] = [run.i + run.size, run.j + run.size];
    if (run.size === 0) continue;
    // Runs that touch are one.
    if (last?.same) blocks[blocks.length - 1] = { ...last, i2: i, j2: j };
    else blocks.push({ same: true, i1: run.i, i2: i, j1: run.j, j2: j });
  }
  return blocks;
}

const firstOf = (block: Block): Block => ({ ...block, i2: Math.min(block.i2, block.i1 + CONTEXT), j2: Math.min(block.j2, block.j1 + CONTEXT) });
const lastOf = (block: Block): Block => ({ ...block, i1: Math.max(block.i1, block.i2 - CONTEXT), j1: Math.max(block.j1, block.j2 - CONTEXT) });

/** What differs, with the context around it; what is near enough stands together. */
function hunksOf(blocks: readonly Block[]): readonly (readonly Block[])[] {
  const hunks: Block[][] = [];
  let hunk: Block[] = [];
  blocks.forEach((block, n) => {
    const [isFirst, isLast] = [n === 0, n === blocks.length - 1];
    if (block.same && (isFirst || isLast || block.i2 - block.i1 > 2 * CONTEXT)) {
      if (!isFirst) hunks.push([...hunk, firstOf(block)]);
      hunk = isLast ? [] : [lastOf(block)];
    } else hunk.push(block);
  });
  if (hunk.some((block) => !block.same)) hunks.push(hunk);
  return hunks;
}

const range = (start: number, end: number): string => (end - start === 1 ? `${start + 1}` : `${end === start ? start : start + 1},${end - start}`);

const signed = (sign: string, lines: readonly string[]): string => lines.map((line) => `${sign}${line}\n`).join("");

/** "" when the texts are the same. */
export function unifiedDiff(before: string, after: string): string {
  if (before === after) return "";
  const [a, b] = [before.split("\n"), after.split("\n")];
  return hunksOf(blocksOf(a, b))
    .map((hunk) => {
      const [first, last] = [hunk[0], hunk.at(-1)];
      const header = `@@ -${range(first?.i1 ?? 0, last?.i2 ?? 0)} +${range(first?.j1 ?? 0, last?.j2 ?? 0)} @@\n`;
      return header + hunk.map(({ same, i1, i2, j1, j2 }) => (same ? signed(" ", a.slice(i1, i2)) : signed("-", a.slice(i1, i2)) + signed("+", b.slice(j1, j2)))).join("");
    })
    .join("");
}
