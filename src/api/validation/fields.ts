/**
 * The small checks that every kind's validation is made of. Checks append to `out`; a path is the text that the error will carry.
 * Follows kubernetes staging/src/k8s.io/apimachinery/pkg/api/validation (ValidateNonnegativeField, ValidateImmutableField).
 */
import { own } from "../../base/own.ts";
import { type BadValue, type FieldError, invalidValue, Spelled } from "../field-error.ts";

export type Errors = FieldError[];

export const NOT_NEGATIVE = "must be greater than or equal to 0";
export const IMMUTABLE = "field is immutable";

export function nonNegative(out: Errors, field: string, value: number | null | undefined): void {
  if (value !== undefined && value !== null && value < 0) out.push(invalidValue(field, value, NOT_NEGATIVE));
}

export function positive(out: Errors, field: string, value: number | null | undefined): void {
  if (value !== undefined && value !== null && value <= 0) out.push(invalidValue(field, value, "must be greater than zero"));
}

/** One error a reason. */
export function reasons(out: Errors, field: string, value: BadValue, texts: readonly string[]): void {
  for (const text of texts) out.push(invalidValue(field, value, text));
}

/** An Invalid error that shows no value (upstream's OmitValueType). */
export const invalidOmit = (field: string, detail: string): FieldError => invalidValue(field, new Spelled(detail), "");

/** `Unsupported value` with the choices in the order given: upstream sorts some lists and leaves others as they are written. */
export const unsupported = (field: string, value: BadValue, listed: readonly string[]): FieldError => {
  const shown = value instanceof Spelled ? value.text : JSON.stringify(value ?? null);
  return { type: "NotSupported", field, message: `Unsupported value: ${shown}: supported values: ${listed.map((s) => JSON.stringify(s)).join(", ")}` };
};

/** Semantic equality: absent, null, empty lists and empty maps are the same. Follows apimachinery pkg/api/equality. */
export function semanticallyEqual(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (isNothing(a) || isNothing(b)) return isNothing(a) && isNothing(b);
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (Array.isArray(a) || Array.isArray(b)) {
    return Array.isArray(a) && Array.isArray(b) && a.length === b.length && a.every((x, i) => semanticallyEqual(x, b[i]));
  }
  const x = a as Readonly<Record<string, unknown>>;
  const y = b as Readonly<Record<string, unknown>>;
  for (const key of Object.keys(x)) if (!semanticallyEqual(x[key], own(y, key))) return false;
  return Object.keys(y).every((key) => Object.hasOwn(x, key) || isNothing(y[key]));
}

/** Absent, null, or an empty list. An empty map equals an absent one too; an empty struct does not, but a struct that was absent is written out when stored. */
const isNothing = (v: unknown): boolean => v === undefined || v === null || (Array.isArray(v) && v.length === 0);

export function immutable(out: Errors, field: string, value: BadValue, old: BadValue, shown: BadValue = value): void {
  if (!semanticallyEqual(value, old)) out.push(invalidValue(field, shown, IMMUTABLE));
}

/** A map with its keys in order, as Go prints it. */
export const sortedMap = <T>(map: Readonly<Record<string, T>>): Record<string, T> => Object.fromEntries(Object.keys(map).sort().map((key) => [key, map[key] as T]));
