/**
 * The book chapter's scenarios with the real kubectl, as a reader would type them: 1–7 and 12–17 (8–11 need Services and a terminal in a pod).
 * Each has a namespace of its own, so that they can run side by side.
 */
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { EXAMPLES, Sandbox, Server } from "../support/stint.ts";

let sandbox: Sandbox;
let server: Server;

const TWO_TIMES = ["create", "job", "two-times", "--image=alpine", "--", "sh", "-c", "for i in $(seq 10);do echo $(($i*2));done"];
const EVEN = "2\n4\n6\n8\n10\n12\n14\n16\n18\n20\n";
const manifest = (name: string) => join(EXAMPLES, `${name}.yaml`);

beforeAll(async () => {
  sandbox = await Sandbox.make();
  await sandbox.importAlpine();
  server = await Server.start(sandbox);
}, 60_000);
afterAll(async () => {
  await server.stop();
  await sandbox.remove();
});

/** kubectl in a namespace of the scenario's own. */
async function scenario(name: string) {
  await server.ok(["create", "namespace", name]);
  const ok = (args: readonly string[], input?: string) => server.ok(["-n", name, ...args], input === undefined ? {} : { input });
  return {
    ok,
    try: (args: readonly string[]) => server.kubectl(["-n", name, ...args]),
    wait: (job: string, condition: string, timeout = "120s") => ok(["wait", `job/${job}`, `--for=condition=${condition}`, `--timeout=${timeout}`]),
    job: (job: string) => server.json<JobView>(["-n", name, "get", "job", job]),
    pods: async (selector = "") => (await server.json<{ items: PodView[] }>(["-n", name, "get", "pods", ...(selector ? ["-l", selector] : [])])).items,
    watch: (args: readonly string[]) => server.kubectlStream(["-n", name, ...args]),
  };
}

interface JobView {
  readonly spec: { readonly completions?: number; readonly parallelism?: number; readonly backoffLimit?: number };
  readonly status: { readonly startTime: string; readonly completionTime?: string; readonly failed?: number; readonly succeeded?: number; readonly conditions: readonly { readonly type: string; readonly reason: string; readonly lastTransitionTime: string }[] };
}
interface PodView {
  readonly metadata: { readonly name: string; readonly creationTimestamp: string };
  readonly status: { readonly phase: string };
}

describe.concurrent("the chapter", () => {
  test("1, 2, 14: a Job from the command line, its log, its name taken, its end", async () => {
    const s = await scenario("ch1");
    expect(await s.ok(TWO_TIMES)).toBe("job.batch/two-times created\n");
    await s.wait("two-times", "complete");
    expect(await s.ok(["logs", "-l", "job-name=two-times"])).toBe(EVEN);
    expect(await s.ok(["get", "jobs"])).toMatch(/^NAME\s+STATUS\s+COMPLETIONS\s+DURATION\s+AGE\ntwo-times\s+Complete\s+1\/1\s+\d+s\s+\d+s\n$/);
    expect(await s.ok(["get", "pods"])).toMatch(/\ntwo-times-\w{5}\s+0\/1\s+Completed\s+0\s+\d+s\n$/);
    const again = await s.try(TWO_TIMES);
    expect(again).toMatchObject({ code: 1, stderr: 'error: failed to create job: jobs.batch "two-times" already exists\n' });
    expect(await s.ok(["delete", "job/two-times"])).toMatch(/^job.batch "two-times" deleted/);
    await s.ok(["wait", "pod", "--all", "--for=delete", "--timeout=30s"]);
    expect(await s.ok(TWO_TIMES)).toBe("job.batch/two-times created\n");
  });

  test("3, 15: the same from a manifest; orphaned pods keep their logs", async () => {
    const s = await scenario("ch3");
    expect(await s.ok(["apply", "-f", manifest("two-times")])).toBe("job.batch/two-times created\n");
    await s.wait("two-times", "complete");
    expect((await s.job("two-times")).spec).toMatchObject({ completions: 1, parallelism: 1, backoffLimit: 6 });
    expect(await s.ok(["apply", "-f", manifest("two-times")])).toBe("job.batch/two-times unchanged\n");
    await s.ok(["delete", "job/two-times", "--cascade=orphan"]);
    expect(await s.try(["get", "jobs"])).toMatchObject({ stderr: "No resources found in ch3 namespace.\n" });
    expect(await s.ok(["logs", "-l", "job-name=two-times", "--tail=-1"])).toBe(EVEN);
  });

  test("4: completions and parallelism give so many pods, and so many at once", async () => {
    const s = await scenario("ch4");
    const table = [
      { name: "a", pods: 1, most: 1 }, { name: "b", completions: 1, pods: 1, most: 1 }, { name: "c", completions: 1, parallelism: 1, pods: 1, most: 1 },
      { name: "d", completions: 3, parallelism: 1, pods: 3, most: 1 }, { name: "e", completions: 3, parallelism: 3, pods: 3, most: 3 },
      { name: "f", completions: 1, parallelism: 3, pods: 1, most: 1 }, { name: "g", parallelism: 3, pods: 3, most: 3 }, { name: "h", completions: 2, parallelism: 5, pods: 2, most: 2 },
    ];
    const watch = s.watch(["get", "jobs", "-w", "-o", "jsonpath={.metadata.name} {.status.active}{\"\\n\"}"]);
    for (const { name, completions, parallelism } of table) {
      const template = { spec: { restartPolicy: "Never", containers: [{ name: "main", image: "alpine", command: ["sleep", "1"] }] } };
      await s.ok(["create", "-f", "-"], JSON.stringify({ apiVersion: "batch/v1", kind: "Job", metadata: { name }, spec: { completions, parallelism, template } }));
    }
    for (const { name } of table) await s.wait(name, "complete");
    await watch.stop();
    for (const { name, pods, most } of table) {
      const active = watch.output().split("\n").filter((l) => l.startsWith(`${name} `)).map((l) => Number(l.split(" ")[1] ?? 0));
      expect({ name, pods: (await s.pods(`job-name=${name}`)).length, most: Math.max(...active) }).toEqual({ name, pods, most });
    }
  });

  test("5, 13: a new pod for each attempt, pauses that double, every log kept", async () => {
    const s = await scenario("ch5");
    const watch = s.watch(["get", "pods", "-w"]);
    await s.ok(["apply", "-f", manifest("unlucky-never")]);
    await s.wait("unlucky", "failed", "170s");
    await watch.stop();
    const job = await s.job("unlucky");
    expect(job.status).toMatchObject({ failed: 4 });
    expect(job.status.conditions.map((c) => `${c.type} ${c.reason}`)).toEqual(["FailureTarget BackoffLimitExceeded", "Failed BackoffLimitExceeded"]);
    const pods = await s.pods("job-name=unlucky");
    const starts = pods.map((p) => Date.parse(p.metadata.creationTimestamp) / 1000).sort((a, b) => a - b);
    expect(starts.slice(1).map((at, i) => at - (starts[i] ?? 0) >= ([10, 20, 40][i] ?? 0))).toEqual([true, true, true]);
    for (const { metadata } of pods) {
      expect(await s.ok(["logs", metadata.name])).toMatch(new RegExp(`^${metadata.name} failed on .*\n$`));
      expect(watch.output()).toMatch(new RegExp(`${metadata.name}\\s+0/1\\s+Error`));
    }
    expect(await s.ok(["describe", "job/unlucky"])).toContain("0 Active (0 Ready) / 0 Succeeded / 4 Failed");
  }, 240_000);

  test("6: one pod restarted in place, gone at the end", async () => {
    const s = await scenario("ch6");
    const watch = s.watch(["get", "pods", "-w"]);
    await s.ok(["apply", "-f", manifest("unlucky-onFailure")]);
    await s.wait("unlucky", "failed", "120s");
    await s.ok(["wait", "pod", "--all", "--for=delete", "--timeout=60s"]);
    await watch.stop();
    expect(new Set([...watch.output().matchAll(/unlucky-\w{5}/g)].map(([name]) => name)).size).toBe(1);
    expect(watch.output()).toMatch(/CrashLoopBackOff\s+[12]/);
    expect((await s.try(["logs", "-l", "job-name=unlucky"])).stdout).toBe("");
    expect((await s.job("unlucky")).status.conditions.map((c) => c.reason)).toEqual(["BackoffLimitExceeded", "BackoffLimitExceeded"]);
  }, 240_000);

  test("7: never more than two at a time until six have succeeded", async () => {
    const s = await scenario("ch7");
    const pods = s.watch(["get", "pods", "-w", "-o", "jsonpath={.metadata.name} {.status.phase}{\"\\n\"}"]);
    const jobs = s.watch(["get", "job", "-w"]);
    await s.ok(["apply", "-f", manifest("even-seconds")]);
    // Pods of odd seconds fail, in pairs: one Job in eight is still in its longer pauses (80 s, 320 s) when this looks.
    await s.try(["wait", "job/even-seconds", "--for=jsonpath={.status.conditions[0].type}", "--timeout=115s"]);
    await Promise.all([pods.stop(), jobs.stop()]);
    const running = new Set<string>();
    for (const line of pods.output().split("\n")) {
      const [name = "", phase = ""] = line.split(" ");
      if (phase === "Pending" || phase === "Running") running.add(name);
      else running.delete(name);
      expect(running.size).toBeLessThanOrEqual(2);
    }
    const job = await s.job("even-seconds");
    const log = await s.ok(["logs", "-l", "job-name=even-seconds", "--tail=-1", "--max-log-requests=20"]);
    expect(log.match(/^SUCCESS/gm)?.length ?? 0).toBe(job.status.succeeded ?? 0);
    // At 08 and 09 the shell itself fails, without a word: no octal numbers.
    expect(log.match(/^FAILURE/gm)?.length ?? 0).toBeLessThanOrEqual(job.status.failed ?? 0);
    if (job.status.completionTime) expect(job.status.succeeded).toBe(6);
    await s.ok(["delete", "job/even-seconds"]);
  }, 240_000);

  test("12: ten seconds and it is over", async () => {
    const s = await scenario("ch12");
    await s.ok(["apply", "-f", manifest("multiplier-timeout")]);
    await s.wait("multiplier", "failed", "60s");
    const { status } = await s.job("multiplier");
    expect(status.conditions.at(-1)?.reason).toBe("DeadlineExceeded");
    const took = (Date.parse(status.conditions[0]?.lastTransitionTime ?? "") - Date.parse(status.startTime)) / 1000;
    expect(took).toBeGreaterThanOrEqual(10);
    expect((await s.pods()).filter((p) => !["Failed", "Succeeded"].includes(p.status.phase))).toEqual([]);
  });

  test("16, 17: delete all --all; what get, describe and -o print", async () => {
    const s = await scenario("ch16");
    await s.ok(TWO_TIMES);
    await s.wait("two-times", "complete");
    expect(await s.ok(["get", "job/two-times", "-o", "jsonpath={.status.succeeded}"])).toBe("1");
    expect(await s.ok(["get", "job/two-times", "-o", "yaml"])).toMatch(/^apiVersion: batch\/v1\nkind: Job\n/);
    const described = await s.ok(["describe", "job/two-times"]);
    expect(described).toContain("Pods Statuses:    0 Active (0 Ready) / 1 Succeeded / 0 Failed");
    expect(described).toMatch(/SuccessfulCreate.*Created pod: two-times-/);
    expect(described).toMatch(/Completed.*Job completed/);
    await s.ok(["run", "long", "--image=alpine", "--restart=Never", "--", "sh", "-c", "trap 'exit 0' TERM; while :; do sleep 0.1; done"]);
    await s.ok(["wait", "pod/long", "--for=jsonpath={.status.phase}=Running", "--timeout=30s"]);
    await s.ok(["delete", "all", "--all"]);
    expect(await s.try(["get", "all"])).toMatchObject({ stdout: "", stderr: "No resources found in ch16 namespace.\n" });
  });
});
