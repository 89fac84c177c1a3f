/**
 * pods/NAME/exec, attach and portforward: the pod and container checked, the connection upgraded, the streams joined with whoever runs the pod.
 * Follows kubernetes pkg/registry/core/pod/rest/subresources.go and pkg/registry/core/pod/strategy.go (streamLocation).
 */
import type { WebSocket } from "ws";
import type { Clock } from "../../base/clock.ts";
import type { Pod, Status } from "../../api/generated/types.ts";
import type { Api } from "../../api/request.ts";
import { badRequest, StatusError } from "../../api/status-error.ts";
import { type Answer, type HttpRequest, type UpgradeSocket } from "../../server/exchange.ts";
import type { PodStreams } from "./streams.ts";
import { containerOf, getPod, refOf } from "./target.ts";
import { toBoolean } from "../../server/query.ts";
import { exitStatus, failureStatus, openRemoteStreams, PROTOCOLS, type RemoteStreams } from "../../server/remote-command.ts";
import type { SubresourceHandler } from "../../server/resources.ts";

const PING_EVERY_MS = 5000;

export interface PodExecDeps {
  readonly api: Api;
  readonly clock: Clock;
  readonly streams: PodStreams | undefined;
}

/** The pod, bound to a node, and its container. */
export function boundPod(pod: Pod): Pod {
  if (!pod.spec?.nodeName) throw badRequest(`pod ${pod.metadata.name} does not have a host assigned`);
  return pod;
}

export const noAgent = (pod: Pod): StatusError => new StatusError({ code: 500, reason: "InternalError", message: `Internal error occurred: no agent runs pods of node ${pod.spec?.nodeName} here` });

/** Which of the server's protocols the client offers; undefined: none, or no WebSocket at all. */
export function protocolOf(request: HttpRequest, protocols: readonly string[]): string | undefined {
  const offered = (request.headers["sec-websocket-protocol"] ?? "").split(",").map((p) => p.trim());
  return request.headers.upgrade?.toLowerCase() === "websocket" ? protocols.find((p) => offered.includes(p)) : undefined;
}

/** Completes the WebSocket handshake with one protocol. Said by hand: the library refuses names with a slash, such as SPDY/3.1+portforward.k8s.io. */
export async function accept({ message, socket, head }: UpgradeSocket, protocol: string): Promise<WebSocket> {
  const { WebSocketServer } = await import("ws");
  const server = new WebSocketServer({ noServer: true, perMessageDeflate: false });
  server.on("headers", (lines) => void lines.push(`Sec-WebSocket-Protocol: ${protocol}`));
  delete message.headers["sec-websocket-protocol"];
  return new Promise((resolve, reject) => {
    socket.once("error", reject);
    server.handleUpgrade(message, socket, head, (accepted) => resolve(accepted));
  });
}

/** Pings until the connection is over. */
export function keepAlive(socket: WebSocket, clock: Clock): void {
  let timer = clock.after(PING_EVERY_MS, ping);
  function ping(): void {
    socket.ping();
    timer = clock.after(PING_EVERY_MS, ping);
  }
  socket.on("close", () => timer.cancel());
}

const HIJACKED: Answer = { status: 101, headers: {}, hijacked: true };

/** What runs while the connection stands; its Status is the last word. */
type Session = (streams: RemoteStreams, signal: AbortSignal) => Promise<Status>;

async function upgrade(request: HttpRequest, clock: Clock, session: Session): Promise<Answer> {
  const protocol = protocolOf(request, PROTOCOLS);
  if (!request.upgrade || protocol === undefined) throw badRequest("Upgrade request required");
  const has = (name: string) => toBoolean(request.query.get(name)) === true;
  const tty = has("tty");
  const socket = await accept(request.upgrade, protocol);
  const streams = openRemoteStreams(socket, { stdin: has("stdin"), stdout: has("stdout"), stderr: has("stderr") && !tty });
  const stopped = new AbortController();
  socket.on("close", () => stopped.abort());
  keepAlive(socket, clock);
  void session(streams, stopped.signal).then((status) => streams.finish(status), (error: unknown) => streams.finish(failureStatus(error)));
  return HIJACKED;
}

export function podExec({ api, clock, streams }: PodExecDeps): SubresourceHandler {
  return async (request, info, caller) => {
    const { query } = request;
    const pod = await getPod(api, info.namespace, info.name, caller);
    const container = containerOf(pod, query.get("container") ?? "");
    boundPod(pod);
    if (!streams) throw noAgent(pod);
    const command = query.getAll("command");
    const tty = toBoolean(query.get("tty")) === true;
    return upgrade(request, clock, async ({ stdin, stdout, stderr, onResize }, signal) => {
      if (command.length === 0) throw badRequest("you must specify at least 1 command for the container");
      return exitStatus(await streams.exec(refOf(pod), { container, command, tty, stdin, stdout, stderr, onResize }, signal));
    });
  };
}

export function podAttach({ api, clock, streams }: PodExecDeps): SubresourceHandler {
  return async (request, info, caller) => {
    const { query } = request;
    const pod = await getPod(api, info.namespace, info.name, caller);
    const container = containerOf(pod, query.get("container") ?? "");
    boundPod(pod);
    const attach = streams?.attach?.bind(streams);
    if (!attach) throw noAgent(pod);
    const tty = toBoolean(query.get("tty")) === true;
    return upgrade(request, clock, async ({ stdin, stdout, stderr, onResize }, signal) => {
      await attach(refOf(pod), { container, tty, stdin, stdout, stderr, onResize }, signal);
      return exitStatus(0);
    });
  };
}
