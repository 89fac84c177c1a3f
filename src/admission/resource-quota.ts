/**
 * A create that a ResourceQuota counts is booked on the quota's status first, and refused where it would be too much; so is what an update of a
 * Service, a claim or a pod's resources takes more. What a delete gives back, the quota controller sees to. Dry runs are checked and not booked.
 * Follows kubernetes staging/src/k8s.io/apiserver/pkg/admission/plugin/resourcequota/controller.go.
 */
import type { Clock, Instant } from "../base/clock.ts";
import { own } from "../base/own.ts";
import type { Pod, ResourceQuota } from "../api/generated/types.ts";
import type { Draft } from "../api/kinds/kind.ts";
import type { KubeObject } from "../api/object.ts";
import { addUsage, exceeded, inScope, maskUsage, missingAsks, subtractUsage, usageOf, type Usage } from "../api/quota-usage.ts";
import { quantitySign } from "../api/quantity.ts";
import { PODS, qualifiedPlural, RESOURCE_QUOTAS, SERVICES } from "../api/resource.ts";
import { concerns, refuse, type AdmissionContext, type AdmissionPlugin } from "../registry/admission.ts";

const print = (usage: Usage, names: readonly string[]) => names.map((name) => `${name}=${own(usage, name) ?? "0"}`).join(",");

const hardOf = (quota: ResourceQuota): Usage => (quota.status?.hard ?? {}) as Usage;
const usedOf = (quota: ResourceQuota): Usage => (quota.status?.used ?? {}) as Usage;

/** What `usage` books on the quota; throws where it may not. Undefined: the quota does not count this. */
function booking(quota: ResourceQuota, usage: Usage, object: KubeObject, context: AdmissionContext): Usage | undefined {
  const name = quota.metadata?.name ?? "";
  const hard = hardOf(quota);
  const requested = maskUsage(usage, Object.keys(hard));
  if (concerns(context, PODS, "CREATE")) {
    const missing = missingAsks(object as Pod, Object.keys(hard));
    if (missing.length > 0) throw refuse(context, object, `failed quota: ${name}: must specify ${missing.join("; ")}`);
  }
  const names = Object.keys(requested).sort();
  if (names.length === 0) return undefined;
  const used = usedOf(quota);
  const unknown = names.filter((n) => used[n] === undefined);
  if (unknown.length > 0) throw refuse(context, object, `status unknown for quota: ${name}, resources: ${unknown.join(",")}`);
  const over = exceeded(maskUsage(addUsage(used, requested), names), hard).filter((n) => quantitySign(requested[n]) > 0);
  if (over.length > 0) throw refuse(context, object, `exceeded quota: ${name}, requested: ${print(requested, over)}, used: ${print(used, over)}, limited: ${print(hard, over)}`);
  return addUsage(used, requested);
}

async function book(quotas: readonly ResourceQuota[], usage: Usage, object: KubeObject, context: AdmissionContext): Promise<void> {
  for (const quota of quotas) {
    await context.amend(RESOURCE_QUOTAS, context.namespace, quota.metadata?.name ?? "", (draft, live) => {
      const used = booking(live as ResourceQuota, usage, object, context);
      if (used) (draft as Draft<ResourceQuota>).status = { ...(draft as Draft<ResourceQuota>).status, used };
    });
  }
}

/** The opposite of `book`. */
async function unbook(quotas: readonly ResourceQuota[], usage: Usage, context: AdmissionContext): Promise<void> {
  for (const quota of quotas) {
    await context.amend(RESOURCE_QUOTAS, context.namespace, quota.metadata?.name ?? "", (draft, live) => {
      const used = usedOf(live as ResourceQuota);
      const counted = maskUsage(usage, Object.keys(used));
      (draft as Draft<ResourceQuota>).status = { ...(draft as Draft<ResourceQuota>).status, used: { ...used, ...subtractUsage(maskUsage(used, Object.keys(counted)), counted) } };
    });
  }
}

/** Kinds of which an update may take more than before. Follows the evaluators' Handles. */
const COUNTED_ON_UPDATE: readonly string[] = [SERVICES.plural, "persistentvolumeclaims"];

function isCounted({ operation, subresource, resource }: AdmissionContext): boolean {
  if (!resource.namespaced) return false;
  if (operation === "UPDATE" && resource.group === PODS.group && resource.plural === PODS.plural) return subresource === "resize";
  return subresource === "" && (operation === "CREATE" || (operation === "UPDATE" && COUNTED_ON_UPDATE.includes(qualifiedPlural(resource))));
}

/** What the write takes, over what the object has taken before; nothing that is the same. */
function takenBy(object: KubeObject, { resource, old }: AdmissionContext, now: Instant): Usage {
  const usage = usageOf(resource, object, now);
  if (!old) return usage;
  const more = subtractUsage(usage, usageOf(resource, old, now));
  return Object.fromEntries(Object.entries(more).filter(([, amount]) => quantitySign(amount) !== 0));
}

export function resourceQuotaAdmission(clock: Clock): AdmissionPlugin {
  return {
    name: "ResourceQuota",
    validate(object, context) {
      if (!isCounted(context)) return undefined;
      const { resource, namespace, reader, dryRun } = context;
      const quotas = reader.list(RESOURCE_QUOTAS, namespace).filter((quota) => inScope(quota, resource, object));
      if (quotas.length === 0) return undefined;
      const usage = takenBy(object, context, clock.now());
      if (Object.keys(usage).length === 0) return undefined;
      const counting = quotas.filter((quota) => booking(quota, usage, object, context) !== undefined);
      if (dryRun) return undefined;
      context.onLost(() => unbook(counting, usage, context));
      return book(counting, usage, object, context);
    },
  };
}
