/** A container as this process knows it: its description, what its record says, and who waits for it. */
import type { ContainerStatus } from "../runtime.ts";
import type { Output } from "./output.ts";
import type { Record } from "./record.ts";
import type { Description } from "./start-file.ts";

export interface Container {
  readonly id: string;
  readonly description: Description;
  readonly output: Output;
  record: Record | undefined;
  /** Set once the end is known and the log complete. */
  end: End | undefined;
  /** The end is known, the log is not complete yet. */
  isFinishing: boolean;
  /** Its namespaces belong to the launcher of this process, so neighbours may join them. */
  readonly isOurs: boolean;
  /** Called at every change. */
  readonly waiters: Set<() => void>;
}

export interface End {
  readonly exitCode: number;
  readonly reason: string;
  readonly message: string | undefined;
  readonly atMs: number;
}

/** What a record says about the end; undefined while it says nothing. */
export function endOf(record: Record | undefined, isOutOfMemory: boolean): End | undefined {
  if (record?.exitCode === undefined) return undefined;
  const { exitCode, failure, changedAtMs: atMs } = record;
  if (failure !== undefined) return { exitCode: 128, reason: "StartError", message: startErrorMessage(failure), atMs };
  const reason = exitCode === 0 ? "Completed" : isOutOfMemory ? "OOMKilled" : "Error";
  return { exitCode, reason, message: undefined, atMs };
}

/** The words of containerd and runc. */
export const startErrorMessage = (failure: string): string =>
  `failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: error during container init: ${failure}: unknown`;

/** The end of a container whose shim is gone without a word. */
export const unknownEnd = (atMs: number): End => ({ exitCode: 137, reason: "ContainerStatusUnknown", message: "The container could not be located when the pod was terminated", atMs });

export function statusOf(c: Container): ContainerStatus {
  const { description: d, record, end } = c;
  const startedAtMs = record?.started ? record.createdAtMs : end ? d.createdAtMs : undefined;
  return {
    id: c.id,
    sandboxId: d.sandboxId,
    pod: d.pod,
    name: d.name,
    attempt: d.attempt,
    state: end ? "exited" : record?.started ? "running" : "created",
    createdAtMs: d.createdAtMs,
    startedAtMs: end?.reason === "StartError" ? end.atMs : startedAtMs,
    finishedAtMs: end?.atMs,
    exitCode: end?.exitCode,
    reason: end?.reason,
    message: end?.message,
    logPath: d.logPath,
    terminationMessageFile: d.terminationMessageFile,
    annotations: d.annotations,
  };
}

/** Resolves when `test` holds; looked at after every change of the container. */
export function until(c: Container, test: () => boolean): Promise<void> {
  return new Promise((resolve) => {
    const look = () => {
      if (!test()) return;
      c.waiters.delete(look);
      resolve();
    };
    c.waiters.add(look);
    look();
  });
}
