/**
 * Defaults of Jobs and CronJobs. A CronJob's jobTemplate gets those of the PodSpec only, not those of a Job.
 * Follows kubernetes pkg/apis/batch/v1/defaults.go.
 */
import type { CronJob, Job } from "../../generated/types.ts";
import { defaultPodTemplate } from "../pod/defaults.ts";
import type { Draft } from "../kind.ts";

const INT32_MAX = 2 ** 31 - 1;

export function defaultJob(job: Draft<Job>): void {
  job.spec ??= { template: {} };
  const { spec } = job;
  spec.template ??= {};
  // For a non-parallel Job leave both out; with completions alone, parallelism is 1; with parallelism alone it is a work queue.
  if (spec.completions === undefined && spec.parallelism === undefined) spec.completions = 1;
  spec.parallelism ??= 1;
  spec.backoffLimit ??= spec.backoffLimitPerIndex === undefined ? 6 : INT32_MAX;
  // The very same map: what a new Job's selector needs of the template's labels comes to stand on the Job too, as upstream has it.
  const labels = spec.template.metadata?.labels;
  if (labels && Object.keys(labels).length > 0 && Object.keys(job.metadata.labels ?? {}).length === 0) job.metadata.labels = labels;
  spec.completionMode ??= "NonIndexed";
  spec.suspend ??= false;
  spec.podReplacementPolicy ??= spec.podFailurePolicy ? "Failed" : "TerminatingOrFailed";
  spec.manualSelector ??= false;
  for (const rule of spec.podFailurePolicy?.rules ?? []) for (const pattern of rule.onPodConditions ?? []) pattern.status ||= "True";
  defaultPodTemplate(spec.template);
}

export function defaultCronJob(cronJob: Draft<CronJob>): void {
  cronJob.spec ??= { schedule: "", jobTemplate: {} };
  const { spec } = cronJob;
  spec.concurrencyPolicy ||= "Allow";
  spec.suspend ??= false;
  spec.successfulJobsHistoryLimit ??= 3;
  spec.failedJobsHistoryLimit ??= 1;
  spec.jobTemplate ??= {};
  spec.jobTemplate.spec ??= { template: {} };
  spec.jobTemplate.spec.template ??= {};
  defaultPodTemplate(spec.jobTemplate.spec.template);
  for (const rule of spec.jobTemplate.spec.podFailurePolicy?.rules ?? []) for (const pattern of rule.onPodConditions ?? []) pattern.status ||= "True";
}
