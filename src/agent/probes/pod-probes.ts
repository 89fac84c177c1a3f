/**
 * The probes of one pod: one for each kind and container that has it, for as long as the container runs.
 * Follows kubernetes pkg/kubelet/prober/prober_manager.go.
 */
import type { Container, Pod, Probe } from "../../api/generated/types.ts";
import type { Stored } from "../../api/object.ts";
import { isSidecar } from "../../api/pod-resources.ts";
import { tellOf, type PodDeps } from "../deps.ts";
import { fieldPathOf } from "../pod/plan.ts";
import type { Memory } from "../pod/memory.ts";
import { isRunning, latestOf, type ContainerRecord, type PodRuntime } from "../pod/world.ts";
import { podIps } from "../status/pod-status.ts";
import { ProbeWorker, type ProbeKind } from "./probe-worker.ts";
import { runProbe } from "./run-probe.ts";

export interface PodProbesContext {
  readonly deps: PodDeps;
  readonly memory: Memory;
  readonly poke: () => void;
}

const PROBES: readonly (readonly [ProbeKind, (c: Container) => Probe | undefined])[] = [
  ["startup", (c) => c.startupProbe],
  ["liveness", (c) => c.livenessProbe],
  ["readiness", (c) => c.readinessProbe],
];

export class PodProbes {
  readonly #context: PodProbesContext;
  readonly #workers = new Map<string, ProbeWorker>();

  constructor(context: PodProbesContext) {
    this.#context = context;
  }

  /** Starts probes for what runs, and stops those of what does not. Only readiness is still of interest in a pod that ends. */
  follow(pod: Stored<Pod>, runtime: PodRuntime, terminating: boolean): void {
    const wanted = new Set<string>();
    const { initContainers = [], containers } = pod.spec;
    for (const container of [...initContainers.filter(isSidecar), ...containers]) {
      const record = latestOf(runtime, container.name);
      if (!record || !isRunning(record)) continue;
      for (const [kind, probeOf] of PROBES) {
        const probe = probeOf(container);
        if (!probe || (terminating && kind !== "readiness")) continue;
        const key = `${record.id} ${kind}`;
        wanted.add(key);
        if (!this.#workers.has(key)) this.#workers.set(key, this.#open({ pod, runtime, container, record, kind, probe }));
      }
    }
    for (const [key, worker] of this.#workers) if (!wanted.has(key)) { worker.close(); this.#workers.delete(key); }
  }

  close(): void {
    for (const worker of this.#workers.values()) worker.close();
    this.#workers.clear();
  }

  #open({ pod, runtime, container, record, kind, probe }: { readonly pod: Stored<Pod>; readonly runtime: PodRuntime; readonly container: Container; readonly record: ContainerRecord; readonly kind: ProbeKind; readonly probe: Probe }): ProbeWorker {
    const { deps, memory, poke } = this.#context;
    const list = pod.spec.containers.includes(container) ? "containers" : "initContainers";
    const podIp = podIps({ pod, runtime, memory, removed: false, now: 0 }, deps.options.nodeAddresses)[0] ?? "";
    const worker = new ProbeWorker({
      kind, probe, clock: deps.clock,
      startedAt: record.startedAtMs ?? deps.clock.now(),
      // Until the container has started, only the startup probe counts.
      isHeld: () => kind !== "startup" && container.startupProbe !== undefined && memory.probes.get(record.id)?.startup !== "success",
      run: (signal) => runProbe({ runtime: deps.runtime, clock: deps.clock, container, containerId: record.id, podIp, probe }, signal),
      tell: (message) => tellOf(deps, pod, fieldPathOf(list, container.name))("Warning", "Unhealthy", message),
      onResult: (result) => {
        memory.probes.set(record.id, { ...memory.probes.get(record.id), [kind]: result });
        if (kind === "startup") for (const other of this.#workers.values()) other.release();
        poke();
      },
    });
    worker.open();
    return worker;
  }
}
