/**
 * Starts a pod's containers: volumes and sandbox where they are missing, then one container after the other, each with its image,
 * its configuration and its postStart hook. What goes wrong is told and remembered, never thrown.
 * Follows kubernetes pkg/kubelet/kuberuntime/kuberuntime_container.go (startContainer).
 */
import { readFileSync } from "node:fs";
import type { EphemeralContainer, FileKeySelector, Pod } from "../../api/generated/types.ts";
import type { Stored } from "../../api/object.ts";
import type { ContainerStatus as ContainerRecord, SandboxStatus } from "../../runtime/runtime.ts";
import { identityOf, logPathOf, tellOf, type PodDeps } from "../deps.ts";
import { ConfigError, makeEnvironment, parseEnvFile } from "../environment/environment.ts";
import { resolveSubPath } from "../volumes/sub-path.ts";
import { serviceLinks } from "../environment/service-links.ts";
import { readUserDatabase, resolveUser } from "../environment/user.ts";
import { MountError, type MountedVolume, type PodVolumes } from "../volumes/volumes.ts";
import { nextBackOff, RESTART_BACK_OFF } from "./back-off.ts";
import { containerSpec } from "./container-spec.ts";
import { credentialsOf } from "./credentials.ts";
import type { StartContainer } from "./decide.ts";
import { runHook } from "./hooks.ts";
import { ensureImage, type ContainerImage } from "./image.ts";
import type { Memory } from "./memory.ts";
import { ensureHostsFile, sandboxSpec } from "./sandbox.ts";
import { messageOf, RETRY_MS, StartRefused } from "./start-refused.ts";
import { latestOf, POD_FAILURE } from "./world.ts";

export interface StartContext {
  readonly deps: PodDeps;
  readonly pod: Stored<Pod>;
  readonly memory: Memory;
  readonly volumes: PodVolumes;
  readonly sandbox: SandboxStatus | undefined;
  readonly signal: AbortSignal;
  /** Something changed that the status may show. */
  readonly poke: () => void;
  /** Stops a container whose postStart hook failed. */
  readonly stop: (record: ContainerRecord, item: StartContainer) => Promise<void>;
  /** This machine's userland stands in for an image. */
  readonly onStandIn: (image: string, why: string) => void;
}

const POD_RETRY_FIRST_MS = 500;
const POD_RETRY_MAX_MS = 122_000;

interface Prepared {
  readonly sandbox: SandboxStatus;
  readonly volumes: ReadonlyMap<string, MountedVolume>;
  readonly ips: readonly string[];
}

export async function startContainers(context: StartContext, items: readonly StartContainer[]): Promise<void> {
  const prepared = await prepare(context);
  if (!prepared) return;
  for (const item of items) {
    if (context.signal.aborted) return;
    await startOne(context, prepared, item);
  }
}

async function prepare(context: StartContext): Promise<Prepared | undefined> {
  const { deps, pod, memory } = context;
  try {
    const volumes = await context.volumes.setUp(pod);
    if (context.signal.aborted) return undefined;
    const sandbox = context.sandbox ?? (await deps.runtime.runSandbox(sandboxSpec(deps, pod)));
    memory.podFailures = 0;
    memory.failures.delete(POD_FAILURE);
    if (!context.sandbox && items(pod) > 0) context.poke();
    const ips = pod.spec.hostNetwork ? deps.options.nodeAddresses : sandbox.ip === undefined ? [] : [sandbox.ip];
    return { sandbox, volumes, ips };
  } catch (error) {
    const mount = error instanceof MountError;
    const message = mount ? error.message : `Failed to create pod sandbox: ${messageOf(error)}`;
    tellOf(deps, pod)("Warning", mount ? "FailedMount" : "FailedCreatePodSandBox", message);
    const pause = Math.min(POD_RETRY_FIRST_MS * 2 ** Math.min(memory.podFailures++, 10), POD_RETRY_MAX_MS);
    memory.failures.set(POD_FAILURE, { reason: "", message, retryAt: deps.clock.now() + pause });
    return undefined;
  }
}

const items = (pod: Stored<Pod>): number => pod.spec.initContainers?.length ?? 0;

async function startOne(context: StartContext, prepared: Prepared, item: StartContainer): Promise<void> {
  const { deps, pod, memory } = context;
  const { container } = item;
  const tell = tellOf(deps, pod, item.fieldPath);
  try {
    const image = await ensureImage({
      images: deps.images, clock: deps.clock, options: deps.options, memory: memory.pulls, tell, signal: context.signal,
      credentials: await credentialsOf(deps.configuration, pod, container.image ?? ""),
    }, container);
    if (context.signal.aborted) return;
    if (image.standIn !== undefined) context.onStandIn(container.image ?? "", image.standIn);
    const spec = await specOf(context, prepared, item, image);
    rememberRestart(context, item);
    const record = await deps.runtime.startContainer(spec);
    memory.failures.delete(container.name);
    tell("Normal", "Created", "Container created");
    await afterStart(context, prepared, item, record);
  } catch (error) {
    if (context.signal.aborted) return;
    refuse(context, item, error);
  }
}

/** The back-off grows with each restart, not with each crash. */
function rememberRestart({ memory, deps }: StartContext, { container, previous }: StartContainer): void {
  if (!previous) return;
  const since = previous.finishedAtMs ?? previous.createdAtMs;
  memory.backOffs.set(container.name, nextBackOff(memory.backOffs.get(container.name), since, deps.clock.now(), { ...RESTART_BACK_OFF, maxMs: deps.options.backOffMaxMs }));
}

function refuse({ deps, pod, memory }: StartContext, { container, fieldPath }: StartContainer, error: unknown): void {
  const known = error instanceof StartRefused;
  const config = error instanceof ConfigError;
  const reason = known ? error.reason : config ? "CreateContainerConfigError" : "CreateContainerError";
  const message = messageOf(error);
  tellOf(deps, pod, fieldPath)("Warning", "Failed", `Error: ${known ? reason : message}`);
  memory.failures.set(container.name, { reason, message, retryAt: deps.clock.now() + (known ? error.retryAfterMs : RETRY_MS) });
}

async function specOf({ deps, pod }: StartContext, prepared: Prepared, item: StartContainer, image: ContainerImage) {
  const { container, attempt } = item;
  const { options } = deps;
  const namespace = pod.metadata.namespace ?? "";
  const layers = image.root.kind === "image" ? image.root.layers : ["/"];
  const user = resolveUser({ pod, container, imageUser: image.config.user, database: readUserDatabase(layers) });
  const links = serviceLinks({ own: deps.informers.services.byIndex("namespace", namespace), kubernetes: deps.informers.services.get("default/kubernetes") }, pod.spec.enableServiceLinks ?? true);
  const env = await makeEnvironment({
    pod, configuration: deps.configuration, allocatable: deps.allocatable, hostIps: options.nodeAddresses, podIps: prepared.ips, serviceLinks: links,
    readEnvFile: (selector) => readEnvFile(prepared.volumes, selector),
  }, container);
  const hostname = sandboxSpec(deps, pod).hostname;
  return containerSpec({
    processesOf: await targetOf(deps, pod, container),
    pod, container, attempt, image, user, env, hostname, sandboxId: prepared.sandbox.id, volumes: prepared.volumes,
    hostsPath: ensureHostsFile(deps, pod, prepared.ips),
    logPath: logPathOf(options.stateDir, identityOf(pod), container.name, attempt),
  });
}

/** The running container whose processes an ephemeral container is to see. */
async function targetOf(deps: PodDeps, pod: Stored<Pod>, container: EphemeralContainer): Promise<string | undefined> {
  const target = container.targetContainerName;
  if (!target) return undefined;
  const record = latestOf(await deps.view.read(pod.metadata.uid), target);
  if (!record) throw new ConfigError(`unable to find target container ${target}`);
  return record.id;
}

function readEnvFile(volumes: ReadonlyMap<string, MountedVolume>, { volumeName, path }: FileKeySelector): ReadonlyMap<string, string> | undefined {
  const volume = volumes.get(volumeName);
  if (!volume) return undefined;
  try {
    return parseEnvFile(readFileSync(resolveSubPath(volume.path, path), "utf8"));
  } catch {
    return undefined;
  }
}

async function afterStart(context: StartContext, { ips }: Prepared, item: StartContainer, record: ContainerRecord): Promise<void> {
  const { deps, pod, memory, poke } = context;
  const { container } = item;
  const tell = tellOf(deps, pod, item.fieldPath);
  if (record.state === "exited" && record.reason === "StartError") {
    tell("Warning", "Failed", `Error: ${record.message ?? "failed to start container"}`);
    memory.failures.set(container.name, { reason: "RunContainerError", message: record.message ?? "", retryAt: deps.clock.now() });
    return;
  }
  tell("Normal", "Started", "Container started");
  const hook = container.lifecycle?.postStart;
  if (!hook) return;
  memory.postStart.add(record.id);
  poke();
  try {
    await runHook({ runtime: deps.runtime, clock: deps.clock, container, containerId: record.id, podIp: ips[0] ?? "" }, hook, context.signal);
  } catch (error) {
    if (context.signal.aborted) return;
    tell("Warning", "FailedPostStartHook", "PostStartHook failed");
    memory.failures.set(container.name, { reason: "PostStartHookError", message: messageOf(error), retryAt: deps.clock.now() });
    await context.stop(record, item);
  } finally {
    memory.postStart.delete(record.id);
  }
}
