/**
 * What is accepted in a pod spec but probably not meant.
 * Follows kubernetes pkg/api/pod/warnings.go.
 */
import type { Container, PodSpec, PodTemplateSpec } from "../../generated/types.ts";
import { parseQuantity } from "../../quantity.ts";

const NODE_LABELS: Readonly<Record<string, string>> = {
  "beta.kubernetes.io/arch": 'deprecated since v1.14; use "kubernetes.io/arch" instead',
  "beta.kubernetes.io/os": 'deprecated since v1.14; use "kubernetes.io/os" instead',
  "failure-domain.beta.kubernetes.io/region": 'deprecated since v1.17; use "topology.kubernetes.io/region" instead',
  "failure-domain.beta.kubernetes.io/zone": 'deprecated since v1.17; use "topology.kubernetes.io/zone" instead',
  "beta.kubernetes.io/instance-type": 'deprecated since v1.17; use "node.kubernetes.io/instance-type" instead',
};

const DEPRECATED_VOLUMES: readonly (readonly ["gitRepo" | "scaleIO" | "storageos" | "glusterfs" | "rbd" | "cephfs" | "photonPersistentDisk", string])[] = [
  ["photonPersistentDisk", "deprecated in v1.11, non-functional in v1.16+"], ["gitRepo", "deprecated in v1.11"], ["scaleIO", "deprecated in v1.16, non-functional in v1.22+"],
  ["storageos", "deprecated in v1.22, non-functional in v1.25+"], ["glusterfs", "deprecated in v1.25, non-functional in v1.26+"],
  ["cephfs", "deprecated in v1.28, non-functional in v1.31+"], ["rbd", "deprecated in v1.28, non-functional in v1.31+"],
];

const hasFractionalBytes = (value: string | number): boolean => (parseQuantity(value)?.nano ?? 0n) % 1_000_000_000n !== 0n;

function nodeWarnings(spec: PodSpec, field: string): string[] {
  const warnings = Object.keys(spec.nodeSelector ?? {}).sort().flatMap((key) => (NODE_LABELS[key] ? [`${field}.nodeSelector[${key}]: ${NODE_LABELS[key]}`] : []));
  const affinity = spec.affinity?.nodeAffinity;
  (affinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? []).forEach((term, i) =>
    (term.matchExpressions ?? []).forEach((e, j) => {
      const text = NODE_LABELS[e.key];
      if (text) warnings.push(`${field}.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[${i}].matchExpressions[${j}].key: ${e.key} is ${text}`);
    }),
  );
  (affinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []).forEach((term, i) =>
    (term.preference?.matchExpressions ?? []).forEach((e, j) => {
      const text = NODE_LABELS[e.key];
      if (text) warnings.push(`${field}.affinity.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution[${i}].preference.matchExpressions[${j}].key: ${e.key} is ${text}`);
    }),
  );
  return warnings;
}

function volumeWarnings(spec: PodSpec, field: string): string[] {
  return (spec.volumes ?? []).flatMap((volume, i) => {
    const at = `${field}.volumes[${i}]`;
    const texts = DEPRECATED_VOLUMES.filter(([key]) => volume[key] !== undefined).map(([key, text]) => `${at}.${key}: ${text}`);
    if (volume.ephemeral?.volumeClaimTemplate?.spec?.resources?.requests?.["storage"] !== undefined && hasFractionalBytes(volume.ephemeral.volumeClaimTemplate.spec.resources.requests["storage"])) {
      texts.push(`${at}.ephemeral.volumeClaimTemplate.spec.resources.requests[storage]: fractional byte value ${JSON.stringify(String(volume.ephemeral.volumeClaimTemplate.spec.resources.requests["storage"]))} is invalid, must be an integer`);
    }
    return texts;
  });
}

function spreadWarnings(spec: PodSpec, field: string): string[] {
  return (spec.topologySpreadConstraints ?? []).flatMap((c, i) => {
    const at = `${field}.topologySpreadConstraints[${i}]`;
    const label = NODE_LABELS[c.topologyKey];
    return [
      ...(label ? [`${at}.topologyKey: ${c.topologyKey} is ${label}`] : []),
      ...(c.labelSelector ? [] : [`${at}.labelSelector: a null labelSelector results in matching no pod`]),
    ];
  });
}

/** A name twice in a list that apply merges by name. */
function repeated(names: readonly string[]): number[] {
  const seen = new Set<string>();
  return names.flatMap((name, i) => {
    if (!seen.has(name)) {
      seen.add(name);
      return [];
    }
    return [i];
  });
}

function containerWarnings(c: Container, at: string): string[] {
  const warnings: string[] = [];
  const env = c.env ?? [];
  for (const i of repeated(env.map((e) => e.name))) {
    const name = env[i]?.name ?? "";
    const later = env.slice(0, i).findLast((e) => e.name === name);
    // A value that builds on the one before it is meant.
    if (later && env[i]?.value?.includes(`$(${name})`)) continue;
    warnings.push(`${at}.env[${i}]: hides previous definition of ${JSON.stringify(name)}, which may be dropped when using apply`);
  }
  const ports = c.ports ?? [];
  ports.forEach((port, i) => {
    const same = ports.findIndex((p) => p.containerPort === port.containerPort && p.protocol === port.protocol && (p.hostPort ?? 0) === (port.hostPort ?? 0) && (p.hostIP ?? "") === (port.hostIP ?? ""));
    if (same < i) warnings.push(`${at}.ports[${i}]: duplicate port definition with ${at}.ports[${same}]`);
  });
  for (const kind of ["limits", "requests"] as const) {
    for (const name of ["memory", "ephemeral-storage"]) {
      const value = c.resources?.[kind]?.[name];
      if (value !== undefined && hasFractionalBytes(value)) warnings.push(`${at}.resources.${kind}[${name}]: fractional byte value ${JSON.stringify(String(value))} is invalid, must be an integer`);
    }
  }
  return warnings;
}

function podSpecWarnings(spec: PodSpec, field: string): string[] {
  const warnings = [...nodeWarnings(spec, field), ...spreadWarnings(spec, field)];
  for (const i of repeated((spec.hostAliases ?? []).map((a) => a.ip))) warnings.push(`${field}.hostAliases[${i}].ip: duplicate ip ${JSON.stringify(spec.hostAliases?.[i]?.ip)}`);
  warnings.push(...volumeWarnings(spec, field));
  for (const i of repeated((spec.imagePullSecrets ?? []).map((s) => s.name ?? ""))) warnings.push(`${field}.imagePullSecrets[${i}].name: duplicate name ${JSON.stringify(spec.imagePullSecrets?.[i]?.name ?? "")}`);
  (spec.imagePullSecrets ?? []).forEach((s, i) => {
    if (!s.name) warnings.push(`${field}.imagePullSecrets[${i}].name: invalid empty name ""`);
  });
  for (const name of ["memory", "ephemeral-storage"]) {
    const value = spec.overhead?.[name];
    if (value !== undefined && hasFractionalBytes(value)) warnings.push(`${field}.overhead[${name}]: fractional byte value ${JSON.stringify(String(value))} is invalid, must be an integer`);
  }
  (spec.initContainers ?? []).forEach((c, i) => warnings.push(...containerWarnings(c, `${field}.initContainers[${i}]`)));
  (spec.containers ?? []).forEach((c, i) => warnings.push(...containerWarnings(c, `${field}.containers[${i}]`)));
  return warnings;
}

/** Of a real Pod. */
export const podWarnings = (spec: PodSpec | undefined): readonly string[] => (spec ? podSpecWarnings(spec, "spec") : []);

/** Of a pod template at `field`. */
export const podTemplateWarnings = (template: PodTemplateSpec | undefined, field: string): readonly string[] => (template?.spec ? podSpecWarnings(template.spec, `${field}.spec`) : []);
