/**
 * Which finished Jobs of a CronJob are too old to be kept: the oldest beyond each limit, successes and failures apart.
 * Follows kubernetes pkg/controller/cronjob/cronjob_controllerv2.go (cleanupFinishedJobs) and utils.go (byJobStartTime).
 */
import { parseTime } from "../../api/time.ts";
import { finishedCondition, type StoredCronJob, type StoredJob } from "./run.ts";

function oldestFirst(a: StoredJob, b: StoredJob): number {
  const [x, y] = [parseTime(a.status?.startTime), parseTime(b.status?.startTime)];
  // Without a start time: last.
  if (x !== y) return (x ?? Number.POSITIVE_INFINITY) - (y ?? Number.POSITIVE_INFINITY);
  return a.metadata.name < b.metadata.name ? -1 : 1;
}

export function expiredJobs({ spec }: StoredCronJob, jobs: readonly StoredJob[]): StoredJob[] {
  const beyond = (type: string, limit: number | undefined) => {
    if (typeof limit !== "number") return [];
    const finished = jobs.filter((job) => finishedCondition(job)?.type === type).sort(oldestFirst);
    return finished.slice(0, Math.max(0, finished.length - limit));
  };
  return [...beyond("Complete", spec.successfulJobsHistoryLimit), ...beyond("Failed", spec.failedJobsHistoryLimit)];
}
