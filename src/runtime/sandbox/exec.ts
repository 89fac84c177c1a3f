/**
 * A command beside a container's own: in its namespaces, with its environment, user, rights and working directory. nsenter takes a process
 * in, setpriv (from tools.ts) takes rights away, a shell closes the last descriptor of this machine and executes the command.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { constants } from "node:os";
import type { Readable, Writable } from "node:stream";
import type { ExecSpec } from "../runtime.ts";
import type { Machine } from "./machine.ts";
import { EXEC } from "./scripts.ts";
import { commandLine, quote } from "./shell.ts";
import { type Description, environmentFunction, privilegeOptions, withPath } from "./start-file.ts";
import type { Tools } from "./tools.ts";

export interface ExecTarget {
  readonly machine: Machine;
  readonly tools: Tools;
  readonly description: Description;
  /** The container's process. */
  readonly pid: number;
}

/** The whole command line. Exported for its test. */
export function execCommand({ machine, tools, description, pid }: ExecTarget, command: readonly string[], tty: boolean): string[] {
  const env = withPath(description.env);
  const script = `${environmentFunction(tty && !env.some(([name]) => name === "TERM") ? [["TERM", "xterm"], ...env] : env)}
directory=${quote(description.workingDir)}
path=${quote(env.findLast(([name]) => name === "PATH")?.[1] ?? "")}
command=${quote(commandLine(command))}
${EXEC}`;
  const namespaces = ["--mount", "--uts", "--ipc", "--pid", ...(machine.isRoot ? [] : ["--user", "--preserve-credentials"])];
  // An ordinary user's container is in a user namespace already, as the user it is to be, when that has one user only.
  const privileges = privilegeOptions(description.security, { ids: machine.manyIds, groups: machine.manyIds });
  return [machine.nsenter, "--target", String(pid), ...namespaces, ...tools.command("setpriv"), ...privileges, ...tools.command("shell"), "-c", script, "exec"];
}

/** Runs it; resolves with its exit code (128 + n for a signal). Aborting kills it. */
export async function exec(target: ExecTarget, spec: ExecSpec, signal: AbortSignal): Promise<number> {
  const words = execCommand(target, spec.command, spec.tty);
  const [file = "", ...args] = spec.tty && target.machine.script !== undefined ? [target.machine.script, "-q", "-e", "-f", "-c", commandLine(words), "/dev/null"] : words;
  const stdio: ("pipe" | "ignore" | number)[] = [spec.stdin ? "pipe" : "ignore", "pipe", "pipe", "ignore", "ignore", "ignore", "ignore", "ignore", "pipe", target.tools.fd];
  const child = spawn(file, args, { stdio, env: { LC_ALL: "C", SHELL: target.machine.tools.shell }, signal, killSignal: "SIGKILL" });
  spec.stdin?.on("error", () => {});
  child.stdin?.on("error", () => {});
  if (child.stdin) spec.stdin?.pipe(child.stdin);
  child.stdout?.pipe(spec.stdout, { end: false });
  child.stderr?.pipe(spec.stderr, { end: false });
  const problem = textOf(child.stdio.at(8));
  try {
    const code = await exitCodeOf(child);
    if (problem() !== "") throw new Error(`OCI runtime exec failed: exec failed: unable to start container process: ${problem()}`);
    return code;
  } finally {
    if (child.stdin) spec.stdin?.unpipe(child.stdin);
  }
}

/** What comes on a descriptor, so far. */
function textOf(stream: Writable | Readable | null | undefined): () => string {
  let text = "";
  if (stream && "read" in stream) stream.on("data", (data: Buffer) => (text += data.toString()));
  return () => text.trim();
}

/** After the last byte of its output. */
function exitCodeOf(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code, signal) => resolve(code ?? 128 + (signal ? constants.signals[signal] : 0)));
  });
}
