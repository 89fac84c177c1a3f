/**
 * Validation of the options of requests: field manager, dry run, propagation, resource versions and their matches. Refuses with 422 in upstream's words.
 * Follows kubernetes staging/src/k8s.io/apimachinery/pkg/apis/meta/v1/validation and internalversion/validation.
 */
import { forbiddenField, invalidValue, required, toCause, tooLong, type FieldError } from "../api/field-error.ts";
import type { DeleteOptions } from "../api/generated/types.ts";
import type { ListOptions, PatchType, WatchOptions, WriteOptions } from "../api/request.ts";
import { invalid } from "../api/status-error.ts";

const FIELD_MANAGER_BYTES_MAX = 128;
const FIELD_VALIDATIONS = ["", "Ignore", "Strict", "Warn"];

/** As `notSupported`, but in the order that upstream gives, which is not always sorted. */
const unsupported = (field: string, value: unknown, supported: readonly string[]): FieldError => ({
  type: "NotSupported",
  field,
  message: `Unsupported value: ${JSON.stringify(value)}: supported values: ${supported.map((s) => JSON.stringify(s)).join(", ")}`,
});

function refuse(kind: string, errors: readonly FieldError[]): void {
  if (errors.length > 0) throw invalid({ group: "meta.k8s.io", kind }, "", errors.map(toCause));
}

const isPrintable = (c: string) => c === " " || !/[\p{C}\p{Z}]/u.test(c);

function fieldManagerErrors(manager: string): FieldError[] {
  const errors = Buffer.byteLength(manager) > FIELD_MANAGER_BYTES_MAX ? [tooLong("fieldManager", FIELD_MANAGER_BYTES_MAX)] : [];
  let position = 0;
  for (const c of manager) {
    const code = (c.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0");
    if (!isPrintable(c)) errors.push(invalidValue("fieldManager", manager, `invalid character U+${code} (at position ${position})`));
    position += Buffer.byteLength(c);
  }
  return errors;
}

const dryRunErrors = (dryRun: readonly string[] | undefined): FieldError[] => (dryRun?.every((value) => value === "All") ?? true ? [] : [unsupported("dryRun", dryRun, ["All"])]);

function writeErrors({ fieldManager = "", fieldValidation = "", dryRun }: WriteOptions): FieldError[] {
  return [
    ...fieldManagerErrors(fieldManager),
    ...dryRunErrors(dryRun),
    ...(FIELD_VALIDATIONS.includes(fieldValidation) ? [] : [unsupported("fieldValidation", fieldValidation, FIELD_VALIDATIONS)]),
  ];
}

export const checkCreateOptions = (options: WriteOptions): void => refuse("CreateOptions", writeErrors(options));
export const checkUpdateOptions = (options: WriteOptions): void => refuse("UpdateOptions", writeErrors(options));

export function checkPatchOptions(options: WriteOptions & { readonly force?: boolean }, type: PatchType): void {
  const errors: FieldError[] = [];
  if (type !== "apply" && options.force !== undefined) errors.push(forbiddenField("force", "may not be specified for non-apply patch"));
  if (type === "apply" && !options.fieldManager) errors.push(required("fieldManager", "is required for apply patch"));
  refuse("PatchOptions", [...errors, ...writeErrors(options)]);
}

const POLICIES = ["Foreground", "Background", "Orphan", "nil"];

export function checkDeleteOptions(options: DeleteOptions): void {
  const errors: FieldError[] = [];
  const { propagationPolicy, orphanDependents, dryRun } = options;
  if (orphanDependents !== undefined && propagationPolicy !== undefined) errors.push(invalidValue("propagationPolicy", propagationPolicy, "orphanDependents and deletionPropagation cannot be both set"));
  if (propagationPolicy !== undefined && !POLICIES.slice(0, 3).includes(propagationPolicy)) errors.push(unsupported("propagationPolicy", propagationPolicy, POLICIES));
  refuse("DeleteOptions", [...errors, ...dryRunErrors(dryRun)]);
}

const match = "resourceVersionMatch";

export function checkListOptions(options: ListOptions): void {
  const errors: FieldError[] = [];
  const wanted = options.resourceVersionMatch;
  if (wanted) {
    if (!options.resourceVersion) errors.push(forbiddenField(match, "resourceVersionMatch is forbidden unless resourceVersion is provided"));
    if (options.continue) errors.push(forbiddenField(match, "resourceVersionMatch is forbidden when continue is provided"));
    if (wanted !== "Exact" && wanted !== "NotOlderThan") errors.push(unsupported(match, wanted, ["Exact", "NotOlderThan", ""]));
    if (wanted === "Exact" && options.resourceVersion === "0") errors.push(forbiddenField(match, `resourceVersionMatch "exact" is forbidden for resourceVersion "0"`));
  }
  if (options.sendInitialEvents !== undefined) errors.push(forbiddenField("sendInitialEvents", "sendInitialEvents is forbidden for list"));
  refuse("ListOptions", errors);
}

export function checkWatchOptions(options: WatchOptions): void {
  const errors: FieldError[] = [];
  const wanted = options.resourceVersionMatch;
  const initial = options.sendInitialEvents !== undefined;
  if (initial && wanted !== "NotOlderThan") errors.push(forbiddenField(match, "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan"));
  if (wanted) {
    if (!initial) errors.push(forbiddenField(match, "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided"));
    if (wanted !== "NotOlderThan") errors.push(unsupported(match, wanted, ["NotOlderThan"]));
  }
  // A watch from nothing is defaulted to begin with all that is there, and so to a match.
  const isDefaulted = !initial && !wanted && (!options.resourceVersion || options.resourceVersion === "0");
  if (options.continue && (wanted || isDefaulted)) errors.push(forbiddenField(match, "resourceVersionMatch is forbidden when continue is provided"));
  refuse("ListOptions", errors);
}
