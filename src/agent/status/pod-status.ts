/**
 * The whole status of a pod, and the patch that brings the API's to it. Follows kubernetes pkg/kubelet/kubelet_pods.go (generateAPIPodStatus)
 * and pkg/util/pod (PatchPodStatus).
 */
import { isDeepStrictEqual } from "node:util";
import type { PodStatus } from "../../api/generated/types.ts";
import { formatTime } from "../../api/time.ts";
import type { PodLife } from "../pod/decide.ts";
import { isTerminalPhase, readySandbox, type PodWorld } from "../pod/world.ts";
import { conditionsOf } from "./conditions.ts";
import { containerStatuses } from "./container-statuses.ts";
import { phaseOf } from "./phase.ts";
import { qosClass } from "./qos.ts";

export interface StatusContext {
  readonly life: PodLife;
  /** The node's addresses, the first is the host IP. */
  readonly hostIps: readonly string[];
  /** The sandbox counts as up: not any more when it is about to be taken down. */
  readonly sandboxUp: boolean;
}

/** A pod's addresses; those of the node when it is on the node's network. */
export function podIps({ pod, runtime }: PodWorld, hostIps: readonly string[]): readonly string[] {
  if (pod.spec.hostNetwork) return readySandbox(runtime) ? hostIps : [];
  const ip = readySandbox(runtime)?.ip ?? runtime.sandboxes.find((s) => s.ip !== undefined)?.ip;
  return ip === undefined ? [] : [ip];
}

export function podStatus(world: PodWorld, context: StatusContext): PodStatus {
  const { pod, memory } = world;
  const old = pod.status ?? {};
  if (isTerminalPhase(old.phase)) return { ...old, conditions: sandboxDown(world, context) };
  if (memory.rejected && memory.forcedEnd) return { ...old, ...observed(pod), phase: "Failed", reason: memory.forcedEnd.reason, message: memory.forcedEnd.message, qosClass: old.qosClass ?? qosClass(pod.spec) };
  const statuses = containerStatuses(world, context.life);
  const phase = phaseOf(world, context.life, statuses);
  const ips = podIps(world, context.hostIps);
  const shownIps = ips.length > 0 ? ips : (old.podIPs ?? []).map((p) => p.ip);
  const end = memory.forcedEnd;
  return {
    ...observed(pod),
    phase,
    conditions: conditionsOf(world, phase, statuses, context.sandboxUp),
    ...((end?.message ?? old.message) !== undefined && { message: end?.message ?? old.message ?? "" }),
    ...((end?.reason ?? old.reason) !== undefined && { reason: end?.reason ?? old.reason ?? "" }),
    hostIP: context.hostIps[0] ?? "",
    hostIPs: context.hostIps.map((ip) => ({ ip })),
    ...(shownIps[0] !== undefined && { podIP: shownIps[0], podIPs: shownIps.map((ip) => ({ ip })) }),
    startTime: formatTime(memory.startTime),
    ...(statuses.init.length > 0 && { initContainerStatuses: statuses.init }),
    containerStatuses: statuses.apps,
    ...(statuses.ephemeral.length > 0 && { ephemeralContainerStatuses: statuses.ephemeral }),
    qosClass: old.qosClass ?? qosClass(pod.spec),
  };
}

const observed = ({ metadata: { generation } }: PodWorld["pod"]): PodStatus => (generation === undefined ? {} : { observedGeneration: generation });

/** A terminal status does not change any more, but that the sandbox is down is still to be told. */
function sandboxDown({ pod, now }: PodWorld, { sandboxUp }: StatusContext): NonNullable<PodStatus["conditions"]> {
  const conditions = pod.status?.conditions ?? [];
  if (sandboxUp) return conditions;
  return conditions.map((c) => (c.type === "PodReadyToStartContainers" && c.status === "True" ? { ...c, status: "False", lastTransitionTime: formatTime(now) } : c));
}

type Patch = Record<string, unknown>;

const OWN_FIELDS = [
  "observedGeneration", "phase", "message", "reason", "hostIP", "hostIPs", "podIP", "podIPs", "startTime",
  "initContainerStatuses", "containerStatuses", "ephemeralContainerStatuses", "qosClass",
] as const satisfies readonly (keyof PodStatus)[];

/** A strategic merge patch from one status to the other; undefined when nothing changes. */
export function statusPatch(uid: string, from: PodStatus, to: PodStatus): Patch | undefined {
  const status: Patch = {};
  for (const field of OWN_FIELDS) if (!isSame(from[field], to[field])) status[field] = to[field] ?? null;
  const before = new Map((from.conditions ?? []).map((c) => [c.type, c]));
  const changed = (to.conditions ?? []).filter((c) => !isSame(before.get(c.type), c)).map((c) => withRemoved(before.get(c.type), c));
  if (changed.length > 0) {
    status["$setElementOrder/conditions"] = (to.conditions ?? []).map(({ type }) => ({ type }));
    status["conditions"] = changed;
  }
  return Object.keys(status).length > 0 ? { metadata: { uid }, status } : undefined;
}

/** The server writes times that there are not as null. */
const withoutNulls = (o: object): Patch => Object.fromEntries(Object.entries(o).filter(([, value]) => value !== null));

function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain);
  return typeof value === "object" && value !== null ? Object.fromEntries(Object.entries(withoutNulls(value)).map(([k, v]) => [k, plain(v)])) : value;
}

const isSame = (a: unknown, b: unknown): boolean => isDeepStrictEqual(a, b) || isDeepStrictEqual(plain(a), plain(b));

/** Fields that a merged element must lose are named as null. */
function withRemoved(before: object | undefined, after: object): Patch {
  const gone = Object.keys(withoutNulls(before ?? {})).filter((key) => !(key in after)).map((key) => [key, null] as const);
  return { ...after, ...Object.fromEntries(gone) };
}
