/**
 * Whether this node takes a pod that was bound to it: the checks that the scheduler has made, made again, because a pod may name its node itself.
 * Follows kubernetes pkg/kubelet/lifecycle/predicate.go (GeneralPredicates, then taints of effect NoExecute).
 */
import type { Node, Pod } from "../../api/generated/types.ts";
import { amountOf, podRequests, type Amounts } from "../../api/pod-resources.ts";
import type { ForcedEnd } from "./world.ts";

export interface AdmissionWorld {
  readonly pod: Pod;
  readonly node: Node;
  /** What the pods that are here already ask for, without this one. */
  readonly used: Amounts;
  readonly pods: number;
}

const rejection = (reason: string, why: string): ForcedEnd => ({ reason, message: `Pod was rejected: ${why}` });

function lacking(resource: string, requested: number, used: number, capacity: number): ForcedEnd | undefined {
  if (requested === 0 || requested <= capacity - used) return undefined;
  return rejection(`OutOf${resource}`, `Node didn't have enough resource: ${resource}, requested: ${requested}, used: ${used}, capacity: ${capacity}`);
}

function matchesNode({ spec }: Pod, node: Node): boolean {
  const labels = node.metadata.labels ?? {};
  return Object.entries(spec.nodeSelector ?? {}).every(([key, value]) => labels[key] === value);
}

/** Why the pod is refused; undefined when it is admitted. */
export function admit({ pod, node, used, pods }: AdmissionWorld): ForcedEnd | undefined {
  const allocatable = node.status?.allocatable ?? {};
  const crowded = lacking("pods", 1, pods, amountOf("pods", allocatable["pods"] ?? "0"));
  if (crowded) return crowded;
  for (const [resource, amount] of Object.entries(podRequests(pod.spec))) {
    // What the node does not know of is left to whoever made the node.
    if (allocatable[resource] === undefined) continue;
    const short = lacking(resource, amount, used[resource] ?? 0, amountOf(resource, allocatable[resource]));
    if (short) return short;
  }
  return matchesNode(pod, node) ? undefined : rejection("NodeAffinity", "Predicate NodeAffinity failed");
}
