/**
 * The Job of one run of a CronJob: its name follows from the scheduled minute, so that the same run is never made twice.
 * Follows kubernetes pkg/controller/cronjob/utils.go (getJobFromTemplate2, getJobName).
 */
import type { Instant } from "../../base/clock.ts";
import { formatInZone, openZone } from "../../api/cron/zone.ts";
import type { CronJob, Job, JobCondition, ObjectReference } from "../../api/generated/types.ts";
import type { Stored } from "../../api/object.ts";
import { apiVersionOf, CRON_JOBS, JOBS } from "../../api/resource.ts";
import { zoneName } from "./timing.ts";

export type StoredCronJob = Stored<CronJob>;
export type StoredJob = Stored<Job>;

const SCHEDULED_TIMESTAMP = "batch.kubernetes.io/cronjob-scheduled-timestamp";

export const runName = (cronJob: StoredCronJob, scheduled: Instant): string => `${cronJob.metadata.name}-${Math.floor(scheduled / 60_000)}`;

export function jobOfRun(cronJob: StoredCronJob, scheduled: Instant): Job {
  const { jobTemplate } = cronJob.spec;
  const { name, uid, namespace } = cronJob.metadata;
  return {
    apiVersion: apiVersionOf(JOBS),
    kind: JOBS.kind,
    metadata: {
      name: runName(cronJob, scheduled),
      ...(namespace !== undefined && { namespace }),
      ...(jobTemplate.metadata?.labels && { labels: jobTemplate.metadata.labels }),
      annotations: { ...jobTemplate.metadata?.annotations, [SCHEDULED_TIMESTAMP]: formatInZone(openZone(zoneName(cronJob)), scheduled) },
      ownerReferences: [{ apiVersion: apiVersionOf(CRON_JOBS), kind: CRON_JOBS.kind, name, uid, controller: true, blockOwnerDeletion: true }],
    },
    spec: jobTemplate.spec ?? { template: { spec: { containers: [] } } },
  };
}

/** How the status lists a Job. */
export const referenceTo = ({ metadata: { name, namespace, uid, resourceVersion } }: StoredJob): ObjectReference => ({
  kind: JOBS.kind,
  ...(namespace !== undefined && { namespace }),
  name,
  uid,
  apiVersion: apiVersionOf(JOBS),
  resourceVersion,
});

/** Complete or Failed, if one of them is True. */
export const finishedCondition = ({ status }: StoredJob): JobCondition | undefined =>
  status?.conditions?.find((c) => (c.type === "Complete" || c.type === "Failed") && c.status === "True");
