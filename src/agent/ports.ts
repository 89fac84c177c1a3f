/**
 * What the agent consumes besides the runtime and the image service: caches, a place for events, and its options.
 */
import type { ConfigMap, ObjectReference, Pod, Secret, Service } from "../api/generated/types.ts";
import type { Informer } from "../client/informer.ts";

/** Whose programs a container runs: those of its image, this machine's, or the image's as long as a registry can be reached. */
export type UserlandMode = "image" | "host" | "auto";

export interface AgentInformers {
  readonly pods: Informer<Pod>;
  readonly services: Informer<Service>;
  readonly configMaps: Informer<ConfigMap>;
  readonly secrets: Informer<Secret>;
}

export interface EventRecorder {
  /** Tells the users of an object what happened; never fails, never waits. */
  record(about: ObjectReference, type: "Normal" | "Warning", reason: string, message: string): void;
}

export interface AgentOptions {
  /** Directory of the agent's own files: volumes, logs. */
  readonly stateDir: string;
  /** Directory on a tmpfs for secrets and memory volumes; left out: below /dev/shm, or `stateDir` where there is none. */
  readonly memoryDir?: string;
  readonly userland: UserlandMode;
  /** Fail as upstream does when a registry cannot be reached, though the image is in the store. */
  readonly strictPull: boolean;
  /** Called once for each image for which this machine's userland stood in. */
  readonly onHostUserland?: (image: string, why: string) => void;
  readonly podsMax: number;
  /** Addresses of the node, the first is the host IP of its pods. */
  readonly nodeAddresses: readonly string[];
  readonly clusterDns: readonly string[];
  readonly clusterDomain: string;
  /** The machine's resolv.conf; a test's own. */
  readonly resolvConfPath: string;
  readonly kubeletVersion: string;
  /** The longest back-off between restarts. */
  readonly backOffMaxMs: number;
}

export const AGENT_DEFAULTS = {
  userland: "image",
  strictPull: false,
  podsMax: 110,
  nodeAddresses: ["127.0.0.1"],
  clusterDns: [],
  clusterDomain: "cluster.local",
  resolvConfPath: "/etc/resolv.conf",
  kubeletVersion: "v1.36.2",
  backOffMaxMs: 300_000,
} as const satisfies Partial<AgentOptions>;
