import { describe, expect, test } from "vitest";
import type { JobStatus } from "../../api/generated/types.ts";
import { at, indexedJob, jobOf, podOf, START, worldOf } from "./builders.ts";
import { decideJob } from "./decide.ts";
import type { StoredPod } from "./names.ts";
import { conclude, settle, type Outcome } from "./settle.ts";
import type { JobWorld } from "./world.ts";

/** All actions succeed, unless told otherwise. */
function settled(world: JobWorld, outcome?: Outcome) {
  const decision = decideJob(world);
  const actions = decision.batches.flat();
  const done: Outcome = { deleted: actions.flatMap((a) => (a.kind === "deletePod" ? [a.pod] : [])), created: actions.filter((a) => a.kind === "createPod").length };
  return settle(world, decision, outcome ?? done);
}

const types = (status: JobStatus) => (status.conditions ?? []).map((c) => `${c.type}=${c.status} ${c.reason}`);
const uids = (pods: readonly StoredPod[]) => pods.map((p) => p.metadata.uid);
const running = (uid: string, more = {}) => podOf({ uid, phase: "Running", ...more });
const succeeded = (uid: string, more = {}) => podOf({ uid, phase: "Succeeded", ...more });
const failed = (uid: string, more = {}) => podOf({ uid, phase: "Failed", finishedAt: 59, ...more });
/** What a Job shows that has been synced before. */
const seen = (more: JobStatus = {}): JobStatus => ({ startTime: at(0), ready: 0, terminating: 0, uncountedTerminatedPods: {}, ...more });

describe("counters", () => {
  test("the first sync of a Job", () => {
    const { status, flush, events, release } = settled(worldOf(jobOf({ completions: 2, parallelism: 2 })));
    expect(status).toEqual({ startTime: at(60), active: 2, ready: 0, terminating: 0, uncountedTerminatedPods: {} });
    expect({ flush, events, release }).toEqual({ flush: true, events: [], release: [] });
  });

  test.each([
    { name: "nothing changed", status: seen({ active: 1 }), pods: [running("a")], want: false },
    { name: "active changed", status: seen(), pods: [running("a")], want: true },
    { name: "ready changed", status: seen({ active: 1 }), pods: [running("a", { ready: true })], want: true },
    { name: "terminating changed", status: seen({ active: 1 }), pods: [running("a"), running("b", { deletedAt: 1, tracked: false })], want: true },
    { name: "a start time alone is not written", status: { active: 1, ready: 0, terminating: 0, uncountedTerminatedPods: {} }, pods: [running("a")], want: false },
  ])("$name: flush $want", ({ status, pods, want }) => expect(settled(worldOf(jobOf({}, status), pods)).flush).toBe(want));

  test("deleted pods go from active and ready to terminating", () => {
    const world = worldOf(jobOf({ suspend: true, completions: 3, parallelism: 3 }, seen({ active: 3, ready: 1 })), [running("a", { ready: true }), running("b"), running("c")]);
    const all = settled(world);
    expect(all.status).toMatchObject({ ready: 0, terminating: 3 });
    expect(all.status.active).toBeUndefined();
    const some = settled(world, { deleted: [world.pods[0] ?? podOf()], created: 0 });
    expect(some.status).toMatchObject({ active: 2, ready: 0, terminating: 1 });
  });

  test("pods that could not be made are not active", () => {
    expect(settled(worldOf(jobOf({ completions: 3, parallelism: 3 })), { deleted: [], created: 1 }).status.active).toBe(1);
  });

  test("active is the real number during back-off", () => {
    const world = worldOf(jobOf({ completions: 2, parallelism: 2 }, seen({ active: 2, ready: 1 })), [running("a", { ready: true }), failed("b")]);
    expect(settled(world).status).toMatchObject({ active: 1, ready: 1, uncountedTerminatedPods: { failed: ["b"] } });
  });

  test("what others wrote into the status stays", () => {
    const own = { type: "Mine", status: "True" };
    expect(settled(worldOf(jobOf({}, { conditions: [own] }))).status.conditions).toEqual([own]);
  });
});

describe("counting", () => {
  test("finished pods are listed first and let go after that", () => {
    const { status, release, flush } = settled(worldOf(jobOf({ completions: 3, parallelism: 3 }, seen({ active: 3 })), [succeeded("a"), failed("b"), running("c")]));
    expect(status.uncountedTerminatedPods).toEqual({ succeeded: ["a"], failed: ["b"] });
    expect([uids(release), flush, status.succeeded]).toEqual([["a", "b"], true, undefined]);
  });

  test("a listed pod is not listed twice, but still let go", () => {
    const { status, release } = settled(worldOf(jobOf({ completions: 3, parallelism: 0 }, seen({ uncountedTerminatedPods: { succeeded: ["a"], failed: ["b"] } })), [succeeded("a"), failed("b")]));
    expect(status.uncountedTerminatedPods).toEqual({ succeeded: ["a"], failed: ["b"] });
    expect(uids(release)).toEqual(["a", "b"]);
  });

  test.each([
    { name: "lost its finalizer", pods: [succeeded("a", { tracked: false })], releasing: [] as string[] },
    { name: "is gone", pods: [], releasing: [] },
    { name: "loses its finalizer, though the cache does not show it yet", pods: [succeeded("a")], releasing: ["a"] },
  ])("a listed pod that $name becomes a number", ({ pods, releasing }) => {
    const status = seen({ succeeded: 1, uncountedTerminatedPods: { succeeded: ["a"] } });
    const result = settled(worldOf(jobOf({ completions: 5, parallelism: 0 }, status), pods, { releasing: new Set(releasing) }));
    expect(result).toMatchObject({ flush: true, release: [], status: { succeeded: 2, uncountedTerminatedPods: {} } });
  });

  test("a pod without the finalizer does not count", () => {
    expect(settled(worldOf(jobOf({ parallelism: 0, completions: 2 }, seen()), [succeeded("a", { tracked: false })]))).toMatchObject({ flush: false, release: [] });
  });

  test("a pod that was listed as failed and then succeeded stays failed", () => {
    const { status } = settled(worldOf(jobOf({ parallelism: 0, completions: 2 }, seen({ uncountedTerminatedPods: { failed: ["a"] } })), [succeeded("a")]));
    expect(status.uncountedTerminatedPods).toEqual({ failed: ["a"] });
  });

  test("ignored failures are let go uncounted, and the policy's work is told", () => {
    const rules = [{ action: "Ignore", onExitCodes: { operator: "In", values: [7] } }, { action: "Count", onExitCodes: { operator: "In", values: [8] } }];
    const { status, release, policyActions } = settled(worldOf(jobOf({ podFailurePolicy: { rules } }, seen({ active: 1 })), [failed("a", { exitCode: 7 }), failed("b", { exitCode: 8 }), failed("c", { exitCode: 7 })]));
    expect(status.uncountedTerminatedPods).toEqual({ failed: ["b"] });
    expect([uids(release), [...policyActions]]).toEqual([["a", "b", "c"], [["Ignore", 2], ["Count", 1]]]);
  });

  test("at most 500 pods a sync", () => {
    const pods = Array.from({ length: 501 }, (_, i) => succeeded(`p${i}`));
    const { release, full, status } = settled(worldOf(jobOf({ completions: 600, parallelism: 0 }, seen()), pods));
    expect([release.length, full, status.uncountedTerminatedPods?.succeeded?.length]).toEqual([500, true, 500]);
    expect(settled(worldOf(jobOf({ completions: 600, parallelism: 0 }, seen()), pods.slice(0, 499))).full).toBe(false);
  });

  test("while the Job is deleted every pod is let go, and only ended ones count", () => {
    const job = jobOf({ completions: 2, parallelism: 2 }, seen({ active: 1 }), { deletionTimestamp: at(1) });
    const { status, release } = settled(worldOf(job, [running("a"), succeeded("b")]));
    expect([uids(release), status.uncountedTerminatedPods]).toEqual([["a", "b"], { succeeded: ["b"] }]);
  });
});

describe("Indexed", () => {
  test("successes are indexes, and the number follows from them", () => {
    const { status, release } = settled(worldOf(indexedJob(5, { parallelism: 0 }, seen({ completedIndexes: "0" })), [succeeded("a", { index: 3 }), succeeded("b", { index: 1 }), succeeded("c", { index: 1 }), succeeded("d", { index: 7 })]));
    expect(status).toMatchObject({ completedIndexes: "0,1,3", succeeded: 3, uncountedTerminatedPods: {} });
    expect(uids(release)).toEqual(["b", "c", "a", "d"]);
  });

  test("lowered completions drop indexes", () => {
    const { status, flush } = settled(worldOf(indexedJob(2, {}, seen({ active: 1, completedIndexes: "0,2,4", succeeded: 3 })), [running("a", { index: 1 })]));
    expect([status.completedIndexes, status.succeeded, flush]).toEqual(["0", 1, true]);
    expect(settled(worldOf(indexedJob(0, {}, seen({ completedIndexes: "0,2", succeeded: 2 })))).status.completedIndexes).toBeUndefined();
  });

  test("a failed pod is kept until its index has its next pod", () => {
    const job = indexedJob(1, { backoffLimitPerIndex: 1 }, seen({ failedIndexes: "" }));
    const waiting = settled(worldOf(job, [failed("a", { index: 0, failures: 0 })]));
    expect([waiting.release, waiting.status.uncountedTerminatedPods, waiting.flush]).toEqual([[], {}, false]);
    const replaced = settled(worldOf(job, [failed("a", { index: 0, failures: 0 }), running("b", { index: 0, failures: 1 })]));
    expect([uids(replaced.release), replaced.status.uncountedTerminatedPods]).toEqual([["a"], { failed: ["a"] }]);
  });

  test("failed indexes are listed, also when there are none", () => {
    const job = indexedJob(3, { backoffLimitPerIndex: 0 });
    expect(settled(worldOf(job)).status.failedIndexes).toBe("");
    const { status, flush } = settled(worldOf(indexedJob(3, { backoffLimitPerIndex: 0, parallelism: 0 }, seen({ failedIndexes: "" })), [failed("a", { index: 2, failures: 0 })]));
    expect([status.failedIndexes, status.uncountedTerminatedPods, flush]).toEqual(["2", { failed: ["a"] }, true]);
  });

  test.each([
    { name: "what stands stays: succeeded", before: { completedIndexes: "0", failedIndexes: "" }, want: ["0", ""] },
    { name: "what stands stays: failed", before: { failedIndexes: "0" }, want: [undefined, "0"] },
    { name: "else success", before: { failedIndexes: "" }, want: ["0", ""] },
  ])("an index with a success and a failure is one of them; $name", ({ before, want }) => {
    const { status } = settled(worldOf(indexedJob(2, { backoffLimitPerIndex: 0, parallelism: 0 }, seen(before)), [succeeded("a", { index: 0 }), failed("b", { index: 0, failures: 0 })]));
    expect([status.completedIndexes, status.failedIndexes]).toEqual(want);
  });

  test("failed pods without a place are let go uncounted", () => {
    const { status, release } = settled(worldOf(indexedJob(2, { parallelism: 0 }, seen()), [failed("a"), failed("b", { index: 5 })]));
    expect([status.uncountedTerminatedPods, uids(release)]).toEqual([{}, ["b", "a"]]);
  });
});

describe("suspension", () => {
  const was = (status: string) => ({ type: "Suspended", status, reason: status === "True" ? "JobSuspended" : "JobResumed", message: status === "True" ? "Job suspended" : "Job resumed" });
  test.each([
    { name: "suspended from the start", suspend: true, status: {}, types: ["Suspended=True JobSuspended"], start: undefined, event: "Suspended" },
    { name: "suspended while it runs: the start is forgotten", suspend: true, status: seen(), types: ["Suspended=True JobSuspended"], start: undefined, event: "Suspended" },
    { name: "still suspended", suspend: true, status: { conditions: [was("True")] }, types: ["Suspended=True JobSuspended"], start: undefined, event: undefined },
    { name: "resumed: a new start", suspend: false, status: { conditions: [was("True")] }, types: ["Suspended=False JobResumed"], start: at(60), event: "Resumed" },
    { name: "never suspended", suspend: false, status: {}, types: [], start: at(60), event: undefined },
    { name: "suspended again, in place", suspend: true, status: seen({ conditions: [was("False")] }), types: ["Suspended=True JobSuspended"], start: undefined, event: "Suspended" },
  ])("$name", ({ suspend, status, types: want, start, event }) => {
    const result = settled(worldOf(jobOf({ suspend }, status)));
    expect([types(result.status), result.status.startTime, result.events[0]?.reason]).toEqual([want, start, event]);
    expect(result.events[0]?.message).toBe(event === undefined ? undefined : `Job ${event.toLowerCase()}`);
  });

  test("is not touched before the controller has seen its own pods", () => expect(settled(worldOf(jobOf({ suspend: true }), [], { caughtUp: false })).events).toEqual([]));
  test("a Job that is done is not suspended any more", () => expect(types(settled(worldOf(jobOf({ suspend: true, completions: 0 }))).status)).toEqual(["SuccessCriteriaMet CompletionsReached".replace(" ", "=True ")]));
});

describe("the end", () => {
  const limit = { backoffLimit: 0, completions: 4, parallelism: 4 };
  test("a failure counts every pod that has not succeeded", () => {
    const world = worldOf(jobOf(limit, seen({ active: 3, ready: 1, succeeded: 1 })), [failed("a"), running("b", { ready: true }), podOf({ uid: "c" })]);
    const { status, release, terminal } = settled(world);
    expect(status).toMatchObject({ ready: 0, terminating: 2, uncountedTerminatedPods: { failed: ["a", "b", "c"] } });
    expect([types(status), uids(release), terminal?.type, terminal?.reason]).toEqual([["FailureTarget=True BackoffLimitExceeded"], ["a", "b", "c"], "Failed", "BackoffLimitExceeded"]);
  });

  test("a success by policy counts none of the rest", () => {
    const world = worldOf(indexedJob(3, { successPolicy: { rules: [{ succeededCount: 1 }] } }, seen({ active: 3 })), [succeeded("a", { index: 0 }), running("b", { index: 1 }), failed("c", { index: 2 })]);
    const { status, release, terminal } = settled(world);
    expect([status.completedIndexes, status.uncountedTerminatedPods, uids(release)]).toEqual(["0", { failed: ["c"] }, ["a", "b", "c"]]);
    expect([types(status), terminal?.type]).toEqual([["SuccessCriteriaMet=True SuccessPolicy"], "Complete"]);
  });

  test.each([
    { name: "a pod could not be deleted", rest: {}, deleted: 0 },
    { name: "own pods were not seen yet", rest: { caughtUp: false }, deleted: 1 },
  ])("is put off while $name", ({ rest, deleted }) => {
    const pods = [failed("a"), running("b")];
    const result = settled(worldOf(jobOf(limit, seen()), pods, rest), { deleted: pods.slice(1, 1 + deleted), created: 0 });
    expect([types(result.status), result.terminal, uids(result.release)]).toEqual([[], undefined, ["a"]]);
  });

  test.each([
    { name: "all completions", spec: { completions: 2, parallelism: 2 }, status: { succeeded: 1 }, pods: [succeeded("a")], complete: true },
    { name: "one is missing", spec: { completions: 3, parallelism: 0 }, status: { succeeded: 1 }, pods: [succeeded("a")], complete: false },
    { name: "a work queue with a success and nothing active", spec: { parallelism: 2 }, status: {}, pods: [succeeded("a"), failed("b")], complete: true },
    { name: "a work queue that still works", spec: { parallelism: 2 }, status: {}, pods: [succeeded("a"), running("b")], complete: false },
    { name: "a work queue without success", spec: { parallelism: 0 }, status: { failed: 1 }, pods: [], complete: false },
    { name: "no completions wanted", spec: { completions: 0 }, status: {}, pods: [], complete: true },
    { name: "surplus pods go with it", spec: { completions: 1 }, status: { succeeded: 1 }, pods: [running("a")], complete: true },
  ])("completion: $name", ({ spec, status, pods, complete }) => {
    const result = settled(worldOf(jobOf(spec, seen(status)), pods));
    expect(types(result.status)).toEqual(complete ? ["SuccessCriteriaMet=True CompletionsReached"] : []);
    expect(result.terminal?.message).toBe(complete ? "Reached expected number of succeeded pods" : undefined);
  });

  test("surplus pods that were let go are not let go again", () => expect(settled(worldOf(jobOf({ completions: 1 }, seen({ succeeded: 1 })), [running("a")])).release).toEqual([]));
  test("what was announced is not announced again", () => {
    const conditions = [{ type: "FailureTarget", status: "True", reason: "X", message: "y" }];
    const { status, flush, terminal } = settled(worldOf(jobOf({}, seen({ conditions }))));
    expect([status.conditions === conditions, flush, terminal?.type]).toEqual([true, false, "Failed"]);
  });
});

describe("conclude", () => {
  const now = START + 61_000;
  function concluded(status: JobStatus, pods: readonly StoredPod[], released: readonly string[], spec = {}) {
    const world = worldOf(jobOf(spec, status), pods);
    const settlement = settled(world);
    return conclude({ ...world.job, status: settlement.status }, settlement, new Set(released), now);
  }

  test("the last pod completes the Job", () => {
    const { status, flush, finished, events } = concluded(seen({ active: 1 }), [succeeded("a")], ["a"]);
    expect(status).toMatchObject({ succeeded: 1, completionTime: at(61), uncountedTerminatedPods: {} });
    expect([types(status), flush, finished?.type]).toEqual([["SuccessCriteriaMet=True CompletionsReached", "Complete=True CompletionsReached"], true, "Complete"]);
    expect(events).toEqual([{ type: "Normal", reason: "Completed", message: "Job completed" }]);
  });

  test("a failed Job has no completion time, and says why", () => {
    const { status, events } = concluded(seen({ active: 1 }), [failed("a")], ["a"], { backoffLimit: 0 });
    expect([types(status).at(-1), status.failed, status.completionTime]).toEqual(["Failed=True BackoffLimitExceeded", 1, undefined]);
    expect(events).toEqual([{ type: "Warning", reason: "BackoffLimitExceeded", message: "Job has reached the specified backoff limit" }]);
  });

  test.each([
    { name: "a pod kept its finalizer", pods: [succeeded("a"), succeeded("b")], released: ["a"], want: { succeeded: 1, uncountedTerminatedPods: { succeeded: ["b"] } } },
    { name: "a pod is terminating", pods: [succeeded("a"), succeeded("b"), running("c", { deletedAt: 1, tracked: false })], released: ["a", "b"], want: { succeeded: 2, terminating: 1 } },
  ])("the end waits while $name", ({ pods, released, want }) => {
    const result = concluded(seen(), pods, released, { completions: 2, parallelism: 2 });
    expect([result.status, result.finished]).toMatchObject([want, undefined]);
    expect(types(result.status)).toEqual(["SuccessCriteriaMet=True CompletionsReached"]);
  });

  test("the end waits while there are more pods than one sync takes", () => {
    const pods = Array.from({ length: 500 }, (_, i) => succeeded(`p${i}`));
    const result = concluded(seen(), pods, pods.map((p) => p.metadata.uid), { completions: 500, parallelism: 500 });
    expect([result.status.succeeded, result.finished]).toEqual([500, undefined]);
  });

  test("more successes than completions are remarked upon", () => {
    const { events } = concluded(seen(), [succeeded("a"), succeeded("b")], ["a", "b"]);
    expect(events.map((e) => [e.type, e.reason])).toEqual([["Warning", "TooManySucceededPods"], ["Normal", "Completed"]]);
  });

  test("nothing to conclude is nothing to write", () => expect(concluded(seen({ active: 1 }), [running("a")], []).flush).toBe(false));
});
