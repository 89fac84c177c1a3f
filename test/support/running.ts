/** A program that runs beside the test: its output as it comes, moments to wait for, signals, and its end. */
import { type ChildProcessByStdio, spawn } from "node:child_process";
import type { Readable } from "node:stream";

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export class Running {
  readonly ended: Promise<Ended>;
  readonly #child: ChildProcessByStdio<null, Readable, Readable>;
  readonly #written = { stdout: [] as Buffer[], stderr: [] as Buffer[] };
  #onChange = () => {};

  constructor(file: string, args: readonly string[], env: NodeJS.ProcessEnv) {
    this.#child = spawn(file, [...args], { env, stdio: ["ignore", "pipe", "pipe"] });
    this.ended = new Promise((resolve) => this.#child.once("close", (code, signal) => resolve({ code, signal })));
    for (const name of ["stdout", "stderr"] as const) {
      this.#child[name].on("data", (chunk: Buffer) => {
        this.#written[name].push(chunk);
        this.#onChange();
      });
    }
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }
  get stdoutBytes(): Buffer {
    return Buffer.concat(this.#written.stdout);
  }
  get stdout(): string {
    return this.stdoutBytes.toString("utf8");
  }
  get stderr(): string {
    return Buffer.concat(this.#written.stderr).toString("utf8");
  }

  /** Resolves when stdout or stderr has `text`; rejects when the program ends without it. */
  async until(text: string): Promise<void> {
    const seen = new Promise<void>((resolve) => {
      this.#onChange = () => (this.stdout.includes(text) || this.stderr.includes(text)) && resolve();
      this.#onChange();
    });
    const missed = this.ended.then(({ code, signal }) => {
      if (!this.stdout.includes(text) && !this.stderr.includes(text)) throw new Error(`ended (${code ?? signal}) without ${JSON.stringify(text)}: ${this.stdout}${this.stderr}`);
    });
    await Promise.race([seen, missed]);
  }

  async stop(signal: NodeJS.Signals): Promise<Ended> {
    this.#child.kill(signal);
    return this.ended;
  }
}
