/**
 * The whole control plane in one thread of virtual time, from one seed: real wiring over a store in memory or on disk, users and pods that do as they please,
 * a road between them on which everything goes wrong, and a server that is killed in the middle of it. The same seed gives the same run, to the letter.
 */
import { seededChance, seededIds, type Chance, type Ids } from "../../src/base/chance.ts";
import { VirtualClock } from "../../src/base/clock.ts";
import { silentLogger, type LogFields, type Logger } from "../../src/base/logger.ts";
import { systemTurnEnd } from "../../src/base/turn-end.ts";
import type { Job, Pod } from "../../src/api/generated/types.ts";
import { controllerOf, type Stored } from "../../src/api/object.ts";
import { JOBS, NAMESPACES, NODES, PODS, SERVICE_ACCOUNTS, type Resource } from "../../src/api/resource.ts";
import { StatusError } from "../../src/api/status-error.ts";
import { openControlPlane, systemCaller, type ControlPlane } from "../../src/app/control-plane.ts";
import { openClient, type Client } from "../../src/client/client.ts";
import { openGarbageCollector } from "../../src/controllers/garbage-collector/garbage-collector.ts";
import { openJobController } from "../../src/controllers/job/controller.ts";
import { openPodGcController } from "../../src/controllers/pod-gc/pod-gc.ts";
import { CALM, FaultyTransport, STORMY, type Weather } from "./faulty-transport.ts";
import { keepInMemory, keepOnDisk, type KeptStore } from "./kept-store.ts";
import { Oracle, Violation } from "./oracle.ts";
import { PodPlayer } from "./pod-player.ts";
import { draw, drawChange, drawJob, EXIT, flips, pick } from "./workload.ts";

/** What may happen in a run; each can be left out, to see whether a failure needs it. */
export const FEATURES = ["delay", "error", "lost", "lag", "repeat", "breakOff", "restarts", "changes", "deletions", "failures", "evictions", "strays"] as const;
export type Feature = (typeof FEATURES)[number];

export interface SimulationOptions {
  readonly seed: number;
  readonly steps: number;
  readonly without?: readonly Feature[];
  readonly jobsMax?: number;
}

export interface SimulationResult {
  /** undefined: all went well. */
  readonly failure: string | undefined;
  /** The step that brought it to light; `steps` when it was the end. */
  readonly step: number;
  /** What happened, a line each. Equal for equal options. */
  readonly history: readonly string[];
}

type StoredJob = Stored<Job>;
type StoredPod = Stored<Pod>;

const START = Date.UTC(2026, 0, 1);
const NAMESPACE = "sim";
const NODE = "node-1";
/** Every so many seeds the store is on disk: slower, and read again from the file at each start. */
const ON_DISK_EVERY = 20;
/** How long the calm at the end lasts: longer than the longest back-off, several times. */
const CALM_ROUNDS = 60;
const CALM_ROUND_MS = 120_000;

class Simulation {
  readonly #options: SimulationOptions;
  readonly #clock = new VirtualClock(START);
  readonly #chance: Chance;
  readonly #ids: Ids;
  readonly #store: KeptStore;
  readonly #oracle = new Oracle();
  readonly #history: string[] = [];
  #weather: Weather;
  #plane: ControlPlane;
  #transport: FaultyTransport | undefined;
  #stop = new AbortController();
  #jobs = 0;

  constructor(options: SimulationOptions) {
    this.#options = options;
    this.#chance = seededChance(options.seed);
    this.#ids = seededIds(seededChance(options.seed + 1));
    this.#store = options.seed % ON_DISK_EVERY === 0 ? keepOnDisk(this.#clock) : keepInMemory(this.#clock);
    this.#weather = Object.fromEntries(Object.entries(STORMY).map(([fault, odds]) => [fault, this.#may(fault as Feature) ? odds : 0])) as unknown as Weather;
    this.#plane = this.#boot();
  }

  #may(feature: Feature): boolean {
    return this.#options.without?.includes(feature) !== true;
  }

  #log(line: string): void {
    this.#history.push(`${((this.#clock.now() - START) / 1000).toFixed(3).padStart(10)} ${line}`);
  }

  /** What controllers complain about is part of the history. */
  #logger(): Logger {
    const complain = (message: string, fields: LogFields = {}) => this.#log(`${message}: ${fields["error"] instanceof Error ? fields["error"].message : JSON.stringify(fields)}`);
    const logger: Logger = { ...silentLogger, warn: complain, error: complain, child: () => logger };
    return logger;
  }

  get #client(): Client {
    return openClient(this.#plane.api, systemCaller("user"));
  }

  /** Starts a server over what is stored. */
  #boot(): ControlPlane {
    const plane = openControlPlane({
      store: this.#store.current,
      clock: this.#clock,
      ids: this.#ids,
      chance: this.#chance,
      logger: this.#logger(),
      transport: (api) => {
        this.#transport = new FaultyTransport(api, {
          clock: this.#clock,
          chance: this.#chance,
          weather: () => this.#weather,
          log: (line) => this.#log(line),
          onLost: (request) => {
            if (request.verb === "create" && request.resource.plural === PODS.plural) this.#oracle.noteLost(controllerOf(request.object)?.uid);
          },
        });
        return this.#transport;
      },
      controllers: (context) => [...openJobController(context("job-controller")), ...openGarbageCollector(context("garbage-collector-controller"), { resources: [JOBS, PODS] }), ...openPodGcController(context("pod-garbage-collector"))],
    });
    this.#stop = new AbortController();
    void plane.run(this.#stop.signal);
    return plane;
  }

  async #kill(): Promise<void> {
    this.#log("the server is killed and starts again");
    this.#transport?.kill();
    this.#stop.abort();
    const { current } = this.#store;
    await this.#store.reopen();
    if (this.#store.current !== current) this.#observe();
    this.#plane = this.#boot();
  }

  async run(): Promise<SimulationResult> {
    const { steps } = this.#options;
    let step = 0;
    try {
      await this.#open();
      for (; step < steps; step++) {
        await this.#step();
        this.#oracle.check();
      }
      await this.#end();
      return { failure: undefined, step, history: this.#history };
    } catch (error) {
      if (!(error instanceof Violation)) throw error;
      this.#log(`VIOLATION ${error.message}`);
      return { failure: error.message, step, history: this.#history };
    } finally {
      this.#transport?.kill();
      this.#stop.abort();
      await this.#store.dispose();
    }
  }

  #observe(): void {
    const { current } = this.#store;
    current.watch("", current.revision, {
      onChanges: (changes) => {
        for (const { kind, entry, previous } of changes) if (!entry.key.includes("/events/")) this.#log(`${kind === "delete" ? "gone" : previous ? "set" : "new"} ${summary(entry.value.object)}`);
        this.#oracle.observe(changes);
      },
    });
  }

  async #open(): Promise<void> {
    this.#observe();
    await this.#client.create(NAMESPACES, "", { metadata: { name: NAMESPACE }, spec: {} });
    await this.#client.create(SERVICE_ACCOUNTS, NAMESPACE, { metadata: { name: "default", namespace: NAMESPACE } });
    await this.#client.create(NODES, "", { metadata: { name: NODE }, spec: {} });
    await this.#elapse(100);
  }

  /** Lets time pass, timer by timer, with everything that follows from each. */
  async #elapse(ms: number): Promise<void> {
    const end = this.#clock.now() + ms;
    await settled();
    for (let due = this.#clock.nextDue(); due !== undefined && due <= end; due = this.#clock.nextDue()) {
      this.#clock.fireNext();
      await settled();
    }
    this.#clock.advance(end - this.#clock.now());
  }

  async #step(): Promise<void> {
    const chance = this.#chance;
    const roll = chance.next();
    if (this.#jobs < (this.#options.jobsMax ?? 3) && (this.#jobs === 0 || roll < 0.1)) await this.#createJob();
    else if (roll < 0.14 && this.#may("restarts")) await this.#kill();
    else if (roll < 0.24) await this.#userAct();
    else await this.#podsAct();
    await this.#elapse(flips(chance, 0.7) ? draw(chance, 0, 300) : draw(chance, 300, 15_000));
  }

  async #createJob(): Promise<void> {
    const job = drawJob(this.#chance, `job-${this.#jobs++}`, NAMESPACE);
    this.#log(`user creates ${job.metadata.name} ${JSON.stringify({ ...job.spec, template: job.spec.template.spec?.restartPolicy })}`);
    await this.#try(() => this.#client.create(JOBS, NAMESPACE, job));
  }

  async #userAct(): Promise<void> {
    const job = pick(this.#chance, await this.#list(JOBS));
    const pod = pick(this.#chance, await this.#list(PODS));
    const ref = (o: StoredJob | StoredPod) => ({ namespace: NAMESPACE, name: o.metadata.name });
    const roll = this.#chance.next();
    if (job && roll < 0.5 && this.#may("changes")) {
      const spec = drawChange(this.#chance, job.spec);
      this.#log(`user changes ${job.metadata.name}: ${JSON.stringify(spec)}`);
      await this.#try(() => this.#client.patch(JOBS, ref(job), "merge", { spec }));
    } else if (pod && roll < 0.8 && this.#may("deletions")) {
      this.#log(`user deletes ${pod.metadata.name}`);
      await this.#try(() => this.#client.delete(PODS, ref(pod)));
    } else if (job && roll < 0.86 && this.#may("deletions")) {
      const propagationPolicy = pick(this.#chance, ["Background", "Foreground", "Orphan"]) ?? "Background";
      this.#log(`user deletes ${job.metadata.name}, ${propagationPolicy}`);
      await this.#try(() => this.#client.delete(JOBS, ref(job), { propagationPolicy }));
    } else if (pod && this.#may("strays")) {
      const labels = pod.metadata.labels?.["batch.kubernetes.io/controller-uid"] === "nobody" ? pod.metadata.labels["controller-uid"] : "nobody";
      this.#log(`user labels ${pod.metadata.name}: ${labels}`);
      await this.#try(() => this.#client.patch(PODS, ref(pod), "merge", { metadata: { labels: { "batch.kubernetes.io/controller-uid": labels } } }));
    }
  }

  /** Some pods go on. */
  async #podsAct(): Promise<void> {
    const pods = await this.#list(PODS);
    for (let n = draw(this.#chance, 1, 3); n > 0; n--) {
      const pod = pick(this.#chance, pods);
      if (pod) await this.#try(() => this.#podActs(pod, false));
    }
  }

  async #podActs({ metadata: { name } }: StoredPod, calm: boolean): Promise<void> {
    const pod = await this.#client.get(PODS, { namespace: NAMESPACE, name });
    const player = new PodPlayer(this.#client, this.#clock, NODE);
    const chance = this.#chance;
    const phase = pod.status?.phase;
    const ended = phase === "Succeeded" || phase === "Failed";
    const deleting = pod.metadata.deletionTimestamp !== undefined;
    if (ended) return deleting ? player.forget(pod) : undefined;
    // Pods that were never bound are taken away by the pod garbage collector.
    if (!pod.spec.nodeName) return deleting ? undefined : player.bind(pod);
    if (deleting) return player.end(pod, { exitCode: flips(chance, 0.8) ? 143 : 0 });
    if (phase === "Pending") return player.run(pod);
    if (calm || !this.#may("failures") || flips(chance, 0.55)) return player.end(pod, { exitCode: 0 });
    if (pod.spec.restartPolicy === "OnFailure" && flips(chance, 0.7)) return player.run(pod, { restarts: (pod.status?.containerStatuses?.[0]?.restartCount ?? 0) + 1 });
    if (this.#may("evictions") && flips(chance, 0.2)) return player.end(pod, { exitCode: 137, disrupted: true });
    const exitCode = flips(chance, 0.6) ? EXIT.plain : (pick(chance, [EXIT.ignored, EXIT.failIndex, EXIT.failJob]) ?? EXIT.plain);
    return player.end(pod, { exitCode });
  }

  /** The storm is over: every Job gets what it waits for, and has to end. */
  async #end(): Promise<void> {
    this.#weather = CALM;
    this.#log("calm");
    for (let round = 0; round < CALM_ROUNDS; round++) {
      const jobs = (await this.#list(JOBS)).filter((job) => !isFinished(job));
      if (jobs.length === 0) break;
      for (const job of jobs) if (job.spec.suspend === true || (job.spec.parallelism ?? 1) === 0) await this.#release(job);
      for (let turn = 0; turn < 6; turn++) {
        for (const pod of await this.#list(PODS)) await this.#try(() => this.#podActs(pod, true));
        await this.#elapse(500);
      }
      await this.#elapse(CALM_ROUND_MS);
      this.#oracle.check();
    }
    await this.#elapse(CALM_ROUND_MS);
    this.#oracle.checkEnd();
  }

  async #release(job: StoredJob): Promise<void> {
    const parallelism = Math.max(1, job.spec.parallelism ?? 1);
    await this.#try(() => this.#client.patch(JOBS, { namespace: NAMESPACE, name: job.metadata.name }, "merge", { spec: { suspend: false, ...(job.spec.parallelism === 0 && job.spec.completions !== 0 && { parallelism }) } }));
  }

  async #list<T extends object>(resource: Resource<T>): Promise<readonly Stored<T>[]> {
    return (await this.#client.list(resource, NAMESPACE)).items;
  }

  /** Users and kubelets are refused things; that is no failure of the run. */
  async #try(call: () => Promise<unknown>): Promise<void> {
    try {
      await call();
    } catch (error) {
      if (!(error instanceof StatusError)) throw error;
      this.#log(`refused: ${error.message.slice(0, 160)}`);
    }
  }
}

const isFinished = (job: StoredJob): boolean => job.status?.conditions?.some((c) => (c.type === "Complete" || c.type === "Failed") && c.status === "True") === true;

const settled = (): Promise<void> => new Promise((resolve) => systemTurnEnd(resolve));

function summary(object: object): string {
  const { kind, metadata, status } = object as Stored<Job & Pod>;
  if (kind === "Job") {
    const { conditions = [], startTime: _, completionTime: __, ...counters } = status as NonNullable<Job["status"]>;
    return `Job ${metadata.name} ${conditions.map((c) => `${c.type}=${c.status}`).join(",")} ${JSON.stringify(counters)}`;
  }
  if (kind !== "Pod") return `${kind ?? "?"} ${metadata.name}`;
  return `Pod ${metadata.name} ${(status as NonNullable<Pod["status"]>).phase ?? ""}${metadata.finalizers ? " tracked" : ""}${metadata.deletionTimestamp ? " terminating" : ""}${controllerOf({ metadata }) ? "" : " unowned"}`;
}

/** One run. */
export const simulate = (options: SimulationOptions): Promise<SimulationResult> => new Simulation(options).run();
