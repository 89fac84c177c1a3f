/**
 * The kind Service. Addresses and node ports are allocated by the registry before a Service is validated; nothing here allocates.
 * Follows kubernetes pkg/registry/core/service/strategy.go and pkg/apis/core/validation (ValidateService, ValidateServiceUpdate).
 */
import type { Instant } from "../../../base/clock.ts";
import { forbiddenField, invalidValue } from "../../field-error.ts";
import type { Service, ServicePort, ServiceSpec } from "../../generated/types.ts";
import { labelName } from "../../names.ts";
import { SERVICES } from "../../resource.ts";
import { type Errors, IMMUTABLE, semanticallyEqual } from "../../validation/fields.ts";
import { isIp } from "../../validation/addresses.ts";
import { defineKind } from "../define.ts";
import type { Cell, Draft, Kind } from "../kind.ts";
import { ageCell, formatLabels } from "../printing.ts";
import { isExternallyAccessible, needsHealthCheck, validateService } from "./service-validation.ts";

const AFFINITY_SECONDS = 10_800;

function applyDefaults(draft: Draft<Service>): void {
  draft.spec ??= {};
  const { spec } = draft;
  spec.sessionAffinity ||= "None";
  if (spec.sessionAffinity === "None") delete spec.sessionAffinityConfig;
  if (spec.sessionAffinity === "ClientIP") spec.sessionAffinityConfig = { ...spec.sessionAffinityConfig, clientIP: { timeoutSeconds: AFFINITY_SECONDS, ...spec.sessionAffinityConfig?.clientIP } };
  spec.type ||= "ClusterIP";
  for (const port of spec.ports ?? []) {
    port.protocol ||= "TCP";
    if (!port.targetPort) port.targetPort = port.port ?? 0;
  }
  if (isExternallyAccessible(spec)) spec.externalTrafficPolicy ||= "Cluster";
  if (spec.type !== "ExternalName") spec.internalTrafficPolicy ??= "Cluster";
  if (spec.type === "LoadBalancer") spec.allocateLoadBalancerNodePorts ??= true;
}

export const needsClusterIp = (s: ServiceSpec): boolean => s.type !== "ExternalName";
export const needsNodePort = (s: ServiceSpec): boolean => s.type === "NodePort" || s.type === "LoadBalancer";
const nodePortsOf = (s: ServiceSpec): readonly number[] => (s.ports ?? []).map((p) => p.nodePort ?? 0);

/** A client that knows only one of clusterIP and clusterIPs means both. Follows NormalizeClusterIPs. */
export function normalizeClusterIps(spec: Draft<ServiceSpec>, old: ServiceSpec | undefined): void {
  if (!old) {
    if (spec.clusterIP && !spec.clusterIPs?.length) spec.clusterIPs = [spec.clusterIP];
    return;
  }
  if ((spec.clusterIP ?? "") === (old.clusterIP ?? "") || !semanticallyEqual(spec.clusterIPs, old.clusterIPs)) return;
  if (!spec.clusterIP) delete spec.clusterIPs;
  else spec.clusterIPs = [spec.clusterIP, ...(spec.clusterIPs ?? []).slice(1)];
}

/** What a client leaves out keeps what was allocated. Follows patchAllocatedValues. */
function keepAllocated(spec: Draft<ServiceSpec>, old: ServiceSpec): void {
  if (needsClusterIp(old) && needsClusterIp(spec)) {
    if (!spec.clusterIP && old.clusterIP) spec.clusterIP = old.clusterIP;
    if (!spec.clusterIPs?.length && spec.clusterIP === old.clusterIP && old.clusterIPs) spec.clusterIPs = [...old.clusterIPs];
  }
  if (needsNodePort(old) && needsNodePort(spec)) {
    const taken = new Set(nodePortsOf(spec));
    for (const port of spec.ports ?? []) {
      if (port.nodePort) continue;
      const before = old.ports?.find((p) => p.port === port.port && (p.protocol ?? "TCP") === (port.protocol ?? "TCP"))?.nodePort;
      if (before && !taken.has(before)) port.nodePort = before;
    }
  }
  if (needsHealthCheck(old) && needsHealthCheck(spec) && !spec.healthCheckNodePort && old.healthCheckNodePort) spec.healthCheckNodePort = old.healthCheckNodePort;
}

/** Fields that the new type does not have go, unless the client changed them in the same breath. Follows dropTypeDependentFields. */
function dropTypeDependent(spec: Draft<ServiceSpec>, old: ServiceSpec): void {
  const drop = (...keys: readonly (keyof ServiceSpec)[]) => {
    if (keys.every((key) => semanticallyEqual(spec[key], old[key]))) for (const key of keys) Reflect.deleteProperty(spec, key);
  };
  if (needsClusterIp(old) && !needsClusterIp(spec)) {
    drop("clusterIP", "clusterIPs");
    drop("ipFamilies", "ipFamilyPolicy");
    drop("internalTrafficPolicy");
  }
  if (needsNodePort(old) && !needsNodePort(spec) && semanticallyEqual(nodePortsOf(spec), nodePortsOf(old))) for (const port of spec.ports ?? []) delete port.nodePort;
  if (needsHealthCheck(old) && !needsHealthCheck(spec)) drop("healthCheckNodePort");
  if (old.type === "LoadBalancer" && spec.type !== "LoadBalancer") {
    drop("allocateLoadBalancerNodePorts");
    drop("loadBalancerClass");
  }
  if (isExternallyAccessible(old) && !isExternallyAccessible(spec)) drop("externalTrafficPolicy");
}

function validateUpdate(out: Errors, service: Service, old: Service): void {
  const { spec } = service;
  if (needsClusterIp(old.spec) && needsClusterIp(spec)) {
    validateOnceSet(out, "spec.clusterIPs", spec.clusterIPs ?? [], old.spec.clusterIPs ?? []);
    validateOnceSet(out, "spec.ipFamilies", spec.ipFamilies ?? [], old.spec.ipFamilies ?? []);
  }
  if (old.spec.type === "LoadBalancer" && spec.type === "LoadBalancer" && spec.loadBalancerClass !== old.spec.loadBalancerClass) {
    out.push(invalidValue("spec.loadBalancerClass", spec.loadBalancerClass ?? null, "may not change once set"));
  }
  if (needsHealthCheck(old.spec) && needsHealthCheck(spec) && spec.healthCheckNodePort !== old.spec.healthCheckNodePort) out.push(forbiddenField("spec.healthCheckNodePort", IMMUTABLE));
  validateService(out, service);
}

/** The first of a Service's addresses and families stays; a second may come and go. Follows validateUpgradeDowngradeClusterIPs. */
function validateOnceSet(out: Errors, field: string, now: readonly string[], before: readonly string[]): void {
  if (before[0] === "None" && now[0] === "None") return;
  if (now.length === 0 && before.length > 0) return void out.push(invalidValue(`${field}[0]`, now, field === "spec.clusterIPs" ? "primary clusterIP can not be unset" : "primary ipFamily can not be unset"));
  const fixed = now.length === before.length ? before.length : Math.min(1, before.length);
  for (let i = 0; i < fixed; i += 1) if (now[i] !== before[i]) out.push(invalidValue(`${field}[${i}]`, now, "may not change once set"));
}

function portText(p: ServicePort): string {
  return p.nodePort ? `${p.port}:${p.nodePort}/${p.protocol ?? ""}` : `${p.port}/${p.protocol ?? ""}`;
}

function externalOf({ spec, status }: Service): string {
  const own = spec.externalIPs ?? [];
  if (spec.type === "ExternalName") return spec.externalName ?? "";
  if (spec.type !== "LoadBalancer") return spec.type === "ClusterIP" || spec.type === "NodePort" ? own.join(",") || "<none>" : "<unknown>";
  const balanced = [...new Set((status?.loadBalancer?.ingress ?? []).map((i) => i.ip || i.hostname || "").filter((t) => t !== ""))].sort();
  return [...balanced, ...own].join(",") || "<pending>";
}

function cells(o: Service, now: Instant): readonly Cell[] {
  return [
    o.metadata.name ?? "",
    o.spec.type ?? "",
    o.spec.clusterIPs?.[0] ?? "<none>",
    externalOf(o),
    (o.spec.ports ?? []).map(portText).join(",") || "<none>",
    ageCell(o, now),
    formatLabels(o.spec.selector),
  ];
}

export const serviceKind: Kind<Service> = defineKind<Service>({
  allowCreateOnUpdate: true,
  resource: SERVICES,
  schema: "io.k8s.api.core.v1.Service",
  printer: { cells },
  applyDefaults,
  validateName: labelName,
  prepareCreate: (draft) => normalizeClusterIps(draft.spec, undefined),
  validate: validateService,
  prepareUpdate(draft, old) {
    normalizeClusterIps(draft.spec, old.spec);
    keepAllocated(draft.spec, old.spec);
    dropTypeDependent(draft.spec, old.spec);
  },
  validateUpdate,
  status: {
    validate(out, o) {
      const ingress = o.status?.loadBalancer?.ingress ?? [];
      if (o.spec.type !== "LoadBalancer" && ingress.length > 0) out.push(forbiddenField("status.loadBalancer.ingress", "may only be used when `spec.type` is LoadBalancer"));
      ingress.forEach((entry, i) => {
        if (entry.ip) isIp(out, `status.loadBalancer.ingress[${i}].ip`, entry.ip);
      });
    },
  },
  deleteReturnsObject: true,
  selectableFields: { "spec.clusterIP": (o) => o.spec.clusterIP ?? "", "spec.type": (o) => o.spec.type ?? "" },
});

