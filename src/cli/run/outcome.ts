/**
 * When a run is over, and how: decided purely from the Jobs and Pods that were in the manifests.
 */
import type { Job, Pod } from "../../api/generated/types.ts";
import { keyOf, type Stored } from "../../api/object.ts";

export type Verdict =
  | { readonly kind: "complete" }
  | { readonly kind: "failed"; readonly reason: string; readonly message: string }
  /** Somebody deleted it while it ran. */
  | { readonly kind: "gone" }
  | { readonly kind: "running" };

export interface Target {
  readonly kind: "Job" | "Pod";
  readonly namespace: string;
  readonly name: string;
}

export const targetName = (t: Target): string => `${t.kind.toLowerCase()}/${t.name}`;

const isTrue = (job: Stored<Job>, type: string) => job.status?.conditions?.find((c) => c.type === type && c.status === "True");

export function jobVerdict(job: Stored<Job> | undefined): Verdict {
  if (!job) return { kind: "gone" };
  if (isTrue(job, "Complete")) return { kind: "complete" };
  const failed = isTrue(job, "Failed");
  return failed ? { kind: "failed", reason: failed.reason ?? "Failed", message: failed.message ?? "" } : { kind: "running" };
}

export function podVerdict(pod: Stored<Pod> | undefined): Verdict {
  if (!pod) return { kind: "gone" };
  if (pod.status?.phase === "Succeeded") return { kind: "complete" };
  if (pod.status?.phase !== "Failed") return { kind: "running" };
  return { kind: "failed", reason: pod.status.reason ?? "Error", message: pod.status.message ?? "" };
}

export interface RunState {
  /** Names (`job/…`, `pod/…` with namespace) that have been seen: what has not been seen yet is not gone. */
  readonly seen: ReadonlySet<string>;
  readonly jobs: ReadonlyMap<string, Stored<Job>>;
  readonly pods: ReadonlyMap<string, Stored<Pod>>;
}

export interface TargetVerdict {
  readonly target: Target;
  readonly verdict: Verdict;
}

export const seenKey = (kind: Target["kind"], key: string): string => `${kind}/${key}`;

export function verdictsOf(targets: readonly Target[], state: RunState): readonly TargetVerdict[] {
  return targets.map((target) => {
    const key = keyOf({ metadata: target });
    if (!state.seen.has(seenKey(target.kind, key))) return { target, verdict: { kind: "running" } };
    return { target, verdict: target.kind === "Job" ? jobVerdict(state.jobs.get(key)) : podVerdict(state.pods.get(key)) };
  });
}

export const isOver = (verdicts: readonly TargetVerdict[]): boolean => verdicts.every((v) => v.verdict.kind !== "running");
export const hasFailed = (verdicts: readonly TargetVerdict[]): boolean => verdicts.some((v) => v.verdict.kind !== "complete");

/** How many containers' logs could ever be mixed: more than one makes every line carry its pod's name. */
export function logSources(targets: readonly { readonly object: unknown }[]): number {
  return targets.reduce((sum, { object }) => {
    const { spec } = object as { spec?: { completions?: number; parallelism?: number; containers?: unknown[]; initContainers?: unknown[]; template?: { spec?: { containers?: unknown[]; initContainers?: unknown[] } } } };
    const podSpec = spec?.template?.spec ?? spec;
    const containers = (podSpec?.containers?.length ?? 0) + (podSpec?.initContainers?.length ?? 0);
    return sum + containers * Math.max(spec?.completions ?? 1, spec?.parallelism ?? 1, 1);
  }, 0);
}
