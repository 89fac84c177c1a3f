/**
 * What is found again after the process that used the runtime was killed, and the same runtime for an ordinary user. Both run
 * `testing-child.ts` as a process of its own.
 */
import { execFileSync, spawn } from "node:child_process";
import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { systemClock } from "../../base/clock.ts";
import { silentLogger } from "../../base/logger.ts";
import { openSandboxRuntime } from "./sandbox-runtime.ts";
import { containerSpec, logText, makeBusyboxLayer, untilExited } from "./testing.ts";

const isRoot = process.geteuid?.() === 0;
const CHILD = join(import.meta.dirname, "testing-child.ts");
let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "stint-crash-"));
  chmodSync(directory, 0o777);
  makeBusyboxLayer(join(directory, "layer"));
});

afterEach(() => {
  rmSync(directory, { recursive: true, force: true });
});

/** Runs the child until it says "ready", then kills it. */
async function crash(): Promise<void> {
  const child = spawn(process.execPath, [CHILD, directory], { stdio: ["ignore", "pipe", "inherit"] });
  await new Promise<void>((resolve, reject) => {
    child.stdout.on("data", (data: Buffer) => String(data).includes("ready") && resolve());
    child.once("exit", (code) => reject(new Error(`the child ended with ${code}`)));
  });
  child.removeAllListeners("exit");
  child.kill("SIGKILL");
  await new Promise((resolve) => child.once("exit", resolve));
}

describe.runIf(isRoot)("after kill -9", () => {
  test("containers run on and are found again, with their log whole, their end known, and nothing started twice", async () => {
    await crash();
    const counts = () => readFileSync(join(directory, "state/output/pod-1.counter.0"), "utf8").split("\n").length;
    const before = counts();
    await expect.poll(counts).toBeGreaterThan(before + 5);
    await expect.poll(() => readFileSync(join(directory, "state/record/pod-1.quick.0"), "utf8")).toContain("exited 3");

    const runtime = openSandboxRuntime({ stateDir: join(directory, "state"), clock: systemClock, logger: silentLogger });
    await runtime.open();
    expect((await untilExited(runtime, "pod-1.quick.0")).exitCode).toBe(3);
    const found = await runtime.list();
    expect(found.sandboxes).toMatchObject([{ id: "pod-1", ready: true, ip: expect.stringMatching(/^127\./) as string }]);
    expect(found.containers.find((c) => c.name === "counter")).toMatchObject({ state: "running", annotations: { kept: "yes" } });

    const spec = containerSpec("pod-1", join(directory, "logs/counter.log"), join(directory, "layer"), ["sh", "-c", "echo again"], { name: "counter" });
    expect((await runtime.startContainer(spec)).state).toBe("running");
    await runtime.stopContainer("pod-1.counter.0", { gracePeriodMs: 0 });
    const lines = logText(join(directory, "logs/counter.log")).trimEnd().split("\n");
    expect(lines).toEqual(lines.map((_, i) => String(i + 1)));
    expect(logText(join(directory, "logs/quick.log"))).toBe("quick\n");
    await runtime.removeSandbox("pod-1");
    await runtime.close();
    expect(existsSync(join(directory, "state/container/pod-1.counter.0"))).toBe(false);
  });
});

const hasUser = (() => {
  try {
    return execFileSync("id", ["-u", "tester"], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim() !== "";
  } catch {
    return false;
  }
})();

describe.runIf(isRoot && hasUser)("an ordinary user", () => {
  test.each([
    { name: "with subordinate ids", as: ["--reuid", "tester", "--regid", "tester", "--init-groups"] },
    { name: "with one id only", as: ["--reuid", "54321", "--regid", "54321", "--clear-groups"] },
  ])("$name has the same containers", ({ as }) => {
    // The user can read neither this tree nor the Node in it, perhaps: both are copied.
    const app = join(directory, "app");
    mkdirSync(app);
    cpSync(join(import.meta.dirname, "../../base"), join(app, "src/base"), { recursive: true });
    cpSync(join(import.meta.dirname, ".."), join(app, "src/runtime"), { recursive: true });
    cpSync(process.execPath, join(app, "node"));
    execFileSync("chmod", ["-R", "a+rX", app]);
    const output = execFileSync("setpriv", [...as, "env", "-C", "/", "HOME=/nonexistent", join(app, "node"), join(app, "src/runtime/sandbox/testing-child.ts"), directory, "all"], { encoding: "utf8" });
    expect(output.trim().split("\n")).toEqual(["quick 3 quick", "user 0 uid=1000 gid=1000", "host 0 /usr/bin/env", "exec 5 uid=0(root)", "stopped 137", "left"]);
  }, 60_000);
});
