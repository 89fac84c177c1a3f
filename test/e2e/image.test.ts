/** `stint image ls | pull | import | rm`, with a real registry on loopback as docker.io's mirror, beside a server and without one. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { killLeftovers } from "../support/leftovers.ts";
import { jobManifest, podManifest } from "../support/manifests.ts";
import { buildImage, freePort, tar, TestRegistry } from "../support/registry.ts";
import { BUSYBOX, Sandbox, Server } from "../support/stint.ts";

let sandbox: Sandbox;
let registry: TestRegistry;
let mirror: readonly string[];
const ok = async (args: readonly string[]) => {
  const { code, stdout, stderr } = await sandbox.stint(["image", ...args]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  return stdout;
};

beforeAll(async () => {
  [sandbox, registry] = await Promise.all([Sandbox.make(), TestRegistry.start()]);
  mirror = ["--registry-mirror", `docker.io=${registry.url}`];
});
afterAll(async () => {
  await registry.stop();
  killLeftovers(sandbox.directory);
  await sandbox.remove();
});

describe("stint image", () => {
  test("lists, takes and removes images where no server runs", async () => {
    expect(await ok(["ls"])).toMatch(/^NAME +ID +SIZE\n$/);
    expect(await ok(["import", "--busybox", BUSYBOX, "--tag", "docker.io/library/alpine:latest", "--tag", "tools:1"])).toMatch(/^docker\.io\/library\/alpine:latest +sha256:\w{64}\ndocker\.io\/library\/tools:1 +sha256:\w{64}\n$/);
    expect(await ok(["ls"])).toMatch(/^NAME +ID +SIZE\ndocker\.io\/library\/alpine:latest +\w{12} +[\d.]+\w+\ndocker\.io\/library\/tools:1 +\w{12} +[\d.]+\w+\n$/);
    expect(await ok(["rm", "tools:1"])).toBe("removed tools:1\n");
    expect(await ok(["ls"])).not.toContain("tools");
    expect(await sandbox.stint(["image", "rm", "tools:1"])).toEqual({ code: 1, signal: null, stdout: "", stderr: "stint: no image tools:1 in the store; 'stint image ls' lists what is there\n" });
  });

  test("pulls through a mirror, named by a flag or by the configuration file", async () => {
    await registry.push("library/hello", "1", await buildImage([[{ name: "hello", content: "hi" }]]));
    expect(await ok(["pull", "hello:1", ...mirror])).toMatch(/^docker\.io\/library\/hello:1 +sha256:\w{64} +[\d.]+\w+ in [\d.]+ s\n$/);
    await ok(["rm", "hello:1"]);
    const config = join(sandbox.directory, "mirrors.yaml");
    await writeFile(config, `registryMirrors:\n  docker.io: ${registry.url}\n`);
    expect(await ok(["pull", "docker.io/library/hello:1", "--config", config])).toMatch(/^docker\.io\/library\/hello:1 /);
  });

  test("says in one line what can't be pulled, imported or named", async () => {
    const silent = `http://127.0.0.1:${await freePort()}`;
    const archive = join(sandbox.directory, "archive.tar");
    await writeFile(archive, await tar([{ name: "notes.txt", content: "no image" }]));
    const table = [
      { args: ["pull", "nothing:1", ...mirror], code: 1, says: /nothing:1.*not found/ },
      { args: ["pull", `${silent.slice(7)}/a:1`], code: 1, says: /ECONNREFUSED|connection refused/ },
      { args: ["pull", "UPPER"], code: 1, says: /UPPER/ },
      { args: ["import", join(sandbox.directory, "missing.tar")], code: 2, says: /missing\.tar/ },
      { args: ["import", archive], code: 2, says: /archive\.tar/ },
      { args: ["import"], code: 2, says: /give either FILE/ },
      { args: ["import", "--busybox", BUSYBOX], code: 2, says: /--tag NAME/ },
      { args: ["import", "--busybox", "/bin/sh", "--tag", "x"], code: 2, says: /\/bin\/sh/ },
      { args: ["import", "--busybox", "/no/busybox", "--tag", "x"], code: 2, says: /\/no\/busybox/ },
      { args: ["rm"], code: 2, says: /missing required argument 'name'/ },
      { args: ["ls", "--data-dir", archive], code: 2, says: /archive\.tar/ },
    ];
    for (const { args, code, says } of table) {
      const done = await sandbox.stint(["image", ...args]);
      expect({ args, code: done.code, stdout: done.stdout }).toEqual({ args, code, stdout: "" });
      expect(done.stderr).toMatch(/^stint: [^\n]+\n$/);
      expect(done.stderr).not.toMatch(/did not expect/);
      expect(done.stderr).toMatch(says);
    }
  });

  test("changes the store under a server: pods that run from an image that is removed go on", async () => {
    const server = await Server.start(sandbox, [...mirror]);
    await server.ok(["create", "-f", "-"], { input: podManifest("user", "trap 'cat /etc/passwd >/dev/null && exit 0; exit 1' TERM; while :; do sleep 0.1; done", { image: "alpine", container: { imagePullPolicy: "IfNotPresent" }, mark: sandbox.directory }) });
    await server.ok(["wait", "pod/user", "--for=condition=Ready", "--timeout=30s"]);
    expect(await ok(["rm", "alpine"])).toBe("removed alpine\n");
    expect(await server.ok(["exec", "user", "--", "sh", "-c", "ls /bin | wc -l"])).toMatch(/^\d{2,}\n$/);
    await server.ok(["create", "-f", "-"], { input: jobManifest("late", "true", { container: { imagePullPolicy: "Never" } }) });
    await server.ok(["wait", "pod", "-l", "job-name=late", "--for=jsonpath={.status.containerStatuses[0].state.waiting.reason}=ErrImageNeverPull", "--timeout=30s"]);
    await ok(["import", "--busybox", BUSYBOX, "--tag", "alpine"]);
    await server.ok(["wait", "job/late", "--for=condition=complete", "--timeout=60s"]);
    await server.ok(["delete", "pod/user", "job/late", "--timeout=30s"]);
    expect(await server.stop()).toBe(0);
  });
});
