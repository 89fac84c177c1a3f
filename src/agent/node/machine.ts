/**
 * What this machine has and is, as a node shows it. Reads /proc and the like once; changes nothing.
 */
import { existsSync, readFileSync, statfsSync } from "node:fs";
import { arch, availableParallelism, hostname, release, totalmem } from "node:os";

export interface Machine {
  readonly hostname: string;
  readonly cpus: number;
  readonly memoryBytes: number;
  readonly diskBytes: number;
  readonly architecture: string;
  readonly kernel: string;
  readonly osImage: string;
  readonly machineId: string;
  readonly systemUuid: string;
  readonly bootId: string;
}

const readLine = (path: string): string => (existsSync(path) ? (tryRead(path).split("\n")[0] ?? "").trim() : "");

function tryRead(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

const ARCHITECTURES: Readonly<Record<string, string>> = { x64: "amd64", ia32: "386" };

/** The memory limit of the group of processes that this one belongs to, where there is one. */
function memoryLimit(): number {
  const limits = ["/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"].map((path) => Number(readLine(path))).filter((n) => n > 0);
  return Math.min(totalmem(), ...limits);
}

export function readMachine(stateDir: string): Machine {
  const disk = existsSync(stateDir) ? statfsSync(stateDir) : undefined;
  const machineId = readLine("/etc/machine-id") || readLine("/proc/sys/kernel/random/boot_id").replaceAll("-", "");
  return {
    hostname: hostname(),
    cpus: availableParallelism(),
    memoryBytes: memoryLimit(),
    diskBytes: disk ? disk.blocks * disk.bsize : 0,
    architecture: ARCHITECTURES[arch()] ?? arch(),
    kernel: release(),
    osImage: /^PRETTY_NAME="?([^"\n]*)"?/m.exec(tryRead("/etc/os-release"))?.[1] ?? "Linux",
    machineId,
    systemUuid: readLine("/sys/class/dmi/id/product_uuid") || machineId,
    bootId: readLine("/proc/sys/kernel/random/boot_id"),
  };
}
