import { describe, expect, test } from "vitest";
import { at, indexedJob, jobOf, podOf, START } from "./builders.ts";
import { adoptionPatch, claimPods, jobSelector, releasePatch, surplusPatch } from "./adoption.ts";
import { JobDirectory } from "./directory.ts";
import { Expectations } from "./expectations.ts";
import { PodLedger } from "./ledger.ts";
import { recordCounted, recordCreations, recordFinished, recordSync, recordTrackedPod, SYNC_DURATION_BUCKETS, type MetricSink } from "./metrics.ts";
import { isOrphan } from "./orphans.ts";
import { indexedNamePrefix, namePrefix, podFactory } from "./template.ts";
import { delayMs, urgencyOf } from "./wakeups.ts";

const SELECTOR = jobSelector(jobOf()) ?? [];
const uids = (pods: Iterable<{ metadata: { uid: string } }>) => [...pods].map((p) => p.metadata.uid);

describe("claims", () => {
  const pods = [podOf({ uid: "own" }), podOf({ uid: "strayed", labels: {} }), podOf({ uid: "orphan", owner: null }), podOf({ uid: "leaving", owner: null, deletedAt: 1 }), podOf({ uid: "stranger", owner: null, labels: {} }), podOf({ uid: "other", owner: "x" })];
  test.each([
    { name: "a living Job", job: jobOf(), want: [["own"], ["orphan"], ["strayed"]] },
    { name: "a Job that is being deleted takes and releases nothing", job: jobOf({}, {}, { deletionTimestamp: at(1) }), want: [["own"], [], []] },
  ])("$name", ({ job, want }) => {
    const { keep, adopt, release } = claimPods(job, SELECTOR, pods);
    expect([uids(keep), uids(adopt), uids(release)]).toEqual(want);
  });

  test("a Job without a selector has none; one with an unknown operator neither", () => {
    const { selector: _, ...spec } = jobOf().spec;
    expect(jobSelector({ ...jobOf(), spec })).toBeUndefined();
    expect(jobSelector(jobOf({ selector: { matchExpressions: [{ key: "a", operator: "Near" }] } }))).toBeUndefined();
  });

  test("the patches", () => {
    const reference = { apiVersion: "batch/v1", kind: "Job", name: "j", uid: "job-uid", controller: true, blockOwnerDeletion: true };
    expect(adoptionPatch(jobOf(), podOf({ uid: "p" }))).toEqual({ metadata: { uid: "p", ownerReferences: [reference], finalizers: ["batch.kubernetes.io/job-tracking"] } });
    expect(releasePatch(jobOf(), podOf({ uid: "p" }))).toEqual({ metadata: { uid: "p", ownerReferences: [{ $patch: "delete", uid: "job-uid" }], "$deleteFromPrimitiveList/finalizers": ["batch.kubernetes.io/job-tracking"] } });
    expect(surplusPatch(podOf({ uid: "p" }))).toEqual({ metadata: { resourceVersion: "1", "$deleteFromPrimitiveList/finalizers": ["batch.kubernetes.io/job-tracking"] } });
  });
});

describe("pods from a template", () => {
  test("a plain pod", () => {
    const job = jobOf({ template: { metadata: { labels: { a: "b" }, annotations: { n: "x" }, finalizers: ["f"] }, spec: { containers: [] } } });
    expect(podFactory(job)()).toMatchObject({ metadata: { generateName: "j-", namespace: "ns", labels: { a: "b" }, annotations: { n: "x" }, finalizers: ["f", "batch.kubernetes.io/job-tracking"] } });
  });

  test("an indexed pod knows its index", () => {
    const own = { name: "JOB_COMPLETION_INDEX", value: "mine" };
    const template = { spec: { hostname: "chosen", containers: [{ name: "a" }, { name: "b", env: [own] }], initContainers: [{ name: "i", env: [{ name: "X", value: "y" }] }] } };
    const { metadata, spec } = podFactory(indexedJob(3, { template }))(2);
    const field = { name: "JOB_COMPLETION_INDEX", valueFrom: { fieldRef: { fieldPath: "metadata.labels['batch.kubernetes.io/job-completion-index']" } } };
    expect(metadata).toMatchObject({ generateName: "j-2-", labels: { "batch.kubernetes.io/job-completion-index": "2" }, annotations: { "batch.kubernetes.io/job-completion-index": "2" } });
    expect(metadata.annotations).not.toHaveProperty("batch.kubernetes.io/job-index-failure-count");
    expect([spec.hostname, spec.containers.map((c) => c.env), spec.initContainers?.map((c) => c.env)]).toEqual(["j-2", [[field], [own]], [[{ name: "X", value: "y" }, field]]]);
  });

  test("with a limit per index it carries the failures", () => {
    const make = podFactory(indexedJob(3, { backoffLimitPerIndex: 1 }));
    expect(make(0).metadata.annotations).toMatchObject({ "batch.kubernetes.io/job-index-failure-count": "0" });
    expect(make(0).metadata.annotations).not.toHaveProperty("batch.kubernetes.io/job-index-ignored-failure-count");
  });

  test.each([
    { name: "short", index: 7, want: "short-7-" },
    { name: "n".repeat(60), index: 12, want: `${"n".repeat(54)}-12-` },
    { name: "n".repeat(55), index: 1, want: `${"n".repeat(55)}-1-` },
  ])("the prefix of $name at $index", ({ name, index, want }) => expect(indexedNamePrefix(name, index)).toBe(want));

  test("a name that could not go on with a dash stays bare", () => expect([namePrefix("a"), namePrefix("No")]).toEqual(["a-", "No"]));
});

describe("the ledger", () => {
  test("keeps pods that matter, and those that were let go until they were looked at", () => {
    const ledger = new PodLedger();
    const open = podOf({ uid: "a", phase: "Running" });
    ledger.set(open, undefined);
    const done = podOf({ uid: "a", phase: "Succeeded", tracked: false });
    expect([uids(ledger.open("job-uid").values()), uids(ledger.settled("job-uid").values())]).toEqual([["a"], []]);
    ledger.set(done, open);
    expect([uids(ledger.open("job-uid").values()), uids(ledger.settled("job-uid").values())]).toEqual([[], ["a"]]);
    ledger.dismiss("job-uid", [podOf({ uid: "a" })]);
    expect(ledger.settled("job-uid").size).toBe(1);
    ledger.dismiss("job-uid", [done]);
    ledger.dismiss("nobody", [done]);
    expect(ledger.settled("job-uid").size).toBe(0);
    ledger.set(open, done);
    ledger.delete(open);
    expect(ledger.open("job-uid").size).toBe(0);
  });

  test("follows pods that change hands", () => {
    const ledger = new PodLedger();
    const [mine, orphan, theirs] = [podOf({ uid: "a" }), podOf({ uid: "a", owner: null }), podOf({ uid: "a", owner: "x" })];
    const manual = [{ key: "app", operator: "=" as const, values: ["x"] }];
    ledger.set(mine, undefined);
    ledger.set(orphan, mine);
    expect([ledger.open("job-uid").size, uids(ledger.orphans("ns", SELECTOR)), uids(ledger.orphans("ns", manual)), uids(ledger.orphans("other", manual))]).toEqual([0, ["a"], ["a"], []]);
    ledger.set(theirs, orphan);
    expect([ledger.open("x").size, uids(ledger.orphans("ns", SELECTOR))]).toEqual([1, []]);
    ledger.set(podOf({ uid: "b", owner: null }), undefined);
    ledger.set(podOf({ uid: "c", owner: null }), undefined);
    ledger.delete(podOf({ uid: "b", owner: null }));
    expect(uids(ledger.orphans("ns", SELECTOR))).toEqual(["c"]);
  });
});

describe("expectations", () => {
  test("a pod that was made is awaited until it is seen", () => {
    const e = new Expectations();
    const pod = podOf({ uid: "a" });
    e.beginCreating("j");
    e.created("j", pod, 0);
    e.endCreating("j");
    expect([e.caughtUp("j"), uids(e.unseen("j")), e.overdue("j", 4999), uids(e.overdue("j", 5000))]).toEqual([false, ["a"], [], ["a"]]);
    e.stillThere("j", pod, 5000);
    expect(e.overdue("j", 9000)).toEqual([]);
    e.stillThere("j", podOf({ uid: "b" }), 0);
    expect([e.observe("j", pod), e.caughtUp("j"), e.unseen("j"), e.observe("j", pod)]).toEqual([true, true, [], false]);
  });

  test.each([{ gone: false }, { gone: true }])("a pod that was seen before its answer came is not awaited; gone: $gone", ({ gone }) => {
    const e = new Expectations();
    const pod = podOf({ uid: "a" });
    e.beginCreating("j");
    if (gone) e.observeGone("j", "a");
    else e.observe("j", pod);
    e.created("j", pod, 0);
    e.endCreating("j");
    expect(e.caughtUp("j")).toBe(true);
  });

  test("a deletion is awaited until it shows, a removed finalizer too", () => {
    const e = new Expectations();
    e.deleting("j", "a");
    e.releasing("j", "b");
    expect([e.caughtUp("j"), [...e.releasingOf("j")], e.observe("j", podOf({ uid: "a" })), e.observe("j", podOf({ uid: "b" }))]).toEqual([false, ["b"], false, false]);
    expect([e.observe("j", podOf({ uid: "a", deletedAt: 1 })), e.observe("j", podOf({ uid: "b", tracked: false }))]).toEqual([true, true]);
    expect([e.caughtUp("j"), e.releasingOf("j").size]).toEqual([true, 0]);
  });

  test("what failed, is gone or forgotten is not awaited", () => {
    const e = new Expectations();
    e.deleting("j", "a");
    e.notDeleting("j", "a");
    e.releasing("j", "b");
    e.notReleasing("j", "b");
    e.notReleasing("nobody", "b");
    e.observeGone("nobody", "b");
    expect([e.caughtUp("j"), e.releasingOf("j").size]).toEqual([true, 0]);
    e.deleting("j", "a");
    e.observeGone("j", "a");
    expect(e.caughtUp("j")).toBe(true);
    e.deleting("j", "a");
    e.forget("j");
    expect([e.caughtUp("j"), e.overdue("j", 0), e.unseen("j")]).toEqual([true, [], []]);
  });
});

describe("how soon a Job looks", () => {
  const running = podOf({ uid: "a", phase: "Running", ready: false });
  test.each([
    { name: "a new pod", pod: running, old: undefined, want: "now" },
    { name: "it ended", pod: podOf({ uid: "a", phase: "Failed" }), old: running, want: "now" },
    { name: "it is to be deleted", pod: podOf({ uid: "a", phase: "Running", deletedAt: 1 }), old: running, want: "now" },
    { name: "it lost the finalizer", pod: podOf({ uid: "a", phase: "Running", tracked: false }), old: running, want: "now" },
    { name: "other labels", pod: podOf({ uid: "a", phase: "Running", labels: { a: "b" } }), old: running, want: "now" },
    { name: "more labels", pod: podOf({ uid: "a", phase: "Running", labels: { ...running.metadata.labels, a: "b" } }), old: running, want: "now" },
    { name: "another owner", pod: podOf({ uid: "a", phase: "Running", owner: "x" }), old: running, want: "now" },
    { name: "another index", pod: podOf({ uid: "a", phase: "Running", index: 1 }), old: running, want: "now" },
    { name: "another end", pod: podOf({ uid: "a", phase: "Failed" }), old: podOf({ uid: "a", phase: "Succeeded" }), want: "now" },
    { name: "it is ready", pod: podOf({ uid: "a", phase: "Running", ready: true }), old: running, want: "soon" },
    { name: "it restarted", pod: podOf({ uid: "a", phase: "Running", restarts: 1 }), old: running, want: "soon" },
    { name: "nothing that counts", pod: podOf({ uid: "a", phase: "Running", node: "n" }), old: running, want: "none" },
  ])("$name: $want", ({ pod, old, want }) => expect(urgencyOf(pod, old)).toBe(want));

  test.each([
    { name: "the first look", urgency: "now" as const, last: undefined, now: 0, want: 0 },
    { name: "a counter", urgency: "soon" as const, last: undefined, now: 0, want: 100 },
    { name: "right after a quick sync", urgency: "now" as const, last: { endedAt: 100, tookMs: 1 }, now: 101, want: 2 },
    { name: "right after a slow one", urgency: "now" as const, last: { endedAt: 100, tookMs: 40 }, now: 100, want: 5 },
    { name: "after a very slow one", urgency: "now" as const, last: { endedAt: 100, tookMs: 4000 }, now: 100, want: 10 },
    { name: "long after", urgency: "now" as const, last: { endedAt: 100, tookMs: 40 }, now: 900, want: 0 },
  ])("$name waits $want ms", ({ urgency, last, now, want }) => expect(delayMs(urgency, last, now)).toBe(want));
});

test("the directory finds Jobs for a stray pod", () => {
  const directory = new JobDirectory();
  const generated = jobOf();
  const manual = jobOf({ selector: { matchLabels: { app: "x" } } }, {}, { uid: "m", name: "m" });
  const second = jobOf({ selector: { matchLabels: { app: "x" } } }, {}, { uid: "s", name: "s" });
  for (const job of [generated, manual, second, jobOf({ selector: { matchExpressions: [{ key: "a", operator: "?" }] } })]) directory.set(job);
  expect(directory.matching(podOf())).toEqual(["ns/j"]);
  expect(directory.matching(podOf({ labels: { app: "x" } }))).toEqual(["ns/m", "ns/s"]);
  for (const job of [generated, manual, second]) directory.delete(job);
  expect([directory.matching(podOf()), directory.matching(podOf({ labels: { app: "x" } }))]).toEqual([[], []]);
});

describe("orphans", () => {
  const finished = { conditions: [{ type: "Complete", status: "True" }] };
  test.each([
    { name: "no finalizer", pod: podOf({ owner: null, tracked: false }), job: undefined, want: false },
    { name: "no owner", pod: podOf({ owner: null }), job: undefined, want: true },
    { name: "the Job is gone", pod: podOf(), job: undefined, want: true },
    { name: "another Job has its name", pod: podOf(), job: jobOf({}, {}, { uid: "new" }), want: true },
    { name: "the Job works", pod: podOf(), job: jobOf(), want: false },
    { name: "the Job is finished", pod: podOf(), job: jobOf({}, finished), want: true },
    { name: "the Job is being deleted, its pod matches", pod: podOf(), job: jobOf({}, {}, { deletionTimestamp: at(1) }), want: false },
    { name: "the Job is being deleted, its pod matches no more", pod: podOf({ labels: {} }), job: jobOf({}, {}, { deletionTimestamp: at(1) }), want: true },
    { name: "a foreign controller's Job is finished", pod: podOf(), job: jobOf({ managedBy: "example.com/x" }, finished), want: false },
  ])("$name: $want", ({ pod, job, want }) => expect(isOrphan(pod, { get: () => job })).toBe(want));

  test("another kind of owner looks after its pods itself", () => {
    const pod = podOf();
    const owned = { ...pod, metadata: { ...pod.metadata, ownerReferences: [{ apiVersion: "v1", kind: "ReplicationController", name: "r", uid: "r", controller: true }] } };
    expect(isOrphan(owned, { get: () => undefined })).toBe(false);
  });
});

describe("metrics", () => {
  function sink() {
    const lines: string[] = [];
    const note = (name: string, labels: object, value: number) => void lines.push([name, ...Object.values(labels), value].join(" "));
    return { lines, metrics: { add: note, observe: note } satisfies MetricSink };
  }

  test("a sync, an end, creations, tracked pods", () => {
    const { lines, metrics } = sink();
    recordSync(metrics, jobOf(), { ok: false, action: "tracking", seconds: 2 });
    recordFinished(metrics, indexedJob(1), { type: "Failed", status: "True", reason: "X" });
    recordCreations(metrics, jobOf(), { failed: 0, terminating: 1 }, 2, 1);
    recordCreations(metrics, jobOf({ podReplacementPolicy: "Failed" }), { failed: 1, terminating: 0 }, 1, 0);
    recordCreations(metrics, jobOf(), { failed: 0, terminating: 0 }, 1, 0);
    recordTrackedPod(metrics, podOf(), podOf({ phase: "Failed" }));
    recordTrackedPod(metrics, podOf({ phase: "Failed" }), undefined);
    recordTrackedPod(metrics, podOf(), podOf());
    expect(lines).toEqual([
      "job_sync_duration_seconds NonIndexed error tracking 2", "job_syncs_total NonIndexed error tracking 1", "jobs_finished_total Indexed failed X 1",
      "job_pods_creation_total recreate_terminating_or_failed succeeded 2", "job_pods_creation_total recreate_terminating_or_failed failed 1", "job_pods_creation_total recreate_failed succeeded 1",
      "job_pods_creation_total new succeeded 1", "terminated_pods_tracking_finalizer_total add 1", "terminated_pods_tracking_finalizer_total delete 1",
    ]);
  });

  test.each([
    { name: "plain", job: jobOf({ completions: 9 }), before: { succeeded: 1 }, after: { succeeded: 3, failed: 1 }, want: ["job_pods_finished_total NonIndexed succeeded 2", "job_pods_finished_total NonIndexed failed 1"] },
    { name: "indexed", job: indexedJob(9), before: { completedIndexes: "1" }, after: { completedIndexes: "1-3" }, want: ["job_finished_indexes_total succeeded global 2", "job_pods_finished_total Indexed succeeded 2"] },
    { name: "per index", job: indexedJob(9, { backoffLimitPerIndex: 1 }), before: {}, after: { failedIndexes: "4" }, want: ["job_finished_indexes_total failed perIndex 1"] },
    { name: "what shrinks takes nothing back", job: indexedJob(2), before: { completedIndexes: "0,1" }, after: { completedIndexes: "0" }, want: [] },
  ])("counted pods: $name", ({ job, before, after, want }) => {
    const { lines, metrics } = sink();
    recordCounted(metrics, job, before, after);
    expect(lines).toEqual(want);
  });

  test("the buckets are upstream's", () => expect([SYNC_DURATION_BUCKETS.length, SYNC_DURATION_BUCKETS[0], SYNC_DURATION_BUCKETS[14]]).toEqual([15, 0.004, 0.004 * 2 ** 14]));
});

test("tests begin at a round time", () => expect(at(0)).toBe(new Date(START).toISOString().replace(".000", "")));
