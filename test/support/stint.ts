/** Starts and stops the built stint, as a user would, and runs the real kubectl against it. */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { kubectlPath } from "./kubectl.ts";

export const STINT = fileURLToPath(new URL("../../bin/stint", import.meta.url));
export const EXAMPLES = fileURLToPath(new URL("../../examples", import.meta.url));
export const BUSYBOX = "/bin/busybox";

export interface Finished {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program to its end. */
export function execute(file: string, args: readonly string[], options: { readonly env?: NodeJS.ProcessEnv; readonly input?: string; readonly timeoutMs?: number; readonly cwd?: string } = {}): Promise<Finished> {
  return new Promise((resolve) => {
    const child = execFile(file, [...args], { env: options.env ?? process.env, timeout: options.timeoutMs ?? 120_000, maxBuffer: 64 << 20, ...(options.cwd !== undefined && { cwd: options.cwd }) }, (_error, stdout, stderr) =>
      resolve({ code: child.exitCode, signal: child.signalCode, stdout, stderr }),
    );
    child.stdin?.on("error", () => {});
    child.stdin?.end(options.input ?? "");
  });
}

/** A place of its own for a test: data, home, kubeconfig. */
export class Sandbox {
  readonly directory: string;
  readonly env: NodeJS.ProcessEnv;

  private constructor(directory: string) {
    this.directory = directory;
    const { CI: _ci, STINT_DATA_DIR: _data, ...rest } = process.env;
    this.env = { ...rest, HOME: join(directory, "home"), XDG_CACHE_HOME: join(directory, "cache"), STINT_DATA_DIR: join(directory, "data"), NODE_COMPILE_CACHE: join(tmpdir(), "stint-compile-cache") };
  }

  static async make(): Promise<Sandbox> {
    const sandbox = new Sandbox(await mkdtemp(join(tmpdir(), "stint-e2e-")));
    await mkdir(join(sandbox.directory, "home"));
    return sandbox;
  }

  /** Gives the image store `alpine` and `busybox`, made of the machine's static busybox. */
  async importAlpine(): Promise<void> {
    const done = await this.stint(["image", "import", "--busybox", BUSYBOX, "--tag", "docker.io/library/alpine:latest", "--tag", "docker.io/library/busybox:latest"]);
    if (done.code !== 0) throw new Error(`image import: ${done.stderr}`);
  }

  stint(args: readonly string[], options: { readonly env?: NodeJS.ProcessEnv; readonly input?: string; readonly timeoutMs?: number } = {}): Promise<Finished> {
    return execute(STINT, args, { ...options, env: { ...this.env, ...options.env } });
  }

  async remove(): Promise<void> {
    await rm(this.directory, { recursive: true, force: true });
  }
}

export class Server {
  readonly sandbox: Sandbox;
  readonly kubeconfig: string;
  readonly url: string;
  readonly #child: ChildProcess;
  readonly #kubectl: string;
  readonly #stderr: () => string;

  private constructor(sandbox: Sandbox, child: ChildProcess, kubeconfig: string, url: string, kubectl: string, stderr: () => string) {
    this.sandbox = sandbox;
    this.#child = child;
    this.kubeconfig = kubeconfig;
    this.url = url;
    this.#kubectl = kubectl;
    this.#stderr = stderr;
  }

  /** Starts `stint up --port 0` and waits for its ready line. */
  static async start(sandbox: Sandbox, args: readonly string[] = []): Promise<Server> {
    const child = spawn(STINT, ["up", "--port", "0", ...args], { env: sandbox.env, stdio: ["ignore", "pipe", "pipe"] });
    let stdout = "";
    let stderr = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
    const line = await new Promise<string>((resolve, reject) => {
      child.stdout.setEncoding("utf8").on("data", (text: string) => {
        stdout += text;
        if (stdout.includes("\n")) resolve(stdout.split("\n")[0] ?? "");
      });
      child.once("exit", (code) => reject(new Error(`stint up ended with ${code}: ${stderr}`)));
    });
    const [, url = "", kubeconfig = ""] = /serving (\S+); use it with: export KUBECONFIG=(.+)$/.exec(line) ?? [];
    return new Server(sandbox, child, kubeconfig, url, await kubectlPath(), () => stderr);
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  get stderr(): string {
    return this.#stderr();
  }

  kubectl(args: readonly string[], options: { readonly input?: string; readonly timeoutMs?: number } = {}): Promise<Finished> {
    return execute(this.#kubectl, args, { ...options, env: this.kubectlEnv });
  }

  get kubectlEnv(): NodeJS.ProcessEnv {
    return { ...this.sandbox.env, KUBECONFIG: this.kubeconfig, KUBECACHEDIR: join(this.sandbox.directory, "kubecache") };
  }

  /** A kubectl that goes on (a watch): what it printed so far, and a way to end it. */
  kubectlStream(args: readonly string[]): { readonly output: () => string; readonly stop: () => Promise<void> } {
    const child = spawn(this.#kubectl, [...args], { env: this.kubectlEnv, stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (text: string) => (output += text));
    const gone = new Promise<void>((resolve) => child.once("exit", () => resolve()));
    return {
      output: () => output,
      stop: async () => {
        child.kill("SIGTERM");
        await gone;
      },
    };
  }

  /** kubectl whose success is expected; its stdout. */
  async ok(args: readonly string[], options: { readonly input?: string; readonly timeoutMs?: number } = {}): Promise<string> {
    const done = await this.kubectl(args, options);
    if (done.code !== 0) throw new Error(`kubectl ${args.join(" ")}: exit ${done.code ?? done.signal}: ${done.stderr}\n${this.#stderr()}`);
    return done.stdout;
  }

  async json<T>(args: readonly string[]): Promise<T> {
    return JSON.parse(await this.ok([...args, "-o", "json"])) as T;
  }

  async stop(signal: NodeJS.Signals = "SIGTERM"): Promise<number | null> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return this.#child.exitCode;
    const gone = new Promise<number | null>((resolve) => this.#child.once("exit", resolve));
    this.#child.kill(signal);
    return gone;
  }
}
