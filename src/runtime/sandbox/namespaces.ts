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
  readonly spec: { readonly mounts: readonly Mount[] };
}

/** The words in front of the shim's command. The shim itself stays in the machine's pid namespace; its first child is process 1. */
export function enterNamespaces({ machine, sandbox, neighbour, spec }: NamespaceOptions): { readonly namespaces: readonly string[] } {
  const { hostPid, hostIpc, hostNetwork, shareProcessNamespace } = sandbox.spec;
  const own: string[] = [];
  const joined: string[] = [];
  const shared = [...(hostNetwork ? [] : ["uts"]), ...(hostIpc ? [] : ["ipc"]), ...(shareProcessNamespace && !hostPid ? ["pid"] : [])];
  for (const name of shared) {
    if (neighbour === undefined) own.push(`--${name}`);
    else joined.push(`--${name}=/proc/${neighbour}/ns/${name}`);
  }
  if (!hostPid && !shareProcessNamespace) own.push("--pid");
  const enter = joined.length === 0 ? [] : [machine.nsenter, "--no-fork", ...joined];
  return { namespaces: [...enter, machine.unshare, "--mount", ...own, "--propagation", propagation(spec.mounts)] };
}

function propagation(mounts: readonly Mount[]): string {
  if (mounts.some((m) => m.propagation === "bidirectional")) return "unchanged";
  return mounts.some((m) => m.propagation === "hostToContainer") ? "slave" : "private";
}
