/**
 * Texts as Go's `%q` quotes them: error messages show strings so. JSON's quoting is the same for all but control and unprintable characters.
 * Follows Go strconv/quote.go.
 */
import { table } from "../base/own.ts";

const NAMED: Readonly<Record<string, string>> = table({ "\u0007": "\\a", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\v": "\\v", '"': '\\"', "\\": "\\\\" });
const UNPRINTABLE = /["\\]|[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/gu;

function escaped(c: string): string {
  const named = NAMED[c];
  if (named !== undefined) return named;
  const code = c.codePointAt(0) ?? 0;
  if (code >= 0xd800 && code < 0xe000) return "\ufffd";
  const hex = code.toString(16);
  if (code < 0x80) return `\\x${hex.padStart(2, "0")}`;
  return code < 0x10000 ? `\\u${hex.padStart(4, "0")}` : `\\U${hex.padStart(8, "0")}`;
}

/** `"a\x00b"`. */
export const goQuote = (text: string): string => `"${text.replace(UNPRINTABLE, escaped)}"`;
