/**
 * The Pod Security Standards as pure checks over a pod's spec: which level a pod fits, and in upstream's words why not.
 * Versions of the standards before the latest are treated as the latest. Follows kubernetes staging/src/k8s.io/pod-security-admission/policy.
 */
import type { Container, ObjectMeta, PodSpec, SecurityContext, Volume } from "./generated/types.ts";

export type Level = "privileged" | "baseline" | "restricted";
export const LEVELS: readonly Level[] = ["privileged", "baseline", "restricted"];

export interface Violation {
  readonly reason: string;
  readonly detail: string;
}

interface PodToCheck {
  readonly metadata: ObjectMeta;
  readonly spec: PodSpec;
  readonly containers: readonly Container[];
}

type Check = (pod: PodToCheck) => Violation | undefined;

const quoted = (names: Iterable<string>) => [...new Set(names)].map((name) => JSON.stringify(name)).join(", ");
const plural = (n: number, one: string, many: string) => (n === 1 ? one : many);
const containersNamed = (list: readonly Container[]) => `${plural(list.length, "container", "containers")} ${quoted(list.map((c) => c.name))}`;
const violation = (reason: string, details: readonly string[]): Violation | undefined => (details.length === 0 ? undefined : { reason, detail: details.join("; ") });
const securityOf = (c: Container): SecurityContext => c.securityContext ?? {};
const isWindows = (spec: PodSpec) => spec.os?.name === "windows";

/** A violation where some containers do what they must not. */
const forContainers = (reason: string, bad: (c: Container) => boolean, detail: (list: readonly Container[]) => string): Check => ({ containers }) => {
  const list = containers.filter(bad);
  return list.length === 0 ? undefined : { reason, detail: detail(list) };
};

const DEFAULT_CAPABILITIES: ReadonlySet<string> = new Set(["AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD", "NET_BIND_SERVICE", "SETFCAP", "SETGID", "SETPCAP", "SETUID", "SYS_CHROOT"]);
const SAFE_SYSCTLS: ReadonlySet<string> = new Set([
  "kernel.shm_rmid_forced", "net.ipv4.ip_local_port_range", "net.ipv4.tcp_syncookies", "net.ipv4.ping_group_range", "net.ipv4.ip_unprivileged_port_start", "net.ipv4.ip_local_reserved_ports",
  "net.ipv4.tcp_keepalive_time", "net.ipv4.tcp_fin_timeout", "net.ipv4.tcp_keepalive_intvl", "net.ipv4.tcp_keepalive_probes", "net.ipv4.tcp_rmem", "net.ipv4.tcp_wmem",
]);
const SAFE_SELINUX_TYPES: ReadonlySet<string> = new Set(["", "container_t", "container_init_t", "container_kvm_t", "container_engine_t"]);

const added = (c: Container): readonly string[] => securityOf(c).capabilities?.add ?? [];

const beyond = (allowed: (name: string) => boolean) => (c: Container) => added(c).some((name) => !allowed(name));
const addDetail = (allowed: (name: string) => boolean) => (list: readonly Container[]) =>
  `${containersNamed(list)} must not include ${quoted(list.flatMap(added).filter((name) => !allowed(name)).sort())} in securityContext.capabilities.add`;

const hostNamespaces: Check = ({ spec }) => {
  const set = (["hostNetwork", "hostPID", "hostIPC"] as const).filter((name) => spec[name] === true).map((name) => `${name}=true`);
  return set.length === 0 ? undefined : { reason: "host namespaces", detail: set.join(", ") };
};

const hostPathVolumes: Check = ({ spec }) => {
  const names = (spec.volumes ?? []).filter((v) => v.hostPath).map((v) => v.name);
  return names.length === 0 ? undefined : { reason: "hostPath volumes", detail: `${plural(names.length, "volume", "volumes")} ${quoted(names)}` };
};

const portsOf = (c: Container) => (c.ports ?? []).flatMap((p) => (p.hostPort ? [p.hostPort] : []));
const hostPorts = forContainers("hostPort", (c) => portsOf(c).length > 0, (list) => {
  const ports = [...new Set(list.flatMap(portsOf).map(String))].sort();
  return `${containersNamed(list)} ${plural(list.length, "uses", "use")} ${plural(ports.length, "hostPort", "hostPorts")} ${ports.join(", ")}`;
});

function hostsOf(c: Container): string[] {
  const handlers = [c.livenessProbe, c.readinessProbe, c.startupProbe, c.lifecycle?.postStart, c.lifecycle?.preStop];
  return handlers.flatMap((h) => [h?.httpGet?.host ?? "", h?.tcpSocket?.host ?? ""]).filter((host) => host !== "");
}
const hostProbes = forContainers("probe or lifecycle host", (c) => hostsOf(c).length > 0, (list) => {
  const hosts = list.flatMap(hostsOf);
  return `${containersNamed(list)} ${plural(list.length, "uses", "use")} probe or lifecycle ${plural(hosts.length, "host", "hosts")} ${quoted(hosts)}`;
});

const sysctls: Check = ({ spec }) => {
  const names = (spec.securityContext?.sysctls ?? []).map((s) => s.name).filter((name) => !SAFE_SYSCTLS.has(name));
  return names.length === 0 ? undefined : { reason: "forbidden sysctls", detail: names.join(", ") };
};

/** The pod and its containers that set a profile to a type which is not allowed. */
function typeSetters(pod: PodToCheck, field: "seccompProfile" | "appArmorProfile", allowed: readonly string[]): { setters: string[]; values: string[] } {
  const bad = (type: string | undefined) => type !== undefined && !allowed.includes(type);
  const ofPod = pod.spec.securityContext?.[field]?.type;
  const list = pod.containers.filter((c) => bad(securityOf(c)[field]?.type));
  return {
    setters: [...(bad(ofPod) ? ["pod"] : []), ...(list.length > 0 ? [containersNamed(list)] : [])],
    values: [...(bad(ofPod) ? [ofPod ?? ""] : []), ...list.map((c) => securityOf(c)[field]?.type ?? "")],
  };
}

const PROFILES = ["RuntimeDefault", "Localhost"];
const profileCheck = (reason: string, field: "seccompProfile" | "appArmorProfile"): Check => (pod) => {
  const { setters, values } = typeSetters(pod, field, PROFILES);
  return violation(reason, setters.length === 0 ? [] : [`${setters.join(" and ")} must not set securityContext.${field}.type to ${quoted(values)}`]);
};

const seLinux: Check = ({ spec, containers }) => {
  const bad = (o: { user?: string; role?: string; type?: string } | undefined) => o !== undefined && (!SAFE_SELINUX_TYPES.has(o.type ?? "") || Boolean(o.user) || Boolean(o.role));
  const all = [spec.securityContext?.seLinuxOptions, ...containers.map((c) => securityOf(c).seLinuxOptions)].filter((o) => bad(o));
  const list = containers.filter((c) => bad(securityOf(c).seLinuxOptions));
  const setters = [...(bad(spec.securityContext?.seLinuxOptions) ? ["pod"] : []), ...(list.length > 0 ? [containersNamed(list)] : [])];
  const types = all.flatMap((o) => (SAFE_SELINUX_TYPES.has(o?.type ?? "") ? [] : [o?.type ?? ""]));
  const what = [...(types.length > 0 ? [`${plural(types.length, "type", "types")} ${quoted(types)}`] : []), ...(all.some((o) => o?.user) ? ["user may not be set"] : []), ...(all.some((o) => o?.role) ? ["role may not be set"] : [])];
  return violation("seLinuxOptions", setters.length === 0 ? [] : [`${setters.join(" and ")} set forbidden securityContext.seLinuxOptions: ${what.join("; ")}`]);
};

const BASELINE: Readonly<Record<string, Check>> = {
  appArmorProfile: profileCheck("forbidden AppArmor profile", "appArmorProfile"),
  capabilities: forContainers("non-default capabilities", beyond((name) => DEFAULT_CAPABILITIES.has(name)), addDetail((name) => DEFAULT_CAPABILITIES.has(name))),
  hostNamespaces,
  hostPathVolumes,
  hostPorts,
  hostProbes,
  privileged: forContainers("privileged", (c) => securityOf(c).privileged === true, (list) => `${containersNamed(list)} must not set securityContext.privileged=true`),
  procMount: forContainers("procMount", (c) => (securityOf(c).procMount ?? "Default") !== "Default", (list) => `${containersNamed(list)} must not set securityContext.procMount to ${quoted(list.map((c) => securityOf(c).procMount ?? ""))}`),
  seLinux,
  seccompProfile: profileCheck("seccompProfile", "seccompProfile"),
  sysctls,
};

const ALLOWED_VOLUMES: ReadonlySet<string> = new Set(["name", "configMap", "downwardAPI", "emptyDir", "projected", "secret", "csi", "persistentVolumeClaim", "ephemeral", "image"]);
const restrictedType = (v: Volume) => Object.keys(v).find((key) => !ALLOWED_VOLUMES.has(key));

const restrictedVolumes: Check = ({ spec }) => {
  const list = (spec.volumes ?? []).filter((v) => restrictedType(v) !== undefined);
  if (list.length === 0) return undefined;
  const types = [...new Set(list.map((v) => restrictedType(v) ?? ""))].sort();
  return { reason: "restricted volume types", detail: `${plural(list.length, "volume", "volumes")} ${quoted(list.map((v) => v.name))} ${plural(list.length, "uses", "use")} restricted volume ${plural(types.length, "type", "types")} ${quoted(types)}` };
};

const isBindService = (name: string) => name === "NET_BIND_SERVICE";
const restrictedCapabilities: Check = ({ spec, containers }) => {
  if (isWindows(spec)) return undefined;
  const keeping = containers.filter((c) => !(securityOf(c).capabilities?.drop ?? []).includes("ALL"));
  const adding = containers.filter(beyond(isBindService));
  return violation("unrestricted capabilities", [
    ...(keeping.length > 0 ? [`${containersNamed(keeping)} must set securityContext.capabilities.drop=["ALL"]`] : []),
    ...(adding.length > 0 ? [addDetail(isBindService)(adding)] : []),
  ]);
};

const runAsNonRoot: Check = ({ spec, containers }) => {
  const ofPod = spec.securityContext?.runAsNonRoot;
  const roots = containers.filter((c) => securityOf(c).runAsNonRoot === false);
  const setters = [...(ofPod === false ? ["pod"] : []), ...(roots.length > 0 ? [containersNamed(roots)] : [])];
  if (setters.length > 0) return { reason: "runAsNonRoot != true", detail: `${setters.join(" and ")} must not set securityContext.runAsNonRoot=false` };
  const silent = ofPod === true ? [] : containers.filter((c) => securityOf(c).runAsNonRoot === undefined);
  return violation("runAsNonRoot != true", silent.length > 0 ? [`pod or ${containersNamed(silent)} must set securityContext.runAsNonRoot=true`] : []);
};

const runAsUser: Check = ({ spec, containers }) => {
  const roots = containers.filter((c) => securityOf(c).runAsUser === 0);
  const setters = [...(spec.securityContext?.runAsUser === 0 ? ["pod"] : []), ...(roots.length > 0 ? [containersNamed(roots)] : [])];
  return violation("runAsUser=0", setters.length > 0 ? [`${setters.join(" and ")} must not set runAsUser=0`] : []);
};

const restrictedSeccomp: Check = (pod) => {
  const set = profileCheck("seccompProfile", "seccompProfile")(pod);
  if (set || isWindows(pod.spec)) return set;
  const silent = pod.spec.securityContext?.seccompProfile ? [] : pod.containers.filter((c) => !securityOf(c).seccompProfile);
  return violation("seccompProfile", silent.length > 0 ? [`pod or ${containersNamed(silent)} must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost"`] : []);
};

/** They come after the baseline's, and stand in for those of the same matter. */
const RESTRICTED: Readonly<Record<string, Check>> = {
  allowPrivilegeEscalation: (pod) =>
    isWindows(pod.spec) ? undefined : forContainers("allowPrivilegeEscalation != false", (c) => securityOf(c).allowPrivilegeEscalation !== false, (list) => `${containersNamed(list)} must set securityContext.allowPrivilegeEscalation=false`)(pod),
  capabilities: restrictedCapabilities,
  hostPathVolumes: restrictedVolumes,
  runAsNonRoot,
  runAsUser,
  seccompProfile: restrictedSeccomp,
};

/** Why the pod does not fit `level`; [] when it does. */
export function violations(level: Level, metadata: ObjectMeta, spec: PodSpec): Violation[] {
  if (level === "privileged") return [];
  const containers = [...(spec.initContainers ?? []), ...spec.containers, ...((spec.ephemeralContainers ?? []) as readonly Container[])];
  const pod = { metadata, spec, containers };
  const baseline = Object.entries(BASELINE).filter(([id]) => level === "baseline" || !Object.hasOwn(RESTRICTED, id));
  const checks = level === "baseline" ? baseline : [...baseline, ...Object.entries(RESTRICTED)];
  return checks.flatMap(([, check]) => check(pod) ?? []);
}

/** `reason (detail), reason (detail)`. */
export const describeViolations = (list: readonly Violation[]): string => list.map(({ reason, detail }) => `${reason} (${detail})`).join(", ");
