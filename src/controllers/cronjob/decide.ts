/**
 * The decision about a CronJob in one sync: what its status says of its Jobs, whether a run begins now, and when to look again. Pure.
 * Follows kubernetes pkg/controller/cronjob/cronjob_controllerv2.go (syncCronJob).
 */
import type { Instant } from "../../base/clock.ts";
import { parseSchedule, type Schedule } from "../../api/cron/schedule.ts";
import { isKnownZone } from "../../api/cron/zone.ts";
import type { CronJobStatus, ObjectReference } from "../../api/generated/types.ts";
import { parseTime } from "../../api/time.ts";
import { finishedCondition, runName, type StoredCronJob, type StoredJob } from "./run.ts";
import { dueRun, recheckAt } from "./timing.ts";

export interface CronJobWorld {
  readonly cronJob: StoredCronJob;
  /** Jobs that it controls. */
  readonly jobs: readonly StoredJob[];
  readonly now: Instant;
  /** Uids of listed Jobs of which the server itself said that they are gone. */
  readonly missing: ReadonlySet<string>;
}

export interface CronJobEvent {
  readonly type: "Normal" | "Warning";
  readonly reason: string;
  readonly message: string;
}

export interface CronJobDecision {
  readonly status: CronJobStatus;
  readonly events: readonly CronJobEvent[];
  /** The run that begins now; `replace` are Jobs that have to go before. */
  readonly run: { readonly scheduled: Instant; readonly schedule: Schedule; readonly replace: readonly ObjectReference[] } | undefined;
  readonly recheckAt: Instant | undefined;
}

const normal = (reason: string, message: string): CronJobEvent => ({ type: "Normal", reason, message });
const warning = (reason: string, message: string): CronJobEvent => ({ type: "Warning", reason, message });

export const isListed = ({ status }: Pick<StoredCronJob, "status">, uid: string): boolean => status?.active?.some((ref) => ref.uid === uid) === true;

export const withoutActive = (status: CronJobStatus, gone: ReadonlySet<string>): CronJobStatus => {
  const { active = [], ...rest } = status;
  const left = active.filter((ref) => !gone.has(ref.uid ?? ""));
  return { ...rest, ...(left.length > 0 && { active: left }) };
};

/** Unfinished Jobs that the status does not list: the server has to be asked whether its status does. */
export const unexpectedJobs = ({ cronJob, jobs }: Pick<CronJobWorld, "cronJob" | "jobs">): StoredJob[] =>
  jobs.filter((job) => !finishedCondition(job) && !isListed(cronJob, job.metadata.uid));

/** Listed Jobs that are not in the cache: the server has to be asked whether they are there. */
export function absentJobs({ cronJob, jobs }: Pick<CronJobWorld, "cronJob" | "jobs">): readonly ObjectReference[] {
  const known = new Set(jobs.map((job) => job.metadata.uid));
  return (cronJob.status?.active ?? []).filter((ref) => !known.has(ref.uid ?? ""));
}

interface Followed {
  readonly status: CronJobStatus;
  readonly events: readonly CronJobEvent[];
}

/** Brings the status up to what became of the Jobs. */
function follow(world: CronJobWorld): Followed {
  const { cronJob, jobs, missing } = world;
  const events: CronJobEvent[] = [];
  const gone = new Set(missing);
  let { lastSuccessfulTime } = cronJob.status ?? {};
  for (const job of jobs) {
    const { uid, name } = job.metadata;
    const condition = finishedCondition(job);
    const listed = isListed(cronJob, uid);
    if (!condition && !listed) events.push(warning("UnexpectedJob", `Saw a job that the controller did not create or forgot: ${name}`));
    if (condition && listed) {
      gone.add(uid);
      events.push(normal("SawCompletedJob", `Saw completed job: ${name}, condition: ${condition.type}`));
    }
    const completed = condition?.type === "Complete" ? job.status?.completionTime : undefined;
    if (completed !== undefined && (parseTime(completed) ?? 0) > (parseTime(lastSuccessfulTime) ?? Number.NEGATIVE_INFINITY)) lastSuccessfulTime = completed;
  }
  for (const ref of absentJobs(world)) if (missing.has(ref.uid ?? "")) events.push(normal("MissingJob", `Active job went missing: ${ref.name ?? ""}`));
  return { status: { ...withoutActive(cronJob.status ?? {}, gone), ...(lastSuccessfulTime !== undefined && { lastSuccessfulTime }) }, events };
}

/** `Mon, 02 Jan 2006 15:04:05 +0000` */
const formatRfc1123 = (at: Instant): string => new Date(at).toUTCString().replace("GMT", "+0000");

/** Why nothing begins, or what does. `cronJob` carries the new status already. */
function plan(cronJob: StoredCronJob, now: Instant): Omit<CronJobDecision, "status"> {
  const { spec, status, metadata } = cronJob;
  const stop = (...events: CronJobEvent[]) => ({ events, run: undefined, recheckAt: undefined });
  if (metadata.deletionTimestamp !== undefined) return stop();
  if (spec.timeZone !== undefined && !isKnownZone(spec.timeZone)) return stop(warning("UnknownTimeZone", `invalid timeZone: ${JSON.stringify(spec.timeZone)}: unknown time zone ${spec.timeZone}`));
  if (spec.suspend === true) return stop();
  const unsupported = spec.schedule.includes("TZ")
    ? [warning("UnsupportedSchedule", `CRON_TZ or TZ used in schedule ${JSON.stringify(spec.schedule)} is not officially supported, see https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/ for more details`)]
    : [];
  const parsed = parseSchedule(spec.schedule);
  if ("error" in parsed) return stop(...unsupported, warning("UnparseableSchedule", `unparseable schedule: ${JSON.stringify(spec.schedule)} : ${parsed.error}`));
  const { schedule } = parsed;
  const due = dueRun(cronJob, now, schedule);
  if ("error" in due) return stop(...unsupported, warning("InvalidSchedule", `invalid schedule: ${spec.schedule} : ${due.error}`));
  const later = (...events: CronJobEvent[]) => ({ events: [...unsupported, ...events], run: undefined, recheckAt: recheckAt(cronJob, now, schedule) });
  if (due.at === undefined) return later();
  const { at } = due;
  const tooMany = due.tooMany ? [warning("TooManyMissedTimes", "too many missed start times. Set or decrease .spec.startingDeadlineSeconds or check clock skew")] : [];
  const { startingDeadlineSeconds: deadline } = spec;
  if (typeof deadline === "number" && at + deadline * 1000 < now) return later(...tooMany, warning("MissSchedule", `Missed scheduled time to start a job: ${formatRfc1123(at)}`));
  const active = status?.active ?? [];
  const begun = active.some((ref) => ref.name === runName(cronJob, at) && ref.namespace === metadata.namespace) || parseTime(status?.lastScheduleTime) === at;
  if (begun) return later(...tooMany);
  if (spec.concurrencyPolicy === "Forbid" && active.length > 0) {
    return later(...tooMany, normal("JobAlreadyActive", "Not starting job because prior execution is running and concurrency policy is Forbid"));
  }
  return { events: [...unsupported, ...tooMany], run: { scheduled: at, schedule, replace: spec.concurrencyPolicy === "Replace" ? active : [] }, recheckAt: undefined };
}

/** Decides about a CronJob after its history was cleaned up and the server was asked about Jobs that are unexpected or absent. */
export function decideCronJob(world: CronJobWorld): CronJobDecision {
  const { status, events } = follow(world);
  const next = plan({ ...world.cronJob, status }, world.now);
  return { ...next, status, events: [...events, ...next.events] };
}
