import { expect, test } from "vitest";
import { warningHeaders } from "./warnings.ts";

test("texts are quoted, said once, and left out with control characters", () => {
  expect(warningHeaders(['unknown field "a"', 'unknown field "a"', "two\nlines", ""])).toEqual(['299 - "unknown field \\"a\\""']);
});

test("too many characters cut each text, and what comes later falls away", () => {
  const headers = warningHeaders(Array.from({ length: 30 }, (_, i) => `${i}-${"x".repeat(400)}`));
  expect(headers).toHaveLength(16);
  expect(headers[0]).toBe(`299 - "0-${"x".repeat(254)}"`);
});
