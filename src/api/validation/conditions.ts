/**
 * Conditions of the common type (metav1.Condition) in a status.
 * Follows kubernetes staging/src/k8s.io/apimachinery/pkg/apis/meta/v1/validation (ValidateConditions).
 */
import { duplicate, invalidValue, required, tooLong } from "../field-error.ts";
import type { Condition } from "../generated/types.ts";
import { isQualifiedName, regexError } from "../names.ts";
import { type Errors, reasons, unsupported } from "./fields.ts";

const STATUSES = ["False", "True", "Unknown"];
const REASON = /^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$/;
const REASON_ERROR = regexError(
  "a condition reason must start with alphabetic character, optionally followed by a string of alphanumeric characters or '_,:', and must end with an alphanumeric character or '_'",
  "[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?", "my_name", "MY_NAME", "MyName", "ReasonA,ReasonB", "ReasonA:ReasonB",
);
const REASON_BYTES_MAX = 1024;
const MESSAGE_BYTES_MAX = 32 * 1024;

function validateCondition(out: Errors, field: string, condition: Partial<Condition>): void {
  const { type = "", status = "", observedGeneration = 0, lastTransitionTime, reason = "", message = "" } = condition;
  reasons(out, `${field}.type`, type, isQualifiedName(type));
  if (!STATUSES.includes(status)) out.push(unsupported(`${field}.status`, status, STATUSES));
  if (observedGeneration < 0) out.push(invalidValue(`${field}.observedGeneration`, observedGeneration, "must be greater than or equal to zero"));
  if (!lastTransitionTime) out.push(required(`${field}.lastTransitionTime`));
  if (reason === "") out.push(required(`${field}.reason`));
  else {
    if (!REASON.test(reason)) out.push(invalidValue(`${field}.reason`, reason, REASON_ERROR));
    if (Buffer.byteLength(reason) > REASON_BYTES_MAX) out.push(tooLong(`${field}.reason`, REASON_BYTES_MAX));
  }
  if (Buffer.byteLength(message) > MESSAGE_BYTES_MAX) out.push(tooLong(`${field}.message`, MESSAGE_BYTES_MAX));
}

/** Each whole, and of each type one. */
export function validateConditions(out: Errors, field: string, conditions: readonly Partial<Condition>[] | undefined): void {
  const seen = new Set<string>();
  (conditions ?? []).forEach((condition, i) => {
    const { type = "" } = condition;
    if (seen.has(type)) out.push(duplicate(`${field}[${i}].type`, type));
    seen.add(type);
    validateCondition(out, `${field}[${i}]`, condition);
  });
}
