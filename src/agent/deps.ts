/**
 * What every pod's worker shares: the ports, the options, and the few things that the whole agent has one of.
 */
import type { Pod } from "../api/generated/types.ts";
import type { Stored } from "../api/object.ts";
import type { Clock } from "../base/clock.ts";
import type { Logger } from "../base/logger.ts";
import type { Client } from "../client/client.ts";
import type { Runtime } from "../runtime/runtime.ts";
import type { Configuration } from "./configuration.ts";
import type { Hints } from "./hints.ts";
import type { ImageService } from "./image-service.ts";
import type { AgentInformers, AgentOptions, EventRecorder } from "./ports.ts";
import type { RuntimeView } from "./runtime-view.ts";

export interface PodDeps {
  readonly client: Client;
  readonly informers: AgentInformers;
  readonly configuration: Configuration;
  readonly runtime: Runtime;
  readonly view: RuntimeView;
  readonly hints: Hints;
  readonly images: ImageService;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly recorder: EventRecorder;
  readonly options: AgentOptions & { readonly memoryDir: string };
  readonly allocatable: Readonly<Record<string, string>>;
}

/** Where the log of one attempt is. */
export const logPathOf = (stateDir: string, pod: { readonly namespace: string; readonly name: string; readonly uid: string }, container: string, attempt: number): string =>
  `${podLogDirectory(stateDir, pod)}/${container}/${attempt}.log`;

/** Where all logs of a pod are. Follows /var/log/pods. */
export const podLogDirectory = (stateDir: string, { namespace, name, uid }: { readonly namespace: string; readonly name: string; readonly uid: string }): string =>
  `${stateDir}/logs/${namespace}_${name}_${uid}`;

export const identityOf = ({ metadata }: Stored<Pod>): { readonly uid: string; readonly namespace: string; readonly name: string } =>
  ({ uid: metadata.uid, namespace: metadata.namespace ?? "", name: metadata.name });

/** Tells an event about a pod, or about the part of it that `fieldPath` names. */
export function tellOf({ recorder }: Pick<PodDeps, "recorder">, pod: Stored<Pod>, fieldPath?: string) {
  const { namespace, name, uid, resourceVersion } = pod.metadata;
  const about = { apiVersion: "v1", kind: "Pod", name, uid, resourceVersion, ...(namespace !== undefined && { namespace }), ...(fieldPath !== undefined && { fieldPath }) };
  return (type: "Normal" | "Warning", reason: string, message: string): void => recorder.record(about, type, reason, message);
}
