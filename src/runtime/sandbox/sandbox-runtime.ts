/**
 * The container runtime of one machine: namespaces, overlay roots and shims, driven by shell scripts (scripts.ts) through a launcher.
 * All truth is in the state directory: `container/ID/start` says what was asked, `record/ID` what became of it, and both are read again at
 * every open. This object keeps a copy of it that follows the records as the directory's watch tells of changes; nothing is polled, but
 * once in a while it looks for shims that were killed, which leave no trace to watch for.
 *
 * The network is the machine's own; a pod's address is one of 127/8 that no other sandbox has.
 */
import { type FSWatcher, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, watch, writeFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { Duplex } from "node:stream";
import type { Clock, Timer } from "../../base/clock.ts";
import type { Logger } from "../../base/logger.ts";
import { attach, closeInput } from "./attach.ts";
import { connect } from "./connect.ts";
import type { AttachSpec, ContainerSpec, ContainerStatus, ExecSpec, Runtime, SandboxSpec, SandboxStatus } from "../runtime.ts";
import { hadOutOfMemory, makeCgroups, removeCgroups } from "./cgroup.ts";
import { type Container, endOf, statusOf, unknownEnd, until } from "./container.ts";
import { exec } from "./exec.ts";
import { containerId, Layout } from "./layout.ts";
import { Launcher } from "./launcher.ts";
import { inspectMachine, type Machine } from "./machine.ts";
import { Output } from "./output.ts";
import { Pauses } from "./pauses.ts";
import { prepareContainer } from "./prepare.ts";
import { isContainer, isShim, type Processes, readRecord } from "./record.ts";
import { RootPaths } from "./root-path.ts";
import { type Sandbox, Sandboxes, sandboxStatus } from "./sandboxes.ts";
import { commandLine } from "./shell.ts";
import { killMountNamespace, signalContainer } from "./signals.ts";
import { type Description, parseStartFile } from "./start-file.ts";
import { openTools, type Tools } from "./tools.ts";
import { Trash } from "./trash.ts";

export interface SandboxRuntimeOptions {
  /** A directory of the runtime's own; it survives this process. */
  readonly stateDir: string;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** How often killed shims are looked for. */
const LOOK_AROUND_MS = 20_000;
/** A shim that has not begun to tell within this time is looked after. */
const START_MS_MAX = 30_000;

class SandboxRuntime implements Runtime {
  readonly name = "stint-sandbox";
  readonly version = "1";
  readonly #options: SandboxRuntimeOptions;
  readonly #layout: Layout;
  readonly #sandboxes: Sandboxes;
  readonly #containers = new Map<string, Container>();
  readonly #listeners: ((podUid: string) => void)[] = [];
  readonly #paths = new RootPaths();
  readonly #pauses: Pauses;
  readonly #trash: Trash;
  #watchers: FSWatcher[] = [];
  #machine: Machine | undefined;
  #launcher: Launcher | undefined;
  #lookAround: Timer | undefined;
  /** Made for the first exec. */
  #tools: Promise<Tools> | undefined;
  #saidNoLimits = false;

  constructor(options: SandboxRuntimeOptions) {
    this.#options = options;
    this.#layout = new Layout(options.stateDir);
    this.#pauses = new Pauses(this.#layout, options.clock);
    this.#trash = new Trash(join(options.stateDir, "trash"), options.clock, (paths) => this.#remove(paths));
    this.#sandboxes = new Sandboxes(this.#layout, this.#trash);
  }

  async open(): Promise<void> {
    const machine = await inspectMachine(this.#layout);
    this.#machine = machine;
    this.#launcher = new Launcher(this.#layout, machine, this.#options.logger);
    this.#launcher.open();
    // Watched before it is read, so that nothing falls between.
    this.#watchers = [this.#watch(this.#layout.records, (id) => this.#recordChanged(id)), this.#watch(this.#layout.outputs, (name) => this.#outputChanged(name))];
    this.#trash.open();
    this.#sandboxes.load();
    for (const id of readdirSync(join(this.#layout.state, "container"))) this.#adopt(id);
    this.#scheduleLookAround();
  }

  async close(): Promise<void> {
    this.#lookAround?.cancel();
    for (const watcher of this.#watchers) watcher.close();
    (await this.#tools)?.close();
    this.#sandboxes.close();
    await this.#trash.close();
    await this.#launcher?.close();
  }

  onHint(listener: (podUid: string) => void): void {
    this.#listeners.push(listener);
  }

  async list(): Promise<{ readonly sandboxes: readonly SandboxStatus[]; readonly containers: readonly ContainerStatus[] }> {
    return { sandboxes: [...this.#sandboxes.all()].map(sandboxStatus), containers: [...this.#containers.values()].map(statusOf) };
  }

  async runSandbox(spec: SandboxSpec): Promise<SandboxStatus> {
    return sandboxStatus(this.#sandboxes.run(spec, this.#options.clock.now()));
  }

  async stopSandbox(id: string): Promise<void> {
    this.#sandboxes.markStopped(id);
    await Promise.all(this.#ofSandbox(id).map((c) => this.stopContainer(c.id, { gracePeriodMs: 0 })));
    this.#pauses.stop(id);
  }

  async removeSandbox(id: string): Promise<void> {
    await this.stopSandbox(id);
    await Promise.all(this.#ofSandbox(id).map((c) => this.removeContainer(c.id)));
    this.#sandboxes.remove(id);
  }

  async startContainer(spec: ContainerSpec): Promise<ContainerStatus> {
    const { machine, launcher } = this.#opened();
    const sandbox = this.#sandboxes.get(spec.sandboxId);
    if (!sandbox?.ready) throw new Error(`sandbox ${spec.sandboxId} is not running`);
    const id = containerId(sandbox.id, spec.name, spec.attempt);
    const pause = this.#containers.has(id) ? undefined : await this.#pauses.ensure(sandbox, machine, launcher);
    let container = this.#containers.get(id);
    if (!container) {
      container = this.#create(id, { spec, sandbox, machine, pause });
      launcher.start(id);
    }
    return this.#untilStarted(container);
  }

  async #untilStarted(container: Container): Promise<ContainerStatus> {
    const timer = this.#options.clock.after(START_MS_MAX, () => this.#startOverdue(container));
    await until(container, () => container.record?.started !== undefined || container.end !== undefined);
    timer.cancel();
    return statusOf(container);
  }

  async stopContainer(id: string, options: { readonly gracePeriodMs: number }): Promise<void> {
    const container = this.#containers.get(id);
    if (!container) return;
    if (!container.end && options.gracePeriodMs > 0) {
      signalContainer(container, container.description.stopSignal);
      const kill = this.#options.clock.after(options.gracePeriodMs, () => signalContainer(container, "SIGKILL"));
      await until(container, () => container.end !== undefined);
      kill.cancel();
    } else if (!container.end) {
      await until(container, () => container.record?.started !== undefined || container.end !== undefined);
      signalContainer(container, "SIGKILL");
      await until(container, () => container.end !== undefined);
    }
  }

  async removeContainer(id: string): Promise<void> {
    const container = this.#containers.get(id);
    if (!container) return;
    await this.stopContainer(id, { gracePeriodMs: 0 });
    this.#containers.delete(id);
    await this.#delete(id);
  }

  async exec(containerId: string, spec: ExecSpec, signal: AbortSignal): Promise<number> {
    const { machine } = this.#opened();
    const { container, started } = this.#running(containerId);
    this.#tools ??= openTools(machine, this.#layout.state);
    return exec({ machine, tools: await this.#tools, description: container.description, pid: started.container }, spec, signal);
  }

  async attach(containerId: string, spec: AttachSpec, signal: AbortSignal): Promise<void> {
    await attach(this.#layout, this.#running(containerId).container, spec, signal);
  }

  async connect(sandboxId: string, port: number): Promise<Duplex> {
    if (!this.#sandboxes.get(sandboxId)?.ready) throw new Error(`sandbox ${sandboxId} is not running`);
    return connect(port);
  }

  #running(id: string): { readonly container: Container; readonly started: Processes } {
    const container = this.#containers.get(id);
    const started = container?.record?.started;
    if (!container || container.end || !started || !isContainer(started, id)) throw new Error(`container ${id} is not running`);
    return { container, started };
  }

  #opened(): { readonly machine: Machine; readonly launcher: Launcher } {
    if (!this.#machine || !this.#launcher) throw new Error("the container runtime is not open");
    return { machine: this.#machine, launcher: this.#launcher };
  }

  #ofSandbox(sandboxId: string): Container[] {
    return [...this.#containers.values()].filter((c) => c.description.sandboxId === sandboxId);
  }

  /** Claims the attempt by its directory and fills it. */
  #create(id: string, o: { readonly spec: ContainerSpec; readonly sandbox: Sandbox; readonly machine: Machine; readonly pause: number | undefined }): Container {
    mkdirSync(this.#layout.container(id), { mode: 0o700 });
    try {
      const neighbour = o.pause ?? this.#ofSandbox(o.sandbox.id).find((c) => c.isOurs && !c.end && c.record?.started)?.record?.started?.container;
      const description = prepareContainer({ ...o, id, layout: this.#layout, paths: this.#paths, nowMs: this.#options.clock.now(), neighbour, target: this.#containers.get(o.spec.processesOf ?? "")?.record?.started?.container, cgroups: this.#limit(id, o.spec) });
      return this.#remember(id, description, true);
    } catch (error) {
      rmSync(this.#layout.container(id), { recursive: true, force: true });
      throw error;
    }
  }

  #limit(id: string, spec: ContainerSpec): readonly string[] {
    const { directories, problem } = makeCgroups(id, spec.resources);
    if (problem !== undefined && !this.#saidNoLimits) this.#options.logger.warn("this machine lets us set no limits for containers: they run without", { problem });
    this.#saidNoLimits ||= problem !== undefined;
    return directories;
  }

  #remember(id: string, description: Description, isNew: boolean): Container {
    const files = { raw: this.#layout.output(id), rawErrors: this.#layout.errors(id), log: description.logPath, done: join(this.#layout.container(id), "output"), base: join(this.#layout.container(id), "log-base") };
    const output = new Output(files, {
      clock: this.#options.clock,
      isNew,
      onError: (error) => this.#options.logger.error("a container's log cannot be written", { container: id, error: String(error) }),
    });
    const container: Container = { id, description, output, record: undefined, end: undefined, isFinishing: false, isOurs: isNew, waiters: new Set() };
    this.#containers.set(id, container);
    return container;
  }

  /**
   * Takes up a container of an earlier server. Where no shim has begun, none will: it stops at the missing start file, and the attempt is
   * free again. The file goes first and the record is looked for after, because a shim makes its record first and reads the file after.
   */
  #adopt(id: string): void {
    const start = join(this.#layout.container(id), "start");
    const text = existsSync(start) ? readFileSync(start, "utf8") : undefined;
    if (text === undefined || !existsSync(this.#layout.record(id))) {
      rmSync(start, { force: true });
      if (text === undefined || !existsSync(this.#layout.record(id))) {
        void this.#delete(id);
        return;
      }
      writeFileSync(start, text);
    }
    const container = this.#remember(id, parseStartFile(text), false);
    this.#recordChanged(id);
    if (!container.record?.started && !container.isFinishing) this.#options.clock.after(START_MS_MAX, () => this.#startOverdue(container));
    container.output.changed();
    this.#lookAfter(container);
  }

  #watch(directory: string, changed: (id: string) => void): FSWatcher {
    const watcher = watch(directory, { persistent: false }, (_event, name) => {
      if (name !== null) changed(name);
    });
    watcher.on("error", (error) => this.#options.logger.error("cannot watch containers any longer", { directory, error: error.message }));
    return watcher;
  }

  #outputChanged(name: string): void {
    const isErrors = name.endsWith(".e");
    this.#containers.get(isErrors ? name.slice(0, -2) : name)?.output.changed(isErrors ? "stderr" : "stdout");
  }

  #recordChanged(id: string): void {
    const container = this.#containers.get(id);
    if (!container || container.end || container.isFinishing) return;
    const record = readRecord(this.#layout.record(id));
    if (!record) return;
    const isStart = record.started !== undefined && container.record?.started === undefined;
    container.record = record;
    if (record.isLeaving && record.started?.mountNamespace !== undefined) killMountNamespace(record.started.mountNamespace, record.started.shim);
    if (record.exitCode !== undefined) void this.#finish(container);
    else if (isStart) this.#tell(container);
  }

  /** The container has ended: completes its log, then says so. */
  async #finish(container: Container, lost = false): Promise<void> {
    container.isFinishing = true;
    try {
      await container.output.finish();
    } catch (error) {
      this.#options.logger.error("a container's log could not be completed", { container: container.id, error: String(error) });
    }
    const { cgroups, stdin } = container.description;
    if (stdin) closeInput(this.#layout, container.id);
    const isOutOfMemory = cgroups.length > 0 && hadOutOfMemory(cgroups);
    removeCgroups(cgroups);
    container.end = (lost ? undefined : endOf(container.record, isOutOfMemory)) ?? unknownEnd(this.#options.clock.now());
    if (container.isOurs && container.record?.started) this.#launcher?.ended(container.record.started.shim);
    this.#tell(container);
  }

  #tell(container: Container): void {
    for (const waiter of Array.from(container.waiters)) waiter();
    for (const listener of this.#listeners) listener(container.description.pod.uid);
  }

  #scheduleLookAround(): void {
    this.#lookAround = this.#options.clock.after(LOOK_AROUND_MS, () => {
      for (const container of this.#containers.values()) this.#lookAfter(container);
      this.#scheduleLookAround();
    });
  }

  /** A shim that is gone without having written an end has been killed, and its container with it. */
  #lookAfter(container: Container): void {
    if (container.end || container.isFinishing) return;
    const started = container.record?.started;
    if (started && isShim(started.shim, container.id)) return;
    this.#recordChanged(container.id);
    if (!started || container.end || container.isFinishing) return;
    this.#options.logger.warn("a container's shim was killed", { container: container.id, shim: started.shim });
    void this.#finish(container, true);
  }

  #startOverdue(container: Container): void {
    if (container.record?.started || container.end || container.isFinishing) return;
    const errors = join(this.#layout.state, "errors");
    this.#options.logger.error("a container does not start", { container: container.id, errors: existsSync(errors) ? readFileSync(errors, "utf8").slice(-2000) : "" });
    void this.#finish(container, true);
  }

  /** The writable layer may be large, and then goes at once; everything else waits for a quiet time. */
  async #delete(id: string): Promise<void> {
    const directory = this.#layout.container(id);
    rmSync(this.#layout.output(id), { force: true });
    rmSync(this.#layout.errors(id), { force: true });
    const upper = join(directory, "upper");
    if (existsSync(upper) && readdirSync(upper).length > 0) await this.#remove([upper]);
    moveIfThere(this.#layout.record(id), join(directory, "record"));
    this.#trash.throwAway(directory);
  }

  /** As an ordinary user through the launcher, which may delete what its namespace's other users own. */
  async #remove(paths: readonly string[]): Promise<void> {
    if (this.#machine?.isRoot) await Promise.all(paths.map((path) => rm(path, { recursive: true, force: true })));
    else this.#launcher?.request(`rm -rf ${commandLine(paths)}`);
  }
}

function moveIfThere(from: string, to: string): void {
  try {
    renameSync(from, to);
  } catch {
    rmSync(from, { force: true });
  }
}

/** A runtime over `stateDir`; `open()` before use. */
export function openSandboxRuntime(options: SandboxRuntimeOptions): Runtime {
  return new SandboxRuntime(options);
}
