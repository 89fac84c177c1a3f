/**
 * In which order, and with how much time, the containers of a pod that has to end are stopped: app containers at once, then sidecars in
 * reverse order, each when those that may need it are gone, all within one grace period.
 * Follows kubernetes pkg/kubelet/kuberuntime/kuberuntime_termination_order.go and kuberuntime_container.go (killContainer).
 */
import type { Container } from "../../api/generated/types.ts";
import { isSidecar } from "../../api/pod-resources.ts";
import type { Instant } from "../../base/clock.ts";
import type { StopContainer } from "./decide.ts";
import { fieldPathOf } from "./plan.ts";
import { isRunning, type ContainerRecord, type PodWorld } from "./world.ts";

/** No container gets less than this between its stop signal and SIGKILL. */
export const GRACE_MIN_MS = 2000;

/** A new, shorter grace period counts only if it is shorter by this. */
const SHORTER_BY_MS = 500;

/** The grace period of the whole pod. */
export function gracePeriodMs({ pod, removed }: PodWorld): number {
  const ofPod = pod.spec.terminationGracePeriodSeconds ?? 30;
  if (removed) return Math.min(pod.metadata.deletionGracePeriodSeconds ?? 0, ofPod) * 1000;
  return (pod.metadata.deletionTimestamp === undefined ? ofPod : (pod.metadata.deletionGracePeriodSeconds ?? ofPod)) * 1000;
}

interface Ordered {
  readonly record: ContainerRecord;
  readonly container: Container | undefined;
  readonly fieldPath: string;
  /** 0 for app containers, then sidecars from the last to the first. */
  readonly turn: number;
}

function inOrder({ pod, runtime }: PodWorld): readonly Ordered[] {
  const init = pod.spec.initContainers ?? [];
  return runtime.containers.filter(isRunning).map((record) => {
    const at = init.findIndex((c) => c.name === record.name);
    const container = init[at] ?? pod.spec.containers.find((c) => c.name === record.name);
    const list = at >= 0 ? "initContainers" : container ? "containers" : "ephemeralContainers";
    const turn = at >= 0 && container && isSidecar(container) ? init.length - at : 0;
    return { record, container, fieldPath: fieldPathOf(list, record.name), turn };
  });
}

export function decideTermination(world: PodWorld): { readonly stops: readonly StopContainer[]; readonly recheckAt: Instant | undefined } {
  const { memory, now } = world;
  const deadline = (memory.terminatingSince ?? now) + gracePeriodMs(world);
  const running = inOrder(world);
  const first = Math.min(...running.map((c) => c.turn));
  const stops = running
    .filter((c) => c.turn === first || now >= deadline)
    .filter((c) => Math.max(deadline, now + GRACE_MIN_MS) < (memory.stopping.get(c.record.id) ?? Infinity) - SHORTER_BY_MS)
    .map(({ record, container, fieldPath }) => ({
      record, container, fieldPath,
      message: memory.stopping.has(record.id) ? undefined : `Stopping container ${record.name}`,
      gracePeriodMs: Math.max(deadline - now, 0),
    }));
  return { stops, recheckAt: deadline > now && running.some((c) => c.turn !== first) ? deadline : undefined };
}
