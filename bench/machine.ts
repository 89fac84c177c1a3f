/** What every measurement prints first: where it was taken. And the small arithmetic of all of them. */
import { cpus, totalmem } from "node:os";
import { readFileSync } from "node:fs";

export const machine = (): string => `${cpus().length} × ${cpus()[0]?.model ?? "?"}, ${Math.round(totalmem() / 2 ** 30)} GiB, Linux ${readFileSync("/proc/sys/kernel/osrelease", "utf8").trim()}, Node ${process.version}`;

export function quantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? Number.NaN;
}

export const median = (values: readonly number[]): number => quantile(values, 0.5);

/** `min 1 · median 2 · max 3` */
export const spread = (values: readonly number[], unit: string, digits = 0): string =>
  `min ${quantile(values, 0).toFixed(digits)} · median ${median(values).toFixed(digits)} · max ${quantile(values, 1).toFixed(digits)} ${unit}`;

/** Clock ticks of CPU that a process has used (utime + stime), in seconds. */
export function cpuSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

/** Resident memory of a process in MB (10^6). */
export const residentMB = (pid: number): number => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0) * 1024 / 1e6;
