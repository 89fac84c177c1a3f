/**
 * The kind Node.
 * Follows kubernetes pkg/registry/core/node/strategy.go and pkg/apis/core/validation (ValidateNode, ValidateNodeUpdate).
 */
import { duplicate, forbiddenField, invalidValue, required } from "../../field-error.ts";
import type { Node, Taint } from "../../generated/types.ts";
import { isLabelValue, isQualifiedName } from "../../names.ts";
import { NODES } from "../../resource.ts";
import { isCidr } from "../../validation/addresses.ts";
import { type Errors, reasons, unsupported } from "../../validation/fields.ts";
import { defineKind } from "../define.ts";
import type { Cell, Kind } from "../kind.ts";
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

function validate(out: Errors, node: Node): void {
  validateTaints(out, node.spec?.taints);
  validateResources(out, node);
  (node.spec?.podCIDRs ?? []).forEach((cidr, i) => isCidr(out, `spec.podCIDRs[${i}]`, cidr));
}

function validateUpdate(out: Errors, node: Node, old: Node): void {
  validate(out, node);
  validateResources(out, node);
  const seen = new Set<string>();
  (node.status?.addresses ?? []).forEach((address, i) => {
    const key = `${address.type}/${address.address}`;
    if (seen.has(key)) out.push(duplicate(`status.addresses[${i}]`, { Type: address.type, Address: address.address }));
    seen.add(key);
  });
  const before = old.spec?.podCIDRs ?? [];
  if (before.length > 0 && before.join() !== (node.spec?.podCIDRs ?? []).join()) out.push(forbiddenField("spec.podCIDRs", `node updates may not change podCIDR except from "" to valid`));
  if (old.spec?.providerID && old.spec.providerID !== node.spec?.providerID) out.push(forbiddenField("spec.providerID", `node updates may not change providerID except from "" to valid`));
  validateTaints(out, node.spec?.taints);
}

export const nodeKind: Kind<Node> = defineKind<Node>({
  resource: NODES,
  schema: "io.k8s.api.core.v1.Node",
  printer: { cells },
  applyDefaults(draft) {
    draft.spec ??= {};
    const { spec } = draft;
    if (spec.podCIDR && !spec.podCIDRs?.length) spec.podCIDRs = [spec.podCIDR];
    else if (spec.podCIDRs?.[0]) spec.podCIDR = spec.podCIDRs[0];
    if (draft.status?.capacity && !draft.status.allocatable) draft.status.allocatable = { ...draft.status.capacity };
  },
  status: { validate: (out, node, old) => validateUpdate(out, node, old) },
  // A node may register with its status: create keeps it.
  validate,
  validateUpdate,
  selectableFields: { "spec.unschedulable": (o) => String(o.spec?.unschedulable ?? false) },
});
