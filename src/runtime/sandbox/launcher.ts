/**
 * The launcher beside the server: one shell that forks shims, because a fork of this process would cost time in proportion to its memory.
 * It is started once, again if it dies, and ends with the server's end of its input; shims do not notice.
 */
import { type ChildProcessByStdio, spawn } from "node:child_process";
import { mkdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Writable } from "node:stream";
import type { Logger } from "../../base/logger.ts";
import type { Layout } from "./layout.ts";
import type { Machine } from "./machine.ts";
import { scripts } from "./scripts.ts";
import { quote } from "./shell.ts";

/** Ended shims are zombies until the launcher waits for them: so many at most. */
const ENDED_MAX = 64;

export class Launcher {
  readonly #layout: Layout;
  readonly #machine: Machine;
  readonly #logger: Logger;
  #process: ChildProcessByStdio<Writable, null, null> | undefined;
  #ended: number[] = [];
  #isClosed = false;

  constructor(layout: Layout, machine: Machine, logger: Logger) {
    this.#layout = layout;
    this.#machine = machine;
    this.#logger = logger;
  }

  open(): void {
    for (const [name, text] of Object.entries(scripts(this.#machine.tools))) {
      // By rename: a shim of an earlier server may be reading the old file.
      const file = join(this.#layout.state, name);
      writeFileSync(`${file}.new`, text);
      renameSync(`${file}.new`, file);
    }
    mkdirSync(this.#layout.root, { recursive: true });
    this.#spawn();
  }

  /** Forks a shim for the container whose directory is ready. */
  start(id: string): void {
    this.request(`start ${quote(id)}`);
  }

  /** Runs a line of shell where the launcher is: for an ordinary user, as root of the containers' user namespace. */
  request(line: string): void {
    if (!this.#process) this.#spawn();
    this.#process?.stdin.write(`${line}\n`);
  }

  /** A shim has ended: lets it be waited for, many at a time. */
  ended(shim: number): void {
    this.#ended.push(shim);
    if (this.#ended.length < ENDED_MAX) return;
    this.request(`wait ${this.#ended.join(" ")}`);
    this.#ended = [];
  }

  /** Resolves when the launcher has gone; shims stay. */
  async close(): Promise<void> {
    this.#isClosed = true;
    const child = this.#process;
    if (!child) return;
    const gone = new Promise<void>((resolve) => child.once("exit", () => resolve()));
    child.stdin.end();
    child.ref();
    await gone;
  }

  #spawn(): void {
    const [file, ...args] = [...this.#machine.userNamespace, this.#machine.tools.shell, "launcher.sh"];
    // A session of its own: Ctrl-C on the server's terminal is not for it or for shims.
    const child = spawn(file, args, { cwd: this.#layout.state, detached: true, stdio: ["pipe", "ignore", "ignore"], env: { PATH: process.env["PATH"] ?? "/usr/sbin:/usr/bin:/sbin:/bin", LC_ALL: "C" } });
    child.unref();
    child.stdin.on("error", () => {});
    child.on("error", (error) => this.#logger.error("the container launcher could not be started", { error: error.message }));
    child.on("exit", (code, signal) => {
      if (this.#process === child) this.#process = undefined;
      this.#ended = [];
      if (!this.#isClosed) this.#logger.warn("the container launcher ended, the next container starts another", { code, signal });
    });
    this.#process = child;
  }
}
