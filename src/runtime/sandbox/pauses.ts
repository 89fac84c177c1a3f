/**
 * The first processes of pods whose containers share process ids. Such a process holds the pod's namespaces, adopts orphans and lives from
 * the first container's start until the sandbox stops. Other pods have none.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type Clock, sleep } from "../../base/clock.ts";
import type { Launcher } from "./launcher.ts";
import type { Layout } from "./layout.ts";
import type { Machine } from "./machine.ts";
import { isShim } from "./record.ts";
import type { Sandbox } from "./sandboxes.ts";
import { commandLine, quote } from "./shell.ts";

const START_MS_MAX = 10_000;
const LOOK_MS = 5;

export class Pauses {
  readonly #layout: Layout;
  readonly #clock: Clock;
  readonly #starting = new Map<string, Promise<number>>();

  constructor(layout: Layout, clock: Clock) {
    this.#layout = layout;
    this.#clock = clock;
  }

  /** The pid of the sandbox's pause process, started if need be; undefined for sandboxes that need none. */
  async ensure(sandbox: Sandbox, machine: Machine, launcher: Launcher): Promise<number | undefined> {
    const { shareProcessNamespace, hostPid, hostIpc, hostNetwork } = sandbox.spec;
    if (!shareProcessNamespace || hostPid) return undefined;
    const running = this.#find(sandbox.id);
    if (running !== undefined) return running;
    const starting = this.#starting.get(sandbox.id) ?? this.#start(sandbox.id, [machine.unshare, "--pid", ...(hostNetwork ? [] : ["--uts"]), ...(hostIpc ? [] : ["--ipc"])], launcher);
    this.#starting.set(sandbox.id, starting);
    return starting.finally(() => this.#starting.delete(sandbox.id));
  }

  /** Ends it, and with it every process of the pod's namespace. */
  stop(id: string): void {
    const pid = this.#find(id);
    if (pid !== undefined) process.kill(pid, "SIGKILL");
  }

  async #start(id: string, namespaces: readonly string[], launcher: Launcher): Promise<number> {
    launcher.request(`hold ${quote(id)} ${quote(commandLine(namespaces))}`);
    for (let waited = 0; waited < START_MS_MAX; waited += LOOK_MS) {
      const pid = this.#find(id);
      if (pid !== undefined) return pid;
      await sleep(this.#clock, LOOK_MS);
    }
    throw new Error(`the pause process of sandbox ${id} does not start`);
  }

  #find(id: string): number | undefined {
    try {
      const pid = Number(readFileSync(join(this.#layout.sandbox(id), "pause"), "utf8"));
      return isShim(pid, id) ? pid : undefined;
    } catch {
      return undefined;
    }
  }
}
