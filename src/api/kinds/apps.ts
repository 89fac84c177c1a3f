/**
 * The kinds of apps, ReplicationController and HorizontalPodAutoscaler: stored and shown, with their templates' defaults and the rules that
 * everyone meets; nothing runs them here.
 * Follows kubernetes pkg/apis/apps/v1/defaults.go, pkg/apis/apps/validation and pkg/printers/internalversion/printers.go.
 */
import type { Instant } from "../../base/clock.ts";
import { invalidValue, required } from "../field-error.ts";
import type { ControllerRevision, DaemonSet, Deployment, HorizontalPodAutoscaler, LabelSelector, PodTemplateSpec, ReplicaSet, ReplicationController, StatefulSet } from "../generated/types.ts";
import type { KubeObject } from "../object.ts";
import { controllerOf } from "../object.ts";
import type { Resource } from "../resource.ts";
import { type Errors, immutable, nonNegative, sortedMap, unsupported } from "../validation/fields.ts";
import { formatLabelSelector, matchesSelector, validateLabelSelector } from "../validation/labels.ts";
import { defineKind, type Generation, keepField, type KindRules, type StatusRules } from "./define.ts";
import type { Cell, Draft, Kind } from "./kind.ts";
import { defaultPodTemplate } from "./pod/defaults.ts";
import { validatePodTemplate } from "./pod/validation.ts";
import { ageCell, containerCells, formatLabels } from "./printing.ts";

const apps = <T extends object>(plural: string, kind: string): Resource<T> => ({ group: "apps", version: "v1", plural, kind, namespaced: true });

interface Workload extends KubeObject {
  readonly spec: { readonly replicas?: number; readonly minReadySeconds?: number; readonly selector?: LabelSelector; readonly template?: PodTemplateSpec };
}

function validateWorkload(out: Errors, o: Workload): void {
  const { selector, template = {}, replicas, minReadySeconds } = o.spec;
  nonNegative(out, "spec.replicas", replicas);
  if (!selector) out.push(required("spec.selector"));
  else {
    validateLabelSelector(out, "spec.selector", selector);
    if (!Object.keys(selector.matchLabels ?? {}).length && !selector.matchExpressions?.length) out.push(invalidValue("spec.selector", selector, "empty selector is invalid for deployment"));
  }
  const labels = template.metadata?.labels;
  if (selector && !matchesSelector(selector, labels)) out.push(invalidValue("spec.template.metadata.labels", labels ? sortedMap(labels) : null, "`selector` does not match template `labels`"));
  validatePodTemplate(out, template, "spec.template");
  const policy = template.spec?.restartPolicy;
  if (policy !== "Always") out.push(unsupported("spec.template.spec.restartPolicy", policy ?? "", ["Always"]));
  nonNegative(out, "spec.minReadySeconds", minReadySeconds);
}

function workload<T extends Workload>(rules: Pick<KindRules<T>, "resource" | "schema" | "printer"> & { readonly defaults: (draft: Draft<T>) => void; readonly generation?: Generation; readonly status?: StatusRules<T> }): Kind<T> {
  const { defaults, generation = "spec", status = {}, ...rest } = rules;
  return defineKind<T>({
    ...rest,
    generation,
    applyDefaults(draft) {
      const spec = Reflect.get(draft, "spec") as { template?: Draft<PodTemplateSpec> } | undefined;
      if (spec) {
        spec.template ??= {};
        defaultPodTemplate(spec.template);
      }
      defaults(draft);
    },
    validate: validateWorkload,
    metaOnUpdate: "update",
    validateUpdate(out, o, old) {
      validateWorkload(out, o);
      immutable(out, "spec.selector", o.spec.selector, old.spec.selector);
    },
    status,
  });
}

const selectorCells = (o: Workload): readonly Cell[] => [...containerCells(o.spec.template), formatLabelSelector(o.spec.selector)];

export const deploymentKind: Kind<Deployment> = workload<Deployment>({
  resource: apps("deployments", "Deployment"),
  schema: "io.k8s.api.apps.v1.Deployment",
  generation: "spec and annotations",
  status: { prepare: (draft, old) => keepField(draft.metadata, old.metadata, "labels") },
  printer: {
    cells: (o, now) => [o.metadata.name ?? "", `${o.status?.readyReplicas ?? 0}/${o.spec.replicas ?? 0}`, String(o.status?.updatedReplicas ?? 0), String(o.status?.availableReplicas ?? 0), ageCell(o, now), ...selectorCells(o)],
  },
  defaults({ spec }) {
    spec.replicas ??= 1;
    spec.strategy ??= {};
    spec.strategy.type ||= "RollingUpdate";
    if (spec.strategy.type === "RollingUpdate") spec.strategy.rollingUpdate = { maxUnavailable: "25%", maxSurge: "25%", ...spec.strategy.rollingUpdate };
    spec.revisionHistoryLimit ??= 10;
    spec.progressDeadlineSeconds ??= 600;
  },
});

export const replicaSetKind: Kind<ReplicaSet> = workload<ReplicaSet>({
  resource: apps("replicasets", "ReplicaSet"),
  schema: "io.k8s.api.apps.v1.ReplicaSet",
  printer: { cells: (o, now) => [o.metadata.name ?? "", o.spec.replicas ?? 0, o.status?.replicas ?? 0, o.status?.readyReplicas ?? 0, ageCell(o, now), ...selectorCells(o)] },
  defaults({ spec }) {
    spec.replicas ??= 1;
  },
});

export const statefulSetKind: Kind<StatefulSet> = workload<StatefulSet>({
  resource: apps("statefulsets", "StatefulSet"),
  schema: "io.k8s.api.apps.v1.StatefulSet",
  printer: { cells: (o, now) => [o.metadata.name ?? "", `${o.status?.readyReplicas ?? 0}/${o.spec.replicas ?? 0}`, ageCell(o, now), ...containerCells(o.spec.template)] },
  defaults({ spec }) {
    spec.podManagementPolicy ||= "OrderedReady";
    spec.updateStrategy ??= {};
    spec.updateStrategy.type ||= "RollingUpdate";
    if (spec.updateStrategy.type === "RollingUpdate") spec.updateStrategy.rollingUpdate = { partition: 0, ...spec.updateStrategy.rollingUpdate };
    spec.persistentVolumeClaimRetentionPolicy = { whenDeleted: "Retain", whenScaled: "Retain", ...spec.persistentVolumeClaimRetentionPolicy };
    spec.replicas ??= 1;
    spec.revisionHistoryLimit ??= 10;
  },
});

export const daemonSetKind: Kind<DaemonSet> = workload<DaemonSet>({
  resource: apps("daemonsets", "DaemonSet"),
  schema: "io.k8s.api.apps.v1.DaemonSet",
  printer: {
    cells: (o, now) => [
      o.metadata.name ?? "", o.status?.desiredNumberScheduled ?? 0, o.status?.currentNumberScheduled ?? 0, o.status?.numberReady ?? 0, o.status?.updatedNumberScheduled ?? 0, o.status?.numberAvailable ?? 0,
      formatLabels(o.spec.template.spec?.nodeSelector), ageCell(o, now), ...selectorCells(o),
    ],
  },
  defaults({ spec }) {
    spec.updateStrategy ??= {};
    spec.updateStrategy.type ||= "RollingUpdate";
    if (spec.updateStrategy.type === "RollingUpdate") spec.updateStrategy.rollingUpdate = { maxUnavailable: 1, maxSurge: 0, ...spec.updateStrategy.rollingUpdate };
    spec.revisionHistoryLimit ??= 10;
  },
});

export const controllerRevisionKind: Kind<ControllerRevision> = defineKind<ControllerRevision>({
  resource: apps("controllerrevisions", "ControllerRevision"),
  schema: "io.k8s.api.apps.v1.ControllerRevision",
  printer: {
    cells(o, now) {
      const owner = controllerOf(o);
      const group = owner?.apiVersion.includes("/") ? `.${owner.apiVersion.split("/")[0] ?? ""}` : "";
      return [o.metadata.name ?? "", owner ? `${owner.kind.toLowerCase()}${group}/${owner.name}` : "<none>", String(o.revision), ageCell(o, now)];
    },
  },
  validate(out, o) {
    if (o.data === undefined) out.push(required("data", "data is mandatory"));
    nonNegative(out, "revision", o.revision);
  },
  validateUpdate(out, o, old) {
    nonNegative(out, "revision", o.revision);
    immutable(out, "data", o.data ?? null, old.data ?? null);
  },
});

const CONTROLLERS: Resource<ReplicationController> = { group: "", version: "v1", plural: "replicationcontrollers", kind: "ReplicationController", namespaced: true };

function validateController(out: Errors, o: ReplicationController): void {
  const { selector = {}, template, replicas, minReadySeconds } = o.spec ?? {};
  nonNegative(out, "spec.minReadySeconds", minReadySeconds);
  if (Object.keys(selector).length === 0) out.push(required("spec.selector"));
  nonNegative(out, "spec.replicas", replicas);
  if (!template) return void out.push(required("spec.template"));
  const labels = template.metadata?.labels;
  if (Object.keys(selector).length > 0 && !matchesSelector({ matchLabels: selector }, labels)) out.push(invalidValue("spec.template.metadata.labels", labels ? sortedMap(labels) : null, "`selector` does not match template `labels`"));
  validatePodTemplate(out, template, "spec.template");
  const policy = template.spec?.restartPolicy;
  if (policy !== "Always") out.push(unsupported("spec.template.spec.restartPolicy", policy ?? "", ["Always"]));
}

export const replicationControllerKind: Kind<ReplicationController> = defineKind<ReplicationController>({
  resource: CONTROLLERS,
  schema: "io.k8s.api.core.v1.ReplicationController",
  printer: {
    cells: (o, now) => [o.metadata.name ?? "", o.spec?.replicas ?? 0, o.status?.replicas ?? 0, o.status?.readyReplicas ?? 0, ageCell(o, now), ...containerCells(o.spec?.template), formatLabels(o.spec?.selector)],
  },
  applyDefaults(draft) {
    draft.spec ??= {};
    const { spec, metadata } = draft;
    const labels = spec.template?.metadata?.labels;
    if (labels) {
      if (!Object.keys(spec.selector ?? {}).length) spec.selector = { ...labels };
      if (!Object.keys(metadata.labels ?? {}).length) metadata.labels = { ...labels };
    }
    spec.replicas ??= 1;
    if (spec.template) defaultPodTemplate(spec.template);
  },
  generation: "spec",
  validate: validateController,
  metaOnUpdate: "update",
  status: {},
  defaultPropagation: "Orphan",
  selectableFields: { "status.replicas": (o) => String(o.status?.replicas ?? 0) },
});

const autoscaler = (version: string): Kind<HorizontalPodAutoscaler> =>
  defineKind<HorizontalPodAutoscaler>({
    resource: { group: "autoscaling", version, plural: "horizontalpodautoscalers", kind: "HorizontalPodAutoscaler", namespaced: true },
    schema: `io.k8s.api.autoscaling.${version}.HorizontalPodAutoscaler`,
    printer: {
      cells: (o, now: Instant) => [
        o.metadata.name ?? "", `${o.spec?.scaleTargetRef?.kind ?? ""}/${o.spec?.scaleTargetRef?.name ?? ""}`, "<none>", o.spec?.minReplicas === undefined ? "<unset>" : String(o.spec.minReplicas),
        String(o.spec?.maxReplicas ?? 0), String(o.status?.currentReplicas ?? 0), ageCell(o, now),
      ],
    },
    applyDefaults(draft) {
      if (draft.spec) draft.spec.minReplicas ??= 1;
    },
    metaOnUpdate: "update",
    status: {},
  });

export const autoscalerKinds: readonly Kind<HorizontalPodAutoscaler>[] = [autoscaler("v1"), autoscaler("v2")];
