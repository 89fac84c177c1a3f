/**
 * An agent in a test: virtual time, a fake API and a fake runtime, files in a directory of the test's own.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Container, Pod, PodSpec } from "../../api/generated/types.ts";
import type { Stored } from "../../api/object.ts";
import { PODS } from "../../api/resource.ts";
import { seededChance, seededIds } from "../../base/chance.ts";
import { VirtualClock } from "../../base/clock.ts";
import { silentLogger } from "../../base/logger.ts";
import { openAgent, type Agent } from "../agent.ts";
import type { Image, ImageService } from "../image-service.ts";
import type { AgentOptions } from "../ports.ts";
import { FakeCluster } from "./fake-cluster.ts";
import { FakeRuntime } from "./fake-runtime.ts";

export const START = Date.parse("2024-05-01T12:00:00Z");
const TURNS_MAX = 400;

export class FakeImages implements ImageService {
  readonly present = new Map<string, Image>();
  pulls = 0;
  /** What a pull does; by default it finds nothing. */
  onPull: (reference: string) => Promise<Image> = async (reference) => { throw Object.assign(new Error(`no ${reference} here`), { kind: "refused" }); };

  add(reference: string, config: Partial<Image["config"]> = {}): Image {
    const image: Image = {
      id: "sha256:1", tags: [`docker.io/library/${reference}:latest`], digests: [`docker.io/library/${reference}@sha256:2`], sizeBytes: 10, layers: [],
      config: { user: "", env: [], entrypoint: [], cmd: ["sh"], workingDir: "", stopSignal: undefined, ...config },
    };
    this.present.set(reference, image);
    return image;
  }
  async find(reference: string): Promise<Image | undefined> {
    if (reference !== reference.toLowerCase()) throw Object.assign(new Error("invalid"), { kind: "invalid-name" });
    return this.present.get(reference);
  }
  async pull(reference: string) {
    this.pulls++;
    return { image: await this.onPull(reference), tookMs: 5 };
  }
}

/** Lets everything happen that needs no time: promises, and the file system's answers, which come in the order of the questions. */
export async function settle(): Promise<void> {
  for (let i = 0; i < 25; i++) await stat("/");
}

export class AgentHarness {
  readonly clock = new VirtualClock(START);
  readonly cluster = new FakeCluster();
  readonly runtime = new FakeRuntime(this.clock);
  readonly images = new FakeImages();
  readonly events: string[] = [];
  readonly stateDir = mkdtempSync(join(tmpdir(), "stint-agent-"));
  #stop = new AbortController();
  agent: Agent;

  constructor(options: Partial<AgentOptions> = {}) {
    this.images.add("busybox");
    this.agent = this.#open(options);
  }

  #open(options: Partial<AgentOptions>): Agent {
    return openAgent({
      client: this.cluster.client, informers: this.cluster.informers, runtime: this.runtime, images: this.images, clock: this.clock,
      ids: seededIds(seededChance(1)), logger: silentLogger, nodeName: "node",
      recorder: { record: (about, type, reason, message) => void this.events.push([type, reason, message, ...(about.fieldPath ? [about.fieldPath] : [])].join(" | ")) },
      options: { stateDir: this.stateDir, memoryDir: join(this.stateDir, "memory"), nodeAddresses: ["192.0.2.1"], ...options },
    });
  }

  async start(): Promise<void> {
    void this.agent.run(this.#stop.signal);
    await settle();
  }

  /** Kills the agent and starts another on what it left. */
  async restart(): Promise<void> {
    this.#stop.abort();
    await settle();
    this.#stop = new AbortController();
    this.agent = this.#open({});
    await this.start();
  }

  async close(): Promise<void> {
    this.#stop.abort();
    await settle();
    rmSync(this.stateDir, { recursive: true, force: true });
  }

  /** Creates a pod on the node. */
  create(name: string, containers: readonly Partial<Container>[], spec: Partial<PodSpec> = {}, metadata: Partial<Pod["metadata"]> = {}): Stored<Pod> {
    const full = (c: Partial<Container>): Container => ({ name: "main", image: "busybox", imagePullPolicy: "IfNotPresent", command: ["sh"], ...c });
    return this.cluster.put(PODS, {
      metadata: { name, namespace: "ns", ...metadata },
      spec: { restartPolicy: "Never", terminationGracePeriodSeconds: 30, nodeName: "node", ...spec, containers: containers.map(full), ...(spec.initContainers && { initContainers: spec.initContainers.map(full) }) },
      status: { phase: "Pending" },
    });
  }

  /** A user deletes the pod. */
  delete(name: string, graceSeconds: number): void {
    const pod = this.pod(name);
    if (pod) this.cluster.put(PODS, { ...pod, metadata: { ...pod.metadata, deletionTimestamp: new Date(this.clock.now() + graceSeconds * 1000).toISOString(), deletionGracePeriodSeconds: graceSeconds } });
  }

  pod(name: string): Stored<Pod> | undefined { return this.cluster.pods.get(`ns/${name}`); }
  phase(name: string): string | undefined { return this.pod(name)?.status?.phase; }

  /** `running`, `waiting X`, `terminated X 3` of each container, init containers first. */
  states(name: string): readonly string[] {
    const { initContainerStatuses = [], containerStatuses = [] } = this.pod(name)?.status ?? {};
    return [...initContainerStatuses, ...containerStatuses].map(({ name: c, state, restartCount }) => {
      const text = state?.terminated ? `terminated ${state.terminated.reason ?? ""} ${state.terminated.exitCode}` : state?.running ? "running" : `waiting ${state?.waiting?.reason ?? ""}`;
      return `${c} ${text}${restartCount > 0 ? ` x${restartCount}` : ""}`;
    });
  }

  /** Waits for what needs no time, but takes the file system some. */
  async until(happened: () => boolean): Promise<void> {
    for (let turn = 0; turn < TURNS_MAX && !happened(); turn++) await settle();
  }

  /** Moves time ahead, letting everything happen on the way. */
  async advance(ms: number): Promise<void> {
    const end = this.clock.now() + ms;
    for (let turn = 0; turn < TURNS_MAX; turn++) {
      await settle();
      const due = this.clock.nextDue();
      if (due === undefined || due > end) break;
      this.clock.fireNext();
    }
    this.clock.advance(Math.max(end - this.clock.now(), 0));
    await settle();
  }
}
