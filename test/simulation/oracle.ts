/**
 * What must be true of Jobs whatever happens. Looks at every change that the store committed, in order, and knows nothing of controllers.
 *
 * What it leaves alone, and why: a Job may run one pod more for each creation whose answer was lost, or whose watch event a restarted controller
 * had no part in (upstream counts expectations in memory as well); parallelism is the highest that the Job was ever given, for a controller may
 * act on a spec that was changed a moment ago; uids may be listed again when a write of the status was lost with the controller.
 */
import type { Job, JobStatus, Pod } from "../../src/api/generated/types.ts";
import { controllerOf, type KubeObject, type Stored } from "../../src/api/object.ts";
import { countIndexes, hasIndex, parseIndexes } from "../../src/controllers/job/indexes.ts";
import { completionIndexOf, isActive, isTerminal, isTracked, phaseOf } from "../../src/controllers/job/pods.ts";
import { judgeFailure } from "../../src/controllers/job/failure-policy.ts";
import type { Change } from "../../src/store/store.ts";

type StoredJob = Stored<Job>;
type StoredPod = Stored<Pod>;

export class Violation extends Error {}

interface JobFacts {
  job: StoredJob;
  readonly pods: Map<string, StoredPod>;
  /** Uids that were ever in a list of the status, and those that left it: they are counted. */
  readonly listed: Set<string>;
  readonly counted: Set<string>;
  maxParallelism: number;
  /** Creations whose answer was lost. */
  lost: number;
}

const trueTypes = (status: JobStatus | undefined): string[] => (status?.conditions ?? []).filter((c) => c.status === "True").map((c) => c.type);
const isFinished = (job: StoredJob): boolean => trueTypes(job.status).some((t) => t === "Complete" || t === "Failed");
const listOf = (job: StoredJob): string[] => [...(job.status?.uncountedTerminatedPods?.succeeded ?? []), ...(job.status?.uncountedTerminatedPods?.failed ?? [])];

export class Oracle {
  readonly #jobs = new Map<string, JobFacts>();
  /** Ended pods that were let go uncounted. Right only if they are deleted then: they ended in the moment when they were surplus. */
  readonly #letGo = new Map<string, { readonly job: StoredJob; readonly pod: StoredPod }>();
  readonly #violations: string[] = [];

  /** A creation of a pod of this Job went through, and nobody was told. */
  noteLost(jobUid: string | undefined): void {
    const facts = this.#jobs.get(jobUid ?? "");
    if (facts) facts.lost += 1;
  }

  observe(changes: readonly Change[]): void {
    for (const { kind, entry, previous } of changes) {
      const object = entry.value.object as Stored<KubeObject>;
      const before = previous?.value.object as Stored<KubeObject> | undefined;
      if (object.kind === "Job") this.#jobChanged(object as StoredJob, before as StoredJob | undefined, kind === "delete");
      if (object.kind === "Pod") this.#podChanged(object as StoredPod, before as StoredPod | undefined, kind === "delete");
    }
  }

  /** Throws what was found. */
  check(): void {
    if (this.#violations.length > 0) throw new Violation(this.#violations.join("\n"));
  }

  /** When nothing more can happen: every Job that was not deleted has ended, and nothing is left behind. */
  checkEnd(): void {
    for (const { job, pods } of this.#jobs.values()) {
      if (!isFinished(job)) this.#fail(job, `has nothing left to wait for and has not ended: ${JSON.stringify(job.status)}`);
      for (const pod of pods.values()) if (isTracked(pod)) this.#fail(job, `left the finalizer on ${pod.metadata.name}`);
    }
    for (const { job, pod } of this.#letGo.values()) if (this.#jobs.has(job.metadata.uid)) this.#fail(job, `let ${pod.metadata.name} (${phaseOf(pod)}) go uncounted`);
    this.check();
  }

  #fail(job: StoredJob, what: string): void {
    this.#violations.push(`Job ${job.metadata.name} ${what}`);
  }

  #jobChanged(job: StoredJob, before: StoredJob | undefined, gone: boolean): void {
    const { uid } = job.metadata;
    if (gone) return void this.#jobs.delete(uid);
    let facts = this.#jobs.get(uid);
    if (!facts) this.#jobs.set(uid, (facts = { job, pods: new Map(), listed: new Set(), counted: new Set(), maxParallelism: 0, lost: 0 }));
    facts.job = job;
    facts.maxParallelism = Math.max(facts.maxParallelism, job.spec.parallelism ?? 1);
    if (!before) return;
    this.#checkTerminal(job, before);
    this.#checkCounting(facts, job, before);
    if (isFinished(job) && !isFinished(before)) this.#checkFinish(facts, job);
  }

  /** Terminal conditions never change, nor does anything that they sum up. */
  #checkTerminal(job: StoredJob, before: StoredJob): void {
    if (!isFinished(before)) return;
    const sum = ({ status }: StoredJob) => JSON.stringify([trueTypes(status), status?.succeeded, status?.failed, status?.active, status?.completedIndexes, status?.failedIndexes, status?.completionTime]);
    if (sum(job) !== sum(before)) this.#fail(job, `changed after its end: ${sum(before)} → ${sum(job)}`);
  }

  /** What leaves the lists becomes numbers, each once. */
  #checkCounting(facts: JobFacts, job: StoredJob, before: StoredJob): void {
    const [was, is] = [new Set(listOf(before)), new Set(listOf(job))];
    for (const uid of is) {
      if (facts.counted.has(uid)) this.#fail(job, `counts pod ${uid} a second time`);
      facts.listed.add(uid);
    }
    const left = [...was].filter((uid) => !is.has(uid));
    for (const uid of left) facts.counted.add(uid);
    const failed = (job.status?.failed ?? 0) - (before.status?.failed ?? 0);
    const leftFailed = (before.status?.uncountedTerminatedPods?.failed ?? []).filter((uid) => !is.has(uid)).length;
    if (failed !== leftFailed) this.#fail(job, `failed went up by ${failed} for ${leftFailed} pods`);
    if (job.spec.completionMode === "Indexed") {
      const completions = job.spec.completions ?? 0;
      const succeeded = countIndexes(parseIndexes(job.status?.completedIndexes, completions));
      if (job.metadata.generation === before.metadata.generation && (job.status?.succeeded ?? 0) < succeeded) this.#fail(job, `says ${job.status?.succeeded ?? 0} succeeded for ${succeeded} indexes`);
      return;
    }
    const succeeded = (job.status?.succeeded ?? 0) - (before.status?.succeeded ?? 0);
    const leftSucceeded = (before.status?.uncountedTerminatedPods?.succeeded ?? []).filter((uid) => !is.has(uid)).length;
    if (succeeded !== leftSucceeded) this.#fail(job, `succeeded went up by ${succeeded} for ${leftSucceeded} pods`);
  }

  /** A finished Job waits for nothing: no pod runs, none is on its way into a counter, none carries the finalizer. */
  #checkFinish({ pods }: JobFacts, job: StoredJob): void {
    const { status } = job;
    if ((status?.active ?? 0) > 0 || (status?.terminating ?? 0) > 0 || listOf(job).length > 0) this.#fail(job, `finished with ${JSON.stringify(status)}`);
    for (const pod of pods.values()) if (isTracked(pod)) this.#fail(job, `finished while ${pod.metadata.name} (${phaseOf(pod)}) carries the finalizer`);
    const announced = trueTypes(status).includes("Complete") ? "SuccessCriteriaMet" : "FailureTarget";
    if (!trueTypes(status).includes(announced)) this.#fail(job, `finished without ${announced}`);
  }

  #podChanged(pod: StoredPod, before: StoredPod | undefined, gone: boolean): void {
    const owner = controllerOf(pod);
    if (gone || pod.metadata.deletionTimestamp !== undefined) this.#letGo.delete(pod.metadata.uid);
    for (const facts of this.#jobs.values()) {
      if (facts.job.metadata.uid === owner?.uid) continue;
      facts.pods.delete(pod.metadata.uid);
      // A stray that is adopted again counts again, as upstream has it.
      facts.counted.delete(pod.metadata.uid);
    }
    const facts = this.#jobs.get(owner?.uid ?? "");
    if (!facts) return;
    if (before && isTracked(before) && !isTracked(pod)) this.#checkRelease(facts, pod);
    if (gone) return void facts.pods.delete(pod.metadata.uid);
    facts.pods.set(pod.metadata.uid, pod);
    if (!before) this.#checkCreation(facts, pod);
  }

  #checkCreation({ job, pods, maxParallelism, lost }: JobFacts, pod: StoredPod): void {
    const active = [...pods.values()].filter(isActive);
    if (active.length > maxParallelism + lost) this.#fail(job, `runs ${active.length} pods at a time, ${maxParallelism} are allowed`);
    const index = completionIndexOf(pod);
    if (index === undefined || job.spec.completionMode !== "Indexed") return;
    const twins = active.filter((p) => completionIndexOf(p) === index);
    if (twins.length > 1 + lost) this.#fail(job, `runs index ${index} ${twins.length} times at once`);
    if (hasIndex(parseIndexes(job.status?.completedIndexes, job.spec.completions ?? 0), index) && lost === 0) this.#fail(job, `runs index ${index} again, though it has succeeded`);
    const limit = job.spec.backoffLimitPerIndex;
    const failures = Number(pod.metadata.annotations?.["batch.kubernetes.io/job-index-failure-count"] ?? 0);
    if (limit !== undefined && failures > limit) this.#fail(job, `gives index ${index} try ${failures + 1}, ${limit + 1} are allowed`);
  }

  /** An ended pod that loses the finalizer was taken down before: it is not lost to the counters. */
  #checkRelease({ job, listed }: JobFacts, pod: StoredPod): void {
    if (!isTerminal(pod) || job.metadata.deletionTimestamp !== undefined || isFinished(job) || listed.has(pod.metadata.uid)) return;
    const succeeded = phaseOf(pod) === "Succeeded";
    if (job.spec.completionMode === "Indexed") {
      const index = completionIndexOf(pod);
      if (index === undefined || index >= (job.spec.completions ?? 0)) return;
      // The status has its say on the index already; a success after a final failure changes nothing.
      const decided = [job.status?.completedIndexes, job.status?.failedIndexes].some((list) => hasIndex(parseIndexes(list, job.spec.completions ?? 0), index));
      if (succeeded && decided) return;
    }
    // A success by policy leaves the rest uncounted; so does a rule that ignores the failure.
    if (!succeeded && (!judgeFailure(job.spec.podFailurePolicy, pod).counted || trueTypes(job.status).includes("SuccessCriteriaMet"))) return;
    if (pod.metadata.deletionTimestamp === undefined) this.#letGo.set(pod.metadata.uid, { job, pod });
  }
}
