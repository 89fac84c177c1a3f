/**
 * How fast Jobs go through the control plane: the real store on disk, registry, informers and Job controller in one process; pods are bound,
 * run and end at once, through the API, by a player that stands for scheduler and agent.
 * `node bench/job-controller.ts [1@1 1000@10 10000@100 100000@1000] [--ttl]`: pods@parallelism; --ttl lets finished pods go as they are counted.
 *
 * On two shared cores, other work beside it (so CPU time says more than the rate):
 *   10000@100           1.3 to 1.7 ms CPU a pod, 5.0 writes a pod, time per sync flat, 125 MB live (48 MB of it history)
 *   100000@1000         442 pods/s, 1.25 ms CPU a pod, 5.0 writes a pod, syncs of 500 pods: first tenth 2.3 s, last tenth 0.7 s; rss 2185 MB at the end,
 *                       with 100,000 pods and as many events kept (about 6 KB live for both; the rest is the collector's slack)
 *   100000@1000 --ttl   268 pods/s, 1.5 ms CPU a pod, 7.0 writes a pod (the deletion is two); rss 646 MB at the end; events stay an hour
 * Upstream's controller makes and counts about 10 pods a second by default, with about 5 writes a pod.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { systemChance, systemIds } from "../src/base/chance.ts";
import { sleep, systemClock } from "../src/base/clock.ts";
import { silentLogger } from "../src/base/logger.ts";
import type { Pod } from "../src/api/generated/types.ts";
import type { Stored } from "../src/api/object.ts";
import { JOBS, NAMESPACES, NODES, PODS, SERVICE_ACCOUNTS } from "../src/api/resource.ts";
import { openControlPlane, systemCaller } from "../src/app/control-plane.ts";
import { openClient } from "../src/client/client.ts";
import { openJobController } from "../src/controllers/job/controller.ts";
import { openDurableStore } from "../src/store/durable-store.ts";
import { PodPlayer } from "../test/simulation/pod-player.ts";

const NAMESPACE = "bench";
const args = process.argv.slice(2);
const letGo = args.includes("--ttl");
const shapes = args.filter((a) => a.includes("@"));

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

/** What is held, as opposed to what the collector has not come to yet. */
function liveHeap(): number {
  collectGarbage();
  return process.memoryUsage().heapUsed;
}

const megabytes = (bytes: number) => Math.round(bytes / 2 ** 20);

function openBench(directory: string) {
  const store = openDurableStore(join(directory, "store"));
  const syncs: number[] = [];
  const plane = openControlPlane({
    store,
    clock: systemClock,
    ids: systemIds,
    chance: systemChance,
    logger: silentLogger,
    controllers: (context) => openJobController(context("job-controller"), { metrics: { add() {}, observe: (name, _labels, value) => void (name === "job_sync_duration_seconds" && syncs.push(value * 1000)) } }),
  });
  const client = openClient(plane.api, systemCaller("bench"));
  const player = new PodPlayer(client, systemClock, "node-1");
  const live = async (pod: Stored<Pod>) => {
    await player.bind(pod);
    await player.run(pod);
    await player.end(pod, { exitCode: 0 });
  };
  plane.informers.of(PODS).on({
    onSet(pod, old) {
      if (!old && pod.status?.phase === "Pending") void live(pod);
      if (letGo && old?.metadata.finalizers && !pod.metadata.finalizers) void client.delete(PODS, { namespace: NAMESPACE, name: pod.metadata.name });
    },
  });
  return { store, plane, client, syncs };
}

async function run(pods: number, parallelism: number): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), "stint-bench-"));
  const { store, plane, client, syncs } = openBench(directory);
  const stop = new AbortController();
  const running = plane.run(stop.signal);
  await client.create(NAMESPACES, "", { metadata: { name: NAMESPACE }, spec: {} });
  await client.create(SERVICE_ACCOUNTS, NAMESPACE, { metadata: { name: "default", namespace: NAMESPACE } });
  await client.create(NODES, "", { metadata: { name: "node-1" }, spec: {} });
  await sleep(systemClock, 200);

  const jobs = plane.informers.of(JOBS);
  const one = async (name: string, completions: number) => {
    const done = new Promise<void>((resolve) => jobs.on({ onSet: (job) => void (job.metadata.name === name && job.status?.completionTime && resolve()) }));
    const started = systemClock.now();
    await client.create(JOBS, NAMESPACE, { metadata: { name, namespace: NAMESPACE }, spec: { completions, parallelism, completionMode: "Indexed", template: { spec: { restartPolicy: "Never", automountServiceAccountToken: false, containers: [{ name: "main", image: "example/image" }] } } } });
    await done;
    return systemClock.now() - started;
  };
  await one("warm-up", 1);
  syncs.length = 0;
  const [revision, cpu] = [store.revision, process.cpuUsage()];
  const ms = await one("measured", pods);
  const used = process.cpuUsage(cpu);
  const { rss } = process.memoryUsage();
  const tenth = Math.max(1, Math.floor(syncs.length / 10));
  const mean = (list: readonly number[]) => (list.reduce((a, b) => a + b, 0) / Math.max(1, list.length)).toFixed(1);
  const cells = [
    `${pods}@${parallelism}`, `${ms} ms`, `${Math.round((pods * 1000) / ms)} pods/s`, `cpu ${((used.user + used.system) / 1000 / ms * 100).toFixed(0)} %, ${((used.user + used.system) / 1000 / pods).toFixed(2)} ms/pod`,
    `rss ${megabytes(rss)} MB, ${megabytes(liveHeap())} MB live`, `${((store.revision - revision) / pods).toFixed(2)} writes/pod`, `${syncs.length} syncs, first tenth ${mean(syncs.slice(0, tenth))} ms, last tenth ${mean(syncs.slice(-tenth))} ms`,
  ];
  console.log(cells.join("  "));
  stop.abort();
  await running;
  await store.close();
  rmSync(directory, { recursive: true, force: true });
}

// Timers of the system clock keep no process alive.
const alive = setInterval(() => undefined, 1000);
for (const shape of shapes.length > 0 ? shapes : ["1@1", "1000@10", "10000@100"]) {
  const [pods = 1, parallelism = 1] = shape.split("@").map(Number);
  await run(pods, parallelism);
}
clearInterval(alive);
