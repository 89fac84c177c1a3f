/**
 * What the status of a ResourceQuota should say. Pure.
 * Follows kubernetes pkg/controller/resourcequota/resource_quota_controller.go (syncResourceQuota).
 */
import type { Instant } from "../../base/clock.ts";
import type { ResourceQuota } from "../../api/generated/types.ts";
import type { Stored } from "../../api/object.ts";
import { addUsage, inScope, maskUsage, usageOf, type Usage } from "../../api/quota-usage.ts";
import { compareQuantities } from "../../api/quantity.ts";
import { PODS, qualifiedPlural, SERVICES, type Resource } from "../../api/resource.ts";

/** Everything of one kind in the quota's namespace. */
export interface Counted {
  readonly resource: Resource;
  readonly objects: readonly object[];
}

const CLAIMS = "persistentvolumeclaims";

const hardOf = (quota: ResourceQuota): Usage => quota.spec?.hard as Usage | undefined ?? {};

/** Whether objects of `resource` count against anything that the quota bounds. */
export function isCounted(quota: ResourceQuota, resource: Resource): boolean {
  const names = Object.keys(hardOf(quota));
  const own = qualifiedPlural(resource);
  if (names.includes(`count/${own}`) || names.includes(own)) return true;
  // Compute resources and extended ones are the pods'; claims and Services have names of their own.
  if (own === SERVICES.plural) return names.some((name) => name.startsWith("services."));
  if (own === CLAIMS) return names.some((name) => name.includes("storage") || name.includes("persistentvolumeclaims"));
  return own === PODS.plural && names.some((name) => !name.includes("/") || name.startsWith("requests.") || name.startsWith("limits.") || name.startsWith("hugepages-"));
}

/** `count/NAME` of what is not served is not counted, not even as none. */
const isCountable = (name: string, counted: readonly Counted[]): boolean => !name.startsWith("count/") || counted.some(({ resource }) => name === `count/${qualifiedPlural(resource)}`);

/** The quota with the status that it should have; undefined when it has it. */
export function decideQuota(quota: Stored<ResourceQuota>, counted: readonly Counted[], now: Instant): Stored<ResourceQuota> | undefined {
  const hard = hardOf(quota);
  let used: Usage = Object.fromEntries(Object.keys(hard).filter((name) => isCountable(name, counted)).map((name) => [name, "0"]));
  for (const { resource, objects } of counted) {
    for (const object of objects) {
      if (inScope(quota, resource, object)) used = addUsage(used, maskUsage(usageOf(resource, object, now), Object.keys(hard)));
    }
  }
  const { status } = quota;
  return isSame((status?.hard ?? {}) as Usage, hard) && isSame((status?.used ?? {}) as Usage, used) ? undefined : { ...quota, status: { hard, used } };
}

const isSame = (a: Usage, b: Usage): boolean => {
  const names = Object.keys(a);
  return names.length === Object.keys(b).length && names.every((name) => b[name] !== undefined && compareQuantities(a[name], b[name]) === 0);
};
