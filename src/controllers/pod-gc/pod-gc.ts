/**
 * Ends and deletes pods that nobody else will: terminated ones beyond a threshold, those of a node that is gone, and those that were deleted
 * before they had a node. Upstream looks at all pods every 20 s; this looks at a pod 20 s after it became one of them, and else does nothing.
 * Pods on nodes that are tainted out-of-service are not looked for: there is one machine.
 * Follows kubernetes pkg/controller/podgc/gc_controller.go.
 */
import { WorkQueue } from "../../base/work-queue.ts";
import type { Pod } from "../../api/generated/types.ts";
import { keyOf, type Stored } from "../../api/object.ts";
import { NODES, PODS } from "../../api/resource.ts";
import { isNotFound } from "../../api/status-error.ts";
import { formatTime } from "../../api/time.ts";
import type { Controller, ControllerContext } from "../framework/controller.ts";
import { inParallel } from "../framework/parallel.ts";
import { isTerminated, isUnscheduledAndTerminating, surplusOf } from "./decide.ts";

export interface PodGcOptions {
  /** Terminated pods that are kept (upstream's --terminated-pod-gc-threshold). */
  readonly terminatedPodsMax?: number;
}

const TERMINATED_PODS_MAX = 12_500;
const PERIOD_MS = 20_000;
/** A node that is gone may come back within this. */
const QUARANTINE_MS = 40_000;
const DELETES_AT_ONCE = 32;
const SURPLUS = "surplus";

/** Makes the controller; it is to be run when the informers are synced. */
export function openPodGcController(context: ControllerContext, options: PodGcOptions = {}): readonly Controller[] {
  return [new PodGc(context, options.terminatedPodsMax ?? TERMINATED_PODS_MAX).controller()];
}

class PodGc {
  readonly #context: ControllerContext;
  readonly #terminatedMax: number;
  readonly #queue: WorkQueue;
  readonly #pods;
  readonly #nodes;
  readonly #terminated = new Set<string>();

  constructor(context: ControllerContext, terminatedMax: number) {
    this.#context = context;
    this.#terminatedMax = terminatedMax;
    this.#queue = new WorkQueue({ clock: context.clock });
    this.#nodes = context.informers.of(NODES);
    this.#pods = context.informers.of(PODS, { node: (pod) => [pod.spec?.nodeName ?? ""] });
    this.#nodes.on({ onDelete: ({ metadata }) => this.#queue.addAfter(`node/${metadata.name}`, QUARANTINE_MS) });
    this.#pods.on({ onSet: (pod) => this.#follow(pod), onDelete: (pod) => this.#terminated.delete(keyOf(pod)) });
  }

  controller(): Controller {
    return { name: "pod-gc", queue: this.#queue, workers: 1, reconcile: (key) => this.#reconcile(key), logger: this.#context.logger };
  }

  #follow(pod: Stored<Pod>): void {
    const key = keyOf(pod);
    const node = pod.spec?.nodeName;
    if (isUnscheduledAndTerminating(pod)) this.#queue.addAfter(`pod/${key}`, PERIOD_MS);
    if (node && !this.#nodes.get(node)) this.#queue.addAfter(`node/${node}`, QUARANTINE_MS);
    if (isTerminated(pod)) this.#terminated.add(key);
    else this.#terminated.delete(key);
    if (this.#terminated.size > this.#terminatedMax) this.#queue.addAfter(SURPLUS, PERIOD_MS);
  }

  async #reconcile(key: string): Promise<void> {
    if (key === SURPLUS) return this.#deleteSurplus();
    const name = key.slice(key.indexOf("/") + 1);
    if (key.startsWith("node/")) return this.#endPodsOf(name);
    const pod = this.#pods.get(name);
    if (pod && isUnscheduledAndTerminating(pod)) await this.#end(pod, []);
  }

  async #deleteSurplus(): Promise<void> {
    const terminated = [...this.#terminated].flatMap((key) => this.#pods.get(key) ?? []);
    await inParallel(surplusOf(terminated, this.#terminatedMax), DELETES_AT_ONCE, (pod) => this.#end(pod, []));
  }

  async #endPodsOf(node: string): Promise<void> {
    if (this.#nodes.get(node) || (await this.#exists(node))) return;
    const lastTransitionTime = formatTime(this.#context.clock.now());
    const conditions = [{ type: "DisruptionTarget", status: "True", reason: "DeletionByPodGC", message: "PodGC: node no longer exists", lastTransitionTime }];
    await inParallel(this.#pods.byIndex("node", node), DELETES_AT_ONCE, (pod) => this.#end(pod, conditions));
  }

  async #exists(node: string): Promise<boolean> {
    try {
      await this.#context.client.get(NODES, { namespace: "", name: node });
      return true;
    } catch (error) {
      if (isNotFound(error)) return false;
      throw error;
    }
  }

  async #end(pod: Stored<Pod>, conditions: readonly object[]): Promise<void> {
    const { namespace = "", name, uid } = pod.metadata;
    const { client } = this.#context;
    try {
      if (!isTerminated(pod)) {
        const status = { phase: "Failed", ...(conditions.length > 0 && { conditions }) };
        await client.patch(PODS, { namespace, name }, "strategic", { metadata: { uid }, status }, { subresource: "status" });
      }
      await client.delete(PODS, { namespace, name }, { gracePeriodSeconds: 0, preconditions: { uid } });
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  }
}
