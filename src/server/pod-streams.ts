/**
 * What the server needs of whoever runs pods: logs now, exec, attach and port-forward beside them. The agent provides it, `app/` connects them.
 */
import type { Readable } from "node:stream";

export interface LogOptions {
  readonly container: string;
  readonly follow: boolean;
  readonly previous: boolean;
  readonly timestamps: boolean;
  readonly sinceTimeMs?: number;
  readonly tailLines?: number;
  readonly limitBytes?: number;
}

export interface ExecOptions {
  readonly container: string;
  readonly command: readonly string[];
  readonly tty: boolean;
  readonly stdin: NodeJS.ReadableStream | undefined;
  readonly stdout: NodeJS.WritableStream;
  readonly stderr: NodeJS.WritableStream;
}

export interface PodStreams {
  /** The log as the kubelet would answer it: rejects with StatusError (400) where the container has not started, and so on. */
  logs(pod: { readonly namespace: string; readonly name: string; readonly uid: string }, options: LogOptions, signal: AbortSignal): Promise<Readable>;
  /** Resolves with the exit code. */
  exec(pod: { readonly namespace: string; readonly name: string; readonly uid: string }, options: ExecOptions, signal: AbortSignal): Promise<number>;
}
