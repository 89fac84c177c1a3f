/**
 * The kind NetworkPolicy: stored and shown; nothing is kept apart by it here.
 * Follows kubernetes pkg/apis/networking/validation/validation.go, pkg/apis/networking/v1/defaults.go and pkg/registry/networking/networkpolicy/strategy.go.
 */
import { forbiddenField, invalidValue, required } from "../../field-error.ts";
import type { IPBlock, NetworkPolicy, NetworkPolicyPeer, NetworkPolicyPort } from "../../generated/types.ts";
import { isValidPortName, isValidPortNumber } from "../../names.ts";
import { cidrWarnings, isCidr, isStrictSubset, isValidCidr } from "../../validation/addresses.ts";
import { type Errors, reasons, unsupported } from "../../validation/fields.ts";
import { formatLabelSelector, selectorParses, validateLabelSelector } from "../../validation/labels.ts";
import { defineKind } from "../define.ts";
import type { Kind } from "../kind.ts";
import { ageCell } from "../printing.ts";

const POLICY_TYPES = ["Ingress", "Egress"];

function validatePort(out: Errors, field: string, { protocol, port, endPort }: NetworkPolicyPort): void {
  if (protocol !== undefined && !["TCP", "UDP", "SCTP"].includes(protocol)) out.push(unsupported(`${field}.protocol`, protocol, ["TCP", "UDP", "SCTP"]));
  if (port === undefined) {
    if (endPort !== undefined) out.push(invalidValue(`${field}.endPort`, endPort, "may not be specified when `port` is not specified"));
  } else if (typeof port === "string") {
    if (endPort !== undefined) out.push(invalidValue(`${field}.endPort`, endPort, "may not be specified when `port` is non-numeric"));
    reasons(out, `${field}.port`, port, isValidPortName(port));
  } else {
    reasons(out, `${field}.port`, port, isValidPortNumber(port));
    if (endPort === undefined) return;
    if (endPort < port) out.push(invalidValue(`${field}.endPort`, port, "must be greater than or equal to `port`"));
    reasons(out, `${field}.endPort`, endPort, isValidPortNumber(endPort));
  }
}

/** What stored policies hold stays. */
interface Before {
  readonly cidrs: readonly string[];
  readonly allowInvalidValues: boolean;
}

function validateBlock(out: Errors, field: string, { cidr, except = [] }: IPBlock, { cidrs }: Before): void {
  if (!cidr) return void out.push(required(`${field}.cidr`));
  isCidr(out, `${field}.cidr`, cidr, cidrs);
  if (!isValidCidr(cidr)) return;
  except.forEach((inner, i) => {
    isCidr(out, `${field}.except[${i}]`, inner, cidrs);
    if (isValidCidr(inner) && !isStrictSubset(inner, cidr)) out.push(invalidValue(`${field}.except[${i}]`, inner, "must be a strict subset of `cidr`"));
  });
}

function validatePeer(out: Errors, field: string, { podSelector, namespaceSelector, ipBlock }: NetworkPolicyPeer, before: Before): void {
  validateLabelSelector(out, `${field}.podSelector`, podSelector, before);
  validateLabelSelector(out, `${field}.namespaceSelector`, namespaceSelector, before);
  if (ipBlock) validateBlock(out, `${field}.ipBlock`, ipBlock, before);
  if (!podSelector && !namespaceSelector && !ipBlock) out.push(required(field, "must specify a peer"));
  else if (ipBlock && (podSelector || namespaceSelector)) out.push(forbiddenField(field, "may not specify both ipBlock and another peer"));
}

/** Every peer with its place, ingress first. */
const peersOf = ({ spec }: NetworkPolicy): readonly (readonly [string, NetworkPolicyPeer])[] => [
  ...(spec?.ingress ?? []).flatMap((rule, i) => (rule.from ?? []).map((peer, j) => [`spec.ingress[${i}].from[${j}]`, peer] as const)),
  ...(spec?.egress ?? []).flatMap((rule, i) => (rule.to ?? []).map((peer, j) => [`spec.egress[${i}].to[${j}]`, peer] as const)),
];

function validate(out: Errors, { spec }: NetworkPolicy, before: Before = { cidrs: [], allowInvalidValues: false }): void {
  const { podSelector, ingress = [], egress = [], policyTypes = [] } = spec ?? {};
  validateLabelSelector(out, "spec.podSelector", podSelector, before);
  const rules = [...ingress.map((rule, i) => [`spec.ingress[${i}]`, rule.ports, rule.from, "from"] as const), ...egress.map((rule, i) => [`spec.egress[${i}]`, rule.ports, rule.to, "to"] as const)];
  for (const [field, ports = [], peers = [], side] of rules) {
    ports.forEach((port, i) => validatePort(out, `${field}.ports[${i}]`, port));
    peers.forEach((peer, i) => validatePeer(out, `${field}.${side}[${i}]`, peer, before));
  }
  if (policyTypes.length > POLICY_TYPES.length) return void out.push(invalidValue("spec.policyTypes", policyTypes, "may not specify more than two policyTypes"));
  policyTypes.forEach((type, i) => {
    if (!POLICY_TYPES.includes(type)) out.push(unsupported(`spec.policyTypes[${i}]`, type, POLICY_TYPES));
  });
}

const warnings = (o: NetworkPolicy): readonly string[] =>
  peersOf(o).flatMap(([field, { ipBlock }]) => (ipBlock ? [...cidrWarnings(`${field}.ipBlock.cidr`, ipBlock.cidr), ...(ipBlock.except ?? []).flatMap((e, i) => cidrWarnings(`${field}.ipBlock.except[${i}]`, e))] : []));

export const networkPolicyKind: Kind<NetworkPolicy> = defineKind<NetworkPolicy>({
  resource: { group: "networking.k8s.io", version: "v1", plural: "networkpolicies", kind: "NetworkPolicy", namespaced: true },
  schema: "io.k8s.api.networking.v1.NetworkPolicy",
  generation: "spec",
  printer: { cells: (o, now) => [o.metadata.name ?? "", formatLabelSelector(o.spec?.podSelector ?? {}), ageCell(o, now)] },
  applyDefaults(draft) {
    const { ingress = [], egress = [] } = (draft.spec ??= {});
    for (const rule of [...ingress, ...egress]) for (const port of rule.ports ?? []) port.protocol ??= "TCP";
    if (!draft.spec.policyTypes?.length) draft.spec.policyTypes = egress.length > 0 ? ["Ingress", "Egress"] : ["Ingress"];
  },
  validate: (out, o) => validate(out, o),
  createWarnings: warnings,
  metaOnUpdate: "update",
  validateUpdate(out, o, old) {
    const cidrs = peersOf(old).flatMap(([, { ipBlock }]) => (ipBlock ? [ipBlock.cidr, ...(ipBlock.except ?? [])] : []));
    validate(out, o, { cidrs, allowInvalidValues: !selectorParses(old.spec?.podSelector ?? {}) });
  },
  updateWarnings: warnings,
});
