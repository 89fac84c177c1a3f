/**
 * Errors of validation: field, kind of error, the value that is wrong and why, in Kubernetes' words.
 * Follows kubernetes staging/src/k8s.io/apimachinery/pkg/util/validation/field/errors.go.
 */
import { goQuote } from "./go-quote.ts";
import type { FieldErrorCause } from "./status-error.ts";

export type FieldErrorType =
  | "Required" | "Duplicate" | "Invalid" | "NotSupported" | "Forbidden" | "TooLong" | "TooMany" | "NotFound" | "Internal" | "TypeInvalid";

export interface FieldError {
  readonly type: FieldErrorType;
  /** `spec.template.spec.containers[0].name`, `metadata.labels`. */
  readonly field: string;
  /** What follows the field in the message, whole: `Invalid value: -1: must be greater than or equal to 0`. */
  readonly message: string;
}

const REASON: Record<FieldErrorType, string> = {
  Required: "FieldValueRequired",
  Duplicate: "FieldValueDuplicate",
  Invalid: "FieldValueInvalid",
  NotSupported: "FieldValueNotSupported",
  Forbidden: "FieldValueForbidden",
  TooLong: "FieldValueTooLong",
  TooMany: "FieldValueTooMany",
  NotFound: "FieldValueNotFound",
  Internal: "InternalError",
  TypeInvalid: "FieldValueTypeInvalid",
};

/**
 * A value as Go's `%v`/`%#v` would print it in a field error: strings quoted, numbers and booleans bare, structures as JSON.
 * (Structures whose Go field names differ from their JSON names are the caller's to spell: pass `{ text }`.)
 */
export type BadValue = string | number | boolean | null | undefined | object;

/** A value that is already spelled the way the message wants it. */
export class Spelled {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

function spell(value: BadValue): string {
  if (value instanceof Spelled) return value.text;
  if (value === undefined || value === null) return "null";
  if (typeof value === "string") return goQuote(value);
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

const dash = (detail: string) => (detail === "" ? "" : `: ${detail}`);

export const required = (field: string, detail = ""): FieldError => ({ type: "Required", field, message: `Required value${dash(detail)}` });
export const invalidValue = (field: string, value: BadValue, detail: string): FieldError => ({ type: "Invalid", field, message: `Invalid value: ${spell(value)}${dash(detail)}` });
export const typeInvalid = (field: string, value: BadValue, detail: string): FieldError => ({ type: "TypeInvalid", field, message: `Invalid value: ${spell(value)}${dash(detail)}` });
export const duplicate = (field: string, value: BadValue): FieldError => ({ type: "Duplicate", field, message: `Duplicate value: ${spell(value)}` });
export const forbiddenField = (field: string, detail: string): FieldError => ({ type: "Forbidden", field, message: `Forbidden${dash(detail)}` });
export const fieldNotFound = (field: string, value: BadValue): FieldError => ({ type: "NotFound", field, message: `Not found: ${spell(value)}` });
/** `supported` is sorted here, as upstream's sets are. */
export const notSupported = (field: string, value: BadValue, supported: readonly string[]): FieldError => ({
  type: "NotSupported",
  field,
  message: `Unsupported value: ${spell(value)}${supported.length > 0 ? `: supported values: ${[...supported].sort().map(goQuote).join(", ")}` : ""}`,
});
export const tooLong = (field: string, maxBytes: number): FieldError => ({ type: "TooLong", field, message: `Too long: may not be more than ${maxBytes} bytes` });
export const tooMany = (field: string, actual: number, max: number): FieldError => ({ type: "TooMany", field, message: `Too many: ${actual}: must have at most ${max} item${max === 1 ? "" : "s"}` });

/** As the `invalid` status wants them. */
export const toCause = (e: FieldError): FieldErrorCause => ({ field: e.field, reason: REASON[e.type], message: e.message });
