/**
 * The Node object of this machine, computed purely. Follows kubernetes pkg/kubelet/kubelet_node_status.go (initialNode) and nodestatus/setters.go.
 */
import type { Node, NodeCondition } from "../../api/generated/types.ts";
import { formatTime } from "../../api/time.ts";
import type { Instant } from "../../base/clock.ts";
import type { Machine } from "./machine.ts";

export interface NodeFacts {
  readonly name: string;
  readonly machine: Machine;
  readonly addresses: readonly string[];
  readonly podsMax: number;
  readonly kubeletVersion: string;
  readonly runtimeVersion: string;
  readonly now: Instant;
}

const KI = 1024;

/** What the node has, all of which pods may use. */
export function capacityOf({ machine, podsMax }: Pick<NodeFacts, "machine" | "podsMax">): Readonly<Record<string, string>> {
  return {
    cpu: String(machine.cpus),
    "ephemeral-storage": `${Math.floor(machine.diskBytes / KI)}Ki`,
    "hugepages-1Gi": "0",
    "hugepages-2Mi": "0",
    memory: `${Math.floor(machine.memoryBytes / KI)}Ki`,
    pods: String(podsMax),
  };
}

const CONDITIONS: readonly (readonly [type: string, status: string, reason: string, message: string])[] = [
  ["MemoryPressure", "False", "KubeletHasSufficientMemory", "kubelet has sufficient memory available"],
  ["DiskPressure", "False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"],
  ["PIDPressure", "False", "KubeletHasSufficientPID", "kubelet has sufficient PID available"],
  ["Ready", "True", "KubeletReady", "kubelet is posting ready status"],
];

function conditionsOf(old: readonly NodeCondition[], now: Instant): readonly NodeCondition[] {
  const stamp = formatTime(now);
  const own = CONDITIONS.map(([type, status, reason, message]) => {
    const before = old.find((c) => c.type === type);
    return { type, status, lastHeartbeatTime: stamp, lastTransitionTime: before?.status === status ? (before.lastTransitionTime ?? stamp) : stamp, reason, message };
  });
  return [...old.filter((c) => !CONDITIONS.some(([type]) => type === c.type)), ...own];
}

export function nodeLabels({ name, machine }: Pick<NodeFacts, "name" | "machine">): Readonly<Record<string, string>> {
  return {
    "beta.kubernetes.io/arch": machine.architecture, "beta.kubernetes.io/os": "linux",
    "kubernetes.io/arch": machine.architecture, "kubernetes.io/hostname": name, "kubernetes.io/os": "linux",
  };
}

export function nodeStatus(facts: NodeFacts, old: readonly NodeCondition[]): NonNullable<Node["status"]> {
  const { machine, name, addresses } = facts;
  const capacity = capacityOf(facts);
  return {
    capacity,
    allocatable: capacity,
    conditions: conditionsOf(old, facts.now),
    addresses: [...addresses.map((address) => ({ type: "InternalIP", address })), { type: "Hostname", address: name }],
    daemonEndpoints: { kubeletEndpoint: { Port: 10250 } },
    nodeInfo: {
      machineID: machine.machineId, systemUUID: machine.systemUuid, bootID: machine.bootId, kernelVersion: machine.kernel, osImage: machine.osImage,
      containerRuntimeVersion: facts.runtimeVersion, kubeletVersion: facts.kubeletVersion, kubeProxyVersion: "", operatingSystem: "linux", architecture: machine.architecture,
    },
  };
}

export function nodeObject(facts: NodeFacts): Node {
  return {
    apiVersion: "v1", kind: "Node",
    metadata: { name: facts.name, labels: nodeLabels(facts), annotations: { "volumes.kubernetes.io/controller-managed-attach-detach": "true" } },
    spec: {},
    status: nodeStatus(facts, []),
  };
}
