/**
 * Makes a container's directory from its specification: `upper` and `work` of its root, mount points, the termination message's file,
 * `fstab`, and last `start`, without which no shim begins.
 */
import { chmodSync, lstatSync, mkdirSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { ContainerSpec, Mount } from "../runtime.ts";
import { enterNamespaces } from "./namespaces.ts";
import { hostRoot, systemMounts } from "./host-root.ts";
import type { Layout } from "./layout.ts";
import type { Machine } from "./machine.ts";
import { parts, type RootPaths } from "./root-path.ts";
import type { Sandbox } from "./sandboxes.ts";
import { fstab, isPlainVariable, quote } from "./shell.ts";
import { type Description, privilegeOptions, rootMounts, startFile } from "./start-file.ts";

export interface Preparation {
  readonly id: string;
  readonly spec: ContainerSpec;
  readonly sandbox: Sandbox;
  readonly machine: Machine;
  readonly layout: Layout;
  readonly paths: RootPaths;
  readonly nowMs: number;
  /** A process in the namespaces that the pod's containers share; undefined when none runs. */
  readonly neighbour: number | undefined;
  /** A process whose pid namespace the container joins, by its own wish. */
  readonly target: number | undefined;
  readonly cgroups: readonly string[];
}

/** Fills the container's directory, which exists and is empty. */
export function prepareContainer(p: Preparation): Description {
  const { spec, machine, layout, sandbox } = p;
  const directory = layout.container(p.id);
  const upper = join(directory, "upper");
  mkdirSync(upper, { mode: 0o755 });
  mkdirSync(join(directory, "work"));
  const host = spec.root.kind === "host" ? hostRoot(layout) : undefined;
  if (host) for (const name of host.system) mkdirSync(join(directory, "system", name), { recursive: true });
  const layers = [layout.skeleton, ...(spec.root.kind === "image" ? spec.root.layers : [host?.layer ?? ""]), layout.devices];
  const terminationMessageFile = join(directory, "termination-log");
  writeFileSync(terminationMessageFile, "");
  chmodSync(terminationMessageFile, 0o666);
  const mounts = placeMounts(p, { layers, upper, system: host ? { names: host.system, upper: join(directory, "system") } : undefined }, [...sandboxMounts(p), ...spec.mounts, { hostPath: terminationMessageFile, containerPath: spec.terminationMessagePath, readOnly: false }]);
  const workingDir = spec.workingDir === "" ? "/" : spec.workingDir;
  if (!isCovered(mounts, workingDir) && !isSystem(workingDir, host?.system)) p.paths.ensure(layers, upper, workingDir, "directory");
  const description: Description = {
    sandboxId: sandbox.id,
    pod: sandbox.spec.pod,
    name: spec.name,
    attempt: spec.attempt,
    logPath: spec.logPath,
    terminationMessageFile,
    stopSignal: spec.stopSignal,
    createdAtMs: p.nowMs,
    cgroups: p.cgroups,
    sharedPids: sandbox.spec.hostPid || sandbox.spec.shareProcessNamespace || p.target !== undefined,
    env: spec.env,
    workingDir,
    security: spec.security,
    stdin: spec.stdin,
    stdinOnce: spec.stdinOnce,
    tty: spec.tty,
    annotations: spec.annotations,
  };
  const table = rootMounts({
    root: layout.root,
    base: layout.base,
    layers: layers.map((layer) => layout.layerLink(layer)),
    readOnly: spec.security.readOnlyRoot,
    privileged: spec.security.privileged,
    devices: machine.devices,
    masked: machine.masked,
    readOnlyPaths: machine.readOnlyPaths,
    sysfs: machine.sysfs,
    proc: machine.proc,
    mqueue: machine.mqueue,
    overlayOptions: machine.overlayOptions,
    system: host ? systemMounts(layout, host, directory) : [],
    mounts,
  });
  writeFileSync(join(directory, "fstab"), fstab(table));
  // The directory is closed to others; the file is opened by the container's user, before it is one, through a descriptor.
  writeFileSync(join(directory, "start"), startFile({ description, command: spec.command, namespaces: enterNamespaces(p), container: machine.tools.env, privileges: privileges(p), root: layout.root, prepare: prepareCommands(p, description.sharedPids), stdin: spec.stdin ? "stdin" : undefined, outputOwner: machine.manyIds && spec.security.uid !== 0 ? spec.security.uid : undefined }), { mode: 0o644 });
  return description;
}

function privileges({ spec, machine }: Preparation): string[] {
  const { security } = spec;
  const nested = !machine.manyIds && (security.uid !== 0 || security.gid !== 0) ? [machine.unshare, "--user", `--map-user=${security.uid}`, `--map-group=${security.gid}`] : [];
  // Only bash hands on variables whose names no shell can set.
  const shell = spec.env.every(([name]) => isPlainVariable(name)) ? machine.tools.shell : (machine.bash ?? machine.tools.shell);
  return [...nested, machine.setpriv, ...privilegeOptions(security, { ids: machine.manyIds, groups: machine.manyIds }), shell];
}

function prepareCommands({ sandbox, machine, cgroups }: Preparation, sharedPids: boolean): string[] {
  const commands = sharedPids ? ["leftovers=$(readlink /proc/self/ns/mnt)"] : [];
  for (const c of cgroups) commands.push(`echo $pid >${quote(join(c, "cgroup.procs"))}`);
  if (sandbox.spec.hostNetwork) return commands;
  commands.push(machine.setHostname === "" ? `hostname ${quote(sandbox.spec.hostname)}` : `echo ${quote(sandbox.spec.hostname)} >${machine.setHostname}`);
  for (const [name, value] of Object.entries(sandbox.spec.sysctls)) commands.push(`echo ${quote(value)} >${quote(`/proc/sys/${name.replaceAll(".", "/")}`)}`);
  return commands;
}

function sandboxMounts({ sandbox, layout }: Preparation): Mount[] {
  const files = ["hosts", "hostname", "resolv.conf"].map((name) => ({ hostPath: join(layout.sandbox(sandbox.id), name), containerPath: `/etc/${name}`, readOnly: false }));
  return [{ hostPath: sandbox.shm, containerPath: "/dev/shm", readOnly: false }, ...files];
}

const depth = (path: string): number => parts(path).length;

const isUnder = (path: string, above: string): boolean => above === "/" || path === above || path.startsWith(`${above}/`);

function isCovered(mounts: readonly Mount[], path: string): boolean {
  return mounts.some((m) => isUnder(`/${parts(path).join("/")}`, m.containerPath));
}

interface Root {
  readonly layers: readonly string[];
  readonly upper: string;
  /** A host root's own directories of the machine, and where mount points in them go. */
  readonly system: { readonly names: readonly string[]; readonly upper: string } | undefined;
}

const isSystem = (path: string, names: readonly string[] | undefined): boolean => names?.includes(parts(path)[0] ?? "") ?? false;

/** Sorts mounts by depth, the later of one path winning, and makes the points where they go. */
function placeMounts(p: Preparation, root: Root, mounts: readonly Mount[]): Mount[] {
  const byPath = new Map<string, Mount>();
  for (const m of mounts) byPath.set(`/${parts(m.containerPath).join("/")}`, m);
  const placed: Mount[] = [];
  for (const [path, mount] of [...byPath].sort(([a], [b]) => depth(a) - depth(b))) {
    const kind = statSync(mount.hostPath).isDirectory() ? "directory" : "file";
    const resolved = p.paths.find(root.layers, path).path;
    const above = placed.findLast((m) => m.containerPath !== resolved && isUnder(resolved, m.containerPath));
    if (above) makeInside(join(above.hostPath, resolved.slice(above.containerPath === "/" ? 0 : above.containerPath.length)), above.hostPath, kind);
    else if (root.system && isSystem(resolved, root.system.names)) p.paths.ensure(["/"], root.system.upper, resolved, kind);
    else p.paths.ensure(root.layers, root.upper, path, kind);
    placed.push({ ...mount, containerPath: resolved });
  }
  return placed;
}

/** A mount point inside another mount's directory. A link on the way is not followed: whoever shares the directory may have put it there. */
function makeInside(point: string, top: string, kind: "directory" | "file"): void {
  if (point === top) return;
  const there = lstatSync(point, { throwIfNoEntry: false });
  if (there) return;
  makeInside(dirname(point), top, "directory");
  if (!lstatSync(dirname(point)).isDirectory()) throw new Error(`${point} cannot be a mount point: ${dirname(point)} is not a directory`);
  if (kind === "directory") mkdirSync(point, { mode: 0o755 });
  else writeFileSync(point, "", { flag: "a" });
}
