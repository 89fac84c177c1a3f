/**
 * What an object counts against ResourceQuotas, and which quotas it concerns: shared by the admission that refuses and the controller that counts.
 * Follows kubernetes pkg/quota/v1/evaluator/core (pods.go, services.go, persistent_volume_claims.go) and staging apiserver pkg/quota/v1/generic.
 */
import type { Instant } from "../base/clock.ts";
import { own } from "../base/own.ts";
import type { Container, PersistentVolumeClaim, Pod, PodSpec, ResourceQuota, Service } from "./generated/types.ts";
import { sumOfRequests } from "./kinds/pod/defaults.ts";
import { qosClassOf } from "./kinds/pod/qos.ts";
import { addQuantities, canonicalQuantity, compareQuantities, subtractQuantities } from "./quantity.ts";
import { qualifiedPlural, type Resource } from "./resource.ts";
import { parseTime } from "./time.ts";

/** Amounts by the name under which quotas bound them: `pods`, `requests.cpu`, `count/jobs.batch`. */
export type Usage = Readonly<Record<string, string>>;

/** Core resources that may also be counted under their bare plural. */
const BARE_COUNTS: ReadonlySet<string> = new Set(["configmaps", "secrets", "services", "replicationcontrollers", "resourcequotas", "persistentvolumeclaims"]);

/** Resources that a container must ask for where a quota bounds them. */
const MUST_ASK: ReadonlySet<string> = new Set(["cpu", "memory", "requests.cpu", "requests.memory", "limits.cpu", "limits.memory"]);
const COMPUTE: ReadonlySet<string> = new Set(["cpu", "memory", "ephemeral-storage"]);

/** Extended resources and huge pages are bounded by their requests only. */
function computeNames(name: string, kind: "requests" | "limits"): string[] {
  if (kind === "limits") return COMPUTE.has(name) ? [`limits.${name}`] : [];
  if (COMPUTE.has(name)) return [name, `requests.${name}`];
  return name.startsWith("hugepages-") ? [name, `requests.${name}`] : [`requests.${name}`];
}

type Amounts = Readonly<Record<string, string | number>>;

/** In the spelling of the pod: what is asked for in Mi is counted in Mi. Follows component-helpers/resource (PodRequests, PodLimits). */
function amountsOf(spec: PodSpec, kind: "requests" | "limits"): Amounts {
  const amounts: Record<string, string | number> = { ...sumOfRequests(spec, kind), ...spec.resources?.[kind] };
  for (const [name, more] of Object.entries(spec.overhead ?? {})) {
    // Where nothing is limited, the overhead is not either.
    const amount = own(amounts, name);
    if (kind === "requests" || amount !== undefined) amounts[name] = addQuantities(amount ?? 0, more);
  }
  return amounts;
}

function computeUsage(amounts: Amounts, kind: "requests" | "limits"): Record<string, string> {
  const usage: Record<string, string> = {};
  for (const [name, amount] of Object.entries(amounts)) for (const as of computeNames(name, kind)) usage[as] = canonicalQuantity(amount);
  return usage;
}

/** Pods that have ended, or that are going and should be gone, use nothing. Follows QuotaV1Pod. */
function usesResources({ metadata, status }: Pod, now: Instant): boolean {
  if (status?.phase === "Failed" || status?.phase === "Succeeded") return false;
  const deleted = parseTime(metadata?.deletionTimestamp);
  return deleted === undefined || metadata?.deletionGracePeriodSeconds === undefined || now <= deleted;
}

function podUsage(pod: Pod, now: Instant): Usage {
  if (!pod.spec || !usesResources(pod, now)) return { "count/pods": "1" };
  return { "count/pods": "1", pods: "1", ...computeUsage(amountsOf(pod.spec, "requests"), "requests"), ...computeUsage(amountsOf(pod.spec, "limits"), "limits") };
}

function serviceUsage({ spec }: Service): Usage {
  const ports = spec?.ports?.length ?? 0;
  const balanced = spec?.type === "LoadBalancer";
  const onNodes = spec?.type === "NodePort" || (balanced && spec?.allocateLoadBalancerNodePorts !== false);
  return { "services.nodeports": onNodes ? String(ports) : "0", "services.loadbalancers": balanced ? "1" : "0" };
}

function claimUsage({ metadata, spec }: PersistentVolumeClaim): Usage {
  const storage = canonicalQuantity(spec?.resources?.requests?.["storage"] ?? "0");
  const storageClass = metadata?.annotations?.["volume.beta.kubernetes.io/storage-class"] ?? spec?.storageClassName;
  if (!storageClass) return { "requests.storage": storage };
  const ofClass = `${storageClass}.storageclass.storage.k8s.io`;
  return { "requests.storage": storage, [`${ofClass}/requests.storage`]: storage, [`${ofClass}/persistentvolumeclaims`]: "1" };
}

/** All that `object` counts for. */
export function usageOf(resource: Resource, object: object, now: Instant): Usage {
  const { group, plural } = resource;
  const count = { [`count/${qualifiedPlural(resource)}`]: "1", ...(group === "" && BARE_COUNTS.has(plural) && { [plural]: "1" }) };
  if (group !== "") return count;
  if (plural === "pods") return podUsage(object as Pod, now);
  if (plural === "services") return { ...count, ...serviceUsage(object as Service) };
  return plural === "persistentvolumeclaims" ? { ...count, ...claimUsage(object as PersistentVolumeClaim) } : count;
}

export function addUsage(a: Usage, b: Usage): Usage {
  const sum: Record<string, string> = { ...a };
  for (const [name, amount] of Object.entries(b)) sum[name] = addQuantities(own(a, name) ?? "0", amount);
  return sum;
}

/** What `a` is more than `b`; less is negative. */
export function subtractUsage(a: Usage, b: Usage): Usage {
  const names = new Set([...Object.keys(a), ...Object.keys(b)]);
  return Object.fromEntries([...names].map((name) => [name, subtractQuantities(own(a, name) ?? "0", own(b, name) ?? "0")]));
}

/** Only what `names` bounds. */
export const maskUsage = (usage: Usage, names: Iterable<string>): Usage => {
  const wanted = new Set(names);
  return Object.fromEntries(Object.entries(usage).filter(([name]) => wanted.has(name)));
};

interface ScopeRequirement {
  readonly scopeName: string;
  readonly operator: string;
  readonly values?: readonly string[];
}

/** As a label selector has it: what has none is not in any list. */
function fitsClass(name: string, { operator, values = [] }: ScopeRequirement): boolean {
  switch (operator) {
    case "Exists": return name !== "";
    case "DoesNotExist": return name === "";
    case "In": return name !== "" && values.includes(name);
    default: return name === "" || !values.includes(name);
  }
}

/** A claim is of the class that it asks for, of the one that it has, and of the one that it is being given. */
function claimFits({ spec, status }: PersistentVolumeClaim, scope: ScopeRequirement): boolean {
  if (scope.scopeName !== "VolumeAttributesClass") return false;
  const names = [spec?.volumeAttributesClassName, status?.currentVolumeAttributesClassName, status?.modifyVolumeStatus?.targetVolumeAttributesClassName].filter((name) => name !== undefined && name !== "");
  return names.length === 0 ? fitsClass("", scope) : names.some((name) => fitsClass(name ?? "", scope));
}

const affinityTerms = ({ spec }: Pod) =>
  [spec?.affinity?.podAffinity, spec?.affinity?.podAntiAffinity].flatMap((a) => [
    ...(a?.requiredDuringSchedulingIgnoredDuringExecution ?? []),
    ...(a?.preferredDuringSchedulingIgnoredDuringExecution ?? []).map((p) => p.podAffinityTerm),
  ]);

function fitsScope(pod: Pod, scope: ScopeRequirement): boolean {
  const bestEffort = pod.spec !== undefined && qosClassOf(pod.spec) === "BestEffort";
  const bounded = pod.spec?.activeDeadlineSeconds !== undefined;
  switch (scope.scopeName) {
    case "BestEffort": return bestEffort;
    case "NotBestEffort": return !bestEffort;
    case "Terminating": return bounded;
    case "NotTerminating": return !bounded;
    case "PriorityClass": return fitsClass(pod.spec?.priorityClassName ?? "", scope);
    case "CrossNamespacePodAffinity": return affinityTerms(pod).some((t) => (t?.namespaces?.length ?? 0) > 0 || t?.namespaceSelector !== undefined);
    default: return false;
  }
}

/** Whether the quota's scopes take `object` in. Only pods and claims are in any scope. */
export function inScope(quota: ResourceQuota, resource: Resource, object: object): boolean {
  const scopes: ScopeRequirement[] = [
    ...(quota.spec?.scopes ?? []).map((scopeName) => ({ scopeName, operator: "Exists" })),
    ...((quota.spec?.scopeSelector?.matchExpressions ?? []) as readonly ScopeRequirement[]),
  ];
  if (scopes.length === 0) return true;
  const name = qualifiedPlural(resource);
  if (name === "persistentvolumeclaims") return scopes.every((scope) => claimFits(object as PersistentVolumeClaim, scope));
  return name === "pods" && scopes.every((scope) => fitsScope(object as Pod, scope));
}

function asks(container: Pick<Container, "resources">): Set<string> {
  const names = (list: Readonly<Record<string, unknown>> | undefined, kind: "requests" | "limits") => Object.keys(list ?? {}).flatMap((name) => computeNames(name, kind));
  return new Set([...names(container.resources?.requests, "requests"), ...names(container.resources?.limits, "limits")]);
}

/** What containers must ask for and don't: `requests.cpu for: main`; [] when nothing is missing. */
export function missingAsks({ spec }: Pod, bounded: Iterable<string>): string[] {
  const missing = new Map<string, Set<string>>();
  // What the pod asks for as a whole, its containers need not.
  const ofPod = spec ? asks(spec) : new Set<string>();
  const required = [...bounded].filter((name) => MUST_ASK.has(name) && !ofPod.has(name));
  for (const container of [...(spec?.containers ?? []), ...(spec?.initContainers ?? [])]) {
    const asked = asks(container);
    for (const name of required) if (!asked.has(name)) missing.set(name, (missing.get(name) ?? new Set()).add(container.name));
  }
  return [...missing].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, containers]) => `${name} for: ${[...containers].sort().join(",")}`);
}

/** The names whose usage would be more than is allowed, sorted. */
export const exceeded = (usage: Usage, hard: Usage): string[] => Object.keys(usage).filter((name) => own(hard, name) !== undefined && compareQuantities(usage[name], hard[name]) > 0).sort();
