/**
 * The statuses of a pod's containers as the API shows them, from the runtime's records and what this process remembers.
 * Follows kubernetes pkg/kubelet/kubelet_pods.go (convertToAPIContainerStatuses) and pkg/kubelet/prober/prober_manager.go (UpdatePodStatus).
 */
import type { Container, ContainerState, ContainerStatus, VolumeMountStatus } from "../../api/generated/types.ts";
import { isSidecar } from "../../api/pod-resources.ts";
import { formatTime } from "../../api/time.ts";
import { formatGoDuration } from "../../api/duration.ts";
import { hasStarted, restartWait, SHOW_END_MS, verdictOn } from "../pod/plan.ts";
import { attemptsOf, exitCodeOf, hasEnded, isRunning, oldStatusOf, podFullName, shownId, type ContainerRecord, type PodWorld } from "../pod/world.ts";
import type { PodLife } from "../pod/decide.ts";

export const RUNTIME_NAME = "stint";

/** Annotations of a runtime container in which the agent keeps what it shows of the image. */
export const IMAGE_ANNOTATION = "stint.dev/image";
export const IMAGE_ID_ANNOTATION = "stint.dev/image-id";

export const RESTARTING_ALL: ContainerState = {
  terminated: { exitCode: 137, reason: "RestartingAllContainers", message: "The container is removed because RestartAllContainers in place" },
};

const UNKNOWN_END: ContainerState = {
  terminated: { exitCode: 137, reason: "ContainerStatusUnknown", message: "The container could not be located when the pod was terminated" },
};

const time = (ms: number | undefined): string => formatTime(ms ?? 0);

function stateOf({ memory }: PodWorld, record: ContainerRecord): ContainerState {
  if (isRunning(record)) return { running: { startedAt: time(record.startedAtMs) } };
  if (!hasEnded(record)) return { waiting: { reason: "ContainerCreating" } };
  const message = memory.messages.get(record.id) || record.message;
  // What never ran has no start.
  const startedAtMs = record.reason === "StartError" ? 0 : record.startedAtMs;
  return {
    terminated: {
      exitCode: exitCodeOf(record),
      reason: record.reason ?? (record.state === "unknown" ? "ContainerStatusUnknown" : exitCodeOf(record) === 0 ? "Completed" : "Error"),
      ...(message && { message }),
      startedAt: time(startedAtMs),
      finishedAt: time(record.finishedAtMs),
      containerID: `${RUNTIME_NAME}://${shownId(record.id)}`,
    },
  };
}

const mountStatuses = (container: Container): readonly VolumeMountStatus[] | undefined =>
  container.volumeMounts?.map((m) => ({ name: m.name, mountPath: m.mountPath, ...(m.readOnly && { readOnly: true, recursiveReadOnly: "Disabled" }) }));

interface Subject {
  readonly world: PodWorld;
  readonly life: PodLife;
  readonly container: Container;
  readonly isInit: boolean;
}

const defaultWaiting = ({ world }: Subject): ContainerState => ({
  waiting: { reason: (world.pod.spec.initContainers?.length ?? 0) > 0 ? "PodInitializing" : "ContainerCreating" },
});

/** Why a container that is not running waits; undefined when there is nothing to say but that it will start. */
function waitingState({ world, container }: Subject, record: ContainerRecord | undefined): ContainerState | undefined {
  const failure = world.memory.failures.get(container.name);
  if (failure) return { waiting: { reason: failure.reason, ...(failure.message && { message: failure.message }) } };
  if (!record || !hasEnded(record) || world.now < (record.finishedAtMs ?? 0) + SHOW_END_MS) return undefined;
  if (restartWait(world, container.name, record) === undefined) return undefined;
  const pause = formatGoDuration(world.memory.backOffs.get(container.name)?.durationMs ?? 0);
  const message = `back-off ${pause} restarting failed container=${container.name} pod=${podFullName(world.pod)}`;
  return { waiting: { reason: "CrashLoopBackOff", message } };
}

interface States {
  readonly state: ContainerState;
  readonly lastState: ContainerState;
}

function statesOf(subject: Subject, record: ContainerRecord, previous: ContainerRecord | undefined): States {
  const { world, life, container, isInit } = subject;
  const old = oldStatusOf(world.pod, container.name);
  const before = world.memory.restarted.get(container.name)?.lastState;
  const lastState = previous ? stateOf(world, previous) : (before ?? (old?.restartCount === record.attempt ? old.lastState : undefined) ?? {});
  if (world.memory.postStart.has(record.id) && isRunning(record)) return { state: defaultWaiting(subject), lastState };
  if (!isRunning(record) && !hasEnded(record)) return { state: defaultWaiting(subject), lastState };
  const state = stateOf(world, record);
  if (life !== "running" || isRunning(record) || verdictOn(world, container, isInit, record) === "none") return { state, lastState };
  const waiting = waitingState(subject, record);
  return waiting ? { state: waiting, lastState: state } : { state, lastState };
}

function statusOfRecord(subject: Subject, record: ContainerRecord, previous: ContainerRecord | undefined): ContainerStatus {
  const { container } = subject;
  const mounts = mountStatuses(container);
  const requests = container.resources?.requests;
  return {
    name: container.name,
    ...statesOf(subject, record, previous),
    ...readiness(subject, record),
    restartCount: record.attempt,
    image: record.annotations[IMAGE_ANNOTATION] ?? container.image ?? "",
    imageID: record.annotations[IMAGE_ID_ANNOTATION] ?? "",
    containerID: `${RUNTIME_NAME}://${shownId(record.id)}`,
    ...(requests && Object.keys(requests).length > 0 && { allocatedResources: requests }),
    resources: resourcesOf(container),
    ...(mounts && mounts.length > 0 && { volumeMounts: mounts }),
  };
}

function resourcesOf({ resources }: Container): NonNullable<ContainerStatus["resources"]> {
  const { limits, requests } = resources ?? {};
  return { ...(limits && { limits }), ...(requests && { requests }) };
}

/** A container without a record: never started, removed for a restart, or cleaned up after its end. */
function statusWithoutRecord(subject: Subject): ContainerStatus {
  const { world, life, container } = subject;
  const old = oldStatusOf(world.pod, container.name);
  const blank = { name: container.name, image: container.image ?? "", imageID: "", ready: false, started: false };
  const restarted = world.memory.restarted.get(container.name);
  if (restarted) return { ...blank, restartCount: restarted.attempt, lastState: restarted.lastState, state: world.memory.restartingAll ? { waiting: { reason: "RestartingAllContainers", message: RESTARTING_ALL.terminated?.message ?? "" } } : defaultWaiting(subject) };
  if (old?.state?.terminated) return old;
  if (old?.state?.running) return { ...old, ready: false, started: false, state: UNKNOWN_END };
  const state = (life === "running" ? waitingState(subject, undefined) : undefined) ?? defaultWaiting(subject);
  return { ...blank, restartCount: old ? Math.max(old.restartCount, 0) : 0, lastState: old?.lastState ?? {}, state };
}

function readiness({ world, container, isInit }: Subject, record: ContainerRecord): { readonly ready: boolean; readonly started: boolean } {
  const running = isRunning(record) && !world.memory.postStart.has(record.id);
  if (isInit && !isSidecar(container)) return { ready: hasEnded(record) && exitCodeOf(record) === 0, started: running };
  const started = hasStarted(world, container, record);
  return { started, ready: started && (!container.readinessProbe || world.memory.probes.get(record.id)?.readiness === "success") };
}

function statusOf(subject: Subject): ContainerStatus {
  const [record, previous] = attemptsOf(subject.world.runtime, subject.container.name);
  return record ? statusOfRecord(subject, record, previous) : statusWithoutRecord(subject);
}

/** An initialized pod that has ended has no waiting containers: what cannot be found counts as lost. */
function ended(status: ContainerStatus): ContainerStatus {
  if (!status.state?.waiting) return status;
  return status.lastState?.terminated ? { ...status, state: status.lastState } : { ...status, state: UNKNOWN_END };
}

export interface ContainerStatuses {
  /** In the spec's order. */
  readonly init: readonly ContainerStatus[];
  /** By name. */
  readonly apps: readonly ContainerStatus[];
  readonly ephemeral: readonly ContainerStatus[];
}

export function containerStatuses(world: PodWorld, life: PodLife): ContainerStatuses {
  const { initContainers = [], containers, ephemeralContainers = [] } = world.pod.spec;
  const all = (list: readonly Container[], isInit: boolean) => list.map((container) => statusOf({ world, life, container, isInit }));
  const apps = all(containers, false);
  const began = apps.some((s) => !s.state?.waiting || s.lastState?.terminated);
  const closed = (list: readonly ContainerStatus[]) => (life === "ended" && began ? list.map(ended) : list);
  return {
    init: closed(all(initContainers, true)),
    apps: [...closed(apps)].sort((a, b) => (a.name < b.name ? -1 : 1)),
    ephemeral: all(ephemeralContainers, false).map((s) => ({ ...s, started: false, ready: false })),
  };
}

