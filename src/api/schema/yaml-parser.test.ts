import { describe, expect, test } from "vitest";
import { parseYaml } from "./yaml-parser.ts";

function refusal(text: string): string {
  try {
    parseYaml(text);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  throw new Error("it was taken");
}

describe("errors are libyaml's, and so are their lines", () => {
  test.each([
    { text: "a: b: c\n", error: "yaml: mapping values are not allowed in this context" },
    { text: "a:\n b: c\n  d: e\n", error: "yaml: line 3: mapping values are not allowed in this context" },
    { text: "kind: x\njust text\n", error: "yaml: line 3: could not find expected ':'" },
    { text: "kind: x\n- a\n", error: "yaml: line 1: did not find expected key" },
    { text: "- a\nb: c\n", error: "yaml: line 1: did not find expected '-' indicator" },
    { text: "x: [a, b\ny: c\n", error: "yaml: line 1: did not find expected ',' or ']'" },
    { text: "z: 1\nx: {a: b\n", error: "yaml: line 2: did not find expected ',' or '}'" },
    { text: "{", error: "yaml: line 1: did not find expected node content" },
    { text: "z: 1\na: }\n", error: "yaml: line 1: did not find expected node content" },
    { text: "z: 1\na: [b]]\n", error: "yaml: line 1: did not find expected key" },
    { text: "z: 1\n@x: 2\n", error: "yaml: line 2: found character that cannot start any token" },
    { text: '"abc', error: "yaml: found unexpected end of stream" },
    { text: 'b: 1\na: "q\\y"\n', error: "yaml: line 2: found unknown escape character" },
    { text: 'a: "q\\u12"\n', error: "yaml: did not find expected hexdecimal number" },
    { text: "\u0000", error: "yaml: control characters are not allowed" },
    { text: "%YAML 1.2\n---\na: b\n", error: "yaml: found incompatible YAML document" },
    { text: "a: &x [*x]\n", error: "yaml: anchor 'x' value contains itself" },
    { text: "a: *x\n", error: "yaml: unknown anchor 'x' referenced" },
    { text: "a: {[b]: c}\n", error: 'yaml: invalid map key: []interface {}{"b"}' },
    { text: "a: {~: c}\n", error: 'unsupported map key of type: %!s(<nil>), key: <nil>, value: "c"' },
    { text: "a: .inf\n", error: "json: unsupported value: +Inf" },
  ])("$text", ({ text, error }) => expect(refusal(text)).toBe(error));
});

test("only the first document counts, and nothing behind its closing brace", () => {
  expect(parseYaml('{"a":1} x').value).toEqual({ a: 1 });
  expect(parseYaml("a: 1\n---\nb: [\n").value).toEqual({ a: 1 });
});

test("keys are texts in order, values are YAML 1.1's", () => {
  expect(JSON.stringify(parseYaml("z: yes\n5: 012\na: !!binary YQ==\n").value)).toBe('{"5":10,"a":"a","z":true}');
});
