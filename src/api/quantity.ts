/**
 * Quantities (`500m`, `1Gi`, `2e3`): parsed exactly, compared, added, and written in the canonical form that the API answers with.
 * Follows kubernetes staging/src/k8s.io/apimachinery/pkg/api/resource/quantity.go and suffix.go.
 */
import { table } from "../base/own.ts";

export type QuantityFormat = "BinarySI" | "DecimalSI" | "DecimalExponent";

/** An exact number of nano units. */
export interface Quantity {
  readonly nano: bigint;
  readonly format: QuantityFormat;
}

const NANO = 1_000_000_000n;
const MILLI = 1_000_000n;
const BINARY = ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];
const DECIMAL: Readonly<Record<string, number>> = table({ n: -9, u: -6, m: -3, "": 0, k: 3, M: 6, G: 9, T: 12, P: 15, E: 18 });
const DECIMAL_OF: Readonly<Record<number, string>> = Object.fromEntries(Object.entries(DECIMAL).map(([s, e]) => [e, s]));
const MAX_NANO = (2n ** 63n - 1n) * NANO;

/** The text with which upstream refuses what is no quantity. */
export const QUANTITY_SYNTAX_ERROR = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";

const pow10 = (n: number): bigint => 10n ** BigInt(n);

/** Rounds away from zero, as upstream does with digits below nano. */
function divideUp(a: bigint, b: bigint): bigint {
  const q = a / b;
  return a % b === 0n ? q : a < 0n ? q - 1n : q + 1n;
}

/** The quantity, or undefined when the text is none. */
export function parseQuantity(value: string | number): Quantity | undefined {
  const text = String(value);
  const match = /^([+-]?)(\d*)(?:\.(\d*))?(.*)$/.exec(text);
  if (!match) return undefined;
  const [, sign = "", whole = "", fraction = "", suffix = ""] = match;
  if (whole === "" && fraction === "") return undefined;
  const digits = BigInt(`${whole}${fraction}` || "0") * (sign === "-" ? -1n : 1n);
  const scaled = scale(digits, fraction.length, suffix);
  if (!scaled) return undefined;
  return scaled.format === "BinarySI" && scaled.nano > MAX_NANO ? { nano: MAX_NANO, format: scaled.format } : scaled;
}

function scale(digits: bigint, decimals: number, suffix: string): Quantity | undefined {
  const binary = BINARY.indexOf(suffix);
  if (binary > 0) return { nano: divideUp(digits * NANO * 1024n ** BigInt(binary), pow10(decimals)), format: "BinarySI" };
  const exponent = /^[eE]([+-]?\d+)$/.exec(suffix);
  const power = exponent ? Number(exponent[1]) : DECIMAL[suffix];
  if (power === undefined || Math.abs(power) > 1000) return undefined;
  const shift = 9 + power - decimals;
  const nano = shift >= 0 ? digits * pow10(shift) : divideUp(digits, pow10(-shift));
  return { nano, format: exponent ? "DecimalExponent" : "DecimalSI" };
}

/** The canonical text. */
export function formatQuantity(q: Quantity): string {
  if (q.nano === 0n) return "0";
  if (q.format === "BinarySI" && (q.nano >= 1024n * NANO || q.nano <= -1024n * NANO)) {
    if (q.nano % NANO === 0n) return formatBinary(q.nano / NANO);
    return formatDecimal(q.nano, "DecimalSI");
  }
  return formatDecimal(q.nano, q.format);
}

function formatBinary(value: bigint): string {
  let rest = value;
  let step = 0;
  while (rest % 1024n === 0n && step < BINARY.length - 1) {
    rest /= 1024n;
    step += 1;
  }
  return `${rest}${BINARY[step] ?? ""}`;
}

function formatDecimal(nano: bigint, format: QuantityFormat): string {
  let rest = nano;
  let exponent = -9;
  const highest = format === "DecimalExponent" ? Number.POSITIVE_INFINITY : 18;
  while (rest % 1000n === 0n && exponent < highest) {
    rest /= 1000n;
    exponent += 3;
  }
  if (format === "DecimalExponent") return exponent === 0 ? `${rest}` : `${rest}e${exponent}`;
  return `${rest}${DECIMAL_OF[exponent] ?? ""}`;
}

/** As it is, when it is no quantity. */
export function canonicalQuantity(value: string | number): string {
  const q = parseQuantity(value);
  return q ? formatQuantity(q) : String(value);
}

const nanoOf = (value: string | number | undefined): bigint => (value === undefined ? 0n : (parseQuantity(value)?.nano ?? 0n));

/** Negative, zero or positive. What is no quantity counts as 0. */
export function compareQuantities(a: string | number | undefined, b: string | number | undefined): number {
  const difference = nanoOf(a) - nanoOf(b);
  return difference < 0n ? -1 : difference > 0n ? 1 : 0;
}

export const quantitySign = (value: string | number | undefined): number => compareQuantities(value, 0);

/** Whether it is a whole number (extended resources must be). What does not fit 64 bits in thousandths is taken for none, as upstream's overflow has it. */
export const isWholeQuantity = (value: string | number): boolean => BigInt.asIntN(64, divideUp(nanoOf(value), MILLI)) % 1000n === 0n;

/** Rounded up to thousandths, as amounts of resources are kept. */
export function roundedToMilli(value: string | number): string {
  const q = parseQuantity(value);
  return q ? formatQuantity({ ...q, nano: divideUp(q.nano, MILLI) * MILLI }) : String(value);
}

/** The value rounded up to a whole number (Quantity.Value). */
export const quantityValue = (value: string | number | undefined): number => Number(divideUp(nanoOf(value), NANO));

/** The value in thousandths, rounded up (Quantity.MilliValue). */
export const quantityMilliValue = (value: string | number | undefined): number => Number(divideUp(nanoOf(value), MILLI));

/** The sum, in the format of the first that is not zero. */
export function addQuantities(a: string | number, b: string | number): string {
  return combine(a, b, 1n);
}

export function subtractQuantities(a: string | number, b: string | number): string {
  return combine(a, b, -1n);
}

function combine(a: string | number, b: string | number, sign: bigint): string {
  const x = parseQuantity(a);
  const y = parseQuantity(b);
  const format = x && x.nano !== 0n ? x.format : (y?.format ?? x?.format ?? "DecimalSI");
  return formatQuantity({ nano: (x?.nano ?? 0n) + sign * (y?.nano ?? 0n), format });
}
