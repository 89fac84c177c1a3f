import { describe, expect, test } from "vitest";
import type { Api, ApiRequest } from "../../api/request.ts";
import { JOBS, PODS } from "../../api/resource.ts";
import { conflict, forbidden, internalError, notFound, StatusError } from "../../api/status-error.ts";
import { openClient } from "../../client/client.ts";
import { VirtualClock } from "../../base/clock.ts";
import { NO_FAILURES } from "./backoff.ts";
import { jobOf, podOf, START } from "./builders.ts";
import { jobExecutors } from "./execute.ts";
import { Expectations, UNSEEN_MS_MAX } from "./expectations.ts";
import { PodLedger } from "./ledger.ts";
import { NO_METRICS } from "./metrics.ts";
import type { StoredJob } from "./names.ts";
import { JobSync } from "./sync.ts";

/** An API that answers each request with the next of `answers`: an object, or an error that is thrown. */
function start(...answers: readonly unknown[]) {
  const rest = [...answers];
  const requests: ApiRequest[] = [];
  const api: Api = {
    handle(request) {
      requests.push(request);
      const answer = rest.shift() ?? internalError("not expected");
      // Not every client throws errors: a text does.
      if (typeof answer === "string") return Promise.resolve().then(() => Promise.reject<never>(answer as never));
      return answer instanceof Error ? Promise.reject(answer) : Promise.resolve({ code: 200, body: answer as never, warnings: [] });
    },
    watch: () => Promise.reject(new Error("no watch")),
  };
  const clock = new VirtualClock(START);
  const expectations = new Expectations();
  const events: string[] = [];
  const client = openClient(api, { user: { name: "c", groups: [] }, userAgent: "test" });
  const record = (_job: StoredJob, { type, reason, message }: { type: string; reason: string; message: string }) => void events.push(`${type} ${reason}: ${message}`);
  const execute = jobExecutors({ client, clock, expectations, record });
  const ledger = new PodLedger();
  const sync = new JobSync({ client, clock, chance: { next: () => 0 }, ledger, expectations, execute, record, metrics: NO_METRICS });
  const memory = { backoff: NO_FAILURES, proven: false, onWritten() {} };
  return { clock, expectations, events, execute, requests, ledger, run: (job: StoredJob) => sync.run(job, memory) };
}

const job = jobOf();
const pod = podOf({ uid: "p" });
const gone = notFound(PODS, "p");
const busy = conflict(PODS, "p", "it changed");
const failed = internalError("no");
const terminating = forbidden(PODS, "p", "because it is being terminated", [{ reason: "NamespaceTerminating", message: "it goes", field: "metadata.namespace" }]);
const invalid = new StatusError({ code: 422, reason: "Invalid", message: "not yours" });

describe("what a pod that is gone, or that somebody else has, means", () => {
  test.each([
    { name: "adopting one that is gone", kind: "adoptPod" as const, error: gone, want: "fine", events: [] },
    { name: "adopting when the server fails", kind: "adoptPod" as const, error: failed, want: "thrown", events: [] },
    { name: "releasing one that is gone", kind: "releasePod" as const, error: gone, want: "fine", events: [] },
    { name: "releasing one whose reference is gone", kind: "releasePod" as const, error: invalid, want: "fine", events: [] },
    { name: "releasing when the server fails", kind: "releasePod" as const, error: failed, want: "thrown", events: [] },
    { name: "making one where the namespace goes", kind: "createPod" as const, error: terminating, want: "fine", events: [] },
    { name: "making one when the server fails", kind: "createPod" as const, error: failed, want: "thrown", events: ["Warning FailedCreate: Error creating: Internal error occurred: no"] },
    { name: "deleting one that is gone", kind: "deletePod" as const, error: gone, want: "fine", events: [] },
    { name: "deleting one that has changed", kind: "deletePod" as const, error: busy, want: "thrown", events: [] },
    { name: "deleting when the server fails", kind: "deletePod" as const, error: failed, want: "thrown", events: ["Warning FailedDelete: Error deleting: Internal error occurred: no"] },
    { name: "letting one go that is gone", kind: "removeFinalizer" as const, error: gone, want: "fine", events: [] },
    { name: "letting one go when the server fails", kind: "removeFinalizer" as const, error: failed, want: "thrown", events: [] },
  ])("$name is $want", async ({ kind, error, want, events }) => {
    const world = start(error);
    const run = (world.execute[kind] as (action: object) => Promise<unknown>)({ kind, job, pod, letGo: false });
    await (want === "fine" ? expect(run).resolves.toBeUndefined() : expect(run).rejects.toBe(error));
    expect(world.events).toEqual(events);
  });

  test("an error that is none is told as it is", async () => {
    const world = start("text");
    await expect(world.execute.createPod({ kind: "createPod", job, pod })).rejects.toBe("text");
    expect(world.events).toEqual(["Warning FailedCreate: Error creating: text"]);
  });
});

describe("a pod that was made and never seen is asked for", () => {
  const world = (answer: unknown) => {
    const made = start(answer, job);
    made.expectations.beginCreating("job-uid");
    made.expectations.created("job-uid", pod, START);
    made.expectations.endCreating("job-uid");
    made.clock.advance(UNSEEN_MS_MAX);
    return made;
  };

  test.each([
    { name: "still there", answer: pod, caughtUp: false },
    { name: "another one by now", answer: podOf({ uid: "q" }), caughtUp: true },
    { name: "gone", answer: gone, caughtUp: true },
  ])("$name: caught up $caughtUp", async ({ answer, caughtUp }) => {
    const made = world(answer);
    await made.run(job).catch(() => undefined);
    expect(made.requests[0]).toMatchObject({ verb: "get", name: "p" });
    expect(made.expectations.overdue("job-uid", START + UNSEEN_MS_MAX)).toEqual([]);
    if (!caughtUp) expect(made.expectations.caughtUp("job-uid")).toBe(false);
  });

  test("a server that cannot say ends the sync", async () => {
    await expect(world(failed).run(job)).rejects.toBe(failed);
  });
});

describe("claims", () => {
  test("a Job whose selector cannot be read is left alone", async () => {
    await expect(start().run(jobOf({ selector: { matchExpressions: [{ key: "a", operator: "Near" }] } }))).rejects.toThrow(/couldn't convert Job selector/);
  });

  test.each([
    { name: "being deleted", answer: jobOf({}, {}, { deletionTimestamp: "2026-01-01T00:00:00Z" }) },
    { name: "another one by now", answer: jobOf({}, {}, { uid: "other" }) },
  ])("a Job that is $name adopts nothing", async ({ answer }) => {
    const made = start(answer);
    made.ledger.set(podOf({ owner: null }), undefined);
    await expect(made.run(job)).rejects.toThrow("can't adopt pods: Job ns/j has just been deleted");
    expect(made.requests).toEqual([expect.objectContaining({ verb: "get", resource: JOBS })]);
  });
});
