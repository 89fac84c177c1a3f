/**
 * One sync of one Job: claim its pods, decide, act, settle, let counted pods go, conclude. All rules are elsewhere; this is their order.
 * Follows kubernetes pkg/controller/job/job_controller.go (syncJob).
 */
import type { Chance } from "../../base/chance.ts";
import type { Clock, Instant } from "../../base/clock.ts";
import type { JobStatus } from "../../api/generated/types.ts";
import { JOBS, PODS } from "../../api/resource.ts";
import { isNotFound } from "../../api/status-error.ts";
import type { Client } from "../../client/client.ts";
import { claimPods, jobSelector } from "./adoption.ts";
import { SPREAD_MS_MAX, type BackoffRecord } from "./backoff.ts";
import { decideJob, type JobDecision } from "./decide.ts";
import type { Executors } from "./execute.ts";
import { UNSEEN_MS_MAX, type Expectations } from "./expectations.ts";
import type { PodLedger } from "./ledger.ts";
import { recordCounted, recordCreations, recordFinished, type MetricSink } from "./metrics.ts";
import type { JobEvent, StoredJob, StoredPod } from "./names.ts";
import { conclude, settle, type Outcome, type Settlement } from "./settle.ts";
import type { JobAction, JobWorld, SyncAction } from "./world.ts";

export interface SyncDeps {
  readonly client: Client;
  readonly chance: Chance;
  readonly clock: Clock;
  readonly ledger: PodLedger;
  readonly expectations: Expectations;
  readonly execute: Executors;
  readonly record: (job: StoredJob, event: JobEvent) => void;
  readonly metrics: MetricSink;
}

/** What is remembered of a Job between two syncs; lost at a restart, as upstream's is. */
export interface JobMemory {
  backoff: BackoffRecord;
  /** The last creations all went well. */
  proven: boolean;
  /** Told of every status that was stored, at once. */
  readonly onWritten: (job: StoredJob, before: StoredJob) => void;
}

export interface SyncResult {
  readonly action: SyncAction;
  readonly created: number;
  readonly recheckAt: Instant | undefined;
  /** What could not be done; the sync has gone as far as it could without it. */
  readonly error: unknown;
}

/** Actions of a batch run side by side. What failed comes back as its error. */
interface Done {
  readonly action: JobAction;
  readonly error: unknown;
  readonly ok: boolean;
  readonly made: boolean;
}

async function runAction(execute: Executors, action: JobAction): Promise<Done> {
  try {
    if (action.kind === "createPod") return { action, ok: true, error: undefined, made: (await execute.createPod(action)) !== undefined };
    if (action.kind === "deletePod") await execute.deletePod(action);
    return { action, ok: true, error: undefined, made: false };
  } catch (error) {
    return { action, ok: false, error, made: false };
  }
}

export class JobSync {
  readonly #deps: SyncDeps;

  constructor(deps: SyncDeps) {
    this.#deps = deps;
  }

  /** Rejects where the Job's status could not be stored or its pods not be claimed. */
  async run(job: StoredJob, memory: JobMemory): Promise<SyncResult> {
    const { chance, clock, expectations, ledger, metrics } = this.#deps;
    const { uid } = job.metadata;
    await this.#confirmOverdue(uid);
    // Both are asked before the pods are read. Claiming may wait for the server, and what the cache learns meanwhile is not in these pods:
    // one whose finalizer is seen to be gone by then would count a second time.
    const caughtUp = expectations.caughtUp(uid);
    const releasing = new Set(expectations.releasingOf(uid));
    const letGo = [...ledger.settled(uid).values()];
    const claimed = await this.#claim(job);
    const world: JobWorld = { job, pods: claimed.open, letGo: claimed.letGo, now: clock.now(), backoff: memory.backoff, spreadMs: Math.floor(chance.next() * SPREAD_MS_MAX), caughtUp, releasing, proven: memory.proven };
    const decision = decideJob(world);
    const { outcome, error } = await this.#act(world, decision, memory);
    const settlement = settle(world, decision, outcome);
    for (const event of settlement.events) this.#deps.record(job, event);
    const stored = await this.#store(job, settlement.status, settlement.flush, memory);
    if (settlement.flush) memory.backoff = decision.backoff;
    for (const [action, count] of settlement.policyActions) metrics.add("pod_failures_handled_by_failure_policy_total", { action }, count);
    await this.#finish(stored, settlement, memory);
    // An end that could not be carried out yet has to be found again.
    if (!decision.end || settlement.terminal) ledger.dismiss(uid, letGo);
    const unseenAt = expectations.caughtUp(uid) ? undefined : clock.now() + UNSEEN_MS_MAX;
    return { action: decision.action, created: outcome.created, recheckAt: earlier(decision.recheckAt, unseenAt), error };
  }

  /** Asks for pods that were made and never seen. */
  async #confirmOverdue(jobUid: string): Promise<void> {
    const { client, clock, expectations } = this.#deps;
    for (const pod of expectations.overdue(jobUid, clock.now())) {
      const { namespace = "", name, uid } = pod.metadata;
      try {
        const found = await client.get(PODS, { namespace, name });
        if (found.metadata.uid === uid) expectations.stillThere(jobUid, pod, clock.now());
        else expectations.observeGone(jobUid, uid);
      } catch (error) {
        if (!isNotFound(error)) throw error;
        expectations.observeGone(jobUid, uid);
      }
    }
  }

  /** Adopts and releases; gives the pods that are the Job's after that. */
  async #claim(job: StoredJob): Promise<{ readonly open: readonly StoredPod[]; readonly letGo: readonly StoredPod[] }> {
    const { ledger, execute, expectations } = this.#deps;
    const selector = jobSelector(job);
    if (!selector) throw new Error(`couldn't convert Job selector: ${JSON.stringify(job.spec.selector)}`);
    const { uid, namespace } = job.metadata;
    const own = claimPods(job, selector, [...ledger.open(uid).values(), ...expectations.unseen(uid)]);
    const letGo = claimPods(job, selector, ledger.settled(uid).values());
    const unseen = new Set(expectations.unseen(uid).map((pod) => pod.metadata.uid));
    const { adopt } = claimPods(job, selector, ledger.orphans(namespace, selector));
    const release = [...own.release, ...letGo.release];
    await Promise.all(release.map((pod) => execute.releasePod({ kind: "releasePod", job, pod })));
    // Adopted a moment ago, though the cache does not show it yet: to adopt it again could count it again.
    const adopted = await this.#adopt(job, adopt.filter((pod) => !unseen.has(pod.metadata.uid)));
    return { open: [...own.keep, ...adopted], letGo: letGo.keep };
  }

  async #adopt(job: StoredJob, pods: readonly StoredPod[]): Promise<readonly StoredPod[]> {
    if (pods.length === 0) return [];
    const { execute, expectations, clock } = this.#deps;
    const { uid, name, namespace = "" } = job.metadata;
    if (!(await this.#mayAdopt(job))) throw new Error(`can't adopt pods: Job ${namespace}/${name} has just been deleted`);
    expectations.beginCreating(uid);
    try {
      const adopted = await Promise.all(pods.map((pod) => execute.adoptPod({ kind: "adoptPod", job, pod })));
      const mine = adopted.filter((pod) => pod !== undefined);
      for (const pod of mine) expectations.created(uid, pod, clock.now());
      return mine;
    } finally {
      expectations.endCreating(uid);
    }
  }

  /** Asked of the server itself: a Job that is being deleted must not take pods. */
  async #mayAdopt({ metadata: { namespace = "", name, uid } }: StoredJob): Promise<boolean> {
    const fresh = await this.#deps.client.get(JOBS, { namespace, name });
    return fresh.metadata.uid === uid && fresh.metadata.deletionTimestamp === undefined;
  }

  /** Batch after batch, until one fails. */
  async #act(world: JobWorld, decision: JobDecision, memory: JobMemory): Promise<{ readonly outcome: Outcome; readonly error: unknown }> {
    const { execute, expectations, metrics } = this.#deps;
    const deleted: StoredPod[] = [];
    const counts = { created: 0, failed: 0, made: 0 };
    let error: unknown;
    expectations.beginCreating(world.job.metadata.uid);
    for (const batch of decision.batches) {
      const results = await Promise.all(batch.map((action) => runAction(execute, action)));
      for (const { action, ok, made, ...failure } of results) {
        if (!ok) error ??= failure.error;
        if (action.kind === "deletePod" && ok) deleted.push(action.pod);
        if (action.kind !== "createPod") continue;
        if (ok) counts.created += 1;
        else counts.failed += 1;
        if (made) counts.made += 1;
      }
      if (error !== undefined) break;
    }
    expectations.endCreating(world.job.metadata.uid);
    if (counts.created + counts.failed > 0) memory.proven = error === undefined;
    recordCreations(metrics, world.job, decision.tally, counts.made, counts.failed);
    return { outcome: { deleted, created: counts.created }, error };
  }

  async #store(job: StoredJob, status: JobStatus, flush: boolean, memory: JobMemory): Promise<StoredJob> {
    // What is not worth a write of its own goes with the next one.
    if (!flush) return { ...job, status };
    const stored = await this.#deps.execute.updateStatus({ kind: "updateStatus", job, status });
    memory.onWritten(stored, job);
    recordCounted(this.#deps.metrics, job, job.status ?? {}, status);
    return stored;
  }

  /** Lets the counted pods go and stores what follows from it. */
  async #finish(job: StoredJob, settlement: Settlement, memory: JobMemory): Promise<void> {
    const { execute, clock, record, metrics } = this.#deps;
    const released = new Set<string>();
    const failures: unknown[] = [];
    await Promise.all(
      settlement.release.map(async (pod) => {
        try {
          await execute.removeFinalizer({ kind: "removeFinalizer", job, pod });
          released.add(pod.metadata.uid);
        } catch (error) {
          failures.push(error);
        }
      }),
    );
    // Where a finalizer could not be removed, what was achieved is stored, and the rest is tried again.
    const partial = failures.length > 0;
    const { status, flush, finished, events } = conclude(job, partial ? { ...settlement, terminal: undefined } : settlement, released, clock.now());
    const stored = await this.#store(job, status, flush, memory);
    if (partial) throw failures[0];
    if (finished) recordFinished(metrics, stored, finished);
    for (const event of events) record(stored, event);
  }
}

function earlier(a: Instant | undefined, b: Instant | undefined): Instant | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return Math.min(a, b);
}
