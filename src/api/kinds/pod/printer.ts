/**
 * The row of a Pod in a Table: how many containers are ready, one word for what it is doing, restarts.
 * Follows kubernetes pkg/printers/internalversion/printers.go (printPod).
 */
import type { Instant } from "../../../base/clock.ts";
import type { ContainerStatus, Pod } from "../../generated/types.ts";
import { parseTime } from "../../time.ts";
import { humanDuration } from "../../duration.ts";
import type { Cell, Printer } from "../kind.ts";
import { ageCell } from "../printing.ts";

interface Counts {
  ready: number;
  restarts: number;
  lastRestart: Instant | undefined;
}

const isSidecar = (pod: Pod, name: string): boolean => (pod.spec.initContainers ?? []).some((c) => c.name === name && c.restartPolicy === "Always");

const hasCondition = (pod: Pod, type: string): boolean => (pod.status?.conditions ?? []).some((c) => c.type === type && c.status === "True");

const latest = (a: Instant | undefined, b: Instant | undefined): Instant | undefined => (a === undefined || (b !== undefined && b > a) ? b : a);

/** `Signal:9`, `ExitCode:3`, or the reason. */
function endReason(state: NonNullable<NonNullable<ContainerStatus["state"]>["terminated"]>): string {
  if (state.reason) return state.reason;
  return state.signal ? `Signal:${state.signal}` : `ExitCode:${state.exitCode}`;
}

function count(counts: Counts, status: ContainerStatus): void {
  counts.restarts += status.restartCount ?? 0;
  if (status.lastState?.terminated) counts.lastRestart = latest(counts.lastRestart, parseTime(status.lastState.terminated.finishedAt));
}

/** The word while init containers run; undefined when they are done. */
function initReason(pod: Pod, counts: Counts, sidecars: Counts): string | undefined {
  const total = (pod.spec.initContainers ?? []).length;
  for (const [i, status] of (pod.status?.initContainerStatuses ?? []).entries()) {
    count(counts, status);
    const sidecar = isSidecar(pod, status.name);
    if (sidecar) count(sidecars, status);
    const { terminated, waiting } = status.state ?? {};
    if (terminated?.exitCode === 0) continue;
    if (sidecar && status.started === true) {
      if (status.ready) counts.ready += 1;
      continue;
    }
    if (terminated) return `Init:${endReason(terminated)}`;
    if (waiting?.reason && waiting.reason !== "PodInitializing") return `Init:${waiting.reason}`;
    return `Init:${i}/${total}`;
  }
  return undefined;
}

function mainReason(pod: Pod, reason: string, counts: Counts): string {
  let word = reason;
  let failure = "";
  let running = false;
  for (const status of [...(pod.status?.containerStatuses ?? [])].reverse()) {
    count(counts, status);
    const { waiting, terminated } = status.state ?? {};
    if (waiting?.reason) word = waiting.reason;
    else if (terminated) {
      word = endReason(terminated);
      if (terminated.exitCode !== 0) failure = word;
    } else if (status.ready && status.state?.running) {
      running = true;
      counts.ready += 1;
    }
  }
  if (word !== "Completed") return word;
  if (running && hasCondition(pod, "Ready")) return "Running";
  return failure || (running ? "NotReady" : word);
}

function summarize(pod: Pod): { readonly reason: string; readonly counts: Counts; readonly total: number } {
  const { spec, status } = pod;
  const total = (spec.containers ?? []).length + (spec.initContainers ?? []).filter((c) => c.restartPolicy === "Always").length;
  let reason = status?.reason || status?.phase || "";
  if ((status?.conditions ?? []).some((c) => c.type === "PodScheduled" && c.reason === "SchedulingGated")) reason = "SchedulingGated";
  const counts: Counts = { ready: 0, restarts: 0, lastRestart: undefined };
  const sidecars: Counts = { ready: 0, restarts: 0, lastRestart: undefined };
  const initializing = initReason(pod, counts, sidecars);
  if (initializing !== undefined && !hasCondition(pod, "Initialized")) return { reason: leaving(pod, initializing), counts, total };
  // From here on only containers that go on running count: init containers are history.
  counts.restarts = sidecars.restarts;
  counts.lastRestart = sidecars.lastRestart;
  return { reason: leaving(pod, mainReason(pod, initializing ?? reason, counts)), counts, total };
}

function leaving(pod: Pod, reason: string): string {
  if (!pod.metadata.deletionTimestamp) return reason;
  if (pod.status?.reason === "NodeLost") return "Unknown";
  return pod.status?.phase === "Succeeded" || pod.status?.phase === "Failed" ? reason : "Terminating";
}

const orNone = (text: string | undefined): string => text || "<none>";

function gates(pod: Pod): string {
  const wanted = pod.spec.readinessGates ?? [];
  if (wanted.length === 0) return "<none>";
  return `${wanted.filter((g) => hasCondition(pod, g.conditionType)).length}/${wanted.length}`;
}

function cells(pod: Pod, now: Instant): readonly Cell[] {
  const { reason, counts, total } = summarize(pod);
  const restarts = counts.restarts !== 0 && counts.lastRestart !== undefined ? `${counts.restarts} (${humanDuration(now - counts.lastRestart)} ago)` : `${counts.restarts}`;
  const ip = pod.status?.podIPs?.[0]?.ip ?? "";
  return [pod.metadata.name ?? "", `${counts.ready}/${total}`, reason, restarts, ageCell(pod, now), orNone(ip), orNone(pod.spec.nodeName), orNone(pod.status?.nominatedNodeName), gates(pod)];
}

export const podPrinter: Omit<Printer<Pod>, "columns"> = {
  cells,
  conditions: (pod) => {
    if (pod.status?.phase === "Succeeded") return [{ type: "Completed", status: "True", reason: "Succeeded", message: "The pod has completed successfully." }];
    if (pod.status?.phase === "Failed") return [{ type: "Completed", status: "True", reason: "Failed", message: "The pod failed." }];
    return undefined;
  },
};
