/**
 * Scheduler and kubelet in one, without processes: binds pods, reports them running, ends them, takes those away that are to be deleted. Writes pods/status
 * as a kubelet would. What it does next is told by the caller; it keeps no state of its own.
 */
import type { Clock } from "../../src/base/clock.ts";
import type { Pod, PodStatus } from "../../src/api/generated/types.ts";
import type { Stored } from "../../src/api/object.ts";
import { PODS } from "../../src/api/resource.ts";
import { formatTime } from "../../src/api/time.ts";
import type { Client } from "../../src/client/client.ts";

type StoredPod = Stored<Pod>;

export interface Ending {
  readonly exitCode: number;
  /** Evicted: the condition DisruptionTarget comes with it. */
  readonly disrupted?: boolean;
}

export class PodPlayer {
  readonly #client: Client;
  readonly #clock: Clock;
  readonly #node: string;

  constructor(client: Client, clock: Clock, node: string) {
    this.#client = client;
    this.#clock = clock;
    this.#node = node;
  }

  async bind(pod: StoredPod): Promise<void> {
    await this.#client.createSubresource(PODS, refOf(pod), "binding", { apiVersion: "v1", kind: "Binding", metadata: { name: pod.metadata.name }, target: { apiVersion: "v1", kind: "Node", name: this.#node } });
  }

  run(pod: StoredPod, { restarts = 0 }: { readonly restarts?: number } = {}): Promise<void> {
    const startedAt = formatTime(this.#clock.now());
    return this.#status(pod, {
      phase: "Running",
      startTime: startedAt,
      conditions: [{ type: "Ready", status: "True", lastTransitionTime: startedAt }],
      containerStatuses: [{ ...container(pod), ready: true, restartCount: restarts, state: { running: { startedAt } } }],
    });
  }

  /** Phase Succeeded for 0, Failed otherwise. */
  end(pod: StoredPod, { exitCode, disrupted = false }: Ending): Promise<void> {
    const finishedAt = formatTime(this.#clock.now());
    return this.#status(pod, {
      phase: exitCode === 0 ? "Succeeded" : "Failed",
      startTime: finishedAt,
      conditions: [
        { type: "Ready", status: "False", lastTransitionTime: finishedAt },
        ...(disrupted ? [{ type: "DisruptionTarget", status: "True", reason: "EvictionByEvictionAPI", lastTransitionTime: finishedAt }] : []),
      ],
      containerStatuses: [{ ...container(pod), ready: false, restartCount: pod.status?.containerStatuses?.[0]?.restartCount ?? 0, state: { terminated: { exitCode, finishedAt, startedAt: finishedAt } } }],
    });
  }

  /** The kubelet's last word on a pod that is being deleted. */
  async forget(pod: StoredPod): Promise<void> {
    await this.#client.delete(PODS, refOf(pod), { gracePeriodSeconds: 0, preconditions: { uid: pod.metadata.uid } });
  }

  async #status(pod: StoredPod, status: PodStatus): Promise<void> {
    await this.#client.patch(PODS, refOf(pod), "merge", { status }, { subresource: "status" });
  }
}

const refOf = ({ metadata }: StoredPod) => ({ namespace: metadata.namespace ?? "", name: metadata.name });

const container = (pod: StoredPod) => ({ name: pod.spec.containers[0]?.name ?? "main", image: "example/image", imageID: "", started: true });
