/**
 * setpriv and a shell, with their loader and libraries, in a file system of their own that is mounted nowhere: a descriptor of it can be
 * taken into a container without showing anything of this machine (its root's `..` is itself). For exec, whose last steps run inside.
 */
import { spawn } from "node:child_process";
import { closeSync, openSync, realpathSync } from "node:fs";
import { join } from "node:path";
import { listLibraries, type Machine } from "./machine.ts";
import { commandLine, quote } from "./shell.ts";

export interface Tools {
  /** The file system's root, to be passed on as descriptor 9. */
  readonly fd: number;
  /** How a program of it is called by a process that has it as descriptor 9. */
  command(name: "setpriv" | "shell"): string[];
  close(): void;
}

/** Puts the tools together in a namespace that ends at once; the descriptor keeps them. */
export async function openTools(machine: Machine, stateDirectory: string): Promise<Tools> {
  const programs = { setpriv: realpathSync(machine.setpriv), shell: realpathSync(machine.tools.shell) };
  const libraries = new Set<string>();
  let loader: string | undefined;
  for (const program of Object.values(programs)) {
    const [first, ...rest] = (await listLibraries(program)).split(" ").filter((l) => l !== "");
    loader ??= first;
    for (const library of rest) libraries.add(library);
  }
  const tools = join(stateDirectory, "root");
  const script = [
    `mount -t tmpfs -o mode=0755,nosuid,nodev tmpfs ${quote(tools)}`,
    ...Object.entries(programs).map(([name, path]) => commandLine(["cp", path, join(tools, name)])),
    ...(loader === undefined ? [] : [commandLine(["cp", "-L", loader, join(tools, "loader")]), commandLine(["cp", "-L", ...libraries, tools])]),
    `mount -o remount,bind,ro ${quote(tools)}`,
    `exec 9<${quote(tools)}`,
    `umount -l ${quote(tools)}`,
    "echo $$",
    "read -r end",
  ].join(" &&\n");
  const [file, ...args] = [...machine.userNamespace, machine.unshare, "--mount", "--propagation", "private", machine.tools.shell, "-c", script];
  const child = spawn(file, args, { stdio: ["pipe", "pipe", "pipe"] });
  const pid = await new Promise<string>((resolve, reject) => {
    let errors = "";
    child.stdout.once("data", (data: Buffer) => resolve(data.toString().trim()));
    child.stderr.on("data", (data: Buffer) => (errors += data.toString()));
    child.once("error", reject);
    child.once("exit", () => reject(new Error(`exec needs a file system for its tools: ${errors.trim()}`)));
  });
  const fd = openSync(`/proc/${pid}/fd/9`, "r");
  child.stdin.end();
  const prefix = loader === undefined ? [] : ["/proc/self/fd/9/loader", "--library-path", "/proc/self/fd/9"];
  return { fd, command: (name) => [...prefix, `/proc/self/fd/9/${name}`], close: () => closeSync(fd) };
}
