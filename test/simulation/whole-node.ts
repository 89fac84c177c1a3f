/**
 * The control plane with the real scheduler and the real agent, on a machine where containers only pretend to run. Server and agent are killed together
 * at random moments; what "runs" goes on. The agent reads and writes real files, so a run is not the same to the letter; what must hold is the same.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openAgent } from "../../src/agent/agent.ts";
import { FakeImages } from "../../src/agent/testing/agent-harness.ts";
import { seededChance, seededIds, type Chance } from "../../src/base/chance.ts";
import { VirtualClock } from "../../src/base/clock.ts";
import { silentLogger } from "../../src/base/logger.ts";
import type { Job } from "../../src/api/generated/types.ts";
import type { Stored } from "../../src/api/object.ts";
import { CONFIG_MAPS, JOBS, NAMESPACES, NODES, PODS, SECRETS, SERVICE_ACCOUNTS, SERVICES } from "../../src/api/resource.ts";
import { openControlPlane, systemCaller, type ControlPlane } from "../../src/app/control-plane.ts";
import { openClient, type Client } from "../../src/client/client.ts";
import { isFinished } from "../../src/controllers/job/conditions.ts";
import { openJobController } from "../../src/controllers/job/controller.ts";
import { openSimulatedRuntime, type Outcome } from "../../src/runtime/simulated/simulated-runtime.ts";
import { openScheduler } from "../../src/scheduler/scheduler.ts";
import { keepOnDisk } from "./kept-store.ts";
import { Oracle, Violation } from "./oracle.ts";
import { draw, drawJob, EXIT, flips, pick } from "./workload.ts";

const START = Date.UTC(2026, 0, 1);
const NAMESPACE = "sim";
const NODE = "node";
const JOBS_MAX = 3;
const ROUNDS_MAX = 60;
const ROUND_MS = 60_000;
const KILL_ODDS = 0.25;
/** Rounds after which nothing goes wrong any more. */
const STORMY_ROUNDS = 15;

/** Promises, and the file system's answers. */
async function settle(): Promise<void> {
  for (let i = 0; i < 12; i++) await stat("/");
}

function outcomeOf(chance: Chance, calm: boolean): Outcome {
  const afterMs = draw(chance, 0, 20_000);
  if (calm || flips(chance, 0.7)) return { kind: "exit", code: 0, afterMs };
  if (flips(chance, 0.1)) return { kind: "startError", message: "no such file" };
  return { kind: "exit", code: pick(chance, Object.values(EXIT)) ?? EXIT.plain, afterMs };
}

class WholeNode {
  readonly #chance: Chance;
  readonly #clock = new VirtualClock(START);
  readonly #store = keepOnDisk(this.#clock);
  readonly #directory = mkdtempSync(join(tmpdir(), "stint-sim-node-"));
  readonly #oracle = new Oracle();
  readonly #images = new FakeImages();
  readonly #runtime;
  #calm = false;
  #plane: ControlPlane;
  #stop = new AbortController();
  #running: Promise<unknown> = Promise.resolve();

  constructor(seed: number) {
    this.#chance = seededChance(seed);
    const image = this.#images.add("example/image");
    this.#images.onPull = () => Promise.resolve(image);
    this.#runtime = openSimulatedRuntime({ clock: this.#clock, ids: seededIds(seededChance(seed + 1)), script: { outcome: () => outcomeOf(this.#chance, this.#calm) } });
    this.#plane = this.#boot(seed);
  }

  get #client(): Client {
    return openClient(this.#plane.api, systemCaller("user"));
  }

  #boot(seed: number): ControlPlane {
    const deps = { clock: this.#clock, ids: seededIds(seededChance(seed + 2)), logger: silentLogger };
    const plane = openControlPlane({ ...deps, chance: this.#chance, store: this.#store.current, controllers: (context) => openJobController(context("job-controller")) });
    const { informers } = plane;
    const pods = informers.of(PODS);
    this.#store.current.watch("", this.#store.current.revision, { onChanges: (changes) => this.#oracle.observe(changes) });
    const scheduler = openScheduler({ ...deps, client: plane.clientFor("kube-scheduler"), informers: { pods, nodes: informers.of(NODES) }, instance: NODE });
    const agent = openAgent({
      ...deps, client: plane.clientFor("kubelet"), runtime: this.#runtime, images: this.#images, nodeName: NODE, recorder: { record: () => undefined },
      informers: { pods, services: informers.of(SERVICES), configMaps: informers.of(CONFIG_MAPS), secrets: informers.of(SECRETS) },
      options: { stateDir: this.#directory, memoryDir: join(this.#directory, "memory"), nodeAddresses: ["192.0.2.1"] },
    });
    this.#stop = new AbortController();
    const { signal } = this.#stop;
    this.#running = Promise.allSettled([plane.run(signal), scheduler.run(signal), agent.run(signal)]);
    return plane;
  }

  async #kill(): Promise<void> {
    this.#stop.abort();
    await settle();
    await this.#store.reopen();
    this.#plane = this.#boot(draw(this.#chance, 1, 1_000_000));
  }

  async #elapse(ms: number): Promise<void> {
    const end = this.#clock.now() + ms;
    await settle();
    for (let due = this.#clock.nextDue(); due !== undefined && due <= end; due = this.#clock.nextDue()) {
      this.#clock.fireNext();
      await settle();
    }
    this.#clock.advance(Math.max(0, end - this.#clock.now()));
  }

  async #jobs(): Promise<readonly Stored<Job>[]> {
    return (await this.#client.list(JOBS, NAMESPACE)).items;
  }

  async #userActs(): Promise<void> {
    const pod = pick(this.#chance, (await this.#client.list(PODS, NAMESPACE)).items);
    if (pod && flips(this.#chance, 0.3)) await this.#client.delete(PODS, { namespace: NAMESPACE, name: pod.metadata.name }).catch(() => undefined);
  }

  async #release(): Promise<void> {
    for (const { spec, metadata } of await this.#jobs()) {
      if (spec.suspend === true) await this.#client.patch(JOBS, { namespace: NAMESPACE, name: metadata.name }, "merge", { spec: { suspend: false } });
    }
  }

  async run(): Promise<string | undefined> {
    try {
      await this.#client.create(NAMESPACES, "", { metadata: { name: NAMESPACE }, spec: {} });
      await this.#client.create(SERVICE_ACCOUNTS, NAMESPACE, { automountServiceAccountToken: false, metadata: { name: "default", namespace: NAMESPACE } });
      await this.#elapse(1000);
      for (let n = 0; n < JOBS_MAX; n++) await this.#client.create(JOBS, NAMESPACE, drawJob(this.#chance, `job-${n}`, NAMESPACE));
      for (let round = 0; round < ROUNDS_MAX; round++) {
        this.#calm = round >= STORMY_ROUNDS;
        if (this.#calm) await this.#release();
        else await this.#userActs();
        await this.#elapse(draw(this.#chance, 0, 2000));
        if (!this.#calm && flips(this.#chance, KILL_ODDS)) await this.#kill();
        await this.#elapse(this.#calm ? ROUND_MS : draw(this.#chance, 0, 20_000));
        this.#oracle.check();
        if ((await this.#jobs()).every(isFinished)) break;
      }
      this.#oracle.checkEnd();
      return undefined;
    } catch (error) {
      if (error instanceof Violation) return error.message;
      throw error;
    } finally {
      this.#stop.abort();
      await settle();
      await Promise.race([this.#running, settle()]);
      await this.#store.dispose();
      rmSync(this.#directory, { recursive: true, force: true });
    }
  }
}

/** What went wrong; undefined: nothing. */
export const simulateNode = (seed: number): Promise<string | undefined> => new WholeNode(seed).run();
