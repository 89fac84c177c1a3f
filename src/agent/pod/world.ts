/**
 * What is known of a pod at one moment: the API's object, the runtime's records, and what this process remembers of its own doings.
 * Decisions and the status are computed from this alone. Nothing here acts.
 */
import { createHash } from "node:crypto";
import type { Container, ContainerState, ContainerStatus, Pod } from "../../api/generated/types.ts";
import type { Stored } from "../../api/object.ts";
import type { Instant } from "../../base/clock.ts";
import type { ContainerStatus as ContainerRecord, SandboxStatus } from "../../runtime/runtime.ts";
import type { BackOff } from "./back-off.ts";

export type { ContainerRecord };

/** The runtime's records of one pod. */
export interface PodRuntime {
  readonly sandboxes: readonly SandboxStatus[];
  readonly containers: readonly ContainerRecord[];
}

export const NO_RUNTIME: PodRuntime = { sandboxes: [], containers: [] };

/** Why a container could not be started: what its waiting state says. */
export interface StartFailure {
  readonly reason: string;
  readonly message: string;
  /** When to try again. */
  readonly retryAt: Instant;
}

/** The key in `failures` of what concerns the whole pod: its volumes, its sandbox. */
export const POD_FAILURE = "";

export type ProbeResult = "unknown" | "success" | "failure";

export interface ProbeResults {
  readonly startup?: ProbeResult;
  readonly liveness?: ProbeResult;
  readonly readiness?: ProbeResult;
}

/** An end that the containers did not bring about: a deadline, or a refusal at admission. */
export interface ForcedEnd {
  readonly reason: string;
  readonly message: string;
}

/** What this process remembers of a pod. Losing it costs a back-off or a reason, never a container. */
export interface PodMemory {
  readonly startTime: Instant;
  readonly failures: ReadonlyMap<string, StartFailure>;
  readonly backOffs: ReadonlyMap<string, BackOff>;
  /** By container id. */
  readonly probes: ReadonlyMap<string, ProbeResults>;
  /** Ids of containers whose postStart hook has not ended. */
  readonly postStart: ReadonlySet<string>;
  /** When each container that is being stopped (by id) will be killed. */
  readonly stopping: ReadonlyMap<string, Instant>;
  /** Ids of containers that a probe or a failed hook ended: the policy alone decides about them, not their exit code. */
  readonly condemned: ReadonlySet<string>;
  /** Termination messages, by container id. */
  readonly messages: ReadonlyMap<string, string>;
  /** Next attempts and last states of containers whose records RestartAllContainers removed. */
  readonly restarted: ReadonlyMap<string, { readonly attempt: number; readonly lastState: ContainerState }>;
  /** RestartAllContainers is under way. */
  readonly restartingAll: boolean;
  /** Something is being started or taken down: nothing else may begin. */
  readonly busy: boolean;
  readonly forcedEnd: ForcedEnd | undefined;
  /** The forced end is a refusal at admission: nothing of the pod was ever started. */
  readonly rejected: boolean;
  /** When it was first seen that the pod has to end. */
  readonly terminatingSince: Instant | undefined;
}

export interface PodWorld {
  readonly pod: Stored<Pod>;
  /** The object is gone from the API: what still runs has to end. */
  readonly removed: boolean;
  readonly runtime: PodRuntime;
  readonly memory: PodMemory;
  readonly now: Instant;
}

/** Records of one container, the newest attempt first. */
export function attemptsOf(runtime: PodRuntime, name: string): readonly ContainerRecord[] {
  const own = runtime.containers.filter((c) => c.name === name);
  return own.length < 2 ? own : own.sort((a, b) => b.attempt - a.attempt);
}

export const latestOf = (runtime: PodRuntime, name: string): ContainerRecord | undefined => attemptsOf(runtime, name)[0];

/** The sandbox that the pod runs in; undefined when it has none or it is down. */
export function readySandbox(runtime: PodRuntime): SandboxStatus | undefined {
  return runtime.sandboxes.filter((s) => s.ready).reduce<SandboxStatus | undefined>((newest, s) => (!newest || s.createdAtMs > newest.createdAtMs ? s : newest), undefined);
}

export const isRunning = (record: ContainerRecord): boolean => record.state === "running";
export const hasEnded = (record: ContainerRecord): boolean => record.state === "exited" || record.state === "unknown";
export const exitCodeOf = (record: ContainerRecord): number => record.exitCode ?? 137;

export const isTerminalPhase = (phase: string | undefined): boolean => phase === "Succeeded" || phase === "Failed";

/** What the API last said of a container. */
export function oldStatusOf(pod: Pod, name: string): ContainerStatus | undefined {
  const { containerStatuses = [], initContainerStatuses = [], ephemeralContainerStatuses = [] } = pod.status ?? {};
  const named = (s: ContainerStatus) => s.name === name;
  return containerStatuses.find(named) ?? initContainerStatuses.find(named) ?? ephemeralContainerStatuses.find(named);
}

const HEX_ID = /^[0-9a-f]{64}$/;

/** A runtime's id in the form that the API shows: 64 hexadecimal digits, whatever the runtime calls its containers. */
export const shownId = (id: string): string => (HEX_ID.test(id) ? id : createHash("sha256").update(id).digest("hex"));

/** The number of the next start of a container. */
export function nextAttempt({ pod, runtime, memory }: PodWorld, container: Pick<Container, "name">): number {
  const latest = latestOf(runtime, container.name);
  if (latest) return latest.attempt + 1;
  const restarted = memory.restarted.get(container.name);
  if (restarted) return restarted.attempt;
  const old = oldStatusOf(pod, container.name);
  const hasRun = old?.state?.running ?? old?.state?.terminated ?? old?.lastState?.terminated;
  return hasRun && old ? old.restartCount + 1 : 0;
}

/** `name_namespace(uid)`: how back-off texts name a pod. */
export const podFullName = ({ metadata }: Stored<Pod>): string => `${metadata.name}_${metadata.namespace ?? ""}(${metadata.uid})`;
