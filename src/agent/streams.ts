/**
 * Logs and commands of this node's pods, as the server asks for them. Follows kubernetes pkg/kubelet/kubelet_pods.go
 * (validateContainerLogStatus, GetKubeletContainerLogs, GetExec, GetAttach, GetPortForward).
 */
import { existsSync } from "node:fs";
import { type Duplex, Readable } from "node:stream";
import type { ContainerStatus, Pod } from "../api/generated/types.ts";
import type { Stored } from "../api/object.ts";
import { PODS } from "../api/resource.ts";
import { badRequest, internalError, notFound } from "../api/status-error.ts";
import { logPathOf, type PodDeps } from "./deps.ts";
import { followLog, readLog, type FollowedContainer } from "./logs/logs.ts";
import { isRunning, oldStatusOf, readySandbox, shownId } from "./pod/world.ts";
import { RUNTIME_NAME } from "./status/container-statuses.ts";

export interface PodKey {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
}

export interface LogOptions {
  readonly container: string;
  readonly follow: boolean;
  readonly previous: boolean;
  readonly timestamps: boolean;
  readonly sinceTimeMs?: number;
  readonly tailLines?: number;
  readonly limitBytes?: number;
}

export interface AttachOptions {
  readonly container: string;
  readonly tty: boolean;
  readonly stdin: NodeJS.ReadableStream | undefined;
  readonly stdout: NodeJS.WritableStream;
  readonly stderr: NodeJS.WritableStream;
}

export interface ExecOptions extends AttachOptions {
  readonly command: readonly string[];
}

export interface PodStreams {
  logs(pod: PodKey, options: LogOptions, signal: AbortSignal): Promise<Readable>;
  exec(pod: PodKey, options: ExecOptions, signal: AbortSignal): Promise<number>;
  attach(pod: PodKey, options: AttachOptions, signal: AbortSignal): Promise<void>;
  portForward(pod: PodKey, port: number): Promise<Duplex>;
}

interface Attempt {
  readonly number: number;
  readonly id: string;
}

const idOf = (containerId: string | undefined): string => containerId?.slice(`${RUNTIME_NAME}://`.length) ?? "";

/** Whose log is meant. Throws the kubelet's own errors. */
export function logAttempt(podName: string, container: string, status: ContainerStatus | undefined, previous: boolean): Attempt {
  const where = `container "${container}" in pod "${podName}"`;
  if (!status) throw badRequest(`${where} is not available`);
  const { state = {}, lastState, restartCount, containerID } = status;
  const last = lastState?.terminated?.containerID;
  const lastAttempt = (): Attempt => ({ number: last === containerID ? restartCount : restartCount - 1, id: idOf(last) });
  if (previous) {
    if (!last) throw badRequest(`previous terminated ${where} not found`);
    return lastAttempt();
  }
  if (state.running) return { number: restartCount, id: idOf(containerID) };
  if (state.terminated?.containerID) return { number: restartCount, id: idOf(state.terminated.containerID) };
  if (last) return lastAttempt();
  if (state.terminated) throw badRequest(`${where} is terminated`);
  throw badRequest(`${where} is waiting to start${state.waiting ? `: ${waitingText(state.waiting.reason ?? "")}` : " - no logs yet"}`);
}

function waitingText(reason: string): string {
  if (reason === "ErrImagePull") return "image can't be pulled";
  return reason === "ImagePullBackOff" ? "trying and failing to pull image" : reason;
}

export function openPodStreams(deps: PodDeps, podOfWorker: (uid: string) => Stored<Pod> | undefined): PodStreams {
  const read = async ({ namespace, name, uid }: PodKey): Promise<Stored<Pod>> => {
    // The cache comes first: a worker may know an older status than the one that made somebody ask.
    const known = deps.informers.pods.get(`${namespace}/${name}`) ?? podOfWorker(uid);
    const pod = known?.metadata.uid === uid ? known : await deps.client.get(PODS, { namespace, name });
    if (pod.metadata.uid !== uid) throw notFound(PODS, name);
    return pod;
  };
  const followed = (uid: string, containerId: string): FollowedContainer => ({
    isRunning: async () => (await deps.view.read(uid)).containers.some((c) => shownId(c.id) === containerId && !(c.state === "exited" || c.state === "unknown")),
    onHint: (listener) => deps.hints.on(uid, listener),
  });
  const running = async ({ uid }: PodKey, name: string): Promise<string> => {
    const record = (await deps.view.read(uid)).containers.find((c) => c.name === name && isRunning(c));
    if (!record) throw internalError(`unable to upgrade connection: container not found ("${name}")`);
    return record.id;
  };
  return {
    async logs(key, options, signal) {
      const pod = await read(key);
      const attempt = logAttempt(key.name, options.container, oldStatusOf(pod, options.container), options.previous);
      const path = logPathOf(deps.options.stateDir, key, options.container, attempt.number);
      if (!existsSync(path)) return Readable.from([`unable to retrieve container logs for ${RUNTIME_NAME}://${attempt.id}`]);
      const lines = options.follow && !options.previous ? followLog(path, options, followed(key.uid, attempt.id), signal) : readLog(path, options);
      return Readable.from(lines, { objectMode: false });
    },
    async exec(key, options, signal) {
      return deps.runtime.exec(await running(key, options.container), options, signal);
    },
    async attach(key, options, signal) {
      const id = await running(key, options.container);
      if (!deps.runtime.attach) throw internalError("this container runtime cannot attach to containers");
      await deps.runtime.attach(id, options, signal);
    },
    async portForward(key, port) {
      const sandbox = readySandbox(await deps.view.read(key.uid));
      if (!sandbox) throw internalError(`unable to upgrade connection: pod does not exist`);
      if (!deps.runtime.connect) throw internalError("this container runtime cannot connect to pods");
      return deps.runtime.connect(sandbox.id, port);
    },
  };
}
