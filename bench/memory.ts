/**
 * Resident memory of `stint up` that holds 10,000 finished Jobs and their pods, and how long it takes to start with them, to the ready line. No
 * agent, no scheduler: the pods are written as an agent leaves them. Usage: node bench/memory.ts [JOBS] [STARTS]
 */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { systemChance, systemIds } from "../src/base/chance.ts";
import { systemClock } from "../src/base/clock.ts";
import { silentLogger } from "../src/base/logger.ts";
import { JOBS, NAMESPACES, NODES, PODS, SERVICE_ACCOUNTS } from "../src/api/resource.ts";
import { openControlPlane } from "../src/app/control-plane.ts";
import type { Client } from "../src/client/client.ts";
import { openDurableStore } from "../src/store/durable-store.ts";
import { Sandbox, Server } from "../test/support/stint.ts";
import { cpuSeconds, machine, residentMB, spread } from "./machine.ts";

const jobs = Number(process.argv[2] ?? 10_000);
const starts = Number(process.argv[3] ?? 5);
const NAMESPACE = "default";
const GOALS = "goals: 600 MB, 3000 ms";

const template = { spec: { restartPolicy: "Never", containers: [{ name: "main", image: "alpine", command: ["sh", "-c", "for i in $(seq 10);do echo $(($i*2));done"] }] } } as const;
const at = (second: number) => new Date(Date.UTC(2026, 0, 1) + second * 1000).toISOString().replace(".000Z", "Z");

/** A Job as its controller leaves it, with its pod as an agent leaves it. */
async function finishedJob(client: Client, n: number): Promise<void> {
  const name = `job-${n}`;
  const [start, end] = [at(n), at(n + 5)];
  const job = await client.create(JOBS, NAMESPACE, { metadata: { name }, spec: { template } });
  const owner = { apiVersion: "batch/v1", kind: "Job", name, uid: job.metadata.uid, controller: true, blockOwnerDeletion: true };
  const pod = await client.create(PODS, NAMESPACE, { metadata: { generateName: `${name}-`, labels: job.spec?.template.metadata?.labels ?? {}, ownerReferences: [owner] }, spec: { nodeName: "node", ...template.spec } });
  const times = { startedAt: start, finishedAt: end };
  const conditions = ["PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled"].map((type) => ({ type, status: "True", lastTransitionTime: start, reason: "PodCompleted" }));
  const container = { name: "main", image: "docker.io/library/alpine:latest", imageID: `docker.io/library/alpine@sha256:${"a".repeat(64)}`, containerID: `stint://${systemIds.uid()}`, ready: false, started: false, restartCount: 0, state: { terminated: { exitCode: 0, reason: "Completed", ...times } } };
  const status = { phase: "Succeeded", conditions, containerStatuses: [container], startTime: start, podIP: "10.88.0.2", podIPs: [{ ip: "10.88.0.2" }], hostIP: "192.0.2.1", hostIPs: [{ ip: "192.0.2.1" }], qosClass: "BestEffort" };
  await client.patch(PODS, { namespace: NAMESPACE, name: pod.metadata.name }, "strategic", { status }, { subresource: "status" });
  const condition = (type: string) => ({ type, status: "True", reason: "CompletionsReached", message: "Reached expected number of succeeded pods", lastProbeTime: end, lastTransitionTime: end });
  await client.updateStatus(JOBS, { ...job, status: { startTime: start, completionTime: end, succeeded: 1, ready: 0, terminating: 0, uncountedTerminatedPods: {}, conditions: [condition("SuccessCriteriaMet"), condition("Complete")] } });
}

async function fill(directory: string): Promise<void> {
  mkdirSync(directory, { recursive: true });
  const store = openDurableStore(join(directory, "store"));
  const plane = openControlPlane({ store, clock: systemClock, ids: systemIds, chance: systemChance, logger: silentLogger, controllers: () => [] });
  const client = plane.clientFor("bench");
  await client.create(NAMESPACES, "", { metadata: { name: NAMESPACE }, spec: {} });
  await client.create(SERVICE_ACCOUNTS, NAMESPACE, { metadata: { name: "default" } });
  await client.create(NODES, "", { metadata: { name: "node" }, spec: {} });
  for (let i = 0; i < jobs; i += 250) await Promise.all(Array.from({ length: Math.min(250, jobs - i) }, (_, n) => finishedJob(client, i + n)));
  await store.close();
}

const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

async function start(sandbox: Sandbox): Promise<{ readonly ms: number; readonly cpuMs: number; readonly ready: number; readonly settled: number }> {
  const begin = performance.now();
  const server = await Server.start(sandbox, ["--disable", "agent,scheduler"]);
  const ms = performance.now() - begin;
  const cpuMs = cpuSeconds(server.pid) * 1000;
  const ready = residentMB(server.pid);
  await server.ok(["get", "pods", "--chunk-size=500", "-o", "name"]);
  await wait(15_000);
  const settled = residentMB(server.pid);
  await server.stop();
  return { ms, cpuMs, ready, settled };
}

console.log(machine());
const sandbox = await Sandbox.make();
await fill(join(sandbox.directory, "data"));
const runs: Awaited<ReturnType<typeof start>>[] = [];
for (let i = 0; i < starts; i++) runs.push(await start(sandbox));
console.log(`${jobs} finished Jobs with their pods (${GOALS})`);
console.log(`start to the ready line   ${spread(runs.map((r) => r.ms), "ms")} · CPU ${spread(runs.map((r) => r.cpuMs), "ms")}`);
console.log(`resident when ready       ${spread(runs.map((r) => r.ready), "MB")}`);
console.log(`resident after a list     ${spread(runs.map((r) => r.settled), "MB")}`);
await sandbox.remove();
