/**
 * The conditions that the agent owns, in upstream's order and words. Those of others are kept as they are.
 * Follows kubernetes pkg/kubelet/status/generate.go.
 */
import type { Container, ContainerStatus, PodCondition } from "../../api/generated/types.ts";
import { isSidecar } from "../../api/pod-resources.ts";
import { formatTime } from "../../api/time.ts";
import { readySandbox, type PodWorld } from "../pod/world.ts";
import type { ContainerStatuses } from "./container-statuses.ts";
import { hasBegun, type Phase } from "./phase.ts";

type Verdict = Pick<PodCondition, "status" | "reason" | "message">;

const OWNED: ReadonlySet<string> = new Set(["PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled", "AllContainersRestarting"]);

const TRUE: Verdict = { status: "True" };
const named = (what: string, names: readonly string[]): string[] => (names.length > 0 ? [`containers with ${what} status: [${names.join(" ")}]`] : []);

function sort(containers: readonly Container[], statuses: readonly ContainerStatus[], good: (c: Container, s: ContainerStatus) => boolean) {
  const byName = new Map(statuses.map((s) => [s.name, s]));
  const unknown = containers.filter((c) => !byName.has(c.name)).map((c) => c.name);
  const bad = containers.filter((c) => { const s = byName.get(c.name); return s !== undefined && !good(c, s); }).map((c) => c.name);
  return { unknown, bad };
}

function initialized({ pod }: PodWorld, phase: Phase, { init, apps }: ContainerStatuses): Verdict {
  const containers = pod.spec.initContainers ?? [];
  const { unknown, bad } = sort(containers, init, (c, s) => (isSidecar(c) ? s.started === true : s.ready));
  if (phase === "Succeeded" && unknown.length === 0) return { status: "True", reason: "PodCompleted" };
  if (hasBegun(apps)) return TRUE;
  const messages = [...named("unknown", unknown), ...named("incomplete", bad)];
  return messages.length === 0 ? TRUE : { status: "False", reason: "ContainersNotInitialized", message: messages.join(", ") };
}

function containersReady({ pod }: PodWorld, phase: Phase, { init, apps }: ContainerStatuses): Verdict {
  const containers = [...(pod.spec.initContainers ?? []).filter(isSidecar), ...pod.spec.containers];
  const { unknown, bad } = sort(containers, [...init, ...apps], (_, s) => s.ready);
  if (unknown.length === 0 && phase === "Succeeded") return { status: "False", reason: "PodCompleted" };
  if (unknown.length === 0 && phase === "Failed") return { status: "False", reason: "PodFailed" };
  const messages = [...named("unknown", unknown), ...named("unready", bad)];
  return messages.length === 0 ? TRUE : { status: "False", reason: "ContainersNotReady", message: messages.join(", ") };
}

function ready({ pod }: PodWorld, containers: Verdict): Verdict {
  if (containers.status !== "True") return containers;
  const messages = (pod.spec.readinessGates ?? []).flatMap(({ conditionType }) => {
    const condition = pod.status?.conditions?.find((c) => c.type === conditionType);
    if (!condition) return [`corresponding condition of pod readiness gate "${conditionType}" does not exist.`];
    return condition.status === "True" ? [] : [`the status of pod readiness gate "${conditionType}" is not "True", but ${condition.status}`];
  });
  return messages.length === 0 ? TRUE : { status: "False", reason: "ReadinessGatesNotReady", message: messages.join(", ") };
}

function restartingAll({ pod, memory }: PodWorld, phase: Phase): Verdict | undefined {
  if (memory.restartingAll) return { status: "True", reason: "RestartAllContainersStarted" };
  const known = memory.restarted.size > 0 || pod.status?.conditions?.some((c) => c.type === "AllContainersRestarting");
  if (!known) return undefined;
  const reason = phase === "Succeeded" ? "PodCompleted" : phase === "Failed" ? "PodFailed" : undefined;
  return { status: "False", ...(reason && { reason }) };
}

/** All conditions of a pod; a transition's time is kept while the condition's status stays. */
export function conditionsOf(world: PodWorld, phase: Phase, statuses: ContainerStatuses, sandboxUp: boolean): readonly PodCondition[] {
  const { pod, now } = world;
  const old = pod.status?.conditions ?? [];
  const containers = containersReady(world, phase, statuses);
  const all = restartingAll(world, phase);
  const own: readonly (readonly [string, Verdict])[] = [
    ["PodReadyToStartContainers", { status: sandboxUp && readySandbox(world.runtime) ? "True" : "False" }],
    ...(all ? [["AllContainersRestarting", all] as const] : []),
    ["Initialized", initialized(world, phase, statuses)],
    ["Ready", ready(world, containers)],
    ["ContainersReady", containers],
    ["PodScheduled", TRUE],
  ];
  return [
    ...old.filter((c) => !OWNED.has(c.type)),
    ...own.map(([type, verdict]) => {
      const before = old.find((c) => c.type === type);
      const lastTransitionTime = before?.status === verdict.status && before.lastTransitionTime ? before.lastTransitionTime : formatTime(now);
      return { type, ...(pod.metadata.generation !== undefined && { observedGeneration: pod.metadata.generation }), ...verdict, lastTransitionTime };
    }),
  ];
}
