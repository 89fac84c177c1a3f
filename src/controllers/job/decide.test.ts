import { describe, expect, test } from "vitest";
import { at, indexedJob, jobOf, podOf, START, worldOf } from "./builders.ts";
import { decideJob } from "./decide.ts";
import type { JobWorld } from "./world.ts";

/** A decision in short: `create`, `create 3` (index), `delete a`, `drop a` (finalizer first). */
function brief(world: JobWorld) {
  const decision = decideJob(world);
  const actions = decision.batches.flat().map((action) => {
    if (action.kind === "deletePod") return `${action.letGo ? "drop" : "delete"} ${action.pod.metadata.uid}`;
    if (action.kind !== "createPod") return action.kind;
    const index = action.pod.metadata.annotations?.["batch.kubernetes.io/job-completion-index"];
    return index === undefined ? "create" : `create ${index}`;
  });
  const recheck = decision.recheckAt === undefined ? undefined : (decision.recheckAt - START) / 1000;
  return { actions, end: decision.end && `${decision.end.type} ${decision.end.reason}`, action: decision.action, recheck };
}

const running = (uid: string, more = {}) => podOf({ uid, phase: "Running", ...more });
const nothing = { actions: [], end: undefined, recheck: undefined };
const started = { startTime: at(0) };
const condition = (type: string, reason: string, status = "True") => ({ type, status, reason, message: "why" });

describe("how many pods", () => {
  test.each([
    { name: "none yet", world: worldOf(jobOf()), want: { ...nothing, actions: ["create"], action: "pods_created" } },
    { name: "enough", world: worldOf(jobOf(), [running("a")]), want: { ...nothing, action: "tracking" } },
    { name: "too many, the least advanced goes uncounted", world: worldOf(jobOf(), [running("a"), podOf({ uid: "b" })]), want: { ...nothing, actions: ["drop b"], action: "pods_deleted" } },
    { name: "removal comes before creation", world: worldOf(indexedJob(2), [running("a", { index: 0 }), podOf({ uid: "b", index: 0 })]), want: { ...nothing, actions: ["drop b"], action: "pods_deleted" } },
    { name: "missing indexes", world: worldOf(indexedJob(4, { parallelism: 3 }), [running("a", { index: 1 })]), want: { ...nothing, actions: ["create 0", "create 2"], action: "pods_created" } },
    { name: "suspended", world: worldOf(jobOf({ suspend: true, completions: 2, parallelism: 2 }), [running("a"), podOf({ uid: "b" })]), want: { ...nothing, actions: ["drop a", "drop b"], action: "pods_deleted" } },
    { name: "own pods were not seen yet", world: worldOf(jobOf(), [], { caughtUp: false }), want: { ...nothing, action: "reconciling" } },
    { name: "the Job is being deleted", world: worldOf(jobOf({}, {}, { deletionTimestamp: at(1) })), want: { ...nothing, action: "reconciling" } },
    { name: "a terminating pod is replaced", world: worldOf(jobOf({}, { failed: 1 }), [running("a", { deletedAt: 0, tracked: false })]), want: { ...nothing, actions: ["create"], action: "pods_created" } },
    { name: "a terminating pod is not replaced where only failed ones are", world: worldOf(jobOf({ podReplacementPolicy: "Failed" }), [running("a", { deletedAt: 0 })]), want: { ...nothing, action: "tracking" } },
    { name: "a work queue after its first success", world: worldOf(jobOf({ parallelism: 3 }, { succeeded: 1 }), [running("a")]), want: { ...nothing, action: "tracking" } },
  ])("$name", ({ world, want }) => expect(brief(world)).toEqual(want));

  test("500 pods a sync at most, in slow-start batches", () => {
    const { batches } = decideJob(worldOf(jobOf({ completions: 9000, parallelism: 900 })));
    expect(batches.map((b) => b.length)).toEqual([1, 2, 4, 8, 16, 32, 64, 128, 245]);
  });

  test("where creations are proven to work the second batch takes the rest", () => {
    expect(decideJob(worldOf(jobOf({ completions: 30, parallelism: 30 }), [], { proven: true })).batches.map((b) => b.length)).toEqual([1, 29]);
  });
});

describe("back-off", () => {
  const failedAt = (seconds: number, more = {}) => podOf({ phase: "Failed", finishedAt: seconds, ...more });
  test.each([
    { name: "a new failure delays its replacement", world: worldOf(jobOf(), [failedAt(57)]), want: { ...nothing, action: "pods_created", recheck: 67 } },
    { name: "until the delay is over", world: worldOf(jobOf(), [failedAt(50)]), want: { ...nothing, actions: ["create"], action: "pods_created" } },
    { name: "what is remembered counts", world: worldOf(jobOf(), [], { backoff: { failures: 3, lastFailure: START + 30_000, spreadMs: 0 } }), want: { ...nothing, action: "pods_created", recheck: 70 } },
    { name: "a success ends it", world: worldOf(jobOf({ completions: 3 }), [podOf({ phase: "Succeeded", finishedAt: 59 })], { backoff: { failures: 3, lastFailure: START + 58_000, spreadMs: 0 } }), want: { ...nothing, actions: ["create"], action: "pods_created" } },
    { name: "each index has its own", world: worldOf(indexedJob(3, { backoffLimitPerIndex: 2 }), [failedAt(57, { index: 0, failures: 0 }), failedAt(49, { index: 1, failures: 0 })]), want: { ...nothing, actions: ["create 1", "create 2"], action: "pods_created", recheck: 67 } },
    { name: "all indexes wait", world: worldOf(indexedJob(2, { backoffLimitPerIndex: 2 }), [failedAt(57, { index: 0, failures: 0 }), failedAt(55, { index: 1, failures: 1 })]), want: { ...nothing, action: "pods_created", recheck: 67 } },
  ])("$name", ({ world, want }) => expect(brief(world)).toEqual(want));

  test("the pod that takes an index over carries its failures", () => {
    const action = decideJob(worldOf(indexedJob(1, { backoffLimitPerIndex: 3 }), [failedAt(10, { index: 0, failures: 1, ignored: 1 })])).batches.flat()[0];
    expect(action?.kind === "createPod" && action.pod.metadata.annotations).toEqual({
      "batch.kubernetes.io/job-completion-index": "0",
      "batch.kubernetes.io/job-index-failure-count": "2",
      "batch.kubernetes.io/job-index-ignored-failure-count": "1",
    });
  });
});

describe("the end", () => {
  const failed = (more = {}) => podOf({ phase: "Failed", finishedAt: 50, ...more });
  const policy = { podFailurePolicy: { rules: [{ action: "FailJob", onExitCodes: { operator: "In", values: [42] } }, { action: "Ignore", onExitCodes: { operator: "In", values: [7] } }] } };
  const ends = (reason: string, ...actions: string[]) => ({ actions, end: reason, action: "reconciling", recheck: undefined });
  const onFailure = (backoffLimit: number) => jobOf({ backoffLimit, template: { spec: { restartPolicy: "OnFailure", containers: [] } } });
  const target = jobOf({}, { ...started, conditions: [condition("FailureTarget", "DeadlineExceeded")] });
  test.each([
    { name: "one failure more than the limit", world: worldOf(jobOf({ backoffLimit: 1 }, { failed: 1 }), [failed(), running("a")]), want: ends("FailureTarget BackoffLimitExceeded", "delete a") },
    { name: "failures in the lists count", world: worldOf(jobOf({ backoffLimit: 1 }, { uncountedTerminatedPods: { failed: ["x", "y"] } })), want: ends("FailureTarget BackoffLimitExceeded") },
    { name: "as many failures as the limit", world: worldOf(jobOf({ backoffLimit: 1 }), [failed()]), want: { ...nothing, actions: ["create"], action: "pods_created" } },
    { name: "ignored failures do not count", world: worldOf(jobOf({ backoffLimit: 0, ...policy }), [failed({ exitCode: 7 })]), want: { ...nothing, actions: ["create"], action: "pods_created" } },
    { name: "restarts reach the limit", world: worldOf(onFailure(3), [running("a", { restarts: 2, initRestarts: 1 })]), want: ends("FailureTarget BackoffLimitExceeded", "delete a") },
    { name: "restarts below the limit", world: worldOf(onFailure(3), [running("a", { restarts: 2 })]), want: { ...nothing, action: "tracking" } },
    { name: "limit 0: the first restart", world: worldOf(onFailure(0), [podOf({ uid: "a", restarts: 1 })]), want: ends("FailureTarget BackoffLimitExceeded", "delete a") },
    { name: "limit 0: no restart", world: worldOf(onFailure(0), [running("a")]), want: { ...nothing, action: "tracking" } },
    { name: "restarts of ended pods do not count", world: worldOf(onFailure(3), [podOf({ phase: "Succeeded", restarts: 9 })]), want: { ...nothing, action: "tracking" } },
    { name: "restarts mean nothing with Never", world: worldOf(jobOf({ backoffLimit: 0 }), [running("a", { restarts: 9 })]), want: { ...nothing, action: "tracking" } },
    { name: "FailJob comes before the limit", world: worldOf(jobOf({ backoffLimit: 0, ...policy }), [failed({ exitCode: 42 })]), want: ends("FailureTarget PodFailurePolicy") },
    { name: "FailJob of a pod that was let go", world: worldOf(jobOf(policy), [running("a")], { letGo: [failed({ exitCode: 42, tracked: false })] }), want: ends("FailureTarget PodFailurePolicy", "delete a") },
    { name: "the deadline", world: worldOf(jobOf({ activeDeadlineSeconds: 60 }, started), [running("a")]), want: ends("FailureTarget DeadlineExceeded", "delete a") },
    { name: "a second before the deadline", world: worldOf(jobOf({ activeDeadlineSeconds: 61 }, started), [running("a")]), want: { ...nothing, action: "tracking", recheck: 61 } },
    { name: "no deadline runs while suspended", world: worldOf(jobOf({ activeDeadlineSeconds: 1, suspend: true }, started)), want: { ...nothing, action: "pods_deleted" } },
    { name: "deadline 0", world: worldOf(jobOf({ activeDeadlineSeconds: 0 })), want: ends("FailureTarget DeadlineExceeded") },
    { name: "the limit comes before the deadline", world: worldOf(jobOf({ backoffLimit: 0, activeDeadlineSeconds: 1 }, started), [failed()]), want: ends("FailureTarget BackoffLimitExceeded") },
    { name: "too many failed indexes", world: worldOf(indexedJob(4, { backoffLimitPerIndex: 0, maxFailedIndexes: 1 }, { failedIndexes: "0" }), [failed({ index: 1, failures: 0 })]), want: ends("FailureTarget MaxFailedIndexesExceeded") },
    { name: "as many failed indexes as may be", world: worldOf(indexedJob(4, { backoffLimitPerIndex: 0, maxFailedIndexes: 1, parallelism: 0 }), [failed({ index: 1, failures: 0 })]), want: { ...nothing, action: "tracking" } },
    { name: "every index has ended, one failed", world: worldOf(indexedJob(2, { backoffLimitPerIndex: 0 }, { completedIndexes: "0" }), [failed({ index: 1, failures: 0 })]), want: ends("FailureTarget FailedIndexes") },
    { name: "successPolicy is met", world: worldOf(indexedJob(3, { successPolicy: { rules: [{ succeededIndexes: "1" }] } }), [podOf({ phase: "Succeeded", index: 1 }), running("a", { index: 0 })]), want: ends("SuccessCriteriaMet SuccessPolicy", "delete a") },
    { name: "failure comes before successPolicy", world: worldOf(indexedJob(2, { backoffLimit: 0, successPolicy: { rules: [{ succeededIndexes: "1" }] } }), [podOf({ phase: "Succeeded", index: 1 }), failed({ index: 0 })]), want: ends("FailureTarget BackoffLimitExceeded") },
    { name: "what was announced stands", world: worldOf(target, [running("a")]), want: ends("Failed DeadlineExceeded", "delete a") },
    { name: "a success that was announced stands", world: worldOf(jobOf({ backoffLimit: 0 }, { conditions: [condition("SuccessCriteriaMet", "SuccessPolicy")] }), [failed()]), want: ends("SuccessCriteriaMet SuccessPolicy") },
    { name: "a condition that is False announces nothing", world: worldOf(jobOf({}, { conditions: [condition("FailureTarget", "x", "False")] }), [running("a")]), want: { ...nothing, action: "tracking" } },
  ])("$name", ({ world, want }) => expect(brief(world)).toEqual(want));
});

describe("startTime", () => {
  test.each([
    { name: "is set at the first sync", job: jobOf(), want: at(60) },
    { name: "stays", job: jobOf({}, started), want: at(0) },
    { name: "waits for a suspended Job", job: jobOf({ suspend: true }), want: undefined },
  ])("$name", ({ job, want }) => expect(decideJob(worldOf(job)).startTime).toBe(want));
});
