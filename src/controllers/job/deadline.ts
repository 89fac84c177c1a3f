/**
 * activeDeadlineSeconds: how long a Job may be active, counted from startTime; the clock stands still while it is suspended.
 * Follows kubernetes pkg/controller/job/job_controller.go (pastActiveDeadline).
 */
import type { Instant } from "../../base/clock.ts";
import type { Job } from "../../api/generated/types.ts";
import { parseTime } from "../../api/time.ts";
import { isSuspended } from "./names.ts";

/** When the deadline strikes; undefined when none runs. */
export function deadlineAt(job: Pick<Job, "spec">, startTime: string | undefined): Instant | undefined {
  const { activeDeadlineSeconds } = job.spec;
  const start = parseTime(startTime);
  if (typeof activeDeadlineSeconds !== "number" || start === undefined || isSuspended(job)) return undefined;
  return start + activeDeadlineSeconds * 1000;
}
