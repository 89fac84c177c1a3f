/**
 * A pod's sandbox: its spec, and the files that all its containers share.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync, chmodSync } from "node:fs";
import { hostname } from "node:os";
import { dirname, join } from "node:path";
import type { Pod } from "../../api/generated/types.ts";
import type { Stored } from "../../api/object.ts";
import type { SandboxSpec } from "../../runtime/runtime.ts";
import { identityOf, type PodDeps } from "../deps.ts";
import { resourcesOf } from "./container-spec.ts";
import { hostNetworkHostsFile, hostsFile, namesOf, parseResolvConf, resolvConf } from "./names.ts";

const readOrEmpty = (path: string): string => (existsSync(path) ? readFileSync(path, "utf8") : "");

/** Throws when the pod's names cannot be made. */
export function sandboxSpec({ options }: PodDeps, pod: Stored<Pod>): SandboxSpec {
  const { spec } = pod;
  const names = namesOf(pod, { clusterDomain: options.clusterDomain, machine: hostname() });
  const machine = parseResolvConf(readOrEmpty(options.resolvConfPath));
  return {
    pod: identityOf(pod),
    hostname: names.shown,
    resolvConf: resolvConf(pod, { clusterDns: options.clusterDns, clusterDomain: options.clusterDomain, machine }),
    hostNetwork: spec.hostNetwork ?? false,
    hostPid: spec.hostPID ?? false,
    hostIpc: spec.hostIPC ?? false,
    shareProcessNamespace: spec.shareProcessNamespace ?? false,
    sysctls: Object.fromEntries((spec.securityContext?.sysctls ?? []).map((s) => [s.name, s.value])),
    resources: spec.resources ? resourcesOf({ resources: spec.resources }) : {},
  };
}

/** Writes the pod's /etc/hosts, once; its containers may write to it too. */
export function ensureHostsFile({ options }: PodDeps, pod: Stored<Pod>, ips: readonly string[]): string {
  const path = join(options.memoryDir, "pods", pod.metadata.uid, "etc-hosts");
  if (existsSync(path)) return path;
  const names = namesOf(pod, { clusterDomain: options.clusterDomain, machine: hostname() });
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, pod.spec.hostNetwork ? hostNetworkHostsFile(pod, readOrEmpty("/etc/hosts")) : hostsFile(pod, names, ips));
  chmodSync(path, 0o644);
  return path;
}
