/**
 * A runtime for tests: containers run until the test ends them, or as long as their script says.
 */
import type { Clock } from "../../base/clock.ts";
import type { ContainerSpec, ContainerStatus, ExecSpec, Runtime, SandboxSpec, SandboxStatus } from "../../runtime/runtime.ts";

/** What a container does: an exit code at once, or it runs until it is ended. */
export type Script = { readonly exit: number; readonly afterMs?: number } | "runs" | "cannot start";

export interface Stop {
  readonly name: string;
  readonly gracePeriodMs: number;
  readonly atMs: number;
}

type Writable<T> = { -readonly [K in keyof T]: T[K] };

export class FakeRuntime implements Runtime {
  readonly name = "fake";
  readonly version = "1";
  readonly sandboxes = new Map<string, Writable<SandboxStatus>>();
  readonly containers = new Map<string, Writable<ContainerStatus>>();
  readonly specs: ContainerSpec[] = [];
  readonly stops: Stop[] = [];
  /** By container name; what is not named exits with 0. */
  readonly scripts = new Map<string, Script | readonly Script[]>();
  /** Exit code of a stopped container, by name; undefined: it ignores the signal and is killed. */
  readonly onStop = new Map<string, number | undefined>();
  exec: (containerId: string, spec: ExecSpec, signal: AbortSignal) => Promise<number> = async () => 0;
  readonly #clock: Clock;
  readonly #listeners: ((uid: string) => void)[] = [];
  /** When each of `specs` was started. */
  readonly startedAtMs: number[] = [];
  #next = 1;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  async open(): Promise<void> {}
  async close(): Promise<void> {}
  onHint(listener: (podUid: string) => void): void { this.#listeners.push(listener); }
  #hint(uid: string): void { for (const l of this.#listeners) l(uid); }

  async list() {
    return { sandboxes: [...this.sandboxes.values()].map((s) => ({ ...s })), containers: [...this.containers.values()].map((c) => ({ ...c })) };
  }

  async runSandbox(spec: SandboxSpec): Promise<SandboxStatus> {
    const n = this.#next++;
    const sandbox = { id: `sandbox-${n}`, pod: spec.pod, createdAtMs: this.#clock.now(), ready: true, ip: `10.0.${(n >> 8) % 256}.${n % 256}` };
    this.sandboxes.set(sandbox.id, sandbox);
    return sandbox;
  }

  async stopSandbox(id: string): Promise<void> {
    const sandbox = this.sandboxes.get(id);
    if (sandbox) sandbox.ready = false;
    for (const c of this.containers.values()) if (c.sandboxId === id) this.end(c.id, 137);
  }

  async removeSandbox(id: string): Promise<void> {
    this.sandboxes.delete(id);
    for (const [key, c] of this.containers) if (c.sandboxId === id) this.containers.delete(key);
  }

  #scriptOf(spec: ContainerSpec): Script {
    const script = this.scripts.get(spec.name) ?? { exit: 0 };
    return Array.isArray(script) ? ((script as readonly Script[])[Math.min(spec.attempt, script.length - 1)] ?? "runs") : (script as Script);
  }

  async startContainer(spec: ContainerSpec): Promise<ContainerStatus> {
    const id = (this.#next++).toString(16).padStart(64, "0");
    const sandbox = this.sandboxes.get(spec.sandboxId);
    if (!sandbox) throw new Error("no such sandbox");
    this.specs.push(spec);
    const now = this.#clock.now();
    this.startedAtMs.push(now);
    const status: Writable<ContainerStatus> = {
      id, sandboxId: spec.sandboxId, pod: sandbox.pod, name: spec.name, attempt: spec.attempt, state: "running", createdAtMs: now, startedAtMs: now, finishedAtMs: undefined,
      exitCode: undefined, reason: undefined, message: undefined, logPath: spec.logPath, terminationMessageFile: "", annotations: spec.annotations,
    };
    this.containers.set(id, status);
    const script = this.#scriptOf(spec);
    if (script === "cannot start") {
      Object.assign(status, { state: "exited", startedAtMs: undefined, finishedAtMs: now, exitCode: 128, reason: "StartError", message: "no such file" });
      this.#hint(sandbox.pod.uid);
    } else if (script !== "runs") {
      if (script.afterMs) this.#clock.after(script.afterMs, () => this.end(id, script.exit));
      else this.end(id, script.exit);
    }
    return { ...status };
  }

  /** The container's process ends. */
  end(id: string, exitCode: number): void {
    const c = this.containers.get(id);
    if (!c || c.state !== "running") return;
    Object.assign(c, { state: "exited", exitCode, finishedAtMs: this.#clock.now(), reason: exitCode === 0 ? "Completed" : "Error" });
    this.#hint(c.pod.uid);
  }

  /** Ends the running container of a name. */
  endNamed(name: string, exitCode: number): void {
    for (const c of this.containers.values()) if (c.name === name && c.state === "running") this.end(c.id, exitCode);
  }

  async stopContainer(id: string, { gracePeriodMs }: { readonly gracePeriodMs: number }): Promise<void> {
    const c = this.containers.get(id);
    if (!c || c.state !== "running") return;
    this.stops.push({ name: c.name, gracePeriodMs, atMs: this.#clock.now() });
    const code = this.onStop.has(c.name) ? this.onStop.get(c.name) : 0;
    if (code !== undefined) return this.end(id, code);
    await new Promise<void>((resolve) => {
      this.#clock.after(gracePeriodMs, () => { this.end(id, 137); resolve(); });
    });
  }

  async removeContainer(id: string): Promise<void> { this.containers.delete(id); }
}
