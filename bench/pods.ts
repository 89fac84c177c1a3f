/**
 * A Job of 500 completions of `true` at parallelism 8 through the whole of `stint up`, real sandboxed processes; beside it, in the same run, the same
 * sandbox without a server, and what lies under that: `unshare` alone, and fork+exec. Usage: node bench/pods.ts [COMPLETIONS] [PARALLELISM]
 */
import { spawn } from "node:child_process";
import { join } from "node:path";
import { openContainers } from "./containers.ts";
import { Sandbox, Server } from "../test/support/stint.ts";
import { cpuSeconds, machine, residentMB } from "./machine.ts";

const completions = Number(process.argv[2] ?? 500);
const parallelism = Number(process.argv[3] ?? 8);
const sandbox = await Sandbox.make();
await sandbox.importAlpine();
const server = await Server.start(sandbox);

/** Runs a shell loop that starts `command` so many times, so many at once; per second. */
async function rate(command: string): Promise<number> {
  const started = performance.now();
  const script = `seq ${completions} | xargs -P ${parallelism} -n 1 sh -c '${command}' >/dev/null`;
  await new Promise((resolve) => spawn("sh", ["-c", script], { stdio: "ignore" }).once("exit", resolve));
  return completions / ((performance.now() - started) / 1000);
}

async function job(name: string): Promise<{ readonly rate: number; readonly cpuMs: number }> {
  const template = { spec: { restartPolicy: "Never", containers: [{ name: "main", image: "alpine", imagePullPolicy: "IfNotPresent", command: ["true"] }] } };
  const before = cpuSeconds(server.pid);
  const started = performance.now();
  await server.ok(["create", "-f", "-"], { input: JSON.stringify({ apiVersion: "batch/v1", kind: "Job", metadata: { name }, spec: { completions, parallelism, template } }) });
  await server.ok(["wait", `job/${name}`, "--for=condition=complete", "--timeout=600s"], { timeoutMs: 610_000 });
  return { rate: completions / ((performance.now() - started) / 1000), cpuMs: ((cpuSeconds(server.pid) - before) / completions) * 1000 };
}

const containers = await openContainers(join(sandbox.directory, "containers"));
async function sandboxRate(round: string): Promise<number> {
  const started = performance.now();
  await containers.run(completions, parallelism, round);
  return completions / ((performance.now() - started) / 1000);
}

console.log(machine());
await job("warm-up");
await sandboxRate("warm-up");
for (let i = 1; i <= 3; i++) {
  const forks = await rate("exec /bin/true");
  const unshared = await rate("exec unshare --mount --pid --uts --ipc --fork /bin/true");
  const alone = await sandboxRate(`measured-${i}`);
  const pods = await job(`measured-${i}`);
  console.log(`pods ${pods.rate.toFixed(0)}/s (server CPU ${pods.cpuMs.toFixed(1)} ms a pod) · the sandbox alone ${alone.toFixed(0)}/s · unshare ${unshared.toFixed(0)}/s · fork+exec ${forks.toFixed(0)}/s · pods ÷ sandbox alone ${(pods.rate / alone).toFixed(2)}, ÷ unshare ${(pods.rate / unshared).toFixed(2)}`);
}
console.log(`resident afterwards ${residentMB(server.pid).toFixed(0)} MB`);
await containers.close();
await server.stop();
await sandbox.remove();
