/**
 * The phase of a pod. Follows kubernetes pkg/kubelet/kubelet_pods.go (getPhase).
 */
import type { Container, ContainerStatus } from "../../api/generated/types.ts";
import { isSidecar } from "../../api/pod-resources.ts";
import type { PodLife } from "../pod/decide.ts";
import { restartVerdict } from "../pod/restart-policy.ts";
import { shownId, type PodWorld } from "../pod/world.ts";
import type { ContainerStatuses } from "./container-statuses.ts";

export type Phase = "Pending" | "Running" | "Succeeded" | "Failed";

const endOf = (s: ContainerStatus | undefined) => s?.state?.terminated ?? (s?.state?.waiting ? s.lastState?.terminated : undefined);

/** Whether any app container has started once: then the pod is initialized for good. */
export const hasBegun = (apps: readonly ContainerStatus[]): boolean =>
  apps.some((s) => s.started === true || s.state?.running !== undefined || s.state?.terminated !== undefined || s.lastState?.terminated !== undefined);

function isInitializing({ pod }: PodWorld, { init, apps }: ContainerStatuses): boolean {
  return (pod.spec.initContainers ?? []).some((container, i) => {
    const status = init[i];
    if (isSidecar(container)) return status?.started !== true && !hasBegun(apps);
    return !(status?.state?.terminated && status.state.terminated.exitCode === 0) && !hasBegun(apps);
  });
}

function restarts({ pod, memory }: PodWorld, container: Container, status: ContainerStatus | undefined): boolean {
  const end = endOf(status);
  if (!end) return false;
  const id = end.containerID?.split("://")[1] ?? "";
  return restartVerdict(pod, container, false, { exitCode: end.exitCode, condemned: [...memory.condemned].some((c) => shownId(c) === id) }) !== "none";
}

function phaseAtEnd(world: PodWorld, { apps }: ContainerStatuses): Phase {
  if (world.memory.forcedEnd) return "Failed";
  return apps.length > 0 && apps.every((s) => s.state?.terminated?.exitCode === 0) ? "Succeeded" : "Failed";
}

function phaseWhileRunning(world: PodWorld, statuses: ContainerStatuses): Phase {
  if (isInitializing(world, statuses)) return "Pending";
  const { apps } = statuses;
  if (apps.some((s) => s.state?.waiting && !s.lastState?.terminated)) return "Pending";
  if (apps.some((s) => s.state?.running)) return "Running";
  const byName = new Map(apps.map((s) => [s.name, s]));
  const restarting = world.pod.spec.containers.some((c) => restarts(world, c, byName.get(c.name)));
  return restarting || apps.length > 0 ? "Running" : "Pending";
}

const PHASES: ReadonlySet<string> = new Set<Phase>(["Pending", "Running", "Succeeded", "Failed"]);
const asPhase = (phase: string | undefined): Phase => (phase !== undefined && PHASES.has(phase) ? (phase as Phase) : "Pending");

/** A terminal phase comes only when all containers have ended, and never changes. While they are being stopped the phase stays what it was. */
export function phaseOf(world: PodWorld, life: PodLife, statuses: ContainerStatuses): Phase {
  const old = asPhase(world.pod.status?.phase);
  if (old === "Succeeded" || old === "Failed") return old;
  if (life === "ended") return phaseAtEnd(world, statuses);
  if (life === "terminating") return old === "Running" || hasBegun(statuses.apps) ? "Running" : "Pending";
  return phaseWhileRunning(world, statuses);
}
