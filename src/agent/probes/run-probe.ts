/**
 * Runs a probe once: a command in the container, an HTTP request, a connection, or a gRPC health check.
 * Follows kubernetes pkg/probe and pkg/kubelet/prober/prober.go.
 */
import { connect } from "node:net";
import { Writable } from "node:stream";
import type { Container, Probe } from "../../api/generated/types.ts";
import type { Clock } from "../../base/clock.ts";
import type { Runtime } from "../../runtime/runtime.ts";
import { checkGrpcHealth } from "./grpc.ts";
import { dialError, httpGet, portNumber } from "./http.ts";
import { ProbeError, type ProbeOutcome } from "./probe-worker.ts";

export interface ProbeContext {
  readonly runtime: Runtime;
  readonly clock: Clock;
  readonly container: Container;
  readonly containerId: string;
  readonly podIp: string;
  readonly probe: Probe;
}

const OUTPUT_BYTES_MAX = 10 * 1024;

const timeoutOf = ({ probe }: ProbeContext): number => (probe.timeoutSeconds ?? 1) * 1000;

/** Keeps the first bytes of what is written, and takes the rest. */
function collector(): { readonly stream: () => Writable; readonly text: () => string } {
  const chunks: Buffer[] = [];
  let size = 0;
  const write = (chunk: Buffer, _encoding: unknown, done: () => void) => {
    if (size < OUTPUT_BYTES_MAX) chunks.push(chunk.subarray(0, OUTPUT_BYTES_MAX - size));
    size += chunk.length;
    done();
  };
  return { stream: () => new Writable({ write }), text: () => Buffer.concat(chunks).toString("utf8") };
}

async function runExec(context: ProbeContext, command: readonly string[], signal: AbortSignal): Promise<ProbeOutcome> {
  const { runtime, clock, containerId, probe } = context;
  const output = collector();
  const late = new AbortController();
  const stop = () => late.abort();
  signal.addEventListener("abort", stop, { once: true });
  const timer = clock.after(timeoutOf(context), stop);
  const over = new Promise<undefined>((resolve) => late.signal.addEventListener("abort", () => resolve(undefined), { once: true }));
  const running = runtime.exec(containerId, { command, tty: false, stdin: undefined, stdout: output.stream(), stderr: output.stream() }, late.signal).catch((error: unknown) => {
    throw new ProbeError(error instanceof Error ? error.message : String(error));
  });
  running.catch(() => undefined);
  try {
    const code = await Promise.race([running, over]);
    if (code === undefined) return { success: false, output: `command timed out: "${command.join(" ")}" timed out after ${probe.timeoutSeconds ?? 1}s` };
    return { success: code === 0, output: output.text() };
  } finally {
    timer.cancel();
    signal.removeEventListener("abort", stop);
  }
}

function openConnection(host: string, port: number, { clock }: ProbeContext, timeoutMs: number): Promise<ProbeOutcome> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const finish = (outcome: ProbeOutcome) => {
      timer.cancel();
      socket.destroy();
      resolve(outcome);
    };
    const timer = clock.after(timeoutMs, () => finish({ success: false, output: `dial tcp ${host}:${port}: i/o timeout` }));
    socket.once("connect", () => finish({ success: true, output: "" }));
    socket.once("error", (error) => finish({ success: false, output: dialError(error, host, port) }));
  });
}

export async function runProbe(context: ProbeContext, signal: AbortSignal): Promise<ProbeOutcome> {
  const { probe, container, podIp, clock } = context;
  if (probe.exec) return runExec(context, probe.exec.command ?? [], signal);
  if (probe.httpGet) {
    const port = portNumber(probe.httpGet.port, container);
    const { status } = await httpGet({ action: probe.httpGet, host: probe.httpGet.host || podIp, port, timeoutMs: timeoutOf(context), clock, followRedirects: true });
    const success = status >= 200 && status < 400;
    return { success, output: success ? "" : `HTTP probe failed with statuscode: ${status}` };
  }
  if (probe.tcpSocket) return openConnection(probe.tcpSocket.host || podIp, portNumber(probe.tcpSocket.port, container), context, timeoutOf(context));
  if (probe.grpc) return checkGrpcHealth({ host: podIp, port: probe.grpc.port, service: probe.grpc.service ?? "", timeoutMs: timeoutOf(context), clock });
  return { success: true, output: "" };
}
