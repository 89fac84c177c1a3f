/**
 * Creates what the manifests say, namespaces that they only name first. Decoded as strictly as `kubectl apply` has it: an unknown field is an error.
 */
import { CONFIG_MAPS, NAMESPACES, SECRETS, SERVICE_ACCOUNTS } from "../../api/resource.ts";
import { isAlreadyExists, StatusError } from "../../api/status-error.ts";
import type { KubeObject } from "../../api/object.ts";
import type { Stint } from "../../app/stint.ts";
import { UsageError } from "../../app/configuration.ts";
import type { Manifest } from "../manifests.ts";
import type { Target } from "./outcome.ts";

export interface Applied {
  /** The Jobs and Pods whose end is the run's end. */
  readonly targets: readonly Target[];
  readonly watched: readonly { readonly object: KubeObject }[];
}

const DEFAULT_NAMESPACE = "default";
/** Kinds that others look for when they are created go first. */
const FIRST: readonly string[] = [NAMESPACES.kind, "PriorityClass", "LimitRange", "ResourceQuota", SERVICE_ACCOUNTS.kind, SECRETS.kind, CONFIG_MAPS.kind, "Service"];
const rank = (kind: string) => (FIRST.includes(kind) ? FIRST.indexOf(kind) : FIRST.length);
/** Kinds that would never end, or never begin, in a run. */
const WITHOUT_END: Readonly<Record<string, string>> = {
  CronJob: "a CronJob has no end; serve it with 'stint up', or run one Job of it: kubectl create job --from=cronjob/NAME",
};
const NOT_RUN = ["Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "ReplicationController"];

/** Rejects with a UsageError that gives the server's own words for the first object that it refuses. */
export async function applyManifests(stint: Stint, manifests: readonly Manifest[], onWarning: (text: string) => void): Promise<Applied> {
  const targets: Target[] = [];
  const watched: Manifest[] = [];
  const ordered = manifests.map((m, i) => ({ m, i })).sort((a, b) => rank(a.m.object.kind ?? "") - rank(b.m.object.kind ?? "") || a.i - b.i);
  for (const { m } of ordered) {
    const kind = m.object.kind ?? "";
    const endless = WITHOUT_END[kind];
    if (endless !== undefined) throw new UsageError(`${m.source}: ${endless}`);
    if (NOT_RUN.includes(kind)) {
      onWarning(`${m.source}: stint runs Jobs and Pods; ${kind} ${m.object.metadata.name ?? ""} is left out`);
      continue;
    }
    const created = await create(stint, m.object, onWarning).catch((error: unknown) => {
      throw error instanceof StatusError ? new UsageError(`${m.source}: ${error.message}`) : error;
    });
    if (kind !== "Job" && kind !== "Pod") continue;
    targets.push({ kind, namespace: created.metadata.namespace ?? "", name: created.metadata.name ?? "" });
    watched.push({ source: m.source, object: created });
  }
  if (targets.length === 0) throw new UsageError(`${manifests.map((m) => m.source).join(", ")}: no Job and no Pod in it: nothing to run`);
  return { targets, watched };
}

async function create(stint: Stint, object: KubeObject, onWarning: (text: string) => void): Promise<KubeObject> {
  const namespace = object.metadata.namespace ?? DEFAULT_NAMESPACE;
  await ensureNamespace(stint, namespace);
  const { object: created, warnings } = await stint.createManifest(object, namespace);
  for (const text of warnings) onWarning(text);
  return created;
}

/** A laptop has no administrator who makes namespaces before the manifests come. */
async function ensureNamespace(stint: Stint, name: string): Promise<void> {
  await stint.client.create(NAMESPACES, "", { metadata: { name }, spec: {} }).catch((error: unknown) => {
    if (!isAlreadyExists(error)) throw error;
  });
  await stint.namespaceReady(name);
}
