/**
 * The runtime's view of a container, put together from its spec, its image, its volumes and its environment. Decides, starts nothing.
 * Follows kubernetes pkg/kubelet/kubelet_pods.go (makeMounts) and kuberuntime_container_linux.go (generateContainerConfig).
 */
import type { Container, Pod, VolumeMount } from "../../api/generated/types.ts";
import type { Stored } from "../../api/object.ts";
import { quantityMilliValue, quantityValue } from "../../api/quantity.ts";
import type { ContainerSpec, LinuxResources, Mount, SecuritySpec } from "../../runtime/runtime.ts";
import { ConfigError } from "../environment/environment.ts";
import { expand, expandStrictly, type Lookup } from "../environment/expand.ts";
import type { ContainerUser } from "../environment/user.ts";
import { IMAGE_ANNOTATION, IMAGE_ID_ANNOTATION } from "../status/container-statuses.ts";
import type { MountedVolume } from "../volumes/volumes.ts";
import { resolveSubPath } from "../volumes/sub-path.ts";
import type { ContainerImage } from "./image.ts";
import { messageOf } from "./start-refused.ts";

const DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
const TERMINATION_PATH = "/dev/termination-log";

/** The capabilities that containerd gives by default. */
const DEFAULT_CAPABILITIES = [
  "CHOWN", "DAC_OVERRIDE", "FSETID", "FOWNER", "MKNOD", "NET_RAW", "SETGID", "SETUID", "SETFCAP", "SETPCAP", "NET_BIND_SERVICE", "SYS_CHROOT", "KILL", "AUDIT_WRITE",
];

const ALL_CAPABILITIES = [
  ...DEFAULT_CAPABILITIES, "DAC_READ_SEARCH", "LINUX_IMMUTABLE", "NET_BROADCAST", "NET_ADMIN", "IPC_LOCK", "IPC_OWNER", "SYS_MODULE", "SYS_RAWIO", "SYS_PTRACE",
  "SYS_PACCT", "SYS_ADMIN", "SYS_BOOT", "SYS_NICE", "SYS_RESOURCE", "SYS_TIME", "SYS_TTY_CONFIG", "LEASE", "AUDIT_CONTROL", "MAC_OVERRIDE", "MAC_ADMIN", "SYSLOG",
  "WAKE_ALARM", "BLOCK_SUSPEND", "AUDIT_READ", "PERFMON", "BPF", "CHECKPOINT_RESTORE",
];

export interface ContainerInputs {
  readonly pod: Stored<Pod>;
  readonly container: Container;
  readonly attempt: number;
  readonly processesOf?: string | undefined;
  readonly sandboxId: string;
  readonly image: ContainerImage;
  readonly user: ContainerUser;
  readonly env: ReadonlyMap<string, string>;
  readonly hostname: string;
  readonly volumes: ReadonlyMap<string, MountedVolume>;
  /** The pod's /etc/hosts on this machine. */
  readonly hostsPath: string | undefined;
  readonly logPath: string;
}

export function containerSpec(inputs: ContainerInputs): ContainerSpec {
  const { container, image, env } = inputs;
  const lookup: Lookup = (name) => env.get(name);
  return {
    sandboxId: inputs.sandboxId,
    name: container.name,
    attempt: inputs.attempt,
    ...(inputs.processesOf !== undefined && { processesOf: inputs.processesOf }),
    root: image.root,
    command: commandOf(container, image, lookup),
    env: environmentOf(inputs),
    workingDir: container.workingDir || image.config.workingDir || "/",
    mounts: mountsOf(inputs, lookup),
    security: securityOf(inputs),
    resources: resourcesOf(container),
    stdin: container.stdin ?? false,
    stdinOnce: container.stdinOnce ?? false,
    tty: container.tty ?? false,
    stopSignal: image.config.stopSignal ?? "SIGTERM",
    logPath: inputs.logPath,
    terminationMessagePath: container.terminationMessagePath || TERMINATION_PATH,
    annotations: { [IMAGE_ANNOTATION]: image.name, [IMAGE_ID_ANNOTATION]: image.id },
  };
}

function commandOf({ command = [], args = [] }: Container, { config }: ContainerImage, lookup: Lookup): readonly string[] {
  const own = command.map((part) => expand(part, lookup));
  const ownArgs = args.map((part) => expand(part, lookup));
  const all = own.length > 0 ? [...own, ...ownArgs] : [...config.entrypoint, ...(ownArgs.length > 0 ? ownArgs : config.cmd)];
  if (all.length === 0) throw new ConfigError("no command specified");
  return all;
}

/** What the image and the runtime set comes first; what the pod says wins. */
function environmentOf({ image, env, hostname, user, container }: ContainerInputs): readonly (readonly [string, string])[] {
  const all = new Map<string, string>([["PATH", DEFAULT_PATH], ["HOSTNAME", hostname], ...(container.tty ? [["TERM", "xterm"] as const] : [])]);
  for (const pair of image.config.env) {
    const at = pair.indexOf("=");
    if (at > 0) all.set(pair.slice(0, at), pair.slice(at + 1));
  }
  for (const [name, value] of env) all.set(name, value);
  if (!all.has("HOME")) all.set("HOME", user.home);
  return [...all];
}

const PROPAGATION = { HostToContainer: "hostToContainer", Bidirectional: "bidirectional", None: "private" } as const;

function mountOf({ volumes }: ContainerInputs, mount: VolumeMount, lookup: Lookup, container: string): Mount {
  const volume = volumes.get(mount.name);
  if (!volume) throw new ConfigError(`cannot find volume "${mount.name}" to mount into container "${container}"`);
  let hostPath = volume.path;
  try {
    const subPath = mount.subPathExpr ? expandStrictly(mount.subPathExpr, lookup) : mount.subPath;
    if (subPath) hostPath = resolveSubPath(volume.path, subPath);
  } catch (error) {
    if (mount.subPathExpr && messageOf(error).startsWith("missing value")) throw new ConfigError(messageOf(error));
    throw new ConfigError(`failed to prepare subPath for volumeMount "${mount.name}" of container "${container}"`);
  }
  const propagation = PROPAGATION[(mount.mountPropagation ?? "None") as keyof typeof PROPAGATION];
  return { hostPath, containerPath: mount.mountPath, readOnly: volume.readOnly || (mount.readOnly ?? false), propagation };
}

const depth = (path: string): number => path.split("/").filter((p) => p !== "").length;

/** Parents before what is mounted in them. */
function mountsOf(inputs: ContainerInputs, lookup: Lookup): readonly Mount[] {
  const { container, hostsPath } = inputs;
  const mounts = (container.volumeMounts ?? []).map((m) => mountOf(inputs, m, lookup, container.name));
  const hosts = hostsPath !== undefined && !mounts.some((m) => m.containerPath === "/etc/hosts") ? [{ hostPath: hostsPath, containerPath: "/etc/hosts", readOnly: false }] : [];
  return [...mounts, ...hosts].sort((a, b) => depth(a.containerPath) - depth(b.containerPath));
}

const withoutPrefix = (name: string): string => name.toUpperCase().replace(/^CAP_/, "");

function capabilitiesOf({ securityContext }: Container): readonly string[] {
  if (securityContext?.privileged) return ALL_CAPABILITIES;
  const add = (securityContext?.capabilities?.add ?? []).map(withoutPrefix);
  const drop = new Set((securityContext?.capabilities?.drop ?? []).map(withoutPrefix));
  const base = add.includes("ALL") ? ALL_CAPABILITIES : drop.has("ALL") ? [] : DEFAULT_CAPABILITIES;
  return [...new Set([...base.filter((c) => !drop.has(c)), ...add.filter((c) => c !== "ALL")])];
}

function securityOf({ pod, container, user }: ContainerInputs): SecuritySpec {
  const own = container.securityContext;
  const seccomp = own?.seccompProfile ?? pod.spec.securityContext?.seccompProfile;
  return {
    uid: user.uid,
    gid: user.gid,
    supplementalGroups: user.groups,
    readOnlyRoot: own?.readOnlyRootFilesystem ?? false,
    noNewPrivileges: own?.allowPrivilegeEscalation === false,
    privileged: own?.privileged ?? false,
    capabilities: capabilitiesOf(container),
    ...(seccomp?.type === "RuntimeDefault" && !own?.privileged && { seccomp: "runtime-default" as const }),
  };
}

/** As the kubelet turns requests and limits into cgroup values. Follows pkg/kubelet/cm/helpers_linux.go. */
export function resourcesOf({ resources }: Pick<Container, "resources">): LinuxResources {
  const { limits, requests } = resources ?? {};
  const cpu = requests?.["cpu"] ?? limits?.["cpu"];
  return {
    ...(limits?.["cpu"] !== undefined && { cpuQuotaMillicores: quantityMilliValue(limits["cpu"]) }),
    ...(cpu !== undefined && { cpuShares: Math.max(Math.floor((quantityMilliValue(cpu) * 1024) / 1000), 2) }),
    ...(limits?.["memory"] !== undefined && { memoryLimitBytes: quantityValue(limits["memory"]) }),
  };
}
