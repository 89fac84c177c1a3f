/**
 * Values whose JSON is text with a meaning: times, quantities, numbers-or-names, bytes. Each is checked and brought into the form that Go prints,
 * with Go's error texts. Follows apimachinery pkg/apis/meta/v1/time.go, micro_time.go, pkg/util/intstr and Go's time.Parse.
 */
import { table } from "../../base/own.ts";

/** An error that ends decoding at once (Go's UnmarshalJSON of the type itself failed). */
export class ScalarError extends Error {}

const LAYOUT = "2006-01-02T15:04:05Z07:00";
const MICRO_LAYOUT = "2006-01-02T15:04:05.000000Z07:00";
const RFC3339 = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:[.,](\d+))?(Z|[+-]\d\d:\d\d)$/;

interface Part {
  readonly pattern: RegExp;
  readonly layout: string;
}
const SECONDS: Part = { pattern: /^\d\d(?:[.,]\d+)?/, layout: "05" };
const ZONE: Part = { pattern: /^(?:Z|[+-]\d\d:\d\d)/, layout: "Z07:00" };
const UP_TO_SECONDS: readonly Part[] = [
  { pattern: /^\d{4}/, layout: "2006" }, { pattern: /^-/, layout: "-" }, { pattern: /^\d\d/, layout: "01" }, { pattern: /^-/, layout: "-" }, { pattern: /^\d\d/, layout: "02" },
  { pattern: /^T/, layout: "T" }, { pattern: /^\d\d/, layout: "15" }, { pattern: /^:/, layout: ":" }, { pattern: /^\d\d/, layout: "04" }, { pattern: /^:/, layout: ":" },
];
/** Six digits are wanted where the layout has six, and any number is taken where it has none. */
const PARTS: Readonly<Record<string, readonly Part[]>> = table({
  [LAYOUT]: [...UP_TO_SECONDS, SECONDS, ZONE],
  [MICRO_LAYOUT]: [...UP_TO_SECONDS, { pattern: /^\d\d/, layout: "05" }, { pattern: /^[.,]\d{6}/, layout: ".000000" }, ZONE],
});

/** Which part of the layout does not fit, in the words of Go's ParseError. */
function timeParseError(text: string, layout: string): string {
  const head = `parsing time ${JSON.stringify(text)} as ${JSON.stringify(layout)}: cannot parse`;
  let rest = text;
  for (const part of PARTS[layout] ?? []) {
    const found = part.pattern.exec(rest);
    if (!found) return `${head} ${JSON.stringify(rest)} as ${JSON.stringify(part.layout)}`;
    rest = rest.slice(found[0].length);
  }
  return rest === "" ? `parsing time ${JSON.stringify(text)}: day out of range` : `parsing time ${JSON.stringify(text)}: extra text: ${JSON.stringify(rest)}`;
}

const BOUNDS: readonly [index: number, min: number, max: number, word: string][] = [[2, 1, 12, "month"], [4, 0, 23, "hour"], [5, 0, 59, "minute"], [6, 0, 59, "second"]];

function parseTime(text: string, layout: string): { readonly seconds: string; readonly fraction: string } {
  const found = RFC3339.exec(text);
  if (!found || (layout === MICRO_LAYOUT && found[7]?.length !== 6)) throw new ScalarError(timeParseError(text, layout));
  for (const [index, min, max, word] of BOUNDS) {
    const n = Number(found[index]);
    if (n < min || n > max) throw new ScalarError(`parsing time ${JSON.stringify(text)}: ${word} out of range`);
  }
  const [year, month, day] = [Number(found[1]), Number(found[2]), Number(found[3])];
  if (day < 1 || day > new Date(Date.UTC(year, month, 0)).getUTCDate()) throw new ScalarError(`parsing time ${JSON.stringify(text)}: day out of range`);
  const fraction = found[7] ?? "";
  const zone = found[8] ?? "Z";
  if (zone === "Z") return { seconds: text.slice(0, 19), fraction };
  const instant = new Date(Date.parse(`${text.slice(0, 19)}${zone}`));
  if (Number.isNaN(instant.getTime())) throw new ScalarError(`parsing time ${JSON.stringify(text)}: time zone offset hour out of range`);
  return { seconds: instant.toISOString().slice(0, 19), fraction };
}

const CANONICAL_TIME = /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|1\d|2[0-8])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\dZ$/;

/** RFC 3339, in UTC, whole seconds. */
export function canonicalTime(text: string): string {
  return CANONICAL_TIME.test(text) ? text : `${parseTime(text, LAYOUT).seconds}Z`;
}

/** RFC 3339, in UTC, six digits of a second. */
export function canonicalMicroTime(text: string): string {
  const { seconds, fraction } = parseTime(text, MICRO_LAYOUT);
  return `${seconds}.${fraction.slice(0, 6).padEnd(6, "0")}Z`;
}

const BASE64 = /^[A-Za-z0-9+/]*$/;

/** Where Go's base64 decoder stops, or -1. Line breaks are skipped as Go skips them. */
function badBase64At(text: string): number {
  const clean = text.replace(/[\r\n]/g, "");
  const body = clean.replace(/={0,2}$/, "");
  if (BASE64.test(body)) {
    if (clean.length % 4 === 0 && body.length % 4 !== 1) return -1;
    return body.length === clean.length ? clean.length - (clean.length % 4 === 0 ? 0 : clean.length % 4) : body.length;
  }
  return body.search(/[^A-Za-z0-9+/]/);
}

/** Standard base64, checked and printed again as Go prints it. */
export function canonicalBytes(text: string): string {
  const at = badBase64At(text);
  if (at >= 0) throw new ScalarError(`illegal base64 data at input byte ${at}`);
  return Buffer.from(text, "base64").toString("base64");
}
