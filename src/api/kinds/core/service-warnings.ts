/**
 * What the client of a Service is told though the Service is taken: fields that mean nothing together, addresses in odd forms, what is deprecated.
 * Follows kubernetes pkg/api/service/warnings.go.
 */
import type { Service } from "../../generated/types.ts";
import { cidrWarnings, addressWarnings } from "../../validation/addresses.ts";

const HINTS = "service.kubernetes.io/topology-aware-hints";

/** In upstream's order. */
export function serviceWarnings({ metadata, spec }: Service): readonly string[] {
  const out: string[] = [];
  const headless = spec.type === "ClusterIP" && spec.clusterIP === "None";
  const external = spec.externalIPs ?? [];
  if (metadata.annotations?.[HINTS] !== undefined) out.push(`annotation ${HINTS} is deprecated, please use service.kubernetes.io/topology-mode instead`);
  if (spec.clusterIP && spec.clusterIP !== "None") (spec.clusterIPs ?? []).forEach((ip, i) => out.push(...addressWarnings(`spec.clusterIPs[${i}]`, ip)));
  if (headless && spec.loadBalancerIP) out.push("spec.loadBalancerIP is ignored for headless services");
  if (headless && external.length > 0) out.push("spec.externalIPs is ignored for headless services");
  if (headless && spec.sessionAffinity !== "None") out.push("spec.SessionAffinity is ignored for headless services");
  external.forEach((ip, i) => out.push(...addressWarnings(`spec.externalIPs[${i}]`, ip)));
  if (external.length > 0 && !headless && spec.type !== "ExternalName") out.push("spec.externalIPs is deprecated and may no longer be implemented in some clusters");
  if (spec.loadBalancerIP) out.push(...addressWarnings("spec.loadBalancerIP", spec.loadBalancerIP));
  (spec.loadBalancerSourceRanges ?? []).forEach((range, i) => out.push(...cidrWarnings(`spec.loadBalancerSourceRanges[${i}]`, range)));
  if (spec.type === "ExternalName" && external.length > 0) out.push('spec.externalIPs is ignored when spec.type is "ExternalName"');
  if (spec.type !== "ExternalName" && spec.externalName) out.push('spec.externalName is ignored when spec.type is not "ExternalName"');
  if (spec.trafficDistribution === "PreferClose") out.push('spec.trafficDistribution: "PreferClose" is deprecated; use "PreferSameZone"');
  return out;
}
