/**
 * Which run of a CronJob is due, and when to look again. Only the latest missed run counts.
 * Follows kubernetes pkg/controller/cronjob/utils.go (mostRecentScheduleTime, nextScheduleTime, nextScheduleTimeDuration).
 */
import type { Instant } from "../../base/clock.ts";
import { nextTime } from "../../api/cron/next.ts";
import type { Schedule } from "../../api/cron/schedule.ts";
import type { CronJob } from "../../api/generated/types.ts";
import { parseTime } from "../../api/time.ts";

/** The controller looks this much after the full minute. */
const NEXT_DELTA_MS = 100;
const MANY_MISSED = 100;

/** Without a zone the process's own counts. */
export const zoneName = ({ spec }: CronJob): string => spec.timeZone ?? "Local";

export interface Due {
  /** The latest run that should have begun by now; undefined when none was missed. */
  readonly at: Instant | undefined;
  /** More than a hundred runs were missed. */
  readonly tooMany: boolean;
}

interface Recent extends Due {
  readonly earliest: Instant;
  readonly missed: boolean;
}

/** A schedule whose runs would come at one and the same moment, or never: February 31. */
const IMPOSSIBLE = "time difference between two schedules is less than 1 second";

function mostRecent(cronJob: CronJob, now: Instant, schedule: Schedule, withDeadline: boolean): Recent | { readonly error: string } {
  const { startingDeadlineSeconds: deadline } = cronJob.spec;
  const next = (after: Instant) => nextTime(schedule, after, zoneName(cronJob));
  const known = parseTime(cronJob.status?.lastScheduleTime) ?? parseTime(cronJob.metadata.creationTimestamp) ?? now;
  const earliest = withDeadline && typeof deadline === "number" ? Math.max(known, now - deadline * 1000) : known;
  const first = next(earliest);
  const second = first === undefined ? undefined : next(first);
  if (first === undefined || second === undefined) return { error: IMPOSSIBLE };
  if (now < first) return { at: undefined, tooMany: false, missed: false, earliest };
  if (now < second) return { at: first, tooMany: false, missed: false, earliest };
  const intervalSeconds = Math.round((second - first) / 1000);
  if (intervalSeconds < 1) return { error: IMPOSSIBLE };
  // An estimate: schedules need not be regular. One interval is taken back so that the search cannot begin too late.
  const count = Math.floor((now - first) / 1000 / intervalSeconds) + 1;
  let at: Instant | undefined;
  for (let t = next(first + (count - 2) * intervalSeconds * 1000); t !== undefined && t <= now; t = next(t)) at = t;
  return { at, tooMany: count > MANY_MISSED, missed: true, earliest };
}

/** The run that is due. */
export function dueRun(cronJob: CronJob, now: Instant, schedule: Schedule): Due | { readonly error: string } {
  return mostRecent(cronJob, now, schedule, true);
}

/** When to look again: a little after the next run. */
export function recheckAt(cronJob: CronJob, now: Instant, schedule: Schedule): Instant | undefined {
  const recent = mostRecent(cronJob, now, schedule, false);
  const from = "error" in recent ? now : (recent.at ?? (recent.missed ? now : recent.earliest));
  const next = nextTime(schedule, from, zoneName(cronJob));
  return next === undefined ? undefined : next + NEXT_DELTA_MS;
}
