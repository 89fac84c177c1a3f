/**
 * podFailurePolicy: the first rule that matches a failed pod decides what its failure means.
 * Follows kubernetes pkg/controller/job/pod_failure_policy.go.
 */
import type { ContainerStatus, Job, Pod, PodFailurePolicy, PodFailurePolicyOnExitCodesRequirement, PodFailurePolicyRule } from "../../api/generated/types.ts";
import { isFailed } from "./pods.ts";

export type FailureAction = "FailJob" | "FailIndex" | "Ignore" | "Count";

export interface FailureVerdict {
  /** The action of the rule that matched; undefined when none did. */
  readonly action: FailureAction | undefined;
  /** The failure counts towards backoffLimit and backoffLimitPerIndex. */
  readonly counted: boolean;
  /** Why the Job fails; only with FailJob. */
  readonly message?: string;
}

const COUNTED: FailureVerdict = { action: undefined, counted: true };

function matchesOperator({ operator, values }: PodFailurePolicyOnExitCodesRequirement, exitCode: number): boolean {
  if (operator === "In") return values.includes(exitCode);
  return operator === "NotIn" && !values.includes(exitCode);
}

function matchingContainer(statuses: readonly ContainerStatus[] | undefined, wanted: PodFailurePolicyOnExitCodesRequirement): ContainerStatus | undefined {
  return statuses?.find(({ name, state }) => {
    const exitCode = state?.terminated?.exitCode;
    // A container that still runs has no exit code yet, and success is never a failure to be matched, not even by NotIn.
    if (exitCode === undefined || exitCode === 0) return false;
    return (wanted.containerName === undefined || wanted.containerName === name) && matchesOperator(wanted, exitCode);
  });
}

/** Says what of the pod the rule matches, as a sentence that goes before "matching …"; undefined when nothing does. */
function matchRule(rule: PodFailurePolicyRule, pod: Pod): string | undefined {
  const { namespace = "", name = "" } = pod.metadata;
  if (rule.onExitCodes) {
    const found = matchingContainer(pod.status?.containerStatuses, rule.onExitCodes) ?? matchingContainer(pod.status?.initContainerStatuses, rule.onExitCodes);
    return found && `Container ${found.name} for pod ${namespace}/${name} failed with exit code ${found.state?.terminated?.exitCode}`;
  }
  const patterns = rule.onPodConditions ?? [];
  // The order of the pod's conditions decides which one is named, not that of the patterns.
  const condition = pod.status?.conditions?.find((c) => patterns.some((p) => p.type === c.type && (p.status ?? "True") === c.status));
  return condition && `Pod ${namespace}/${name} has condition ${condition.type}`;
}

const isAction = (action: string): action is FailureAction => action === "FailJob" || action === "FailIndex" || action === "Ignore" || action === "Count";

/** Judges a failed pod. A rule with an unknown action is passed over. */
export function judgeFailure(policy: PodFailurePolicy | null | undefined, pod: Pod): FailureVerdict {
  for (const [index, rule] of (policy?.rules ?? []).entries()) {
    const { action } = rule;
    const matched = isAction(action) ? matchRule(rule, pod) : undefined;
    if (matched === undefined || !isAction(action)) continue;
    if (action === "FailJob") return { action, counted: true, message: `${matched} matching ${action} rule at index ${index}` };
    return { action, counted: action !== "Ignore" };
  }
  return COUNTED;
}

/** The message of the first pod that makes the whole Job fail; undefined when none does. */
export function failJobMessage(job: Pick<Job, "spec">, pods: Iterable<Pod>): string | undefined {
  const policy = job.spec.podFailurePolicy;
  if (!policy?.rules?.some((rule) => rule.action === "FailJob")) return undefined;
  for (const pod of pods) {
    const message = isFailed(pod, job) ? judgeFailure(policy, pod).message : undefined;
    if (message !== undefined) return message;
  }
  return undefined;
}
