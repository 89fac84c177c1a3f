/** A process that uses the runtime, for tests that kill it or run it as another user. Arguments: a directory with `layer`, and "all" to play a whole tour. */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { MessageChannel } from "node:worker_threads";
import { systemClock } from "../../base/clock.ts";
import { silentLogger } from "../../base/logger.ts";
import type { ContainerSpec } from "../runtime.ts";
import { openSandboxRuntime } from "./sandbox-runtime.ts";
import { containerSpec, DEFAULT_CAPABILITIES, logText, sandboxSpec, untilExited } from "./testing.ts";

const [directory = "", tour] = process.argv.slice(2);
const state = join(directory, tour === undefined ? "state" : "state-of-user");
const runtime = openSandboxRuntime({ stateDir: state, clock: systemClock, logger: { ...silentLogger, error: (message, fields) => process.stderr.write(`${message} ${JSON.stringify(fields)}\n`) } });
const spec = (name: string, command: readonly string[], more: Partial<ContainerSpec> = {}) => containerSpec("pod-1", join(directory, "logs", tour === undefined ? "" : "user", `${name}.log`), join(directory, "layer"), command, { name, annotations: { kept: "yes" }, ...more });
const say = (text: string) => process.stdout.write(`${text}\n`);
const security = { uid: 1000, gid: 1000, supplementalGroups: [], readOnlyRoot: false, noNewPrivileges: false, privileged: false, capabilities: DEFAULT_CAPABILITIES };

async function run(name: string, command: readonly string[], more: Partial<ContainerSpec> = {}): Promise<void> {
  const { id, logPath } = await runtime.startContainer(spec(name, command, more));
  const { exitCode, message } = await untilExited(runtime, id);
  say(`${name} ${exitCode} ${logText(logPath).trim()}${message ?? ""}`);
}

async function playTour(): Promise<void> {
  await run("quick", ["sh", "-c", "touch /written && echo quick; exit 3"]);
  await run("user", ["id"], { security });
  await run("host", ["sh", "-c", "ls /usr/bin/env"], { root: { kind: "host" } });
  const { id } = await runtime.startContainer(spec("long", ["sleep", "1000"]));
  const stdout = new PassThrough();
  const code = await runtime.exec(id, { command: ["sh", "-c", "id -un; exit 5"], tty: false, stdin: undefined, stdout, stderr: process.stderr }, new AbortController().signal);
  say(`exec ${code} uid=0(${String(stdout.read()).trim()})`);
  await runtime.stopContainer(id, { gracePeriodMs: 50 });
  say(`stopped ${(await untilExited(runtime, id)).exitCode}`);
  await runtime.removeSandbox("pod-1");
  await runtime.close();
  say(`left ${["container", "record", "output", "sandbox", "trash"].flatMap((name) => readdirSync(join(state, name))).join(" ")}`);
}

// The runtime itself keeps no process alive.
const alive = new MessageChannel();
alive.port1.on("message", () => {});
await runtime.open();
await runtime.runSandbox(sandboxSpec("pod-1"));
if (tour === undefined) {
  await runtime.startContainer(spec("counter", ["sh", "-c", "i=0; while :; do i=$((i+1)); echo $i; sleep 0.01; done"]));
  await runtime.startContainer(spec("quick", ["sh", "-c", "sleep 0.3; echo quick; exit 3"]));
  say("ready");
} else {
  await playTour();
  alive.port1.close();
}
