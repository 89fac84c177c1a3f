/**
 * Durations in the two spellings that users meet: the short ages of tables (`3m20s`) and Go's duration strings (`1h30m0s`).
 * Follows kubernetes staging/src/k8s.io/apimachinery/pkg/util/duration/duration.go, and Go's time.ParseDuration for its rules and errors.
 */

const S = 1000;
const UNITS: readonly (readonly [string, number])[] = [["ns", 1e-6], ["us", 1e-3], ["µs", 1e-3], ["μs", 1e-3], ["ms", 1], ["s", S], ["m", 60 * S], ["h", 3600 * S]];

/** `5s`, `3m20s`, `2d4h`: the age of something, in milliseconds. Slightly negative ages (clock skew) are 0s, others `<invalid>`. */
export function humanDuration(ms: number): string {
  const seconds = Math.trunc(ms / S);
  if (seconds < -1) return "<invalid>";
  if (seconds < 0) return "0s";
  if (seconds < 120) return `${seconds}s`;
  const minutes = Math.trunc(ms / (60 * S));
  if (minutes < 10) return pair(minutes, "m", seconds % 60, "s");
  if (minutes < 180) return `${minutes}m`;
  const hours = Math.trunc(minutes / 60);
  if (hours < 8) return pair(hours, "h", minutes % 60, "m");
  if (hours < 48) return `${hours}h`;
  const days = Math.trunc(hours / 24);
  if (hours < 192) return pair(days, "d", hours % 24, "h");
  if (hours < 24 * 365 * 2) return `${days}d`;
  const years = Math.trunc(hours / (24 * 365));
  if (hours < 24 * 365 * 8) return pair(years, "y", days % 365, "d");
  return `${years}y`;
}

const pair = (a: number, unitA: string, b: number, unitB: string): string => (b === 0 ? `${a}${unitA}` : `${a}${unitA}${b}${unitB}`);

const quote = (s: string): string => JSON.stringify(s);

/** Milliseconds of `1h30m`, or the words in which Go refuses it. */
export function parseGoDuration(text: string): { readonly ms: number } | { readonly error: string } {
  const invalid = { error: `time: invalid duration ${quote(text)}` };
  let rest = text.replace(/^[-+]/, "");
  const sign = text.startsWith("-") ? -1 : 1;
  if (rest === "0") return { ms: 0 };
  if (rest === "") return invalid;
  let ms = 0;
  while (rest !== "") {
    const number = /^(\d*)(\.\d*)?/.exec(rest);
    const digits = number?.[0] ?? "";
    if (digits === "" || digits === ".") return invalid;
    rest = rest.slice(digits.length);
    const unit = /^[^.\d]*/.exec(rest)?.[0] ?? "";
    if (unit === "") return { error: `time: missing unit in duration ${quote(text)}` };
    const known = UNITS.find(([name]) => name === unit);
    if (!known) return { error: `time: unknown unit ${quote(unit)} in duration ${quote(text)}` };
    rest = rest.slice(unit.length);
    ms += Number(digits) * known[1];
    if (ms * 1e6 > 2 ** 63) return invalid;
  }
  return { ms: sign * ms };
}

/** Go's Duration.String of whole seconds and milliseconds: `1m30s`, `1.5s`, `0s`. */
export function formatGoDuration(ms: number): string {
  if (ms === 0) return "0s";
  const sign = ms < 0 ? "-" : "";
  const abs = Math.abs(ms);
  if (abs < S) return `${sign}${abs}ms`;
  const h = Math.floor(abs / 3600e3);
  const m = Math.floor((abs % 3600e3) / 60e3);
  const s = Number(((abs % 60e3) / S).toFixed(9));
  if (h > 0) return `${sign}${h}h${m}m${s}s`;
  return m > 0 ? `${sign}${m}m${s}s` : `${sign}${s}s`;
}
