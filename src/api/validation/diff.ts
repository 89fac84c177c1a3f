/**
 * Two texts as a unified diff with three lines of context and no file names.
 * Written the way difflib does it, whose output Kubernetes puts into some field errors.
 */

const CONTEXT = 3;
/** Beyond this many pairs of differing lines, everything between the first and the last difference is shown as replaced. */
const PAIRS_MAX = 4_000_000;

interface Edit {
  readonly sign: " " | "-" | "+";
  readonly text: string;
}

/** The longest common subsequence of what differs between common ends. */
function edits(a: readonly string[], b: readonly string[]): readonly Edit[] {
  let start = 0;
  while (start < a.length && start < b.length && a[start] === b[start]) start += 1;
  let end = 0;
  while (end < a.length - start && end < b.length - start && a[a.length - 1 - end] === b[b.length - 1 - end]) end += 1;
  const x = a.slice(start, a.length - end);
  const y = b.slice(start, b.length - end);
  const same = (lines: readonly string[]): Edit[] => lines.map((text) => ({ sign: " ", text }));
  return [...same(a.slice(0, start)), ...middle(x, y), ...same(a.slice(a.length - end))];
}

function middle(x: readonly string[], y: readonly string[]): Edit[] {
  if (x.length * y.length > PAIRS_MAX) return [...x.map((text): Edit => ({ sign: "-", text })), ...y.map((text): Edit => ({ sign: "+", text }))];
  const width = y.length + 1;
  const lengths = new Uint32Array((x.length + 1) * width);
  const at = (i: number, j: number): number => lengths[i * width + j] ?? 0;
  for (let i = x.length - 1; i >= 0; i -= 1) {
    for (let j = y.length - 1; j >= 0; j -= 1) lengths[i * width + j] = x[i] === y[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
  }
  const out: Edit[] = [];
  let [i, j] = [0, 0];
  while (i < x.length || j < y.length) {
    const [p, q] = [x[i], y[j]];
    if (p !== undefined && p === q) {
      out.push({ sign: " ", text: p });
      i += 1;
      j += 1;
    } else if (p !== undefined && (q === undefined || at(i + 1, j) >= at(i, j + 1))) {
      out.push({ sign: "-", text: p });
      i += 1;
    } else {
      out.push({ sign: "+", text: q ?? "" });
      j += 1;
    }
  }
  return out;
}

const range = (start: number, length: number): string => (length === 1 ? `${start + 1}` : `${length === 0 ? start : start + 1},${length}`);

/** "" when the texts are the same. */
export function unifiedDiff(a: string, b: string): string {
  const all = edits(a.split("\n"), b.split("\n"));
  const changed = all.flatMap((e, i) => (e.sign === " " ? [] : [i]));
  const hunks: { from: number; to: number }[] = [];
  for (const i of changed) {
    const last = hunks.at(-1);
    if (last && i - CONTEXT <= last.to) last.to = Math.min(all.length, i + CONTEXT + 1);
    else hunks.push({ from: Math.max(0, i - CONTEXT), to: Math.min(all.length, i + CONTEXT + 1) });
  }
  return hunks
    .map(({ from, to }) => {
      const count = (list: readonly Edit[], sign: string) => list.filter((e) => e.sign === " " || e.sign === sign).length;
      const before = all.slice(0, from);
      const lines = all.slice(from, to);
      const header = `@@ -${range(count(before, "-"), count(lines, "-"))} +${range(count(before, "+"), count(lines, "+"))} @@\n`;
      return header + lines.map((e) => `${e.sign}${e.text}\n`).join("");
    })
    .join("");
}
