import { beforeEach, describe, expect, test } from "vitest";
import { seededChance, seededIds } from "../base/chance.ts";
import { VirtualClock } from "../base/clock.ts";
import { silentLogger } from "../base/logger.ts";
import { JOBS } from "../api/resource.ts";
import { internalError } from "../api/status-error.ts";
import { ScriptedApi } from "../../test/support/scripted-api.ts";
import { openClient } from "./client.ts";
import { openEventRecorder, type EventRecorder } from "./event-recorder.ts";

describe("an event recorder", () => {
  let api: ScriptedApi;
  let clock: VirtualClock;
  let recorder: EventRecorder;
  const job = { metadata: { name: "j", namespace: "ns", uid: "u", resourceVersion: "7" } };

  beforeEach(() => {
    api = new ScriptedApi();
    clock = new VirtualClock(Date.UTC(2024, 0, 1));
    const chance = seededChance(1);
    recorder = openEventRecorder({ component: "job-controller" }, { client: openClient(api, { user: { name: "t", groups: [] }, userAgent: "t" }), clock, chance, ids: seededIds(chance), logger: silentLogger });
  });
  const record = (message: string, object = job) => recorder.event(JOBS, object, "Normal", "SuccessfulCreate", message);
  const written = async () => {
    await recorder.flush();
    return api.requests.flatMap((r) => (r.verb === "create" ? [(r.object as { message?: string }).message] : r.verb === "patch" ? [r.patch] : []));
  };

  test("writes an event as upstream's would be", async () => {
    record("Created pod: j-abc");
    await written();
    expect(api.requests).toMatchObject([
      {
        verb: "create",
        namespace: "ns",
        object: {
          metadata: { name: `j.${(BigInt(clock.now()) * 1_000_000n).toString(16)}`, namespace: "ns" },
          involvedObject: { kind: "Job", namespace: "ns", name: "j", uid: "u", apiVersion: "batch/v1", resourceVersion: "7" },
          reason: "SuccessfulCreate", message: "Created pod: j-abc", source: { component: "job-controller" }, type: "Normal", count: 1,
          firstTimestamp: "2024-01-01T00:00:00Z", lastTimestamp: "2024-01-01T00:00:00Z", reportingComponent: "job-controller", reportingInstance: "",
        },
      },
    ]);
  });

  test("the same again raises the count", async () => {
    record("m");
    clock.advance(5000);
    record("m");
    record("m");
    expect(await written()).toEqual(["m", { count: 2, lastTimestamp: "2024-01-01T00:00:05Z", message: "m" }, { count: 3, lastTimestamp: "2024-01-01T00:00:05Z", message: "m" }]);
    expect(new Set(api.asked.filter((a) => a.startsWith("patch"))).size).toBe(1);
  });

  test("the tenth different message of one reason and all after it are combined into one event", async () => {
    for (let i = 1; i <= 12; i++) record(`m${i}`);
    const all = await written();
    expect(all.slice(8)).toEqual([
      "m9",
      "(combined from similar events): m10",
      { count: 2, lastTimestamp: "2024-01-01T00:00:00Z", message: "(combined from similar events): m11" },
      { count: 3, lastTimestamp: "2024-01-01T00:00:00Z", message: "(combined from similar events): m12" },
    ]);
  });

  test("an object gets 25 events of a source at once, then one every five minutes; others are not touched by it", async () => {
    for (let i = 0; i < 30; i++) record("m");
    expect(await written()).toHaveLength(25);
    record("m", { metadata: { ...job.metadata, name: "other" } });
    expect(await written()).toHaveLength(26);
    clock.advance(300_000);
    record("m");
    record("m");
    expect(await written()).toHaveLength(27);
  });

  test("events of one object go out in order, whatever the server does with the first", async () => {
    api.failures.push(internalError("no"));
    record("a");
    record("b");
    record("c");
    expect(await written()).toEqual(["a", "b", "c"]);
    expect(api.asked).toHaveLength(3);
  });

  test("a count whose event is gone makes a new event", async () => {
    record("m");
    await recorder.flush();
    for (const r of api.requests) if (r.verb === "create") api.remove(r.object.metadata.name ?? "");
    record("m");
    await recorder.flush();
    expect(api.asked.map((a) => a.split(" ")[0])).toEqual(["create", "patch", "create"]);
  });
});
