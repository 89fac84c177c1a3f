/**
 * Which node gets which pod: the most important first, and among equals who came first. Pure, but for `place`, by which the caller
 * counts a pod in before the next one is looked at.
 * Follows kubernetes pkg/scheduler/schedule_one.go and framework/types.go (FitError); the scoring is least-allocated alone.
 */
import { refusalOf, type Refusal } from "./filters.ts";
import { refusalByNeighbours } from "./pod-affinity.ts";
import type { NodeWorld, PodDemand } from "./world.ts";

export type Placement =
  | { readonly kind: "bind"; readonly demand: PodDemand; readonly nodeName: string }
  | { readonly kind: "unschedulable"; readonly demand: PodDemand; readonly message: string };

const SCORED = ["cpu", "memory"] as const;

/** How much of the node would be free: 0 to 2. */
function scoreOf({ requests }: PodDemand, { allocatable, used }: NodeWorld): number {
  return SCORED.reduce((sum, resource) => {
    const all = allocatable[resource] ?? 0;
    return sum + (all === 0 ? 0 : (all - (used[resource] ?? 0) - (requests[resource] ?? 0)) / all);
  }, 0);
}

/** `1 Insufficient cpu, 2 node(s) were unschedulable` */
function counted(reasons: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const reason of reasons) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  return [...counts].map(([reason, n]) => `${n} ${reason}`).sort().join(", ");
}

const NOT_HELPFUL = "Preemption is not helpful for scheduling";
const NO_VICTIMS = "No preemption victims found for incoming pod";

function preemptionText({ pod }: PodDemand, refusals: readonly Refusal[]): string {
  if (pod.spec.preemptionPolicy === "Never") return "preemption: not eligible due to preemptionPolicy=Never.";
  const reasons = counted(refusals.map((r) => (r.resolvable ? NO_VICTIMS : NOT_HELPFUL)));
  return `no new claims to deallocate, preemption: 0/${refusals.length} nodes are available: ${reasons}.`;
}

/** The message of FailedScheduling. */
export function unschedulableText(demand: PodDemand, refusals: readonly Refusal[], ofPod: string | undefined): string {
  const n = refusals.length;
  if (n === 0) return "no nodes available to schedule pods";
  const reasons = ofPod ?? counted(refusals.flatMap((r) => r.reasons));
  return `0/${n} nodes are available: ${reasons}. ${preemptionText(demand, refusals)}`;
}

/** What no node could change: claims that there are not, because this cluster has none. */
function refusalOfVolumes({ pod }: PodDemand): string | undefined {
  for (const volume of pod.spec.volumes ?? []) {
    if (volume.persistentVolumeClaim) return `persistentvolumeclaim "${volume.persistentVolumeClaim.claimName}" not found`;
    if (volume.ephemeral) return `waiting for ephemeral volume controller to create the persistentvolumeclaim "${pod.metadata.name}-${volume.name}"`;
  }
  return undefined;
}

export function placeOne(demand: PodDemand, nodes: readonly NodeWorld[]): Placement {
  const ofPod = refusalOfVolumes(demand);
  const refusals: Refusal[] = [];
  let best: { readonly name: string; readonly score: number } | undefined;
  for (const world of nodes) {
    const refusal = ofPod === undefined ? (refusalOf(demand, world) ?? refusalByNeighbours(demand, world, nodes)) : { reasons: [ofPod], resolvable: false };
    if (refusal) {
      refusals.push(refusal);
      continue;
    }
    const score = scoreOf(demand, world);
    if (!best || score > best.score) best = { name: world.node.metadata.name, score };
  }
  if (best) return { kind: "bind", demand, nodeName: best.name };
  return { kind: "unschedulable", demand, message: unschedulableText(demand, refusals, ofPod) };
}

/** Higher priority first, then who was created first. */
export function bySchedulingOrder({ pod: a }: PodDemand, { pod: b }: PodDemand): number {
  const priority = (b.spec.priority ?? 0) - (a.spec.priority ?? 0);
  if (priority !== 0) return priority;
  return a.metadata.creationTimestamp < b.metadata.creationTimestamp ? -1 : a.metadata.creationTimestamp > b.metadata.creationTimestamp ? 1 : 0;
}

export interface Placing {
  readonly pods: readonly PodDemand[];
  readonly nodes: readonly NodeWorld[];
  /** How many may be bound; those that are left over are not looked at. */
  readonly room: number;
  /** Called for each pod that finds a node; has to be seen in `nodes` at once. */
  readonly place: (demand: PodDemand, nodeName: string) => void;
}

/** Places pods one after the other. Room only shrinks meanwhile: what one of a group is refused, all that follow are. */
export function decide({ pods, nodes, room, place }: Placing): readonly Placement[] {
  const refused = new Map<string, string>();
  const placements: Placement[] = [];
  let left = room;
  for (const demand of [...pods].sort(bySchedulingOrder)) {
    if (left === 0) break;
    const known = demand.group === undefined ? undefined : refused.get(demand.group);
    const placement: Placement = known === undefined ? placeOne(demand, nodes) : { kind: "unschedulable", demand, message: known };
    placements.push(placement);
    if (placement.kind === "bind") {
      place(demand, placement.nodeName);
      left--;
    } else if (demand.group !== undefined) refused.set(demand.group, placement.message);
  }
  return placements;
}
