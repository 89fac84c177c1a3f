/**
 * Which namespaces a container's shim enters, and by which commands. One of a kind per pod is shared by the containers that run at the same
 * time; the mount namespace is each container's own, as is the pid namespace unless the pod shares it or has the machine's.
 */
import type { Mount } from "../runtime.ts";
import type { Machine } from "./machine.ts";
import type { Sandbox } from "./sandboxes.ts";

export interface NamespaceOptions {
  readonly machine: Machine;
  readonly sandbox: Sandbox;
  readonly neighbour: number | undefined;
  /** A process in the pid namespace of another container that this one joins. */
  readonly target?: number | undefined;
  readonly spec: { readonly mounts: readonly Mount[] };
}

/** How a shim gets into its namespaces. */
export interface Namespaces {
  /** The words in front of the shim's command when it makes all of them. */
  readonly own: readonly string[];
  /** The files of a neighbour's that it joins, each with the descriptor it is opened on, and the words for that; undefined without a neighbour. */
  readonly shared: { readonly files: readonly (readonly [descriptor: number, file: string])[]; readonly words: readonly string[] } | undefined;
}

/** Descriptors that are free when the launcher joins. */
const DESCRIPTORS = [3, 4, 0];

/**
 * The shim itself stays in the machine's pid namespace; its first child is process 1. A neighbour may end at any moment: its namespaces are
 * joined through files that were opened while it lived, and if that was too late, the container makes its own, for nobody else has them.
 */
export function enterNamespaces({ machine, sandbox, neighbour, target, spec }: NamespaceOptions): Namespaces {
  const { hostPid, hostIpc, hostNetwork, shareProcessNamespace } = sandbox.spec;
  const common = [...(hostNetwork ? [] : ["uts"]), ...(hostIpc ? [] : ["ipc"]), ...(shareProcessNamespace && !hostPid ? ["pid"] : [])];
  const single = !hostPid && !shareProcessNamespace ? ["--pid"] : [];
  const unshare = (more: readonly string[]) => [machine.unshare, "--mount", ...more, ...single, "--propagation", propagation(spec.mounts)];
  const own = unshare(common.map((name) => `--${name}`));
  const joinsTarget = target !== undefined && single.length > 0;
  const joined = [...(neighbour === undefined ? [] : common.map((name) => ({ name, of: neighbour }))), ...(joinsTarget ? [{ name: "pid", of: target }] : [])];
  if (joined.length === 0) return { own, shared: undefined };
  const files = joined.map(({ name, of }, i) => [DESCRIPTORS[i] ?? 0, `/proc/${of}/ns/${name}`] as const);
  const join = joined.map(({ name }, i) => `--${name}=/proc/self/fd/${DESCRIPTORS[i]}`);
  const rest = unshare(neighbour === undefined ? common.map((name) => `--${name}`) : []).filter((word) => !(joinsTarget && word === "--pid"));
  return { own, shared: { files, words: [machine.nsenter, "--no-fork", ...join, ...rest] } };
}

function propagation(mounts: readonly Mount[]): string {
  if (mounts.some((m) => m.propagation === "bidirectional")) return "unchanged";
  return mounts.some((m) => m.propagation === "hostToContainer") ? "slave" : "private";
}
