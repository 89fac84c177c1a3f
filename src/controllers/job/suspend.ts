/**
 * The Suspended condition: True while the Job is suspended, False once it was resumed, absent if it never was suspended.
 * startTime is cleared on suspension and set anew on resumption, so that the deadline counts active time only.
 * Follows kubernetes pkg/controller/job/job_controller.go (syncJob).
 */
import type { Instant } from "../../base/clock.ts";
import type { JobStatus } from "../../api/generated/types.ts";
import { formatTime } from "../../api/time.ts";
import { newCondition, withCondition } from "./conditions.ts";
import { isSuspended, type JobEvent, type StoredJob } from "./names.ts";

/** The status after a look at spec.suspend; the event is there only when the condition changed. */
export function trackSuspension(job: StoredJob, status: JobStatus, now: Instant): { readonly status: JobStatus; readonly event?: JobEvent } {
  const suspended = isSuspended(job);
  const [reason, message] = suspended ? ["JobSuspended", "Job suspended"] : ["JobResumed", "Job resumed"];
  const before = status.conditions ?? [];
  const conditions = withCondition(before, newCondition("Suspended", suspended ? "True" : "False", reason, message, now));
  if (conditions === before) return { status };
  const { startTime: _, ...rest } = status;
  if (suspended) return { status: { ...rest, conditions }, event: { type: "Normal", reason: "Suspended", message } };
  return { status: { ...rest, conditions, startTime: formatTime(now) }, event: { type: "Normal", reason: "Resumed", message } };
}
