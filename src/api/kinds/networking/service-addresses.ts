/**
 * The kinds IPAddress and ServiceCIDR: what Services take their addresses from. Here they are told and kept; addresses come from one range.
 * Follows kubernetes pkg/apis/networking/validation/validation.go and pkg/registry/networking/{ipaddress,servicecidr}/strategy.go.
 */
import { invalidValue, required } from "../../field-error.ts";
import type { IPAddress, ParentReference, ServiceCIDR } from "../../generated/types.ts";
import { isDns1123Subdomain, isPathSegmentName, type NameCheck } from "../../names.ts";
import { qualifiedPlural } from "../../resource.ts";
import { familyOfCidr, isCanonicalCidr, isCanonicalIp } from "../../validation/addresses.ts";
import { type Errors, IMMUTABLE, immutable, reasons } from "../../validation/fields.ts";
import { defineKind } from "../define.ts";
import { goSpelled } from "../go-spelling.ts";
import type { Kind } from "../kind.ts";
import { ageCell } from "../printing.ts";

const NETWORKING = "networking.k8s.io";
const REFERENCE = "io.k8s.api.networking.v1.ParentReference";
const FIELD = "spec.parentRef";

const addressName: NameCheck = (name) => {
  const errors: Errors = [];
  isCanonicalIp(errors, "", name);
  return errors.map(({ message }) => message.slice(message.indexOf(": ", message.indexOf('"', "Invalid value: \"".length + name.length)) + 2));
};

function segment(out: Errors, field: string, value: string | undefined): void {
  if (!value) out.push(required(field));
  else reasons(out, field, value, isPathSegmentName(value, false));
}

function validateReference(out: Errors, ref: ParentReference | undefined): void {
  if (!ref) return void out.push(required(FIELD));
  if (ref.group) reasons(out, `${FIELD}.group`, ref.group, isDns1123Subdomain(ref.group));
  segment(out, `${FIELD}.resource`, ref.resource);
  segment(out, `${FIELD}.name`, ref.name);
  if (ref.namespace) segment(out, `${FIELD}.namespace`, ref.namespace);
}

function shownReference(ref: ParentReference | undefined): string {
  if (!ref) return "<none>";
  const resource = qualifiedPlural({ group: ref.group ?? "", plural: ref.resource ?? "" }).toLowerCase();
  return `${resource}${ref.namespace ? `/${ref.namespace}` : ""}/${ref.name ?? ""}`;
}

export const ipAddressKind: Kind<IPAddress> = defineKind<IPAddress>({
  resource: { group: NETWORKING, version: "v1", plural: "ipaddresses", kind: "IPAddress", namespaced: false },
  schema: "io.k8s.api.networking.v1.IPAddress",
  validateName: addressName,
  printer: { cells: (o, now) => [o.metadata.name ?? "", shownReference(o.spec?.parentRef), ageCell(o, now)] },
  validate: (out, o) => validateReference(out, o.spec?.parentRef),
  metaOnUpdate: "update",
  validateUpdate: (out, o, old) => immutable(out, FIELD, o.spec?.parentRef, old.spec?.parentRef, goSpelled(REFERENCE, o.spec?.parentRef)),
  selectableFields: {
    "spec.parentRef.group": (o) => o.spec?.parentRef?.group ?? "", "spec.parentRef.resource": (o) => o.spec?.parentRef?.resource ?? "",
    "spec.parentRef.namespace": (o) => o.spec?.parentRef?.namespace ?? "", "spec.parentRef.name": (o) => o.spec?.parentRef?.name ?? "",
  },
});

const CIDRS = "spec.cidrs";

function validateRanges(out: Errors, cidrs: readonly string[]): void {
  if (cidrs.length === 0) return void out.push(required(CIDRS, "at least one CIDR required"));
  if (cidrs.length > 2) return void out.push(invalidValue(CIDRS, { CIDRs: cidrs }, "may only hold up to 2 values"));
  cidrs.forEach((cidr, i) => isCanonicalCidr(out, `${CIDRS}[${i}]`, cidr));
  const [first, second] = cidrs.map(familyOfCidr);
  if (cidrs.length === 2 && first !== undefined && first === second) out.push(invalidValue(CIDRS, cidrs, "may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and 2001:db8::/64"));
}

export const serviceCidrKind: Kind<ServiceCIDR> = defineKind<ServiceCIDR>({
  resource: { group: NETWORKING, version: "v1", plural: "servicecidrs", kind: "ServiceCIDR", namespaced: false },
  schema: "io.k8s.api.networking.v1.ServiceCIDR",
  printer: { cells: (o, now) => [o.metadata.name ?? "", (o.spec?.cidrs ?? []).join(","), ageCell(o, now)] },
  validate: (out, o) => validateRanges(out, o.spec?.cidrs ?? []),
  metaOnUpdate: "update",
  /** A second family may be added; nothing else changes. */
  validateUpdate(out, o, old) {
    const [now, before] = [o.spec?.cidrs ?? [], old.spec?.cidrs ?? []];
    if (now.length !== before.length && !(before.length === 1 && now.length === 2)) {
      out.push(invalidValue(CIDRS, now, IMMUTABLE));
      return;
    }
    before.forEach((cidr, i) => {
      if (cidr !== now[i]) out.push(invalidValue(`${CIDRS}[${i}]`, now[i] ?? "", IMMUTABLE));
    });
    if (now.length > before.length) validateRanges(out, now);
  },
  status: { meta: "kept and checked" },
});
