/**
 * podFailurePolicy, successPolicy and podReplacementPolicy of a Job.
 * Follows kubernetes pkg/apis/batch/validation/validation.go (validatePodFailurePolicy, validateSuccessPolicy).
 */
import { duplicate, invalidValue, required, Spelled, tooLong, tooMany } from "../../field-error.ts";
import type { JobSpec, PodFailurePolicyOnExitCodesRequirement, PodFailurePolicyRule, SuccessPolicy } from "../../generated/types.ts";
import { isQualifiedName } from "../../names.ts";
import { type Errors, invalidOmit, nonNegative, reasons, unsupported } from "../../validation/fields.ts";
import { parseIndexes } from "./indexes.ts";

const RULES_MAX = 20;
const EXIT_CODES_MAX = 255;
const CONDITIONS_MAX = 20;
const SUCCEEDED_INDEXES_BYTES_MAX = 64 * 1024;

const ACTIONS = ["Count", "FailIndex", "FailJob", "Ignore"];
const OPERATORS = ["In", "NotIn"];
const STATUSES = ["False", "True", "Unknown"];

/** A set as Go prints it: `["a" "b"]`. */
const goList = (values: readonly string[]): string => `[${values.map((v) => JSON.stringify(v)).join(" ")}]`;

export function validatePodFailurePolicy(out: Errors, spec: JobSpec, field: string): void {
  const rules = spec.podFailurePolicy?.rules ?? [];
  if (rules.length > RULES_MAX) out.push(tooMany(`${field}.rules`, rules.length, RULES_MAX));
  const template = spec.template?.spec;
  const names = new Set([...(template?.containers ?? []), ...(template?.initContainers ?? [])].map((c) => c.name));
  rules.forEach((rule, i) => validateFailureRule(out, spec, rule, `${field}.rules[${i}]`, names));
}

function validateFailureRule(out: Errors, spec: JobSpec, rule: PodFailurePolicyRule, field: string, names: ReadonlySet<string>): void {
  const action = rule.action ?? "";
  if (action === "") out.push(required(`${field}.action`, `valid values: ${goList(ACTIONS)}`));
  else if (action === "FailIndex" && spec.backoffLimitPerIndex === undefined) out.push(invalidValue(`${field}.action`, action, "requires the backoffLimitPerIndex to be set"));
  else if (!ACTIONS.includes(action)) out.push(unsupported(`${field}.action`, action, ACTIONS));
  const conditions = rule.onPodConditions ?? [];
  if (rule.onExitCodes) validateExitCodes(out, rule.onExitCodes, `${field}.onExitCodes`, names);
  if (conditions.length > 0) validateConditions(out, conditions, `${field}.onPodConditions`);
  if (rule.onExitCodes && conditions.length > 0) out.push(invalidOmit(field, "specifying both OnExitCodes and OnPodConditions is not supported"));
  if (!rule.onExitCodes && conditions.length === 0) out.push(invalidOmit(field, "specifying one of OnExitCodes and OnPodConditions is required"));
}

function validateConditions(out: Errors, conditions: NonNullable<PodFailurePolicyRule["onPodConditions"]>, field: string): void {
  if (conditions.length > CONDITIONS_MAX) out.push(tooMany(field, conditions.length, CONDITIONS_MAX));
  conditions.forEach((pattern, i) => {
    reasons(out, `${field}[${i}].type`, pattern.type ?? "", isQualifiedName(pattern.type ?? ""));
    const status = pattern.status ?? "";
    if (status === "") out.push(required(`${field}[${i}].status`, `valid values: ${goList(STATUSES)}`));
    else if (!STATUSES.includes(status)) out.push(unsupported(`${field}[${i}].status`, status, STATUSES));
  });
}

function validateExitCodes(out: Errors, codes: PodFailurePolicyOnExitCodesRequirement, field: string, names: ReadonlySet<string>): void {
  const operator = codes.operator ?? "";
  if (operator === "") out.push(required(`${field}.operator`, `valid values: ${goList(OPERATORS)}`));
  else if (!OPERATORS.includes(operator)) out.push(unsupported(`${field}.operator`, operator, OPERATORS));
  if (codes.containerName !== undefined && !names.has(codes.containerName)) {
    out.push(invalidValue(`${field}.containerName`, codes.containerName, "must be one of the container or initContainer names in the pod template"));
  }
  const values = codes.values ?? [];
  if (values.length === 0) out.push(invalidValue(`${field}.values`, codes.values ?? null, "at least one value is required"));
  else if (values.length > EXIT_CODES_MAX) out.push(tooMany(`${field}.values`, values.length, EXIT_CODES_MAX));
  const seen = new Set<number>();
  let ordered = true;
  values.forEach((value, i) => {
    if (operator === "In" && value === 0) out.push(invalidValue(`${field}.values[${i}]`, value, "must not be 0 for the In operator"));
    if (seen.has(value)) out.push(duplicate(`${field}.values[${i}]`, value));
    else seen.add(value);
    if (i > 0 && (values[i - 1] ?? 0) > value) ordered = false;
  });
  if (!ordered) out.push(invalidValue(`${field}.values`, values, "must be ordered"));
}

/** A successPolicy as Go prints the internal type. */
export const shownSuccessPolicy = (policy: SuccessPolicy): Spelled =>
  new Spelled(JSON.stringify({ Rules: policy.rules?.map((r) => ({ SucceededIndexes: r.succeededIndexes ?? null, SucceededCount: r.succeededCount ?? null })) ?? null }));

export function validateSuccessPolicy(out: Errors, spec: JobSpec, field: string): void {
  const policy = spec.successPolicy;
  if (!policy) return;
  if (spec.completionMode !== "Indexed") return void out.push(invalidValue(field, shownSuccessPolicy(policy), "requires indexed completion mode"));
  const rules = policy.rules ?? [];
  if (rules.length === 0) out.push(required(`${field}.rules`, "at least one rules must be specified when the successPolicy is specified"));
  if (rules.length > RULES_MAX) out.push(tooMany(`${field}.rules`, rules.length, RULES_MAX));
  // Upstream crashes without completions; their absence is an error of its own.
  if (spec.completions === undefined) return;
  const completions = spec.completions;
  rules.forEach((rule, i) => validateSuccessRule(out, rule, `${field}.rules[${i}]`, completions));
}

function validateSuccessRule(out: Errors, rule: SuccessPolicy["rules"][number], field: string, completions: number): void {
  const { succeededCount, succeededIndexes } = rule;
  if (succeededCount === undefined && succeededIndexes === undefined) out.push(required(field, "at least one of succeededCount or succeededIndexes must be specified"));
  let listed: number | undefined;
  if (succeededIndexes !== undefined) {
    if (Buffer.byteLength(succeededIndexes) > SUCCEEDED_INDEXES_BYTES_MAX) out.push(tooLong(`${field}.succeededIndexes`, SUCCEEDED_INDEXES_BYTES_MAX));
    const parsed = parseIndexes(succeededIndexes, completions);
    if ("error" in parsed) out.push(invalidValue(`${field}.succeededIndexes`, succeededIndexes, `error parsing succeededIndexes: ${parsed.error}`));
    else listed = parsed.total;
  }
  if (succeededCount === undefined) return;
  nonNegative(out, `${field}.succeededCount`, succeededCount);
  if (succeededCount > completions) out.push(invalidValue(`${field}.succeededCount`, succeededCount, `must be less than or equal to ${completions} (the number of specified completions)`));
  if (listed !== undefined && succeededCount > listed) {
    out.push(invalidValue(`${field}.succeededCount`, succeededCount, `must be less than or equal to ${listed} (the number of indexes in the specified succeededIndexes field)`));
  }
}

export function validatePodReplacementPolicy(out: Errors, spec: JobSpec, field: string): void {
  const policy = spec.podReplacementPolicy;
  if (policy === undefined) return;
  const allowed = spec.podFailurePolicy ? ["Failed"] : ["Failed", "TerminatingOrFailed"];
  if (!allowed.includes(policy)) out.push(unsupported(field, policy, allowed));
}
