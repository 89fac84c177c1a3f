/**
 * How many pods should run now, which go first when there are too many, and in what batches missing ones are made.
 * Follows kubernetes pkg/controller/job/job_controller.go (manageJob, activePodsForRemoval) and pkg/controller/controller_utils.go (ActivePods).
 */
import type { ContainerStatus, Job } from "../../api/generated/types.ts";
import { parseTime } from "../../api/time.ts";
import { splitSurplus } from "./indexed-pods.ts";
import { completionsOf, isIndexed, PODS_PER_SYNC_MAX, type StoredPod } from "./names.ts";
import { isReady, phaseOf, readySince } from "./pods.ts";

/** How many pods should be active: what is left to do, at most `parallelism` at a time. */
export function wantedActive(job: Pick<Job, "spec">, succeeded: number, active: number): number {
  const parallelism = job.spec.parallelism ?? 1;
  const completions = completionsOf(job);
  // A work queue: after the first success the rest is left to finish, and nothing new starts.
  if (completions === undefined) return succeeded > 0 ? active : parallelism;
  return Math.max(0, Math.min(completions - succeeded, parallelism));
}

const PHASE_RANK: Readonly<Record<string, number>> = { Pending: 0, Unknown: 1, Running: 2 };

const maxRestarts = (statuses: readonly ContainerStatus[] | undefined): number => (statuses ?? []).reduce((n, s) => Math.max(n, s.restartCount), 0);

function maxSidecarRestarts(pod: StoredPod): number {
  const sidecars = new Set((pod.spec?.initContainers ?? []).filter((c) => c.restartPolicy === "Always").map((c) => c.name));
  return maxRestarts(pod.status?.initContainerStatuses?.filter((s) => sidecars.has(s.name)));
}

/** Unknown first, then the later one first. */
function laterFirst(a: number | undefined, b: number | undefined): number {
  if (a === b) return 0;
  if (a === undefined || b === undefined) return a === undefined ? -1 : 1;
  return b - a;
}

/** The order in which active pods go: least advanced first. The index and the deletion cost play no part. */
export function leastAdvancedFirst(a: StoredPod, b: StoredPod): number {
  return (
    Number(Boolean(a.spec?.nodeName)) - Number(Boolean(b.spec?.nodeName)) ||
    (PHASE_RANK[phaseOf(a)] ?? 0) - (PHASE_RANK[phaseOf(b)] ?? 0) ||
    Number(isReady(a)) - Number(isReady(b)) ||
    (isReady(a) ? laterFirst(readySince(a), readySince(b)) : 0) ||
    maxRestarts(b.status?.containerStatuses) - maxRestarts(a.status?.containerStatuses) ||
    maxSidecarRestarts(b) - maxSidecarRestarts(a) ||
    laterFirst(parseTime(a.metadata.creationTimestamp), parseTime(b.metadata.creationTimestamp))
  );
}

/** The pods that go when at least `atLeast` must; an Indexed Job also drops pods without a place. */
export function podsToRemove(job: Pick<Job, "spec">, active: readonly StoredPod[], atLeast: number): StoredPod[] {
  const { surplus, rest } = isIndexed(job) ? splitSurplus(active, completionsOf(job) ?? 0, leastAdvancedFirst) : { surplus: [], rest: [...active] };
  if (surplus.length >= atLeast) return surplus;
  return [...surplus, ...rest.sort(leastAdvancedFirst).slice(0, atLeast - surplus.length)];
}

/** One sync removes no more than this many. */
export const boundRemoval = (pods: readonly StoredPod[]): readonly StoredPod[] => pods.slice(0, PODS_PER_SYNC_MAX);

/**
 * Batches of 1, 2, 4 …: where all creations would fail alike, only one is tried. When the last creations of this Job all went
 * well (`proven`), the second batch takes the rest.
 */
export function slowStart(count: number, proven: boolean): number[] {
  const batches: number[] = [];
  let size = 1;
  for (let left = count; left > 0; left -= batches.at(-1) ?? left) {
    batches.push(Math.min(size, left));
    size = proven ? count : size * 2;
  }
  return batches;
}
