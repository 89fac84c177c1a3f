import { expect, test } from "vitest";
import { unifiedDiff } from "./diff.ts";

const lines = (...list: string[]) => list.join("\n");

test.each([
  { name: "the same text", a: lines("x"), b: lines("x"), want: "" },
  { name: "a line more", a: lines("a", "b"), b: lines("a", "n", "b"), want: "@@ -1,2 +1,3 @@\n a\n+n\n b\n" },
  { name: "the longest run is kept, the first of several", a: lines("[", " {", "  1", " }", "]"), b: lines("[", " {", "  0", " }", " {", "  1", " }", "]"), want: "@@ -1,4 +1,7 @@\n [\n+ {\n+  0\n+ }\n  {\n   1\n  }\n" },
])("$name", ({ a, b, want }) => expect(unifiedDiff(a, b)).toBe(want));

test("two places far from each other are two hunks", () => {
  const many = Array.from({ length: 20 }, (_, i) => `l${i}`);
  const changed = many.map((line, i) => (i === 1 || i === 18 ? "new" : line));
  expect(unifiedDiff(lines(...many), lines(...changed)).match(/^@@.*$/gm)).toEqual(["@@ -1,5 +1,5 @@", "@@ -16,5 +16,5 @@"]);
});

test("a line that is all over a long text begins no run", () => {
  const filler = Array.from({ length: 210 }, (_, i) => (i % 2 === 0 ? "{" : `u${i}`));
  expect(unifiedDiff(lines("{", ...filler), lines(...filler))).toBe("@@ -1,4 +1,3 @@\n-{\n {\n u1\n {\n");
});
