/** Text in aligned columns, as kubectl prints tables: upper-case heads, three blanks between, nothing after the last. */
export function formatTable(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [heads.map((h) => h.toUpperCase()), ...rows];
  const widths = heads.map((_, i) => Math.max(...all.map((row) => (row[i] ?? "").length)));
  return all.map((row) => `${row.map((cell, i) => (i === row.length - 1 ? cell : cell.padEnd(widths[i] ?? 0))).join("   ")}\n`).join("");
}
