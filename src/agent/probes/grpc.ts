/**
 * The gRPC health check of probes: one unary call over HTTP/2, its two small messages encoded by hand.
 * Follows kubernetes pkg/probe/grpc/grpc.go and grpc.health.v1.
 */
import { connect as connectHttp2, type IncomingHttpHeaders } from "node:http2";
import type { Clock } from "../../base/clock.ts";
import type { ProbeOutcome } from "./probe-worker.ts";

export interface GrpcQuery {
  readonly host: string;
  readonly port: number;
  readonly service: string;
  readonly timeoutMs: number;
  readonly clock: Clock;
}

const SERVING = 1;
const STATUSES = ["UNKNOWN", "SERVING", "NOT_SERVING", "SERVICE_UNKNOWN"];
const UNIMPLEMENTED = "12";
const FRAME_HEADER = 5;

/** A length-prefixed HealthCheckRequest. */
function request(service: string): Buffer {
  const name = Buffer.from(service);
  const message = name.length === 0 ? name : Buffer.concat([Buffer.from([0x0a, name.length]), name]);
  const header = Buffer.alloc(FRAME_HEADER);
  header.writeUInt32BE(message.length, 1);
  return Buffer.concat([header, message]);
}

/** The status in a HealthCheckResponse. */
const statusOf = (body: Buffer): number => (body[FRAME_HEADER] === 0x08 ? (body[FRAME_HEADER + 1] ?? 0) : 0);

function verdict(body: Buffer, grpcStatus: string): ProbeOutcome {
  if (grpcStatus === UNIMPLEMENTED) return { success: false, output: "error: this server does not implement the grpc health protocol (grpc.health.v1.Health)" };
  if (grpcStatus !== "" && grpcStatus !== "0") return { success: false, output: `error: health rpc probe failed: grpc status ${grpcStatus}` };
  const status = statusOf(body);
  return status === SERVING ? { success: true, output: "service healthy" } : { success: false, output: `service unhealthy (responded with "${STATUSES[status] ?? String(status)}")` };
}

export function checkGrpcHealth({ host, port, service, timeoutMs, clock }: GrpcQuery): Promise<ProbeOutcome> {
  return new Promise((resolve) => {
    const session = connectHttp2(`http://${host.includes(":") ? `[${host}]` : host}:${port}`);
    const finish = (outcome: ProbeOutcome) => {
      timer.cancel();
      session.destroy();
      resolve(outcome);
    };
    const unreachable = () => finish({ success: false, output: `timeout: failed to connect service "${host}:${port}" within ${timeoutMs / 1000}s: context deadline exceeded` });
    const timer = clock.after(timeoutMs, unreachable);
    session.once("error", unreachable);
    const stream = session.request({ ":method": "POST", ":path": "/grpc.health.v1.Health/Check", "content-type": "application/grpc", te: "trailers", "user-agent": "kube-probe/1.36" });
    const chunks: Buffer[] = [];
    let grpcStatus = "";
    const readStatus = (headers: IncomingHttpHeaders) => { if (typeof headers["grpc-status"] === "string") grpcStatus = headers["grpc-status"]; };
    stream.on("response", readStatus);
    stream.on("trailers", readStatus);
    stream.on("data", (chunk: Buffer) => chunks.push(chunk));
    stream.on("end", () => finish(verdict(Buffer.concat(chunks), grpcStatus)));
    stream.on("error", unreachable);
    stream.end(request(service));
  });
}
