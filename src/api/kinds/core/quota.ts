/**
 * The kinds ResourceQuota and LimitRange.
 * Follows kubernetes pkg/apis/core/validation (ValidateResourceQuota, ValidateLimitRange) and pkg/registry/core/{resourcequota,limitrange}/strategy.go.
 */
import type { Instant } from "../../../base/clock.ts";
import { duplicate, forbiddenField, invalidValue, required } from "../../field-error.ts";
import type { LimitRange, LimitRangeItem, ResourceQuota, ResourceQuotaSpec, ResourceQuotaStatus } from "../../generated/types.ts";
import { isQualifiedName } from "../../names.ts";
import { canonicalQuantity, compareQuantities, quantityMilliValue } from "../../quantity.ts";
import { LIMIT_RANGES, RESOURCE_QUOTAS } from "../../resource.ts";
import { type Errors, IMMUTABLE, reasons } from "../../validation/fields.ts";
import { defineKind } from "../define.ts";
import { goSpelled } from "../go-spelling.ts";
import type { Kind } from "../kind.ts";
import { isOvercommitAllowed, isStandardQuotaResource, validateContainerResourceName, validateQuantityValue, validateQuotaResourceName, validateResourceName } from "../pod/resources.ts";
import { ageCell } from "../printing.ts";

type Amounts = Readonly<Record<string, string | number>> | undefined;

const SCOPES = ["Terminating", "NotTerminating", "BestEffort", "NotBestEffort", "PriorityClass", "CrossNamespacePodAffinity", "VolumeAttributesClass"];
const POD_COMPUTE = new Set(["pods", "cpu", "memory", "requests.cpu", "requests.memory", "limits.cpu", "limits.memory"]);
const EXISTS_ONLY = new Set(["BestEffort", "NotBestEffort", "Terminating", "NotTerminating", "CrossNamespacePodAffinity"]);
const PAIRS = [["BestEffort", "NotBestEffort"], ["Terminating", "NotTerminating"]] as const;

function validateAmounts(out: Errors, field: string, amounts: Amounts): void {
  for (const [name, value] of Object.entries(amounts ?? {})) {
    validateQuotaResourceName(out, `${field}[${name}]`, name);
    validateQuantityValue(out, `${field}[${name}]`, name, value);
  }
}

/** Which resources a scope can count: best-effort pods have nothing but their number. */
function scopeFits(scope: string, resource: string): boolean {
  if (scope === "BestEffort") return resource === "pods";
  if (scope === "VolumeAttributesClass") return resource === "persistentvolumeclaims" || resource === "requests.storage";
  if (SCOPES.includes(scope)) return POD_COMPUTE.has(resource);
  return true;
}

function validateScopes(out: Errors, spec: ResourceQuotaSpec): void {
  const scopes = spec.scopes ?? [];
  const resources = Object.keys(spec.hard ?? {}).sort().filter(isStandardQuotaResource);
  for (const scope of scopes) {
    if (!SCOPES.includes(scope)) out.push(invalidValue("spec.scopes", scopes, "unsupported scope"));
    for (const name of resources) if (!scopeFits(scope, name)) out.push(invalidValue("spec.scopes", scopes, "unsupported scope applied to resource"));
  }
  for (const [a, b] of PAIRS) if (scopes.includes(a) && scopes.includes(b)) out.push(invalidValue("spec.scopes", scopes, "conflicting scopes"));
}

function validateScopeSelector(out: Errors, spec: ResourceQuotaSpec): void {
  const field = "spec.scopeSelector.matchExpressions";
  const expressions = spec.scopeSelector?.matchExpressions ?? [];
  const resources = Object.keys(spec.hard ?? {}).sort().filter(isStandardQuotaResource);
  for (const { scopeName, operator, values = [] } of expressions) {
    if (!SCOPES.includes(scopeName)) out.push(invalidValue(`${field}.scopeName`, scopeName, "unsupported scope"));
    for (const name of resources) if (!scopeFits(scopeName, name)) out.push(invalidValue(field, goSpelled("io.k8s.api.core.v1.ScopeSelector", spec.scopeSelector), "unsupported scope applied to resource"));
    if (EXISTS_ONLY.has(scopeName) && operator !== "Exists") {
      out.push(invalidValue(`${field}.operator`, operator, "must be 'Exists' when scope is any of ResourceQuotaScopeTerminating, ResourceQuotaScopeNotTerminating, ResourceQuotaScopeBestEffort, ResourceQuotaScopeNotBestEffort or ResourceQuotaScopeCrossNamespacePodAffinity"));
    }
    if (operator === "In" || operator === "NotIn") {
      if (values.length === 0) out.push(required(`${field}.values`, "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector"));
    } else if (operator === "Exists" || operator === "DoesNotExist") {
      if (values.length > 0) out.push(invalidValue(`${field}.values`, values, "must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector"));
    } else out.push(invalidValue(`${field}.operator`, operator ?? "", "not a valid selector operator"));
  }
  const names = expressions.map((e) => e.scopeName);
  for (const [a, b] of PAIRS) if (names.includes(a) && names.includes(b)) out.push(invalidValue(field, spec.scopes ?? null, "conflicting scopes"));
}

function validateQuotaSpec(out: Errors, spec: ResourceQuotaSpec | undefined): void {
  validateAmounts(out, "spec.hard", spec?.hard);
  validateScopes(out, spec ?? {});
  validateScopeSelector(out, spec ?? {});
}

function validateQuotaStatus(out: Errors, status: ResourceQuotaStatus | undefined): void {
  validateAmounts(out, "status.hard", status?.hard);
  validateAmounts(out, "status.used", status?.used);
}

/** A request that is bounded above its limit. Follows WarningsOnCreate of the quota's strategy. */
function quotaWarnings({ spec }: ResourceQuota): readonly string[] {
  const hard = spec?.hard ?? {};
  return ["cpu", "memory", "storage", "ephemeral-storage"].flatMap((name) => {
    const bare = hard[`requests.${name}`] === undefined && (name === "cpu" || name === "memory") && hard[name] !== undefined;
    const requested = bare ? name : `requests.${name}`;
    const [request, limit] = [hard[requested], hard[`limits.${name}`]];
    if (request === undefined || limit === undefined || compareQuantities(request, limit) <= 0) return [];
    return [`ResourceQuota ${requested} (${canonicalQuantity(request)}) should be less than limits.${name} (${canonicalQuantity(limit)})`];
  });
}

/** `cpu: 1/2, pods: 0/4`, requests and limits apart. Follows printResourceQuota. */
function shownUse(quota: ResourceQuota): readonly [string, string] {
  const [requests, limits]: [string[], string[]] = [[], []];
  for (const name of Object.keys(quota.status?.hard ?? {}).sort()) {
    const text = `${name}: ${canonicalQuantity(quota.status?.used?.[name] ?? "0")}/${canonicalQuantity(quota.status?.hard?.[name] ?? "0")}`;
    (name.startsWith("limits.") ? limits : requests).push(text);
  }
  return [requests.join(", "), limits.join(", ")];
}

export const resourceQuotaKind: Kind<ResourceQuota> = defineKind<ResourceQuota>({
  resource: RESOURCE_QUOTAS,
  schema: "io.k8s.api.core.v1.ResourceQuota",
  printer: { cells: (o, now: Instant) => [o.metadata.name ?? "", ...shownUse(o), ageCell(o, now)] },
  status: { validate: (out, o) => validateQuotaStatus(out, o.status) },
  validate: (out, o) => validateQuotaSpec(out, o.spec),
  createWarnings: quotaWarnings,
  metaOnUpdate: "update",
  validateUpdate(out, o, old) {
    validateQuotaSpec(out, o.spec);
    const sorted = (scopes: readonly string[] | undefined) => [...new Set(scopes)].sort().join();
    if (sorted(o.spec?.scopes) !== sorted(old.spec?.scopes)) out.push(invalidValue("spec.scopes", o.spec?.scopes ?? null, IMMUTABLE));
  },
  deleteReturnsObject: true,
});

const LIMIT_TYPES = ["Pod", "Container", "PersistentVolumeClaim"];

function validateLimitType(out: Errors, field: string, type: string): void {
  const texts = isQualifiedName(type);
  reasons(out, field, type, texts);
  if (texts.length === 0 && !type.includes("/") && !LIMIT_TYPES.includes(type)) out.push(invalidValue(field, type, "must be a standard limit type or fully qualified"));
}

const AMOUNTS = ["max", "min", "default", "defaultRequest", "maxLimitRequestRatio"] as const;

function validateLimit(out: Errors, field: string, item: LimitRangeItem): void {
  const names = new Set<string>();
  for (const key of AMOUNTS) {
    if (key === "maxLimitRequestRatio" && item.type === "PersistentVolumeClaim" && item.min?.["storage"] === undefined && item.max?.["storage"] === undefined) {
      out.push(required(`${field}.limits`, "either minimum or maximum storage value is required, but neither was provided"));
    }
    const amounts = Object.keys(item[key] ?? {});
    if (item.type === "Pod" && (key === "default" || key === "defaultRequest")) {
      if (amounts.length > 0) out.push(forbiddenField(`${field}.${key}`, "may not be specified when `type` is 'Pod'"));
      continue;
    }
    for (const name of amounts) {
      if (item.type === "Pod" || item.type === "Container") validateContainerResourceName(out, `${field}.${key}[${name}]`, name);
      else validateResourceName(out, `${field}.${key}[${name}]`, name);
      names.add(name);
    }
  }
  for (const name of names) validateLimitOrder(out, field, item, name);
}

/** min ≤ defaultRequest ≤ default ≤ max; the ratio fits between min and max. */
function validateLimitOrder(out: Errors, field: string, item: LimitRangeItem, name: string): void {
  const [max, min, limit, request, ratio] = AMOUNTS.map((key) => (item.type === "Pod" && key.startsWith("default") ? undefined : item[key]?.[name]));
  const text = (q: string | number | undefined) => canonicalQuantity(q ?? "0");
  const more = (a: string | number | undefined, b: string | number | undefined) => a !== undefined && b !== undefined && compareQuantities(a, b) > 0;
  const wrong = (key: string, shown: string | number | undefined, why: string) => out.push(invalidValue(`${field}.${key}[${name}]`, text(shown), why));
  if (more(min, max)) wrong("min", min, `min value ${text(min)} is greater than max value ${text(max)}`);
  if (more(min, request)) wrong("defaultRequest", request, `min value ${text(min)} is greater than default request value ${text(request)}`);
  if (more(request, max)) wrong("defaultRequest", request, `default request value ${text(request)} is greater than max value ${text(max)}`);
  if (more(request, limit)) wrong("defaultRequest", request, `default request value ${text(request)} is greater than default limit value ${text(limit)}`);
  if (more(min, limit)) wrong("default", min, `min value ${text(min)} is greater than default value ${text(limit)}`);
  if (more(limit, max)) wrong("default", max, `default value ${text(limit)} is greater than max value ${text(max)}`);
  if (ratio !== undefined && compareQuantities(ratio, 1) < 0) wrong("maxLimitRequestRatio", ratio, `ratio ${text(ratio)} is less than 1`);
  if (ratio !== undefined && min !== undefined && max !== undefined) {
    const bound = quantityMilliValue(max) / quantityMilliValue(min);
    if (quantityMilliValue(ratio) / 1000 > bound) wrong("maxLimitRequestRatio", ratio, `ratio ${text(ratio)} is greater than max/min = ${bound.toFixed(6)}`);
  }
  if (!isOvercommitAllowed(name) && limit !== undefined && request !== undefined && compareQuantities(limit, request) !== 0) {
    wrong("defaultRequest", request, `default value ${text(limit)} must equal to defaultRequest value ${text(request)} in ${name}`);
  }
}

function validateLimitRange(out: Errors, o: LimitRange): void {
  const types = new Set<string>();
  (o.spec?.limits ?? []).forEach((item, i) => {
    const field = `spec.limits[${i}]`;
    validateLimitType(out, `${field}.type`, item.type ?? "");
    if (types.has(item.type)) out.push(duplicate(`${field}.type`, item.type));
    types.add(item.type);
    validateLimit(out, field, item);
  });
}

export const limitRangeKind: Kind<LimitRange> = defineKind<LimitRange>({
  allowCreateOnUpdate: true,
  resource: LIMIT_RANGES,
  schema: "io.k8s.api.core.v1.LimitRange",
  printer: { cells: (o) => [o.metadata.name ?? "", o.metadata.creationTimestamp ?? ""] },
  /** For containers: default ← max, defaultRequest ← default, then min. */
  applyDefaults(draft) {
    for (const item of draft.spec?.limits ?? []) {
      if (item.type !== "Container") continue;
      const [limits, requests] = [{ ...item.max, ...item.default }, { ...item.min, ...item.max, ...item.default, ...item.defaultRequest }];
      if (Object.keys(limits).length > 0) item.default = limits;
      if (Object.keys(requests).length > 0) item.defaultRequest = requests;
    }
  },
  // Upstream gives one without a name a fresh UUID for it; the object's own is one.
  prepareCreate(draft) {
    if (!draft.metadata.name && draft.metadata.uid) draft.metadata.name = draft.metadata.uid;
  },
  validate: validateLimitRange,
  metaOnUpdate: "create",
});
