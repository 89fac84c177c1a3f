/**
 * What of a Pod may change through itself, and its ephemeral containers. Its status and its resources are in `status.ts` and `resize.ts`.
 * Follows kubernetes pkg/apis/core/validation (ValidatePodUpdate, ValidatePodEphemeralContainersUpdate).
 */
import { forbiddenField, invalidValue, required } from "../../field-error.ts";
import type { Affinity, Container, NodeAffinity, Pod, PodSpec, Toleration } from "../../generated/types.ts";
import { inclusiveRange, subdomainName } from "../../names.ts";
import { validateObjectMeta } from "../../object-meta.ts";
import { type Errors, semanticallyEqual } from "../../validation/fields.ts";
import { goDiff } from "../go-spelling.ts";
import { APPARMOR_CONTAINER, isDeletionCost, validatePodAnnotations } from "./annotations.ts";
import { validateTolerations } from "./scheduling.ts";
import { validatePodCommon } from "./validation.ts";

const INT32_MAX = 2 ** 31 - 1;
const CHANGEABLE = [
  "`spec.containers[*].image`", "`spec.initContainers[*].image`", "`spec.activeDeadlineSeconds`", "`spec.tolerations` (only additions to existing tolerations)",
  "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)",
].join(",");

const MIRROR = "kubernetes.io/config.mirror";

/** The pod as a whole, again: its metadata in the create form, then the rest. */
export function validateWhole(out: Errors, pod: Pod, old: Pod): void {
  out.push(...validateObjectMeta(pod.metadata, { namespaced: true, validateName: subdomainName, builtIn: true }));
  validatePodCommon(out, pod, old);
}

/** What the kubelet reads from a file of its own changes there, not here. */
export const isMirror = (pod: Pod): boolean => pod.metadata.annotations?.[MIRROR] !== undefined;

export function validateAnnotationChanges(out: Errors, pod: Pod, old: Pod): void {
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
  validateAnnotationChanges(out, pod, old);
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

export function validateEphemeralContainersUpdate(out: Errors, pod: Pod, old: Pod): void {
  validateWhole(out, pod, old);
  validateAnnotationChanges(out, pod, old);
  if (isMirror(old)) return void out.splice(0, out.length, forbiddenField("[]", "static pods do not support ephemeral containers"));
  const now = new Map((pod.spec.ephemeralContainers ?? []).map((c) => [c.name, c]));
  for (const before of old.spec.ephemeralContainers ?? []) {
    const next = now.get(before.name);
    const field = "spec.ephemeralContainers";
    if (!next) out.push(forbiddenField(field, `existing ephemeral containers ${JSON.stringify(before.name)} may not be removed\n`));
    else if (!semanticallyEqual(next, before)) out.push(forbiddenField(field, `existing ephemeral containers ${JSON.stringify(before.name)} may not be changed\n${goDiff("io.k8s.api.core.v1.EphemeralContainer", before, next)}`));
  }
}
