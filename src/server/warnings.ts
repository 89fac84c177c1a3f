/**
 * Warning headers: each text once, all of them within a bound, beyond which each is cut.
 * Follows apiserver pkg/endpoints/filters/warning.go and apimachinery pkg/util/net (NewWarningHeader).
 */

const CHARACTERS_MAX = 4096;
const CUT_CHARACTERS_MAX = 256;

/** A text with control characters is no header's. */
const isSayable = (text: string): boolean => text !== "" && !/\p{Cc}/u.test(text);

/** In UTF-8: Node takes one byte a character. */
const header = (text: string): string => Buffer.from(`299 - "${text.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`).toString("latin1");

/** The values of the headers. */
export function warningHeaders(warnings: readonly string[]): readonly string[] {
  const texts = [...new Set(warnings)].filter(isSayable).map((text) => Array.from(text));
  const length = texts.reduce((sum, text) => sum + text.length, 0);
  if (length <= CHARACTERS_MAX) return texts.map((text) => header(text.join("")));
  const cut: string[] = [];
  let written = 0;
  for (const text of texts) {
    if (written >= CHARACTERS_MAX) break;
    cut.push(header(text.slice(0, CUT_CHARACTERS_MAX).join("")));
    written += Math.min(text.length, CUT_CHARACTERS_MAX);
  }
  return cut;
}
