/**
 * The kinds Endpoints and EndpointSlice.
 * Follows kubernetes pkg/apis/core/validation (ValidateEndpoints), pkg/apis/discovery/validation and their registries' strategies.
 */
import { duplicate, invalidValue, required, tooMany } from "../../field-error.ts";
import type { Endpoint, EndpointAddress, Endpoints, EndpointSlice, EndpointSubset } from "../../generated/types.ts";
import { isDns1123Label, isDns1123Subdomain, isLabelValue, isQualifiedName, isValidPortNumber, subdomainName } from "../../names.ts";
import { ENDPOINT_SLICES, ENDPOINTS } from "../../resource.ts";
import { familyOf, addressWarnings, isCanonicalIp, isIp, isNonSpecialIp } from "../../validation/addresses.ts";
import { type Errors, immutable, reasons, semanticallyEqual, unsupported } from "../../validation/fields.ts";
import { validateLabels } from "../../validation/labels.ts";
import { defineKind } from "../define.ts";
import type { Draft, Kind } from "../kind.ts";
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

const listWarnings = (field: string, addresses: readonly EndpointAddress[] = []): readonly string[] => addresses.flatMap(({ ip }, i) => addressWarnings(`${field}[${i}].ip`, ip ?? ""));

/** The controller's own are known to be well written. */
function endpointsWarnings({ metadata, subsets = [] }: Endpoints): readonly string[] {
  if (metadata.labels?.["endpoints.kubernetes.io/managed-by"] === "endpoint-controller") return [];
  return subsets.flatMap((s, i) => [...listWarnings(`subsets[${i}].addresses`, s.addresses), ...listWarnings(`subsets[${i}].notReadyAddresses`, s.notReadyAddresses)]);
}

function validateSubsets(out: Errors, o: Endpoints): void {
  (o.subsets ?? []).forEach((subset, i) => validateSubset(out, `subsets[${i}]`, subset));
}

export const endpointsKind: Kind<Endpoints> = defineKind<Endpoints>({
  resource: ENDPOINTS,
  schema: "io.k8s.api.core.v1.Endpoints",
  printer: { cells: (o, now) => [o.metadata.name ?? "", shownEndpoints(o.subsets ?? []), ageCell(o, now)] },
  applyDefaults(draft) {
    for (const subset of draft.subsets ?? []) for (const port of subset.ports ?? []) port.protocol ||= "TCP";
  },
  validate: validateSubsets,
  createWarnings: endpointsWarnings,
  validateUpdate(out, o, old) {
    if (!semanticallyEqual(o.subsets, old.subsets)) validateSubsets(out, o);
  },
  updateWarnings: endpointsWarnings,
  allowCreateOnUpdate: true,
  deprecation: "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice",
});

const ADDRESS_TYPES = ["FQDN", "IPv4", "IPv6"];
const ENDPOINTS_MAX = 1000;
const ADDRESSES_MAX = 100;
const PORTS_MAX = 20_000;
const HINTS_MAX = 8;
const TOPOLOGY_LABELS_MAX = 16;

/** Follows IsFullyQualifiedDomainName. */
function validateDomain(out: Errors, field: string, name: string): void {
  if (name === "") return void out.push(required(field));
  const domain = name.replace(/\.$/, "");
  const texts = isDns1123Subdomain(domain);
  if (texts.length > 0) return void out.push(invalidValue(field, domain, texts.join(",")));
  if (!domain.includes(".")) return void out.push(invalidValue(field, domain, "should be a domain with at least two segments separated by dots"));
  const broken = domain.split(".").find((label) => isDns1123Label(label).length > 0);
  if (broken !== undefined) out.push(invalidValue(field, broken, isDns1123Label(broken).join(",")));
}

/** Unknown types are refused elsewhere: their addresses aren't looked at. */
function validateSliceAddress(out: Errors, list: string, i: number, address: string, type: string): void {
  const field = `${list}[${i}]`;
  if (type === "FQDN") return validateDomain(out, field, address);
  if (type !== "IPv4" && type !== "IPv6") return;
  if (!(type === "IPv4" ? isIp(out, field, address) : isCanonicalIp(out, field, address))) return;
  if (familyOf(address) !== type) out.push(invalidValue(list, address, `must be an ${type} address`));
  isNonSpecialIp(out, field, address);
}

function validateEndpoint(out: Errors, field: string, endpoint: Endpoint, addressType: string): void {
  const addresses = endpoint.addresses ?? [];
  if (addresses.length === 0) out.push(required(`${field}.addresses`, "must contain at least 1 address"));
  else if (addresses.length > ADDRESSES_MAX) out.push(tooMany(`${field}.addresses`, addresses.length, ADDRESSES_MAX));
  addresses.forEach((address, i) => validateSliceAddress(out, `${field}.addresses`, i, address, addressType));
  if (endpoint.nodeName !== undefined) reasons(out, `${field}.nodeName`, endpoint.nodeName, subdomainName(endpoint.nodeName, false));
  const topology = Object.keys(endpoint.deprecatedTopology ?? {}).length;
  if (topology > TOPOLOGY_LABELS_MAX) out.push(tooMany(`${field}.deprecatedTopology`, topology, TOPOLOGY_LABELS_MAX));
  validateLabels(out, `${field}.deprecatedTopology`, endpoint.deprecatedTopology);
  if (endpoint.hostname !== undefined) reasons(out, `${field}.hostname`, endpoint.hostname, isDns1123Label(endpoint.hostname));
  if (validateHints(out, `${field}.hints.forZones`, endpoint.hints?.forZones, isLabelValue)) validateHints(out, `${field}.hints.forNodes`, endpoint.hints?.forNodes, (name) => subdomainName(name, false));
}

/** Whether there are few enough to be looked at. */
function validateHints(out: Errors, field: string, hints: readonly { readonly name?: string }[] = [], check: (name: string) => readonly string[]): boolean {
  if (hints.length > HINTS_MAX) {
    out.push(tooMany(field, hints.length, HINTS_MAX));
    return false;
  }
  const seen = new Set<string>();
  hints.forEach(({ name = "" }, i) => {
    if (seen.has(name)) out.push(duplicate(`${field}[${i}].name`, name));
    seen.add(name);
    reasons(out, `${field}[${i}].name`, name, check(name));
  });
  return true;
}

function validateSlicePorts(out: Errors, ports: NonNullable<EndpointSlice["ports"]>): void {
  if (ports.length > PORTS_MAX) return void out.push(tooMany("ports", ports.length, PORTS_MAX));
  const names = new Set<string>();
  ports.forEach((port, i) => {
    const name = port.name ?? "";
    if (name !== "") reasons(out, `ports[${i}].name`, name, isDns1123Label(name));
    if (names.has(name)) out.push(duplicate(`ports[${i}].name`, name));
    names.add(name);
    if (port.protocol === undefined) out.push(required(`ports[${i}].protocol`));
    else if (!PROTOCOLS.includes(port.protocol)) out.push(unsupported(`ports[${i}].protocol`, port.protocol, PROTOCOLS));
    if (port.appProtocol !== undefined) reasons(out, `ports[${i}].appProtocol`, port.appProtocol, isQualifiedName(port.appProtocol));
  });
}

/** Endpoints that an update leaves as they were are taken as they are. */
function validateSlice(out: Errors, o: EndpointSlice, old?: EndpointSlice): void {
  const type = o.addressType ?? "";
  if (type === "") out.push(required("addressType"));
  else if (!ADDRESS_TYPES.includes(type)) out.push(unsupported("addressType", type, ADDRESS_TYPES));
  validateSlicePorts(out, o.ports ?? []);
  const endpoints = o.endpoints ?? [];
  if (old && semanticallyEqual(endpoints, old.endpoints)) return;
  if (endpoints.length > ENDPOINTS_MAX) out.push(tooMany("endpoints", endpoints.length, ENDPOINTS_MAX));
  else endpoints.forEach((e, i) => validateEndpoint(out, `endpoints[${i}]`, e, type));
}

const OWN_MANAGERS = ["endpointslice-controller.k8s.io", "endpointslicemirroring-controller.k8s.io"];

function sliceWarnings({ metadata, endpoints }: EndpointSlice): readonly string[] {
  if (OWN_MANAGERS.includes(metadata.labels?.["endpointslice.kubernetes.io/managed-by"] ?? "")) return [];
  return (endpoints ?? []).flatMap((e, i) => (e.addresses ?? []).flatMap((ip, j) => addressWarnings(`endpoints[${i}].addresses[${j}]`, ip)));
}

const HOSTNAME = "kubernetes.io/hostname";

/** v1 has nodeName in the place of the old topology; where that was known from before, it is kept. Follows dropTopologyOnV1. */
function dropTopology(draft: Draft<EndpointSlice>, old: EndpointSlice | undefined): void {
  if (old && semanticallyEqual(draft.endpoints, old.endpoints)) return;
  const known = new Set((old?.endpoints ?? []).map((e) => e.deprecatedTopology?.[HOSTNAME]).filter((name) => name));
  for (const endpoint of draft.endpoints ?? []) {
    const name = endpoint.deprecatedTopology?.[HOSTNAME];
    if (endpoint.nodeName === undefined && name !== undefined && known.has(name) && subdomainName(name, false).length === 0) endpoint.nodeName = name;
    delete endpoint.deprecatedTopology;
  }
}

function shownList(texts: readonly string[]): string {
  if (texts.length === 0) return "<unset>";
  const shown = texts.slice(0, SHOWN_MAX).join(",");
  return texts.length > SHOWN_MAX ? `${shown} + ${texts.length - SHOWN_MAX} more...` : shown || "<unset>";
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
  generation: "everything and labels",
  prepareCreate: (draft) => dropTopology(draft, undefined),
  validate: (out, o) => validateSlice(out, o),
  createWarnings: (o) => [...(o.addressType === "FQDN" ? ["spec.addressType: FQDN endpoints are deprecated"] : []), ...sliceWarnings(o)],
  prepareUpdate: dropTopology,
  updateWarnings: sliceWarnings,
  metaOnUpdate: "create",
  validateUpdate(out, o, old) {
    validateSlice(out, o, old);
    immutable(out, "addressType", o.addressType, old.addressType);
  },
  allowUnconditionalUpdate: true,
});
