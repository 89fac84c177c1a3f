/**
 * Whether a container that has ended is started again, and whether all the others with it.
 * Follows kubernetes pkg/kubelet/container/helpers.go (ShouldContainerBeRestarted) and pkg/api/v1/pod (ContainerShouldRestart).
 */
import type { Container, ContainerRestartRule, Pod } from "../../api/generated/types.ts";
import { isSidecar } from "../../api/pod-resources.ts";

export type RestartVerdict = "none" | "container" | "all";

export interface ContainerEnd {
  readonly exitCode: number;
  /** A probe or a failed hook ended it: its exit code says nothing. */
  readonly condemned: boolean;
}

function matches(rule: ContainerRestartRule, exitCode: number): boolean {
  const { operator, values = [] } = rule.exitCodes ?? { operator: "" };
  if (operator === "In") return values.includes(exitCode);
  return operator === "NotIn" && !values.includes(exitCode);
}

function byPolicy(policy: string, end: ContainerEnd): RestartVerdict {
  if (policy === "Always") return "container";
  if (policy === "Never") return "none";
  return end.exitCode !== 0 || end.condemned ? "container" : "none";
}

/** What happens to `container` after `end`. An init container that has succeeded is done, whatever the policy. */
export function restartVerdict(pod: Pod, container: Container, isInit: boolean, end: ContainerEnd): RestartVerdict {
  if (pod.metadata.deletionTimestamp !== undefined) return "none";
  if (isInit && isSidecar(container)) return "container";
  if (isInit && end.exitCode === 0) return "none";
  const rule = end.condemned ? undefined : container.restartPolicyRules?.find((r) => matches(r, end.exitCode));
  if (rule) return rule.action === "RestartAllContainers" ? "all" : "container";
  return byPolicy(container.restartPolicy ?? pod.spec.restartPolicy ?? "Always", end);
}
