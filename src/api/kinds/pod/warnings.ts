/**
 * What is accepted in a pod or a pod template but probably not meant, in upstream's order.
 * Follows kubernetes pkg/api/pod/warnings.go and pkg/api/node/util.go.
 */
import { table } from "../../../base/own.ts";
import type { Container, ContainerPort, NodeSelectorTerm, ObjectMeta, Pod, PodAffinity, PodSpec, PodTemplateSpec } from "../../generated/types.ts";
import { isDns1123Label, isLabelValue } from "../../names.ts";
import { canonicalQuantity, isWholeQuantity } from "../../quantity.ts";
import { addressWarnings } from "../../validation/addresses.ts";
import { semanticallyEqual } from "../../validation/fields.ts";
import { APPARMOR_CONTAINER, appArmorOf, SECCOMP_CONTAINER, SECCOMP_POD } from "./annotations.ts";
import { containersWithPath } from "./visit.ts";
import { overlapWarnings, volumeWarnings } from "./volume-warnings.ts";

/** Labels of nodes that have had their time. */
export const DEPRECATED_NODE_LABELS: Readonly<Record<string, string>> = table({
  "beta.kubernetes.io/arch": 'deprecated since v1.14; use "kubernetes.io/arch" instead',
  "beta.kubernetes.io/os": 'deprecated since v1.14; use "kubernetes.io/os" instead',
  "failure-domain.beta.kubernetes.io/region": 'deprecated since v1.17; use "topology.kubernetes.io/region" instead',
  "failure-domain.beta.kubernetes.io/zone": 'deprecated since v1.17; use "topology.kubernetes.io/zone" instead',
  "beta.kubernetes.io/instance-type": 'deprecated since v1.17; use "node.kubernetes.io/instance-type" instead',
  "app.kubernetes.io/created-by": "deprecated since v1.9",
  "scheduler.alpha.kubernetes.io/preferAvoidPods": "deprecated since v1.22; use Taints and Tolerations instead",
  "node-role.kubernetes.io/master": 'use "node-role.kubernetes.io/control-plane" instead',
});

const DEPRECATED_ANNOTATIONS: readonly (readonly [string, string])[] = [
  ["scheduler.alpha.kubernetes.io/critical-pod", 'non-functional in v1.16+; use the "priorityClassName" field instead'],
  ["security.alpha.kubernetes.io/sysctls", 'non-functional in v1.11+; use the "sysctls" field instead'],
  ["security.alpha.kubernetes.io/unsafe-sysctls", 'non-functional in v1.11+; use the "sysctls" field instead'],
];
const NON_FUNCTIONAL_SECCOMP = 'non-functional in v1.27+; use the "seccompProfile" field instead';
const BYTES = ["memory", "ephemeral-storage"];
const NULL_SELECTOR = "a null labelSelector results in matching no pod";

type Amounts = Readonly<Record<string, string | number>> | undefined;

const fractional = (at: string, amounts: Amounts, name: string): string[] => {
  const value = amounts?.[name];
  return value === undefined || isWholeQuantity(value) ? [] : [`${at}[${name}]: fractional byte value ${JSON.stringify(canonicalQuantity(value))} is invalid, must be an integer`];
};

/** `labelsToo`: its values were not validated. */
function termWarnings(term: NodeSelectorTerm | undefined, field: string, labelsToo: boolean): string[] {
  return (term?.matchExpressions ?? []).flatMap((e, i) => {
    const at = `${field}.matchExpressions[${i}]`;
    const text = DEPRECATED_NODE_LABELS[e.key];
    const values = labelsToo ? (e.values ?? []) : [];
    return [...(text ? [`${at}.key: ${e.key} is ${text}`] : []), ...values.flatMap((value, j) => isLabelValue(value).map((why) => `${at}.values[${j}]: ${value} is invalid, ${why}`))];
  });
}

function nodeWarnings(spec: PodSpec, field: string): string[] {
  const chosen = Object.keys(spec.nodeSelector ?? {}).sort().flatMap((key) => (DEPRECATED_NODE_LABELS[key] ? [`${field}.nodeSelector[${key}]: ${DEPRECATED_NODE_LABELS[key]}`] : []));
  const { requiredDuringSchedulingIgnoredDuringExecution: hard, preferredDuringSchedulingIgnoredDuringExecution: soft } = spec.affinity?.nodeAffinity ?? {};
  const at = `${field}.affinity.nodeAffinity`;
  return [
    ...chosen,
    ...(hard?.nodeSelectorTerms ?? []).flatMap((term, i) => termWarnings(term, `${at}.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[${i}]`, false)),
    ...(soft ?? []).flatMap((term, i) => termWarnings(term.preference, `${at}.preferredDuringSchedulingIgnoredDuringExecution[${i}].preference`, true)),
  ];
}

function spreadWarnings(spec: PodSpec, field: string): string[] {
  return (spec.topologySpreadConstraints ?? []).flatMap((c, i) => {
    const at = `${field}.topologySpreadConstraints[${i}]`;
    const label = DEPRECATED_NODE_LABELS[c.topologyKey];
    return [...(label ? [`${at}.topologyKey: ${c.topologyKey} is ${label}`] : []), ...(c.labelSelector ? [] : [`${at}.labelSelector: ${NULL_SELECTOR}`])];
  });
}

/** The places of what was there before. */
export function repeated(names: readonly string[]): number[] {
  const seen = new Set<string>();
  return names.flatMap((name, i) => {
    if (seen.has(name)) return [i];
    seen.add(name);
    return [];
  });
}

/** Values that hide an earlier one of their name without building on it. */
function envWarnings(c: Container, at: string): string[] {
  const env = c.env ?? [];
  return repeated(env.map((e) => e.name)).flatMap((i) => {
    const { name = "", value = "", valueFrom } = env[i] ?? {};
    const reference = `$(${name})`;
    if (!valueFrom && value !== reference && value.includes(reference)) return [];
    return [`${at}.env[${i}]: hides previous definition of ${JSON.stringify(name)}, which may be dropped when using apply`];
  });
}

/** `inTemplate`: of a Pod the annotations about AppArmor become fields, with their own warning. */
function containerWarnings(c: Container, at: string, { meta, metaField, spec, inTemplate }: Place): string[] {
  const warnings: string[] = [];
  const annotations = meta?.annotations ?? {};
  const seccomp = `${SECCOMP_CONTAINER}${c.name}`;
  if (!c.securityContext?.seccompProfile && annotations[seccomp] !== undefined) warnings.push(`${metaField}.annotations[${seccomp}]: ${NON_FUNCTIONAL_SECCOMP}`);
  const appArmor = `${APPARMOR_CONTAINER}${c.name}`;
  const profile = annotations[appArmor];
  const ofPod = spec.securityContext?.appArmorProfile;
  if (inTemplate && !c.securityContext?.appArmorProfile && profile !== undefined && (!ofPod || !semanticallyEqual(ofPod, appArmorOf(profile)))) {
    warnings.push(`${metaField}.annotations[${appArmor}]: deprecated since v1.30; use the "appArmorProfile" field instead`);
  }
  for (const name of BYTES) for (const kind of ["limits", "requests"] as const) warnings.push(...fractional(`${at}.resources.${kind}`, c.resources?.[kind], name));
  return [...warnings, ...envWarnings(c, at)];
}

const goPort = (p: ContainerPort): string => `{Name:${p.name ?? ""} HostPort:${p.hostPort ?? 0} ContainerPort:${p.containerPort ?? 0} Protocol:${p.protocol ?? ""} HostIP:${p.hostIP ?? ""}}`;

/** How two definitions of one port disturb each other. */
function conflict(a: ContainerPort, b: ContainerPort): string | undefined {
  const [hostA, hostB, ipA, ipB] = [a.hostPort ?? 0, b.hostPort ?? 0, a.hostIP ?? "", b.hostIP ?? ""];
  if (ipA === ipB && hostA === hostB) return "duplicate port definition";
  if (hostA === 0 || hostB === 0) return "overlapping port definition";
  return hostA === hostB && (ipA === "") !== (ipB === "") ? "dangerously ambiguous port definition" : undefined;
}

function portWarnings(spec: PodSpec, field: string): string[] {
  const warnings: string[] = [];
  const known = new Map<string, { readonly at: string; readonly port: ContainerPort }[]>();
  const ports = [...containersWithPath(spec, field)].flatMap(([c, at]) => (c.ports ?? []).map((port, i) => ({ at: `${at}.ports[${i}]`, port })));
  for (const { at, port } of ports) {
    if (port.hostIP && !port.hostPort) warnings.push(`${at}: hostIP set without hostPort: ${goPort(port)}`);
    const key = `${port.containerPort}/${port.protocol ?? ""}`;
    const others = known.get(key) ?? [];
    for (const other of others) {
      const text = conflict(port, other.port);
      if (text) warnings.push(`${at}: ${text} with ${other.at}`);
    }
    known.set(key, [...others, { at, port }]);
  }
  const names = new Map<string, string>();
  for (const { at, port } of ports.filter((p) => p.port.name)) {
    const { name = "" } = port;
    const other = names.get(name);
    if (other === undefined) names.set(name, at);
    else warnings.push(`${at}: duplicate port name ${JSON.stringify(name)} with ${other}, services and probes that select ports by name will use ${other}`);
  }
  return warnings;
}

function affinityWarnings(affinity: PodAffinity | undefined, field: string): string[] {
  const { requiredDuringSchedulingIgnoredDuringExecution: hard = [], preferredDuringSchedulingIgnoredDuringExecution: soft = [] } = affinity ?? {};
  return [
    ...hard.flatMap((term, i) => (term.labelSelector ? [] : [`${field}.requiredDuringSchedulingIgnoredDuringExecution[${i}].labelSelector: ${NULL_SELECTOR}`])),
    ...soft.flatMap(({ podAffinityTerm: term }, i) => (term.labelSelector ? [] : [`${field}.preferredDuringSchedulingIgnoredDuringExecution[${i}].podAffinityTerm.labelSelector: ${NULL_SELECTOR}`])),
  ];
}

function listWarnings(spec: PodSpec, field: string): string[] {
  const aliases = spec.hostAliases ?? [];
  const secrets = spec.imagePullSecrets ?? [];
  return [
    ...repeated(aliases.map((a) => a.ip)).map((i) => `${field}.hostAliases[${i}].ip: duplicate ip ${JSON.stringify(aliases[i]?.ip)}`),
    ...repeated(secrets.map((s) => s.name ?? "")).map((i) => `${field}.imagePullSecrets[${i}].name: duplicate name ${JSON.stringify(secrets[i]?.name ?? "")}`),
    ...secrets.flatMap((s, i) => (s.name ? [] : [`${field}.imagePullSecrets[${i}].name: invalid empty name ""`])),
  ];
}

interface Place {
  readonly spec: PodSpec;
  readonly meta: ObjectMeta | undefined;
  readonly metaField: string;
  readonly inTemplate: boolean;
}

function warningsOf(place: Place, field: string): string[] {
  const { spec, meta, metaField } = place;
  const annotations = meta?.annotations ?? {};
  return [
    ...nodeWarnings(spec, field),
    ...spreadWarnings(spec, field),
    ...DEPRECATED_ANNOTATIONS.filter(([key]) => annotations[key] !== undefined).map(([key, text]) => `${metaField}.annotations[${key}]: ${text}`),
    ...volumeWarnings(spec, field),
    ...overlapWarnings(spec),
    ...listWarnings(spec, field),
    ...BYTES.flatMap((name) => fractional(`${field}.overhead`, spec.overhead, name)),
    ...(!spec.securityContext?.seccompProfile && annotations[SECCOMP_POD] !== undefined ? [`${metaField}.annotations[${SECCOMP_POD}]: ${NON_FUNCTIONAL_SECCOMP}`] : []),
    ...[...containersWithPath(spec, field)].flatMap(([c, at]) => containerWarnings(c, at, place)),
    ...portWarnings(spec, field),
    ...((spec.terminationGracePeriodSeconds ?? 0) < 0 ? [`${field}.terminationGracePeriodSeconds: must be >= 0; negative values are invalid and will be treated as 1`] : []),
    ...affinityWarnings(spec.affinity?.podAffinity, `${field}.affinity.podAffinity`),
    ...affinityWarnings(spec.affinity?.podAntiAffinity, `${field}.affinity.podAntiAffinity`),
    ...(spec.dnsConfig?.nameservers ?? []).flatMap((ip, i) => addressWarnings(`${field}.dnsConfig.nameservers[${i}]`, ip)),
    ...(spec.hostAliases ?? []).flatMap(({ ip }, i) => addressWarnings(`${field}.hostAliases[${i}].ip`, ip)),
  ];
}

/** Of what makes pods: their names begin with its own. */
export function nameWarnings(name: string | undefined): string[] {
  const errors = isDns1123Label(name ?? "");
  if (errors.length === 0) return [];
  return [`metadata.name: this is used in Pod names and hostnames, which can result in surprising behavior; a DNS label is recommended: [${errors.join(" ")}]`];
}

/** Of a Pod that is created. */
export function podWarnings(pod: Pod): readonly string[] {
  const name = isDns1123Label(pod.metadata.name ?? "");
  return [
    ...(name.length > 0 ? [`metadata.name: this is used in the Pod's hostname, which can result in surprising behavior; a DNS label is recommended: [${name.join(" ")}]`] : []),
    ...warningsOf({ spec: pod.spec, meta: pod.metadata, metaField: "metadata", inTemplate: false }, "spec"),
  ];
}

/** Of a pod template at `field`. */
export const podTemplateWarnings = (template: PodTemplateSpec | undefined, field: string): readonly string[] =>
  template?.spec ? warningsOf({ spec: template.spec, meta: template.metadata, metaField: `${field}.metadata`, inTemplate: true }, `${field}.spec`) : [];
