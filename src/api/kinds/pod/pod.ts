/**
 * The kind Pod: what a client's create and update become before they are stored. Binding and eviction are the registry's doing.
 * Follows kubernetes pkg/registry/core/pod/strategy.go.
 */
import { own } from "../../../base/own.ts";
import type { LabelSelector, Pod, PodAffinityTerm, PodStatus, PodTemplate } from "../../generated/types.ts";
import { validateObjectMetaUpdate } from "../../object-meta.ts";
import { PODS, type Resource } from "../../resource.ts";
import { addressWarnings } from "../../validation/addresses.ts";
import { type Errors, semanticallyEqual } from "../../validation/fields.ts";
import { defineKind, keepField, keepMetaOfStatus } from "../define.ts";
import type { Draft, Kind, UpdateStrategy } from "../kind.ts";
import { containerCells, formatLabels } from "../printing.ts";
import { applyAppArmorAnnotations } from "./annotations.ts";
import { defaultPod, defaultPodTemplate } from "./defaults.ts";
import { dropDisabledFields, dropDisabledStatusFields, dropDisabledTemplateFields } from "./disabled.ts";
import { podPrinter } from "./printer.ts";
import { qosClassOf } from "./qos.ts";
import { keepAllButAmounts, validateResize } from "./resize.ts";
import { validatePodStatusUpdate } from "./status.ts";
import { validateEphemeralContainersUpdate, validatePodUpdate } from "./update.ts";
import { validatePodCreate, validatePodTemplate } from "./validation.ts";
import { podTemplateWarnings, podWarnings } from "./warnings.ts";

type Labels = Readonly<Record<string, string>>;

function addExpression(selector: Draft<LabelSelector> | undefined, labels: Labels, key: string, operator: "In" | "NotIn"): void {
  const value = own(labels, key);
  if (!selector || value === undefined) return;
  selector.matchExpressions = [...(selector.matchExpressions ?? []), { key, operator, values: [value] }];
}

/** Turns matchLabelKeys into expressions of the selector, with this pod's own values. Follows mutatePodAffinity. */
function applyMatchLabelKeys(pod: Draft<Pod>): void {
  const labels = pod.metadata.labels ?? {};
  const { podAffinity, podAntiAffinity } = pod.spec.affinity ?? {};
  const terms: Draft<PodAffinityTerm>[] = [podAffinity, podAntiAffinity].flatMap((a) => [
    ...(a?.preferredDuringSchedulingIgnoredDuringExecution ?? []).map((t) => t.podAffinityTerm),
    ...(a?.requiredDuringSchedulingIgnoredDuringExecution ?? []),
  ]);
  for (const term of terms) {
    for (const key of term.matchLabelKeys ?? []) addExpression(term.labelSelector, labels, key, "In");
    for (const key of term.mismatchLabelKeys ?? []) addExpression(term.labelSelector, labels, key, "NotIn");
  }
  for (const constraint of pod.spec.topologySpreadConstraints ?? []) {
    for (const key of constraint.matchLabelKeys ?? []) addExpression(constraint.labelSelector, labels, key, "In");
  }
}

function prepareCreate(draft: Draft<Pod>): void {
  draft.status = { phase: "Pending", qosClass: qosClassOf(draft.spec) };
  dropDisabledFields(draft.spec);
  if (draft.spec.schedulingGates?.length) {
    const now = draft.metadata.creationTimestamp;
    draft.status.conditions = [{ type: "PodScheduled", status: "False", ...(now !== undefined && { lastTransitionTime: now }), reason: "SchedulingGated", message: "Scheduling is blocked due to non-empty scheduling gates" }];
  }
  applyMatchLabelKeys(draft);
}

/** Who does not say which generation was observed leaves what was said before. Follows preserveOldObservedGeneration. */
function keepObservedGenerations(status: Draft<PodStatus>, old: PodStatus | undefined): void {
  if (!status.observedGeneration && old?.observedGeneration) status.observedGeneration = old.observedGeneration;
  const left = [...(old?.conditions ?? [])];
  status.conditions?.forEach((condition, i) => {
    const at = left.findIndex((c) => c.type === condition.type);
    const [before] = at < 0 ? [] : left.splice(at, 1);
    const { conditions } = status;
    if (conditions && !condition.observedGeneration && before?.observedGeneration) conditions[i] = { ...condition, observedGeneration: before.observedGeneration };
  });
}

/** Subresources that write a part of the spec: everything but that part stays as it was. */
function partOfSpec(keep: (draft: Draft<Pod>, old: Pod) => void, validate: (out: Errors, pod: Pod, old: Pod) => void): UpdateStrategy<Pod> {
  return {
    prepare(draft, old) {
      keep(draft, old);
      // Parts of the old spec are frozen, and defaults are filled in again when it is stored.
      draft.spec = structuredClone(draft.spec);
      keepMetaOfStatus(draft, old);
      keepField(draft, old, "status");
      dropDisabledFields(draft.spec);
      draft.metadata.generation = (old.metadata.generation ?? 0) + (semanticallyEqual(draft.spec, old.spec) ? 0 : 1);
    },
    validate(pod, old) {
      const out: Errors = [...validateObjectMetaUpdate(pod.metadata, old.metadata, true)];
      validate(out, pod, old);
      return out;
    },
  };
}

const ephemeralContainers = partOfSpec((draft, old) => {
  const containers = draft.spec.ephemeralContainers;
  const { ephemeralContainers: _e, ...spec } = old.spec as Draft<Pod>["spec"];
  draft.spec = { ...spec, ...(containers && { ephemeralContainers: containers }) };
}, validateEphemeralContainersUpdate);

const resize = partOfSpec(keepAllButAmounts, validateResize);

export const podKind: Kind<Pod> = defineKind<Pod>({
  resource: PODS,
  schema: "io.k8s.api.core.v1.Pod",
  printer: podPrinter,
  applyDefaults: defaultPod,
  generation: "spec",
  prepareCreate,
  validate: validatePodCreate,
  adaptCreate: applyAppArmorAnnotations,
  createWarnings: podWarnings,
  metaOnUpdate: "update",
  prepareUpdate: (draft) => dropDisabledFields(draft.spec),
  validateUpdate: validatePodUpdate,
  status: {
    prepare(draft, old) {
      // Old kubelets spoil owner references and the time of deletion when they write the status.
      keepField(draft.metadata, old.metadata, "deletionTimestamp");
      keepField(draft.metadata, old.metadata, "ownerReferences");
      draft.status ??= {};
      if (old.status?.qosClass !== undefined) draft.status.qosClass ||= old.status.qosClass;
      keepObservedGenerations(draft.status, old.status);
      dropDisabledStatusFields(draft.status);
    },
    validate: validatePodStatusUpdate,
    warnings: ({ status }) => (["podIPs", "hostIPs"] as const).flatMap((key) => (status?.[key] ?? []).flatMap(({ ip }, i) => addressWarnings(`status.${key}[${i}].ip`, ip))),
  },
  subresources: { ephemeralcontainers: ephemeralContainers, resize },
  deleteReturnsObject: true,
  sharesSpec: true,
  gracefulDelete: {
    gracePeriodSeconds(pod, options) {
      const wanted = options.gracePeriodSeconds ?? pod.spec.terminationGracePeriodSeconds ?? 0;
      if (!pod.spec.nodeName || pod.status?.phase === "Succeeded" || pod.status?.phase === "Failed") return 0;
      return wanted < 0 ? 1 : wanted;
    },
  },
  selectableFields: {
    "spec.nodeName": (o) => o.spec.nodeName ?? "",
    "spec.restartPolicy": (o) => o.spec.restartPolicy ?? "",
    "spec.schedulerName": (o) => o.spec.schedulerName ?? "",
    "spec.serviceAccountName": (o) => o.spec.serviceAccountName ?? "",
    "spec.hostNetwork": (o) => String(o.spec.hostNetwork ?? false),
    "status.phase": (o) => o.status?.phase ?? "",
    "status.podIP": (o) => o.status?.podIPs?.[0]?.ip ?? "",
    "status.podIPs": (o) => o.status?.podIPs?.[0]?.ip ?? "",
    "status.nominatedNodeName": (o) => o.status?.nominatedNodeName ?? "",
  },
});

const POD_TEMPLATES: Resource<PodTemplate> = { group: "", version: "v1", plural: "podtemplates", kind: "PodTemplate", namespaced: true };

export const podTemplateKind: Kind<PodTemplate> = defineKind<PodTemplate>({
  resource: POD_TEMPLATES,
  schema: "io.k8s.api.core.v1.PodTemplate",
  printer: { cells: (o) => [o.metadata.name ?? "", ...containerCells(o.template), formatLabels(o.template?.metadata?.labels)] },
  applyDefaults(draft) {
    draft.template ??= {};
    defaultPodTemplate(draft.template);
  },
  generation: "template",
  prepareCreate: (draft) => dropDisabledTemplateFields(draft.template),
  prepareUpdate: (draft) => dropDisabledTemplateFields(draft.template),
  validate: (out, o) => validatePodTemplate(out, o.template ?? {}, "template"),
  createWarnings: (o) => podTemplateWarnings(o.template, "template"),
  metaOnUpdate: "update",
  updateWarnings: (o, old) => (o.metadata.generation === old.metadata.generation ? [] : podTemplateWarnings(o.template, "template")),
  deleteReturnsObject: true,
});
