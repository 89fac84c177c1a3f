/**
 * What a container's directory tells its shim: `start` (shell variables and functions, with the container's description as JSON in its
 * first line) and `fstab` (its mounts, in order). Pure: directories and mount points are made by the caller.
 */
import type { Mount, PodIdentity, SecuritySpec } from "../runtime.ts";
import type { Namespaces } from "./namespaces.ts";
import { commandLine, type FstabEntry, isPlainVariable, quote } from "./shell.ts";

/** What is remembered of a container besides its record. */
export interface Description {
  readonly sandboxId: string;
  readonly pod: PodIdentity;
  readonly name: string;
  readonly attempt: number;
  readonly logPath: string;
  readonly terminationMessageFile: string;
  readonly stopSignal: string;
  readonly createdAtMs: number;
  readonly cgroups: readonly string[];
  /** Its processes have no pid namespace of their own that ends with process 1. */
  readonly sharedPids: boolean;
  /** For exec. */
  readonly env: readonly (readonly [name: string, value: string])[];
  readonly workingDir: string;
  readonly security: SecuritySpec;
  readonly stdin: boolean;
  /** The first client that ends its input ends the container's. */
  readonly stdinOnce: boolean;
  readonly tty: boolean;
  readonly annotations: Readonly<Record<string, string>>;
}

export const DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

export interface StartOptions {
  readonly description: Description;
  readonly command: readonly string[];
  /** The commands that put the shim into its namespaces. */
  readonly namespaces: Namespaces;
  /** env(1) with what it needs for an empty environment. */
  readonly container: readonly string[];
  /** The commands that take rights away, and the shell under them. */
  readonly privileges: readonly string[];
  readonly root: string;
  /** Shell commands of the shim before it mounts. */
  readonly prepare: readonly string[];
  readonly stdin: string | undefined;
  /** Who is to own the output pipe: a user other than root has to be able to open /dev/stdout. */
  readonly outputOwner: number | undefined;
}

/** The description in a `start` file. */
export function parseStartFile(text: string): Description {
  return JSON.parse(text.slice(1, text.indexOf("\n"))) as Description;
}

export function startFile(o: StartOptions): string {
  const env = withPath(o.description.env);
  const path = env.findLast(([name]) => name === "PATH")?.[1] ?? "";
  return `#${JSON.stringify(o.description)}
namespaces=${quote(o.namespaces.own.join(" "))}
root=${quote(o.root)}
directory=${quote(o.description.workingDir)}
path=${quote(path)}
command=${quote(commandLine(o.command))}
stdin=${quote(o.stdin ?? "")}
owner=${o.outputOwner ?? ""}
leftovers=
container() {
  exec setsid ${commandLine([...o.container, ...env.filter(([name]) => !isPlainVariable(name)).map(([name, value]) => `${name}=${value}`), ...o.privileges])} -c "$@"
}
join() {
  ${joinCommands(o.namespaces).join("\n  ")}
}
prepare() {
  ${[...o.prepare, ":"].join("\n  ")}
}
${environmentFunction(env)}`;
}

/** Commands of the launcher. A process id that was given to somebody else in the machine's own namespace is not joined. */
function joinCommands({ shared }: Namespaces): string[] {
  if (!shared) return [":"];
  const [first = [0, ""] as const] = shared.files;
  return [
    `command exec ${shared.files.map(([descriptor, file]) => `${descriptor}<${file}`).join(" ")} || return`,
    `if [ /proc/self/fd/${first[0]} -ef /proc/self/ns/${first[1].slice(first[1].lastIndexOf("/") + 1)} ]; then return; fi`,
    `namespaces=${quote(shared.words.join(" "))}`,
  ];
}

/** A shell function that sets what a shell can set; other names have to be there already. */
export function environmentFunction(env: Description["env"]): string {
  // bash counts this variable even while it executes another program; only an array is not handed on.
  const level = env.some(([name]) => name === "SHLVL") ? [] : ["unset SHLVL", '[ -z "${BASH_VERSION-}" ] || declare -ga SHLVL'];
  return `environment() {
  ${["unset PATH", ...level, ...env.filter(([name]) => isPlainVariable(name)).map(([name, value]) => `export ${name}=${quote(value)}`)].join("\n  ")}
}
`;
}

/** As container runtimes do, a container without PATH gets the usual one. */
export function withPath(env: Description["env"]): Description["env"] {
  return env.some(([name]) => name === "PATH") ? env : [["PATH", DEFAULT_PATH], ...env];
}

/** setpriv's options for what a container may do. `groups`: whether groups can be set at all. */
export function privilegeOptions(security: SecuritySpec, options: { readonly ids: boolean; readonly groups: boolean }): string[] {
  const words: string[] = [];
  if (options.ids) words.push("--reuid", String(security.uid), "--regid", String(security.gid));
  if (options.groups) words.push(...(security.supplementalGroups.length > 0 ? ["--groups", security.supplementalGroups.join(",")] : ["--clear-groups"]));
  if (!security.privileged) words.push("--bounding-set", ["-all", ...security.capabilities.map((c) => `+${c.toLowerCase()}`)].join(","));
  if (security.noNewPrivileges) words.push("--no-new-privs");
  return [...words, "--inh-caps", "-all", "--pdeathsig", "KILL"];
}

export interface RootMounts {
  readonly root: string;
  /** Where the overlay goes when the root is read-only. */
  readonly base: string;
  /** Lowest first, as overlayfs is to find them from the container's directory. */
  readonly layers: readonly string[];
  readonly readOnly: boolean;
  readonly privileged: boolean;
  /** Device files of the machine to bind over the placeholders in /dev; none where /dev has real ones. */
  readonly devices: readonly string[];
  /** Paths of /proc and /sys that this machine has. */
  readonly masked: readonly { readonly path: string; readonly isDirectory: boolean }[];
  readonly readOnlyPaths: readonly string[];
  readonly sysfs: "new" | "bind";
  readonly proc: "new" | "bind";
  readonly mqueue: boolean;
  readonly overlayOptions: readonly string[];
  /** The machine's own directories under a host root. */
  readonly system: readonly FstabEntry[];
  /** Sorted by depth, with container paths that hold no links. */
  readonly mounts: readonly Mount[];
}

const bind = (source: string, target: string, ...options: string[]): FstabEntry => ({ source, target, type: "none", options: ["bind", ...options] });

/** The mounts of a container's root, in order. Follows runc's default specification (libcontainer/specconv). */
export function rootMounts(m: RootMounts): FstabEntry[] {
  const at = (path: string) => m.root + path;
  const overlay = { source: "overlay", target: m.readOnly ? m.base : m.root, type: "overlay", options: [`lowerdir=${[...m.layers].reverse().join(":")}`, "upperdir=upper", "workdir=work", ...m.overlayOptions] };
  return [
    overlay,
    // /dev stays writable under a read-only root, as it is where it has a file system of its own.
    ...(m.readOnly ? [bind(m.base, m.root, "ro"), bind(`${m.base}/dev`, at("/dev"))] : []),
    ...m.system,
    m.proc === "new" ? { source: "proc", target: at("/proc"), type: "proc", options: ["nosuid", "nodev", "noexec"] } : { ...bind("/proc", at("/proc")), options: ["rbind"] },
    m.sysfs === "new"
      ? { source: "sysfs", target: at("/sys"), type: "sysfs", options: ["nosuid", "nodev", "noexec", ...(m.privileged ? [] : ["ro"])] }
      : { source: "/sys", target: at("/sys"), type: "none", options: ["rbind", "ro"] },
    ...m.devices.map((device) => bind(device, at(device))),
    { source: "devpts", target: at("/dev/pts"), type: "devpts", options: ["newinstance", "ptmxmode=0666", "mode=0620", "nosuid", "noexec"] },
    ...(m.mqueue ? [{ source: "mqueue", target: at("/dev/mqueue"), type: "mqueue", options: ["nosuid", "nodev", "noexec"] }] : []),
    ...(m.privileged ? [] : protections(m, at)),
    ...m.mounts.map((mount) => ({ source: mount.hostPath, target: at(mount.containerPath), type: "none", options: ["rbind", ...(mount.readOnly ? ["ro"] : []), ...propagation(mount)] })),
  ];
}

function protections(m: RootMounts, at: (path: string) => string): FstabEntry[] {
  return [
    ...m.masked.map(({ path, isDirectory }) => (isDirectory ? { source: "tmpfs", target: at(path), type: "tmpfs", options: ["ro", "size=0"] } : bind("/dev/null", at(path)))),
    ...m.readOnlyPaths.map((path) => bind(at(path), at(path), "ro")),
  ];
}

function propagation(mount: Mount): string[] {
  if (mount.propagation === "hostToContainer") return ["rslave"];
  return mount.propagation === "bidirectional" ? ["rshared"] : [];
}
