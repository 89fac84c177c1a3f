/**
 * The Pod Security Standards as pure checks over a pod's spec: which level a pod fits, and in upstream's words why not.
 * Every version of the standards is there: each check says since when it holds, and a later one stands in for it. Follows kubernetes staging/src/k8s.io/pod-security-admission/policy.
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

const APPARMOR = "container.apparmor.security.beta.kubernetes.io/";
const SECCOMP = "seccomp.security.alpha.kubernetes.io/pod";
const DEFAULT_CAPABILITIES: ReadonlySet<string> = new Set(["AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD", "NET_BIND_SERVICE", "SETFCAP", "SETGID", "SETPCAP", "SETUID", "SYS_CHROOT"]);
const SYSCTLS_OF_OLD = ["kernel.shm_rmid_forced", "net.ipv4.ip_local_port_range", "net.ipv4.tcp_syncookies", "net.ipv4.ping_group_range", "net.ipv4.ip_unprivileged_port_start"];
const SYSCTLS_OF_27 = [...SYSCTLS_OF_OLD, "net.ipv4.ip_local_reserved_ports"];
const SYSCTLS_OF_29 = [...SYSCTLS_OF_27, "net.ipv4.tcp_keepalive_time", "net.ipv4.tcp_fin_timeout", "net.ipv4.tcp_keepalive_intvl", "net.ipv4.tcp_keepalive_probes"];
const SYSCTLS_OF_32 = [...SYSCTLS_OF_29, "net.ipv4.tcp_rmem", "net.ipv4.tcp_wmem"];
const SELINUX_TYPES_OF_OLD = ["", "container_t", "container_init_t", "container_kvm_t"];

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

const sysctls = (safe: readonly string[]): Check => ({ spec }) => {
  const names = (spec.securityContext?.sysctls ?? []).map((s) => s.name).filter((name) => !safe.includes(name));
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
const seccomp: Check = (pod) => {
  const { setters, values } = typeSetters(pod, "seccompProfile", PROFILES);
  return violation("seccompProfile", setters.length === 0 ? [] : [`${setters.join(" and ")} must not set securityContext.seccompProfile.type to ${quoted(values.sort())}`]);
};

type Annotations = Readonly<Record<string, string>>;

/** Annotations, each with its value, as errors tell of them. */
const told = (annotations: Annotations, keys: readonly string[]): string[] => keys.map((key) => `${key}=${JSON.stringify(annotations[key])}`).sort();

const appArmor: Check = (pod) => {
  const { setters, values } = typeSetters(pod, "appArmorProfile", PROFILES);
  const annotations = pod.metadata.annotations ?? {};
  const isAllowed = (profile: string) => profile === "" || profile === "runtime/default" || profile.startsWith("localhost/");
  const forbidden = told(annotations, Object.keys(annotations).filter((key) => key.startsWith(APPARMOR) && !isAllowed(annotations[key] ?? "")));
  const all = [...new Set(values.sort()), ...forbidden];
  if (all.length === 0) return undefined;
  const who = [...setters, ...(forbidden.length > 0 ? [plural(forbidden.length, "annotation", "annotations")] : [])];
  return { reason: plural(all.length, "forbidden AppArmor profile", "forbidden AppArmor profiles"), detail: `${who.join(" and ")} must not set AppArmor profile type to "${all.join('", "')}"` };
};

/** Before there was a field. */
const seccompAnnotations: Check = ({ metadata, containers }) => {
  const annotations = metadata.annotations ?? {};
  const isAllowed = (profile: string) => profile === "runtime/default" || profile === "docker/default" || profile.startsWith("localhost/");
  const keys = [SECCOMP, ...containers.map((c) => `container.${SECCOMP.slice(0, -"pod".length)}${c.name}`)].filter((key) => annotations[key] !== undefined && !isAllowed(annotations[key]));
  const forbidden = told(annotations, keys);
  return violation("seccompProfile", forbidden.length === 0 ? [] : [`forbidden ${plural(forbidden.length, "annotation", "annotations")} ${forbidden.join(", ")}`]);
};

const hostProcess: Check = ({ spec, containers }) => {
  const list = containers.filter((c) => securityOf(c).windowsOptions?.hostProcess === true);
  const setters = [...(spec.securityContext?.windowsOptions?.hostProcess === true ? ["pod"] : []), ...(list.length > 0 ? [containersNamed(list)] : [])];
  return violation("hostProcess", setters.length === 0 ? [] : [`${setters.join(" and ")} must not set securityContext.windowsOptions.hostProcess=true`]);
};

const procMount = forContainers("procMount", (c) => (securityOf(c).procMount ?? "Default") !== "Default", (list) => `${containersNamed(list)} must not set securityContext.procMount to ${quoted(list.map((c) => securityOf(c).procMount ?? ""))}`);

/** In a user namespace of its own a pod is not root outside. */
const unlessOwnUsers = (check: Check): Check => (pod) => (pod.spec.hostUsers === false ? undefined : check(pod));
const unlessWindows = (check: Check): Check => (pod) => (isWindows(pod.spec) ? undefined : check(pod));

const seLinux = (safe: readonly string[]): Check => ({ spec, containers }) => {
  const bad = (o: { user?: string; role?: string; type?: string } | undefined) => o !== undefined && (!safe.includes(o.type ?? "") || Boolean(o.user) || Boolean(o.role));
  const all = [spec.securityContext?.seLinuxOptions, ...containers.map((c) => securityOf(c).seLinuxOptions)].filter((o) => bad(o));
  const list = containers.filter((c) => bad(securityOf(c).seLinuxOptions));
  const setters = [...(bad(spec.securityContext?.seLinuxOptions) ? ["pod"] : []), ...(list.length > 0 ? [containersNamed(list)] : [])];
  const types = all.flatMap((o) => (safe.includes(o?.type ?? "") ? [] : [o?.type ?? ""]));
  const what = [...(types.length > 0 ? [`${plural(types.length, "type", "types")} ${quoted(types)}`] : []), ...(all.some((o) => o?.user) ? ["user may not be set"] : []), ...(all.some((o) => o?.role) ? ["role may not be set"] : [])];
  return violation("seLinuxOptions", setters.length === 0 ? [] : [`${setters.join(" and ")} set forbidden securityContext.seLinuxOptions: ${what.join("; ")}`]);
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
const restrictedCapabilities: Check = ({ containers }) => {
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
  const set = seccomp(pod);
  if (set) return set;
  const silent = pod.spec.securityContext?.seccompProfile ? [] : pod.containers.filter((c) => !securityOf(c).seccompProfile);
  return violation("seccompProfile", silent.length > 0 ? [`pod or ${containersNamed(silent)} must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost"`] : []);
};

const escalation = forContainers("allowPrivilegeEscalation != false", (c) => securityOf(c).allowPrivilegeEscalation !== false, (list) => `${containersNamed(list)} must set securityContext.allowPrivilegeEscalation=false`);
const isDefault = (name: string) => DEFAULT_CAPABILITIES.has(name);

interface Rule {
  readonly id: string;
  /** The minor version with which it began; it ends with the next of its id. */
  readonly since: number;
  readonly check: Check;
  /** The baseline's, which it stands in for. */
  readonly overrides?: string;
}

/** In the order in which violations are told. */
const BASELINE: readonly Rule[] = [
  { id: "appArmorProfile", since: 0, check: appArmor },
  { id: "capabilities", since: 0, check: forContainers("non-default capabilities", beyond(isDefault), addDetail(isDefault)) },
  { id: "hostNamespaces", since: 0, check: hostNamespaces },
  { id: "hostPathVolumes", since: 0, check: hostPathVolumes },
  { id: "hostPorts", since: 0, check: hostPorts },
  { id: "hostProbes", since: 34, check: hostProbes },
  { id: "privileged", since: 0, check: forContainers("privileged", (c) => securityOf(c).privileged === true, (list) => `${containersNamed(list)} must not set securityContext.privileged=true`) },
  { id: "procMount", since: 0, check: procMount },
  { id: "procMount", since: 35, check: unlessOwnUsers(procMount) },
  { id: "seLinuxOptions", since: 0, check: seLinux(SELINUX_TYPES_OF_OLD) },
  { id: "seLinuxOptions", since: 31, check: seLinux([...SELINUX_TYPES_OF_OLD, "container_engine_t"]) },
  { id: "seccompProfile", since: 0, check: seccompAnnotations },
  { id: "seccompProfile", since: 19, check: seccomp },
  { id: "sysctls", since: 0, check: sysctls(SYSCTLS_OF_OLD) },
  { id: "sysctls", since: 27, check: sysctls(SYSCTLS_OF_27) },
  { id: "sysctls", since: 29, check: sysctls(SYSCTLS_OF_29) },
  { id: "sysctls", since: 32, check: sysctls(SYSCTLS_OF_32) },
  { id: "windowsHostProcess", since: 0, check: hostProcess },
];

/** They come after the baseline's. */
const RESTRICTED: readonly Rule[] = [
  { id: "allowPrivilegeEscalation", since: 8, check: escalation },
  { id: "allowPrivilegeEscalation", since: 25, check: unlessWindows(escalation) },
  { id: "capabilities", since: 22, check: restrictedCapabilities, overrides: "capabilities" },
  { id: "capabilities", since: 25, check: unlessWindows(restrictedCapabilities), overrides: "capabilities" },
  { id: "procMount", since: 35, check: procMount, overrides: "procMount" },
  { id: "restrictedVolumes", since: 0, check: restrictedVolumes, overrides: "hostPathVolumes" },
  { id: "runAsNonRoot", since: 0, check: runAsNonRoot },
  { id: "runAsNonRoot", since: 35, check: unlessOwnUsers(runAsNonRoot) },
  { id: "runAsUser", since: 23, check: runAsUser },
  { id: "runAsUser", since: 35, check: unlessOwnUsers(runAsUser) },
  { id: "seccompProfile", since: 19, check: restrictedSeccomp, overrides: "seccompProfile" },
  { id: "seccompProfile", since: 25, check: (pod) => (isWindows(pod.spec) ? seccomp(pod) : restrictedSeccomp(pod)), overrides: "seccompProfile" },
];

const inForce = (rules: readonly Rule[], minor: number): readonly Rule[] => {
  const begun = rules.filter((rule) => rule.since <= minor);
  return begun.filter((rule, i) => begun[i + 1]?.id !== rule.id);
};

/** Why the pod does not fit `level` as it was in version 1.`minor`; [] when it does. */
export function violations(level: Level, minor: number, metadata: ObjectMeta, spec: PodSpec): Violation[] {
  if (level === "privileged") return [];
  const containers = [...(spec.initContainers ?? []), ...spec.containers, ...((spec.ephemeralContainers ?? []) as readonly Container[])];
  const pod = { metadata, spec, containers };
  const own = level === "restricted" ? inForce(RESTRICTED, minor) : [];
  const baseline = inForce(BASELINE, minor).filter(({ id }) => !own.some((rule) => rule.overrides === id));
  return [...baseline, ...own].flatMap(({ check }) => check(pod) ?? []);
}

/** `reason (detail), reason (detail)`. */
export const describeViolations = (list: readonly Violation[]): string => list.map(({ reason, detail }) => `${reason} (${detail})`).join(", ");
