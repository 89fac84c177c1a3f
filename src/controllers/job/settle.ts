/**
 * What a sync makes of the Job's status once the pods were looked after: `settle` gives the status to store before finalizers are removed,
 * `conclude` the status after it, with the terminal condition when nothing is left to wait for. Pure.
 * Follows kubernetes pkg/controller/job/job_controller.go (syncJob, trackJobStatusAndRemoveFinalizers, enactJobFinished, recordJobFinished).
 */
import type { Instant } from "../../base/clock.ts";
import type { JobCondition, JobStatus } from "../../api/generated/types.ts";
import { formatTime } from "../../api/time.ts";
import { newCondition, withCondition } from "./conditions.ts";
import { countReleased, trackPods, uncountedOf, withUncounted, type Tracking } from "./counting.ts";
import type { JobDecision } from "./decide.ts";
import { countIndexes, formatIndexes } from "./indexes.ts";
import { completionsOf, REASON, type JobEvent, type StoredJob, type StoredPod } from "./names.ts";
import { isReady, isTracked } from "./pods.ts";
import { trackSuspension } from "./suspend.ts";
import type { IndexTally } from "./tally.ts";
import type { JobWorld } from "./world.ts";

/** What became of the actions of a decision. */
export interface Outcome {
  /** Pods that were deleted, or were gone already. */
  readonly deleted: readonly StoredPod[];
  readonly created: number;
}

export interface Settlement {
  /** To be stored before finalizers go; equal to the Job's when `flush` is false. */
  readonly status: JobStatus;
  readonly flush: boolean;
  /** To be recorded at once. */
  readonly events: readonly JobEvent[];
  /** Pods whose finalizer is to be removed after the status is stored. */
  readonly release: Tracking["release"];
  /** Uids of pods that carry the finalizer. */
  readonly tracked: ReadonlySet<string>;
  /** Complete or Failed, to be set as soon as nothing is left to wait for. */
  readonly terminal: JobCondition | undefined;
  /** One sync was not enough for all pods: the Job cannot be finished in this one. */
  readonly full: boolean;
  readonly policyActions: Tracking["policyActions"];
}

export interface Conclusion {
  readonly status: JobStatus;
  readonly flush: boolean;
  /** The condition that finished the Job in this sync. */
  readonly finished: JobCondition | undefined;
  /** To be recorded after the status is stored. */
  readonly events: readonly JobEvent[];
}

interface Counters {
  readonly active: number;
  readonly ready: number;
  readonly terminating: number;
}

function countersAfter({ tally }: JobDecision, { deleted, created }: Outcome): Counters {
  return {
    active: tally.active.length - deleted.length + created,
    ready: tally.ready - deleted.filter(isReady).length,
    terminating: tally.terminating + deleted.length,
  };
}

/** The end that holds after the actions: not while a pod could not be deleted or was not seen yet; or the completion that was reached. */
function endAfter(world: JobWorld, { end, tally }: JobDecision, { deleted }: Outcome, active: number): JobCondition | undefined {
  if (end) return deleted.length === tally.active.length && world.caughtUp ? end : undefined;
  if (active > 0) return undefined;
  const completions = completionsOf(world.job);
  // A work queue is done after its first success; else the number of completions decides.
  const complete = completions === undefined ? tally.succeeded > 0 : tally.succeeded >= completions;
  return complete ? newCondition("SuccessCriteriaMet", "True", REASON.completionsReached, "Reached expected number of succeeded pods", world.now) : undefined;
}

const withCounters = (status: JobStatus, { active, ready, terminating }: Counters): JobStatus => {
  const { active: _, ...rest } = status;
  return { ...rest, ...(active > 0 && { active }), ready, terminating };
};

/** An Indexed Job's counters come from its lists of indexes; succeeded may fall when completions are lowered. */
function withIndexes(status: JobStatus, { succeeded, failed }: IndexTally): JobStatus {
  const { completedIndexes: _, failedIndexes: __, succeeded: ___, ...rest } = status;
  const count = countIndexes(succeeded);
  return {
    ...rest,
    ...(count > 0 && { succeeded: count, completedIndexes: formatIndexes(succeeded) }),
    ...(failed && { failedIndexes: formatIndexes(failed) }),
  };
}

/** The condition that tells of the coming end is stored first, while pods still carry their finalizers. */
function announce(status: JobStatus, end: JobCondition | undefined, now: Instant): { readonly status: JobStatus; readonly terminal: JobCondition | undefined } {
  if (!end) return { status, terminal: undefined };
  if (end.type === "Failed") return { status, terminal: end };
  const before = status.conditions ?? [];
  const conditions = before.some((c) => c.type === end.type && c.status === "True") ? before : withCondition(before, end);
  const type = end.type === "FailureTarget" ? "Failed" : "Complete";
  return { status: conditions === before ? status : { ...status, conditions }, terminal: newCondition(type, "True", end.reason ?? "", end.message ?? "", now) };
}

const changed = (a: JobStatus, b: JobStatus, fields: readonly (keyof JobStatus)[]): boolean => fields.some((field) => a[field] !== b[field]);

function without(pods: readonly StoredPod[], gone: readonly StoredPod[]): readonly StoredPod[] {
  if (gone.length === 0) return pods;
  const uids = new Set(gone.map((pod) => pod.metadata.uid));
  return pods.filter((pod) => !uids.has(pod.metadata.uid));
}

const trackedUids = ({ pods, releasing }: JobWorld): Set<string> => new Set(pods.filter((pod) => isTracked(pod) && !releasing.has(pod.metadata.uid)).map((pod) => pod.metadata.uid));

/** The status to store first, and the pods to let go after it. */
export function settle(world: JobWorld, decision: JobDecision, outcome: Outcome): Settlement {
  const { job, now } = world;
  const { index } = decision.tally;
  const old: JobStatus = job.status ?? {};
  const counters = countersAfter(decision, outcome);
  const end = endAfter(world, decision, outcome, counters.active);
  const started: JobStatus = decision.startTime === undefined ? old : { ...old, startTime: decision.startTime };
  const suspension = !end && !decision.end && decision.managed ? trackSuspension(job, started, now) : { status: started };
  const counted = countReleased(withCounters(suspension.status, counters), trackedUids(world));
  // Pods that were let go before their deletion are done with.
  const left = decision.end ? world : { ...world, pods: without(world.pods, outcome.deleted) };
  const tracking = trackPods(left, end, index, uncountedOf(counted));
  const listed = withUncounted(counted, tracking.uncounted);
  const { status, terminal } = announce(index ? withIndexes(listed, index) : listed, end, now);
  const moved = uncountedOf(old).succeeded.length !== uncountedOf(counted).succeeded.length || uncountedOf(old).failed.length !== uncountedOf(counted).failed.length;
  return {
    status,
    // A start time alone is not worth a write: it comes with the first counter.
    flush: suspension.event !== undefined || moved || tracking.added || status.conditions !== old.conditions || changed(old, status, ["active", "ready", "terminating", "completedIndexes", "failedIndexes"]),
    events: suspension.event ? [suspension.event] : [],
    release: tracking.release,
    tracked: trackedUids(world),
    terminal,
    full: tracking.full,
    policyActions: tracking.policyActions,
  };
}

function finishEvents(job: StoredJob, status: JobStatus, { type, reason = "", message = "" }: JobCondition): JobEvent[] {
  if (type === "Failed") return [{ type: "Warning", reason, message }];
  const completions = completionsOf(job);
  const tooMany = completions !== undefined && (status.succeeded ?? 0) > completions;
  const completed: JobEvent = { type: "Normal", reason: "Completed", message: "Job completed" };
  return tooMany ? [{ type: "Warning", reason: "TooManySucceededPods", message: "Too many succeeded pods running after completion count reached" }, completed] : [completed];
}

/** The status after finalizers were removed from the pods with these uids. `job` is the Job as it was stored before. */
export function conclude(job: StoredJob, { tracked, terminal, full }: Settlement, released: ReadonlySet<string>, now: Instant): Conclusion {
  const before: JobStatus = job.status ?? {};
  const status = countReleased(before, new Set([...tracked].filter((uid) => !released.has(uid))));
  const left = uncountedOf(status);
  const waits = full || left.succeeded.length + left.failed.length > 0 || (status.terminating ?? 0) > 0;
  if (!terminal || waits) return { status, flush: status !== before, finished: undefined, events: [] };
  const condition = newCondition(terminal.type === "Complete" ? "Complete" : "Failed", "True", terminal.reason ?? "", terminal.message ?? "", now);
  // Suspension cleared the start, and a finished Job has to have one. (Upstream's update is refused there, and the Job never ends.)
  const startless = status.startTime === undefined && completionsOf(job) !== 0;
  const finished: JobStatus = {
    ...status,
    ...(startless && { startTime: formatTime(now) }),
    conditions: withCondition(status.conditions ?? [], condition),
    ...(condition.type === "Complete" && condition.lastTransitionTime !== undefined && { completionTime: condition.lastTransitionTime }),
  };
  return { status: finished, flush: true, finished: condition, events: finishEvents(job, finished, condition) };
}
