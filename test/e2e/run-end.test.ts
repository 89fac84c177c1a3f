/** However `stint run` ends (Ctrl-C, SIGTERM, a timeout, a failure), nothing is left: no process, no mount, no temporary file. */
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { killLeftovers, leftovers, processesOf } from "../support/leftovers.ts";
import { jobManifest, type JobOptions, podManifest } from "../support/manifests.ts";
import { Running } from "../support/running.ts";
import { execute, Sandbox, STINT } from "../support/stint.ts";

let sandbox: Sandbox;
let runs = 0;
beforeAll(async () => {
  sandbox = await Sandbox.make();
  await sandbox.importAlpine();
});
afterAll(async () => {
  killLeftovers(sandbox.directory);
  await sandbox.remove();
});

/** A run whose temporary files and processes can be told from those of others. */
async function begin(manifest: (options: JobOptions) => string, args: readonly string[] = []) {
  const temporary = join(sandbox.directory, `run-${runs++}`);
  await mkdir(temporary);
  const file = `${temporary}.json`;
  await writeFile(file, manifest({ mark: temporary }));
  const running = new Running(STINT, ["run", file, ...args], { ...sandbox.env, XDG_RUNTIME_DIR: temporary });
  const left = async () => [...leftovers(temporary), ...(await readdir(temporary))];
  return { running, left, temporary };
}

const endless = (script = "echo begun; sleep 1000") => (options: JobOptions) => jobManifest("endless", script, options);

describe.concurrent("nothing is left", () => {
  test("of a run that has completed", async () => {
    const { running, left } = await begin((o) => jobManifest("short", "echo done", { ...o, spec: { completions: 3, parallelism: 3 } }));
    expect(await running.ended).toMatchObject({ code: 0 });
    expect(await left()).toEqual([]);
  });

  test("after Ctrl-C: exit status 130, one line", async () => {
    const { running, left, temporary } = await begin(endless());
    await running.until("begun");
    expect(processesOf(temporary).some(({ command }) => command.endsWith("sleep 1000"))).toBe(true);
    expect(await running.stop("SIGINT")).toEqual({ code: 130, signal: null });
    expect(running.stderr).toBe("stint: interrupted; everything is stopped\n");
    expect(await left()).toEqual([]);
  });

  test("after SIGTERM: exit status 143", async () => {
    const { running, left } = await begin((o) => jobManifest("several", "echo begun; sleep 1000", { ...o, spec: { completions: 8, parallelism: 4 } }));
    await running.until("begun");
    expect(await running.stop("SIGTERM")).toEqual({ code: 143, signal: null });
    expect(await left()).toEqual([]);
  });

  test("of pods that do not listen to SIGTERM, and of what they started in the background", async () => {
    const { running, left } = await begin(endless("trap '' TERM INT; (trap '' TERM; setsid sleep 1001) & echo begun; while :; do sleep 1000; done"));
    await running.until("begun");
    const before = Date.now();
    expect(await running.stop("SIGINT")).toMatchObject({ code: 130 });
    expect(Date.now() - before).toBeLessThan(8_000);
    expect(await left()).toEqual([]);
  });

  test("of pods that say goodbye", async () => {
    const { running, left } = await begin(endless("trap 'echo bye; exit 0' TERM; echo begun; while :; do sleep 0.1; done"));
    await running.until("begun");
    expect(await running.stop("SIGINT")).toMatchObject({ code: 130 });
    expect(await left()).toEqual([]);
  });

  test("after a timeout", async () => {
    const { running, left } = await begin((o) => podManifest("slow", "sleep 1000", o), ["--timeout", "1500ms"]);
    expect(await running.ended).toMatchObject({ code: 1 });
    expect(running.stderr).toMatch(/^stint: pod\/slow was not done after 1\.5s \(--timeout\)\n/);
    expect(await left()).toEqual([]);
  });

  test("of a Job that fails while others still run", async () => {
    const both = (o: JobOptions) => `${jobManifest("slow", "sleep 2", o)}\n---\n${jobManifest("bad", "exit 9", { ...o, spec: { completions: 4, parallelism: 4 } })}`;
    const { running, left } = await begin(both);
    expect(await running.ended).toMatchObject({ code: 1 });
    expect(await left()).toEqual([]);
  });

  test("of an invalid manifest", async () => {
    const { running, left } = await begin((o) => `${jobManifest("runs", "sleep 1000", o)}\n---\n${jobManifest("UPPER", "true", o)}`);
    expect(await running.ended).toMatchObject({ code: 2 });
    expect(running.stderr).toMatch(/^stint: \S+\.json \(document 2\): Job\.batch "UPPER" is invalid: metadata\.name: Invalid value: "UPPER": [^\n]*\n$/);
    expect(await left()).toEqual([]);
  });

  test("when nobody reads the output any more, and when its reader is slow", async () => {
    const { running, left, temporary } = await begin(endless("echo begun; while :; do echo y; done"));
    await running.until("begun");
    await running.stop("SIGINT");
    expect(await left()).toEqual([]);
    const file = `${temporary}.json`;
    const piped = await execute("sh", ["-c", '"$0" run "$1" | head -n 1', STINT, file], { env: { ...sandbox.env, XDG_RUNTIME_DIR: temporary } });
    expect(piped).toMatchObject({ stdout: "begun\n" });
    expect(await left()).toEqual([]);
  });
});

test("a reader that does not read makes the log wait, not memory grow, and Ctrl-C still works", async () => {
  const temporary = join(sandbox.directory, "slow-reader");
  await mkdir(temporary);
  await writeFile(`${temporary}.json`, endless("yes 0123456789abcdefghijklmnopqrstuvwxyz | head -c 100000000; exec sleep 1003")({ mark: temporary }));
  await execute("mkfifo", [join(temporary, "wait")]);
  const script = '("$0" run "$1" & echo $! >"$2/pid"; wait $!; echo $? >"$2/code") | { read -r line; read -r wait <"$2/wait"; }';
  const pipeline = new Running("sh", ["-c", script, STINT, `${temporary}.json`, temporary], { ...sandbox.env, XDG_RUNTIME_DIR: temporary });
  const pid = async () => Number(await readFile(join(temporary, "pid"), "utf8"));
  const hasWritten = () => processesOf(temporary).some(({ command }) => command === "sleep 1003");
  await expect.poll(hasWritten, { timeout: 60_000 }).toBe(true);
  expect(Number(/VmRSS:\s+(\d+)/.exec(await readFile(`/proc/${await pid()}/status`, "utf8"))?.[1]) / 1024).toBeLessThan(400);
  process.kill(await pid(), "SIGINT");
  await expect.poll(() => readFile(join(temporary, "code"), "utf8").catch(() => ""), { timeout: 30_000 }).toBe("130\n");
  await writeFile(join(temporary, "wait"), "\n");
  await pipeline.ended;
  expect(leftovers(temporary)).toEqual([]);
});
