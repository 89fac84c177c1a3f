import { expect, test } from "vitest";
import { yamlText } from "./yaml.ts";

const LONG = "word ".repeat(20).trim();

test.each([
  { value: { b: 1, a: [], c: {} }, text: "a: []\nb: 1\nc: {}\n" },
  { value: { list: [1, [2, "x"], { k: "v", l: ["m"] }] }, text: "list:\n- 1\n- - 2\n  - x\n- k: v\n  l:\n  - m\n" },
  { value: { "f:x": { ".": {} } }, text: "f:x:\n  .: {}\n" },
  { value: ["true", "1", "0x1F", "1e3", "2020-01-01", "12:30:45", "", "~", "no"], text: '- "true"\n- "1"\n- "0x1F"\n- "1e3"\n- "2020-01-01"\n- "12:30:45"\n- ""\n- "~"\n- "no"\n' },
  { value: ["v1", "a: b", "a:b", "-a", "- a", "it's", "#a", "a #b", " a", "<<", "2020-13-01"], text: "- v1\n- 'a: b'\n- a:b\n- -a\n- '- a'\n- it's\n- '#a'\n- 'a #b'\n- ' a'\n- <<\n- 2020-13-01\n" },
  { value: ["a\tb", "\u0000", "😀", "ü", "a\rb"], text: '- "a\\tb"\n- "\\0"\n- "\\U0001F600"\n- ü\n- "a\\rb"\n' },
  { value: { a: "x\ny", b: "x\n", c: "x\n\n", d: " x\ny", e: "x \ny" }, text: 'a: |-\n  x\n  y\nb: |\n  x\nc: |+\n  x\n\nd: |2-\n   x\n  y\ne: "x \\ny"\n' },
  { value: { a: LONG }, text: `a: ${"word ".repeat(15).trim()} word\n  ${"word ".repeat(4).trim()}\n` },
  { value: { a: `x: ${LONG}` }, text: `a: 'x: ${"word ".repeat(15).trim()}\n  ${"word ".repeat(5).trim()}'\n` },
  { value: [1e21, 0.00001, 1.5, null, true], text: "- 1e+21\n- 1e-05\n- 1.5\n- null\n- true\n" },
  { value: { a10: 0, a9: 0, B: 0, "a.b": 0 }, text: "B: 0\na.b: 0\na9: 0\na10: 0\n" },
  { value: { ["k".repeat(129)]: { a: 1 } }, text: `? ${"k".repeat(129)}\n: a: 1\n` },
])("$value is written as Go writes it", ({ value, text }) => {
  expect(yamlText(value)).toBe(text);
});
