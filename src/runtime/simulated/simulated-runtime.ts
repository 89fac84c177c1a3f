/**
 * A container runtime without processes: what each container does is told by a script, and its time is the clock that is passed in. The real
 * agent runs on it, under virtual time as well. What "runs" is kept in the object: it survives the agent that is killed above it, as processes do.
 * Does not write logs, run hooks or measure anything; `exec` and stdin reach nobody.
 */
import type { Clock, Instant, Timer } from "../../base/clock.ts";
import type { Ids } from "../../base/chance.ts";
import type { ContainerSpec, ContainerStatus, ExecSpec, PodIdentity, Runtime, SandboxSpec, SandboxStatus } from "../runtime.ts";

/** What a container does with its life. */
export type Outcome =
  /** Ends by itself. */
  | { readonly kind: "exit"; readonly code: number; readonly afterMs: number; readonly reason?: string }
  /** Runs until it is stopped. */
  | { readonly kind: "hang" }
  /** Its command cannot be started. */
  | { readonly kind: "startError"; readonly message: string };

/** What a container does when it is asked to stop: exits with a code after a while, or has to be killed. */
export type OnStop = { readonly kind: "exit"; readonly code: number; readonly afterMs: number } | { readonly kind: "ignore" };

export interface Script {
  readonly outcome: (container: ContainerSpec, pod: PodIdentity) => Outcome;
  /** Left out: everybody ends at once with 143. */
  readonly onStop?: (container: ContainerSpec, pod: PodIdentity) => OnStop;
}

export interface SimulatedRuntimeDeps {
  readonly clock: Clock;
  readonly ids: Ids;
  readonly script: Script;
}

const SIGKILL_CODE = 137;
const SIGTERM_CODE = 143;
const START_ERROR_CODE = 128;

interface Sandbox {
  readonly spec: SandboxSpec;
  readonly id: string;
  readonly createdAt: Instant;
  readonly ip: string;
  ready: boolean;
}

interface Exit {
  readonly at: Instant;
  readonly code: number;
  readonly reason: string;
  readonly message: string | undefined;
}

interface Container {
  readonly id: string;
  readonly spec: ContainerSpec;
  readonly sandbox: Sandbox;
  readonly createdAt: Instant;
  startedAt: Instant | undefined;
  exit: Exit | undefined;
  readonly timers: Timer[];
  readonly onExit: (() => void)[];
}

/** Makes a machine on which nothing runs yet. */
export function openSimulatedRuntime(deps: SimulatedRuntimeDeps): SimulatedRuntime {
  return new SimulatedRuntime(deps);
}

export class SimulatedRuntime implements Runtime {
  readonly name = "simulated";
  readonly version = "1";
  readonly #deps: SimulatedRuntimeDeps;
  readonly #sandboxes = new Map<string, Sandbox>();
  readonly #containers = new Map<string, Container>();
  #listeners: ((podUid: string) => void)[] = [];
  #addresses = 0;

  constructor(deps: SimulatedRuntimeDeps) {
    this.#deps = deps;
  }

  list(): ReturnType<Runtime["list"]> {
    return Promise.resolve({ sandboxes: [...this.#sandboxes.values()].map(sandboxStatus), containers: [...this.#containers.values()].map(containerStatus) });
  }

  runSandbox(spec: SandboxSpec): Promise<SandboxStatus> {
    const n = ++this.#addresses;
    const sandbox = { id: this.#deps.ids.uid(), spec, createdAt: this.#deps.clock.now(), ip: `10.0.${(n >> 8) & 255}.${n & 255}`, ready: true };
    this.#sandboxes.set(sandbox.id, sandbox);
    this.#hint(sandbox);
    return Promise.resolve(sandboxStatus(sandbox));
  }

  stopSandbox(id: string): Promise<void> {
    const sandbox = this.#sandboxes.get(id);
    if (!sandbox) return Promise.resolve();
    sandbox.ready = false;
    for (const container of this.#of(id)) this.#exit(container, SIGKILL_CODE, "Error");
    this.#hint(sandbox);
    return Promise.resolve();
  }

  async removeSandbox(id: string): Promise<void> {
    await this.stopSandbox(id);
    for (const container of this.#of(id)) this.#containers.delete(container.id);
    this.#sandboxes.delete(id);
  }

  startContainer(spec: ContainerSpec): Promise<ContainerStatus> {
    const sandbox = this.#sandboxes.get(spec.sandboxId);
    if (!sandbox?.ready) return Promise.reject(new Error(`sandbox ${spec.sandboxId} is not running`));
    const { clock, ids, script } = this.#deps;
    const container: Container = { id: ids.uid(), spec, sandbox, createdAt: clock.now(), startedAt: undefined, exit: undefined, timers: [], onExit: [] };
    this.#containers.set(container.id, container);
    const outcome = script.outcome(spec, sandbox.spec.pod);
    if (outcome.kind === "startError") this.#exit(container, START_ERROR_CODE, "StartError", outcome.message);
    else container.startedAt = clock.now();
    if (outcome.kind === "exit") container.timers.push(clock.after(outcome.afterMs, () => this.#exit(container, outcome.code, outcome.reason ?? (outcome.code === 0 ? "Completed" : "Error"))));
    this.#hint(sandbox);
    return Promise.resolve(containerStatus(container));
  }

  stopContainer(id: string, { gracePeriodMs }: { readonly gracePeriodMs: number }): Promise<void> {
    const container = this.#containers.get(id);
    if (!container || container.exit) return Promise.resolve();
    const { clock, script } = this.#deps;
    const onStop = script.onStop?.(container.spec, container.sandbox.spec.pod) ?? { kind: "exit", code: SIGTERM_CODE, afterMs: 0 };
    if (onStop.kind === "exit") container.timers.push(clock.after(onStop.afterMs, () => this.#exit(container, onStop.code, onStop.code === 0 ? "Completed" : "Error")));
    container.timers.push(clock.after(gracePeriodMs, () => this.#exit(container, SIGKILL_CODE, "Error")));
    return new Promise((resolve) => void container.onExit.push(resolve));
  }

  removeContainer(id: string): Promise<void> {
    const container = this.#containers.get(id);
    if (container) this.#exit(container, SIGKILL_CODE, "Error");
    this.#containers.delete(id);
    return Promise.resolve();
  }

  exec(containerId: string, _spec: ExecSpec, _signal: AbortSignal): Promise<number> {
    const container = this.#containers.get(containerId);
    return container && !container.exit ? Promise.resolve(0) : Promise.reject(new Error(`container ${containerId} is not running`));
  }

  onHint(listener: (podUid: string) => void): void {
    this.#listeners.push(listener);
  }

  open(): Promise<void> {
    return Promise.resolve();
  }

  /** Whoever listened is gone; what runs goes on. */
  close(): Promise<void> {
    this.#listeners = [];
    return Promise.resolve();
  }

  /** Ends what runs in a pod from outside, as the kernel does: out of memory. */
  kill(podUid: string, reason = "OOMKilled"): void {
    for (const container of this.#containers.values()) if (container.sandbox.spec.pod.uid === podUid) this.#exit(container, SIGKILL_CODE, reason);
  }

  #of(sandboxId: string): Container[] {
    return [...this.#containers.values()].filter((c) => c.sandbox.id === sandboxId);
  }

  #hint({ spec }: Sandbox): void {
    for (const listener of this.#listeners) listener(spec.pod.uid);
  }

  #exit(container: Container, code: number, reason: string, message?: string): void {
    if (container.exit) return;
    for (const timer of container.timers.splice(0)) timer.cancel();
    container.exit = { at: this.#deps.clock.now(), code, reason, message };
    for (const resolve of container.onExit.splice(0)) resolve();
    this.#hint(container.sandbox);
  }
}

const sandboxStatus = ({ id, spec, createdAt, ready, ip }: Sandbox): SandboxStatus => ({ id, pod: spec.pod, createdAtMs: createdAt, ready, ip });

const containerStatus = ({ id, spec, sandbox, createdAt, startedAt, exit }: Container): ContainerStatus => ({
  id,
  sandboxId: sandbox.id,
  pod: sandbox.spec.pod,
  name: spec.name,
  attempt: spec.attempt,
  state: exit ? "exited" : "running",
  createdAtMs: createdAt,
  startedAtMs: startedAt,
  finishedAtMs: exit?.at,
  exitCode: exit?.code,
  reason: exit?.reason,
  message: exit?.message,
  logPath: spec.logPath,
  terminationMessageFile: `${spec.logPath}.termination`,
  annotations: spec.annotations,
});
