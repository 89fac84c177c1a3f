/** Jobs whose server is killed again and again: every pod is counted once, no container attempt runs twice, nothing is left. STINT_TEST_LONG=1: more kills. */
import { join } from "node:path";
import { readFile, writeFile } from "node:fs/promises";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Crashes, expectCountedOnce, IS_LONG, type JobView, podsOf, waitFor } from "./crashes.ts";

const SEED = Number(process.env["STINT_TEST_SEED"] ?? 7);
const KILLS = 5;

let crashes: Crashes;
beforeEach(async () => {
  crashes = await Crashes.begin(SEED);
});
afterEach(() => crashes.remove());

/** Exits with `code` in the first `pods` pods that come to it, whichever those are. */
const failFirst = (pods: number, code: number, name: string) => `for i in $(seq ${pods}); do mkdir /notes/${name}.failed.$i 2>/dev/null && exit ${code}; done`;
const pause = "sleep 0.$((2 + $(od -An -N1 -tu1 /dev/urandom) % 7))";

describe(`seed ${SEED}`, () => {
  test("fifty pods, one of which fails: every completion is counted exactly once", async () => {
    for (let round = 0; round < (IS_LONG ? 4 : 1); round++) {
      const name = `fifty-${round}`;
      const first = await crashes.start();
      await first.ok(["create", "-f", "-"], { input: crashes.job(name, `${pause}; ${failFirst(1, 3, name)}`, { spec: { completions: 50, parallelism: 5, backoffLimit: 3 } }) });
      await first.stop("SIGKILL");
      await crashes.crash(KILLS);
      const last = await crashes.start();
      await waitFor(last, name, "complete");
      await expectCountedOnce(crashes, last, name, { succeeded: 50, failed: 1 });
      const log = await last.ok(["logs", "-l", `job-name=${name}`, "--tail=-1", "--max-log-requests=60"]);
      const { starts, ends } = await crashes.notes(name);
      expect(log.trimEnd().split("\n").sort()).toEqual([...Object.keys(starts).map((p) => `start ${p}`), ...Object.keys(ends).map((p) => `end ${p}`)].sort());
      expect(await crashes.end(last)).toEqual([]);
    }
  }, 600_000);

  test("an Indexed Job: each index completes once; containers that fail start again in place, once an attempt", async () => {
    const first = await crashes.start();
    await first.ok(["create", "-f", "-"], { input: crashes.job("indexed", `${pause}; ${failFirst(2, 4, "indexed")}`, { spec: { completions: 20, parallelism: 5, backoffLimit: 6, completionMode: "Indexed" }, pod: { restartPolicy: "OnFailure" } }) });
    await first.stop("SIGKILL");
    await crashes.crash(IS_LONG ? 8 : 2);
    const last = await crashes.start();
    await waitFor(last, "indexed", "complete");
    const pods = await expectCountedOnce(crashes, last, "indexed", { succeeded: 20, failed: 0 });
    expect((await last.json<JobView>(["get", "job", "indexed"])).status.completedIndexes).toBe("0-19");
    expect(pods.map((p) => Number(p.metadata.annotations?.["batch.kubernetes.io/job-completion-index"])).sort((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, i) => i));
    expect(pods.reduce((sum, p) => sum + (p.status.containerStatuses?.[0]?.restartCount ?? 0), 0)).toBe(2);
    expect(await crashes.end(last)).toEqual([]);
  }, 600_000);

  test("a podFailurePolicy: ignored failures count for nothing, one that is to fail the Job does", async () => {
    const rules = [{ action: "Ignore", onExitCodes: { operator: "In", values: [43] } }, { action: "FailJob", onExitCodes: { operator: "In", values: [42] } }];
    const spec = { completions: 12, parallelism: 4, backoffLimit: 0, podFailurePolicy: { rules } };
    const first = await crashes.start();
    await first.ok(["create", "-f", "-"], { input: crashes.job("ignores", `${pause}; ${failFirst(2, 43, "ignores")}`, { spec }) });
    await first.ok(["create", "-f", "-"], { input: crashes.job("fails", `${failFirst(1, 42, "fails")}; sleep 1000`, { spec }) });
    await first.stop("SIGKILL");
    await crashes.crash(IS_LONG ? 8 : 2);
    const last = await crashes.start();
    await Promise.all([waitFor(last, "ignores", "complete"), waitFor(last, "fails", "failed")]);
    await expectCountedOnce(crashes, last, "ignores", { succeeded: 12, failed: 0 });
    const { status } = await last.json<JobView>(["get", "job", "fails"]);
    expect(status.conditions?.map((c) => `${c.type} ${c.reason}`)).toEqual(["FailureTarget PodFailurePolicy", "Failed PodFailurePolicy"]);
    expect(status.active ?? 0).toBe(0);
    expect(status.failed).toBeLessThanOrEqual(4);
    const { starts } = await crashes.notes("fails");
    expect(status.failed).toBeGreaterThanOrEqual(Object.keys(starts).length);
    expect(Object.values(starts).filter((times) => times > 1)).toEqual([]);
    expect(await crashes.end(last)).toEqual([]);
  }, 600_000);

  test("a successPolicy: the Job is over once enough has succeeded, the other pods' processes are gone", async () => {
    const spec = { completions: 8, parallelism: 8, completionMode: "Indexed", successPolicy: { rules: [{ succeededIndexes: "0-3", succeededCount: 3 }] } };
    const first = await crashes.start();
    await first.ok(["create", "-f", "-"], { input: crashes.job("enough", `if [ $JOB_COMPLETION_INDEX -lt 3 ]; then sleep 3; else sleep 1000; fi`, { spec }) });
    await first.stop("SIGKILL");
    await crashes.crash(IS_LONG ? 8 : 2);
    const last = await crashes.start();
    await waitFor(last, "enough", "complete");
    const { status } = await last.json<JobView>(["get", "job", "enough"]);
    expect(status.conditions?.map((c) => `${c.type} ${c.reason}`)).toEqual(["SuccessCriteriaMet SuccessPolicy", "Complete SuccessPolicy"]);
    expect({ succeeded: status.succeeded, completedIndexes: status.completedIndexes, active: status.active ?? 0 }).toEqual({ succeeded: 3, completedIndexes: "0-2", active: 0 });
    expect((await podsOf(last, "enough")).filter((p) => p.metadata.finalizers?.length)).toEqual([]);
    expect(await crashes.end(last)).toEqual([]);
  }, 600_000);

  test("pods that run while no server does are adopted, those that end meanwhile are counted once, every line is in the logs", async () => {
    const first = await crashes.start();
    const script = "if [ $JOB_COMPLETION_INDEX = 0 ]; then while [ ! -e /notes/go ]; do sleep 0.05; done; else while [ ! -e /notes/end ]; do echo tick >>/notes/ticks; echo tick; sleep 0.1; done; fi";
    await first.ok(["create", "-f", "-"], { input: crashes.job("outage", script, { spec: { completions: 2, parallelism: 2, completionMode: "Indexed" } }) });
    await first.ok(["wait", "pod", "-l", "job-name=outage", "--for=jsonpath={.status.phase}=Running", "--timeout=60s"]);
    const before = await podsOf(first, "outage");
    await first.stop("SIGKILL");
    const notes = (name: string) => join(crashes.sandbox.directory, "notes", name);
    const ticks = async () => (await readFile(notes("ticks"), "utf8")).split("\n").length;
    const ticked = await ticks();
    await writeFile(notes("go"), "");
    await expect.poll(async () => [Object.keys((await crashes.notes("outage")).ends).length, (await ticks()) > ticked + 3], { timeout: 20_000 }).toEqual([1, true]);
    const second = await crashes.start();
    await expect.poll(async () => (await second.json<JobView>(["get", "job", "outage"])).status.succeeded, { timeout: 20_000 }).toBe(1);
    const during = await podsOf(second, "outage");
    const identity = (pods: typeof before) => pods.map((p) => ({ uid: p.metadata.uid, id: p.status.containerStatuses?.[0]?.containerID, restarts: p.status.containerStatuses?.[0]?.restartCount })).sort((a, b) => (a.uid < b.uid ? -1 : 1));
    expect(identity(during)).toEqual(identity(before));
    expect(during.map((p) => p.status.phase).sort()).toEqual(["Running", "Succeeded"]);
    await writeFile(notes("end"), "");
    await waitFor(second, "outage", "complete");
    const pods = await expectCountedOnce(crashes, second, "outage", { succeeded: 2, failed: 0 });
    expect(identity(pods)).toEqual(identity(before));
    const log = await second.ok(["logs", "-l", "job-name=outage,batch.kubernetes.io/job-completion-index=1", "--tail=-1"]);
    expect(log.split("\n").filter((l) => l === "tick").length).toBe((await ticks()) - 1);
    expect(await crashes.end(second)).toEqual([]);
  }, 600_000);
});
