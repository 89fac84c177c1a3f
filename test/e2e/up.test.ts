/** `stint up`: what keeps it from starting is said in one line with a way out; how it stops, and what goes on without it. */
import { chmod, mkdir, readFile, stat, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { killLeftovers, leftovers, processesOf } from "../support/leftovers.ts";
import { podManifest } from "../support/manifests.ts";
import { Sandbox, Server } from "../support/stint.ts";

let sandbox: Sandbox;
let server: Server;
const at = (...names: string[]) => join(sandbox.directory, ...names);

beforeAll(async () => {
  sandbox = await Sandbox.make();
  await sandbox.importAlpine();
  server = await Server.start(sandbox, ["--kubeconfig", at("config", "kube", "stint.yaml")]);
});
afterAll(async () => {
  await server.stop();
  killLeftovers(sandbox.directory);
  await sandbox.remove();
});

describe.concurrent("stint up does not start, says why, and ends with 2:", () => {
  const up = async (args: readonly string[], env: NodeJS.ProcessEnv = {}) => {
    const { code, stdout, stderr } = await sandbox.stint(["up", ...args], { env, timeoutMs: 30_000 });
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    return stderr;
  };

  test("the port is taken", async () => {
    const other = createServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => other.once("listening", resolve));
    const { port } = other.address() as AddressInfo;
    expect(await up(["--port", String(port), "--data-dir", at("taken")])).toBe(`stint: port ${port} is in use by another program. --port N names another one, --port 0 picks a free one\n`);
    await new Promise((resolve) => other.close(resolve));
  });

  test("another server has the data directory", async () => {
    expect(await up(["--port", "0"])).toBe(`stint: the data directory ${at("data")} is in use by another stint (process ${server.pid}). Stop that one, or name another directory with --data-dir DIR\n`);
  });

  test("the data directory can't be made, or is a file", async () => {
    await writeFile(at("file"), "");
    expect(await up(["--port", "0", "--data-dir", at("file", "data")])).toBe(`stint: can't use the data directory ${at("file", "data")}: a part of the path is no directory. Name another one with --data-dir DIR\n`);
    expect(await up(["--port", "0", "--data-dir", at("file")])).toBe(`stint: can't use the data directory ${at("file")}: a file is in the way. Name another one with --data-dir DIR\n`);
  });

  test("the data directory can't be written", async () => {
    expect(await up(["--port", "0", "--data-dir", "/proc/self"])).toMatch(/^stint: can't use the data directory \/proc\/\w+: [\w ]+\. Name another one with --data-dir DIR\n$/);
  });

  test("the kubeconfig can't be written, and the data directory is free again", async () => {
    await writeFile(at("occupied"), "");
    for (let i = 0; i < 2; i++) expect(await up(["--port", "0", "--data-dir", at("fresh"), "--kubeconfig", at("occupied", "config")])).toBe(`stint: can't write the kubeconfig ${at("occupied", "config")}: a file is in the way. Name another place with --kubeconfig FILE\n`);
  });

  test("the audit log can't be written", async () => {
    expect(await up(["--port", "0", "--data-dir", at("audited"), "--audit-log", at("no", "such", "place")])).toBe(`stint: can't write the audit log ${at("no", "such", "place")}: there is no such file. Name another place with --audit-log FILE\n`);
  });

  test.for([
    { name: "a port that is no number", args: ["--port", "http"], says: "--port http: expected a number from 0 (any free port) to 65535" },
    { name: "a port that is none", args: ["--port", "65536"], says: "--port 65536: expected a number from 0 (any free port) to 65535" },
    { name: "a part that can't be left out", args: ["--disable", "agent,server"], says: "--disable server: expected some of agent, scheduler, controllers" },
    { name: "a userland that there is none of", args: ["--userland", "none"], says: "--userland none: expected one of image, host, auto" },
    { name: "a word too many", args: ["now"], says: "too many arguments for 'up'. Expected 0 arguments but got 1: now." },
  ])("$name", async ({ args, says }) => expect(await up(args)).toBe(`stint: ${says}\n`));

  test.for([
    { name: "no YAML", text: "userland: [", says: /^stint: \S+\.yaml: .* at line 1, column 12\n$/ },
    { name: "a list", text: "- userland", says: /^stint: \S+\.yaml: expected a mapping with userland, strictPull, registryMirrors\n$/ },
    { name: "an unknown field", text: "userLand: host", says: /^stint: \S+\.yaml: unknown field "userLand"; known are userland, strictPull, registryMirrors\n$/ },
    { name: "a value of the wrong type", text: "strictPull: maybe", says: /^stint: \S+\.yaml: strictPull: expected true or false\n$/ },
    { name: "a userland that there is none of", text: "userland: 7", says: /^stint: \S+\.yaml: userland: expected one of image, host, auto\n$/ },
    { name: "a mirror that is no URL", text: "registryMirrors: {docker.io: [localhost]}", says: /^stint: \S+\.yaml: registryMirrors\.docker\.io: expected http:\/\/ or https:\/\/ URLs\n$/ },
  ])("a configuration file with $name", async ({ name, text, says }) => {
    const file = at(`${name.replaceAll(" ", "-")}.yaml`);
    await writeFile(file, text);
    expect(await up(["--config", file])).toMatch(says);
    const home = at(`home-${name.replaceAll(" ", "-")}`);
    await mkdir(join(home, "stint"), { recursive: true });
    await writeFile(join(home, "stint", "config.yaml"), text);
    expect(await up([], { XDG_CONFIG_HOME: home })).toMatch(says);
  });

  test("a configuration file that is not there", async () => {
    expect(await up(["--config", at("nowhere.yaml")])).toBe(`stint: can't read the configuration file ${at("nowhere.yaml")}: there is no such file\n`);
  });
});

describe("a server", () => {
  test("writes the kubeconfig for its user alone, and its data where only that user looks", async () => {
    expect(server.kubeconfig).toBe(at("config", "kube", "stint.yaml"));
    expect((await stat(server.kubeconfig)).mode & 0o777).toBe(0o600);
    for (const path of [at("data"), at("data", "agent")]) expect((await stat(path)).mode & 0o077).toBe(0);
    expect(await readFile(server.kubeconfig, "utf8")).toContain(server.url);
    expect(server.url).toMatch(/^https:\/\/127\.0\.0\.1:\d+$/);
  });

  test("ends with 0 at SIGTERM, its pods go on, the next one adopts them and has their whole log", async () => {
    const own = await Sandbox.make();
    await own.importAlpine();
    await chmod(own.directory, 0o755);
    const first = await Server.start(own);
    const script = "i=0; trap 'exit 0' TERM; while :; do i=$((i+1)); echo line $i; sleep 0.1; done";
    await first.ok(["create", "-f", "-"], { input: podManifest("counter", script, { mark: own.directory }) });
    await first.ok(["wait", "pod/counter", "--for=jsonpath={.status.phase}=Running", "--timeout=30s"]);
    const identity = (s: Server) => s.ok(["get", "pod", "counter", "-o", "jsonpath={.metadata.uid} {.status.containerStatuses[0].containerID} {.status.containerStatuses[0].restartCount} {.status.phase}"]);
    const before = await identity(first);
    expect(await first.stop("SIGTERM")).toBe(0);
    expect(first.stderr).toBe("");
    const containers = () => processesOf(own.directory).filter(({ command }) => command.startsWith("sh -c i=0;"));
    expect(containers().length).toBeGreaterThan(0);
    const second = await Server.start(own);
    await second.ok(["wait", "pod/counter", "--for=condition=Ready", "--timeout=30s"]);
    expect(await identity(second)).toBe(before);
    const lines = (await second.ok(["logs", "counter"])).trimEnd().split("\n");
    expect(lines).toEqual(lines.map((_, i) => `line ${i + 1}`));
    await second.ok(["delete", "pod", "counter", "--timeout=30s"]);
    expect(await second.stop("SIGINT")).toBe(0);
    expect(leftovers(own.directory)).toEqual([]);
    await own.remove();
  });
});
