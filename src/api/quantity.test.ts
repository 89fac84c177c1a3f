import { describe, expect, test } from "vitest";
import { addQuantities, canonicalQuantity, compareQuantities, parseQuantity, quantityMilliValue, quantityValue, subtractQuantities } from "./quantity.ts";
import { formatGoDuration, humanDuration, parseGoDuration } from "./duration.ts";
import { isConfigMapKey, isDns1123Label, isEnvVarName, isQualifiedName, isValidPortName, subdomainName } from "./names.ts";

describe("quantities", () => {
  test.each([
    { text: "0.5", want: "500m" }, { text: "1024Mi", want: "1Gi" }, { text: "1e9", want: "1e9" }, { text: "1000", want: "1k" }, { text: "1Ei", want: "1Ei" }, { text: "1E", want: "1E" },
    { text: "1.5Gi", want: "1536Mi" }, { text: "0.1Ki", want: "102400m" }, { text: "-1Mi", want: "-1Mi" }, { text: "1n", want: "1n" }, { text: "0.5n", want: "1n" }, { text: "00", want: "0" }, { text: "1073741824", want: "1073741824" },
  ])("$text is written $want", ({ text, want }) => expect(canonicalQuantity(text)).toBe(want));

  test.each(["", "lots", "1 Gi", "1Kib", "--1", "."])("%j is none", (text) => expect(parseQuantity(text)).toBeUndefined());

  test("they are compared, added and rounded up", () => {
    expect(compareQuantities("1Gi", "1000Mi")).toBe(1);
    expect(addQuantities("500m", "1500m")).toBe("2");
    expect(subtractQuantities("1Gi", "512Mi")).toBe("512Mi");
    expect([quantityValue("1500m"), quantityMilliValue("0.0001")]).toEqual([2, 1]);
  });
});

describe("durations", () => {
  const s = 1000;
  test.each([
    { ms: -5 * s, want: "<invalid>" }, { ms: -s, want: "0s" }, { ms: 119 * s, want: "119s" }, { ms: 121 * s, want: "2m1s" }, { ms: 600 * s, want: "10m" }, { ms: 3 * 3600 * s, want: "3h" },
    { ms: 3 * 3600 * s + 60 * s, want: "3h1m" }, { ms: 47 * 3600 * s, want: "47h" }, { ms: 50 * 3600 * s, want: "2d2h" }, { ms: 20 * 24 * 3600 * s, want: "20d" }, { ms: 800 * 24 * 3600 * s, want: "2y70d" },
  ])("$ms ms is shown as $want", ({ ms, want }) => expect(humanDuration(ms)).toBe(want));

  test.each([
    { text: "1h30m", want: { ms: 5_400_000 } }, { text: "1.5s", want: { ms: 1500 } }, { text: "-2m", want: { ms: -120_000 } }, { text: "0", want: { ms: 0 } },
    { text: "1x", want: { error: 'time: unknown unit "x" in duration "1x"' } }, { text: "5", want: { error: 'time: missing unit in duration "5"' } }, { text: "", want: { error: 'time: invalid duration ""' } },
  ])("Go reads $text", ({ text, want }) => expect(parseGoDuration(text)).toEqual(want));

  test.each([{ ms: 90_000, want: "1m30s" }, { ms: 1500, want: "1.5s" }, { ms: 3_600_000, want: "1h0m0s" }, { ms: 250, want: "250ms" }])("Go writes $want", ({ ms, want }) => expect(formatGoDuration(ms)).toBe(want));
});

describe("names", () => {
  test.each([
    { name: "a label with dots", got: isDns1123Label("a.b"), want: ["must not contain dots"] },
    { name: "a long label", got: isDns1123Label("a".repeat(64)), want: ["must be no more than 63 characters"] },
    { name: "a prefix of nothing", got: isQualifiedName("/x"), want: ["prefix part must be non-empty"] },
    { name: "a variable with a blank", got: isEnvVarName("a b"), want: [] },
    { name: "a variable with an equals sign", got: isEnvVarName("a=b"), want: ["a valid environment variable name must consist only of printable ASCII characters other than '='"] },
    { name: "two dots as a key", got: isConfigMapKey(".."), want: ["must not be '..'"] },
    { name: "a port's name in capitals", got: isValidPortName("UP"), want: ["must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)", "must contain at least one letter (a-z)"] },
    { name: "a generateName that ends with a dash", got: subdomainName("gen-", true), want: [] },
  ])("$name", ({ got, want }) => expect(got).toEqual(want));
});
