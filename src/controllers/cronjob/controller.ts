/**
 * The CronJob controller's driver: cleans up history, asks the server where its cache may be behind, carries the decision out, stores the status.
 * Follows kubernetes pkg/controller/cronjob/cronjob_controllerv2.go.
 */
import { WorkQueue } from "../../base/work-queue.ts";
import { parseSchedule } from "../../api/cron/schedule.ts";
import type { CronJob, CronJobStatus, Job, ObjectReference } from "../../api/generated/types.ts";
import { controllerOf, keyOf } from "../../api/object.ts";
import { CRON_JOBS, JOBS } from "../../api/resource.ts";
import { isAlreadyExists, isNotFound } from "../../api/status-error.ts";
import { formatTime, parseTime } from "../../api/time.ts";
import type { Informer } from "../../client/informer.ts";
import type { Controller, ControllerContext, ReconcileResult } from "../framework/controller.ts";
import { absentJobs, decideCronJob, isListed, unexpectedJobs, withoutActive, type CronJobDecision, type CronJobEvent } from "./decide.ts";
import { expiredJobs } from "./history.ts";
import { jobOfRun, referenceTo, type StoredCronJob, type StoredJob } from "./run.ts";
import { recheckAt } from "./timing.ts";

const WORKERS = 5;
const NOT_SYNCED_MS = 50;
const INDEX = "cronjob";
/** Seconds between the scheduled time and the creation of the Job; name without the prefix `cronjob_controller_`. */
export const CREATION_SKEW_METRIC = "job_creation_skew_duration_seconds";
/** Its upper bounds: 1 s to 512 s, doubling. */
export const CREATION_SKEW_BUCKETS: readonly number[] = Array.from({ length: 10 }, (_, i) => 2 ** i);

export interface CronJobControllerOptions {
  readonly metrics?: { observe(name: string, labels: Readonly<Record<string, string>>, value: number): void };
}

/** What a sync has come to so far. */
interface Progress {
  readonly cronJob: StoredCronJob;
  readonly recheckAt?: number | undefined;
  readonly error?: unknown;
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** Jobs under the CronJob that controls them: by name, as upstream finds them. */
const controllingCronJob = (job: StoredJob): readonly string[] => {
  const owner = controllerOf(job);
  return owner ? [`${job.metadata.namespace ?? ""}/${owner.name}`] : [];
};

/** Makes the controller. */
export function openCronJobController(context: ControllerContext, options: CronJobControllerOptions = {}): Controller {
  return new CronJobController(context, options).controller();
}

class CronJobController {
  readonly #context: ControllerContext;
  readonly #metrics: CronJobControllerOptions["metrics"];
  readonly #cronJobs: Informer<CronJob>;
  readonly #jobs: Informer<Job>;
  readonly #queue: WorkQueue;
  /** CronJobs as they were stored last, by the version that was replaced: for a cache that is behind. */
  readonly #written = new Map<string, { readonly replaced: string; readonly cronJob: StoredCronJob }>();

  constructor(context: ControllerContext, { metrics }: CronJobControllerOptions) {
    this.#context = context;
    this.#metrics = metrics;
    this.#cronJobs = context.informers.of(CRON_JOBS);
    this.#jobs = context.informers.of(JOBS, { [INDEX]: controllingCronJob });
    this.#queue = new WorkQueue({ clock: context.clock });
  }

  controller(): Controller {
    this.#cronJobs.on({
      onSet: (cronJob, old) => this.#changed(cronJob, old),
      onDelete: (cronJob) => void this.#written.delete(cronJob.metadata.uid),
    });
    this.#jobs.on({
      onSet: (job, old) => {
        if (old && controllerOf(old)?.uid !== controllerOf(job)?.uid) this.#wakeOwner(old);
        this.#wakeOwner(job);
      },
      onDelete: (job) => this.#wakeOwner(job),
    });
    return { name: "cronjob", queue: this.#queue, workers: WORKERS, reconcile: (key) => this.#reconcile(key), logger: this.#context.logger };
  }

  #record(cronJob: StoredCronJob, { type, reason, message }: CronJobEvent): void {
    this.#context.recorder.event(CRON_JOBS, cronJob, type, reason, message);
  }

  /** A new schedule is looked at when it comes next; all other changes now. */
  #changed(cronJob: StoredCronJob, old: StoredCronJob | undefined): void {
    const key = keyOf(cronJob);
    if (!old || (old.spec.schedule === cronJob.spec.schedule && old.spec.timeZone === cronJob.spec.timeZone)) return this.#queue.add(key);
    const parsed = parseSchedule(cronJob.spec.schedule);
    if ("error" in parsed) {
      return this.#record(cronJob, { type: "Warning", reason: "UnParseableCronJobSchedule", message: `unparseable schedule for cronjob: ${cronJob.spec.schedule}` });
    }
    const { clock } = this.#context;
    this.#queue.addAfter(key, (recheckAt(cronJob, clock.now(), parsed.schedule) ?? clock.now()) - clock.now());
  }

  #wakeOwner(job: StoredJob): void {
    const owner = controllerOf(job);
    if (owner?.kind !== CRON_JOBS.kind) return;
    const key = `${job.metadata.namespace ?? ""}/${owner.name}`;
    if (this.#cronJobs.get(key)?.metadata.uid === owner.uid) this.#queue.add(key);
  }

  #newest(cached: StoredCronJob): StoredCronJob {
    const { uid, resourceVersion } = cached.metadata;
    const written = this.#written.get(uid);
    if (written?.replaced === resourceVersion) return written.cronJob;
    this.#written.delete(uid);
    return cached;
  }

  async #reconcile(key: string): Promise<ReconcileResult | void> {
    if (!this.#cronJobs.hasSynced || !this.#jobs.hasSynced) return { requeueAfterMs: NOT_SYNCED_MS };
    const cached = this.#cronJobs.get(key);
    if (!cached) return;
    const before = this.#newest(cached);
    const jobs = this.#jobs.byIndex(INDEX, key);
    const cleaned = await this.#cleanUp(before, jobs);
    const done = await this.#sync(cleaned, jobs);
    if (done.cronJob.status !== before.status) await this.#store(done.cronJob);
    if (done.recheckAt !== undefined) return { requeueAfterMs: Math.max(1, done.recheckAt - this.#context.clock.now()) };
    if (done.error !== undefined) throw done.error;
  }

  async #store(cronJob: StoredCronJob): Promise<void> {
    const stored = await this.#context.client.updateStatus(CRON_JOBS, cronJob);
    this.#written.set(cronJob.metadata.uid, { replaced: cronJob.metadata.resourceVersion, cronJob: stored });
  }

  /** Deletes what is beyond the history's limits. */
  async #cleanUp(cronJob: StoredCronJob, jobs: readonly StoredJob[]): Promise<StoredCronJob> {
    let current = cronJob;
    for (const job of expiredJobs(cronJob, jobs)) current = (await this.#delete(current, job)) ?? current;
    return current;
  }

  /** Deletes a Job with its pods; gives the CronJob that does not list it any more, or undefined when it could not be deleted. */
  async #delete(cronJob: StoredCronJob, { metadata: { name, namespace = "", uid } }: StoredJob): Promise<StoredCronJob | undefined> {
    try {
      await this.#context.client.delete(JOBS, { namespace, name }, { propagationPolicy: "Background" });
    } catch (error) {
      this.#record(cronJob, { type: "Warning", reason: "FailedDelete", message: `Deleted job: ${messageOf(error)}` });
      return undefined;
    }
    this.#record(cronJob, { type: "Normal", reason: "SuccessfulDelete", message: `Deleted job ${name}` });
    return isListed(cronJob, uid) ? { ...cronJob, status: withoutActive(cronJob.status ?? {}, new Set([uid])) } : cronJob;
  }

  async #sync(cleaned: StoredCronJob, jobs: readonly StoredJob[]): Promise<Progress> {
    const { clock } = this.#context;
    let cronJob = cleaned;
    try {
      cronJob = await this.#confirm(cleaned, jobs);
      const missing = await this.#confirmMissing(cronJob, jobs);
      const decision = decideCronJob({ cronJob, jobs, now: clock.now(), missing });
      for (const event of decision.events) this.#record(cronJob, event);
      if (!sameStatus(decision.status, cronJob.status)) cronJob = { ...cronJob, status: decision.status };
      if (!decision.run) return { cronJob, recheckAt: decision.recheckAt };
      return await this.#begin(cronJob, decision.run);
    } catch (error) {
      return { cronJob, error };
    }
  }

  /** The server's own CronJob, if it lists a Job that the cached one does not know of. */
  async #confirm(cronJob: StoredCronJob, jobs: readonly StoredJob[]): Promise<StoredCronJob> {
    const unexpected = unexpectedJobs({ cronJob, jobs });
    if (unexpected.length === 0) return cronJob;
    const { name, namespace = "" } = cronJob.metadata;
    const fresh = await this.#context.client.get(CRON_JOBS, { namespace, name });
    return unexpected.some((job) => isListed(fresh, job.metadata.uid)) ? fresh : cronJob;
  }

  async #confirmMissing(cronJob: StoredCronJob, jobs: readonly StoredJob[]): Promise<ReadonlySet<string>> {
    const missing = new Set<string>();
    for (const ref of absentJobs({ cronJob, jobs })) {
      try {
        await this.#get(ref);
      } catch (error) {
        if (!isNotFound(error)) throw error;
        missing.add(ref.uid ?? "");
      }
    }
    return missing;
  }

  #get({ namespace = "", name = "" }: ObjectReference): Promise<StoredJob> {
    return this.#context.client.get(JOBS, { namespace, name });
  }

  /** Replaces what has to go, then makes the run's Job. What is done already stays done when a later step fails. */
  async #begin(cronJob: StoredCronJob, { scheduled, replace, schedule }: NonNullable<CronJobDecision["run"]>): Promise<Progress> {
    let current = cronJob;
    for (const ref of replace) {
      try {
        const left = await this.#delete(current, await this.#get(ref));
        if (!left) return { cronJob: current, error: new Error(`could not replace job ${ref.namespace ?? ""}/${ref.name ?? ""}`) };
        current = left;
      } catch (error) {
        this.#record(current, { type: "Warning", reason: "FailedGet", message: `Get job: ${messageOf(error)}` });
        return { cronJob: current, error };
      }
    }
    try {
      const job = await this.#create(current, scheduled);
      if (!job) return { cronJob: current };
      const status: CronJobStatus = { ...current.status, active: [...(current.status?.active ?? []), referenceTo(job)], lastScheduleTime: formatTime(scheduled) };
      const begun = { ...current, status };
      return { cronJob: begun, recheckAt: recheckAt(begun, this.#context.clock.now(), schedule) };
    } catch (error) {
      return { cronJob: current, error };
    }
  }

  /** The run's Job, new or from an earlier try; undefined when somebody else's Job has the name, or the run is listed already. */
  async #create(cronJob: StoredCronJob, scheduled: number): Promise<StoredJob | undefined> {
    const { client } = this.#context;
    const { namespace = "", uid } = cronJob.metadata;
    const wanted = jobOfRun(cronJob, scheduled);
    try {
      const job = await client.create(JOBS, namespace, wanted);
      this.#metrics?.observe(CREATION_SKEW_METRIC, {}, ((parseTime(job.metadata.creationTimestamp) ?? scheduled) - scheduled) / 1000);
      this.#record(cronJob, { type: "Normal", reason: "SuccessfulCreate", message: `Created job ${job.metadata.name}` });
      return job;
    } catch (error) {
      if (isAlreadyExists(error)) {
        const job = await this.#get({ namespace, name: wanted.metadata.name ?? "" });
        return controllerOf(job)?.uid === uid && !isListed(cronJob, job.metadata.uid) ? job : undefined;
      }
      if (!isNamespaceTerminating(error)) this.#record(cronJob, { type: "Warning", reason: "FailedCreate", message: `Error creating job: ${messageOf(error)}` });
      throw error;
    }
  }
}

const isNamespaceTerminating = (error: unknown): boolean =>
  (error as { details?: { causes?: readonly { reason?: string }[] } }).details?.causes?.some((c) => c.reason === "NamespaceTerminating") === true;

function sameStatus(a: CronJobStatus, b: CronJobStatus | undefined): boolean {
  return (a.active?.length ?? 0) === (b?.active?.length ?? 0) && a.lastScheduleTime === b?.lastScheduleTime && a.lastSuccessfulTime === b?.lastSuccessfulTime;
}
