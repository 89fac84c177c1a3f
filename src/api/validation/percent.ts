/**
 * Numbers that may also be a percentage: `25%`, 3.
 * Follows kubernetes pkg/apis/apps/validation/validation.go (ValidatePositiveIntOrPercent, IsNotMoreThan100Percent).
 */
import { invalidValue } from "../field-error.ts";
import { type Errors, nonNegative } from "./fields.ts";

type IntOrPercent = string | number;

const PERCENT = /^[0-9]+%$/;
const PERCENT_ERROR = "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')";

/** A number that is not negative, or a percentage. */
export function intOrPercent(out: Errors, field: string, value: IntOrPercent): void {
  if (typeof value === "number") nonNegative(out, field, value);
  else if (!PERCENT.test(value)) out.push(invalidValue(field, value, PERCENT_ERROR));
}

export function atMost100Percent(out: Errors, field: string, value: IntOrPercent): void {
  if (typeof value === "string" && PERCENT.test(value) && Number(value.slice(0, -1)) > 100) out.push(invalidValue(field, value, "must not be greater than 100%"));
}

/** The number, of a percentage too; 0 of what is neither. */
export function numberOf(value: IntOrPercent): number {
  if (typeof value === "number") return value;
  return /^[-+]?[0-9]+%?$/.test(value) ? Number(value.replace("%", "")) : 0;
}
