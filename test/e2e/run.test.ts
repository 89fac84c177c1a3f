/** `stint run` from a manifest to its output and exit status: what is printed where, and what a mistake is answered with. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { jobManifest, podManifest } from "../support/manifests.ts";
import { EXAMPLES, execute, Sandbox, STINT } from "../support/stint.ts";

let sandbox: Sandbox;
const run = (input: string, args: readonly string[] = []) => sandbox.stint(["run", "-", ...args], { input });

beforeAll(async () => {
  sandbox = await Sandbox.make();
  await sandbox.importAlpine();
});
afterAll(() => sandbox.remove());

describe.concurrent("a Job that completes", () => {
  test("prints its output and nothing else", async () => {
    expect(await sandbox.stint(["run", join(EXAMPLES, "two-times.yaml")])).toEqual({ code: 0, signal: null, stdout: "2\n4\n6\n8\n10\n12\n14\n16\n18\n20\n", stderr: "" });
  });

  test("is read from standard input too, as YAML or JSON", async () => {
    const yaml = "apiVersion: batch/v1\nkind: Job\nmetadata:\n  name: y\nspec:\n  template:\n    spec:\n      restartPolicy: Never\n      containers:\n      - {name: main, image: alpine, command: [echo, yaml]}\n";
    expect(await run(yaml)).toMatchObject({ code: 0, stdout: "yaml\n", stderr: "" });
    expect(await run(jobManifest("j", "echo json"))).toMatchObject({ code: 0, stdout: "json\n", stderr: "" });
  });

  test("sees the ConfigMap and the Secret beside it, in a namespace that the manifests make, in whatever order", async () => {
    const container = { envFrom: [{ configMapRef: { name: "settings" } }, { secretRef: { name: "word" } }], env: [{ name: "NS", valueFrom: { fieldRef: { fieldPath: "metadata.namespace" } } }], volumeMounts: [{ name: "files", mountPath: "/files" }] };
    const job = jobManifest("reader", 'echo "$NS $A $PASSWORD $(cat /files/A)"', { namespace: "team", container, pod: { volumes: [{ name: "files", configMap: { name: "settings" } }] } });
    const others = [
      { apiVersion: "v1", kind: "Secret", metadata: { name: "word", namespace: "team" }, stringData: { PASSWORD: "open" } },
      { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "settings", namespace: "team" }, data: { A: "from a map" } },
      { apiVersion: "v1", kind: "Namespace", metadata: { name: "team" } },
    ];
    const documents = [job, ...others.map((o) => JSON.stringify(o))].join("\n---\n");
    expect(await run(documents)).toMatchObject({ code: 0, stdout: "team from a map open from a map\n", stderr: "" });
    const list = JSON.stringify({ apiVersion: "v1", kind: "List", items: [JSON.parse(job) as object, ...others] });
    expect(await run(list)).toMatchObject({ code: 0, stdout: "team from a map open from a map\n", stderr: "" });
  });

  test("of several Jobs and Pods, each line names its pod and container", async () => {
    const [a, b] = [join(sandbox.directory, "a.json"), join(sandbox.directory, "b.json")];
    await writeFile(a, jobManifest("one", "echo first; echo second"));
    await writeFile(b, podManifest("two", "printf 'no newline'"));
    const { code, stdout, stderr } = await sandbox.stint(["run", a, b]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout.split("\n").sort()).toEqual(["", expect.stringMatching(/^\[pod\/one-\w{5}\/main\] first$/), expect.stringMatching(/^\[pod\/one-\w{5}\/main\] second$/), "[pod/two/main] no newline"]);
  });

  test("of fifty pods, eight at a time, prints each pod's lines once", async () => {
    const { code, stdout, stderr } = await run(jobManifest("many", "echo $JOB_COMPLETION_INDEX", { spec: { completions: 50, parallelism: 8, completionMode: "Indexed" } }));
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const lines = stdout.trimEnd().split("\n").map((line) => /^\[pod\/many-(\d+)-\w{5}\/main\] (\d+)$/.exec(line));
    expect(lines.map((m) => m?.[1])).toEqual(lines.map((m) => m?.[2]));
    expect(new Set(lines.map((m) => m?.[1])).size).toBe(50);
    expect(lines.length).toBe(50);
  });
});

describe.concurrent("output", () => {
  test("of ten megabytes comes whole, and in order", async () => {
    const { code, stdout } = await run(jobManifest("big", "seq 1 1400000"));
    expect(code).toBe(0);
    expect(stdout.length).toBe(10_088_896);
    expect(stdout.split("\n").findIndex((line, i) => line !== String(i + 1))).toBe(1_400_000);
  });

  test("that is no text comes byte for byte", async () => {
    const file = join(sandbox.directory, "binary.json");
    await writeFile(file, jobManifest("binary", "printf '\\000\\377\\012\\015\\012\\200\\001'; head -c 100000 /dev/zero; printf '\\376'"));
    const target = join(sandbox.directory, "binary.out");
    expect(await execute("sh", ["-c", `"$0" run "$1" >"$2"`, STINT, file, target], { env: sandbox.env })).toMatchObject({ code: 0, stderr: "" });
    const { stdout } = await execute("sha256sum", [target]);
    const wanted = await execute("sh", ["-c", "{ printf '\\000\\377\\012\\015\\012\\200\\001'; head -c 100000 /dev/zero; printf '\\376'; } | sha256sum"]);
    expect(stdout.split(" ")[0]).toBe(wanted.stdout.split(" ")[0]);
  });

  test("with -o json is one object a line, the last one the result", async () => {
    const { code, stdout, stderr } = await run(jobManifest("sums", 'echo "a \\"quoted\\" line"; echo error >&2; exit 4'), ["-o", "json"]);
    expect({ code, stderr }).toEqual({ code: 1, stderr: "" });
    const lines = stdout.trimEnd().split("\n").map((line) => JSON.parse(line) as Record<string, unknown>);
    const pod = expect.stringMatching(/^sums-\w{5}$/) as string;
    // Which of the two streams is read first is chance.
    const logs = lines.slice(0, -1).sort((a, b) => String(a["log"]).localeCompare(String(b["log"])));
    expect(logs).toEqual([
      { type: "log", namespace: "default", pod, container: "main", log: 'a "quoted" line' },
      { type: "log", namespace: "default", pod, container: "main", log: "error" },
    ]);
    expect(lines.at(-1)).toMatchObject({
      type: "result", status: "Failed", exitCode: 1,
      targets: [{ kind: "Job", namespace: "default", name: "sums", verdict: "failed", reason: "BackoffLimitExceeded", message: "Job has reached the specified backoff limit", status: { failed: 1 } }],
      attempts: [{ namespace: "default", pod, container: "main", exitCode: 4, reason: "Error" }],
    });
  });

  test("that nobody reads any more ends the run quietly", async () => {
    const file = join(sandbox.directory, "endless.json");
    await writeFile(file, jobManifest("endless", "while :; do echo y; done"));
    const { code, stdout, stderr } = await execute("sh", ["-c", '"$0" run "$1" | head -n 1', STINT, file], { env: sandbox.env });
    expect({ code, stdout }).toEqual({ code: 0, stdout: "y\n" });
    expect(stderr).not.toMatch(/Error|EPIPE|\n\s+at /);
  });
});

describe.concurrent("what fails", () => {
  test("a Job: its reason and its attempts go to stderr, the exit status is 1", async () => {
    const { code, stdout, stderr } = await run(jobManifest("bad", "echo oh; exit 3"));
    expect({ code, stdout }).toEqual({ code: 1, stdout: "oh\n" });
    expect(stderr).toMatch(/^stint: job\/bad failed: BackoffLimitExceeded: Job has reached the specified backoff limit\nPOD +CONTAINER +EXIT CODE +REASON +MESSAGE\nbad-\w{5} +main +3 +Error\n$/);
  });

  test("a Job that retries in place: every attempt is in the table, and each one's log is printed", async () => {
    const { code, stdout, stderr } = await run(jobManifest("again", "echo try; exit 7", { spec: { backoffLimit: 1 }, pod: { restartPolicy: "OnFailure" } }));
    expect({ code, stdout }).toEqual({ code: 1, stdout: "try\ntry\n" });
    expect(stderr.split("\n").filter((line) => / main +7 +Error$/.test(line)).length).toBe(2);
  });

  test("a Pod, and one of two Jobs", async () => {
    expect(await run(podManifest("p", "exit 5"))).toMatchObject({ code: 1, stderr: expect.stringMatching(/^stint: pod\/p failed: Error\n.*\np +main +5 +Error\n$/) as string });
    const two = await run(`${jobManifest("good", "true")}\n---\n${jobManifest("bad", "false")}`);
    expect(two.code).toBe(1);
    expect(two.stderr).toMatch(/^stint: job\/bad failed: BackoffLimitExceeded/);
  });

  test("what is not done within --timeout", async () => {
    const { code, stderr } = await run(jobManifest("slow", "sleep 100"), ["--timeout", "2s"]);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^stint: job\/slow was not done after 2s \(--timeout\)\n/);
  });
});

describe.concurrent("a mistake is one line on stderr and exit status 2", () => {
  const good = jobManifest("x", "true");
  const missing = join("no", "such", "file.yaml");
  const table: readonly { readonly name: string; readonly args?: readonly string[]; readonly input?: string; readonly says: string | RegExp }[] = [
    { name: "YAML that can't be parsed", input: "apiVersion: batch/v1\nkind: Job\nmetadata: {name: x\nspec:\n", says: /^stint: standard input: error parsing YAML: .* at line \d+, column \d+\n$/ },
    { name: "no object at all", input: "# nothing\n", says: "stint: standard input: no object in it\n" },
    { name: "something else than an object", input: "[1]", says: "stint: standard input: not a Kubernetes object: expected a mapping with apiVersion and kind\n" },
    { name: "no kind", input: "apiVersion: v1\n", says: "stint: standard input: Object 'Kind' is missing\n" },
    { name: "no apiVersion", input: "kind: Job\n", says: "stint: standard input: Object 'apiVersion' is missing\n" },
    { name: "an unknown field", input: good.replace("backoffLimit", "backofLimit"), says: 'stint: standard input: Job in version "v1" cannot be handled as a Job: strict decoding error: unknown field "spec.backofLimit"\n' },
    { name: "a kind that is not served", input: good.replace('"Job"', '"Jobb"'), says: 'stint: standard input: no matches for kind "Jobb" in version "batch/v1"\n' },
    { name: "a value of the wrong type", input: good.replace('"backoffLimit":0', '"backoffLimit":"two"'), says: 'stint: standard input: Job in version "v1" cannot be handled as a Job: json: cannot unmarshal string into Go struct field JobSpec.spec.backoffLimit of type int32\n' },
    { name: "an invalid spec", input: good.replace('"backoffLimit":0', '"backoffLimit":-1'), says: 'stint: standard input: Job.batch "x" is invalid: spec.backoffLimit: Invalid value: -1: must be greater than or equal to 0\n' },
    { name: "the same name twice", input: `${good}\n---\n${good}`, says: 'stint: standard input (document 2): jobs.batch "x" already exists\n' },
    { name: "a second document that is wrong", input: `${good}\n---\nkind: Job\n`, says: "stint: standard input (document 2): Object 'apiVersion' is missing\n" },
    { name: "a CronJob", input: good.replace('"Job"', '"CronJob"'), says: "stint: standard input: a CronJob has no end; serve it with 'stint up', or run one Job of it: kubectl create job --from=cronjob/NAME\n" },
    { name: "nothing to run", input: '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"c"}}', says: "stint: standard input: no Job and no Pod in it: nothing to run\n" },
    { name: "a file that is missing", args: ["run", missing], says: `stint: can't read ${missing}: there is no such file\n` },
    { name: "a directory", args: ["run", EXAMPLES], says: `stint: can't read ${EXAMPLES}: it is a directory\n` },
    { name: "no file named", args: ["run"], says: "stint: missing required argument 'file'\n" },
    { name: "an option that does not exist", args: ["run", "-", "--fast"], says: "stint: unknown option '--fast'\n" },
    { name: "a command that does not exist", args: ["fly"], says: "stint: unknown command 'fly'\n" },
    { name: "a bad --timeout", args: ["run", "-", "--timeout", "soon"], says: "stint: --timeout soon: expected a duration such as 90s, 10m or 1h30m\n" },
    { name: "a bad --output", args: ["run", "-", "-o", "xml"], says: "stint: --output xml: expected text or json\n" },
    { name: "a bad --userland", args: ["run", "-", "--userland", "moon"], says: "stint: --userland moon: expected one of image, host, auto\n" },
    { name: "a bad --registry-mirror", args: ["run", "-", "--registry-mirror", "docker.io"], says: "stint: --registry-mirror docker.io: expected REGISTRY=URL, such as docker.io=http://127.0.0.1:5000\n" },
  ];
  test.for(table)("$name", async ({ args = ["run", "-"], input = good, says }) => {
    const { code, stdout, stderr } = await sandbox.stint(args, { input });
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    if (typeof says === "string") expect(stderr).toBe(says);
    else expect(stderr).toMatch(says);
  });

  test("a Deployment beside a Job is left out with a warning", async () => {
    const { code, stderr } = await run(`{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"web"}}\n---\n${good}`);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "Warning: standard input (document 1): stint runs Jobs and Pods; Deployment web is left out\n" });
  });
});
