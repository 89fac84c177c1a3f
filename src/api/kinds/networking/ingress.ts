/**
 * The kinds Ingress and IngressClass: stored and shown; nothing routes by them here.
 * Follows kubernetes pkg/apis/networking/validation/validation.go, pkg/registry/networking/{ingress,ingressclass}/strategy.go and printers.go.
 */
import { forbiddenField, invalidValue, required, tooLong } from "../../field-error.ts";
import type { HTTPIngressPath, Ingress, IngressBackend, IngressClass, IngressClassParametersReference, IngressRule, IngressSpec, IngressTLS, TypedLocalObjectReference } from "../../generated/types.ts";
import { isDns1123Subdomain, isPathSegmentName, isValidPortName, isValidPortNumber, isWildcardSubdomain, labelName, subdomainName } from "../../names.ts";
import { validateObjectMeta, validateObjectMetaUpdate } from "../../object-meta.ts";
import { addressWarnings, isIp, isValidIp } from "../../validation/addresses.ts";
import { type Errors, immutable, reasons, unsupported } from "../../validation/fields.ts";
import { validateDomainPath } from "../../validation/paths.ts";
import { defineKind } from "../define.ts";
import type { Kind } from "../kind.ts";
import { ageCell } from "../printing.ts";

const NETWORKING = "networking.k8s.io";
const CLASS_ANNOTATION = "kubernetes.io/ingress.class";
const DEFAULT_CLASS = "ingressclass.kubernetes.io/is-default-class";
const CONTROLLER_BYTES_MAX = 250;
const PATH_TYPES = ["Exact", "ImplementationSpecific", "Prefix"];
const BAD_SEQUENCES = ["//", "/./", "/../", "%2f", "%2F"];
const BAD_SUFFIXES = ["/..", "/."];
const HOSTS_SHOWN_MAX = 3;
const ADDRESS_SHOWN_MAX = 16;

function segment(out: Errors, field: string, value: string | undefined): void {
  if (!value) out.push(required(field));
  else reasons(out, field, value, isPathSegmentName(value, false));
}

function validateReference(out: Errors, field: string, ref: TypedLocalObjectReference | IngressClassParametersReference): void {
  if (typeof ref.apiGroup === "string") reasons(out, `${field}.apiGroup`, ref.apiGroup, isDns1123Subdomain(ref.apiGroup));
  segment(out, `${field}.kind`, ref.kind);
  segment(out, `${field}.name`, ref.name);
}

function validateBackend(out: Errors, field: string, { resource, service }: IngressBackend): void {
  if (resource && service) return void out.push(invalidValue(field, "", "cannot set both resource and service backends"));
  if (resource) return validateReference(out, `${field}.resource`, resource);
  if (!service) return void out.push(invalidValue(field, "", "resource or service backend is required"));
  if (!service.name) out.push(required(`${field}.service.name`));
  else reasons(out, `${field}.service.name`, service.name, labelName(service.name, false));
  const { name = "", number = 0 } = service.port ?? {};
  if (name !== "" && number !== 0) out.push(invalidValue(field, "", "cannot set both port name & port number"));
  else if (name !== "") reasons(out, `${field}.service.port.name`, name, isValidPortName(name));
  else if (number !== 0) reasons(out, `${field}.service.port.number`, number, isValidPortNumber(number));
  else out.push(required(field, "port name or number is required"));
}

function validatePath(out: Errors, field: string, { path = "", pathType, backend }: HTTPIngressPath): void {
  // null where it is absent: it is always printed.
  if (typeof pathType !== "string") return void out.push(required(`${field}.pathType`, "pathType must be specified"));
  if (pathType === "Exact" || pathType === "Prefix") {
    if (!path.startsWith("/")) out.push(invalidValue(`${field}.path`, path, "must be an absolute path"));
    for (const bad of BAD_SEQUENCES) if (path.includes(bad)) out.push(invalidValue(`${field}.path`, path, `must not contain '${bad}'`));
    for (const bad of BAD_SUFFIXES) if (path.endsWith(bad)) out.push(invalidValue(`${field}.path`, path, `cannot end with '${bad}'`));
  } else if (pathType === "ImplementationSpecific") {
    if (path !== "" && !path.startsWith("/")) out.push(invalidValue(`${field}.path`, path, "must be an absolute path"));
  } else out.push(unsupported(`${field}.pathType`, pathType, PATH_TYPES));
  validateBackend(out, `${field}.backend`, backend ?? {});
}

const hostErrors = (host: string): string[] => (host.includes("*") ? isWildcardSubdomain(host) : isDns1123Subdomain(host));

function validateRule(out: Errors, field: string, { host = "", http }: IngressRule): void {
  if (host !== "") {
    if (isValidIp(host)) out.push(invalidValue(`${field}.host`, host, "must be a DNS name, not an IP address"));
    reasons(out, `${field}.host`, host, hostErrors(host));
  }
  if (!http) return;
  if (!http.paths?.length) out.push(required(`${field}.http.paths`));
  (http.paths ?? []).forEach((path, i) => validatePath(out, `${field}.http.paths[${i}]`, path));
}

function validateTls(out: Errors, field: string, { hosts = [], secretName = "" }: IngressTLS): void {
  hosts.forEach((host, i) => reasons(out, `${field}.hosts[${i}]`, host, hostErrors(host)));
  if (secretName !== "") reasons(out, `${field}.secretName`, secretName, subdomainName(secretName, false));
}

function validateSpec(out: Errors, { rules = [], defaultBackend, tls = [], ingressClassName }: IngressSpec): void {
  if (rules.length === 0 && !defaultBackend) out.push(invalidValue("spec", null, "either `defaultBackend` or `rules` must be specified"));
  if (defaultBackend) validateBackend(out, "spec.defaultBackend", defaultBackend);
  rules.forEach((rule, i) => validateRule(out, `spec.rules[${i}]`, rule));
  tls.forEach((entry, i) => validateTls(out, `spec.tls[${i}]`, entry));
  if (ingressClassName !== undefined) reasons(out, "spec.ingressClassName", ingressClassName, subdomainName(ingressClassName, false));
}

function shownHosts(rules: readonly IngressRule[]): string {
  const hosts: string[] = [];
  let more = false;
  for (const { host = "" } of rules) {
    more ||= hosts.length === HOSTS_SHOWN_MAX;
    if (!more && host !== "") hosts.push(host);
  }
  if (hosts.length === 0) return "*";
  return more ? `${hosts.join(",")} + ${rules.length - HOSTS_SHOWN_MAX} more...` : hosts.join(",");
}

const addressesOf = (o: Ingress) => o.status?.loadBalancer?.ingress ?? [];

function shownAddresses(o: Ingress): string {
  const text = [...new Set(addressesOf(o).map(({ ip, hostname }) => ip || hostname || ""))].filter((a) => a !== "").sort().join(",");
  return text.length > ADDRESS_SHOWN_MAX ? `${text.slice(0, ADDRESS_SHOWN_MAX - 3)}...` : text;
}

function validateStatus(out: Errors, o: Ingress, old: Ingress): void {
  const before = addressesOf(old).flatMap(({ ip }) => ip ?? []);
  addressesOf(o).forEach(({ ip, hostname }, i) => {
    const field = `status.loadBalancer.ingress[${i}]`;
    if (ip) isIp(out, `${field}.ip`, ip, before);
    if (!hostname) return;
    reasons(out, `${field}.hostname`, hostname, isDns1123Subdomain(hostname));
    if (isValidIp(hostname)) out.push(invalidValue(`${field}.hostname`, hostname, "must be a DNS name, not an IP address"));
  });
}

export const ingressKind: Kind<Ingress> = defineKind<Ingress>({
  resource: { group: NETWORKING, version: "v1", plural: "ingresses", kind: "Ingress", namespaced: true },
  schema: "io.k8s.api.networking.v1.Ingress",
  generation: "spec",
  printer: { cells: (o, now) => [o.metadata.name ?? "", o.spec?.ingressClassName ?? "<none>", shownHosts(o.spec?.rules ?? []), shownAddresses(o), o.spec?.tls?.length ? "80, 443" : "80", ageCell(o, now)] },
  validate(out, o) {
    validateSpec(out, o.spec ?? {});
    const annotation = o.metadata.annotations?.[CLASS_ANNOTATION];
    const name = o.spec?.ingressClassName;
    if (annotation !== undefined && name !== undefined && annotation !== name) out.push(invalidValue(`annotations.${CLASS_ANNOTATION}`, annotation, "must match `ingressClassName` when both are specified"));
  },
  createWarnings: (o) => (o.metadata.annotations?.[CLASS_ANNOTATION] !== undefined && o.spec?.ingressClassName === undefined ? [`annotation ${JSON.stringify(CLASS_ANNOTATION)} is deprecated, please use 'spec.ingressClassName' instead`] : []),
  metaOnUpdate: "whole",
  validateUpdate: (out, o) => validateSpec(out, o.spec ?? {}),
  status: {
    validate: validateStatus,
    warnings: (o) => addressesOf(o).flatMap(({ ip }, i) => (ip ? addressWarnings(`status.loadBalancer.ingress[${i}]`, ip) : [])),
  },
});

const PARAMETER_SCOPES = ["Cluster", "Namespace"];

function validateParameters(out: Errors, field: string, ref: IngressClassParametersReference): void {
  validateReference(out, field, ref);
  const { scope, namespace } = ref;
  if (scope === undefined) out.push(required(`${field}.scope`));
  else if (!PARAMETER_SCOPES.includes(scope)) out.push(unsupported(`${field}.scope`, scope, PARAMETER_SCOPES));
  else if (scope === "Cluster") {
    if (namespace !== undefined) out.push(forbiddenField(`${field}.namespace`, "`parameters.scope` is set to 'Cluster'"));
  } else if (namespace === undefined) out.push(required(`${field}.namespace`, "`parameters.scope` is set to 'Namespace'"));
  else reasons(out, `${field}.namespace`, namespace, labelName(namespace, false));
}

function validateClass(out: Errors, { spec }: IngressClass): void {
  const { controller = "", parameters } = spec ?? {};
  if (Buffer.byteLength(controller) > CONTROLLER_BYTES_MAX) out.push(tooLong("spec.controller", CONTROLLER_BYTES_MAX));
  validateDomainPath(out, "spec.controller", controller);
  if (parameters) validateParameters(out, "spec.parameters", parameters);
}

function shownParameters(ref: IngressClassParametersReference | undefined): string {
  return ref ? `${ref.kind}${typeof ref.apiGroup === "string" ? `.${ref.apiGroup}` : ""}/${ref.name}` : "<none>";
}

export const ingressClassKind: Kind<IngressClass> = defineKind<IngressClass>({
  resource: { group: NETWORKING, version: "v1", plural: "ingressclasses", kind: "IngressClass", namespaced: false },
  schema: "io.k8s.api.networking.v1.IngressClass",
  generation: "spec",
  printer: { cells: (o, now) => [`${o.metadata.name ?? ""}${o.metadata.annotations?.[DEFAULT_CLASS] === "true" ? " (default)" : ""}`, o.spec?.controller ?? "", shownParameters(o.spec?.parameters), ageCell(o, now)] },
  applyDefaults(draft) {
    if (draft.spec?.parameters) draft.spec.parameters.scope ??= "Cluster";
  },
  validate: validateClass,
  metaOnUpdate: "own",
  validateUpdate(out, o, old) {
    out.push(...validateObjectMetaUpdate(o.metadata, old.metadata, true));
    immutable(out, "spec.controller", o.spec?.controller ?? "", old.spec?.controller ?? "");
    out.push(...validateObjectMeta(o.metadata, { namespaced: false, validateName: subdomainName, builtIn: true }));
    validateClass(out, o);
  },
});
