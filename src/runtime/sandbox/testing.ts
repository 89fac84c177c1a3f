/** For tests and benches of this room: an image root of static busybox, and specifications that show only what matters. */
import { chmodSync, copyFileSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { execFileSync } from "node:child_process";
import type { ContainerSpec, ContainerStatus, Runtime, SandboxSpec } from "../runtime.ts";
import { PREFIX_BYTES } from "./cri-log.ts";

/** The capabilities that a container gets from Kubernetes by default. */
export const DEFAULT_CAPABILITIES = ["CHOWN", "DAC_OVERRIDE", "FSETID", "FOWNER", "MKNOD", "NET_RAW", "SETGID", "SETUID", "SETFCAP", "SETPCAP", "NET_BIND_SERVICE", "SYS_CHROOT", "KILL", "AUDIT_WRITE"];

/** Makes a layer with busybox (Debian's busybox-static) and all its applets in `directory`. */
export function makeBusyboxLayer(directory: string): string {
  const busybox = "/usr/bin/busybox";
  for (const path of ["bin", "etc", "root"]) mkdirSync(join(directory, path), { recursive: true });
  mkdirSync(join(directory, "tmp"), { recursive: true });
  chmodSync(join(directory, "tmp"), 0o1777);
  copyFileSync(busybox, join(directory, "bin/busybox"));
  for (const applet of execFileSync(busybox, ["--list"], { encoding: "utf8" }).trim().split("\n")) if (applet !== "busybox") symlinkSync("busybox", join(directory, "bin", applet));
  writeFileSync(join(directory, "etc/passwd"), "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n");
  writeFileSync(join(directory, "etc/group"), "root:x:0:\nnogroup:x:65534:\n");
  writeFileSync(join(directory, "etc/nsswitch.conf"), "hosts: files dns\n");
  return directory;
}

export function sandboxSpec(uid: string, more: Partial<SandboxSpec> = {}): SandboxSpec {
  return { pod: { uid, namespace: "default", name: uid }, hostname: uid, hostNetwork: false, hostPid: false, hostIpc: false, shareProcessNamespace: false, sysctls: {}, resources: {}, ...more };
}

export function containerSpec(sandboxId: string, logPath: string, layer: string, command: readonly string[], more: Partial<ContainerSpec> = {}): ContainerSpec {
  return {
    sandboxId,
    name: "main",
    attempt: 0,
    root: { kind: "image", layers: [layer] },
    command,
    env: [],
    workingDir: "/",
    mounts: [],
    security: { uid: 0, gid: 0, supplementalGroups: [], readOnlyRoot: false, noNewPrivileges: false, privileged: false, capabilities: DEFAULT_CAPABILITIES },
    resources: {},
    stdin: false,
    stdinOnce: false,
    tty: false,
    stopSignal: "SIGTERM",
    logPath,
    terminationMessagePath: "/dev/termination-log",
    annotations: {},
    ...more,
  };
}

/** Resolves with a container's status once it has exited. */
export async function untilExited(runtime: Runtime, id: string): Promise<ContainerStatus> {
  const find = async () => (await runtime.list()).containers.find((c) => c.id === id && c.state === "exited");
  return new Promise((resolve, reject) => {
    const look = () => void find().then((found) => found && resolve(found), reject);
    runtime.onHint(look);
    look();
  });
}

/** What a CRI log holds of a stream or of both, byte by byte as latin1. */
export function logText(path: string, stream = "std"): string {
  return readFileSync(path, "latin1")
    .split("\n")
    .slice(0, -1)
    .filter((line) => line.includes(` ${stream}`))
    .map((line) => line.slice(PREFIX_BYTES) + (line[PREFIX_BYTES - 2] === "F" ? "\n" : ""))
    .join("");
}
