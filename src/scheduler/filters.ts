/**
 * Why a pod cannot go to a node: one filter a file of upstream's, in upstream's order and words. Pure.
 * Follows kubernetes pkg/scheduler/framework/plugins (nodeunschedulable, nodename, tainttoleration, nodeaffinity, nodeports, noderesources).
 */
import { own } from "../base/own.ts";
import type { Node, NodeSelectorRequirement, NodeSelectorTerm, Pod, Taint, Toleration } from "../api/generated/types.ts";
import type { NodeWorld, PodDemand } from "./world.ts";

/** Why not, and whether taking other pods away could help. */
export interface Refusal {
  readonly reasons: readonly string[];
  readonly resolvable: boolean;
}

const never = (reason: string): Refusal => ({ reasons: [reason], resolvable: false });

export function tolerates(toleration: Toleration, taint: Taint): boolean {
  if (toleration.effect && toleration.effect !== taint.effect) return false;
  if (toleration.key && toleration.key !== taint.key) return false;
  if (toleration.operator === "Exists") return true;
  return toleration.key !== undefined && toleration.key !== "" && (toleration.value ?? "") === (taint.value ?? "");
}

const isTolerated = (pod: Pod, taint: Taint): boolean => (pod.spec.tolerations ?? []).some((t) => tolerates(t, taint));

const UNSCHEDULABLE: Taint = { key: "node.kubernetes.io/unschedulable", effect: "NoSchedule" };

function numbers(value: string | undefined, bound: string | undefined): readonly [number, number] | undefined {
  return value !== undefined && bound !== undefined && /^-?\d+$/.test(value) && /^-?\d+$/.test(bound) ? [Number(value), Number(bound)] : undefined;
}

function meets({ key, operator, values = [] }: NodeSelectorRequirement, fields: Readonly<Record<string, string>>): boolean {
  const value = own(fields, key);
  const pair = numbers(value, values[0]);
  switch (operator) {
    case "In": return value !== undefined && values.includes(value);
    case "NotIn": return value === undefined || !values.includes(value);
    case "Exists": return value !== undefined;
    case "DoesNotExist": return value === undefined;
    case "Gt": return pair !== undefined && pair[0] > pair[1];
    case "Lt": return pair !== undefined && pair[0] < pair[1];
    default: return false;
  }
}

function matchesTerm({ matchExpressions = [], matchFields = [] }: NodeSelectorTerm, node: Node): boolean {
  // A term without requirements matches nothing.
  if (matchExpressions.length + matchFields.length === 0) return false;
  const labels = node.metadata.labels ?? {};
  return matchExpressions.every((r) => meets(r, labels)) && matchFields.every((r) => meets(r, { "metadata.name": node.metadata.name ?? "" }));
}

/** nodeSelector and the required terms of the node affinity. */
export function matchesNodeAffinity(pod: Pod, node: Node): boolean {
  const labels = node.metadata.labels ?? {};
  if (!Object.entries(pod.spec.nodeSelector ?? {}).every(([key, value]) => labels[key] === value)) return false;
  const required = pod.spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  return !required || required.nodeSelectorTerms.some((term) => matchesTerm(term, node));
}

function refusalOfResources({ requests }: PodDemand, { allocatable, used, pods }: NodeWorld): Refusal | undefined {
  const reasons: string[] = [];
  let resolvable = true;
  if (pods.size + 1 > (allocatable["pods"] ?? 0)) reasons.push("Too many pods");
  for (const [resource, amount] of Object.entries(requests)) {
    if (amount === 0 || amount <= (allocatable[resource] ?? 0) - (used[resource] ?? 0)) continue;
    reasons.push(`Insufficient ${resource}`);
    if (amount > (allocatable[resource] ?? 0)) resolvable = false;
  }
  return reasons.length === 0 ? undefined : { reasons, resolvable };
}

/** Why `demand` cannot go to the node; undefined when it can. */
export function refusalOf(demand: PodDemand, world: NodeWorld): Refusal | undefined {
  const { pod } = demand;
  const { node } = world;
  if (node.spec.unschedulable && !isTolerated(pod, UNSCHEDULABLE)) return never("node(s) were unschedulable");
  const taint = (node.spec.taints ?? []).find((t) => t.effect !== "PreferNoSchedule" && !isTolerated(pod, t));
  if (taint) return never("node(s) had untolerated taint(s)");
  if (!matchesNodeAffinity(pod, node)) return never("node(s) didn't match Pod's node affinity/selector");
  if (demand.hostPorts.some((port) => world.hostPorts.has(port))) return { reasons: ["node(s) didn't have free ports for the requested pod ports"], resolvable: true };
  return refusalOfResources(demand, world);
}
