/**
 * The kinds ReplicaSet, Deployment and ReplicationController: so many pods of one template.
 * Follows kubernetes pkg/apis/apps/validation/validation.go, pkg/apis/apps/v1/{defaults,conversion}.go and pkg/registry/{apps,core}/…/strategy.go.
 */
import { forbiddenField, invalidValue, required } from "../../field-error.ts";
import type { Deployment, DeploymentSpec, DeploymentStrategy, PodTemplateSpec, ReplicaSet, ReplicationController } from "../../generated/types.ts";
import type { Resource } from "../../resource.ts";
import { type Errors, immutable, nonNegative, unsupported } from "../../validation/fields.ts";
import { formatLabelSelector } from "../../validation/labels.ts";
import { atMost100Percent, intOrPercent, numberOf } from "../../validation/percent.ts";
import { defineKind, keepField } from "../define.ts";
import { goSpelled } from "../go-spelling.ts";
import type { Draft, Kind } from "../kind.ts";
import { defaultPodTemplate } from "../pod/defaults.ts";
import { dropDisabledTemplateFields } from "../pod/disabled.ts";
import { validatePodTemplate } from "../pod/validation.ts";
import { nameWarnings, podTemplateWarnings } from "../pod/warnings.ts";
import { ageCell, containerCells, formatLabels } from "../printing.ts";
import { scaleOf } from "./scale.ts";
import { DEPLOYMENT_COUNTS, REPLICA_COUNTS, validateCounts } from "./status.ts";
import { labelsMatch, podsGoOn, requireSelector, validateReplicaTemplate } from "./template.ts";

/** Fills in a template where there is none yet. What comes from the store is frozen and has all that it needs. */
export function defaultTemplateOf(spec: { template?: Draft<PodTemplateSpec> }): void {
  spec.template ??= {};
  defaultPodTemplate(spec.template);
}

interface Made {
  readonly metadata: { readonly name?: string; readonly generation?: number };
  readonly spec?: { readonly template?: PodTemplateSpec };
}

export const templateWarnings = (o: Made): readonly string[] => podTemplateWarnings(o.spec?.template, "spec.template");
const dropDisabled = (draft: { readonly spec?: { readonly template?: Draft<PodTemplateSpec> } }): void => dropDisabledTemplateFields(draft.spec?.template);
const warningsOfNew = (o: Made): readonly string[] => [...nameWarnings(o.metadata.name), ...templateWarnings(o)];
/** Only of another generation than the one before. */
export const warningsOfChanged = (o: Made, old: Made): readonly string[] => (o.metadata.generation === old.metadata.generation ? [] : templateWarnings(o));

function validateReplicaSet(out: Errors, { spec }: ReplicaSet): void {
  nonNegative(out, "spec.replicas", spec.replicas);
  nonNegative(out, "spec.minReadySeconds", spec.minReadySeconds);
  requireSelector(out, spec.selector, "deployment");
  validateReplicaTemplate(out, spec.selector, spec.template ?? {});
}

export const replicaSetKind: Kind<ReplicaSet> = defineKind<ReplicaSet>({
  resource: { group: "apps", version: "v1", plural: "replicasets", kind: "ReplicaSet", namespaced: true },
  schema: "io.k8s.api.apps.v1.ReplicaSet",
  generation: "spec",
  printer: {
    cells: (o, now) => [o.metadata.name ?? "", o.spec.replicas ?? 0, o.status?.replicas ?? 0, o.status?.readyReplicas ?? 0, ageCell(o, now), ...containerCells(o.spec.template), formatLabelSelector(o.spec.selector)],
  },
  applyDefaults(draft) {
    draft.spec ??= { selector: {} };
    defaultTemplateOf(draft.spec);
    draft.spec.replicas ??= 1;
  },
  prepareCreate: dropDisabled,
  validate: validateReplicaSet,
  createWarnings: warningsOfNew,
  prepareUpdate: dropDisabled,
  metaOnUpdate: "update",
  validateUpdate(out, o, old) {
    validateReplicaSet(out, o);
    immutable(out, "spec.selector", o.spec.selector, old.spec.selector);
  },
  updateWarnings: warningsOfChanged,
  status: { validate: validateCounts(REPLICA_COUNTS) },
  scale: scaleOf<ReplicaSet>(),
});

function validateStrategy(out: Errors, strategy: DeploymentStrategy): void {
  const { type = "", rollingUpdate } = strategy;
  if (type === "Recreate") {
    if (rollingUpdate) out.push(forbiddenField("spec.strategy.rollingUpdate", "may not be specified when strategy `type` is 'Recreate'"));
  } else if (type === "RollingUpdate") {
    const { maxUnavailable = 0, maxSurge = 0 } = rollingUpdate ?? {};
    intOrPercent(out, "spec.strategy.rollingUpdate.maxUnavailable", maxUnavailable);
    intOrPercent(out, "spec.strategy.rollingUpdate.maxSurge", maxSurge);
    if (numberOf(maxUnavailable) === 0 && numberOf(maxSurge) === 0) out.push(invalidValue("spec.strategy.rollingUpdate.maxUnavailable", maxUnavailable, "may not be 0 when `maxSurge` is 0"));
    atMost100Percent(out, "spec.strategy.rollingUpdate.maxUnavailable", maxUnavailable);
  } else {
    const shown = { ...strategy, ...(rollingUpdate && { rollingUpdate: { maxUnavailable: 0, maxSurge: 0, ...rollingUpdate } }) };
    out.push(unsupported("spec.strategy", goSpelled("io.k8s.api.apps.v1.DeploymentStrategy", shown), ["Recreate", "RollingUpdate"]));
  }
}

const ROLLBACK = "deprecated.deployment.rollback.to";

function validateDeployment(out: Errors, { spec, metadata }: Deployment): void {
  nonNegative(out, "spec.replicas", spec.replicas);
  requireSelector(out, spec.selector, "deployment");
  validateReplicaTemplate(out, spec.selector, spec.template ?? {});
  validateStrategy(out, spec.strategy ?? {});
  nonNegative(out, "spec.minReadySeconds", spec.minReadySeconds);
  nonNegative(out, "spec.revisionHistoryLimit", spec.revisionHistoryLimit);
  if (metadata.annotations?.[ROLLBACK] !== undefined) nonNegative(out, "spec.rollback.version", Number(metadata.annotations[ROLLBACK]));
  const deadline = spec.progressDeadlineSeconds;
  nonNegative(out, "spec.progressDeadlineSeconds", deadline);
  if (deadline !== undefined && deadline <= (spec.minReadySeconds ?? 0)) out.push(invalidValue("spec.progressDeadlineSeconds", deadline, "must be greater than minReadySeconds"));
}

function defaultDeployment(spec: Draft<DeploymentSpec>): void {
  spec.replicas ??= 1;
  spec.strategy ??= {};
  spec.strategy.type ||= "RollingUpdate";
  if (spec.strategy.type === "RollingUpdate") {
    spec.strategy.rollingUpdate ??= {};
    spec.strategy.rollingUpdate.maxUnavailable ??= "25%";
    spec.strategy.rollingUpdate.maxSurge ??= "25%";
  }
  spec.revisionHistoryLimit ??= 10;
  spec.progressDeadlineSeconds ??= 600;
}

export const deploymentKind: Kind<Deployment> = defineKind<Deployment>({
  resource: { group: "apps", version: "v1", plural: "deployments", kind: "Deployment", namespaced: true },
  schema: "io.k8s.api.apps.v1.Deployment",
  generation: "spec and annotations",
  printer: {
    cells: (o, now) => [
      o.metadata.name ?? "", `${o.status?.readyReplicas ?? 0}/${o.spec.replicas ?? 0}`, o.status?.updatedReplicas ?? 0, o.status?.availableReplicas ?? 0, ageCell(o, now),
      ...containerCells(o.spec.template), formatLabelSelector(o.spec.selector),
    ],
  },
  applyDefaults(draft) {
    draft.spec ??= { selector: {}, template: {} };
    defaultTemplateOf(draft.spec);
    defaultDeployment(draft.spec);
    if (draft.metadata.annotations?.[ROLLBACK] === "") delete draft.metadata.annotations[ROLLBACK];
  },
  prepareCreate: dropDisabled,
  validate: validateDeployment,
  createWarnings: warningsOfNew,
  prepareUpdate: dropDisabled,
  metaOnUpdate: "update",
  validateUpdate(out, o, old) {
    validateDeployment(out, o);
    immutable(out, "spec.selector", o.spec.selector, old.spec.selector);
  },
  updateWarnings: warningsOfChanged,
  status: {
    prepare: (draft, old) => keepField(draft.metadata, old.metadata, "labels"),
    validate: validateCounts(DEPLOYMENT_COUNTS),
  },
  scale: scaleOf<Deployment>(),
});

const CONTROLLERS: Resource<ReplicationController> = { group: "", version: "v1", plural: "replicationcontrollers", kind: "ReplicationController", namespaced: true };

function validateController(out: Errors, o: ReplicationController): void {
  const { selector = {}, template, replicas, minReadySeconds } = o.spec ?? {};
  nonNegative(out, "spec.minReadySeconds", minReadySeconds);
  if (Object.keys(selector).length === 0) out.push(required("spec.selector"));
  nonNegative(out, "spec.replicas", replicas);
  if (!template) return void out.push(required("spec.template"));
  labelsMatch(out, { matchLabels: selector }, template);
  validatePodTemplate(out, template, "spec.template");
  podsGoOn(out, template, "ReplicationController");
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
  prepareCreate: dropDisabled,
  validate: validateController,
  createWarnings: warningsOfNew,
  prepareUpdate: dropDisabled,
  metaOnUpdate: "update",
  // Of the old template, where the template is another: upstream gives the two the wrong way round.
  updateWarnings: (o, old) => (o.metadata.generation === old.metadata.generation ? [] : templateWarnings(old)),
  status: { validate: validateCounts(REPLICA_COUNTS) },
  scale: scaleOf<ReplicationController>(),
  defaultPropagation: "Orphan",
  selectableFields: { "status.replicas": (o) => String(o.status?.replicas ?? 0) },
});
