/**
 * What a pod needs next, decided purely: which containers start, which stop, and when to look again. Acts on nothing.
 * Follows kubernetes pkg/kubelet/kuberuntime/kuberuntime_manager.go (computePodActions) and kuberuntime_container.go (computeInitContainerActions).
 */
import type { Container } from "../../api/generated/types.ts";
import type { Instant } from "../../base/clock.ts";
import { decideTermination } from "./decide-termination.ts";
import { planApps, planInit, type Plan } from "./plan.ts";
import { hasEnded, isRunning, isTerminalPhase, POD_FAILURE, readySandbox, type ContainerRecord, type PodWorld } from "./world.ts";

export interface StartContainer {
  readonly container: Container;
  readonly attempt: number;
  /** The record of the attempt before it. */
  readonly previous: ContainerRecord | undefined;
  /** Part of the object that events mean: `spec.containers{main}`. */
  readonly fieldPath: string;
}

export interface StopContainer {
  readonly record: ContainerRecord;
  readonly container: Container | undefined;
  readonly fieldPath: string;
  /** The Killing event's text; undefined when there was one already. */
  readonly message: string | undefined;
  readonly gracePeriodMs: number;
}

export type PodAction =
  /** Sandbox and volumes, where they are missing, then these containers one after the other. */
  | { readonly kind: "start"; readonly containers: readonly StartContainer[] }
  | ({ readonly kind: "stop" } & StopContainer)
  /** Tell the user that a container waits for its back-off. */
  | { readonly kind: "tellBackOff"; readonly container: Container; readonly fieldPath: string; readonly attempt: number }
  /** Stop all, forget all, begin again. */
  | { readonly kind: "restartAll" }
  /** Nothing runs any more: sandbox down, volumes away, the last status written, the object deleted if that was asked for. */
  | { readonly kind: "finish" };

/** running: still wants containers; terminating: they have to end; ended: they have ended. */
export type PodLife = "running" | "terminating" | "ended";

export interface PodDecision {
  readonly life: PodLife;
  readonly actions: readonly PodAction[];
  readonly recheckAt: Instant | undefined;
}

const earliest = (times: readonly (Instant | undefined)[]): Instant | undefined =>
  times.reduce<Instant | undefined>((first, at) => (at !== undefined && (first === undefined || at < first) ? at : first), undefined);

/** When the pod's own deadline passes. */
export function deadlineOf({ pod, memory }: PodWorld): Instant | undefined {
  const seconds = pod.spec.activeDeadlineSeconds;
  return seconds === undefined ? undefined : memory.startTime + seconds * 1000;
}

export function decide(world: PodWorld): PodDecision {
  if (isTerminalPhase(world.pod.status?.phase) || mustEnd(world)) return end(world);
  const plan = planPod(world);
  if (plan.done) return end(world);
  return { life: "running", actions: actionsOf(world, plan), recheckAt: earliest([...plan.waits, heldUntil(world), deadlineOf(world)]) };
}

const mustEnd = ({ pod, removed, memory }: PodWorld): boolean => removed || pod.metadata.deletionTimestamp !== undefined || memory.forcedEnd !== undefined;

function end(world: PodWorld): PodDecision {
  const { runtime, memory } = world;
  if (!runtime.containers.some(isRunning)) {
    // What is being started now would be missed: its end is awaited first.
    return memory.busy ? { life: "terminating", actions: [], recheckAt: undefined } : { life: "ended", actions: [{ kind: "finish" }], recheckAt: undefined };
  }
  const { stops, recheckAt } = decideTermination(world);
  return { life: "terminating", actions: stops.map((stop) => ({ kind: "stop", ...stop })), recheckAt };
}

function planPod(world: PodWorld): Plan {
  const init = planInit(world);
  if (init.done || init.restartAll) return init;
  if (!init.initialized) return isComplete(world) ? { ...init, done: true } : init;
  const apps = planApps(world);
  return { ...apps, start: [...init.start, ...apps.start], stop: [...init.stop, ...apps.stop], waits: [...init.waits, ...apps.waits], backOffs: [...init.backOffs, ...apps.backOffs] };
}

/** All app containers have ended for good, though (after the loss of the sandbox) the init containers would have to run again. */
function isComplete(world: PodWorld): boolean {
  const apps = planApps(world);
  return apps.done && !readySandbox(world.runtime);
}

function actionsOf(world: PodWorld, plan: Plan): readonly PodAction[] {
  const { busy, restartingAll } = world.memory;
  const actions: PodAction[] = plan.stop.map((stop) => ({ kind: "stop", ...stop }));
  for (const backOff of plan.backOffs) actions.push({ kind: "tellBackOff", ...backOff });
  if (busy) return actions;
  if (plan.restartAll || restartingAll) return [{ kind: "restartAll" }];
  const wanted = plan.start.length > 0 || needsSandbox(world);
  if (wanted && heldUntil(world) === undefined) actions.push({ kind: "start", containers: plan.start });
  return actions;
}

/** A pod whose containers all wait for something still gets its sandbox, and with it its address. */
const needsSandbox = ({ runtime }: PodWorld): boolean => !readySandbox(runtime) && !runtime.containers.some((c) => !hasEnded(c));

/** Until when volumes or the sandbox, which could not be had, are not tried again. */
function heldUntil({ memory, now }: PodWorld): Instant | undefined {
  const retryAt = memory.failures.get(POD_FAILURE)?.retryAt;
  return retryAt !== undefined && retryAt > now ? retryAt : undefined;
}
