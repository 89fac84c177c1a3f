/**
 * The kind Node.
 * Follows kubernetes pkg/registry/core/node/strategy.go and pkg/apis/core/validation (ValidateNode, ValidateNodeUpdate).
 */
import { duplicate, forbiddenField, invalidValue, required } from "../../field-error.ts";
import type { Node, Taint } from "../../generated/types.ts";
import { goQuote } from "../../go-quote.ts";
import { isLabelValue, isQualifiedName, subdomainName } from "../../names.ts";
import { validateObjectMeta, validateObjectMetaUpdate } from "../../object-meta.ts";
import { NODES } from "../../resource.ts";
import { cidrWarnings, familyOf, isCidr, isValidCidr } from "../../validation/addresses.ts";
import { type Errors, positive, reasons, unsupported } from "../../validation/fields.ts";
import { defineKind } from "../define.ts";
import type { Cell, Draft, Kind } from "../kind.ts";
import { validateQuantityValue } from "../pod/resources.ts";
import { ageCell } from "../printing.ts";
import type { Instant } from "../../../base/clock.ts";

const ROLE_PREFIX = "node-role.kubernetes.io/";
const EFFECTS = ["NoSchedule", "PreferNoSchedule", "NoExecute"];

function rolesOf(node: Node): string {
  const roles = new Set<string>();
  for (const [key, value] of Object.entries(node.metadata.labels ?? {})) {
    if (key.startsWith(ROLE_PREFIX) && key.length > ROLE_PREFIX.length) roles.add(key.slice(ROLE_PREFIX.length));
    else if (key === "kubernetes.io/role" && value !== "") roles.add(value);
  }
  return roles.size === 0 ? "<none>" : [...roles].sort().join(",");
}

function statusOf(node: Node): string {
  const ready = (node.status?.conditions ?? []).filter((c) => c.type === "Ready").at(-1);
  const words = [ready ? (ready.status === "True" ? "Ready" : "NotReady") : "Unknown"];
  if (node.spec?.unschedulable) words.push("SchedulingDisabled");
  return words.join(",");
}

const addressOf = (node: Node, type: string): string => node.status?.addresses?.find((a) => a.type === type)?.address ?? "<none>";

function cells(node: Node, now: Instant): readonly Cell[] {
  const info = node.status?.nodeInfo;
  const unknown = (text: string | undefined) => text || "<unknown>";
  return [
    node.metadata.name ?? "",
    statusOf(node),
    rolesOf(node),
    ageCell(node, now),
    info?.kubeletVersion ?? "",
    addressOf(node, "InternalIP"),
    addressOf(node, "ExternalIP"),
    unknown(info?.osImage),
    unknown(info?.kernelVersion),
    unknown(info?.containerRuntimeVersion),
  ];
}

function validateTaints(out: Errors, taints: readonly Taint[] | undefined): void {
  const seen = new Set<string>();
  (taints ?? []).forEach((taint, i) => {
    const field = `metadata.taints[${i}]`;
    reasons(out, `${field}.key`, taint.key ?? "", isQualifiedName(taint.key ?? ""));
    const value = isLabelValue(taint.value ?? "");
    if (value.length > 0) out.push(invalidValue(`${field}.value`, taint.value ?? "", value.join(";")));
    if (!taint.effect) out.push(required(`${field}.effect`));
    else if (!EFFECTS.includes(taint.effect)) out.push(unsupported(`${field}.effect`, taint.effect, EFFECTS));
    const key = `${taint.effect}/${taint.key}`;
    if (seen.has(key)) {
      const shown = { Key: taint.key, Value: taint.value ?? "", Effect: taint.effect, TimeAdded: taint.timeAdded ?? null };
      out.push({ ...duplicate(field, shown), message: `Duplicate value: ${JSON.stringify(shown)}: taints must be unique by key and effect pair` });
    }
    seen.add(key);
  });
}

function validateResources(out: Errors, node: Node): void {
  for (const kind of ["capacity", "allocatable"] as const) {
    for (const [name, value] of Object.entries(node.status?.[kind] ?? {})) validateQuantityValue(out, `status.${kind}.${name}`, name, value);
  }
}

const FEATURE = /^[A-Z][a-zA-Z0-9]*(\/[a-zA-Z][a-zA-Z0-9]*)*$/;
const FEATURE_MAX = 253;

function featureProblem(name: string): string | undefined {
  const problem = Buffer.byteLength(name) > FEATURE_MAX
    ? `must be no more than ${FEATURE_MAX} characters`
    : FEATURE.test(name) ? undefined : "must start with an UpperCamelCase segment, with subsequent segments separated by '/' (e.g., MyFeature or MyFeature/mySubFeature), and contain only alphanumeric characters and slashes";
  return problem && `invalid feature name ${goQuote(name)}: ${problem}`;
}

/** Sorted, each once. Follows validateNodeDeclaredFeatures. */
function validateFeatures(out: Errors, features: readonly string[] = []): void {
  features.forEach((feature, i) => {
    const problem = featureProblem(feature);
    if (problem !== undefined) out.push(invalidValue(`status.declaredFeatures[${i}]`, feature, problem));
    const next = features[i + 1];
    if (next === feature) out.push(duplicate(`status.declaredFeatures[${i + 1}]`, next));
    else if (next !== undefined && next < feature) out.push(invalidValue(`status.declaredFeatures[${i + 1}]`, next, "list must be sorted alphabetically"));
  });
}

function validatePodCidrs(out: Errors, cidrs: readonly string[] = []): void {
  cidrs.forEach((cidr, i) => isCidr(out, `spec.podCIDRs[${i}]`, cidr));
  if (cidrs.length < 2) return;
  const at = cidrs.findIndex((cidr) => !isValidCidr(cidr));
  const broken = cidrs[at];
  if (broken !== undefined) out.push({ type: "Internal", field: "spec.podCIDRs", message: `Internal error: invalid PodCIDRs. failed to check with dual stack with error:invalid CIDR[${at}]: <nil> (invalid CIDR address: ${broken})` });
  const families = new Set(cidrs.map((cidr) => familyOf(cidr.split("/")[0] ?? "")));
  if (broken !== undefined || families.size < 2 || cidrs.length > 2) out.push(invalidValue("spec.podCIDRs", cidrs, "may specify no more than one CIDR for each IP family"));
}

function validate(out: Errors, node: Node): void {
  validateTaints(out, node.spec?.taints);
  validateResources(out, node);
  const swap = node.status?.nodeInfo?.swap?.capacity;
  if (swap !== undefined) positive(out, "metadata.nodeSwapStatus.capacity", swap);
  validateFeatures(out, node.status?.declaredFeatures);
  validatePodCidrs(out, node.spec?.podCIDRs);
}

function validateChange(out: Errors, node: Node, old: Node): void {
  validateResources(out, node);
  validateFeatures(out, node.status?.declaredFeatures);
  const seen = new Set<string>();
  (node.status?.addresses ?? []).forEach((address, i) => {
    const key = `${address.type}/${address.address}`;
    if (seen.has(key)) out.push(duplicate(`status.addresses[${i}]`, { Type: address.type, Address: address.address }));
    seen.add(key);
  });
  const [before, now] = [old.spec?.podCIDRs ?? [], node.spec?.podCIDRs ?? []];
  const changed = before.length > 0 && before.length !== now.length ? 1 : before.filter((cidr, i) => cidr !== now[i]).length;
  for (let n = 0; n < changed; n++) out.push(forbiddenField("spec.podCIDRs", `node updates may not change podCIDR except from "" to valid`));
  if (old.spec?.providerID && old.spec.providerID !== node.spec?.providerID) out.push(forbiddenField("spec.providerID", `node updates may not change providerID except from "" to valid`));
  validateTaints(out, node.spec?.taints);
  if ((node.spec?.externalID ?? "") !== (old.spec?.externalID ?? "")) out.push(forbiddenField("spec.externalID", "may not be updated"));
}

/** The kind's own rules on an update are those of a create, then those of the change; the metadata is looked at by both. */
function validateUpdate(out: Errors, node: Node, old: Node): void {
  out.push(...validateObjectMeta(node.metadata, { namespaced: false, validateName: subdomainName, builtIn: true }));
  validate(out, node);
  out.push(...validateObjectMetaUpdate(node.metadata, old.metadata, true));
  validateChange(out, node, old);
}

function warnings({ spec }: Node): readonly string[] {
  return [
    ...(spec?.configSource ? ["spec.configSource: the feature is removed"] : []),
    ...(spec?.externalID ? ["spec.externalID: this field is deprecated, and is unused by Kubernetes"] : []),
    ...(spec?.podCIDRs ?? []).flatMap((cidr, i) => cidrWarnings(`spec.podCIDRs[${i}]`, cidr)),
  ];
}

/** The kubelet's configuration once came from there. */
function dropConfig(draft: Draft<Node>, old: Node | undefined): void {
  if (old?.spec?.configSource === undefined) delete draft.spec?.configSource;
  if (!old) delete draft.status?.config;
}

export const nodeKind: Kind<Node> = defineKind<Node>({
  resource: NODES,
  schema: "io.k8s.api.core.v1.Node",
  printer: { cells },
  applyDefaults(draft) {
    draft.spec ??= {};
    const { spec } = draft;
    // Where the two differ, the older field is what is meant.
    if (spec.podCIDR && spec.podCIDR !== spec.podCIDRs?.[0]) spec.podCIDRs = [spec.podCIDR];
    else if (spec.podCIDRs?.[0]) spec.podCIDR = spec.podCIDRs[0];
    if (draft.status?.capacity && !draft.status.allocatable) draft.status.allocatable = { ...draft.status.capacity };
  },
  status: {
    prepare(draft, old) {
      if (old.status?.config === undefined) delete draft.status?.config;
    },
    validate: validateChange,
  },
  // A node may register with its status.
  keepsStatusOnCreate: true,
  prepareCreate: (draft) => dropConfig(draft, undefined),
  validate,
  createWarnings: warnings,
  prepareUpdate: dropConfig,
  metaOnUpdate: "own",
  validateUpdate,
  updateWarnings: warnings,
  selectableFields: { "spec.unschedulable": (o) => String(o.spec?.unschedulable ?? false) },
});
