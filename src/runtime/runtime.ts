/**
 * The container-runtime port, after the CRI: pod sandboxes and the containers in them. The agent speaks only this.
 * All state lives outside this process: `list` finds after any crash what was started before, with its exit code.
 */

import type { Duplex } from "node:stream";

export type ContainerState = "created" | "running" | "exited" | "unknown";

export interface PodIdentity {
  readonly uid: string;
  readonly namespace: string;
  readonly name: string;
}

export interface SandboxSpec {
  readonly pod: PodIdentity;
  readonly hostname: string;
  /** Contents of /etc/hosts and /etc/resolv.conf; left out: the machine's. */
  readonly hosts?: string;
  readonly resolvConf?: string;
  readonly hostNetwork: boolean;
  readonly hostPid: boolean;
  readonly hostIpc: boolean;
  readonly shareProcessNamespace: boolean;
  readonly sysctls: Readonly<Record<string, string>>;
  /** cgroup parent limits of the whole pod, if any container asks for limits. */
  readonly resources: LinuxResources;
}

export interface SandboxStatus {
  readonly id: string;
  readonly pod: PodIdentity;
  readonly createdAtMs: number;
  readonly ready: boolean;
  /** The pod's address; undefined when it has none yet. */
  readonly ip: string | undefined;
}

export interface LinuxResources {
  readonly cpuQuotaMillicores?: number;
  readonly cpuShares?: number;
  readonly memoryLimitBytes?: number;
  readonly pidsLimit?: number;
}

export interface Mount {
  /** A directory or file of this machine. */
  readonly hostPath: string;
  readonly containerPath: string;
  readonly readOnly: boolean;
  readonly propagation?: "private" | "hostToContainer" | "bidirectional";
}

/** Where a container's root comes from: an image that `images/` unpacked, or this machine's own userland, read-only. */
export type RootFilesystem = { readonly kind: "image"; /** Layer directories, lowest first. */ readonly layers: readonly string[] } | { readonly kind: "host" };

export interface SecuritySpec {
  readonly uid: number;
  readonly gid: number;
  readonly supplementalGroups: readonly number[];
  readonly readOnlyRoot: boolean;
  readonly noNewPrivileges: boolean;
  readonly privileged: boolean;
  /** Names without CAP_, the full set that the process gets as its bounding set. */
  readonly capabilities: readonly string[];
  /** The runtime's own filter of system calls; left out: none. */
  readonly seccomp?: "runtime-default";
}

export interface ContainerSpec {
  readonly sandboxId: string;
  readonly name: string;
  /** 0 for the first start, then counted up: with the pod's uid and the name it identifies an attempt. */
  readonly attempt: number;
  /** The id of a container of the same sandbox whose processes this one joins; left out: as the sandbox says. */
  readonly processesOf?: string;
  readonly root: RootFilesystem;
  /** argv, never empty, variables expanded. */
  readonly command: readonly string[];
  readonly env: readonly (readonly [name: string, value: string])[];
  readonly workingDir: string;
  readonly mounts: readonly Mount[];
  readonly security: SecuritySpec;
  readonly resources: LinuxResources;
  readonly stdin: boolean;
  readonly stdinOnce: boolean;
  readonly tty: boolean;
  readonly stopSignal: string;
  /** The log file (CRI log format) that stdout and stderr go to. */
  readonly logPath: string;
  /** In the container, where its termination message is written; the runtime puts a file of this machine there. */
  readonly terminationMessagePath: string;
  /** Kept with the container and handed back by `list`: what the agent needs to know it again (image, hash of the spec …). */
  readonly annotations: Readonly<Record<string, string>>;
}

export interface ContainerStatus {
  readonly id: string;
  readonly sandboxId: string;
  readonly pod: PodIdentity;
  readonly name: string;
  readonly attempt: number;
  readonly state: ContainerState;
  readonly createdAtMs: number;
  readonly startedAtMs: number | undefined;
  readonly finishedAtMs: number | undefined;
  readonly exitCode: number | undefined;
  /** Completed, Error, OOMKilled, StartError, ContainerStatusUnknown. */
  readonly reason: string | undefined;
  readonly message: string | undefined;
  readonly logPath: string;
  readonly terminationMessageFile: string;
  readonly annotations: Readonly<Record<string, string>>;
}

export interface AttachSpec {
  readonly stdin: NodeJS.ReadableStream | undefined;
  readonly stdout: NodeJS.WritableStream;
  readonly stderr: NodeJS.WritableStream;
}

export interface ExecSpec extends AttachSpec {
  readonly command: readonly string[];
  readonly tty: boolean;
}

export interface Runtime {
  readonly name: string;
  readonly version: string;
  /** Sandboxes and containers, exited ones included until they are removed. Cheap: called on every hint. */
  list(): Promise<{ readonly sandboxes: readonly SandboxStatus[]; readonly containers: readonly ContainerStatus[] }>;
  runSandbox(spec: SandboxSpec): Promise<SandboxStatus>;
  /** Ends every process of the sandbox (SIGKILL) and takes its mounts down. Idempotent. */
  stopSandbox(id: string): Promise<void>;
  /** Forgets a stopped sandbox with its containers' writable layers; log files stay. Idempotent. */
  removeSandbox(id: string): Promise<void>;
  /** Creates and starts. A command that cannot be started is not an error: the container is there, exited, 128, StartError. */
  startContainer(spec: ContainerSpec): Promise<ContainerStatus>;
  /** Sends the stop signal, and SIGKILL after the grace period. Resolves when the container has exited. Idempotent. */
  stopContainer(id: string, options: { readonly gracePeriodMs: number }): Promise<void>;
  removeContainer(id: string): Promise<void>;
  /** Runs a command beside the container's own; resolves with its exit code. */
  exec(containerId: string, spec: ExecSpec, signal: AbortSignal): Promise<number>;
  /** What a running container's own process writes from now on, and its standard input; resolves when it has ended or `signal` aborts. Absent: cannot. */
  attach?(containerId: string, spec: AttachSpec, signal: AbortSignal): Promise<void>;
  /** A connection to a port as from inside the sandbox; rejects where nothing listens. Absent: cannot. */
  connect?(sandboxId: string, port: number): Promise<Duplex>;
  /** Calls back with a pod's uid whenever something of it may have changed. Hints only: may be lost or doubled. */
  onHint(listener: (podUid: string) => void): void;
  /** Starts what the runtime needs (its launcher). Rejects with one clear sentence when this machine can't. */
  open(): Promise<void>;
  /** Lets go of everything without stopping containers. */
  close(): Promise<void>;
}
