/**
 * What the scheduler knows of a node and of a pod that looks for one. Sums are kept as pods come and go, never taken again.
 */
import type { Node, Pod } from "../api/generated/types.ts";
import { controllerOf, type Stored } from "../api/object.ts";
import { amountOf, isSidecar, podRequests, type Amounts } from "../api/pod-resources.ts";

/** A pod with what it asks for, worked out once. */
export interface PodDemand {
  readonly pod: Stored<Pod>;
  readonly requests: Amounts;
  /** `TCP 8080` */
  readonly hostPorts: readonly string[];
  /** The same for pods that every node treats alike (those of one Job): what is refused one of them is refused all. */
  readonly group: string | undefined;
}

export interface NodeWorld {
  readonly node: Stored<Node>;
  /** What it has to give. */
  readonly allocatable: Amounts;
  readonly used: Amounts;
  /** What runs or will run there, by uid. */
  readonly pods: ReadonlyMap<string, PodDemand>;
  readonly hostPorts: ReadonlySet<string>;
  /** How many of its pods keep others away. */
  readonly antiAffinePods: number;
}

export function demandOf(pod: Stored<Pod>): PodDemand {
  const { spec } = pod;
  const ports = [...(spec.initContainers ?? []).filter(isSidecar), ...spec.containers].flatMap((c) => c.ports ?? []);
  const requests = podRequests(spec);
  const owner = controllerOf(pod)?.uid;
  const group = owner === undefined ? undefined : JSON.stringify([owner, requests, spec.nodeSelector, spec.affinity, spec.tolerations, spec.priority]);
  return { pod, requests, group, hostPorts: ports.filter((p) => p.hostPort).map((p) => `${p.protocol ?? "TCP"} ${p.hostPort ?? 0}`) };
}

const allocatableOf = ({ status }: Node): Amounts =>
  Object.fromEntries(Object.entries(status?.allocatable ?? {}).map(([name, quantity]) => [name, amountOf(name, quantity)]));

/** A node whose pods come and go. */
export class NodeState implements NodeWorld {
  #node: Stored<Node>;
  #allocatable: Amounts;
  readonly used: Record<string, number> = {};
  readonly pods = new Map<string, PodDemand>();
  readonly hostPorts = new Set<string>();
  readonly #ports = new Map<string, number>();
  antiAffinePods = 0;

  constructor(node: Stored<Node>) {
    this.#node = node;
    this.#allocatable = allocatableOf(node);
  }

  get node(): Stored<Node> {
    return this.#node;
  }

  set node(node: Stored<Node>) {
    this.#node = node;
    this.#allocatable = allocatableOf(node);
  }

  get allocatable(): Amounts {
    return this.#allocatable;
  }

  add(demand: PodDemand): void {
    const { uid } = demand.pod.metadata;
    if (this.pods.has(uid)) return;
    this.pods.set(uid, demand);
    this.#count(demand, 1);
  }

  /** Says whether the pod was there. */
  remove(uid: string): boolean {
    const demand = this.pods.get(uid);
    if (!demand) return false;
    this.pods.delete(uid);
    this.#count(demand, -1);
    return true;
  }

  #count({ pod, requests, hostPorts }: PodDemand, sign: 1 | -1): void {
    if (pod.spec.affinity?.podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution) this.antiAffinePods += sign;
    for (const [name, amount] of Object.entries(requests)) this.used[name] = (this.used[name] ?? 0) + sign * amount;
    for (const port of hostPorts) {
      const left = (this.#ports.get(port) ?? 0) + sign;
      this.#ports.set(port, left);
      if (left > 0) this.hostPorts.add(port);
      else this.hostPorts.delete(port);
    }
  }
}
