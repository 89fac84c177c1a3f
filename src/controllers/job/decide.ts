/**
 * The decision about a Job's pods in one sync: which go, which come, when to look again. Pure: the world in, a decision out.
 * What follows from the outcome (counters, conditions, finalizers) is decided by `settle` and `conclude`.
 * Follows kubernetes pkg/controller/job/job_controller.go (syncJob, manageJob).
 */
import type { Instant } from "../../base/clock.ts";
import type { JobCondition, Pod } from "../../api/generated/types.ts";
import { formatTime } from "../../api/time.ts";
import { nextBackoffRecord, remainingBackoff, remainingIndexBackoff, type BackoffRecord } from "./backoff.ts";
import { deadlineAt } from "./deadline.ts";
import { findEnd } from "./end.ts";
import { pendingIndexes } from "./indexed-pods.ts";
import { hasBackoffLimitPerIndex, isSuspended, PODS_PER_SYNC_MAX, replacesOnlyFailed, type StoredPod } from "./names.ts";
import { boundRemoval, podsToRemove, slowStart, wantedActive } from "./scale.ts";
import { tallyPods, type IndexTally, type Tally } from "./tally.ts";
import { podFactory } from "./template.ts";
import type { JobAction, JobWorld, SyncAction } from "./world.ts";

export interface JobDecision {
  readonly tally: Tally;
  /** Set in this sync for the first time where the Job has none. */
  readonly startTime: string | undefined;
  readonly backoff: BackoffRecord;
  /** Why the Job is over. */
  readonly end: JobCondition | undefined;
  /** Batches of actions, one after the other; the actions of a batch side by side. Where a creation fails, later batches are dropped. */
  readonly batches: readonly (readonly JobAction[])[];
  /** The number of pods was looked after: only then may the Suspended condition change. */
  readonly managed: boolean;
  readonly action: SyncAction;
  readonly recheckAt: Instant | undefined;
}

interface Scaling {
  readonly batches: JobDecision["batches"];
  readonly action: SyncAction;
  readonly recheckAt?: Instant | undefined;
}

const NOTHING: Scaling = { batches: [], action: "tracking" };

function deletion({ job }: JobWorld, pods: readonly StoredPod[], letGo: boolean): JobDecision["batches"] {
  return pods.length === 0 ? [] : [pods.map((pod) => ({ kind: "deletePod", job, pod, letGo }) as const)];
}

function creation({ job, proven }: JobWorld, pods: readonly Pod[]): Scaling {
  let next = 0;
  const batches = slowStart(pods.length, proven).map((size) => pods.slice(next, (next += size)).map((pod) => ({ kind: "createPod", job, pod }) as const));
  return { batches, action: "pods_created" };
}

/** The pods that are missing from an Indexed Job; those whose index still waits are left for later. */
function createIndexed(world: JobWorld, tally: Tally, index: IndexTally, count: number): Scaling {
  const { job, now } = world;
  const pending = pendingIndexes(job, world.pods, tally.active, index, count, index.completions);
  const waits = new Map(pending.map((i) => [i, remainingIndexBackoff(index.delayed.get(i), now)]));
  const due = pending.filter((i) => waits.get(i) === 0);
  const waiting = [...waits.values()].filter((ms) => ms > 0);
  const make = podFactory(job);
  const recheckAt = waiting.length > 0 ? now + Math.min(...waiting) : undefined;
  return { ...creation(world, due.map((i) => make(i, index.delayed.get(i)))), recheckAt };
}

function create(world: JobWorld, tally: Tally, backoff: BackoffRecord, missing: number): Scaling {
  const { job, now } = world;
  const wait = hasBackoffLimitPerIndex(job) ? 0 : remainingBackoff(backoff, now);
  if (wait > 0) return { batches: [], action: "pods_created", recheckAt: now + wait };
  const count = Math.min(missing, PODS_PER_SYNC_MAX);
  if (tally.index) return createIndexed(world, tally, tally.index, count);
  const make = podFactory(job);
  return creation(world, Array.from({ length: count }, () => make()));
}

/** Too many pods, or too few: never both in one sync, and removal comes first. */
function scale(world: JobWorld, tally: Tally, backoff: BackoffRecord): Scaling {
  const { job } = world;
  const active = tally.active.length;
  if (isSuspended(job)) return { batches: deletion(world, tally.active, true), action: "pods_deleted" };
  const wanted = wantedActive(job, tally.succeeded, active);
  const surplus = boundRemoval(podsToRemove(job, tally.active, Math.max(0, active - wanted)));
  if (surplus.length > 0) return { batches: deletion(world, surplus, true), action: "pods_deleted" };
  const missing = wanted - active - (replacesOnlyFailed(job) ? tally.terminating : 0);
  return missing > 0 ? create(world, tally, backoff, missing) : NOTHING;
}

const earliest = (...instants: readonly (Instant | undefined)[]): Instant | undefined => {
  const known = instants.filter((at) => at !== undefined);
  return known.length > 0 ? Math.min(...known) : undefined;
};

/** Decides about the pods of a Job that is not finished. */
export function decideJob(world: JobWorld): JobDecision {
  const { job, now } = world;
  const tally = tallyPods(world);
  const startTime = job.status?.startTime ?? (isSuspended(job) ? undefined : formatTime(now));
  const backoff = nextBackoffRecord(world.backoff, tally.newSucceeded, tally.newFailed, world.spreadMs);
  const end = findEnd(world, tally, startTime);
  const known = { tally, startTime, backoff, end };
  // With an end in sight all pods go, but keep their finalizers: they are to be counted.
  if (end) return { ...known, batches: deletion(world, tally.active, false), managed: false, action: "reconciling", recheckAt: undefined };

  const deadline = deadlineAt(job, startTime);
  const managed = world.caughtUp && job.metadata.deletionTimestamp === undefined;
  if (!managed) return { ...known, batches: [], managed, action: "reconciling", recheckAt: deadline };
  const { batches, action, recheckAt } = scale(world, tally, backoff);
  return { ...known, batches, managed, action, recheckAt: earliest(recheckAt, deadline) };
}
