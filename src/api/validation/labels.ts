/**
 * Labels, annotations and label selectors.
 * Follows kubernetes staging/src/k8s.io/apimachinery/pkg/apis/meta/v1/validation/validation.go and pkg/api/validation/objectmeta.go.
 */
import { forbiddenField, invalidValue, required, tooLong } from "../field-error.ts";
import type { LabelSelector, LabelSelectorRequirement } from "../generated/types.ts";
import { isLabelValue, isQualifiedName } from "../names.ts";
import { matchesLabelSelector } from "../selectors.ts";
import { type Errors, reasons } from "./fields.ts";

type StringMap = Readonly<Record<string, string>>;

const ANNOTATIONS_BYTES_MAX = 256 * 1024;

export function validateLabels(out: Errors, field: string, labels: StringMap | null | undefined): void {
  for (const [key, value] of Object.entries(labels ?? {})) {
    reasons(out, field, key, isQualifiedName(key));
    reasons(out, field, value, isLabelValue(value));
  }
}

export function validateAnnotations(out: Errors, field: string, annotations: StringMap | null | undefined): void {
  let bytes = 0;
  for (const [key, value] of Object.entries(annotations ?? {})) {
    // The case of keys does not matter here.
    reasons(out, field, key, isQualifiedName(key.toLowerCase()));
    bytes += Buffer.byteLength(key) + Buffer.byteLength(value);
  }
  if (bytes > ANNOTATIONS_BYTES_MAX) out.push(tooLong(field, ANNOTATIONS_BYTES_MAX));
}

export interface SelectorOptions {
  /** Stored objects keep what older servers took; label values of `In` are checked unless this is set. */
  readonly allowInvalidValues?: boolean;
}

export function validateLabelSelector(out: Errors, field: string, selector: LabelSelector | null | undefined, options: SelectorOptions = {}): void {
  if (!selector) return;
  validateLabels(out, `${field}.matchLabels`, selector.matchLabels);
  (selector.matchExpressions ?? []).forEach((e, i) => validateRequirement(out, `${field}.matchExpressions[${i}]`, e, options));
}

function validateRequirement(out: Errors, field: string, e: LabelSelectorRequirement, options: SelectorOptions): void {
  const values = e.values ?? [];
  if (e.operator === "In" || e.operator === "NotIn") {
    if (values.length === 0) out.push(required(`${field}.values`, "must be specified when `operator` is 'In' or 'NotIn'"));
  } else if (e.operator === "Exists" || e.operator === "DoesNotExist") {
    if (values.length > 0) out.push(forbiddenField(`${field}.values`, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"));
  } else {
    out.push(invalidValue(`${field}.operator`, e.operator ?? "", "not a valid selector operator"));
  }
  reasons(out, `${field}.key`, e.key ?? "", isQualifiedName(e.key ?? ""));
  if (options.allowInvalidValues) return;
  values.forEach((value, i) => reasons(out, `${field}.values[${i}]`, value, isLabelValue(value)));
}

/** Whether the selector parses (LabelSelectorAsSelector gives no error): one that does not is never matched against labels. */
export function selectorParses(selector: LabelSelector): boolean {
  const errors: Errors = [];
  validateLabelSelector(errors, "", selector);
  return errors.length === 0;
}

/** Whether `labels` are selected. No selector selects nothing, an empty one everything. */
export const matchesSelector = (selector: LabelSelector | null | undefined, labels: StringMap | null | undefined): boolean => matchesLabelSelector(selector ?? undefined, labels ?? undefined);

/** `a=b,c in (d,e)`: how tables show a selector; "" for one that selects everything, `<none>` for none. Follows metav1.FormatLabelSelector. */
export function formatLabelSelector(selector: LabelSelector | null | undefined): string {
  if (!selector) return "<none>";
  const terms = Object.entries(selector.matchLabels ?? {}).map(([key, value]) => ({ key, text: `${key}=${value}` }));
  for (const e of selector.matchExpressions ?? []) terms.push({ key: e.key, text: formatRequirement(e) });
  const text = terms.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0)).map((t) => t.text).join(",");
  return text === "" ? "<none>" : text;
}

function formatRequirement(e: LabelSelectorRequirement): string {
  const values = `(${[...(e.values ?? [])].sort().join(",")})`;
  if (e.operator === "In") return `${e.key} in ${values}`;
  if (e.operator === "NotIn") return `${e.key} notin ${values}`;
  return e.operator === "DoesNotExist" ? `!${e.key}` : e.key;
}
