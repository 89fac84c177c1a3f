/**
 * kubectl of the oldest and of a late version, and helm, against a server whose pods nobody runs: each creates, watches, patches, applies and
 * deletes Jobs, in a namespace of its own. The old one is fetched, and so belongs to the long run.
 */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { helmPath, kubectlPath } from "../support/kubectl.ts";
import { execute, type Finished, Sandbox, Server } from "../support/stint.ts";
import { LONG, oldKubectl } from "./fetched.ts";

// Left out by name where it can't be fetched; why is on the terminal.
const kubectl127 = LONG ? await oldKubectl() : "";
let sandbox: Sandbox;
let server: Server;

beforeAll(async () => {
  sandbox = await Sandbox.make();
  server = await Server.start(sandbox, ["--disable", "agent,scheduler"]);
});
afterAll(async () => {
  await server.stop();
  await sandbox.remove();
});

const job = (name: string, extra: object = {}) => JSON.stringify({
  apiVersion: "batch/v1", kind: "Job", metadata: { name, ...extra }, spec: { template: { spec: { restartPolicy: "Never", containers: [{ name: "main", image: "alpine", command: ["true"] }] } } },
});

async function ok(done: Promise<Finished>): Promise<string> {
  const { code, stderr, stdout } = await done;
  expect({ code, stderr: code === 0 ? "" : stderr }).toEqual({ code: 0, stderr: "" });
  return stdout;
}

async function exercise(kubectl: string, namespace: string): Promise<void> {
  const run = (args: readonly string[], input?: string) => execute(kubectl, args, { env: server.kubectlEnv, ...(input !== undefined && { input }) });
  const k = (args: readonly string[], input?: string) => ok(run(["-n", namespace, ...args], input));
  await ok(run(["create", "namespace", namespace]));

  expect(await k(["create", "job", "made", "--image=alpine", "--", "true"])).toBe("job.batch/made created\n");
  expect(await k(["create", "cronjob", "nightly", "--image=alpine", "--schedule=0 3 * * *", "--", "true"])).toBe("cronjob.batch/nightly created\n");
  expect(await k(["create", "job", "--from=cronjob/nightly", "by-hand"])).toBe("job.batch/by-hand created\n");
  expect(await k(["apply", "-f", "-"], job("applied"))).toBe("job.batch/applied created\n");
  expect(await k(["apply", "-f", "-"], job("applied"))).toBe("job.batch/applied unchanged\n");
  expect(await k(["apply", "-f", "-"], job("applied", { labels: { step: "applied" } }))).toBe("job.batch/applied configured\n");
  expect(await k(["diff", "-f", "-"], job("applied", { labels: { step: "applied" } }))).toBe("");
  expect(await k(["apply", "--server-side", "-f", "-"], job("on-server"))).toBe("job.batch/on-server serverside-applied\n");
  const waiting = k(["wait", "job/applied", "--for=jsonpath={.metadata.labels.step}=patched", "--timeout=30s"]);
  expect(await k(["patch", "job", "applied", "-p", '{"metadata":{"labels":{"step":"patched"}}}'])).toBe("job.batch/applied patched\n");
  expect(await k(["patch", "job", "applied", "--type=json", "-p", '[{"op":"add","path":"/spec/suspend","value":true}]'])).toBe("job.batch/applied patched\n");
  expect(await k(["label", "job", "applied", "more=yes"])).toBe("job.batch/applied labeled\n");
  expect(await k(["annotate", "job", "applied", "note=1"])).toMatch(/^job.batch\/applied annotated?\n$/);
  expect(await waiting).toBe("job.batch/applied condition met\n");
  expect((await k(["get", "jobs", "-o", "name"])).trim().split("\n").sort()).toEqual(["job.batch/applied", "job.batch/by-hand", "job.batch/made", "job.batch/on-server"]);
  expect(await k(["get", "jobs", "-l", "more=yes"])).toMatch(/^NAME\s.*COMPLETIONS.*\napplied\s/);
  expect(await k(["describe", "job", "applied"])).toMatch(/Completion Mode:\s+NonIndexed[^]*Job suspended/);
  expect(await k(["get", "all"])).toContain("job.batch/made");
  expect(await k(["explain", "job.spec.completions"])).toMatch(/FIELD:\s+completions <integer>/);
  expect(await k(["get", "jobs", "-w", "--request-timeout=1s", "-o", "name"])).toContain("job.batch/made");
  expect(await k(["delete", "job", "--all", "--wait"])).toMatch(/job.batch "made" deleted/);
  expect(await k(["get", "jobs", "-o", "name"])).toBe("");
  await ok(run(["delete", "namespace", namespace]));
}

describe.concurrent("kubectl and helm", () => {
  test("kubectl 1.35 does with Jobs all that it can", async () => {
    await exercise(await kubectlPath(), "kubectl-new");
  });

  test.skipIf(kubectl127 === "")("kubectl 1.27 does with Jobs all that it can", async () => {
    await exercise(kubectl127, "kubectl-old");
  });

  test("helm installs, upgrades, lists, rolls back and uninstalls a chart with a Job", async () => {
    const helm = await helmPath();
    const chart = join(sandbox.directory, "chart");
    await mkdir(join(chart, "templates"), { recursive: true });
    await writeFile(join(chart, "Chart.yaml"), "apiVersion: v2\nname: work\nversion: 0.1.0\n");
    await writeFile(join(chart, "values.yaml"), "message: hello\ntag: a\n");
    await writeFile(join(chart, "templates/settings.yaml"), "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: {message: {{ .Values.message | quote }}}\n");
    await writeFile(join(chart, "templates/job.yaml"), job("{{ .Release.Name }}-job", { labels: { message: "{{ .Values.message }}" } }).replace('"alpine"', '"alpine:{{ .Values.tag }}"'));
    const run = (...args: string[]) => execute(helm, [...args, "-n", "helm"], { env: server.kubectlEnv });
    const told = () => server.ok(["-n", "helm", "get", "cm/settings", "job/first-job", "-o", "jsonpath={.items[0].data.message} {.items[1].metadata.labels.message}"]);
    expect(await ok(run("install", "first", chart, "--create-namespace"))).toContain("STATUS: deployed");
    expect(JSON.parse(await ok(run("list", "-o", "json")))).toMatchObject([{ name: "first", revision: "1", status: "deployed" }]);
    const refused = await run("upgrade", "first", chart, "--set", "tag=b");
    expect(refused.stderr).toMatch(/Job.batch \\?"first-job\\?" is invalid: spec.template: Invalid value: .*field is immutable/);
    await ok(run("upgrade", "first", chart, "--set", "message=bye"));
    expect(await told()).toBe("bye bye");
    await ok(run("rollback", "first", "1"));
    expect(await told()).toBe("hello hello");
    expect(await ok(run("uninstall", "first", "--wait"))).toContain('release "first" uninstalled');
    expect(await server.ok(["-n", "helm", "get", "jobs,cm", "-l", "app.kubernetes.io/managed-by=Helm", "-o", "name"])).toBe("");
  });
});
