import { afterEach, describe, expect, test } from "vitest";
import { seededChance, seededIds } from "../../base/chance.ts";
import { silentLogger } from "../../base/logger.ts";
import { parseSchedule, type Schedule } from "../../api/cron/schedule.ts";
import type { CronJobSpec, CronJobStatus, JobStatus } from "../../api/generated/types.ts";
import { defineKind } from "../../api/kinds/define.ts";
import type { KubeObject } from "../../api/object.ts";
import type { Api, ApiRequest } from "../../api/request.ts";
import { CRON_JOBS, JOBS } from "../../api/resource.ts";
import { forbidden, internalError } from "../../api/status-error.ts";
import { openClient } from "../../client/client.ts";
import { openInformers } from "../../client/informers.ts";
import { openTestRegistry, testKinds } from "../../registry/test-kinds.ts";
import { runController } from "../framework/controller.ts";
import { openCronJobController } from "./controller.ts";
import { expiredJobs } from "./history.ts";
import { jobOfRun, type StoredCronJob, type StoredJob } from "./run.ts";
import { dueRun, recheckAt } from "./timing.ts";

const s = (text: string) => Date.parse(text);
const { type: _, ...resource } = CRON_JOBS;
const cronKind = defineKind<KubeObject>({ resource, schema: "io.k8s.api.batch.v1.CronJob", generation: "spec", status: {} });

const cronOf = (spec: Partial<CronJobSpec>, status: CronJobStatus = {}, created = "2026-01-01T00:00:00Z"): StoredCronJob => ({
  metadata: { name: "c", namespace: "ns", uid: "u", resourceVersion: "1", creationTimestamp: created },
  spec: { schedule: "* * * * *", jobTemplate: { spec: { template: { spec: { containers: [] } } } }, ...spec },
  status,
});

function scheduleOf(text: string): Schedule {
  const parsed = parseSchedule(text);
  if ("error" in parsed) throw new Error(parsed.error);
  return parsed.schedule;
}

describe("which run is due", () => {
  test.each([
    { name: "none yet", schedule: "0 * * * *", spec: {}, last: undefined, now: "2026-01-01T00:59:59Z", due: undefined, next: "2026-01-01T01:00:00.100Z" },
    { name: "the first", schedule: "0 * * * *", spec: {}, last: undefined, now: "2026-01-01T01:00:00Z", due: "2026-01-01T01:00:00Z", next: "2026-01-01T02:00:00.100Z" },
    { name: "of several missed ones the latest", schedule: "0 * * * *", spec: {}, last: undefined, now: "2026-01-01T05:30:00Z", due: "2026-01-01T05:00:00Z", next: "2026-01-01T06:00:00.100Z" },
    { name: "none after the last", schedule: "0 * * * *", spec: {}, last: "2026-01-01T05:00:00Z", now: "2026-01-01T05:30:00Z", due: undefined, next: "2026-01-01T06:00:00.100Z" },
    { name: "an irregular schedule", schedule: "30 6-16/4 * * 1-5", spec: {}, last: "2026-01-01T06:30:00Z", now: "2026-01-05T07:00:00Z", due: "2026-01-05T06:30:00Z", next: "2026-01-05T10:30:00.100Z" },
    { name: "nothing before the starting deadline", schedule: "0 * * * *", spec: { startingDeadlineSeconds: 600 }, last: undefined, now: "2026-01-01T05:30:00Z", due: undefined, next: "2026-01-01T06:00:00.100Z" },
    { name: "@every counts from the last run", schedule: "@every 90s", spec: {}, last: "2026-01-01T00:00:10Z", now: "2026-01-01T00:05:00Z", due: "2026-01-01T00:04:40Z", next: "2026-01-01T00:06:10.100Z" },
  ])("$name", ({ schedule, spec, last, now, due, next }) => {
    const parsed = scheduleOf(schedule);
    const cronJob = cronOf({ timeZone: "UTC", ...spec }, last === undefined ? {} : { lastScheduleTime: last });
    expect(dueRun(cronJob, s(now), parsed)).toMatchObject({ at: due === undefined ? undefined : s(due), tooMany: false });
    expect(recheckAt(cronJob, s(now), parsed)).toBe(s(next));
  });

  test("more than a hundred missed runs are too many, but the latest is due all the same", () => {
    expect(dueRun(cronOf({}), s("2026-01-01T03:00:00Z"), scheduleOf("* * * * *"))).toEqual(expect.objectContaining({ at: s("2026-01-01T03:00:00Z"), tooMany: true }));
  });

  test("a schedule that never comes is an error", () => {
    const schedule = scheduleOf("0 0 31 2 *");
    expect(dueRun(cronOf({}), s("2026-01-01T03:00:00Z"), schedule)).toEqual({ error: "time difference between two schedules is less than 1 second" });
    expect(recheckAt(cronOf({}), s("2026-01-01T03:00:00Z"), schedule)).toBeUndefined();
  });
});

test("a run's Job", () => {
  const job = jobOfRun(cronOf({ timeZone: "Asia/Tokyo", jobTemplate: { metadata: { labels: { a: "b" }, annotations: { n: "x" } }, spec: { backoffLimit: 2, template: { spec: { containers: [] } } } } }), s("2026-01-01T00:00:00Z"));
  expect(job.metadata).toMatchObject({
    name: `c-${s("2026-01-01T00:00:00Z") / 60000}`,
    labels: { a: "b" },
    annotations: { n: "x", "batch.kubernetes.io/cronjob-scheduled-timestamp": "2026-01-01T09:00:00+09:00" },
    ownerReferences: [{ apiVersion: "batch/v1", kind: "CronJob", name: "c", uid: "u", controller: true, blockOwnerDeletion: true }],
  });
  expect(job.spec.backoffLimit).toBe(2);
});

test("the oldest finished Jobs beyond the limits expire", () => {
  const job = (name: string, type: string | undefined, startTime?: string): StoredJob => ({
    metadata: { name, uid: name, resourceVersion: "1", creationTimestamp: "" },
    spec: { template: {} },
    status: { ...(startTime && { startTime }), ...(type && { conditions: [{ type, status: "True" }] }) },
  });
  const jobs = [job("c", "Complete", "2026-01-01T00:00:03Z"), job("a", "Complete", "2026-01-01T00:00:01Z"), job("z", "Complete"), job("b", "Complete", "2026-01-01T00:00:01Z"), job("f", "Failed", "2026-01-01T00:00:01Z"), job("r", undefined)];
  const names = (spec: Partial<CronJobSpec>) => expiredJobs(cronOf(spec), jobs).map((j) => j.metadata.name);
  expect(names({ successfulJobsHistoryLimit: 2, failedJobsHistoryLimit: 0 })).toEqual(["a", "b", "f"]);
  expect(names({ successfulJobsHistoryLimit: 0, failedJobsHistoryLimit: 1 })).toEqual(["a", "b", "c", "z"]);
  expect(names({})).toEqual([]);
});

const settle = async () => {
  for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve));
};
const open: AbortController[] = [];
afterEach(() => open.splice(0).forEach((stop) => stop.abort()));

/** The controller over a registry whose clock stands at midnight. */
async function start() {
  const registry = openTestRegistry({ kinds: [...testKinds, cronKind] });
  const faults: ((r: ApiRequest) => Error | undefined)[] = [];
  const api: Api = {
    handle(request, caller) {
      const fault = faults.map((f) => f(request)).find((f) => f);
      return fault ? Promise.reject(fault) : registry.api.handle(request, caller);
    },
    watch: (...args) => registry.api.watch(...args),
  };
  const { clock } = registry;
  const chance = seededChance(1);
  const client = openClient(api, { user: { name: "c", groups: [] }, userAgent: "test" });
  const direct = openClient(registry.api, { user: { name: "u", groups: [] }, userAgent: "test" });
  const informers = openInformers(client, { clock, chance, logger: silentLogger });
  const events: string[] = [];
  const recorder = { event: (...[, , type, reason, message]: [unknown, unknown, string, string, string]) => void events.push(`${type} ${reason} ${message}`), flush: () => Promise.resolve() };
  const skew: number[] = [];
  const controller = openCronJobController({ client, informers, clock, ids: seededIds(chance), chance, logger: silentLogger, recorder }, { metrics: { observe: (_name, _labels, value) => void skew.push(value) } });
  const stop = new AbortController();
  open.push(stop);
  void informers.run(stop.signal);
  void runController(controller, stop.signal);
  await settle();
  const at = (name: string) => ({ namespace: "ns", name });
  return {
    clock, direct, events, faults, skew, settle,
    async advance(seconds: number) {
      for (let left = seconds; left > 0; left -= 10) {
        clock.advance(Math.min(10, left) * 1000);
        await settle();
      }
    },
    async create(spec: Partial<CronJobSpec> = {}) {
      await direct.create(CRON_JOBS, "ns", { metadata: { name: "c", namespace: "ns" }, spec: cronOf({ timeZone: "UTC", ...spec }).spec });
      await settle();
    },
    async patch(patch: object, subresource = "") {
      await direct.patch(CRON_JOBS, at("c"), "merge", patch, { subresource });
      await settle();
    },
    status: async () => (await direct.get(CRON_JOBS, at("c"))).status ?? {},
    jobs: async () => (await direct.list(JOBS, "ns")).items.map((j) => j.metadata.name),
    async setJob(name: string, status: JobStatus) {
      await direct.patch(JOBS, at(name), "merge", { status }, { subresource: "status" });
      await settle();
    },
    async remove(name: string) {
      await direct.delete(JOBS, at(name), { propagationPolicy: "Background" });
      await settle();
    },
  };
}

const minute = (n: number) => `c-${s("2024-01-01T00:00:00Z") / 60000 + n}`;
const complete = (completionTime: string): JobStatus => ({ completionTime, conditions: [{ type: "Complete", status: "True" }] });

describe("a CronJob's way", () => {
  test("a Job every minute, followed until it has ended", async () => {
    const t = await start();
    await t.create();
    expect(await t.jobs()).toEqual([]);
    await t.advance(61);
    expect(await t.jobs()).toEqual([minute(1)]);
    expect(await t.status()).toMatchObject({ lastScheduleTime: "2024-01-01T00:01:00Z", active: [{ kind: "Job", apiVersion: "batch/v1", namespace: "ns", name: minute(1) }] });
    expect(t.skew).toEqual([1]);
    await t.setJob(minute(1), complete("2024-01-01T00:01:30Z"));
    expect(await t.status()).toEqual({ lastScheduleTime: "2024-01-01T00:01:00Z", lastSuccessfulTime: "2024-01-01T00:01:30Z" });
    expect(t.events).toEqual([`Normal SuccessfulCreate Created job ${minute(1)}`, `Normal SawCompletedJob Saw completed job: ${minute(1)}, condition: Complete`]);
    await t.advance(60);
    expect(await t.jobs()).toEqual([minute(1), minute(2)]);
  });

  test("Forbid skips a run and starts it late", async () => {
    const t = await start();
    await t.create({ concurrencyPolicy: "Forbid" });
    await t.advance(130);
    expect(await t.jobs()).toEqual([minute(1)]);
    expect(t.events.at(-1)).toBe("Normal JobAlreadyActive Not starting job because prior execution is running and concurrency policy is Forbid");
    await t.setJob(minute(1), complete("2024-01-01T00:02:10Z"));
    expect(await t.jobs()).toEqual([minute(1), minute(2)]);
  });

  test("Replace deletes the running Job first", async () => {
    const t = await start();
    await t.create({ concurrencyPolicy: "Replace" });
    await t.advance(121);
    expect(await t.jobs()).toEqual([minute(2)]);
    expect((await t.status()).active?.map((ref) => ref.name)).toEqual([minute(2)]);
    expect(t.events.slice(-2)).toEqual([`Normal SuccessfulDelete Deleted job ${minute(1)}`, `Normal SuccessfulCreate Created job ${minute(2)}`]);
  });

  test("Replace that cannot delete starts nothing", async () => {
    const t = await start();
    await t.create({ concurrencyPolicy: "Replace" });
    await t.advance(61);
    t.faults.push((r) => (r.verb === "delete" ? internalError("no") : undefined));
    await t.advance(61);
    expect(await t.jobs()).toEqual([minute(1)]);
    expect(t.events).toContain("Warning FailedDelete Deleted job: Internal error occurred: no");
    t.faults.splice(0);
    await t.advance(61);
    expect((await t.jobs()).length).toBe(1);
  });

  test("suspended, it only follows its Jobs", async () => {
    const t = await start();
    await t.create();
    await t.advance(61);
    await t.patch({ spec: { suspend: true } });
    await t.advance(120);
    expect(await t.jobs()).toEqual([minute(1)]);
    await t.setJob(minute(1), { conditions: [{ type: "Failed", status: "True" }] });
    expect(await t.status()).toEqual({ lastScheduleTime: "2024-01-01T00:01:00Z" });
  });

  test("history limits hold", async () => {
    const t = await start();
    await t.create({ successfulJobsHistoryLimit: 1 });
    await t.advance(121);
    await t.setJob(minute(1), { ...complete("2024-01-01T00:02:00Z"), startTime: "2024-01-01T00:01:00Z" });
    await t.setJob(minute(2), { ...complete("2024-01-01T00:02:00Z"), startTime: "2024-01-01T00:02:00Z" });
    expect(await t.jobs()).toEqual([minute(2)]);
    expect(t.events).toContain(`Normal SuccessfulDelete Deleted job ${minute(1)}`);
  });

  test("an active Job that goes missing is dropped", async () => {
    const t = await start();
    await t.create();
    await t.advance(61);
    await t.remove(minute(1));
    expect(await t.status()).toEqual({ lastScheduleTime: "2024-01-01T00:01:00Z" });
    expect(t.events.at(-1)).toBe(`Normal MissingJob Active job went missing: ${minute(1)}`);
  });

  test("a Job that it did not make is remarked upon", async () => {
    const t = await start();
    await t.create({ suspend: true });
    const { uid } = (await t.direct.get(CRON_JOBS, { namespace: "ns", name: "c" })).metadata;
    await t.direct.create(JOBS, "ns", { metadata: { name: "by-hand", namespace: "ns", ownerReferences: [{ apiVersion: "batch/v1", kind: "CronJob", name: "c", uid, controller: true }] }, spec: { template: {} } });
    await t.settle();
    expect([t.events, await t.status()]).toEqual([["Warning UnexpectedJob Saw a job that the controller did not create or forgot: by-hand"], {}]);
  });

  test("a refused creation is told and tried again", async () => {
    const t = await start();
    await t.create();
    let left = 1;
    t.faults.push((r) => (r.verb === "create" && r.resource.plural === "jobs" && left-- > 0 ? forbidden(JOBS, "c", "no quota") : undefined));
    await t.advance(61);
    await t.advance(1);
    expect(t.events[0]).toBe('Warning FailedCreate Error creating job: jobs.batch "c" is forbidden: no quota');
    expect(await t.jobs()).toEqual([minute(1)]);
  });

  test("a Job whose listing was lost is listed at the next try", async () => {
    const t = await start();
    await t.create();
    let left = 1;
    t.faults.push((r) => (r.verb === "update" && r.resource.plural === "cronjobs" && left-- > 0 ? internalError("no") : undefined));
    await t.advance(62);
    expect([await t.jobs(), (await t.status()).active?.length]).toEqual([[minute(1)], 1]);
  });

  test("a name that is taken by a stranger starts nothing", async () => {
    const t = await start();
    await t.direct.create(JOBS, "ns", { metadata: { name: minute(1), namespace: "ns" }, spec: { template: {} } });
    await t.create();
    await t.advance(61);
    expect([await t.status(), t.events]).toEqual([{}, []]);
  });

  test.each([
    { name: "an unknown zone", spec: { timeZone: "Nowhere" }, want: 'Warning UnknownTimeZone invalid timeZone: "Nowhere": unknown time zone Nowhere' },
    { name: "an unreadable schedule", spec: { schedule: "often" }, want: 'Warning UnparseableSchedule unparseable schedule: "often" : expected exactly 5 fields, found 1: [often]' },
    { name: "an impossible schedule", spec: { schedule: "0 0 31 2 *" }, want: "Warning InvalidSchedule invalid schedule: 0 0 31 2 * : time difference between two schedules is less than 1 second" },
    { name: "a zone in the schedule", spec: { schedule: "TZ=UTC 0 0 1 1 *" }, want: 'Warning UnsupportedSchedule CRON_TZ or TZ used in schedule "TZ=UTC 0 0 1 1 *" is not officially supported, see https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/ for more details' },
  ])("$name is remarked upon", async ({ spec, want }) => {
    const t = await start();
    await t.create(spec);
    expect(t.events[0]).toBe(want);
  });

  test("a run past its deadline is not started", async () => {
    const t = await start();
    await t.create({ suspend: true, startingDeadlineSeconds: 0 });
    await t.advance(65);
    await t.patch({ spec: { suspend: false } });
    expect(await t.jobs()).toEqual([]);
  });

  test("a new schedule is looked at when it comes", async () => {
    const t = await start();
    await t.create({ schedule: "0 0 1 1 *" });
    await t.patch({ spec: { schedule: "5 0 * * *" } });
    await t.advance(301);
    expect(await t.jobs()).toEqual([minute(5)]);
    await t.patch({ spec: { schedule: "nonsense" } });
    expect(t.events.at(-1)).toBe("Warning UnParseableCronJobSchedule unparseable schedule for cronjob: nonsense");
  });
});
