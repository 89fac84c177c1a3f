/**
 * successPolicy: an Indexed Job is successful as soon as one rule is met by the indexes that have succeeded.
 * Follows kubernetes pkg/controller/job/success_policy.go.
 */
import type { SuccessPolicy, SuccessPolicyRule } from "../../api/generated/types.ts";
import { countIndexes, countOverlap, parseIndexes, type Intervals } from "./indexes.ts";

function isMet({ succeededIndexes, succeededCount }: SuccessPolicyRule, succeeded: Intervals, completions: number): boolean {
  if (succeededIndexes === undefined) return succeededCount !== undefined && countIndexes(succeeded) >= succeededCount;
  const listed = parseIndexes(succeededIndexes, completions);
  if (listed.length === 0) return false;
  const done = countOverlap(listed, succeeded);
  return done === countIndexes(listed) || (succeededCount !== undefined && done >= succeededCount);
}

/** The message of the first rule that is met; undefined when none is. Never met before the first success. */
export function matchSuccessPolicy(policy: SuccessPolicy | undefined, succeeded: Intervals, completions: number): string | undefined {
  if (!policy || succeeded.length === 0) return undefined;
  const index = policy.rules.findIndex((rule) => isMet(rule, succeeded, completions));
  return index < 0 ? undefined : `Matched rules at index ${index}`;
}
