/**
 * When a finished Job is to be deleted. Pure.
 * Follows kubernetes pkg/controller/ttlafterfinished/ttlafterfinished_controller.go.
 */
import type { Instant } from "../../base/clock.ts";
import type { Job } from "../../api/generated/types.ts";
import type { Stored } from "../../api/object.ts";
import { parseTime } from "../../api/time.ts";

export type TtlAction = { readonly kind: "keep" } | { readonly kind: "recheck"; readonly afterMs: number } | { readonly kind: "delete" };

/** When the Job finished: its Complete or Failed condition's last transition. */
function finishedAt(job: Stored<Job>): Instant | undefined {
  const end = job.status?.conditions?.find((c) => (c.type === "Complete" || c.type === "Failed") && c.status === "True");
  return parseTime(end?.lastTransitionTime);
}

export function decideTtl(job: Stored<Job>, now: Instant): TtlAction {
  const ttl = job.spec?.ttlSecondsAfterFinished;
  const finished = finishedAt(job);
  if (ttl === undefined || finished === undefined || job.metadata.deletionTimestamp !== undefined) return { kind: "keep" };
  const leftMs = finished + ttl * 1000 - now;
  return leftMs > 0 ? { kind: "recheck", afterMs: leftMs } : { kind: "delete" };
}
