/**
 * The remote command protocol over WebSocket: v5.channel.k8s.io and v4. A message's first byte names its channel: 0 stdin, 1 stdout, 2 stderr,
 * 3 the final Status, 4 the terminal's size, and (v5) 255 closes a channel.
 * Follows kubernetes staging/src/k8s.io/kubelet/pkg/cri/streaming/remotecommand/websocket.go.
 */
import { PassThrough, Writable } from "node:stream";
import type { WebSocket } from "ws";
import type { Status } from "../api/generated/types.ts";
import { StatusError } from "../api/status-error.ts";

export const CHANNEL = { stdin: 0, stdout: 1, stderr: 2, error: 3, resize: 4, close: 255 } as const;

/** Best first. */
export const PROTOCOLS = ["v5.channel.k8s.io", "v4.channel.k8s.io"] as const;

/** The client's standard input waits with this much; it is not read while there is more. */
const STDIN_BYTES_MAX = 256 * 1024;

export interface TerminalSize {
  readonly width: number;
  readonly height: number;
}

export interface RemoteStreams {
  readonly stdin: PassThrough | undefined;
  readonly stdout: Writable;
  readonly stderr: Writable;
  /** Calls back with each size that the client's terminal takes, the last one that came before included. */
  readonly onResize: (listener: (size: TerminalSize) => void) => void;
  /** Sends the final Status and closes. */
  finish(status: Status): void;
}

const framed = (channel: number, data: Uint8Array): Buffer => Buffer.concat([Buffer.from([channel]), data]);

/** A stream whose chunks go out on a channel; each waits for the one before it to be sent. */
function outgoing(socket: WebSocket, channel: number): Writable {
  return new Writable({
    write(chunk: Buffer, _encoding, done) {
      if (socket.readyState === socket.OPEN) socket.send(framed(channel, chunk), () => done());
      else done();
    },
  });
}

function parseSize(data: Buffer): TerminalSize | undefined {
  try {
    const { Width, Height } = JSON.parse(data.toString("utf8")) as { Width?: number; Height?: number };
    return typeof Width === "number" && typeof Height === "number" && Width > 0 && Height > 0 ? { width: Width, height: Height } : undefined;
  } catch {
    return undefined;
  }
}

export interface RemoteOptions {
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
}

const toBuffer = (data: unknown): Buffer => (Buffer.isBuffer(data) ? data : Array.isArray(data) ? Buffer.concat(data as Buffer[]) : Buffer.from(data as ArrayBuffer));

export function openRemoteStreams(socket: WebSocket, options: RemoteOptions): RemoteStreams {
  const stdin = options.stdin ? new PassThrough({ highWaterMark: STDIN_BYTES_MAX }) : undefined;
  let size: TerminalSize | undefined;
  let resized = (_size: TerminalSize): void => {};
  stdin?.on("drain", () => socket.resume());
  socket.on("message", (raw: unknown) => {
    const message = toBuffer(raw);
    const data = message.subarray(1);
    if (message[0] === CHANNEL.stdin && stdin && !stdin.writableEnded) {
      if (data.length > 0 && !stdin.write(data)) socket.pause();
    } else if (message[0] === CHANNEL.resize) {
      size = parseSize(data) ?? size;
      if (size) resized(size);
    } else if (message[0] === CHANNEL.close && data[0] === CHANNEL.stdin) stdin?.end();
  });
  socket.on("close", () => stdin?.end());
  socket.on("error", () => socket.terminate());
  // An empty message tells the client that the connection stands.
  socket.send(framed(options.stdout ? CHANNEL.stdout : options.stderr ? CHANNEL.stderr : CHANNEL.error, Buffer.alloc(0)));
  return {
    stdin,
    stdout: outgoing(socket, CHANNEL.stdout),
    stderr: outgoing(socket, CHANNEL.stderr),
    onResize(listener) {
      resized = listener;
      if (size) listener(size);
    },
    finish(status) {
      if (socket.readyState !== socket.OPEN) return;
      socket.send(framed(CHANNEL.error, Buffer.from(JSON.stringify(status))), () => socket.close(1000));
    },
  };
}

/** What the client makes its own exit code of. */
export function exitStatus(code: number): Status {
  if (code === 0) return { metadata: {}, status: "Success" };
  const message = `command terminated with non-zero exit code: exit status ${code}`;
  return { metadata: {}, status: "Failure", message, reason: "NonZeroExitCode", details: { causes: [{ reason: "ExitCode", message: String(code) }] } };
}

export function failureStatus(error: unknown): Status {
  if (error instanceof StatusError) return error.toStatus();
  const message = error instanceof Error ? error.message : String(error);
  return { metadata: {}, status: "Failure", message: `Internal error occurred: ${message}`, reason: "InternalError", details: { causes: [{ message }] }, code: 500 };
}
