/**
 * Which address families a Service has, and by which policy: what its client left out is filled in. The cluster has IPv4 only.
 * Follows kubernetes pkg/registry/core/service/storage/alloc.go (initIPFamilyFields).
 */
import { invalidValue, toCause, type FieldError } from "../../api/field-error.ts";
import type { Service, ServiceSpec } from "../../api/generated/types.ts";
import { validateClusterIps } from "../../api/kinds/core/service-validation.ts";
import type { Draft } from "../../api/kinds/kind.ts";
import { SERVICES } from "../../api/resource.ts";
import { invalid } from "../../api/status-error.ts";
import { familyOf } from "../../api/validation/addresses.ts";
import { equal } from "../../registry/objects.ts";

const POLICY = "spec.ipFamilyPolicy";
const CLUSTER_FAMILY = "IPv4";

type Spec = Draft<ServiceSpec>;

function refuse(draft: Draft<Service>, errors: readonly FieldError[]): void {
  if (errors.length > 0) throw invalid(SERVICES, draft.metadata?.name ?? "", errors.map(toCause));
}

const isSelectorless = (spec: Spec): boolean => spec.clusterIP === "None" && Object.keys(spec.selector ?? {}).length === 0;

function defaultPolicy(spec: Spec, old: ServiceSpec | undefined): void {
  spec.ipFamilyPolicy ??= old?.ipFamilyPolicy ?? (isSelectorless(spec) ? "RequireDualStack" : "SingleStack");
}

/** A Service that once got what it preferred is not changed with the cluster. Follows isMatchingPreferDualStackClusterIPFields. */
function isSettled(spec: Spec, old: ServiceSpec | undefined): boolean {
  if (!old || old.type !== spec.type || !["ClusterIP", "NodePort", "LoadBalancer"].includes(spec.type ?? "")) return false;
  if (spec.ipFamilyPolicy !== "PreferDualStack" || (old.ipFamilyPolicy !== undefined && old.ipFamilyPolicy !== "PreferDualStack")) return false;
  return sameList(spec.clusterIPs, old.clusterIPs) && sameList(spec.ipFamilies, old.ipFamilies);
}

const sameList = (a: readonly string[] = [], b: readonly string[] = []): boolean => equal(a, b);

/** A second family or address goes when the policy says so, and only then. */
function narrow(spec: Spec, old: ServiceSpec, errors: FieldError[]): void {
  const lists = [{ key: "clusterIPs", what: "cluster IP" }, { key: "ipFamilies", what: "IP family" }] as const;
  for (const { key, what } of lists) {
    const now = spec[key] ?? [];
    const before = old[key] ?? [];
    if (spec.ipFamilyPolicy === "SingleStack") {
      if (equal(now, before) && now.length > 1) spec[key] = now.slice(0, 1);
    } else if (now.length > 0 && before.length > now.length) {
      errors.push(invalidValue(POLICY, spec.ipFamilyPolicy, `must be 'SingleStack' to release the secondary ${what}`));
    }
  }
}

function checkPolicy(spec: Spec, errors: FieldError[]): void {
  if (spec.ipFamilyPolicy !== "SingleStack") return;
  const wanted = "must be 'RequireDualStack' or 'PreferDualStack' when multiple";
  if (spec.clusterIPs?.length === 2) errors.push(invalidValue(POLICY, spec.ipFamilyPolicy, `${wanted} cluster IPs are specified`));
  if (spec.ipFamilies?.length === 2) errors.push(invalidValue(POLICY, spec.ipFamilyPolicy, `${wanted} IP families are specified`));
}

function inferFamilies(spec: Spec, errors: FieldError[]): void {
  const ips = spec.clusterIPs ?? [];
  const families = spec.ipFamilies ?? [];
  for (const [i, ip] of ips.entries()) {
    if (ip === "None") break;
    const family = familyOf(ip);
    if (i < families.length || family === undefined) continue;
    if (family === CLUSTER_FAMILY) families.push(family);
    else errors.push(invalidValue(`spec.clusterIPs[${i}]`, ips, `${family} is not configured on this cluster`));
  }
  if (families.length > 0) spec.ipFamilies = families;
}

function checkFamilies(spec: Spec): readonly FieldError[] {
  const errors: FieldError[] = [];
  if (spec.ipFamilyPolicy === "RequireDualStack") errors.push(invalidValue(POLICY, spec.ipFamilyPolicy, "this cluster is not configured for dual-stack services"));
  (spec.ipFamilies ?? []).forEach((family, i) => {
    if (family !== CLUSTER_FAMILY) errors.push(invalidValue(`spec.ipFamilies[${i}]`, family, "not configured on this cluster"));
  });
  return errors;
}

export function fillFamilies(draft: Draft<Service>, old: ServiceSpec | undefined): void {
  const { spec } = draft;
  if (spec.type === "ExternalName" || isSettled(spec, old)) return;
  defaultPolicy(spec, old);
  const malformed: FieldError[] = [];
  validateClusterIps(malformed, spec, old);
  refuse(draft, malformed);
  const errors: FieldError[] = [];
  if (old) narrow(spec, old, errors);
  checkPolicy(spec, errors);
  inferFamilies(spec, errors);
  refuse(draft, errors);
  if (isSelectorless(spec)) {
    const [first = CLUSTER_FAMILY, ...more] = spec.ipFamilies ?? [];
    const both = more.length === 0 && spec.ipFamilyPolicy !== "SingleStack";
    spec.ipFamilies = both ? [first, first === "IPv4" ? "IPv6" : "IPv4"] : [first, ...more];
    return;
  }
  refuse(draft, checkFamilies(spec));
  if (!spec.ipFamilies?.length) spec.ipFamilies = [CLUSTER_FAMILY];
}
