import { expect, test } from "vitest";
import { durationError, listOptionsOf } from "./query.ts";

test.each([
  { text: "1s" }, { text: "1h30m" }, { text: "-1.5s" }, { text: "0" }, { text: ".5ms" }, { text: "2µs" },
  { text: "x", want: 'time: invalid duration "x"' },
  { text: "-", want: 'time: invalid duration "-"' },
  { text: "5", want: 'time: missing unit in duration "5"' },
  { text: "5y", want: 'time: unknown unit "y" in duration "5y"' },
  { text: "1s.", want: 'time: invalid duration "1s."' },
])("a duration of $text", ({ text, want }) => {
  expect(durationError(text)).toBe(want);
});

test("a wrong timeoutSeconds is wrong for a list, too", () => {
  expect(() => listOptionsOf(new URLSearchParams("timeoutSeconds=x"))).toThrow('strconv.ParseInt: parsing "x": invalid syntax');
});
