import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { systemClock } from "../../base/clock.ts";
import { silentLogger } from "../../base/logger.ts";
import type { ContainerSpec, Runtime } from "../runtime.ts";
import { openSandboxRuntime } from "./sandbox-runtime.ts";
import { containerSpec, logText, makeBusyboxLayer, sandboxSpec, untilExited } from "./testing.ts";

const isRoot = process.geteuid?.() === 0;

describe.runIf(isRoot)("attaching", () => {
  const directory = mkdtempSync(join(tmpdir(), "stint-attach-"));
  let runtime: Runtime;
  let layer: string;

  beforeAll(async () => {
    layer = makeBusyboxLayer(join(directory, "layer"));
    runtime = openSandboxRuntime({ stateDir: join(directory, "state"), clock: systemClock, logger: silentLogger });
    await runtime.open();
  });
  afterAll(async () => {
    for (const s of (await runtime.list()).sandboxes) await runtime.removeSandbox(s.id);
    await runtime.close();
    rmSync(directory, { recursive: true, force: true });
  });

  const start = async (uid: string, script: string, more: Partial<ContainerSpec>) => {
    await runtime.runSandbox(sandboxSpec(uid, {}));
    return runtime.startContainer(containerSpec(uid, join(directory, "logs", `${uid}.log`), layer, ["sh", "-c", script], more));
  };
  const streams = () => ({ stdin: new PassThrough(), stdout: new PassThrough(), stderr: new PassThrough() });

  test("gives both streams from then on, and ends a container's input once", async () => {
    const { id, logPath } = await start("once", 'echo early; read x; echo "got $x"; echo oops >&2; cat; echo done', { stdin: true, stdinOnce: true });
    await expect.poll(() => logText(logPath)).toBe("early\n");
    const client = streams();
    client.stdin.end("hello\nmore\n");
    await runtime.attach?.(id, client, new AbortController().signal);
    expect([String(client.stdout.read()), String(client.stderr.read())]).toEqual(["got hello\nmore\ndone\n", "oops\n"]);
    expect(await untilExited(runtime, id)).toMatchObject({ exitCode: 0 });
  });

  test("leaves the input of a container open that reads from many", async () => {
    const { id } = await start("many", 'read x; read y; echo "$x $y"', { stdin: true });
    const [first, second] = [streams(), streams()];
    first.stdin.end("one\n");
    await runtime.attach?.(id, first, new AbortController().signal);
    second.stdin.write("two\n");
    await runtime.attach?.(id, second, new AbortController().signal);
    expect(String(second.stdout.read())).toBe("one two\n");
  });

  test("ends with its client, not with the container", async () => {
    const { id } = await start("gone", "sleep 1000", {});
    const client = new AbortController();
    const attached = runtime.attach?.(id, { ...streams(), stdin: undefined }, client.signal);
    client.abort();
    await attached;
    expect((await runtime.list()).containers.find((c) => c.id === id)?.state).toBe("running");
  });
});
