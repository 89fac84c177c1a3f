/**
 * The plan for a pod that should run: init containers in their order, sidecars before and along with the others, restarts after their back-off.
 * Follows kubernetes pkg/kubelet/kuberuntime/kuberuntime_container.go (computeInitContainerActions) and kuberuntime_manager.go (doBackOff).
 */
import type { Container } from "../../api/generated/types.ts";
import { isSidecar } from "../../api/pod-resources.ts";
import type { Instant } from "../../base/clock.ts";
import { RESTART_BACK_OFF, waitUntil } from "./back-off.ts";
import type { StartContainer, StopContainer } from "./decide.ts";
import { restartVerdict, type RestartVerdict } from "./restart-policy.ts";
import { exitCodeOf, hasEnded, isRunning, latestOf, nextAttempt, readySandbox, type ContainerRecord, type PodWorld } from "./world.ts";

export interface Plan {
  readonly start: readonly StartContainer[];
  readonly stop: readonly StopContainer[];
  /** When something that waits may go on. */
  readonly waits: readonly Instant[];
  readonly backOffs: readonly { readonly container: Container; readonly fieldPath: string; readonly attempt: number }[];
  readonly restartAll: boolean;
  /** Init containers do not hold up the others any more. */
  readonly initialized: boolean;
  /** Nothing is left to run: all have ended for good, or an init container has failed for good. */
  readonly done: boolean;
}

type Draft = { -readonly [K in keyof Plan]: Plan[K] extends readonly (infer U)[] ? U[] : Plan[K] };

const newPlan = (): Draft => ({ start: [], stop: [], waits: [], backOffs: [], restartAll: false, initialized: false, done: false });

/** How long a container that failed shows its end before it shows that it waits. */
export const SHOW_END_MS = 1000;

export const fieldPathOf = (list: "containers" | "initContainers" | "ephemeralContainers", name: string): string => `spec.${list}{${name}}`;

/** What becomes of a container that has ended. */
export function verdictOn(world: PodWorld, container: Container, isInit: boolean, record: ContainerRecord): RestartVerdict {
  return restartVerdict(world.pod, container, isInit, { exitCode: exitCodeOf(record), condemned: world.memory.condemned.has(record.id) });
}

/** Until when a container that has ended waits for its restart; undefined when it need not. */
export function restartWait({ memory, now }: PodWorld, name: string, record: ContainerRecord): Instant | undefined {
  const finishedAt = record.finishedAtMs ?? record.createdAtMs;
  return waitUntil(memory.backOffs.get(name), finishedAt, now, RESTART_BACK_OFF);
}

/** Whether a container counts as started: it runs, its postStart hook is over, and its startup probe has succeeded. */
export function hasStarted({ memory }: PodWorld, container: Container, record: ContainerRecord | undefined): boolean {
  if (!record || !isRunning(record) || memory.postStart.has(record.id)) return false;
  return !container.startupProbe || memory.probes.get(record.id)?.startup === "success";
}

function planStart(world: PodWorld, plan: Draft, container: Container, list: "containers" | "initContainers" | "ephemeralContainers"): void {
  const failure = world.memory.failures.get(container.name);
  const previous = latestOf(world.runtime, container.name);
  if (failure && failure.retryAt > world.now && !(previous && hasEnded(previous) && failure.reason === "RunContainerError")) {
    plan.waits.push(failure.retryAt);
    return;
  }
  const fieldPath = fieldPathOf(list, container.name);
  const until = previous && hasEnded(previous) ? restartWait(world, container.name, previous) : undefined;
  if (until === undefined || !previous) {
    plan.start.push({ container, attempt: nextAttempt(world, container), previous, fieldPath });
    return;
  }
  plan.backOffs.push({ container, fieldPath, attempt: previous.attempt });
  const shown = (previous.finishedAtMs ?? 0) + SHOW_END_MS;
  plan.waits.push(until, ...(shown > world.now ? [shown] : []));
}

/** Stops a running container that a probe has given up. Says whether it does. */
function planProbeStop(world: PodWorld, plan: Draft, container: Container, isInit: boolean, record: ContainerRecord): boolean {
  const results = world.memory.probes.get(record.id);
  const kind = results?.startup === "failure" ? "startup" : results?.liveness === "failure" ? "liveness" : undefined;
  if (!kind) return false;
  if (world.memory.stopping.has(record.id)) return true;
  const probe = kind === "startup" ? container.startupProbe : container.livenessProbe;
  const restarts = restartVerdict(world.pod, container, isInit, { exitCode: 137, condemned: true }) !== "none";
  const ofPod = world.pod.spec.terminationGracePeriodSeconds ?? 30;
  plan.stop.push({
    record, container,
    fieldPath: fieldPathOf(isInit ? "initContainers" : "containers", container.name),
    message: restarts ? `Container ${container.name} failed ${kind} probe, will be restarted` : `Stopping container ${container.name}`,
    gracePeriodMs: (restarts ? (probe?.terminationGracePeriodSeconds ?? ofPod) : ofPod) * 1000,
  });
  return true;
}

/** The record of a container, if it belongs to the sandbox that is up: what ran in one that was lost has to run again. */
function currentRecord({ runtime }: PodWorld, name: string): ContainerRecord | undefined {
  const sandbox = readySandbox(runtime);
  const record = latestOf(runtime, name);
  return record && sandbox && record.sandboxId === sandbox.id ? record : undefined;
}

export function planInit(world: PodWorld): Plan {
  const plan = newPlan();
  const containers = world.pod.spec.initContainers ?? [];
  const appsBegan = world.pod.spec.containers.some((c) => currentRecord(world, c.name));
  const began = containers.map((c) => currentRecord(world, c.name) !== undefined);
  for (const [i, container] of containers.entries()) {
    const laterBegan = appsBegan || began.includes(true, i + 1);
    if (!planOneInit(world, plan, container, laterBegan)) return plan;
  }
  plan.initialized = true;
  return plan;
}

/** Plans one init container; false when those after it have to wait. */
function planOneInit(world: PodWorld, plan: Draft, container: Container, laterBegan: boolean): boolean {
  const record = currentRecord(world, container.name);
  const sidecar = isSidecar(container);
  if (!sidecar && laterBegan && !(record && hasEnded(record) && verdictOn(world, container, true, record) === "all")) return true;
  if (!record) {
    planStart(world, plan, container, "initContainers");
    return laterBegan;
  }
  if (isRunning(record)) {
    const stops = planProbeStop(world, plan, container, true, record);
    return laterBegan || (sidecar && !stops && hasStarted(world, container, record));
  }
  if (!hasEnded(record)) return laterBegan;
  return planEndedInit(world, plan, container, record, laterBegan);
}

function planEndedInit(world: PodWorld, plan: Draft, container: Container, record: ContainerRecord, laterBegan: boolean): boolean {
  const verdict = verdictOn(world, container, true, record);
  if (verdict === "all") plan.restartAll = true;
  if (verdict === "container") planStart(world, plan, container, "initContainers");
  if (isSidecar(container)) return laterBegan;
  if (verdict === "none" && exitCodeOf(record) === 0) return true;
  if (verdict === "none") plan.done = true;
  return false;
}

export function planApps(world: PodWorld): Plan {
  const plan = newPlan();
  plan.initialized = true;
  let left = 0;
  for (const container of world.pod.spec.containers) if (planApp(world, plan, container)) left++;
  for (const container of world.pod.spec.ephemeralContainers ?? []) {
    if (!latestOf(world.runtime, container.name)) planStart(world, plan, container, "ephemeralContainers");
  }
  plan.done = left === 0;
  return plan;
}

/** Plans one app container; says whether it runs or will. */
function planApp(world: PodWorld, plan: Draft, container: Container): boolean {
  const record = latestOf(world.runtime, container.name);
  if (record && isRunning(record)) {
    planProbeStop(world, plan, container, false, record);
    return true;
  }
  if (record && hasEnded(record)) {
    const verdict = verdictOn(world, container, false, record);
    if (verdict === "all") plan.restartAll = true;
    if (verdict === "none") return false;
    if (verdict === "all") return true;
  }
  if (!record && endedBefore(world, container)) return false;
  planStart(world, plan, container, "containers");
  return true;
}

/** The API has the end of a container whose record is gone (it was cleaned up), and nothing starts it again. */
function endedBefore({ pod, memory }: PodWorld, container: Container): boolean {
  const ended = pod.status?.containerStatuses?.find((s) => s.name === container.name)?.state?.terminated;
  if (!ended || memory.restarted.has(container.name)) return false;
  return restartVerdict(pod, container, false, { exitCode: ended.exitCode, condemned: false }) === "none";
}
