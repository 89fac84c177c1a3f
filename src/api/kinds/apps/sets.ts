/**
 * The kinds DaemonSet, StatefulSet and ControllerRevision.
 * Follows kubernetes pkg/apis/apps/validation/validation.go, pkg/apis/apps/v1/{defaults,conversion}.go and pkg/registry/apps/…/strategy.go.
 */
import { invalidValue, forbiddenField, required } from "../../field-error.ts";
import type { ControllerRevision, DaemonSet, DaemonSetUpdateStrategy, PodTemplateSpec, StatefulSet, StatefulSetSpec } from "../../generated/types.ts";
import { isDns1123Label, labelName } from "../../names.ts";
import { controllerOf } from "../../object.ts";
import type { Resource } from "../../resource.ts";
import { type Errors, immutable, nonNegative, reasons, semanticallyEqual, unsupported } from "../../validation/fields.ts";
import { formatLabelSelector, validateAnnotations, validateLabels, validateLabelSelector } from "../../validation/labels.ts";
import { atMost100Percent, intOrPercent, numberOf } from "../../validation/percent.ts";
import { defineKind } from "../define.ts";
import { goSpelled } from "../go-spelling.ts";
import type { Draft, Kind } from "../kind.ts";
import { validatePodAnnotations } from "../pod/annotations.ts";
import { dropDisabledTemplateFields } from "../pod/disabled.ts";
import { validatePodTemplate } from "../pod/validation.ts";
import { ageCell, containerCells, formatLabels } from "../printing.ts";
import { claimSpecWarnings, defaultClaim, validateClaimSpec } from "../storage/claim-spec.ts";
import { defaultTemplateOf, templateWarnings, warningsOfChanged } from "./replicas.ts";
import { scaleOf } from "./scale.ts";
import { DAEMON_COUNTS, STATEFUL_COUNTS, validateCounts } from "./status.ts";
import { canSelect, isEmptySelector, labelsMatch, podsGoOn, requireSelector, shownSelector } from "./template.ts";

const apps = <T extends object>(plural: string, kind: string): Resource<T> => ({ group: "apps", version: "v1", plural, kind, namespaced: true });

/** How often the template has changed: a field of the internal type, shown as an annotation. */
const TEMPLATE_GENERATION = "deprecated.daemonset.template.generation";

const templateGenerationOf = (o: { readonly metadata: { readonly annotations?: Readonly<Record<string, string>> } }): number => Number(o.metadata.annotations?.[TEMPLATE_GENERATION] ?? 0);

function setTemplateGeneration(draft: Draft<DaemonSet>, generation: number): void {
  draft.metadata.annotations = { ...draft.metadata.annotations, [TEMPLATE_GENERATION]: String(generation) };
}

function validateDaemonStrategy(out: Errors, strategy: DaemonSetUpdateStrategy): void {
  const field = "spec.updateStrategy.rollingUpdate";
  if (strategy.type === "OnDelete") return;
  if (strategy.type !== "RollingUpdate") {
    const shown = { ...strategy, ...(strategy.rollingUpdate && { rollingUpdate: { maxUnavailable: 0, maxSurge: 0, ...strategy.rollingUpdate } }) };
    return void out.push(unsupported("spec.updateStrategy", goSpelled("io.k8s.api.apps.v1.DaemonSetUpdateStrategy", shown), ["RollingUpdate", "OnDelete"]));
  }
  const { maxUnavailable = 0, maxSurge = 0 } = strategy.rollingUpdate ?? {};
  intOrPercent(out, `${field}.maxUnavailable`, maxUnavailable);
  intOrPercent(out, `${field}.maxSurge`, maxSurge);
  atMost100Percent(out, `${field}.maxUnavailable`, maxUnavailable);
  atMost100Percent(out, `${field}.maxSurge`, maxSurge);
  const [unavailable, surge] = [numberOf(maxUnavailable) !== 0, numberOf(maxSurge) !== 0];
  if (unavailable && surge) out.push(invalidValue(`${field}.maxSurge`, maxSurge, "may not be set when maxUnavailable is non-zero"));
  if (!unavailable && !surge) out.push(required(`${field}.maxUnavailable`, "cannot be 0 when maxSurge is 0"));
}

function validateDaemonSet(out: Errors, o: DaemonSet): void {
  const { selector, template, minReadySeconds, updateStrategy, revisionHistoryLimit } = o.spec;
  validateLabelSelector(out, "spec.selector", selector);
  if (canSelect(selector)) labelsMatch(out, selector, template ?? {});
  if (selector && isEmptySelector(selector)) out.push(invalidValue("spec.selector", shownSelector(selector), "empty selector is invalid for daemonset"));
  validatePodTemplate(out, template ?? {}, "spec.template");
  podsGoOn(out, template ?? {}, "DaemonSet");
  nonNegative(out, "spec.minReadySeconds", minReadySeconds);
  nonNegative(out, "spec.templateGeneration", templateGenerationOf(o));
  validateDaemonStrategy(out, updateStrategy ?? {});
  nonNegative(out, "spec.revisionHistoryLimit", revisionHistoryLimit);
}

export const daemonSetKind: Kind<DaemonSet> = defineKind<DaemonSet>({
  resource: apps("daemonsets", "DaemonSet"),
  schema: "io.k8s.api.apps.v1.DaemonSet",
  generation: "spec",
  printer: {
    hiddenAnnotations: [TEMPLATE_GENERATION],
    cells: (o, now) => [
      o.metadata.name ?? "", o.status?.desiredNumberScheduled ?? 0, o.status?.currentNumberScheduled ?? 0, o.status?.numberReady ?? 0, o.status?.updatedNumberScheduled ?? 0, o.status?.numberAvailable ?? 0,
      formatLabels(o.spec.template.spec?.nodeSelector), ageCell(o, now), ...containerCells(o.spec.template), formatLabelSelector(o.spec.selector),
    ],
  },
  applyDefaults(draft) {
    draft.spec ??= { selector: {}, template: {} };
    const { spec } = draft;
    defaultTemplateOf(spec);
    spec.updateStrategy ??= {};
    spec.updateStrategy.type ||= "RollingUpdate";
    if (spec.updateStrategy.type === "RollingUpdate") {
      spec.updateStrategy.rollingUpdate ??= {};
      spec.updateStrategy.rollingUpdate.maxUnavailable ??= 1;
      spec.updateStrategy.rollingUpdate.maxSurge ??= 0;
    }
    spec.revisionHistoryLimit ??= 10;
    setTemplateGeneration(draft, templateGenerationOf(draft));
  },
  prepareCreate(draft) {
    setTemplateGeneration(draft, Math.max(1, templateGenerationOf(draft)));
    dropDisabledTemplateFields(draft.spec.template);
  },
  validate: validateDaemonSet,
  createWarnings: templateWarnings,
  prepareUpdate(draft, old) {
    dropDisabledTemplateFields(draft.spec.template);
    const changed = !semanticallyEqual(draft.spec.template, old.spec.template);
    setTemplateGeneration(draft, templateGenerationOf(old) + (changed ? 1 : 0));
  },
  metaOnUpdate: "update",
  validateUpdate(out, o, old) {
    immutable(out, "spec.selector", o.spec.selector, old.spec.selector);
    validateDaemonSet(out, o);
  },
  updateWarnings: (o, old) => (templateGenerationOf(o) === templateGenerationOf(old) ? [] : templateWarnings(o)),
  status: {
    prepare: (draft, old) => setTemplateGeneration(draft, templateGenerationOf(old)),
    validate: validateCounts(DAEMON_COUNTS),
  },
});

function validateStatefulStrategy(out: Errors, spec: StatefulSetSpec): void {
  const { type = "", rollingUpdate } = spec.updateStrategy ?? {};
  const field = "spec.updateStrategy";
  const schema = "io.k8s.api.apps.v1.StatefulSetUpdateStrategy";
  if (type === "OnDelete") {
    if (rollingUpdate) out.push(invalidValue(`${field}.rollingUpdate`, goSpelled("io.k8s.api.apps.v1.RollingUpdateStatefulSetStrategy", { partition: 0, ...rollingUpdate }), "only allowed for updateStrategy 'RollingUpdate'"));
  } else if (type === "RollingUpdate") {
    nonNegative(out, `${field}.rollingUpdate.partition`, rollingUpdate?.partition);
    const most = rollingUpdate?.maxUnavailable;
    if (most === undefined) return;
    intOrPercent(out, `${field}.rollingUpdate.maxUnavailable`, most);
    if (numberOf(most) === 0) out.push(invalidValue(`${field}.rollingUpdate.maxUnavailable`, most, "cannot be 0"));
    atMost100Percent(out, `${field}.rollingUpdate.maxUnavailable`, most);
  } else {
    const shown = { type, ...(rollingUpdate && { rollingUpdate: { partition: 0, ...rollingUpdate } }) };
    out.push(invalidValue(field, goSpelled(schema, shown), "must be 'RollingUpdate' or 'OnDelete'"));
  }
}

function validateRetention(out: Errors, spec: StatefulSetSpec): void {
  const policy = spec.persistentVolumeClaimRetentionPolicy;
  for (const key of ["whenDeleted", "whenScaled"] as const) {
    const value = policy?.[key] ?? "";
    if (policy && value !== "Retain" && value !== "Delete") out.push(unsupported(`spec.persistentVolumeClaimRetentionPolicy.${key}`, value, ["Retain", "Delete"]));
  }
}

/** Hostname and subdomain are the set's to say, and a claim template is a volume. */
function templateOfPods(spec: StatefulSetSpec): PodTemplateSpec {
  const { template, volumeClaimTemplates = [] } = spec;
  const { hostname: _hostname, subdomain: _subdomain, ...pod } = template.spec ?? { containers: [] };
  if (volumeClaimTemplates.length === 0) return { ...template, spec: pod };
  const claims = new Map(volumeClaimTemplates.map(({ metadata }) => [metadata?.name ?? "", { name: metadata?.name ?? "", persistentVolumeClaim: { claimName: metadata?.name ?? "" } }]));
  return { ...template, spec: { ...pod, volumes: [...claims.values(), ...(pod.volumes ?? []).filter((v) => !claims.has(v.name))] } };
}

function validateStatefulTemplate(out: Errors, spec: StatefulSetSpec): void {
  const { selector } = spec;
  if (!canSelect(selector)) out.push(invalidValue("spec.selector", shownSelector(selector), ""));
  else {
    const template = templateOfPods(spec);
    const { metadata } = template;
    labelsMatch(out, selector, template);
    validatePodTemplate(out, template, "spec.template");
    // Once more, as upstream.
    validateLabels(out, "spec.template.labels", metadata?.labels);
    validateAnnotations(out, "spec.template.annotations", metadata?.annotations);
    validatePodAnnotations(out, "spec.template.annotations", metadata, template.spec ?? { containers: [] });
  }
  podsGoOn(out, spec.template ?? {}, "StatefulSet");
}

/** `old`: what can't be changed was taken already. */
function validateStatefulSet(out: Errors, { spec }: StatefulSet, old?: StatefulSet): void {
  const policy = spec.podManagementPolicy ?? "";
  if (policy !== "OrderedReady" && policy !== "Parallel") out.push(invalidValue("spec.podManagementPolicy", policy, "must be 'OrderedReady' or 'Parallel'"));
  validateStatefulStrategy(out, spec);
  validateRetention(out, spec);
  if (!old) (spec.volumeClaimTemplates ?? []).forEach((claim, i) => validateClaimSpec(out, `spec.volumeClaimTemplates[${i}].spec`, claim.spec));
  nonNegative(out, "spec.replicas", spec.replicas);
  nonNegative(out, "spec.minReadySeconds", spec.minReadySeconds);
  nonNegative(out, "spec.ordinals.start", spec.ordinals?.start);
  if (!old && spec.serviceName) reasons(out, "spec.serviceName", spec.serviceName, isDns1123Label(spec.serviceName));
  requireSelector(out, spec.selector, "statefulset");
  validateStatefulTemplate(out, spec);
}

const MUTABLE = ["replicas", "template", "updateStrategy", "minReadySeconds", "ordinals", "revisionHistoryLimit", "persistentVolumeClaimRetentionPolicy"] as const;

function fixedPart(spec: StatefulSetSpec): object {
  const fixed: Record<string, unknown> = { ...spec };
  for (const key of MUTABLE) delete fixed[key];
  return fixed;
}

function statefulWarnings(o: StatefulSet, claims: string): readonly string[] {
  const { volumeClaimTemplates = [], revisionHistoryLimit = 0 } = o.spec;
  return [
    ...volumeClaimTemplates.flatMap((claim, i) => claimSpecWarnings(claim.spec, `spec.volumeClaimTemplates[${i}]${claims}`)),
    ...(revisionHistoryLimit < 0 ? ["spec.revisionHistoryLimit: a negative value retains all historical revisions; a value >= 0 is recommended"] : []),
  ];
}

/** How many pods may be down at a time is behind a gate that is closed by default. */
function dropDisabled(draft: Draft<StatefulSet>, old?: StatefulSet): void {
  dropDisabledTemplateFields(draft.spec.template);
  if (old?.spec.updateStrategy?.rollingUpdate?.maxUnavailable === undefined) delete draft.spec.updateStrategy?.rollingUpdate?.maxUnavailable;
}

function defaultStatefulSet(spec: Draft<StatefulSetSpec>): void {
  defaultTemplateOf(spec);
  spec.podManagementPolicy ||= "OrderedReady";
  spec.updateStrategy ??= {};
  if (!spec.updateStrategy.type) {
    spec.updateStrategy.type = "RollingUpdate";
    spec.updateStrategy.rollingUpdate ??= {};
  }
  if (spec.updateStrategy.type === "RollingUpdate" && spec.updateStrategy.rollingUpdate) spec.updateStrategy.rollingUpdate.partition ??= 0;
  spec.persistentVolumeClaimRetentionPolicy ??= {};
  spec.persistentVolumeClaimRetentionPolicy.whenDeleted ||= "Retain";
  spec.persistentVolumeClaimRetentionPolicy.whenScaled ||= "Retain";
  spec.replicas ??= 1;
  spec.revisionHistoryLimit ??= 10;
  for (const claim of spec.volumeClaimTemplates ?? []) {
    if (Object.isFrozen(claim)) continue;
    claim.apiVersion = "v1";
    claim.kind = "PersistentVolumeClaim";
    defaultClaim(claim);
  }
}

export const statefulSetKind: Kind<StatefulSet> = defineKind<StatefulSet>({
  resource: apps("statefulsets", "StatefulSet"),
  schema: "io.k8s.api.apps.v1.StatefulSet",
  validateName: labelName,
  generation: "spec",
  printer: { cells: (o, now) => [o.metadata.name ?? "", `${o.status?.readyReplicas ?? 0}/${o.spec.replicas ?? 0}`, ageCell(o, now), ...containerCells(o.spec.template)] },
  applyDefaults(draft) {
    draft.spec ??= { selector: {}, template: {} };
    defaultStatefulSet(draft.spec);
  },
  prepareCreate: (draft) => dropDisabled(draft),
  validate: (out, o) => validateStatefulSet(out, o),
  createWarnings: (o) => [...templateWarnings(o), ...statefulWarnings(o, "")],
  prepareUpdate: dropDisabled,
  metaOnUpdate: "update",
  validateUpdate(out, o, old) {
    validateStatefulSet(out, o, old);
    if (!semanticallyEqual(fixedPart(o.spec), fixedPart(old.spec))) {
      out.push(forbiddenField("spec", "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden"));
    }
  },
  updateWarnings: (o, old) => [...warningsOfChanged(o, old), ...statefulWarnings(o, ".Spec")],
  status: { validate: validateCounts(STATEFUL_COUNTS) },
  scale: scaleOf<StatefulSet>(),
});

function validateRevisionData(out: Errors, data: unknown): void {
  if (data === undefined || data === null) out.push(required("data", "data is mandatory"));
  else if (typeof data !== "object" || Array.isArray(data)) out.push(required("data", "data must be a valid JSON object"));
}

export const controllerRevisionKind: Kind<ControllerRevision> = defineKind<ControllerRevision>({
  resource: apps("controllerrevisions", "ControllerRevision"),
  schema: "io.k8s.api.apps.v1.ControllerRevision",
  printer: {
    cells(o, now) {
      const owner = controllerOf(o);
      const group = owner?.apiVersion.includes("/") ? `.${owner.apiVersion.split("/")[0] ?? ""}` : "";
      return [o.metadata.name ?? "", owner ? `${owner.kind.toLowerCase()}${group}/${owner.name}` : "<none>", o.revision ?? 0, ageCell(o, now)];
    },
  },
  validate(out, o) {
    nonNegative(out, "revision", o.revision);
    validateRevisionData(out, o.data);
  },
  validateUpdate(out, o, old) {
    nonNegative(out, "revision", o.revision);
    immutable(out, "data", o.data ?? null, old.data ?? null);
  },
});
