/**
 * What makes a Service invalid.
 * Follows kubernetes pkg/apis/core/validation (ValidateService, ValidateServiceClusterIPsRelatedFields).
 */
import { duplicate, forbiddenField, invalidValue, required } from "../../field-error.ts";
import type { Service, ServicePort, ServiceSpec } from "../../generated/types.ts";
import { isDns1123Label, isDns1123Subdomain, isQualifiedName, isValidPortNumber } from "../../names.ts";
import { familyOf, isCidr, isIp, isNonSpecialIp } from "../../validation/addresses.ts";
import { type Errors, reasons, unsupported } from "../../validation/fields.ts";
import { validateLabels } from "../../validation/labels.ts";
import { validatePort } from "../pod/probes.ts";

const PROTOCOLS = ["SCTP", "TCP", "UDP"];
const TYPES = ["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"];
const AFFINITY_SECONDS_MAX = 86_400;
const DISTRIBUTIONS = ["PreferClose", "PreferSameZone", "PreferSameNode"];

export const isExternallyAccessible = (s: Pick<ServiceSpec, "type" | "externalIPs">): boolean =>
  s.type === "LoadBalancer" || s.type === "NodePort" || (s.type === "ClusterIP" && (s.externalIPs?.length ?? 0) > 0);

export const needsHealthCheck = (s: Pick<ServiceSpec, "type" | "externalTrafficPolicy">): boolean => s.type === "LoadBalancer" && s.externalTrafficPolicy === "Local";

export const isHeadless = (s: ServiceSpec): boolean => s.clusterIPs?.length === 1 && s.clusterIPs[0] === "None";

/** `old`: addresses that it had may stay, whatever they look like. */
export function validateService(out: Errors, service: Service, old?: Service): void {
  const { spec } = service;
  const ports = spec.ports ?? [];
  validateTopologyAnnotations(out, service);
  if (ports.length === 0 && !isHeadless(spec) && spec.type !== "ExternalName") out.push(required("spec.ports"));
  validateType(out, spec);
  const names = new Set<string>();
  ports.forEach((port, i) => validateServicePort(out, `spec.ports[${i}]`, port, ports.length > 1, names));
  validateLabels(out, "spec.selector", spec.selector);
  validateAffinity(out, spec);
  validateClusterIps(out, spec, old?.spec);
  (spec.externalIPs ?? []).forEach((ip, i) => {
    if (isIp(out, `spec.externalIPs[${i}]`, ip, old?.spec.externalIPs)) isNonSpecialIp(out, `spec.externalIPs[${i}]`, ip);
  });
  if (!spec.type) out.push(required("spec.type"));
  else if (!TYPES.includes(spec.type)) out.push(unsupported("spec.type", spec.type, TYPES));
  validatePortUse(out, spec, ports);
  validateSourceRanges(out, service, old);
  validateBalancer(out, spec);
  validateTraffic(out, spec);
}

const TOPOLOGY_HINTS = "service.kubernetes.io/topology-aware-hints";
const TOPOLOGY_MODE = "service.kubernetes.io/topology-mode";

function validateTopologyAnnotations(out: Errors, { metadata: { annotations = {} } }: Service): void {
  const [hints, mode] = [annotations[TOPOLOGY_HINTS], annotations[TOPOLOGY_MODE]];
  if (hints !== undefined && mode !== undefined && hints !== mode) out.push(invalidValue(`metadata.annotations[${TOPOLOGY_MODE}]`, mode, `must match annotations[${TOPOLOGY_HINTS}] when both are specified`));
}

function validateType(out: Errors, spec: ServiceSpec): void {
  if ((spec.type === "LoadBalancer" || spec.type === "NodePort") && isHeadless(spec)) {
    out.push(invalidValue("spec.clusterIPs[0]", "None", `may not be set to 'None' for ${spec.type} services`));
  }
  if (spec.type !== "ExternalName") return;
  const not = "may not be set for ExternalName services";
  if (spec.clusterIPs?.length) out.push(forbiddenField("spec.clusterIPs", not));
  if (spec.ipFamilies?.length) out.push(forbiddenField("spec.ipFamilies", not));
  if (spec.ipFamilyPolicy !== undefined) out.push(forbiddenField("spec.ipFamilyPolicy", not));
  const name = (spec.externalName ?? "").replace(/\.$/, "");
  if (name === "") out.push(required("spec.externalName"));
  else reasons(out, "spec.externalName", name, isDns1123Subdomain(name));
}

function validateServicePort(out: Errors, field: string, port: ServicePort, needsName: boolean, names: Set<string>): void {
  if (!port.name) {
    if (needsName) out.push(required(`${field}.name`));
  } else {
    reasons(out, `${field}.name`, port.name, isDns1123Label(port.name));
    if (names.has(port.name)) out.push(duplicate(`${field}.name`, port.name));
    else names.add(port.name);
  }
  reasons(out, `${field}.port`, port.port ?? 0, isValidPortNumber(port.port ?? 0));
  if (!port.protocol) out.push(required(`${field}.protocol`));
  else if (!PROTOCOLS.includes(port.protocol)) out.push(unsupported(`${field}.protocol`, port.protocol, PROTOCOLS));
  validatePort(out, `${field}.targetPort`, port.targetPort);
  if (port.appProtocol !== undefined) reasons(out, `${field}.appProtocol`, port.appProtocol, isQualifiedName(port.appProtocol));
}

function validateAffinity(out: Errors, spec: ServiceSpec): void {
  const affinity = spec.sessionAffinity ?? "";
  if (affinity === "") out.push(required("spec.sessionAffinity"));
  else if (affinity !== "ClientIP" && affinity !== "None") out.push(unsupported("spec.sessionAffinity", affinity, ["ClientIP", "None"]));
  const config = spec.sessionAffinityConfig;
  if (affinity === "None" && config) out.push(forbiddenField("spec.sessionAffinityConfig", "must not be set when session affinity is None"));
  if (affinity !== "ClientIP") return;
  const field = "spec.sessionAffinityConfig";
  const when = "when session affinity type is ClientIP";
  if (!config) return void out.push(required(field, when));
  if (!config.clientIP) return void out.push(required(`${field}.clientIP`, when));
  const seconds = config.clientIP.timeoutSeconds;
  if (seconds === undefined) out.push(required(`${field}.clientIP.timeoutSeconds`, when));
  else if (seconds <= 0 || seconds > AFFINITY_SECONDS_MAX) out.push(invalidValue(`${field}.clientIP.timeoutSeconds`, seconds, `must be greater than 0 and less than ${AFFINITY_SECONDS_MAX}`));
}

const FAMILIES = ["IPv4", "IPv6"];
const FAMILY_POLICIES = ["PreferDualStack", "RequireDualStack", "SingleStack"];

/** clusterIP, clusterIPs, ipFamilies and ipFamilyPolicy must fit together. */
export function validateClusterIps(out: Errors, spec: ServiceSpec, old: ServiceSpec | undefined): void {
  if (spec.type === "ExternalName") return;
  const ips = spec.clusterIPs ?? [];
  const families = spec.ipFamilies ?? [];
  if (spec.clusterIP && ips.length === 0) out.push(required("spec.clusterIPs", ""));
  else if (!spec.clusterIP && ips.length > 0) out.push(invalidValue("spec.clusterIPs", ips, "must be empty when `clusterIP` is not specified"));
  else if (ips.length > 0 && ips[0] !== spec.clusterIP) out.push(invalidValue("spec.clusterIPs", ips, "first value must match `clusterIP`"));
  const seen = new Set<string>();
  families.forEach((family, i) => {
    if (!FAMILIES.includes(family)) out.push(unsupported(`spec.ipFamilies[${i}]`, family, FAMILIES));
    if (seen.has(family)) out.push(duplicate(`spec.ipFamilies[${i}]`, family));
    seen.add(family);
  });
  if (spec.ipFamilyPolicy !== undefined && !FAMILY_POLICIES.includes(spec.ipFamilyPolicy)) out.push(unsupported("spec.ipFamilyPolicy", spec.ipFamilyPolicy, FAMILY_POLICIES));
  if (validateAddresses(out, ips, old?.clusterIPs ?? [])) validateAddressFamilies(out, ips, families);
}

/** Whether each is an address, or the only one `None`. */
function validateAddresses(out: Errors, ips: readonly string[], before: readonly string[]): boolean {
  let sound = true;
  ips.forEach((ip, i) => {
    if (i > 0 || ip !== "None") sound = isIp(out, `spec.clusterIPs[${i}]`, ip, before) && sound;
    else if (ips.length > 1) {
      sound = false;
      out.push(invalidValue("spec.clusterIPs", ips, "'None' must be the first and only value"));
    }
  });
  if (ips.length > 2) out.push(invalidValue("spec.clusterIPs", ips, "may only hold up to 2 values"));
  return sound;
}

function validateAddressFamilies(out: Errors, ips: readonly string[], families: readonly string[]): void {
  if (ips.length > 1 && new Set(ips.map(familyOf)).size < 2) out.push(invalidValue("spec.clusterIPs", ips, "may specify no more than one IP for each IP family"));
  if (ips.length === 1 && ips[0] === "None") return;
  ips.forEach((ip, i) => {
    const family = families[i];
    if (family !== undefined && FAMILIES.includes(family) && familyOf(ip) !== family) out.push(invalidValue(`spec.clusterIPs[${i}]`, ip, `expected an ${family} value as indicated by \`ipFamilies[${i}]\``));
  });
}

function validatePortUse(out: Errors, spec: ServiceSpec, ports: readonly ServicePort[]): void {
  if (spec.type === "ClusterIP") {
    ports.forEach((port, i) => {
      if (port.nodePort) out.push(forbiddenField(`spec.ports[${i}].nodePort`, "may not be used when `type` is 'ClusterIP'"));
    });
  }
  const nodePorts = new Set<string>();
  ports.forEach((port, i) => {
    if (!port.nodePort) return;
    const key = `${port.protocol}/${port.nodePort}`;
    if (nodePorts.has(key)) out.push(duplicate(`spec.ports[${i}].nodePort`, port.nodePort));
    nodePorts.add(key);
  });
  const used = new Set<string>();
  ports.forEach((port, i) => {
    const key = `${port.protocol}/${port.port}`;
    if (used.has(key)) out.push(duplicate(`spec.ports[${i}]`, { Name: "", Protocol: port.protocol ?? "", AppProtocol: null, Port: port.port, TargetPort: 0, NodePort: 0 }));
    used.add(key);
  });
}

const BALANCER_ONLY = "may only be used when `type` is 'LoadBalancer'";
const SOURCE_RANGES = "service.beta.kubernetes.io/load-balancer-source-ranges";

/** In the field, or, where that is empty, in the annotation that was before it. */
function validateSourceRanges(out: Errors, { spec, metadata }: Service, old: Service | undefined): void {
  const ranges = spec.loadBalancerSourceRanges ?? [];
  const annotation = metadata.annotations?.[SOURCE_RANGES];
  if (ranges.length > 0) {
    if (spec.type !== "LoadBalancer") out.push(forbiddenField("spec.LoadBalancerSourceRanges", BALANCER_ONLY));
    const before = (old?.spec.loadBalancerSourceRanges ?? []).map((range) => range.trim());
    ranges.forEach((range, i) => isCidr(out, `spec.LoadBalancerSourceRanges[${i}]`, range.trim(), before));
  } else if (annotation !== undefined) {
    const field = `metadata.annotations[${SOURCE_RANGES}]`;
    if (spec.type !== "LoadBalancer") out.push(forbiddenField(field, BALANCER_ONLY));
    if (annotation.trim() === "" || old?.metadata.annotations?.[SOURCE_RANGES] === annotation) return;
    for (const range of annotation.trim().split(",")) isCidr(out, field, range.trim());
  }
}

function validateBalancer(out: Errors, spec: ServiceSpec): void {
  if (spec.allocateLoadBalancerNodePorts !== undefined && spec.type !== "LoadBalancer") out.push(forbiddenField("spec.allocateLoadBalancerNodePorts", BALANCER_ONLY));
  if (spec.type === "LoadBalancer" && spec.allocateLoadBalancerNodePorts === undefined) out.push(required("allocateLoadBalancerNodePorts"));
  validateBalancerClass(out, spec);
}

export function validateBalancerClass(out: Errors, spec: ServiceSpec): void {
  if (spec.loadBalancerClass === undefined) return;
  if (spec.type !== "LoadBalancer") out.push(forbiddenField("spec.loadBalancerClass", BALANCER_ONLY));
  else reasons(out, "spec.loadBalancerClass", spec.loadBalancerClass, isQualifiedName(spec.loadBalancerClass));
}

function validateTraffic(out: Errors, spec: ServiceSpec): void {
  const external = spec.externalTrafficPolicy ?? "";
  if (!isExternallyAccessible(spec)) {
    if (external !== "") out.push(invalidValue("spec.externalTrafficPolicy", external, "may only be set for externally-accessible services"));
  } else if (external === "") out.push(required("spec.externalTrafficPolicy"));
  else if (external !== "Cluster" && external !== "Local") out.push(unsupported("spec.externalTrafficPolicy", external, ["Cluster", "Local"]));
  const port = spec.healthCheckNodePort ?? 0;
  if (!needsHealthCheck(spec)) {
    if (port !== 0) out.push(invalidValue("spec.healthCheckNodePort", port, "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'"));
  } else if (port === 0) out.push(required("spec.healthCheckNodePort"));
  else reasons(out, "spec.healthCheckNodePort", port, isValidPortNumber(port));
  const internal = spec.internalTrafficPolicy;
  if (internal === undefined && (spec.type === "NodePort" || spec.type === "LoadBalancer" || spec.type === "ClusterIP")) out.push(required("spec.internalTrafficPolicy"));
  if (internal !== undefined && internal !== "Cluster" && internal !== "Local") out.push(unsupported("spec.internalTrafficPolicy", internal, ["Cluster", "Local"]));
  if (spec.trafficDistribution !== undefined && !DISTRIBUTIONS.includes(spec.trafficDistribution)) out.push(unsupported("spec.trafficDistribution", spec.trafficDistribution, DISTRIBUTIONS));
}
