/**
 * One worker per pod, and never two: reads what is, decides, acts, and looks again when something gives it reason to.
 * Whatever takes long (pulls, hooks, grace periods) runs beside it, so that it always answers to what happens meanwhile.
 * Follows kubernetes pkg/kubelet/pod_workers.go and kubelet.go (SyncPod, SyncTerminatingPod, SyncTerminatedPod) in their order of things.
 */
import { rm } from "node:fs/promises";
import type { Pod, PodStatus } from "../../api/generated/types.ts";
import type { Stored } from "../../api/object.ts";
import { PODS } from "../../api/resource.ts";
import { isConflict, isNotFound } from "../../api/status-error.ts";
import { parseTime } from "../../api/time.ts";
import { sleep, type Instant, type Timer } from "../../base/clock.ts";
import { identityOf, podLogDirectory, tellOf, type PodDeps } from "../deps.ts";
import { terminationMessage } from "../logs/termination-message.ts";
import { PodProbes } from "../probes/pod-probes.ts";
import { podIps, podStatus } from "../status/pod-status.ts";
import { StatusWriter } from "../status/status-writer.ts";
import { openPodTokens, type PodTokens } from "../volumes/token.ts";
import { openPodVolumes, removeVolumes, type PodVolumes } from "../volumes/volumes.ts";
import { deadlineOf, decide, type PodAction, type PodDecision, type PodLife } from "./decide.ts";
import { Memory } from "./memory.ts";
import { payloadContext } from "./payload-context.ts";
import { restartAll } from "./restart-all.ts";
import { startContainers } from "./start.ts";
import { messageOf } from "./start-refused.ts";
import { stopContainer } from "./stop.ts";
import { removeSurplus, surplusOf } from "./surplus.ts";
import { withStatus } from "./own-status.ts";
import { hasEnded, podFullName, readySandbox, type ForcedEnd, type PodRuntime, type PodWorld } from "./world.ts";

const RETRY_FIRST_MS = 500;
const RETRY_MAX_MS = 30_000;
/** How long the terminal phase waits for the sandbox to be down, so that both are told at once. */
const DOWN_TOGETHER_MS = 200;

/** Why a start is broken off. */
const ENDING = new Error("the pod ends");

export interface WorkerEnd {
  /** The pod's containers are gone, and what was to be told is told. */
  readonly onRetired: () => void;
}

type Executors = { [K in PodAction["kind"]]: (action: Extract<PodAction, { kind: K }>, world: PodWorld) => void };

export class PodWorker {
  readonly uid: string;
  readonly memory: Memory;
  readonly #deps: PodDeps;
  readonly #end: WorkerEnd;
  readonly #writer: StatusWriter;
  readonly #volumes: PodVolumes;
  readonly #tokens: PodTokens;
  readonly #probes: PodProbes;
  readonly #starting = new AbortController();
  #pod: Stored<Pod>;
  /** The status as this worker last wrote it. */
  #written: PodStatus | undefined;
  #removed = false;
  #retired = false;
  /** The last step of its end, while that goes on. */
  #clearing: Promise<void> | undefined;
  #isFinishing = false;
  #dirty = false;
  #isLooping = false;
  /** Counts what takes long, its beginnings and its ends. */
  #turn = 0;
  #recheck: Timer | undefined;
  #retryMs = RETRY_FIRST_MS;
  #runtime: PodRuntime | undefined;

  constructor(deps: PodDeps, pod: Stored<Pod>, end: WorkerEnd) {
    this.uid = pod.metadata.uid;
    this.#deps = deps;
    this.#end = end;
    this.#pod = pod;
    this.memory = new Memory(parseTime(pod.status?.startTime) ?? deps.clock.now());
    // An agent before this one was in the midst of it.
    this.memory.restartingAll = pod.status?.conditions?.some((c) => c.type === "AllContainersRestarting" && c.status === "True") ?? false;
    this.#tokens = openPodTokens(deps.client, deps.clock, pod);
    this.#volumes = openPodVolumes({ stateDir: deps.options.stateDir, memoryDir: deps.options.memoryDir }, deps.clock, (p) => payloadContext(deps, p, this.#tokens, this.#runtime));
    this.#probes = new PodProbes({ deps, memory: this.memory, poke: () => this.poke() });
    this.#writer = new StatusWriter({
      client: deps.client, clock: deps.clock, logger: deps.logger,
      current: () => this.pod.status ?? {},
      onWritten: (written) => { this.#written = written.status ?? {}; },
    }, pod);
  }

  /** The pod with the status that is known to be in the API. */
  get pod(): Stored<Pod> {
    return withStatus(this.#pod, this.#written);
  }

  /** The object changed. */
  update(pod: Stored<Pod>): void {
    this.#pod = pod;
    this.poke();
  }

  /** The object is gone; `last` is what it was. */
  remove(last: Stored<Pod>): void {
    this.#pod = last;
    this.#removed = true;
    this.poke();
  }

  reject(end: ForcedEnd): void {
    this.memory.forcedEnd = end;
    this.memory.rejected = true;
  }

  /** A ConfigMap, Secret or the pod's own metadata changed: volumes follow, what waited for it is tried at once. */
  refresh(): void {
    for (const [name, failure] of this.memory.failures) this.memory.failures.set(name, { ...failure, retryAt: failure.reason.startsWith("Err") || failure.reason === "ImagePullBackOff" ? failure.retryAt : this.#deps.clock.now() });
    if (this.memory.terminatingSince === undefined) void this.#volumes.refresh(this.pod).catch((error: unknown) => this.#complain("volumes could not be refreshed", error));
    this.poke();
  }

  /** Something may have changed. */
  poke(): void {
    this.#dirty = true;
    if (this.#retired || this.#isLooping) return;
    this.#isLooping = true;
    void this.#run().finally(() => {
      this.#isLooping = false;
      if (this.#dirty) this.poke();
    });
  }

  /** Stops looking after the pod, which goes on; one whose object is about to go is cleared away first: nobody would know of it later. */
  async close(): Promise<void> {
    this.#retired = true;
    this.#starting.abort(ENDING);
    this.#recheck?.cancel();
    this.#probes.close();
    await this.#clearing?.catch(() => {});
  }

  async #run(): Promise<void> {
    while (this.#dirty && !this.#retired) {
      this.#dirty = false;
      try {
        await this.#sync();
        this.#retryMs = RETRY_FIRST_MS;
      } catch (error) {
        this.#complain("a pod could not be looked after; it is tried again", error);
        this.#recheckAt(this.#deps.clock.now() + this.#retryMs);
        this.#retryMs = Math.min(this.#retryMs * 2, RETRY_MAX_MS);
      }
    }
  }

  async #sync(): Promise<void> {
    const turn = this.#turn;
    const runtime = await this.#deps.view.read(this.uid);
    await this.#learn(runtime);
    if (this.#retired) return;
    // Something long began or ended meanwhile: what was read may be from before it, and acting on it could do a thing twice.
    if (turn !== this.#turn) return void (this.#dirty = true);
    const world = this.#world(runtime);
    this.#watchDeadline(world);
    const decision = decide(world);
    this.#enter(decision.life, world);
    if (decision.life !== "ended" && !this.#isFinishing) this.#publish(world, decision.life, true);
    this.#execute(decision, world);
    this.#recheckAt(earliest(decision.recheckAt, this.#tokenRefresh()));
  }

  #world(runtime: PodRuntime): PodWorld {
    return { pod: this.pod, removed: this.#removed, runtime, memory: this.memory, now: this.#deps.clock.now() };
  }

  /** Takes in what the runtime has: last words, and what need not be remembered any more. */
  async #learn(runtime: PodRuntime): Promise<void> {
    const { spec } = this.#pod;
    for (const record of runtime.containers) {
      if (!hasEnded(record) || this.memory.messages.has(record.id)) continue;
      const container = [...spec.containers, ...(spec.initContainers ?? [])].find((c) => c.name === record.name);
      this.memory.messages.set(record.id, await terminationMessage(record, container));
    }
    this.#runtime = runtime;
    if (!this.memory.busy) await Promise.all(surplusOf(runtime).map((record) => removeSurplus(this.#deps.runtime, record)));
    this.memory.keepOnly(new Set(runtime.containers.map((c) => c.id)));
    this.#probes.follow(this.pod, runtime, this.memory.terminatingSince !== undefined);
  }

  #watchDeadline(world: PodWorld): void {
    const deadline = deadlineOf(world);
    if (deadline === undefined || world.now < deadline || this.memory.forcedEnd || this.memory.terminatingSince !== undefined) return;
    const message = "Pod was active on the node longer than the specified deadline";
    this.memory.forcedEnd = { reason: "DeadlineExceeded", message };
    tellOf(this.#deps, this.#pod)("Normal", "DeadlineExceeded", message);
  }

  #enter(life: PodLife, world: PodWorld): void {
    if (life === "running" || this.memory.terminatingSince !== undefined) return;
    this.memory.terminatingSince = world.now;
    this.#starting.abort(ENDING);
    this.#probes.follow(this.pod, world.runtime, true);
  }

  #publish(world: PodWorld, life: PodLife, sandboxUp: boolean): void {
    if (this.#removed) return;
    const first = this.#pod.status?.containerStatuses === undefined && this.#written === undefined;
    this.#writer.publish(podStatus(world, { life, hostIps: this.#deps.options.nodeAddresses, sandboxUp }), { urgent: first || life === "ended" });
  }

  #execute({ actions }: PodDecision, world: PodWorld): void {
    for (const action of actions) (this.#executors[action.kind] as (a: PodAction, w: PodWorld) => void)(action, world);
  }

  readonly #executors: Executors = {
    start: ({ containers }, world) => this.#busily("its containers could not be started", async () => {
      const { signal } = this.#starting;
      await startContainers({
        deps: this.#deps, pod: this.pod, memory: this.memory, volumes: this.#volumes, sandbox: readySandbox(world.runtime), signal,
        poke: () => this.poke(),
        stop: (record, item) => stopContainer(this.#stopContext(world), { record, container: item.container, fieldPath: item.fieldPath, message: "FailedPostStartHook", gracePeriodMs: (this.#pod.spec.terminationGracePeriodSeconds ?? 30) * 1000 }),
        onStandIn: (image, why) => this.#standIn(image, why),
      }, containers);
    }),
    stop: (stop, world) => {
      if (stop.message?.includes("probe") || this.#condemns(stop.record.id)) this.memory.condemned.add(stop.record.id);
      void stopContainer(this.#stopContext(world), stop)
        .catch((error: unknown) => { this.memory.stopping.delete(stop.record.id); this.#complain("a container could not be stopped", error); })
        .finally(() => this.poke());
    },
    tellBackOff: ({ container, fieldPath, attempt }) => {
      if (this.memory.toldBackOff.get(container.name) === attempt) return;
      this.memory.toldBackOff.set(container.name, attempt);
      tellOf(this.#deps, this.#pod, fieldPath)("Warning", "BackOff", `Back-off restarting failed container ${container.name} in pod ${podFullName(this.#pod)}`);
    },
    restartAll: (_action, world) => this.#busily("its containers could not be restarted", () => restartAll({ deps: this.#deps, memory: this.memory, world, publish: () => this.#publish(this.#world({ ...world.runtime, containers: [] }), "running", true), flush: () => this.#writer.flush() })),
    finish: (_action, world) => this.#busily("it could not be taken down", () => this.#finish(world)),
  };

  #condemns(id: string): boolean {
    const results = this.memory.probes.get(id);
    return this.memory.terminatingSince === undefined && (results?.liveness === "failure" || results?.startup === "failure");
  }

  #stopContext(world: PodWorld) {
    return { deps: this.#deps, pod: this.pod, memory: this.memory, podIp: podIps(world, this.#deps.options.nodeAddresses)[0] ?? "" };
  }

  /** Runs what takes its time; until it is done nothing else begins. */
  #busily(complaint: string, work: () => Promise<void>): void {
    if (this.memory.busy) return;
    this.memory.busy = true;
    this.#turn++;
    void work()
      .catch((error: unknown) => {
        this.#complain(complaint, error);
        return sleep(this.#deps.clock, this.#retryMs);
      })
      .finally(() => {
        this.memory.busy = false;
        this.#turn++;
        this.poke();
      });
  }

  async #finish(world: PodWorld): Promise<void> {
    // From here on the last status stands: nothing that was seen before may be written over it.
    this.#isFinishing = true;
    const { runtime, options } = this.#deps;
    const down = Promise.all(world.runtime.sandboxes.map((s) => runtime.stopSandbox(s.id)));
    const isDown = await Promise.race([down.then(() => true), sleep(this.#deps.clock, DOWN_TOGETHER_MS).then(() => false)]);
    this.#publish(this.#world(world.runtime), "ended", !isDown);
    await down;
    if (!isDown) this.#publish(this.#world(world.runtime), "ended", false);
    await removeVolumes(options, this.uid);
    if (!this.#removed) await this.#writer.flush();
    this.#clearing = this.#clear(world);
    await this.#clearing;
    this.#clearing = undefined;
    await this.close();
    this.#end.onRetired();
  }

  async #clear(world: PodWorld): Promise<void> {
    const { runtime, options } = this.#deps;
    await this.#deleteObject();
    for (const s of world.runtime.sandboxes) await runtime.removeSandbox(s.id);
    if (this.#removed) await rm(podLogDirectory(options.stateDir, identityOf(this.#pod)), { recursive: true, force: true });
  }

  /** The last step of a graceful deletion is the node's. */
  async #deleteObject(): Promise<void> {
    const { deletionTimestamp, deletionGracePeriodSeconds = 0, namespace = "", name, uid } = this.#pod.metadata;
    if (this.#removed || deletionTimestamp === undefined || deletionGracePeriodSeconds === 0) return;
    try {
      await this.#deps.client.delete(PODS, { namespace, name }, { gracePeriodSeconds: 0, preconditions: { uid } });
    } catch (error) {
      if (!isNotFound(error) && !isConflict(error)) throw error;
    }
  }

  #standIn(image: string, why: string): void {
    this.#deps.options.onHostUserland?.(image, why);
    const { namespace = "", name, uid } = this.#pod.metadata;
    const patch = { metadata: { uid, annotations: { "stint.dev/userland": "host" } } };
    void this.#deps.client.patch(PODS, { namespace, name }, "merge", patch).catch((error: unknown) => this.#complain("a pod could not be annotated", error));
  }

  #tokenRefresh(): Instant | undefined {
    const at = this.#tokens.refreshAt();
    if (at === undefined || at > this.#deps.clock.now()) return at;
    void this.#volumes.refresh(this.pod).then(() => this.poke(), (error: unknown) => this.#complain("a token could not be renewed", error));
    return this.#deps.clock.now() + RETRY_MAX_MS;
  }

  #recheckAt(at: Instant | undefined): void {
    this.#recheck?.cancel();
    this.#recheck = at === undefined || this.#retired ? undefined : this.#deps.clock.after(Math.max(at - this.#deps.clock.now(), 1), () => this.poke());
  }

  #complain(message: string, error: unknown): void {
    this.#deps.logger.warn(message, { pod: `${this.#pod.metadata.namespace ?? ""}/${this.#pod.metadata.name}`, error: messageOf(error) });
  }
}

const earliest = (a: Instant | undefined, b: Instant | undefined): Instant | undefined => (a === undefined ? b : b === undefined ? a : Math.min(a, b));
