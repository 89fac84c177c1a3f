import { expect, test } from "vitest";
import { goQuote } from "./go-quote.ts";

test.each([
  { text: 'a "b" \\', quoted: '"a \\"b\\" \\\\"' },
  { text: "\n\t\r\u0007", quoted: '"\\n\\t\\r\\a"' },
  { text: "\u0000\u007f", quoted: '"\\x00\\x7f"' },
  { text: "é 𝒳 <&>", quoted: '"é 𝒳 <&>"' },
  { text: "\u200b\ufeff", quoted: '"\\u200b\\ufeff"' },
])("$quoted", ({ text, quoted }) => expect(goQuote(text)).toBe(quoted));
