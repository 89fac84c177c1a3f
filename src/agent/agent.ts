/**
 * The node agent: registers the machine, gives each pod that is bound to it a worker, and cleans up after pods that are gone.
 * It keeps no state of its own: what it finds in the API and in the runtime after a restart, it goes on with.
 * Follows kubernetes pkg/kubelet/kubelet.go.
 */
import { readdir, rm, rmdir } from "node:fs/promises";
import { existsSync, mkdirSync } from "node:fs";
import { createHash } from "node:crypto";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import type { ConfigMap, Node, Pod, Secret } from "../api/generated/types.ts";
import { keyOf, type Stored } from "../api/object.ts";
import { sleep, type Clock } from "../base/clock.ts";
import type { Ids } from "../base/chance.ts";
import type { Logger } from "../base/logger.ts";
import type { Client } from "../client/client.ts";
import type { Runtime } from "../runtime/runtime.ts";
import { openAllocations } from "./allocations.ts";
import { openConfiguration } from "./configuration.ts";
import { identityOf, podLogDirectory, tellOf, type PodDeps } from "./deps.ts";
import { openHints } from "./hints.ts";
import type { ImageService } from "./image-service.ts";
import { readMachine } from "./node/machine.ts";
import { capacityOf } from "./node/node-object.ts";
import { keepNode, registerNode, type RegistrationDeps } from "./node/registration.ts";
import { admit } from "./pod/admission.ts";
import { PodWorker } from "./pod/worker.ts";
import { isTerminalPhase } from "./pod/world.ts";
import { AGENT_DEFAULTS, type AgentInformers, type AgentOptions, type EventRecorder } from "./ports.ts";
import { References } from "./references.ts";
import { openRuntimeView } from "./runtime-view.ts";
import { openPodStreams, type PodStreams } from "./streams.ts";
import { removeVolumes } from "./volumes/volumes.ts";

export interface AgentDeps {
  readonly client: Client;
  readonly informers: AgentInformers;
  readonly runtime: Runtime;
  readonly images: ImageService;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly logger: Logger;
  readonly recorder: EventRecorder;
  readonly nodeName: string;
  readonly options: Partial<AgentOptions> & Pick<AgentOptions, "stateDir">;
}

export interface Agent {
  /** Works until `signal` aborts; pods go on without it. Rejects when the runtime cannot work on this machine. */
  run(signal: AbortSignal): Promise<void>;
  /** Logs and commands of the pods of this node. */
  readonly streams: PodStreams;
}

/** A tmpfs of this state directory's own, where the machine has /dev/shm. */
function memoryDirOf(stateDir: string): string {
  const own = `stint-${process.getuid?.() ?? 0}-${createHash("sha256").update(stateDir).digest("hex").slice(0, 12)}`;
  return existsSync("/dev/shm") ? join("/dev/shm", own) : join(stateDir, "memory");
}

/** Makes an agent; nothing happens before `run`. */
export function openAgent(deps: AgentDeps): Agent {
  const options = { ...AGENT_DEFAULTS, memoryDir: memoryDirOf(deps.options.stateDir), ...deps.options };
  const machine = readMachine(options.stateDir);
  const { client, clock, logger, informers, runtime, images, recorder } = deps;
  const podDeps: PodDeps = {
    client, clock, logger, informers, runtime, images, recorder, options,
    configuration: openConfiguration(client, informers),
    view: openRuntimeView(runtime),
    hints: openHints(),
    allocatable: capacityOf({ machine, podsMax: options.podsMax }),
  };
  const registration: RegistrationDeps = {
    client, clock, logger,
    facts: {
      name: deps.nodeName, machine, addresses: options.nodeAddresses, podsMax: options.podsMax, kubeletVersion: options.kubeletVersion,
      runtimeVersion: `${runtime.name}://${runtime.version}`,
    },
  };
  const workers = new Map<string, PodWorker>();
  return {
    run: (signal) => new NodeAgent(podDeps, registration, workers).run(signal),
    streams: openPodStreams(podDeps, (uid) => workers.get(uid)?.pod),
  };
}

const REGISTER_RETRY_MS = 1000;

/** Whether files made of labels and annotations stay as they are. */
const hasSameMetadata = (a: Stored<Pod>, b: Stored<Pod>): boolean =>
  isDeepStrictEqual(a.metadata.labels, b.metadata.labels) && isDeepStrictEqual(a.metadata.annotations, b.metadata.annotations);

class NodeAgent {
  readonly #deps: PodDeps;
  readonly #registration: RegistrationDeps;
  readonly #workers: Map<string, PodWorker>;
  readonly #allocations = openAllocations();
  readonly #references = new References();
  /** Pods whose worker has done its work: they are not taken up again. */
  readonly #done = new Set<string>();
  #node: Stored<Node> | undefined;

  constructor(deps: PodDeps, registration: RegistrationDeps, workers: Map<string, PodWorker>) {
    this.#deps = deps;
    this.#registration = registration;
    this.#workers = workers;
  }

  async run(signal: AbortSignal): Promise<void> {
    const { runtime, informers, options, hints } = this.#deps;
    mkdirSync(options.stateDir, { recursive: true });
    mkdirSync(options.memoryDir, { recursive: true, mode: 0o755 });
    await runtime.open();
    const node = await this.#register(signal);
    if (!node) return;
    this.#node = node;
    await Promise.all([informers.pods.synced(signal), informers.services.synced(signal)]);
    if (signal.aborted) return;
    runtime.onHint((uid) => {
      this.#workers.get(uid)?.poke();
      hints.emit(uid);
    });
    await this.#takeUp();
    this.#follow();
    await keepNode(this.#registration, node, signal);
    await Promise.all([...this.#workers.values()].map((worker) => worker.close()));
    await runtime.close();
    // With the last pod's files gone the directory on the tmpfs is nobody's: it lies outside of what an owner would clean up.
    for (const dir of [join(options.memoryDir, "pods"), options.memoryDir]) await rmdir(dir).catch(() => undefined);
  }

  async #register(signal: AbortSignal): Promise<Stored<Node> | undefined> {
    while (!signal.aborted) {
      try {
        return await registerNode(this.#registration);
      } catch (error) {
        this.#deps.logger.warn("the node could not be registered; it is tried again", { error: String(error) });
        await sleep(this.#deps.clock, REGISTER_RETRY_MS, signal);
      }
    }
    return undefined;
  }

  /** After a start: pods that run are gone on with, sandboxes and volumes whose pods are gone are taken away. */
  async #takeUp(): Promise<void> {
    const known = new Set(await this.#deps.view.uids());
    const uids = new Set<string>();
    for (const pod of this.#deps.informers.pods.list()) {
      if (pod.spec.nodeName !== this.#registration.facts.name) continue;
      uids.add(pod.metadata.uid);
      this.#onPod(pod, known.has(pod.metadata.uid));
    }
    await this.#removeOrphans(uids);
  }

  async #removeOrphans(uids: ReadonlySet<string>): Promise<void> {
    const { view, runtime, options, logger } = this.#deps;
    for (const uid of await view.uids()) {
      if (uids.has(uid)) continue;
      logger.info("a sandbox whose pod is gone is taken away", { uid });
      for (const { id } of (await view.read(uid)).sandboxes) {
        await runtime.stopSandbox(id);
        await runtime.removeSandbox(id);
      }
    }
    for (const base of [options.stateDir, options.memoryDir]) {
      const left = await readdir(join(base, "pods")).catch(() => []);
      for (const uid of left) if (!uids.has(uid)) await removeVolumes(options, uid);
    }
    const logs = join(options.stateDir, "logs");
    for (const name of await readdir(logs).catch(() => [])) {
      if (!uids.has(name.slice(name.lastIndexOf("_") + 1))) await rm(join(logs, name), { recursive: true, force: true });
    }
  }

  #follow(): void {
    const { pods, configMaps, secrets } = this.#deps.informers;
    pods.on({
      onSet: (pod, old) => {
        if (pod.spec.nodeName !== this.#registration.facts.name) return;
        // A deletion and a new pod of the same name may come as one change.
        if (old && old.metadata.uid !== pod.metadata.uid) this.#onRemoved(old);
        this.#onPod(pod, false, old);
      },
      onDelete: (pod) => { if (pod.spec.nodeName === this.#registration.facts.name) this.#onRemoved(pod); },
    });
    const refresh = (kind: "configmap" | "secret") => (object: Stored<ConfigMap> | Stored<Secret>) => {
      for (const uid of this.#references.usersOf(`${object.metadata.namespace ?? ""}/${kind}/${object.metadata.name}`)) this.#workers.get(uid)?.refresh();
    };
    configMaps.on({ onSet: refresh("configmap") });
    secrets.on({ onSet: refresh("secret") });
  }

  #onPod(pod: Stored<Pod>, leftovers: boolean, old?: Stored<Pod>): void {
    const { uid, deletionTimestamp, deletionGracePeriodSeconds = 0 } = pod.metadata;
    const known = this.#workers.get(uid);
    if (known) {
      known.update(pod);
      if (old && !hasSameMetadata(old, pod)) known.refresh();
      return;
    }
    const finished = isTerminalPhase(pod.status?.phase) && !leftovers && !(deletionTimestamp !== undefined && deletionGracePeriodSeconds > 0);
    if (finished || this.#done.has(uid)) return;
    this.#open(pod);
  }

  #open(pod: Stored<Pod>): void {
    const { uid } = pod.metadata;
    const worker = new PodWorker(this.#deps, pod, { onRetired: () => this.#onRetired(uid) });
    this.#workers.set(uid, worker);
    const end = pod.status?.startTime === undefined && this.#node ? admit({ pod, node: this.#node, used: this.#allocations.used, pods: this.#allocations.pods }) : undefined;
    if (end) {
      worker.reject(end);
      tellOf(this.#deps, pod)("Warning", end.reason, end.message);
    } else {
      this.#allocations.add(uid, pod);
      this.#references.add(uid, pod);
    }
    worker.poke();
  }

  #onRetired(uid: string): void {
    this.#workers.delete(uid);
    this.#done.add(uid);
    this.#allocations.remove(uid);
    this.#references.remove(uid);
  }

  #onRemoved(pod: Stored<Pod>): void {
    const { uid } = pod.metadata;
    this.#done.delete(uid);
    const worker = this.#workers.get(uid);
    if (worker) return worker.remove(pod);
    const dirs = rm(podLogDirectory(this.#deps.options.stateDir, identityOf(pod)), { recursive: true, force: true });
    void dirs.catch((error: unknown) => this.#deps.logger.warn("a pod's logs could not be removed", { pod: keyOf(pod), error: String(error) }));
  }
}
