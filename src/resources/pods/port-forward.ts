/**
 * pods/NAME/portforward: SPDY frames inside a WebSocket, a pair of streams for each connection that the client takes.
 * Follows kubernetes staging/src/k8s.io/streaming (SPDY/3.1+portforward.k8s.io) and pkg/kubelet/cri streaming/portforward.
 */
import type { Duplex } from "node:stream";
import type { PodKey, PodStreams } from "./streams.ts";
import { accept, boundPod, keepAlive, noAgent, type PodExecDeps, protocolOf } from "./exec.ts";
import { getPod, refOf } from "./target.ts";
import { badRequest } from "../../api/status-error.ts";
import type { SubresourceHandler } from "../../server/resources.ts";
import { openSpdy, type SpdyStream } from "../../server/spdy.ts";

const PROTOCOL = "SPDY/3.1+portforward.k8s.io";

/** The two streams of one connection; whichever comes first waits for the other. */
interface Pair {
  data?: SpdyStream;
  error?: SpdyStream;
}

const portOf = (text: string | undefined): number | undefined => {
  const port = Number(text);
  return Number.isInteger(port) && port > 0 && port < 65_536 ? port : undefined;
};

/** Joins a forwarded connection with the pod's port until one side ends. */
async function join(data: SpdyStream, error: SpdyStream, connect: () => Promise<Duplex>, where: string): Promise<void> {
  let connection: Duplex;
  try {
    connection = await connect();
  } catch (reason) {
    error.write(Buffer.from(`error forwarding port ${where}: ${reason instanceof Error ? reason.message : String(reason)}`));
    error.end();
    return data.end();
  }
  const finish = () => {
    data.end();
    error.end();
    connection.destroy();
  };
  data.onData((chunk) => connection.write(chunk));
  data.onEnd(() => connection.end());
  data.onReset(finish);
  connection.on("data", (chunk: Buffer) => {
    if (!data.write(chunk)) {
      connection.pause();
      data.onDrain(() => connection.resume());
    }
  });
  connection.on("close", finish);
  connection.on("error", finish);
}

function openForwarding(pod: PodKey, portForward: NonNullable<PodStreams["portForward"]>, signal: AbortSignal): (stream: SpdyStream) => void {
  const pairs = new Map<string, Pair>();
  return (stream) => {
    const { streamtype: type = "", port: portText, requestid: id = "" } = stream.headers;
    const port = portOf(portText);
    if (port === undefined || (type !== "data" && type !== "error")) return stream.reset();
    stream.reply();
    const pair = pairs.get(id) ?? {};
    pair[type] = stream;
    pairs.set(id, pair);
    if (!pair.data || !pair.error) return undefined;
    pairs.delete(id);
    void join(pair.data, pair.error, () => portForward(pod, port, signal), `${port} to pod ${pod.uid}, uid : `);
    return undefined;
  };
}

export function podPortForward({ api, clock, streams }: PodExecDeps): SubresourceHandler {
  return async (request, info, caller) => {
    const pod = boundPod(await getPod(api, info.namespace, info.name, caller));
    const portForward = streams?.portForward?.bind(streams);
    if (!portForward) throw noAgent(pod);
    const protocol = protocolOf(request, [PROTOCOL]);
    if (!request.upgrade || protocol === undefined) throw badRequest("Upgrade request required");
    const socket = await accept(request.upgrade, protocol);
    const stopped = new AbortController();
    socket.on("close", () => stopped.abort());
    keepAlive(socket, clock);
    openSpdy(socket, openForwarding(refOf(pod), portForward, stopped.signal));
    return { status: 101, headers: {}, hijacked: true };
  };
}
