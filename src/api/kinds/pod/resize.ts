/**
 * pods/NAME/resize: new amounts of cpu and memory for a pod that may be running.
 * Follows kubernetes pkg/registry/core/pod/strategy.go (podResizeStrategy) and pkg/apis/core/validation (ValidatePodResize).
 */
import { own } from "../../../base/own.ts";
import { forbiddenField, invalidValue } from "../../field-error.ts";
import type { Container, Pod, PodSpec, ResourceRequirements } from "../../generated/types.ts";
import { type Errors, semanticallyEqual } from "../../validation/fields.ts";
import type { Draft } from "../kind.ts";
import { qosClassOf } from "./qos.ts";
import { isMirror, validateWhole } from "./update.ts";

type Containers = Draft<Container>[];

/** The old containers with the new ones' amounts; the new ones as they are when they are others. */
function resized(now: Containers, old: readonly Container[]): Containers {
  if (now.some((c, i) => c.name !== old[i]?.name)) return now;
  return (old as Containers).map((c, i) => {
    const { resources: _r, resizePolicy: _p, ...rest } = c;
    const { resources, resizePolicy } = now[i] ?? {};
    return { ...rest, ...(resources && { resources }), ...(resizePolicy && { resizePolicy }) };
  });
}

/** Everything but the amounts stays as it was; a pod of other containers is left for validation to refuse. */
export function keepAllButAmounts(draft: Draft<Pod>, old: Pod): void {
  const { containers, initContainers = [], resources } = draft.spec;
  if (containers.length !== old.spec.containers.length || initContainers.length !== (old.spec.initContainers ?? []).length) return;
  const { containers: _c, initContainers: _i, resources: _r, ...rest } = old.spec as Draft<PodSpec>;
  const init = resized(initContainers, old.spec.initContainers ?? []);
  draft.spec = { ...rest, containers: resized(containers, old.spec.containers), ...(init.length > 0 && { initContainers: init }), ...(resources && { resources }) };
}

export function validateResize(out: Errors, pod: Pod, old: Pod): void {
  validateWhole(out, pod, old);
  const refuse = (why: string) => void out.splice(0, out.length, forbiddenField("[]", why));
  if (isMirror(old)) return refuse("static pods cannot be resized");
  if (old.spec.os?.name === "windows") return refuse("windows pods cannot be resized");
  if ((old.status?.qosClass || qosClassOf(old.spec)) !== qosClassOf(pod.spec)) out.push(invalidValue("spec", pod.status?.qosClass ?? "", "Pod QOS Class may not change as a result of resizing"));
  const running = old.status?.containerStatuses?.find((c) => c.state?.running);
  if (running && !running.resources) out.push(forbiddenField("spec", "Pod running on node without support for resize"));
  validatePodLevel(out, pod.spec, old.spec);
  if (!validateOrder(out, pod.spec, old.spec)) return;
  validateRemoved(out, "spec.initContainers", pod.spec.initContainers, old.spec.initContainers);
  validateRemoved(out, "spec.containers", pod.spec.containers, old.spec.containers);
  validateOthers(out, pod.spec, old.spec);
  if (out.length === 0 && !semanticallyEqual(withAmountsOf(pod.spec, old.spec), old.spec)) out.push(forbiddenField("spec", "only cpu and memory resources are mutable"));
}

const isSet = (r: ResourceRequirements | undefined): boolean => Object.keys({ ...r?.requests, ...r?.limits }).length > 0;

function validatePodLevel(out: Errors, { resources: now }: PodSpec, { resources: old }: PodSpec): void {
  if (!isSet(now) && !isSet(old)) return;
  if (old && !now) return void out.push(forbiddenField("spec.resources", "pod-level resources cannot be removed"));
  for (const kind of ["requests", "limits"] as const) if (old && isRemoved(now, old, kind)) out.push(forbiddenField(`spec.resources.${kind}`, `pod-level resource ${kind} cannot be removed`));
  if (!semanticallyEqual(withAmounts(now, old), old)) out.push(forbiddenField("spec", "only cpu and memory resources are mutable at pod-level"));
}

/** The same containers in the same places. */
function validateOrder(out: Errors, now: PodSpec, old: PodSpec): boolean {
  const before = out.length;
  for (const key of ["containers", "initContainers"] as const) {
    const list = now[key] ?? [];
    const was = old[key] ?? [];
    if (list.length !== was.length) out.push(forbiddenField(`spec.${key}`, `${key} may not be added or removed on resize`));
    else was.forEach((c, i) => {
      if (list[i]?.name !== c.name) out.push(forbiddenField(`spec.${key}[${i}].name`, `${key} may not be renamed or reordered on resize`));
    });
  }
  return out.length === before;
}

function isRemoved(now: ResourceRequirements | undefined, old: ResourceRequirements | undefined, kind: "requests" | "limits"): boolean {
  return Object.keys(old?.[kind] ?? {}).some((name) => own(now?.[kind], name) === undefined);
}

function validateRemoved(out: Errors, field: string, now: readonly Container[] | undefined, old: readonly Container[] | undefined): void {
  (old ?? []).forEach((c, i) => {
    for (const kind of ["requests", "limits"] as const) {
      if (isRemoved(now?.[i]?.resources, c.resources, kind)) out.push(forbiddenField(`${field}[${i}].resources.${kind}`, `resource ${kind} cannot be removed`));
    }
  });
}

/** What is left of a change when cpu and memory are put back as they were. */
function validateOthers(out: Errors, now: PodSpec, old: PodSpec): void {
  now.containers.forEach((c, i) => {
    if (!semanticallyEqual(withContainerAmounts(c, old.containers[i]), old.containers[i])) out.push(forbiddenField("spec", "only cpu and memory resources are mutable"));
  });
  (now.initContainers ?? []).forEach((c, i) => {
    const at = `spec.initContainers[${i}]`;
    const was = old.initContainers?.[i];
    if (!semanticallyEqual(withContainerAmounts(c, was), was)) out.push(forbiddenField(at, "only cpu and memory resources for init or sidecar containers are mutable"));
    if (c.restartPolicy === "Always" || semanticallyEqual(c, was)) return;
    for (const policy of c.resizePolicy ?? []) {
      if (policy.restartPolicy === "RestartContainer") out.push(forbiddenField(at, "non-sidecar init containers with a resize policy of RestartContainer cannot be resized"));
    }
  });
}

function withAmounts(now: ResourceRequirements | undefined, old: ResourceRequirements | undefined): ResourceRequirements | undefined {
  if (!now) return undefined;
  const list = (kind: "requests" | "limits") => {
    const { cpu: _c, memory: _m, ...others } = now[kind] ?? {};
    const { cpu, memory } = old?.[kind] ?? {};
    const all = { ...others, ...(cpu !== undefined && { cpu }), ...(memory !== undefined && { memory }) };
    return Object.keys(all).length > 0 ? all : undefined;
  };
  const { requests: _r, limits: _l, ...rest } = now;
  const [requests, limits] = [list("requests"), list("limits")];
  const amounts = { ...rest, ...(requests && { requests }), ...(limits && { limits }) };
  return old || isSet(amounts) || now.claims?.length ? amounts : undefined;
}

/** Claims are left out, as upstream does: a container that has some can't be resized. */
function withContainerAmounts(c: Container, old: Container | undefined): Container {
  const { requests, limits } = withAmounts(c.resources ?? {}, old?.resources ?? {}) ?? {};
  return { ...c, resources: { ...(requests && { requests }), ...(limits && { limits }) } };
}

function withAmountsOf(now: PodSpec, old: PodSpec): PodSpec {
  const resources = withAmounts(now.resources, old.resources);
  const { resources: _r, ...rest } = now;
  return {
    ...rest,
    containers: now.containers.map((c, i) => withContainerAmounts(c, old.containers[i])),
    ...(now.initContainers && { initContainers: now.initContainers.map((c, i) => withContainerAmounts(c, old.initContainers?.[i])) }),
    ...(resources && { resources }),
  };
}
