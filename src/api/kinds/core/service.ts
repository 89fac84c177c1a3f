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
import { addressWarnings } from "../../validation/addresses.ts";
import { defineKind } from "../define.ts";
import type { Cell, Draft, Kind } from "../kind.ts";
import { ageCell, formatLabels } from "../printing.ts";
import { validateBalancerStatus } from "./service-status.ts";
import { isExternallyAccessible, isHeadless, needsHealthCheck, validateBalancerClass, validateService } from "./service-validation.ts";
import { serviceWarnings } from "./service-warnings.ts";

const AFFINITY_SECONDS = 10_800;

function applyDefaults(draft: Draft<Service>): void {
  draft.spec ??= {};
  const { spec } = draft;
  spec.sessionAffinity ||= "None";
  if (spec.sessionAffinity === "None") delete spec.sessionAffinityConfig;
  if (spec.sessionAffinity === "ClientIP" && spec.sessionAffinityConfig?.clientIP?.timeoutSeconds === undefined) spec.sessionAffinityConfig = { clientIP: { timeoutSeconds: AFFINITY_SECONDS } };
  spec.type ||= "ClusterIP";
  for (const port of spec.ports ?? []) {
    port.protocol ||= "TCP";
    if (!port.targetPort) port.targetPort = port.port ?? 0;
  }
  if (isExternallyAccessible(spec)) spec.externalTrafficPolicy ||= "Cluster";
  if (spec.type === "ClusterIP" || needsNodePort(spec)) spec.internalTrafficPolicy ??= "Cluster";
  if (spec.type !== "LoadBalancer") return;
  spec.allocateLoadBalancerNodePorts ??= true;
  for (const ingress of draft.status?.loadBalancer?.ingress ?? []) if (ingress.ip) ingress.ipMode ??= "VIP";
}

/** The two types whose ports may be open on nodes. */
const NODE_PORT_TYPES: readonly (string | undefined)[] = ["NodePort", "LoadBalancer"];
export const needsClusterIp = (s: ServiceSpec): boolean => s.type !== "ExternalName";
export const needsNodePort = (s: ServiceSpec): boolean => NODE_PORT_TYPES.includes(s.type);
export const allocatesNodePorts = (s: ServiceSpec): boolean => s.type === "NodePort" || (s.type === "LoadBalancer" && s.allocateLoadBalancerNodePorts !== false);
const nodePortsOf = (s: ServiceSpec): readonly number[] => (s.ports ?? []).map((p) => p.nodePort ?? 0).filter((port) => port > 0);

/** A client that knows only one of clusterIP and clusterIPs means both. Follows normalizeClusterIPs. */
export function normalizeClusterIps(spec: Draft<ServiceSpec>, old: ServiceSpec | undefined): void {
  if (!old) {
    if (spec.clusterIP && !spec.clusterIPs?.length) spec.clusterIPs = [spec.clusterIP];
    return;
  }
  const [now, before] = [spec.clusterIP ?? "", old.clusterIP ?? ""];
  if (now === before) {
    if (old.clusterIPs?.length && !spec.clusterIPs?.length) spec.clusterIPs = [...old.clusterIPs];
  } else if (semanticallyEqual(spec.clusterIPs, old.clusterIPs)) {
    if (now === "") delete spec.clusterIPs;
    else spec.clusterIPs = [now];
  }
}

/** What a client leaves out keeps what was allocated; ports are the same that have the same name. Follows patchAllocatedValues. */
export function keepAllocated(spec: Draft<ServiceSpec>, old: ServiceSpec): void {
  if (needsClusterIp(old) && needsClusterIp(spec)) {
    if (!spec.clusterIP && old.clusterIP) spec.clusterIP = old.clusterIP;
    if (!spec.clusterIPs?.length && old.clusterIPs?.length) spec.clusterIPs = [...old.clusterIPs];
  }
  if (allocatesNodePorts(old) && allocatesNodePorts(spec)) {
    const now = nodePortsOf(spec);
    const used = new Set(nodePortsOf(old).filter((port) => now.includes(port)));
    const named = new Map((old.ports ?? []).map((p) => [p.name ?? "", p.nodePort ?? 0]));
    for (const port of spec.ports ?? []) {
      const before = named.get(port.name ?? "") ?? 0;
      if (!port.nodePort && before > 0 && !used.has(before)) port.nodePort = before;
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
    drop("ipFamilies");
    drop("ipFamilyPolicy");
  }
  if (needsNodePort(old) && !needsNodePort(spec) && nodePortsOf(spec).every((port) => nodePortsOf(old).includes(port))) for (const port of spec.ports ?? []) delete port.nodePort;
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
    const [now, before] = [isHeadless(spec), isHeadless(old.spec)];
    if (!now || !before) validateOnceSet(out, spec, old.spec, { key: "clusterIPs", what: "clusterIP" });
    if (!now && !before) validateOnceSet(out, spec, old.spec, { key: "ipFamilies", what: "ipFamily" });
  }
  if (old.spec.type === "LoadBalancer" && spec.type === "LoadBalancer" && spec.loadBalancerClass !== old.spec.loadBalancerClass) {
    out.push(invalidValue("spec.loadBalancerClass", spec.loadBalancerClass ?? null, "may not change once set"));
  }
  validateBalancerClass(out, spec);
  if (needsHealthCheck(old.spec) && needsHealthCheck(spec) && spec.healthCheckNodePort !== old.spec.healthCheckNodePort) out.push(forbiddenField("spec.healthCheckNodePort", IMMUTABLE));
  validateService(out, service, old);
}

interface OnceSet {
  readonly key: "clusterIPs" | "ipFamilies";
  readonly what: string;
}

/** The first of a Service's addresses and families stays; a second may come, and go where the policy says so. Follows validateUpgradeDowngradeClusterIPs and -IPFamilies. */
function validateOnceSet(out: Errors, spec: ServiceSpec, old: ServiceSpec, { key, what }: OnceSet): void {
  const now: readonly string[] = spec[key] ?? [];
  const before: readonly string[] = old[key] ?? [];
  const first = `spec.${key}[0]`;
  const changed = (i: number, shown: unknown = spec[key]) => out.push(invalidValue(key === "clusterIPs" ? `spec.clusterIPs[${i}]` : first, shown ?? null, "may not change once set"));
  if (now.length === before.length) return before.forEach((text, i) => void (text !== now[i] && changed(i)));
  if (now.length < before.length && !spec.clusterIPs?.length) out.push(invalidValue(first, spec[key] ?? null, `primary ${what} can not be unset`));
  // Upstream shows the addresses here, also where families have changed.
  if (now.length > 0 && before.length > 0 && now[0] !== before[0]) changed(0, spec.clusterIPs);
  if (now.length < before.length && now.length === 1 && spec.ipFamilyPolicy !== "SingleStack") out.push(invalidValue("spec.ipFamilyPolicy", spec.ipFamilyPolicy ?? null, `must be set to 'SingleStack' when releasing the secondary ${what}`));
}

/** Upstream stores it and doesn't show it. Follows defaultOnReadInternalTrafficPolicy. */
function dropUnread(spec: Draft<ServiceSpec>): void {
  if (spec.type === "ExternalName" && (spec.internalTrafficPolicy === "Cluster" || spec.internalTrafficPolicy === "Local")) delete spec.internalTrafficPolicy;
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
  resource: SERVICES,
  schema: "io.k8s.api.core.v1.Service",
  printer: { cells },
  applyDefaults,
  validateName: labelName,
  allowCreateOnUpdate: true,
  prepareCreate: (draft) => dropUnread(draft.spec),
  validate: validateService,
  createWarnings: serviceWarnings,
  prepareUpdate(draft, old) {
    dropTypeDependent(draft.spec, old.spec);
    dropUnread(draft.spec);
    if (draft.spec.type !== "LoadBalancer" && draft.status?.loadBalancer?.ingress) draft.status = { ...draft.status, loadBalancer: {} };
  },
  metaOnUpdate: "update",
  validateUpdate,
  updateWarnings: serviceWarnings,
  status: { validate: (out, o, old) => validateBalancerStatus(out, o, old), warnings: (o) => (o.status?.loadBalancer?.ingress ?? []).flatMap(({ ip }, i) => (ip ? addressWarnings(`status.loadBalancer.ingress[${i}]`, ip) : [])) },
  deleteReturnsObject: true,
  selectableFields: { "spec.clusterIP": (o) => o.spec.clusterIP ?? "", "spec.type": (o) => o.spec.type ?? "" },
});

