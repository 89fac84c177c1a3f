/**
 * `stint run`: a whole stint inside this process, its objects in memory, its files in a directory that goes with it. No HTTP: the caller is in here.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemChance, systemIds } from "../base/chance.ts";
import { systemClock } from "../base/clock.ts";
import { findKindByKind } from "../api/kinds/table.ts";
import type { Node } from "../api/generated/types.ts";
import type { KubeObject, Stored } from "../api/object.ts";
import { EVENTS, JOBS, NODES, PODS, SERVICE_ACCOUNTS } from "../api/resource.ts";
import { decodeObject } from "../api/schema/decode.ts";
import { badRequest, isAlreadyExists } from "../api/status-error.ts";
import { openMemoryStore } from "../store/memory-store.ts";
import { openTokenIssuer } from "../auth/tokens.ts";
import { bootstrapNamespaces } from "./bootstrap.ts";
import { defaultDataDirectory, type Settings, type Userland } from "./configuration.ts";
import { type ControlPlane, openControlPlane, systemCaller } from "./control-plane.ts";
import { jobControllers } from "./controllers.ts";
import { openLogger } from "./logger.ts";
import { openNode } from "./node.ts";
import type { Created, Observer, Stint } from "./stint.ts";

export interface EphemeralOptions {
  readonly userland: Userland;
  /** Where images are kept; everything else is temporary. */
  readonly dataDirectory?: string;
  readonly env: NodeJS.ProcessEnv;
  readonly strictPull: boolean;
  readonly registryMirrors: Settings["registryMirrors"];
  readonly verbose: boolean;
  readonly onNotice: (text: string) => void;
}

/** How long pods may take to stop when the run ends before they do. */
const STOP_MS = 10_000;
const CALLER = { ...systemCaller("stint-run"), user: { name: "kubernetes-admin", groups: ["system:masters", "system:authenticated"] } };

export async function openEphemeralStint(options: EphemeralOptions): Promise<Stint> {
  const logger = await openLogger(options.verbose);
  const directory = await mkdtemp(join(options.env["XDG_RUNTIME_DIR"] || tmpdir(), "stint-"));
  const plane = openControlPlane({
    store: openMemoryStore(), clock: systemClock, ids: systemIds, chance: systemChance, logger,
    tokens: openTokenIssuer({ key: await temporaryKey(), clock: systemClock, ids: systemIds }),
    controllers: jobControllers,
  });
  const node = await openNode({ ...options, plane, logger, stateDirectory: directory, dataDirectory: options.dataDirectory ?? defaultDataDirectory(options.env), disabled: new Set() });
  const stop = new AbortController();
  const failure = Promise.withResolvers<Error>();
  const running = Promise.all([plane.run(stop.signal), node.run(stop.signal)]).then(() => undefined, (error: unknown) => {
    failure.resolve(error instanceof Error ? error : new Error(String(error)));
  });
  const end = async () => {
    stop.abort();
    await running;
    await plane.store.close();
    await rm(directory, { recursive: true, force: true });
  };
  try {
    const ready = Promise.all([bootstrapNamespaces(plane.clientFor("kube-apiserver")), nodeReady(plane)]).then(() => undefined);
    const failed = await Promise.race([ready, failure.promise]);
    if (failed) throw failed;
  } catch (error) {
    await end();
    throw error;
  }
  const agent = node.agent;
  return {
    client: plane.clientFor("stint-run"),
    failed: failure.promise,
    createManifest: (object, namespace) => createManifest(plane, object, namespace),
    namespaceReady: (name) => ensureServiceAccount(plane, name),
    observe: (observer) => observe(plane, observer),
    logs: (pod, logOptions, signal) => (agent ? agent.streams.logs(pod, logOptions, signal) : Promise.reject(badRequest("no agent runs pods here"))),
    async close() {
      await stopPods(plane);
      await end();
    },
  };
}

async function temporaryKey(): Promise<string> {
  const { generateKeyPairSync } = await import("node:crypto");
  return generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey.export({ type: "pkcs8", format: "pem" }).toString();
}

async function createManifest(plane: ControlPlane, manifest: KubeObject, namespace: string): Promise<Created> {
  const [group = "", version = ""] = manifest.apiVersion?.includes("/") ? manifest.apiVersion.split("/") : ["", manifest.apiVersion];
  const resource = findKindByKind(manifest.apiVersion ?? "", manifest.kind ?? "")?.resource;
  if (!resource) throw badRequest(`no matches for kind ${JSON.stringify(manifest.kind)} in version ${JSON.stringify(manifest.apiVersion)}`);
  const decoded = decodeObject({ value: manifest, expected: { group, version, kind: resource.kind }, fieldValidation: "Strict" });
  const answer = await plane.api.handle({ verb: "create", resource, namespace: resource.namespaced ? namespace : "", object: decoded.object, options: { fieldManager: "stint-run" } }, CALLER);
  return { object: answer.body as KubeObject, warnings: [...decoded.warnings, ...answer.warnings] };
}

/** Pods need their namespace's default ServiceAccount. There is no API server that they could call: they get no token. */
async function ensureServiceAccount(plane: ControlPlane, namespace: string): Promise<void> {
  await plane.clientFor("kube-controller-manager").create(SERVICE_ACCOUNTS, namespace, { metadata: { name: "default", namespace }, automountServiceAccountToken: false }).catch((error: unknown) => {
    if (!isAlreadyExists(error)) throw error;
  });
}

/** Resolves when the node says that it is ready. */
async function nodeReady({ informers }: ControlPlane): Promise<void> {
  const isReady = (node: Stored<Node>) => node.status?.conditions?.some((c) => c.type === "Ready" && c.status === "True");
  await new Promise<void>((resolve) => {
    const nodes = informers.of(NODES);
    nodes.on({ onSet: (node) => isReady(node) && resolve() });
    if (nodes.list().some(isReady)) resolve();
  });
}

function observe({ informers }: ControlPlane, observer: Observer): void {
  const [jobs, pods, events] = [informers.of(JOBS), informers.of(PODS), informers.of(EVENTS)];
  jobs.on({ onSet: (job) => observer.onJob(job, false), onDelete: (job) => observer.onJob(job, true) });
  pods.on({ onSet: (pod) => observer.onPod(pod, false), onDelete: (pod) => observer.onPod(pod, true) });
  events.on({ onSet: (event) => observer.onEvent(event) });
  for (const job of jobs.list()) observer.onJob(job, false);
  for (const pod of pods.list()) observer.onPod(pod, false);
}

/** Deletes what still runs, without grace beyond the least, and waits until the agent has taken it down. */
async function stopPods(plane: ControlPlane): Promise<void> {
  const client = plane.clientFor("stint-run");
  const pods = plane.informers.of(PODS);
  for (const { metadata } of plane.informers.of(JOBS).list()) await client.delete(JOBS, { namespace: metadata.namespace ?? "", name: metadata.name }, { propagationPolicy: "Orphan" }).catch(() => {});
  for (const { metadata } of pods.list()) await client.delete(PODS, { namespace: metadata.namespace ?? "", name: metadata.name }, { gracePeriodSeconds: 1 }).catch(() => {});
  await new Promise<void>((resolve) => {
    const timer = systemClock.after(STOP_MS, resolve);
    const check = () => {
      if (pods.list().length > 0) return;
      timer.cancel();
      resolve();
    };
    pods.on({ onDelete: () => queueMicrotask(check) });
    check();
  });
}
