/**
 * Names and amounts of resources: of containers, pods, quotas and limit ranges.
 * Follows kubernetes pkg/apis/core/validation (validateResourceRequirements and its helpers) and pkg/apis/core/helper/helpers.go.
 */
import { own } from "../../../base/own.ts";
import { duplicate, forbiddenField, invalidValue, required } from "../../field-error.ts";
import type { ResourceClaim, ResourceRequirements } from "../../generated/types.ts";
import { isQualifiedName } from "../../names.ts";
import { canonicalQuantity, compareQuantities, isWholeQuantity, parseQuantity, quantitySign } from "../../quantity.ts";
import { type Errors, NOT_NEGATIVE, reasons, unsupported } from "../../validation/fields.ts";
import { isDns1123Label } from "../../names.ts";

const HUGE_PAGES = "hugepages-";
const STANDARD = new Set([
  "cpu", "memory", "ephemeral-storage", "requests.cpu", "requests.memory", "requests.ephemeral-storage", "limits.cpu", "limits.memory", "limits.ephemeral-storage",
  "pods", "resourcequotas", "services", "replicationcontrollers", "secrets", "persistentvolumeclaims", "configmaps", "services.nodeports", "services.loadbalancers", "requests.storage", "storage",
]);
const STANDARD_CONTAINER = new Set(["cpu", "memory", "ephemeral-storage"]);
const STANDARD_QUOTA = new Set([
  "cpu", "memory", "ephemeral-storage", "requests.cpu", "requests.memory", "requests.storage", "requests.ephemeral-storage", "limits.cpu", "limits.memory", "limits.ephemeral-storage",
  "pods", "resourcequotas", "services", "replicationcontrollers", "secrets", "persistentvolumeclaims", "configmaps", "services.nodeports", "services.loadbalancers",
]);
const INTEGER = new Set(["pods", "resourcequotas", "services", "replicationcontrollers", "secrets", "configmaps", "persistentvolumeclaims", "services.nodeports", "services.loadbalancers"]);

const isHugePages = (name: string): boolean => name.startsWith(HUGE_PAGES);
const isUnqualified = (name: string): boolean => !name.includes("/");
const isNative = (name: string): boolean => isUnqualified(name) || name.includes("kubernetes.io/");
export const isStandardQuotaResource = (name: string): boolean => STANDARD_QUOTA.has(name) || isHugePages(name) || name.startsWith("requests.hugepages-");
const isStandard = (name: string): boolean => STANDARD.has(name) || isHugePages(name) || name.startsWith("requests.hugepages-");

function isExtended(name: string): boolean {
  return !isNative(name) && !name.startsWith("requests.") && isQualifiedName(`requests.${name}`).length === 0;
}

/** Whether requests may differ from limits: not for huge pages and extended resources. */
export const isOvercommitAllowed = (name: string): boolean => isNative(name) && !isHugePages(name);

/** Returns whether the name may be looked at further. */
export function validateResourceName(out: Errors, field: string, name: string): boolean {
  const texts = isQualifiedName(name);
  reasons(out, field, name, texts);
  if (texts.length > 0) return false;
  if (!isUnqualified(name) || isStandard(name)) return true;
  out.push(invalidValue(field, name, "must be a standard resource type or fully qualified"));
  return false;
}

export function validateContainerResourceName(out: Errors, field: string, name: string): void {
  validateResourceName(out, field, name);
  if (isUnqualified(name)) {
    if (!STANDARD_CONTAINER.has(name) && !isHugePages(name)) out.push(invalidValue(field, name, "must be a standard resource for containers"));
  } else if (!isNative(name) && !isExtended(name)) {
    out.push(invalidValue(field, name, "doesn't follow extended resource name standard"));
  }
}

export function validateQuotaResourceName(out: Errors, field: string, name: string): void {
  validateResourceName(out, field, name);
  if (isUnqualified(name) && !isStandardQuotaResource(name)) out.push(invalidValue(field, name, "must be a standard resource for quota"));
}

const POD_LEVEL = ["cpu", "memory"];

function validatePodResourceName(out: Errors, field: string, name: string): void {
  if (validateResourceName(out, field, name) && !POD_LEVEL.includes(name) && !isHugePages(name)) out.push(unsupported(field, name, [...POD_LEVEL, HUGE_PAGES].sort()));
}

/** Not negative, and whole where only whole ones make sense. */
export function validateQuantityValue(out: Errors, field: string, name: string, value: string | number): void {
  const shown = canonicalQuantity(value);
  if (quantitySign(value) < 0) out.push(invalidValue(field, shown, NOT_NEGATIVE));
  if ((INTEGER.has(name) || isExtended(name)) && !isWholeQuantity(value)) out.push(invalidValue(field, shown, "must be an integer"));
}

function validateHugePages(out: Errors, field: string, name: string, value: string | number): void {
  const size = parseQuantity(name.slice(HUGE_PAGES.length));
  const amount = parseQuantity(value);
  if (size && size.nano > 0n && amount && amount.nano % size.nano === 0n) return;
  out.push(invalidValue(field, canonicalQuantity(value), `${canonicalQuantity(value)} is not positive integer multiple of ${name}`));
}

interface Seen {
  compute: boolean;
  hugePages: boolean;
}

function validateAmount(out: Errors, field: string, name: string, value: string | number, seen: Seen): void {
  if (isHugePages(name)) {
    seen.hugePages = true;
    validateHugePages(out, field, name, value);
  }
  if (name === "cpu" || name === "memory") seen.compute = true;
}

function validateAgainstLimit(out: Errors, field: string, name: string, request: string | number, limit: string | number | undefined): void {
  if (limit === undefined) {
    if (!isOvercommitAllowed(name)) out.push(required(`${field}.limits`, "Limit must be set for non overcommitable resources"));
    return;
  }
  const order = compareQuantities(request, limit);
  if (order !== 0 && !isOvercommitAllowed(name)) out.push(invalidValue(`${field}.requests`, canonicalQuantity(request), `must be equal to ${name} limit of ${canonicalQuantity(limit)}`));
  else if (order > 0) out.push(invalidValue(`${field}.requests`, canonicalQuantity(request), `must be less than or equal to ${name} limit of ${canonicalQuantity(limit)}`));
}

export interface RequirementsOptions {
  readonly pod?: boolean;
  /** Names of the pod's resourceClaims. */
  readonly claims?: ReadonlySet<string>;
}

export function validateResourceRequirements(out: Errors, field: string, requirements: ResourceRequirements | undefined, options: RequirementsOptions = {}): void {
  const { limits = {}, requests = {} } = requirements ?? {};
  const nameCheck = options.pod ? validatePodResourceName : validateContainerResourceName;
  const seen: Seen = { compute: false, hugePages: false };
  for (const [name, value] of Object.entries(limits)) {
    const at = `${field}.limits[${name}]`;
    nameCheck(out, at, name);
    validateQuantityValue(out, at, name, value);
    validateAmount(out, at, name, value, seen);
  }
  for (const [name, value] of Object.entries(requests)) {
    const at = `${field}.requests[${name}]`;
    nameCheck(out, at, name);
    validateQuantityValue(out, at, name, value);
    validateAgainstLimit(out, field, name, value, own(limits, name));
    validateAmount(out, at, name, value, seen);
  }
  if (seen.hugePages && !seen.compute) out.push(forbiddenField(field, "HugePages require cpu or memory"));
  validateClaims(out, `${field}.claims`, requirements?.claims, options.claims ?? new Set());
}

function validateClaims(out: Errors, field: string, claims: readonly ResourceClaim[] | undefined, known: ReadonlySet<string>): void {
  const names = new Set<string>();
  (claims ?? []).forEach((claim, i) => {
    const at = `${field}[${i}]`;
    if (!claim.name) {
      out.push(required(at));
      return;
    }
    if (names.has(claim.name)) out.push(duplicate(at, claim.name));
    else {
      if (claim.request) reasons(out, `${at}.request`, claim.request, isDns1123Label(claim.request));
      const key = claim.request ? `${claim.name}/${claim.request}` : claim.name;
      if (names.has(key)) out.push(duplicate(at, key));
      else if (!claim.request) for (const other of names) if (other.startsWith(`${claim.name}/`)) out.push(duplicate(at, claim.name));
      names.add(key);
    }
    if (!known.has(claim.name)) {
      const where = known.size === 0 ? " which is empty" : `: ${[...known].sort().join(", ")}`;
      out.push({ type: "NotFound", field: at, message: `Not found: ${JSON.stringify(claim.name)}: must be one of the names in pod.spec.resourceClaims${where}` });
    }
  });
}
