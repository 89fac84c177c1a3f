/** Where programs come from when images can't be had: `--userland image`, `host` and `auto`, in runs and in a server. */
import { mkdir, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { killLeftovers, leftovers } from "../support/leftovers.ts";
import { jobManifest } from "../support/manifests.ts";
import { freePort, TestRegistry } from "../support/registry.ts";
import { Sandbox, Server } from "../support/stint.ts";

let sandbox: Sandbox;
/** No registry answers there. */
let silent: readonly string[];
let registry: TestRegistry;
let temporary: string;
const run = (input: string, args: readonly string[], env: NodeJS.ProcessEnv = {}) => sandbox.stint(["run", "-", ...args], { input, env: { XDG_RUNTIME_DIR: temporary, ...env } });

beforeAll(async () => {
  [sandbox, registry] = await Promise.all([Sandbox.make(), TestRegistry.start()]);
  temporary = join(sandbox.directory, "temporary");
  await mkdir(temporary);
  silent = ["--registry-mirror", `docker.io=http://127.0.0.1:${await freePort()}`];
});
afterAll(async () => {
  await registry.stop();
  killLeftovers(sandbox.directory);
  await sandbox.remove();
});

/** An image name on a registry of its own: docker.io itself is not asked. */
const nowhere = async () => `127.0.0.1:${await freePort()}/library/alpine`;

describe.concurrent("stint run", () => {
  test("with --userland host runs the machine's own programs: read-only, apart, without a way to stint's data", async () => {
    await writeFile(join(sandbox.directory, "secret"), "found");
    const script = [
      "hostname", "awk 'BEGIN { print \"awk\" }'", "touch /usr/x 2>/dev/null || echo usr is read-only", "touch /etc/x 2>/dev/null || echo etc is read-only", "echo t >/tmp/t && echo tmp is writable",
      `cat ${sandbox.directory}/secret 2>/dev/null || echo no secret`, `ls ${sandbox.directory}/data/* 2>/dev/null || echo no data`, "test $(ls -d /proc/[0-9]* | wc -l) -lt 8 && echo few processes",
    ].join("; ");
    const { code, stdout, stderr } = await run(jobManifest("own", script), ["--userland", "host"]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toMatch(/^own-\w{5}\nawk\nusr is read-only\netc is read-only\ntmp is writable\nno secret\nno data\nfew processes\n$/);
  });

  test("falls back to the machine's own where no registry can be reached, and says so in one line", async () => {
    const image = await nowhere();
    const { code, stdout, stderr } = await run(jobManifest("auto", "echo runs", { image }), silent);
    expect({ code, stdout }).toEqual({ code: 0, stdout: "runs\n" });
    expect(stderr.split("\n").filter((line) => line.includes("no registry can be reached; using this machine's own userland, read-only")).length).toBe(1);
    expect(stderr.trimEnd().split("\n").length).toBe(1);
  });

  test.for([{ name: "--userland image", args: ["--userland", "image"], env: {} }, { name: "CI set", args: [], env: { CI: "1" } }])("with $name does not: it waits for the image, tells why, and --timeout ends it", async ({ args, env }) => {
    const image = await nowhere();
    const { code, stdout, stderr } = await run(jobManifest("waits", "echo runs", { image, mark: temporary }), [...args, ...silent, "--timeout", "4s"], env);
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toMatch(/^stint: pod\/waits-\w{5}: Failed: .*[Ff]ailed to pull.*$/m);
    expect(stderr).toMatch(/^stint: job\/waits was not done after 4s \(--timeout\)$/m);
    expect(stderr).not.toMatch(/\n\s+at /);
  });

  test("does not fall back for a registry's answer: an image that is not there is not there", async () => {
    const { code, stdout, stderr } = await run(jobManifest("missing", "echo runs", { image: `${registry.host}/library/nothing:1` }), ["--timeout", "4s"]);
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toMatch(/nothing:1.*not found/);
    expect(stderr).not.toContain("own userland");
  });
});

test("a server with --userland auto notes the fallback in an event and an annotation; with an image in the store there is none", async () => {
  const server = await Server.start(sandbox, ["--userland", "auto", ...silent]);
  await server.ok(["create", "-f", "-"], { input: jobManifest("auto", "echo runs", { image: await nowhere() }) });
  await server.ok(["wait", "job/auto", "--for=condition=complete", "--timeout=30s"]);
  expect(await server.ok(["logs", "job/auto"])).toBe("runs\n");
  expect(await server.ok(["get", "pods", "-l", "job-name=auto", "-o", "jsonpath={.items[0].metadata.annotations}"])).toMatch(/"stint\.dev\/userland":"host"/);
  expect(await server.ok(["get", "events", "--field-selector=reason=HostUserland,type=Warning", "-o", "jsonpath={.items[*].message}"])).toMatch(/^No registry can be reached for image "\S+": the command runs in this machine's own userland: /);
  await server.ok(["delete", "job", "auto", "--cascade=foreground", "--timeout=30s"]);
  await sandbox.importAlpine();
  await server.ok(["create", "-f", "-"], { input: jobManifest("stored", "cat /etc/nsswitch.conf") });
  await server.ok(["wait", "job/stored", "--for=condition=complete", "--timeout=30s"]);
  expect(await server.ok(["logs", "job/stored"])).toBe("hosts: files dns\n");
  expect(await server.stop()).toBe(0);
  expect(leftovers(temporary)).toEqual([]);
  expect(await readdir(temporary)).toEqual([]);
});
