/**
 * What these subresources need of whoever runs pods: logs now, exec, attach and port-forward beside them. The agent provides it, `app/` connects them.
 */
import type { Duplex, Readable } from "node:stream";
import type { TerminalSize } from "../../server/remote-command.ts";

/** The pod that is meant: one of this name and no later one. */
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
  /** Calls back with each size of the client's terminal. */
  readonly onResize?: (listener: (size: TerminalSize) => void) => void;
}

export interface ExecOptions extends AttachOptions {
  readonly command: readonly string[];
}

export interface PodStreams {
  /** The log as the kubelet would answer it: rejects with StatusError (400) where the container has not started, and so on. */
  logs(pod: PodKey, options: LogOptions, signal: AbortSignal): Promise<Readable>;
  /** Resolves with the exit code. */
  exec(pod: PodKey, options: ExecOptions, signal: AbortSignal): Promise<number>;
  /** What the container's own process says from now on, and its standard input; resolves when the container ends. */
  attach?(pod: PodKey, options: AttachOptions, signal: AbortSignal): Promise<void>;
  /** A connection to a port of the pod, as from inside it; rejects where nothing listens. */
  portForward?(pod: PodKey, port: number, signal: AbortSignal): Promise<Duplex>;
}
