import { describe, expect, test } from "vitest";
import { demandedValue, parseFieldSelector } from "./field-selectors.ts";
import { matchesLabelSelector, matchesSelector, parseLabelSelector } from "./selectors.ts";

const OBJECTS = { a: { app: "web", tier: "front" }, b: { app: "web", tier: "back" }, c: { app: "db" }, d: { other: "" }, e: { app: "" }, f: { n: "5" } };

describe("label selectors", () => {
  test.each([
    { text: "app=web", selects: "ab" },
    { text: "app==web", selects: "ab" },
    { text: "app!=web", selects: "cdef" },
    { text: "app", selects: "abce" },
    { text: "!app", selects: "df" },
    { text: "app in (web,db)", selects: "abc" },
    { text: "app notin (web)", selects: "cdef" },
    { text: "app=", selects: "e" },
    { text: "app in ()", selects: "e" },
    { text: "app in (,web)", selects: "abe" },
    { text: " app = web ", selects: "ab" },
    { text: "app in (web, db),!tier", selects: "c" },
    { text: "n>4", selects: "f" },
    { text: "n<4", selects: "" },
    { text: "in=1", selects: "" },
    { text: "", selects: "abcdef" },
  ])("$text", ({ text, selects }) => {
    const selector = parseLabelSelector(text);
    expect(Object.entries(OBJECTS).filter(([, labels]) => matchesSelector(selector, labels)).map(([name]) => name).join("")).toBe(selects);
  });

  test.each([
    { text: "app in web", message: "unable to parse requirement: found 'web' expected: '('" },
    { text: "=web", message: "found '=', expected: !, identifier, or 'end of string'" },
    { text: "app=(", message: "unable to parse requirement: found '(', expected: identifier" },
    { text: "app>x", message: "unable to parse requirement: values[0]: Invalid value: \"x\": for 'Gt', 'Lt' operators, the value must be an integer" },
    { text: "bad key=1", message: "unable to parse requirement: found 'key', expected: in, notin, =, ==, !=, gt, lt" },
    { text: "app=bad value!", message: "found 'value', expected: ',' or 'end of string'" },
    { text: "app in (a", message: "unable to parse requirement: found '', expected: ',' or ')'" },
    { text: ",", message: "found ',', expected: !, identifier, or 'end of string'" },
    { text: "a=1,", message: "found '', expected: identifier after ','" },
    { text: `k=${"v".repeat(64)}`, message: `unable to parse requirement: values[0][k]: Invalid value: "${"v".repeat(64)}": must be no more than 63 bytes` },
  ])("$text is refused", ({ text, message }) => {
    expect(() => parseLabelSelector(text)).toThrow(expect.objectContaining({ code: 400, message }));
  });

  test("an absent LabelSelector fits nothing, an empty one everything", () => {
    expect(matchesLabelSelector(undefined, {})).toBe(false);
    expect(matchesLabelSelector({}, undefined)).toBe(true);
    expect(matchesLabelSelector({ matchExpressions: [{ key: "a", operator: "NotIn", values: ["x"] }] }, { a: "x" })).toBe(false);
  });
});

describe("field selectors", () => {
  test("are split at commas and at the first operator, and unescaped", () => {
    expect(parseFieldSelector("spec.nodeName==,metadata.name!=a\\,b,,")).toEqual([
      { field: "metadata.name", equal: false, value: "a,b" },
      { field: "spec.nodeName", equal: true, value: "" },
    ]);
    expect(demandedValue(parseFieldSelector("metadata.name=x"), "metadata.name")).toBe("x");
  });

  test.each([
    { text: "metadata.name", message: "invalid selector: 'metadata.name'; can't understand 'metadata.name'" },
    { text: "a==b=c", message: "invalid field selector: unescaped character in value: 61" },
  ])("$text is refused", ({ text, message }) => {
    expect(() => parseFieldSelector(text)).toThrow(expect.objectContaining({ code: 400, message }));
  });
});
