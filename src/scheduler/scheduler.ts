/**
 * The scheduler: pods without a node get one, and those for which there is no room are tried again when something changes that may make some.
 * It looks at nothing but its caches; what it has decided counts before the API has said so.
 * Follows kubernetes pkg/scheduler/scheduler.go and backend/queue in what it does, with one queue and no back-off: a round costs little.
 */
import { isDeepStrictEqual } from "node:util";
import type { Ids } from "../base/chance.ts";
import type { Clock } from "../base/clock.ts";
import type { Logger } from "../base/logger.ts";
import type { Node, Pod } from "../api/generated/types.ts";
import { keyOf, type Stored } from "../api/object.ts";
import { EVENTS, PODS } from "../api/resource.ts";
import { isConflict, isNotFound } from "../api/status-error.ts";
import { formatTime } from "../api/time.ts";
import type { Client } from "../client/client.ts";
import type { Informer } from "../client/informer.ts";
import { decide, type Placement } from "./decide.ts";
import { eventOf, SCHEDULER_NAME, type SchedulingEvent } from "./scheduling-event.ts";
import { demandOf, NodeState, type PodDemand } from "./world.ts";

export interface SchedulerDeps {
  readonly client: Client;
  readonly informers: { readonly pods: Informer<Pod>; readonly nodes: Informer<Node> };
  readonly clock: Clock;
  readonly ids: Ids;
  readonly logger: Logger;
  /** Which scheduler of the cluster this is: a host name. */
  readonly instance: string;
}

export interface Scheduler {
  /** Works until `signal` aborts. */
  run(signal: AbortSignal): Promise<void>;
}

/** Writes under way at a time; the pods beyond them wait for the next round. */
const BINDINGS_MAX = 256;

export function openScheduler(deps: SchedulerDeps): Scheduler {
  return { run: (signal) => new SchedulerLoop(deps).run(signal) };
}

const isOver = ({ status }: Pod): boolean => status?.phase === "Succeeded" || status?.phase === "Failed";

const wantsNode = (pod: Stored<Pod>): boolean =>
  !pod.spec.nodeName && pod.metadata.deletionTimestamp === undefined && !isOver(pod) &&
  (pod.spec.schedulerName ?? SCHEDULER_NAME) === SCHEDULER_NAME && (pod.spec.schedulingGates ?? []).length === 0;

/** What of a node decides about pods. */
const schedulingPart = ({ metadata, spec, status }: Node): unknown => [metadata.labels, spec.unschedulable, spec.taints, status?.allocatable];

class SchedulerLoop {
  readonly #deps: SchedulerDeps;
  readonly #nodes = new Map<string, NodeState>();
  /** Pods that look for a node, by uid. */
  readonly #active = new Map<string, PodDemand>();
  /** Pods for which there was none, and why. */
  readonly #parked = new Map<string, { readonly demand: PodDemand; readonly message: string }>();
  /** Where pods are or will be, by uid. */
  readonly #placed = new Map<string, string>();
  readonly #binding = new Set<string>();
  #scheduled = false;
  /** Something changed that may make room for those that wait. */
  #roomChanged = false;
  #stopped = false;

  constructor(deps: SchedulerDeps) {
    this.#deps = deps;
  }

  async run(signal: AbortSignal): Promise<void> {
    const { pods, nodes } = this.#deps.informers;
    nodes.on({ onSet: (node, old) => this.#onNode(node, old), onDelete: (node) => this.#onNodeGone(node) });
    pods.on({
      onSet: (pod, old) => {
        if (old && old.metadata.uid !== pod.metadata.uid) this.#onPodGone(old);
        this.#onPod(pod);
      },
      onDelete: (pod) => this.#onPodGone(pod),
    });
    await Promise.all([nodes.synced(signal), pods.synced(signal)]);
    for (const node of nodes.list()) this.#onNode(node, undefined);
    for (const pod of pods.list()) this.#onPod(pod);
    await new Promise<void>((resolve) => {
      if (signal.aborted) resolve();
      signal.addEventListener("abort", () => resolve(), { once: true });
    });
    this.#stopped = true;
  }

  #onNode(node: Stored<Node>, old: Stored<Node> | undefined): void {
    const { name } = node.metadata;
    const state = this.#nodes.get(name);
    if (state) state.node = node;
    else this.#nodes.set(name, this.#newNode(node));
    if (!state || !old || !isDeepStrictEqual(schedulingPart(old), schedulingPart(node))) this.#retryParked();
  }

  #newNode(node: Stored<Node>): NodeState {
    const state = new NodeState(node);
    for (const pod of this.#deps.informers.pods.list()) {
      if (pod.spec.nodeName !== node.metadata.name || isOver(pod)) continue;
      state.add(demandOf(pod));
      this.#placed.set(pod.metadata.uid, node.metadata.name);
    }
    return state;
  }

  #onNodeGone(node: Stored<Node>): void {
    this.#nodes.delete(node.metadata.name);
  }

  #onPod(pod: Stored<Pod>): void {
    const { uid } = pod.metadata;
    if (isOver(pod)) return this.#free(uid);
    if (pod.spec.nodeName) return this.#count(pod, pod.spec.nodeName);
    if (!wantsNode(pod)) return this.#forget(uid);
    if (this.#placed.has(uid) || this.#binding.has(uid)) return;
    const parked = this.#parked.get(uid);
    // Its status changes with each answer it gets; only its own wishes are a reason to look again.
    if (parked && isDeepStrictEqual(parked.demand.pod.spec, pod.spec)) return;
    this.#active.set(uid, demandOf(pod));
    this.#soon();
  }

  #count(pod: Stored<Pod>, nodeName: string): void {
    const { uid } = pod.metadata;
    this.#forget(uid);
    if (this.#placed.get(uid) === nodeName) return;
    this.#placed.set(uid, nodeName);
    this.#nodes.get(nodeName)?.add(demandOf(pod));
  }

  #forget(uid: string): void {
    this.#active.delete(uid);
    this.#parked.delete(uid);
  }

  #onPodGone(pod: Stored<Pod>): void {
    this.#free(pod.metadata.uid);
  }

  /** The pod needs no room any more. */
  #free(uid: string): void {
    this.#forget(uid);
    const nodeName = this.#placed.get(uid);
    this.#placed.delete(uid);
    if (nodeName !== undefined && this.#nodes.get(nodeName)?.remove(uid)) this.#retryParked();
  }

  #retryParked(): void {
    this.#roomChanged = true;
    if (this.#parked.size + this.#active.size > 0) this.#soon();
  }

  /** One round for all that comes in a turn. */
  #soon(): void {
    if (this.#scheduled || this.#stopped || this.#binding.size >= BINDINGS_MAX) return;
    this.#scheduled = true;
    queueMicrotask(() => {
      this.#scheduled = false;
      if (!this.#stopped) this.#round();
    });
  }

  #round(): void {
    const parked = this.#roomChanged ? [...this.#parked.values()].map((p) => p.demand) : [];
    this.#roomChanged = false;
    const waiting = [...parked, ...this.#active.values()];
    const room = BINDINGS_MAX - this.#binding.size;
    const placements = decide({ pods: waiting, nodes: [...this.#nodes.values()], room, place: (demand, nodeName) => this.#assume(demand, nodeName) });
    for (const placement of placements) {
      if (placement.kind === "bind") void this.#bind(placement.demand, placement.nodeName);
      else this.#park(placement);
    }
    // Those that were not looked at, for want of hands, are looked at when there are some.
    if (placements.length < waiting.length) this.#roomChanged = true;
  }

  #assume(demand: PodDemand, nodeName: string): void {
    const { uid } = demand.pod.metadata;
    this.#forget(uid);
    this.#placed.set(uid, nodeName);
    this.#binding.add(uid);
    this.#nodes.get(nodeName)?.add(demand);
  }

  async #bind(demand: PodDemand, nodeName: string): Promise<void> {
    const { pod } = demand;
    const { name, namespace = "", uid } = pod.metadata;
    try {
      await this.#deps.client.createSubresource(PODS, { namespace, name }, "binding", {
        apiVersion: "v1", kind: "Binding", metadata: { name, namespace, uid }, target: { kind: "Node", name: nodeName },
      });
      this.#binding.delete(uid);
      this.#tell(pod, { type: "Normal", reason: "Scheduled", action: "Binding", message: `Successfully assigned ${namespace}/${name} to ${nodeName}` });
    } catch (error) {
      this.#binding.delete(uid);
      this.#onBindingFailed(demand, error);
    }
    if (this.#active.size > 0 || this.#roomChanged) this.#soon();
  }

  #onBindingFailed({ pod }: PodDemand, error: unknown): void {
    this.#free(pod.metadata.uid);
    // Somebody else bound it, or it is gone: the cache will tell.
    if (isNotFound(error) || isConflict(error)) return;
    this.#deps.logger.warn("a pod could not be bound", { pod: keyOf(pod), error: String(error) });
    const current = this.#deps.informers.pods.get(keyOf(pod));
    if (current && wantsNode(current)) this.#park({ kind: "unschedulable", demand: demandOf(current), message: `binding rejected: ${error instanceof Error ? error.message : String(error)}` });
  }

  #park({ demand, message }: Extract<Placement, { kind: "unschedulable" }>): void {
    const { uid } = demand.pod.metadata;
    const known = this.#parked.get(uid)?.message;
    this.#active.delete(uid);
    this.#parked.set(uid, { demand, message });
    if (known === message) return;
    this.#tell(demand.pod, { type: "Warning", reason: "FailedScheduling", action: "Scheduling", message });
    void this.#writeCondition(demand.pod, message);
  }

  async #writeCondition(pod: Stored<Pod>, message: string): Promise<void> {
    const { name, namespace = "", uid, generation } = pod.metadata;
    const old = pod.status?.conditions?.find((c) => c.type === "PodScheduled");
    if (old?.status === "False" && old.reason === "Unschedulable" && old.message === message) return;
    const lastTransitionTime = old?.status === "False" && old.lastTransitionTime ? old.lastTransitionTime : formatTime(this.#deps.clock.now());
    const condition = { type: "PodScheduled", status: "False", reason: "Unschedulable", message, lastTransitionTime, ...(generation !== undefined && { observedGeneration: generation }) };
    try {
      await this.#deps.client.patch(PODS, { namespace, name }, "strategic", { metadata: { uid }, status: { conditions: [condition] } }, { subresource: "status" });
    } catch (error) {
      if (!isNotFound(error) && !isConflict(error)) this.#deps.logger.warn("a pod's condition could not be written", { pod: keyOf(pod), error: String(error) });
    }
  }

  #tell(pod: Stored<Pod>, event: SchedulingEvent): void {
    const { client, clock, ids, instance, logger } = this.#deps;
    const object = eventOf(pod, event, { instance, unique: ids.uid().replaceAll("-", "").slice(0, 16), now: clock.now() });
    void client.create(EVENTS, pod.metadata.namespace ?? "", object).catch((error: unknown) => logger.debug("an event could not be written", { reason: event.reason, error: String(error) }));
  }
}
