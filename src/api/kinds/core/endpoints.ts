/**
 * The kinds Endpoints and EndpointSlice.
 * Follows kubernetes pkg/apis/core/validation (ValidateEndpoints), pkg/apis/discovery/validation and their registries' strategies.
 */
import { duplicate, invalidValue, required, tooMany } from "../../field-error.ts";
import type { Endpoint, EndpointAddress, Endpoints, EndpointSlice, EndpointSubset } from "../../generated/types.ts";
import { isDns1123Label, isDns1123Subdomain, isQualifiedName, isValidPortNumber, subdomainName } from "../../names.ts";
import { ENDPOINT_SLICES, ENDPOINTS } from "../../resource.ts";
import { familyOf, isIp, isNonSpecialIp } from "../../validation/addresses.ts";
import { type Errors, immutable, nonNegative, reasons, unsupported } from "../../validation/fields.ts";
import { defineKind } from "../define.ts";
import type { Kind } from "../kind.ts";
import { ageCell } from "../printing.ts";

const PROTOCOLS = ["SCTP", "TCP", "UDP"];
const SHOWN_MAX = 3;

function validateAddress(out: Errors, field: string, address: EndpointAddress): void {
  isIp(out, `${field}.ip`, address.ip ?? "");
  if (address.hostname) reasons(out, `${field}.hostname`, address.hostname, isDns1123Label(address.hostname));
  if (address.nodeName !== undefined) reasons(out, `${field}.nodeName`, address.nodeName, subdomainName(address.nodeName, false));
  isNonSpecialIp(out, `${field}.ip`, address.ip ?? "");
}

function validateProtocol(out: Errors, field: string, protocol: string | undefined): void {
  if (!protocol) out.push(required(field));
  else if (!PROTOCOLS.includes(protocol)) out.push(unsupported(field, protocol, PROTOCOLS));
}

function validateSubset(out: Errors, field: string, subset: EndpointSubset): void {
  const { addresses = [], notReadyAddresses = [], ports = [] } = subset;
  if (addresses.length === 0 && notReadyAddresses.length === 0) out.push(required(field, "must specify `addresses` or `notReadyAddresses`"));
  addresses.forEach((a, i) => validateAddress(out, `${field}.addresses[${i}]`, a));
  notReadyAddresses.forEach((a, i) => validateAddress(out, `${field}.notReadyAddresses[${i}]`, a));
  ports.forEach((port, i) => {
    const at = `${field}.ports[${i}]`;
    if (port.name) reasons(out, `${at}.name`, port.name, isDns1123Label(port.name));
    else if (ports.length > 1) out.push(required(`${at}.name`));
    reasons(out, `${at}.port`, port.port ?? 0, isValidPortNumber(port.port ?? 0));
    validateProtocol(out, `${at}.protocol`, port.protocol);
    if (port.appProtocol !== undefined) reasons(out, `${at}.appProtocol`, port.appProtocol, isQualifiedName(port.appProtocol));
  });
}

/** `10.0.0.1:80,10.0.0.2:80 + 1 more...`. Follows formatEndpoints. */
function shownEndpoints(subsets: readonly EndpointSubset[]): string {
  const all: string[] = [];
  for (const { addresses = [], ports = [] } of subsets) {
    if (ports.length === 0) all.push(...addresses.map((a) => a.ip));
    else for (const port of ports) all.push(...addresses.map((a) => (a.ip.includes(":") ? `[${a.ip}]:${port.port}` : `${a.ip}:${port.port}`)));
  }
  if (all.length === 0) return "<none>";
  const shown = all.slice(0, SHOWN_MAX).join(",");
  return all.length > SHOWN_MAX ? `${shown} + ${all.length - SHOWN_MAX} more...` : shown;
}

export const endpointsKind: Kind<Endpoints> = defineKind<Endpoints>({
  resource: ENDPOINTS,
  schema: "io.k8s.api.core.v1.Endpoints",
  printer: { cells: (o, now) => [o.metadata.name ?? "", shownEndpoints(o.subsets ?? []), ageCell(o, now)] },
  applyDefaults(draft) {
    for (const subset of draft.subsets ?? []) for (const port of subset.ports ?? []) port.protocol ||= "TCP";
  },
  validate: (out, o) => (o.subsets ?? []).forEach((subset, i) => validateSubset(out, `subsets[${i}]`, subset)),
  allowCreateOnUpdate: true,
  deprecation: "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice",
});

const ADDRESS_TYPES = ["FQDN", "IPv4", "IPv6"];
const ENDPOINTS_MAX = 1000;
const ADDRESSES_MAX = 100;
const PORTS_MAX = 20_000;
const ZONES_MAX = 8;
const TOPOLOGY_LABELS_MAX = 16;

function validateEndpoint(out: Errors, field: string, endpoint: Endpoint, addressType: string): void {
  const addresses = endpoint.addresses ?? [];
  if (addresses.length === 0) out.push(required(`${field}.addresses`, "must contain at least 1 address"));
  else if (addresses.length > ADDRESSES_MAX) out.push(tooMany(`${field}.addresses`, addresses.length, ADDRESSES_MAX));
  addresses.forEach((address, i) => {
    const at = `${field}.addresses[${i}]`;
    if (addressType === "FQDN") reasons(out, at, address, isDns1123Subdomain(address));
    else if (ADDRESS_TYPES.includes(addressType)) validateSliceAddress(out, at, address, addressType);
  });
  if (endpoint.nodeName !== undefined) reasons(out, `${field}.nodeName`, endpoint.nodeName, subdomainName(endpoint.nodeName, false));
  const topology = Object.keys(endpoint.deprecatedTopology ?? {}).length;
  if (topology > TOPOLOGY_LABELS_MAX) out.push(tooMany(`${field}.deprecatedTopology`, topology, TOPOLOGY_LABELS_MAX));
  if (endpoint.hostname !== undefined) reasons(out, `${field}.hostname`, endpoint.hostname, isDns1123Label(endpoint.hostname));
  const zones = endpoint.hints?.forZones ?? [];
  if (zones.length > ZONES_MAX) out.push(tooMany(`${field}.hints.forZones`, zones.length, ZONES_MAX));
  const seen = new Set<string>();
  zones.forEach(({ name }, i) => {
    if (seen.has(name)) out.push(duplicate(`${field}.hints.forZones[${i}]`, name));
    else reasons(out, `${field}.hints.forZones[${i}]`, name, isQualifiedName(name));
    seen.add(name);
  });
}

function validateSliceAddress(out: Errors, field: string, address: string, type: string): void {
  if (!isIp(out, field, address)) return;
  if (familyOf(address) !== type) out.push(invalidValue(field, address, `must be a valid ${type} address`));
  isNonSpecialIp(out, field, address);
}

function validateSlice(out: Errors, o: EndpointSlice): void {
  const type = o.addressType ?? "";
  if (type === "") out.push(required("addressType"));
  else if (!ADDRESS_TYPES.includes(type)) out.push(unsupported("addressType", type, ADDRESS_TYPES));
  const endpoints = o.endpoints ?? [];
  if (endpoints.length > ENDPOINTS_MAX) out.push(tooMany("endpoints", endpoints.length, ENDPOINTS_MAX));
  else endpoints.forEach((e, i) => validateEndpoint(out, `endpoints[${i}]`, e, type));
  const ports = o.ports ?? [];
  if (ports.length > PORTS_MAX) return void out.push(tooMany("ports", ports.length, PORTS_MAX));
  const names = new Set<string>();
  ports.forEach((port, i) => {
    const name = port.name ?? "";
    if (name !== "") reasons(out, `ports[${i}].name`, name, isDns1123Label(name));
    if (names.has(name)) out.push(duplicate("ports.name", name));
    names.add(name);
    validateProtocol(out, `ports[${i}].protocol`, port.protocol);
    nonNegative(out, `ports[${i}].port`, port.port);
    if (port.appProtocol !== undefined) reasons(out, `ports[${i}].appProtocol`, port.appProtocol, isQualifiedName(port.appProtocol));
  });
}

function shownList(texts: readonly string[]): string {
  if (texts.length === 0) return "<unset>";
  const shown = texts.slice(0, SHOWN_MAX).join(",");
  return texts.length > SHOWN_MAX ? `${shown} + ${texts.length - SHOWN_MAX} more...` : shown;
}

export const endpointSliceKind: Kind<EndpointSlice> = defineKind<EndpointSlice>({
  resource: ENDPOINT_SLICES,
  schema: "io.k8s.api.discovery.v1.EndpointSlice",
  printer: {
    cells: (o, now) => [
      o.metadata.name ?? "",
      o.addressType,
      shownList((o.ports ?? []).map((p) => (p.port !== undefined ? String(p.port) : (p.name ?? "*")))),
      shownList((o.endpoints ?? []).flatMap((e) => e.addresses ?? [])),
      ageCell(o, now),
    ],
  },
  applyDefaults(draft) {
    for (const port of draft.ports ?? []) {
      port.name ??= "";
      port.protocol ??= "TCP";
    }
  },
  generation: "everything",
  validate: validateSlice,
  metaOnUpdate: "whole",
  validateUpdate(out, o, old) {
    validateSlice(out, o);
    immutable(out, "addressType", o.addressType, old.addressType);
  },
  allowUnconditionalUpdate: true,
});
