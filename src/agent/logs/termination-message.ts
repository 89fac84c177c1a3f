/**
 * The last words of a container: the file that it was given for them, or the end of its log where its policy says so.
 * Follows kubernetes pkg/kubelet/kuberuntime/kuberuntime_container.go (getTerminationMessage).
 */
import { open } from "node:fs/promises";
import type { Container } from "../../api/generated/types.ts";
import type { ContainerStatus as ContainerRecord } from "../../runtime/runtime.ts";
import { parseLogLine } from "./cri-format.ts";

const MESSAGE_BYTES_MAX = 4096;
const LOG_BYTES_MAX = 2048;
const LOG_LINES_MAX = 80;
/** A log line's time, stream and tag take less than this. */
const LINE_OVERHEAD = 64;

async function readHead(path: string, bytes: number): Promise<string> {
  const file = await open(path, "r");
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(bytes), 0, bytes, 0);
    return buffer.subarray(0, bytesRead).toString("utf8");
  } finally {
    await file.close();
  }
}

/** The last lines of a log, at most 80 and 2048 bytes. */
async function readLogEnd(path: string): Promise<string> {
  const file = await open(path, "r");
  try {
    const { size } = await file.stat();
    const length = Math.min(size, LOG_BYTES_MAX + LINE_OVERHEAD * LOG_LINES_MAX);
    const { buffer } = await file.read(Buffer.alloc(length), 0, length, size - length);
    const lines = buffer.toString("utf8").split("\n").filter((l) => l !== "");
    const text = (length < size ? lines.slice(1) : lines).slice(-LOG_LINES_MAX).map((l) => { const line = parseLogLine(Buffer.from(l)); return line ? `${line.content.toString("utf8")}${line.partial ? "" : "\n"}` : ""; }).join("");
    return Buffer.from(text).subarray(-LOG_BYTES_MAX).toString("utf8");
  } finally {
    await file.close();
  }
}

/** The message of a container that has ended; "" when it left none. */
export async function terminationMessage(record: ContainerRecord, container: Container | undefined): Promise<string> {
  const message = record.terminationMessageFile === "" ? "" : await readHead(record.terminationMessageFile, MESSAGE_BYTES_MAX).catch(() => "");
  if (message !== "" || container?.terminationMessagePolicy !== "FallbackToLogsOnError" || (record.exitCode ?? 0) === 0) return message;
  return readLogEnd(record.logPath).catch(() => "");
}
