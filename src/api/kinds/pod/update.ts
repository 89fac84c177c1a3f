/**
 * What of a Pod may change: through itself, its status, its ephemeral containers, its resize.
 * Follows kubernetes pkg/apis/core/validation (ValidatePodUpdate, ValidatePodStatusUpdate, ValidatePodEphemeralContainersUpdate, ValidatePodResize).
 */
import { duplicate, forbiddenField, invalidValue, required } from "../../field-error.ts";
import type { Affinity, Container, ContainerStatus, NodeAffinity, Pod, PodSpec, Toleration } from "../../generated/types.ts";
import { isQualifiedName, inclusiveRange, subdomainName } from "../../names.ts";
import { validateObjectMeta } from "../../object-meta.ts";
import { compareQuantities } from "../../quantity.ts";
import { familyOf, isIp } from "../../validation/addresses.ts";
import { type Errors, immutable, reasons, semanticallyEqual } from "../../validation/fields.ts";
import { goDiff } from "../go-spelling.ts";
import { APPARMOR_CONTAINER, isDeletionCost, validatePodAnnotations } from "./annotations.ts";
import { qosClassOf } from "./qos.ts";
import { validateTolerations } from "./scheduling.ts";
import { validatePodCommon } from "./validation.ts";

const INT32_MAX = 2 ** 31 - 1;
const CHANGEABLE = [
  "`spec.containers[*].image`", "`spec.initContainers[*].image`", "`spec.activeDeadlineSeconds`", "`spec.tolerations` (only additions to existing tolerations)",
  "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)",
].join(",");

const MIRROR = "kubernetes.io/config.mirror";

/** The pod as a whole, again: its metadata in the create form, then the rest. */
function validateWhole(out: Errors, pod: Pod, old: Pod): void {
  out.push(...validateObjectMeta(pod.metadata, { namespaced: true, validateName: subdomainName, builtIn: true }));
  validatePodCommon(out, pod, old);
  validateAnnotationChanges(out, pod, old);
}

function validateAnnotationChanges(out: Errors, pod: Pod, old: Pod): void {
  const now = pod.metadata.annotations ?? {};
  const before = old.metadata.annotations ?? {};
  const kinds: readonly (readonly [(key: string) => boolean, string])[] = [[(key) => key.startsWith(APPARMOR_CONTAINER), "AppArmor annotations"], [(key) => key === MIRROR, "mirror pod annotation"]];
  for (const key of Object.keys(before)) {
    if (now[key] === before[key]) continue;
    for (const [test, name] of kinds) if (test(key)) out.push(forbiddenField(`metadata.annotations[${key}]`, `may not remove or update ${name}`));
  }
  for (const key of Object.keys(now)) {
    if (key in before) continue;
    for (const [test, name] of kinds) if (test(key)) out.push(forbiddenField(`metadata.annotations[${key}]`, `may not add ${name}`));
  }
  validatePodAnnotations(out, "metadata.annotations", pod.metadata, pod.spec, !isDeletionCost(before));
}

export function validatePodUpdate(out: Errors, pod: Pod, old: Pod): void {
  validateWhole(out, pod, old);
  if (!sameContainers(out, "spec.containers", pod.spec.containers, old.spec.containers)) return;
  if (!sameContainers(out, "spec.initContainers", pod.spec.initContainers, old.spec.initContainers)) return;
  if (!validateDeadline(out, pod.spec, old.spec)) return;
  validateAddedTolerations(out, pod.spec.tolerations ?? [], old.spec.tolerations ?? []);
  validateRemovedGates(out, pod.spec, old.spec);
  if (semanticallyEqual(pod.spec, old.spec)) return;
  const rest = withChangeableFieldsOf(pod.spec, old.spec);
  const gated = (old.spec.schedulingGates ?? []).length > 0 ? withDirectivesOf(out, rest, old.spec) : rest;
  if (!semanticallyEqual(gated, old.spec)) out.push(forbiddenField("spec", `pod updates may not change fields other than ${CHANGEABLE}\n${goDiff("io.k8s.api.core.v1.PodSpec", old.spec, gated)}`));
}

function sameContainers(out: Errors, field: string, containers: readonly Container[] | undefined, old: readonly Container[] | undefined): boolean {
  const list = containers ?? [];
  if (list.length !== (old ?? []).length) {
    out.push(forbiddenField(field, "pod updates may not add or remove containers"));
    return false;
  }
  list.forEach((c, i) => {
    if (!c.image) out.push(required(`${field}[${i}].image`));
    else if (c.image.trim() !== c.image) out.push(invalidValue(`${field}[${i}].image`, c.image, "must not have leading or trailing whitespace"));
  });
  return true;
}

function validateDeadline(out: Errors, spec: PodSpec, old: PodSpec): boolean {
  const field = "spec.activeDeadlineSeconds";
  const now = spec.activeDeadlineSeconds;
  const before = old.activeDeadlineSeconds;
  if (now === undefined) {
    if (before !== undefined) out.push(invalidValue(field, null, "must not update from a positive integer to nil value"));
    return true;
  }
  if (now < 0 || now > INT32_MAX) {
    out.push(invalidValue(field, now, inclusiveRange(0, INT32_MAX)));
    return false;
  }
  if (before !== undefined && before < now) {
    out.push(invalidValue(field, now, "must be less than or equal to previous value"));
    return false;
  }
  return true;
}

function validateAddedTolerations(out: Errors, now: readonly Toleration[], before: readonly Toleration[]): void {
  const withoutSeconds = ({ tolerationSeconds: _s, ...t }: Toleration) => t;
  if (before.some((old) => !now.some((t) => semanticallyEqual(withoutSeconds(t), withoutSeconds(old))))) {
    out.push(forbiddenField("spec.tolerations", "existing toleration can not be modified except its tolerationSeconds"));
    return;
  }
  validateTolerations(out, "spec.tolerations", now);
}

function validateRemovedGates(out: Errors, spec: PodSpec, old: PodSpec): void {
  const before = new Set((old.schedulingGates ?? []).map((g) => g.name));
  (spec.schedulingGates ?? []).forEach(({ name }, i) => {
    if (!before.has(name)) out.push(forbiddenField(`spec.schedulingGates[${i}].name`, `only deletion is allowed, but found new scheduling gate '${name}'`));
  });
}

/** The new spec with everything that any pod may change put back. */
function withChangeableFieldsOf(spec: PodSpec, old: PodSpec): PodSpec {
  const { activeDeadlineSeconds: _a, schedulingGates: _g, tolerations: _t, ...rest } = spec;
  const images = (containers: readonly Container[] | undefined, before: readonly Container[] | undefined) =>
    (containers ?? []).map((c, i) => ({ ...c, image: before?.[i]?.image ?? "" }));
  const grace = (old.terminationGracePeriodSeconds ?? 0) < 0 && spec.terminationGracePeriodSeconds === 1 ? old.terminationGracePeriodSeconds : spec.terminationGracePeriodSeconds;
  return {
    ...rest,
    containers: images(spec.containers, old.containers),
    ...(spec.initContainers && { initContainers: images(spec.initContainers, old.initContainers) }),
    ...(old.activeDeadlineSeconds !== undefined && { activeDeadlineSeconds: old.activeDeadlineSeconds }),
    ...(old.schedulingGates && { schedulingGates: old.schedulingGates }),
    ...(old.tolerations && { tolerations: old.tolerations }),
    ...(grace !== undefined && { terminationGracePeriodSeconds: grace }),
  };
}

/** A gated pod's node selector and node affinity may be narrowed. */
function withDirectivesOf(out: Errors, spec: PodSpec, old: PodSpec): PodSpec {
  const before = old.nodeSelector ?? {};
  for (const [key, value] of Object.entries(before)) {
    if (spec.nodeSelector?.[key] !== value) {
      out.push(invalidValue("spec.nodeSelector", spec.nodeSelector ?? null, "only additions to spec.nodeSelector are allowed (no mutations or deletions)"));
      break;
    }
  }
  const { nodeSelector: _n, affinity, ...rest } = spec;
  validateNodeAffinityChange(out, affinity?.nodeAffinity, old.affinity?.nodeAffinity);
  const kept: Affinity = { ...affinity };
  Reflect.deleteProperty(kept, "nodeAffinity");
  if (old.affinity?.nodeAffinity) Reflect.set(kept, "nodeAffinity", old.affinity.nodeAffinity);
  const hasAffinity = old.affinity !== undefined || Object.keys(kept).length > 0;
  return { ...rest, ...(old.nodeSelector && { nodeSelector: old.nodeSelector }), ...(hasAffinity && { affinity: kept }) };
}

function validateNodeAffinityChange(out: Errors, now: NodeAffinity | undefined, before: NodeAffinity | undefined): void {
  const field = "spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution";
  const old = before?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms;
  if (!old) return;
  const terms = now?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? [];
  if (old.length !== terms.length) return void out.push(invalidValue(`${field}.nodeSelectorTerms`, terms, "no additions/deletions to non-empty NodeSelectorTerms list are allowed"));
  old.forEach((term, i) => {
    const next = terms[i];
    const isEmpty = !term.matchExpressions?.length && !term.matchFields?.length;
    const keeps = <T>(list: readonly T[] | undefined, by: readonly T[] | undefined) => (list ?? []).every((e, j) => semanticallyEqual(e, by?.[j]));
    if (isEmpty ? !semanticallyEqual(term, next) : !(keeps(term.matchExpressions, next?.matchExpressions) && keeps(term.matchFields, next?.matchFields))) {
      out.push(invalidValue(`${field}.nodeSelectorTerms[${i}]`, next ?? null, "only additions are allowed (no mutations or deletions)"));
    }
  });
}

const SYSTEM_CONDITIONS = new Set(["PodScheduled", "Ready", "Initialized"]);

export function validatePodStatusUpdate(out: Errors, pod: Pod, old: Pod): void {
  validateAnnotationChanges(out, pod, old);
  (pod.status?.conditions ?? []).forEach((c, i) => {
    if (!SYSTEM_CONDITIONS.has(c.type)) reasons(out, `metadata.conditions[${i}].Type`, c.type, isQualifiedName(c.type));
  });
  const nominated = pod.status?.nominatedNodeName;
  if (nominated && nominated !== old.status?.nominatedNodeName) reasons(out, "status.nominatedNodeName", nominated, subdomainName(nominated, false));
  immutable(out, "status.qosClass", pod.status?.qosClass ?? "", old.status?.qosClass ?? "");
  const sidecars = new Set((old.spec.initContainers ?? []).filter((c) => c.restartPolicy === "Always").map((c) => c.name));
  const policy = old.spec.restartPolicy;
  if (!mayRestartAll(old)) {
    validateTransitions(out, "status.containerStatuses", pod.status?.containerStatuses, old.status?.containerStatuses, policy, containersThatMayRestart(old.spec.containers));
    validateTransitions(out, "status.initContainerStatuses", pod.status?.initContainerStatuses, old.status?.initContainerStatuses, policy, new Set([...sidecars, ...containersThatMayRestart(old.spec.initContainers)]));
  }
  validateTransitions(out, "status.ephemeralContainerStatuses", pod.status?.ephemeralContainerStatuses, old.status?.ephemeralContainerStatuses, "Never", new Set());
  validateIps(out, pod);
}

/** Containers with restart rules of their own may leave the terminated state whatever the pod's policy. */
const containersThatMayRestart = (containers: readonly Container[] | undefined): ReadonlySet<string> =>
  new Set((containers ?? []).filter((c) => c.restartPolicy !== undefined || (c.restartPolicyRules ?? []).length > 0).map((c) => c.name));

/** One container's rule may begin the whole pod again, whatever has ended in it. */
const mayRestartAll = ({ spec }: Pod): boolean =>
  [...spec.containers, ...(spec.initContainers ?? [])].some((c) => c.restartPolicyRules?.some((rule) => rule.action === "RestartAllContainers"));

/** A container that has ended for good stays so. */
function validateTransitions(out: Errors, field: string, now: readonly ContainerStatus[] | undefined, before: readonly ContainerStatus[] | undefined, policy: string | undefined, mayRestart: ReadonlySet<string>): void {
  if (policy === "Always") return;
  (before ?? []).forEach((old, i) => {
    const ended = old.state?.terminated;
    if (!ended || (ended.exitCode !== 0 && policy === "OnFailure") || mayRestart.has(old.name)) return;
    for (const status of now ?? []) {
      if (status.name === old.name && !status.state?.terminated) out.push(forbiddenField(`${field}[${i}].state`, "may not be transitioned to non-terminated state"));
    }
  });
}

function validateIps(out: Errors, { status }: Pod): void {
  const ips = status?.podIPs ?? [];
  validateIpList(out, "status.podIPs", ips);
  const hosts = status?.hostIPs ?? [];
  if (hosts.length > 0 && hosts[0]?.ip !== status?.hostIP) out.push(invalidValue("status.hostIPs[0].ip", hosts[0]?.ip ?? "", "must be equal to `hostIP`"));
  validateIpList(out, "status.hostIPs", hosts);
}

function validateIpList(out: Errors, field: string, ips: readonly { readonly ip: string }[]): void {
  ips.forEach(({ ip }, i) => isIp(out, `${field}[${i}]`, ip ?? ""));
  if (ips.length < 2) return;
  const shown = ips.map(({ ip }) => ({ IP: ip }));
  const families = new Set(ips.map(({ ip }) => familyOf(ip)));
  if (families.size < 2 || ips.length > 2) out.push(invalidValue(field, shown, "may specify no more than one IP for each IP family"));
  const seen = new Set<string>();
  ips.forEach(({ ip }, i) => {
    if (seen.has(ip)) out.push(duplicate(`${field}[${i}]`, { IP: ip }));
    seen.add(ip);
  });
}

export function validateEphemeralContainersUpdate(out: Errors, pod: Pod, old: Pod): void {
  validateWhole(out, pod, old);
  const now = new Map((pod.spec.ephemeralContainers ?? []).map((c) => [c.name, c]));
  for (const before of old.spec.ephemeralContainers ?? []) {
    const next = now.get(before.name);
    const field = "spec.ephemeralContainers";
    if (!next) out.push(forbiddenField(field, `existing ephemeral containers ${JSON.stringify(before.name)} may not be removed\n`));
    else if (!semanticallyEqual(next, before)) out.push(forbiddenField(field, `existing ephemeral containers ${JSON.stringify(before.name)} may not be changed\n${goDiff("io.k8s.api.core.v1.EphemeralContainer", before, next)}`));
  }
}

export function validateResize(out: Errors, pod: Pod, old: Pod): void {
  validateWhole(out, pod, old);
  if (qosClassOf(old.spec) !== qosClassOf(pod.spec)) out.push(invalidValue("spec", pod.status?.qosClass ?? "", "Pod QOS Class may not change as a result of resizing"));
  const lists = [["initContainers", pod.spec.initContainers, old.spec.initContainers], ["containers", pod.spec.containers, old.spec.containers]] as const;
  for (const [key, now, before] of lists) {
    (before ?? []).forEach((c, i) => {
      const next = now?.[i];
      if (next && (key === "containers" || c.restartPolicy === "Always")) validateContainerResize(out, `spec.${key}[${i}].resources`, next, c);
    });
  }
  if (!semanticallyEqual(withoutAmounts(pod.spec, old.spec), old.spec)) out.push(forbiddenField("spec", "only cpu and memory resources are mutable"));
}

function validateContainerResize(out: Errors, field: string, now: Container, before: Container): void {
  for (const kind of ["requests", "limits"] as const) {
    const next = now.resources?.[kind] ?? {};
    if (Object.keys(before.resources?.[kind] ?? {}).some((name) => !(name in next))) out.push(forbiddenField(`${field}.${kind}`, `resource ${kind} cannot be removed`));
  }
  const policy = now.resizePolicy?.find((p) => p.resourceName === "memory")?.restartPolicy ?? "NotRequired";
  const limit = now.resources?.limits?.["memory"];
  const old = before.resources?.limits?.["memory"];
  if (policy === "NotRequired" && limit !== undefined && old !== undefined && compareQuantities(limit, old) < 0) {
    out.push(forbiddenField(`${field}.limits[memory]`, "memory limits cannot be decreased unless resizePolicy is RestartContainer"));
  }
}

/** The new spec with cpu and memory put back. */
function withoutAmounts(spec: PodSpec, old: PodSpec): PodSpec {
  const restore = (containers: readonly Container[] | undefined, before: readonly Container[] | undefined) =>
    (containers ?? []).map((c, i) => {
      const resources = before?.[i]?.resources;
      const { resources: _r, resizePolicy: _p, ...rest } = c;
      return { ...rest, ...(resources && { resources }), ...(before?.[i]?.resizePolicy && { resizePolicy: before[i].resizePolicy }) };
    });
  return { ...spec, containers: restore(spec.containers, old.containers), ...(spec.initContainers && { initContainers: restore(spec.initContainers, old.initContainers) }) };
}
