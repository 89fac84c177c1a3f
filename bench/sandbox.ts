/**
 * How fast containers start and end: busybox `true` in the sandbox runtime, beside what the kernel allows in the same minutes: fork+exec, and
 * unshare(1) with the same namespaces, from a shell.
 * Usage: node bench/sandbox.ts [CONTAINERS] [STATE DIRECTORY'S PARENT]
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "../src/base/clock.ts";
import { silentLogger } from "../src/base/logger.ts";
import { openSandboxRuntime } from "../src/runtime/sandbox/sandbox-runtime.ts";
import { containerSpec, makeBusyboxLayer, sandboxSpec } from "../src/runtime/sandbox/testing.ts";
import { machine, median } from "./machine.ts";

const total = Number(process.argv[2] ?? 300);
const directory = mkdtempSync(join(process.argv[3] ?? tmpdir(), "stint-bench-"));
const layer = makeBusyboxLayer(join(directory, "layer"));
const runtime = openSandboxRuntime({ stateDir: join(directory, "state"), clock: systemClock, logger: silentLogger });
const alive = setInterval(() => {}, 1000);
await runtime.open();

const ends = new Map<string, () => void>();
runtime.onHint((uid) => void runtime.list().then(({ containers }) => {
  if (containers.some((c) => c.pod.uid === uid && c.state === "exited")) ends.get(uid)?.();
}));

/** Starts in milliseconds, as the caller sees them. */
async function sandboxes(count: number, concurrency: number, round: string): Promise<number[]> {
  const starts: number[] = [];
  let next = 0;
  const worker = async () => {
    while (next < count) {
      const uid = `${round}-${next++}`;
      const begun = performance.now();
      const ended = new Promise<void>((resolve) => ends.set(uid, resolve));
      await runtime.runSandbox(sandboxSpec(uid));
      await runtime.startContainer(containerSpec(uid, join(directory, "logs", `${uid}.log`), layer, ["true"]));
      starts.push(performance.now() - begun);
      await ended;
      ends.delete(uid);
      await runtime.removeSandbox(uid);
    }
  };
  await Promise.all(Array.from({ length: concurrency }, worker));
  return starts;
}

/** The same number of runs of a command, from `concurrency` shells. */
function raw(count: number, concurrency: number, command: string): void {
  const loop = `i=0; while [ $i -lt ${Math.floor(count / concurrency)} ]; do ${command}; i=$((i+1)); done`;
  execFileSync("sh", ["-c", `${`( ${loop} ) & `.repeat(concurrency)} wait`], { stdio: "ignore" });
}

const perSecond = (count: number, ms: number) => `${Math.round((count / ms) * 1000)}/s`;
const busybox = join(layer, "bin/true");

console.log(machine());
await sandboxes(Math.min(50, total), 4, "warm");
for (const concurrency of [1, 2, 4, 8]) {
  const time = async (work: () => unknown) => {
    const begun = performance.now();
    await work();
    return performance.now() - begun;
  };
  const forks = await time(() => raw(total, concurrency, busybox));
  const unshared = await time(() => raw(total, concurrency, `unshare --mount --pid --uts --ipc --fork ${busybox}`));
  let starts: number[] = [];
  const ours = await time(async () => (starts = await sandboxes(total, concurrency, `c${concurrency}`)));
  const p99 = starts.sort((a, b) => a - b)[Math.floor(starts.length * 0.99)] ?? 0;
  console.log(`at ${concurrency}: fork+exec ${perSecond(total, forks)}, unshare ${perSecond(total, unshared)}, sandbox ${perSecond(total, ours)} (start p50 ${median(starts).toFixed(1)} ms, p99 ${p99.toFixed(1)} ms): ${(ours / unshared).toFixed(1)} x unshare, ${(ours / forks).toFixed(1)} x fork+exec`);
}
await runtime.close();
clearInterval(alive);
rmSync(directory, { recursive: true, force: true });
