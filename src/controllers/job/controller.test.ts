import { afterEach, describe, expect, test } from "vitest";
import { seededChance, seededIds } from "../../base/chance.ts";
import { silentLogger } from "../../base/logger.ts";
import type { JobSpec, JobStatus, Pod } from "../../api/generated/types.ts";
import type { Api, ApiRequest } from "../../api/request.ts";
import { JOBS, PODS } from "../../api/resource.ts";
import { conflict, forbidden, internalError, notFound, StatusError } from "../../api/status-error.ts";
import { openClient } from "../../client/client.ts";
import { openInformers } from "../../client/informers.ts";
import { openTestRegistry } from "../../registry/test-kinds.ts";
import { runController } from "../framework/controller.ts";
import { jobOf } from "./builders.ts";
import { openJobController } from "./controller.ts";
import type { StoredJob, StoredPod } from "./names.ts";

const settle = async () => {
  for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve));
};

type Fault = (request: ApiRequest) => Error | "lost" | undefined;

const open: AbortController[] = [];
afterEach(() => open.splice(0).forEach((stop) => stop.abort()));

/** The controller over a real registry; `fault` may answer in its stead, or lose the answer. */
async function start() {
  const registry = openTestRegistry();
  const faults: Fault[] = [];
  const calls: string[] = [];
  const api: Api = {
    async handle(request, caller) {
      const fault = faults.map((f) => f(request)).find((f) => f !== undefined);
      calls.push(`${request.verb} ${request.resource.plural}`);
      if (fault instanceof Error) throw fault;
      const answer = await registry.api.handle(request, caller);
      if (fault === "lost") throw internalError("the answer was lost");
      return answer;
    },
    watch: (...args) => registry.api.watch(...args),
  };
  const { clock } = registry;
  const chance = seededChance(1);
  const client = openClient(api, { user: { name: "system:controller", groups: [] }, userAgent: "test" });
  const informers = openInformers(client, { clock, chance, logger: silentLogger });
  const events: string[] = [];
  const counts: Record<string, number> = {};
  const context = {
    client, informers, clock, ids: seededIds(chance), chance, logger: silentLogger,
    recorder: { event: (_: unknown, __: unknown, ___: string, reason: string, message: string) => void events.push(`${reason}: ${message.replace(/-[a-z0-9]{5}$/, "")}`), flush: () => Promise.resolve() },
  };
  const metrics = { add: (name: string, labels: object, by: number) => void (counts[[name, ...Object.values(labels)].join(" ")] = (counts[[name, ...Object.values(labels)].join(" ")] ?? 0) + by), observe() {} };
  const controllers = openJobController(context, { metrics });
  const stop = new AbortController();
  open.push(stop);
  void informers.run(stop.signal);
  for (const controller of controllers) void runController(controller, stop.signal);
  await settle();
  const direct = openClient(registry.api, { user: { name: "user", groups: [] }, userAgent: "test" });
  const at = { namespace: "ns", name: "j" };
  const pods = async () => (await direct.list(PODS, "ns")).items;
  const advance = async (ms: number) => {
    for (let left = ms; left > 0; left -= 50) {
      clock.advance(Math.min(50, left));
      await settle();
    }
  };
  return {
    clock, direct, events, counts, calls, faults, pods, settle, advance, stop,
    async create(spec: Partial<JobSpec> = {}, metadata: object = {}) {
      const { spec: full } = jobOf({ podReplacementPolicy: "TerminatingOrFailed", ...spec });
      const labels = { "batch.kubernetes.io/controller-uid": "the-uid" };
      const job = { metadata: { name: "j", namespace: "ns", ...metadata }, spec: { ...full, selector: { matchLabels: labels }, template: { ...full.template, metadata: { labels } }, ...spec } };
      await direct.create(JOBS, "ns", job);
      await settle();
    },
    job: (): Promise<StoredJob> => direct.get(JOBS, at),
    status: async (): Promise<JobStatus> => (await direct.get(JOBS, at)).status ?? {},
    types: async () => ((await direct.get(JOBS, at)).status?.conditions ?? []).map((c) => c.type),
    async patchJob(patch: object) {
      await direct.patch(JOBS, at, "merge", patch);
      await settle();
    },
    async setPod(pod: StoredPod, status: Pod["status"]) {
      await direct.patch(PODS, { namespace: "ns", name: pod.metadata.name }, "merge", { status }, { subresource: "status" });
      await advance(250);
    },
  };
}

const finalizers = (pods: readonly StoredPod[]) => pods.map((p) => p.metadata.finalizers?.length ?? 0);

describe("a Job's way", () => {
  test("one pod is made, counted, and the Job completes", async () => {
    const t = await start();
    await t.create();
    const [pod] = await t.pods();
    expect(await t.status()).toMatchObject({ active: 1, ready: 0, terminating: 0, uncountedTerminatedPods: {} });
    expect(pod?.metadata).toMatchObject({ generateName: "j-", finalizers: ["batch.kubernetes.io/job-tracking"], ownerReferences: [{ kind: "Job", name: "j", controller: true, blockOwnerDeletion: true }] });
    if (pod) await t.setPod(pod, { phase: "Succeeded" });
    expect(await t.status()).toMatchObject({ succeeded: 1, ready: 0, uncountedTerminatedPods: {} });
    expect(await t.types()).toEqual(["SuccessCriteriaMet", "Complete"]);
    expect(finalizers(await t.pods())).toEqual([0]);
    expect(t.events).toEqual(["SuccessfulCreate: Created pod: j", "Completed: Job completed"]);
    expect(t.counts).toMatchObject({ "jobs_finished_total NonIndexed succeeded CompletionsReached": 1, "job_pods_finished_total NonIndexed succeeded": 1, "job_pods_creation_total new succeeded": 1, "terminated_pods_tracking_finalizer_total add": 1, "terminated_pods_tracking_finalizer_total delete": 1 });
  });

  test("an idle Job costs nothing: nothing is called", async () => {
    const t = await start();
    await t.create();
    await t.advance(10_000);
    const calls = t.calls.length;
    await t.advance(60_000);
    expect(t.calls.length).toBe(calls);
  });

  test("a failed pod is replaced after ten seconds", async () => {
    const t = await start();
    await t.create();
    const [pod] = await t.pods();
    if (pod) await t.setPod(pod, { phase: "Failed" });
    expect(await t.status()).toMatchObject({ failed: 1, uncountedTerminatedPods: {} });
    await t.advance(9000);
    expect(await t.pods()).toHaveLength(1);
    await t.advance(1500);
    expect(await t.pods()).toHaveLength(2);
  });

  test("suspending deletes pods and resuming makes new ones", async () => {
    const t = await start();
    await t.create({ completions: 2, parallelism: 2 });
    await t.patchJob({ spec: { suspend: true } });
    await t.advance(250);
    expect(await t.pods()).toEqual([]);
    expect(await t.status()).toMatchObject({ terminating: 2 });
    await t.advance(1000);
    expect(await t.status()).toMatchObject({ terminating: 0, conditions: [{ type: "Suspended", status: "True" }] });
    await t.patchJob({ spec: { suspend: false } });
    await t.advance(250);
    expect(await t.pods()).toHaveLength(2);
    expect(t.events).toEqual(["SuccessfulCreate: Created pod: j", "SuccessfulCreate: Created pod: j", "SuccessfulDelete: Deleted pod: j", "SuccessfulDelete: Deleted pod: j", "Suspended: Job suspended", "SuccessfulCreate: Created pod: j", "SuccessfulCreate: Created pod: j", "Resumed: Job resumed"]);
  });

  test("a deadline strikes by itself", async () => {
    const t = await start();
    await t.create({ activeDeadlineSeconds: 5 });
    await t.advance(4900);
    expect(await t.types()).toEqual([]);
    await t.advance(500);
    expect(await t.types()).toEqual(["FailureTarget"]);
    await t.advance(1000);
    expect(await t.types()).toEqual(["FailureTarget", "Failed"]);
    expect([await t.pods(), (await t.status()).failed]).toEqual([[], 1]);
    expect(t.events.at(-1)).toBe("DeadlineExceeded: Job was active longer than specified deadline");
  });

  test("time a pod is ready shows a little later, and only once", async () => {
    const t = await start();
    await t.create();
    const [pod] = await t.pods();
    const writes = () => t.calls.filter((c) => c === "update jobs").length;
    const before = writes();
    if (pod) await t.setPod(pod, { phase: "Running", conditions: [{ type: "Ready", status: "True" }] });
    expect([(await t.status()).ready, writes() - before]).toEqual([1, 1]);
  });

  test("a foreign controller's Job is left alone", async () => {
    const t = await start();
    await t.create({ managedBy: "example.com/queue" });
    await t.advance(1000);
    expect([await t.pods(), await t.status()]).toEqual([[], {}]);
    expect(t.counts).toEqual({ "jobs_by_external_controller_total example.com/queue": 1 });
  });

  test("an unknown completion mode is remarked upon and skipped", async () => {
    const t = await start();
    await t.create({ completionMode: "Odd" });
    expect([t.events, await t.pods()]).toEqual([["UnknownCompletionMode: Skipped Job sync because completion mode is unknown"], []]);
  });
});

describe("pods that come and go", () => {
  const stray = (name: string, more: object = {}) => ({ metadata: { name, namespace: "ns", labels: { app: "x" }, ...more }, spec: { containers: [] } });
  const byHand = { manualSelector: true, selector: { matchLabels: { app: "x" } }, template: { metadata: { labels: { app: "x" } }, spec: { containers: [] } } };

  test("a stray pod that matches is adopted, before the Job or after it", async () => {
    const t = await start();
    await t.direct.create(PODS, "ns", stray("early"));
    await t.create({ ...byHand, completions: 2, parallelism: 2 });
    const owned = (await t.pods()).filter((p) => p.metadata.ownerReferences);
    expect([owned.length, (await t.status()).active]).toEqual([2, 2]);
    await t.direct.create(PODS, "ns", stray("late"));
    await t.advance(250);
    expect((await t.pods()).filter((p) => p.metadata.ownerReferences)).toHaveLength(2);
    expect(t.events.filter((e) => e.startsWith("SuccessfulDelete"))).toHaveLength(1);
  });

  test("a pod that stops matching is released and replaced", async () => {
    const t = await start();
    await t.create();
    const [pod] = await t.pods();
    await t.direct.patch(PODS, { namespace: "ns", name: pod?.metadata.name ?? "" }, "merge", { metadata: { labels: { "batch.kubernetes.io/controller-uid": "other" } } });
    await t.advance(250);
    const all = await t.pods();
    expect(all.map((p) => p.metadata.ownerReferences?.length ?? 0).sort((a, b) => a - b)).toEqual([0, 1]);
    expect(finalizers(all).sort((a, b) => a - b)).toEqual([0, 1]);
  });

  test("an orphan loses its finalizer", async () => {
    const t = await start();
    await t.direct.create(PODS, "ns", stray("alone", { finalizers: ["batch.kubernetes.io/job-tracking"] }));
    await t.advance(100);
    expect(finalizers(await t.pods())).toEqual([0]);
  });

  test("pods of a deleted Job lose the finalizer", async () => {
    const t = await start();
    await t.create();
    await t.direct.delete(JOBS, { namespace: "ns", name: "j" }, { propagationPolicy: "Background" });
    await t.advance(250);
    expect(finalizers(await t.pods())).toEqual([0]);
  });

  test("a pod that somebody deletes counts as failed", async () => {
    const t = await start();
    await t.create();
    const [pod] = await t.pods();
    await t.direct.delete(PODS, { namespace: "ns", name: pod?.metadata.name ?? "" });
    await t.advance(250);
    expect([await t.pods(), await t.status()]).toMatchObject([[], { failed: 1, terminating: 1 }]);
    await t.advance(1000);
    expect(await t.status()).toMatchObject({ failed: 1, terminating: 0 });
  });
});

describe("when calls fail", () => {
  const on = (verb: string, plural: string, result: Error | "lost", times = 1): Fault => {
    let left = times;
    return (r) => (r.verb === verb && r.resource.plural === plural && left-- > 0 ? result : undefined);
  };

  test("a refused creation is told, and tried again after a second", async () => {
    const t = await start();
    t.faults.push(on("create", "pods", forbidden(PODS, "j-", "no quota")));
    await t.create({ completions: 4, parallelism: 4 });
    expect(t.events).toEqual(['FailedCreate: Error creating: pods "j-" is forbidden: no quota']);
    expect((await t.status()).active).toBeUndefined();
    await t.advance(1100);
    expect([(await t.pods()).length, (await t.status()).active]).toEqual([4, 4]);
    expect(t.counts).toMatchObject({ "job_pods_creation_total new failed": 1, "job_pods_creation_total new succeeded": 4 });
  });

  test("a namespace that is being deleted is not complained about", async () => {
    const t = await start();
    t.faults.push(on("create", "pods", new StatusError({ code: 403, reason: "Forbidden", message: "no", details: { causes: [{ reason: "NamespaceTerminating", message: "" }] } })));
    await t.create();
    expect(t.events).toEqual([]);
  });

  test.each([
    { name: "the first status write", nth: 1 },
    { name: "the second", nth: 2 },
  ])("a pod is counted once though the answer of $name is lost", async ({ nth }) => {
    const t = await start();
    await t.create({ completions: 2 });
    const [pod] = await t.pods();
    let seen = 0;
    t.faults.push((r) => (r.verb === "update" && r.resource.plural === "jobs" && ++seen === nth ? "lost" : undefined));
    if (pod) await t.setPod(pod, { phase: "Succeeded" });
    await t.advance(3000);
    expect(await t.status()).toMatchObject({ succeeded: 1, active: 1, uncountedTerminatedPods: {} });
  });

  test.each([
    { name: "refused", result: internalError("no") },
    { name: "lost", result: "lost" as const },
  ])("a finalizer's removal that is $name is tried again, and the pod counted once", async ({ result }) => {
    const t = await start();
    await t.create({ completions: 2 });
    const [pod] = await t.pods();
    t.faults.push(on("patch", "pods", result));
    if (pod) await t.setPod(pod, { phase: "Succeeded" });
    await t.advance(3000);
    expect(await t.status()).toMatchObject({ succeeded: 1, active: 1, uncountedTerminatedPods: {} });
  });

  test("a lost race is run again at once", async () => {
    const t = await start();
    t.faults.push(on("update", "jobs", conflict(JOBS, "j", "changed")));
    await t.create();
    await t.advance(1100);
    expect((await t.status()).active).toBe(1);
  });

  test("a deletion that fails is told, and the end waits for it", async () => {
    const t = await start();
    await t.create({ backoffLimit: 0, completions: 2, parallelism: 2 });
    const [pod] = await t.pods();
    t.faults.push(on("delete", "pods", internalError("no")));
    if (pod) await t.setPod(pod, { phase: "Failed" });
    expect([t.events.at(-1), await t.types()]).toEqual(["FailedDelete: Error deleting: Internal error occurred: no", []]);
    await t.advance(1100);
    expect([await t.types(), (await t.status()).failed, (await t.status()).terminating]).toEqual([["FailureTarget"], 2, 1]);
    await t.advance(1000);
    expect([await t.types(), (await t.status()).failed, (await t.status()).terminating]).toEqual([["FailureTarget", "Failed"], 2, 0]);
  });

  test("adoption asks the server first", async () => {
    const t = await start();
    await t.direct.create(PODS, "ns", { metadata: { name: "s", namespace: "ns", labels: { app: "x" } }, spec: { containers: [] } });
    t.faults.push(on("get", "jobs", notFound(JOBS, "j")));
    await t.create({ manualSelector: true, selector: { matchLabels: { app: "x" } }, template: { metadata: { labels: { app: "x" } }, spec: { containers: [] } } });
    expect((await t.pods()).map((p) => p.metadata.ownerReferences)).toEqual([undefined]);
    await t.advance(1100);
    expect((await t.pods()).map((p) => p.metadata.ownerReferences?.length)).toEqual([1]);
  });
});
