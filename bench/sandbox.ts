/**
 * How fast containers start and end: busybox `true` in the sandbox runtime, beside what the kernel allows in the same minutes: fork+exec, and
 * unshare(1) with the same namespaces, from a shell.
 * Usage: node bench/sandbox.ts [CONTAINERS] [STATE DIRECTORY'S PARENT]
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openContainers } from "./containers.ts";
import { machine, median, quantile } from "./machine.ts";

const total = Number(process.argv[2] ?? 300);
const directory = mkdtempSync(join(process.argv[3] ?? tmpdir(), "stint-bench-"));
const containers = await openContainers(directory);

/** The same number of runs of a command, from `concurrency` shells. */
function raw(count: number, concurrency: number, command: string): void {
  const loop = `i=0; while [ $i -lt ${Math.floor(count / concurrency)} ]; do ${command}; i=$((i+1)); done`;
  execFileSync("sh", ["-c", `${`( ${loop} ) & `.repeat(concurrency)} wait`], { stdio: "ignore" });
}

const perSecond = (count: number, ms: number) => `${Math.round((count / ms) * 1000)}/s`;
const busybox = join(containers.layer, "bin/true");

console.log(machine());
await containers.run(Math.min(50, total), 4, "warm");
for (const concurrency of [1, 2, 4, 8]) {
  const time = async (work: () => unknown) => {
    const begun = performance.now();
    await work();
    return performance.now() - begun;
  };
  const forks = await time(() => raw(total, concurrency, busybox));
  const unshared = await time(() => raw(total, concurrency, `unshare --mount --pid --uts --ipc --fork ${busybox}`));
  let starts: readonly number[] = [];
  const ours = await time(async () => (starts = await containers.run(total, concurrency, `c${concurrency}`)));
  const p99 = quantile(starts, 0.99);
  console.log(`at ${concurrency}: fork+exec ${perSecond(total, forks)}, unshare ${perSecond(total, unshared)}, sandbox ${perSecond(total, ours)} (start p50 ${median(starts).toFixed(1)} ms, p99 ${p99.toFixed(1)} ms): ${(ours / unshared).toFixed(1)} x unshare, ${(ours / forks).toFixed(1)} x fork+exec`);
}
await containers.close();
rmSync(directory, { recursive: true, force: true });
