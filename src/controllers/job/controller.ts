/**
 * The Job controller's driver: turns changes of Jobs and pods into keys, and syncs the Job behind a key. Rules are in the files beside it.
 * Holds no truth: everything it remembers is rebuilt from the informers, or (the back-off) may be forgotten.
 * Follows kubernetes pkg/controller/job/job_controller.go.
 */
import type { Instant } from "../../base/clock.ts";
import { WorkQueue } from "../../base/work-queue.ts";
import type { Job, Pod } from "../../api/generated/types.ts";
import { controllerOf, keyOf } from "../../api/object.ts";
import { JOBS, PODS } from "../../api/resource.ts";
import { isConflict, isNotFound } from "../../api/status-error.ts";
import type { Informer } from "../../client/informer.ts";
import type { Controller, ControllerContext, ReconcileResult } from "../framework/controller.ts";
import { NO_FAILURES } from "./backoff.ts";
import { isFinished } from "./conditions.ts";
import { jobExecutors } from "./execute.ts";
import { Expectations } from "./expectations.ts";
import { JobDirectory } from "./directory.ts";
import { PodLedger } from "./ledger.ts";
import { NO_METRICS, recordSync, recordTrackedPod, type MetricSink } from "./metrics.ts";
import { externalController, type JobEvent, type StoredJob, type StoredPod } from "./names.ts";
import { isOrphan, releaseOrphan } from "./orphans.ts";
import { JobSync, type JobMemory } from "./sync.ts";
import { changedHands, delayMs, moreUrgent, urgencyOf, urgencyOfGone, type LastSync, type Urgency } from "./wakeups.ts";
import { isBeingDeleted, isTracked } from "./pods.ts";

/** Errors of the API: 1 s, doubling to one minute. */
const RETRY = { baseMs: 1000, maxMs: 60_000 };
/** Jobs that are synced side by side; each of them waits for the disk most of the time. */
const WORKERS = 64;
const ORPHAN_WORKERS = 16;
const NOT_SYNCED_MS = 50;
const COMPLETION_MODES: ReadonlySet<string> = new Set(["NonIndexed", "Indexed"]);

export interface JobControllerOptions {
  readonly metrics?: MetricSink;
  readonly workers?: number;
}

interface Remembered extends JobMemory {
  last: LastSync | undefined;
  /** The Job as this controller stored it last, and the versions that its writes replaced: a cache that shows one of them is behind. */
  written: StoredJob | undefined;
  readonly replaced: Set<string>;
  /** A write was answered with an error and may have been stored all the same: the cache alone is not believed. */
  doubtful: boolean;
  /** The last sync found the cache behind the controller's own pods. */
  behind: boolean;
  syncing: boolean;
  /** When a pod's change last led to new pods: upstream would make those a second later. */
  hurriedAt: Instant | undefined;
  /** Woken while syncing: the next sync waits until this one has ended, and its pause. */
  woken: Exclude<Urgency, "none"> | undefined;
}

/** Makes the controller (and the one that cleans up orphaned pods); both are to be run. */
export function openJobController(context: ControllerContext, options: JobControllerOptions = {}): readonly Controller[] {
  return new JobController(context, options).controllers();
}

class JobController {
  readonly #context: ControllerContext;
  readonly #workers: number;
  readonly #metrics: MetricSink;
  readonly #jobs: Informer<Job>;
  readonly #pods: Informer<Pod>;
  readonly #queue: WorkQueue;
  readonly #orphanQueue: WorkQueue;
  readonly #ledger = new PodLedger();
  readonly #directory = new JobDirectory();
  readonly #expectations = new Expectations();
  readonly #memories = new Map<string, Remembered>();
  /** Keys whose Job itself has changed since their last sync. */
  readonly #changed = new Set<string>();
  readonly #sync: JobSync;

  constructor(context: ControllerContext, { metrics = NO_METRICS, workers = WORKERS }: JobControllerOptions) {
    const { chance, clock, client } = context;
    this.#context = context;
    this.#workers = workers;
    this.#metrics = metrics;
    this.#jobs = context.informers.of(JOBS);
    this.#pods = context.informers.of(PODS);
    this.#queue = new WorkQueue({ clock, retry: RETRY });
    this.#orphanQueue = new WorkQueue({ clock, retry: RETRY });
    const record = this.#record.bind(this);
    const execute = jobExecutors({ client, clock, expectations: this.#expectations, record });
    this.#sync = new JobSync({ client, chance, clock, ledger: this.#ledger, expectations: this.#expectations, execute, record, metrics });
  }

  controllers(): readonly Controller[] {
    this.#jobs.on({ onSet: (job, old) => this.#jobChanged(job, old), onDelete: (job) => this.#jobDeleted(job) });
    this.#pods.on({ onSet: (pod, old) => this.#podChanged(pod, old), onDelete: (pod) => this.#podDeleted(pod) });
    const { logger, client } = this.#context;
    const [jobs, pods] = [this.#jobs, this.#pods];
    return [
      { name: "job", queue: this.#queue, workers: this.#workers, reconcile: (key) => this.#reconcile(key), logger },
      { name: "job-orphan-pod", queue: this.#orphanQueue, workers: ORPHAN_WORKERS, reconcile: (key) => releaseOrphan(key, { client, jobs, pods }), logger },
    ];
  }

  #record(job: StoredJob, { type, reason, message }: JobEvent): void {
    this.#context.recorder.event(JOBS, job, type, reason, message);
  }

  // Changes of Jobs

  #jobChanged(job: StoredJob, old: StoredJob | undefined): void {
    this.#directory.set(job);
    const { uid, generation } = job.metadata;
    const external = externalController(job);
    if (!old && external !== undefined) this.#metrics.add("jobs_by_external_controller_total", { controller_name: external }, 1);
    // For finished Jobs a backup: they are not finished before their pods are let go.
    if (isFinished(job) || job.metadata.deletionTimestamp !== undefined) this.#releaseOrphans(uid);
    if (!old || old.metadata.generation !== generation) {
      this.#changed.add(keyOf(job));
      return this.#queue.add(keyOf(job));
    }
    if (!this.#isOwnWrite(job)) this.#wake(job, "now");
  }

  #jobDeleted(job: StoredJob): void {
    const { uid } = job.metadata;
    this.#directory.delete(job);
    this.#memories.delete(uid);
    this.#changed.delete(keyOf(job));
    this.#expectations.forget(uid);
    this.#releaseOrphans(uid);
    this.#queue.forget(keyOf(job));
  }

  /** A state that this controller wrote itself. While a write is under way it cannot be told; then the end of the sync looks again. */
  #isOwnWrite({ metadata: { uid, resourceVersion } }: StoredJob): boolean {
    const memory = this.#memories.get(uid);
    if (!memory) return false;
    if (memory.syncing) return true;
    const own = memory.written?.metadata.resourceVersion === resourceVersion;
    if (!own && memory.replaced.has(resourceVersion)) return true;
    memory.written = undefined;
    memory.replaced.clear();
    return own;
  }

  // Changes of pods

  #podChanged(pod: StoredPod, old: StoredPod | undefined): void {
    recordTrackedPod(this.#metrics, old, pod);
    this.#ledger.set(pod, old);
    if (isTracked(pod) && (isBeingDeleted(pod) || !controllerOf(pod)) && isOrphan(pod, this.#jobs)) this.#orphanQueue.add(keyOf(pod));
    const owner = this.#ownerOf(pod);
    const oldOwner = old && this.#ownerOf(old);
    if (old && oldOwner && oldOwner.metadata.uid !== owner?.metadata.uid) {
      this.#expectations.observe(oldOwner.metadata.uid, pod);
      this.#wake(oldOwner, "now");
    }
    if (owner) return this.#ownPodChanged(owner, pod, old);
    if (controllerOf(pod) || (old && !changedHands(pod, old))) return;
    for (const key of this.#directory.matching(pod)) {
      const job = this.#jobs.get(key);
      if (job) this.#wake(job, "now");
    }
  }

  #ownPodChanged(job: StoredJob, pod: StoredPod, old: StoredPod | undefined): void {
    const awaited = this.#expectations.observe(job.metadata.uid, pod);
    const memory = this.#memories.get(job.metadata.uid);
    if (memory?.behind && this.#expectations.caughtUp(job.metadata.uid)) this.#wake(job, "now");
    // What this controller did itself tells it nothing new, unless something else came along with it.
    const urgency = awaited && (!old || urgencyOf(pod, old) !== "soon") ? "none" : urgencyOf(pod, old);
    if (urgency !== "none") this.#wake(job, urgency);
  }

  #podDeleted(pod: StoredPod): void {
    recordTrackedPod(this.#metrics, pod, undefined);
    this.#ledger.delete(pod);
    const owner = controllerOf(pod);
    if (owner) this.#expectations.observeGone(owner.uid, pod.metadata.uid);
    const job = this.#ownerOf(pod);
    if (job) this.#wake(job, urgencyOfGone(pod, this.#memories.get(job.metadata.uid)?.hurriedAt, this.#context.clock.now()));
  }

  #ownerOf(pod: StoredPod): StoredJob | undefined {
    const owner = controllerOf(pod);
    if (owner?.kind !== JOBS.kind) return undefined;
    const job = this.#jobs.get(`${pod.metadata.namespace ?? ""}/${owner.name}`);
    return job?.metadata.uid === owner.uid ? job : undefined;
  }

  #releaseOrphans(jobUid: string): void {
    for (const pod of this.#ledger.open(jobUid).values()) if (isTracked(pod)) this.#orphanQueue.add(keyOf(pod));
  }

  #wake(job: StoredJob, asked: Exclude<Urgency, "none">): void {
    if (isFinished(job) || externalController(job) !== undefined) return;
    const memory = this.#memories.get(job.metadata.uid);
    // A Job that is going only keeps its counters: most often it is gone before that.
    const isGoing = job.metadata.deletionTimestamp !== undefined;
    const urgency = isGoing ? "later" : asked;
    if (memory?.syncing) {
      memory.woken = moreUrgent(urgency, memory.woken);
      return;
    }
    this.#queue.addAfter(keyOf(job), delayMs(urgency, memory?.last, this.#context.clock.now()));
  }

  // Syncs

  #remember(uid: string): Remembered {
    let memory = this.#memories.get(uid);
    if (memory) return memory;
    const made: Remembered = {
      backoff: NO_FAILURES,
      proven: false,
      last: undefined,
      written: undefined,
      replaced: new Set(),
      doubtful: false,
      behind: false,
      syncing: false,
      hurriedAt: undefined,
      woken: undefined,
      onWritten(stored, before) {
        made.written = stored;
        made.replaced.add(before.metadata.resourceVersion);
      },
    };
    memory = made;
    this.#memories.set(uid, memory);
    return memory;
  }

  async #reconcile(key: string): Promise<ReconcileResult | void> {
    // Without all pods in the cache it would make them a second time.
    if (!this.#jobs.hasSynced || !this.#pods.hasSynced) return { requeueAfterMs: NOT_SYNCED_MS };
    const cached = this.#jobs.get(key);
    if (!cached || externalController(cached) !== undefined) return;
    const { uid } = cached.metadata;
    const job = await this.#newest(cached);
    if (!job) return;
    if (isFinished(job)) {
      // The memory of that is all there is as long as the cache shows an earlier state.
      if (job !== cached) return;
      this.#memories.delete(uid);
      this.#expectations.forget(uid);
      return this.#ledger.dismiss(uid, [...this.#ledger.settled(uid).values()]);
    }
    if (!COMPLETION_MODES.has(job.spec.completionMode ?? "NonIndexed")) {
      return this.#record(job, { type: "Warning", reason: "UnknownCompletionMode", message: "Skipped Job sync because completion mode is unknown" });
    }
    return this.#syncOnce(key, job, this.#remember(uid));
  }

  /** What this controller stored last, as long as the cache has not caught up with it. Where that is in doubt the server is asked; undefined: the Job is gone. */
  async #newest(cached: StoredJob): Promise<StoredJob | undefined> {
    const memory = this.#memories.get(cached.metadata.uid);
    if (memory?.doubtful) {
      const { name, namespace = "", uid, resourceVersion } = cached.metadata;
      const fresh = await this.#context.client.get(JOBS, { namespace, name }).catch((error: unknown) => {
        if (isNotFound(error)) return undefined;
        throw error;
      });
      memory.doubtful = false;
      if (fresh?.metadata.uid !== uid) return undefined;
      if (fresh.metadata.resourceVersion !== resourceVersion) memory.onWritten(fresh, cached);
      return fresh;
    }
    return memory?.written && memory.replaced.has(cached.metadata.resourceVersion) ? memory.written : cached;
  }

  async #syncOnce(key: string, job: StoredJob, memory: Remembered): Promise<ReconcileResult | void> {
    const { clock } = this.#context;
    const { uid } = job.metadata;
    const startedAt: Instant = clock.now();
    const isHurried = !this.#changed.delete(key);
    // Each sync says anew when the next is due.
    this.#queue.cancelDelayed(key);
    memory.syncing = true;
    memory.behind = !this.#expectations.caughtUp(uid);
    try {
      const { action, created, recheckAt, error } = await this.#sync.run(job, memory);
      if (isHurried && created > 0) memory.hurriedAt = startedAt;
      this.#ended(key, memory, job, startedAt, { ok: error === undefined, action });
      if (error !== undefined) throw error;
      return recheckAt === undefined ? undefined : { requeueAfterMs: Math.max(1, recheckAt - clock.now()) };
    } catch (error) {
      if (memory.syncing) {
        memory.doubtful ||= !isConflict(error);
        this.#ended(key, memory, job, startedAt, { ok: false, action: "reconciling" });
      }
      // Overtaken, and the cache knows by whom: no reason to wait.
      if (isConflict(error) && this.#jobs.get(key)?.metadata.resourceVersion !== job.metadata.resourceVersion) return { requeueAfterMs: 1 };
      throw error;
    }
  }

  #ended(key: string, memory: Remembered, job: StoredJob, startedAt: Instant, sync: { readonly ok: boolean; readonly action: Parameters<typeof recordSync>[2]["action"] }): void {
    const endedAt = this.#context.clock.now();
    const { woken } = memory;
    memory.syncing = false;
    memory.woken = undefined;
    memory.last = { endedAt, tookMs: endedAt - startedAt };
    recordSync(this.#metrics, job, { ...sync, seconds: (endedAt - startedAt) / 1000 });
    if (woken) this.#wake(job, woken);
    const cached = this.#jobs.get(key);
    // Somebody else wrote while the sync ran.
    if (cached && cached.metadata.uid === job.metadata.uid && cached.metadata.resourceVersion !== job.metadata.resourceVersion && !this.#isOwnWrite(cached)) this.#wake(cached, "now");
  }
}
