/**
 * The required terms of pod affinity and anti-affinity. Looks at pods of nodes only where a pod asks for it.
 * Follows kubernetes pkg/scheduler/framework/plugins/interpodaffinity/filtering.go; namespaceSelector is taken as the pod's own namespace.
 */
import { own } from "../base/own.ts";
import type { Pod, PodAffinityTerm } from "../api/generated/types.ts";
import { matchesLabelSelector } from "../api/selectors.ts";
import type { Refusal } from "./filters.ts";
import type { NodeWorld, PodDemand } from "./world.ts";

function fits(term: PodAffinityTerm, owner: Pod, other: Pod): boolean {
  const namespaces = term.namespaces && term.namespaces.length > 0 ? term.namespaces : [owner.metadata.namespace ?? ""];
  return namespaces.includes(other.metadata.namespace ?? "") && matchesLabelSelector(term.labelSelector, other.metadata.labels);
}

function* neighbours(topologyKey: string, world: NodeWorld, nodes: readonly NodeWorld[]): Generator<Pod> {
  const zone = own(world.node.metadata.labels, topologyKey);
  if (zone === undefined) return;
  for (const n of nodes) if (own(n.node.metadata.labels, topologyKey) === zone) for (const { pod } of n.pods.values()) yield pod;
}

const has = (pods: Iterable<Pod>, test: (pod: Pod) => boolean): boolean => {
  for (const pod of pods) if (test(pod)) return true;
  return false;
};

const refused = (reason: string, resolvable: boolean): Refusal => ({ reasons: [reason], resolvable });

/** Terms that neighbours have against the pod. */
function* termsAgainst(world: NodeWorld, nodes: readonly NodeWorld[]): Generator<readonly [Pod, PodAffinityTerm]> {
  for (const n of nodes) {
    for (const { pod } of n.pods.values()) {
      for (const term of pod.spec.affinity?.podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? []) {
        const zone = own(n.node.metadata.labels, term.topologyKey);
        if (zone !== undefined && own(world.node.metadata.labels, term.topologyKey) === zone) yield [pod, term];
      }
    }
  }
}

/** The first pod of a group that wants to be with its own kind may go anywhere. */
function isFirstOfItsKind(term: PodAffinityTerm, pod: Pod, nodes: readonly NodeWorld[]): boolean {
  return fits(term, pod, pod) && !nodes.some((n) => [...n.pods.values()].some((d) => fits(term, pod, d.pod)));
}

export function refusalByNeighbours({ pod }: PodDemand, world: NodeWorld, nodes: readonly NodeWorld[]): Refusal | undefined {
  const { podAffinity, podAntiAffinity } = pod.spec.affinity ?? {};
  for (const term of podAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? []) {
    if (has(neighbours(term.topologyKey, world, nodes), (other) => fits(term, pod, other))) continue;
    if (own(world.node.metadata.labels, term.topologyKey) !== undefined && isFirstOfItsKind(term, pod, nodes)) continue;
    return refused("node(s) didn't match pod affinity rules", false);
  }
  for (const term of podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? []) {
    if (has(neighbours(term.topologyKey, world, nodes), (other) => fits(term, pod, other))) return refused("node(s) didn't match pod anti-affinity rules", true);
  }
  if (nodes.some((n) => n.antiAffinePods > 0)) {
    for (const [owner, term] of termsAgainst(world, nodes)) if (fits(term, owner, pod)) return refused("node(s) didn't satisfy existing pods anti-affinity rules", true);
  }
  return undefined;
}
