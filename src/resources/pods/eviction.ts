/**
 * pods/NAME/eviction: deletes a pod if its disruption budgets allow it. Which pods need to ask, and what a budget says, is pure.
 * Follows kubernetes pkg/registry/core/pod/storage/eviction.go.
 */
import type { DeleteOptions, Eviction, Pod, PodDisruptionBudget } from "../../api/generated/types.ts";
import type { Draft } from "../../api/kinds/kind.ts";
import { POD_DISRUPTION_BUDGETS, PODS } from "../../api/resource.ts";
import { matchesLabelSelector } from "../../api/selectors.ts";
import { badRequest, conflict, notFound, StatusError } from "../../api/status-error.ts";
import { formatTime } from "../../api/time.ts";
import { keyOfCall, objectOf, type Call, type Registry } from "../../registry/call.ts";
import { deleteObject } from "../../registry/delete.ts";
import { checkDeleteOptions } from "../../registry/options.ts";
import { setPodCondition } from "./condition.ts";
import type { CreateSubresource } from "../../registry/subresources.ts";

const SUCCESS = { code: 201, body: { kind: "Status", apiVersion: "v1", metadata: {}, status: "Success", code: 201 } };

/** Pods that have ended, have not begun, or are going anyway are evicted without asking a budget. Follows canIgnorePDB. */
export function ignoresBudgets(pod: Pod): boolean {
  const { phase } = pod.status ?? {};
  return phase === "Succeeded" || phase === "Failed" || phase === "Pending" || pod.metadata?.deletionTimestamp !== undefined;
}

const isReady = (pod: Pod) => pod.status?.conditions?.some((c) => c.type === "Ready" && c.status === "True") ?? false;

const tooMany = (message: string, cause?: string) =>
  new StatusError({ code: 429, reason: "TooManyRequests", message, details: cause === undefined ? {} : { causes: [{ reason: "DisruptionBudget", message: cause }] } });

/** Whether `budget` lets a pod that it covers go; throws a 429 where it does not. True: the pod counts against what is left. */
export function checkBudget(budget: PodDisruptionBudget, pod: Pod): boolean {
  const { name = "", generation = 0 } = budget.metadata ?? {};
  const { observedGeneration = 0, disruptionsAllowed = 0, desiredHealthy = 0, currentHealthy = 0 } = budget.status ?? {};
  const healthy = currentHealthy >= desiredHealthy && desiredHealthy > 0;
  const policy = budget.spec?.unhealthyPodEvictionPolicy ?? "IfHealthyBudget";
  if (!isReady(pod) && (policy === "AlwaysAllow" || healthy)) return false;
  if (observedGeneration < generation) throw tooMany("Cannot evict pod as it would violate the pod's disruption budget.", `The disruption budget ${name} is still being processed by the server.`);
  if (disruptionsAllowed <= 0) throw tooMany("Cannot evict pod as it would violate the pod's disruption budget.", `The disruption budget ${name} needs ${desiredHealthy} healthy pods and has ${currentHealthy} currently`);
  return true;
}

/** Follows checkAndDecrement: what is left of the budget, and the pod that it was spent on. */
export function spend(draft: Draft<PodDisruptionBudget>, pod: string, now: string): void {
  const status = draft.status;
  if (!status) return;
  status.disruptionsAllowed = (status.disruptionsAllowed ?? 0) - 1;
  status.disruptedPods = { ...status.disruptedPods, [pod]: now };
}

async function spendBudget(r: Registry, call: Call, pod: Pod): Promise<void> {
  const budgets = r.reader.list(POD_DISRUPTION_BUDGETS, call.namespace).filter((budget) => matchesLabelSelector(budget.spec?.selector, pod.metadata?.labels));
  if (budgets.length > 1) throw new StatusError({ code: 500, message: "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support." });
  const [budget] = budgets;
  if (!budget || !checkBudget(budget, pod) || call.dryRun) return;
  const now = formatTime(r.clock.now());
  await r.amend(POD_DISRUPTION_BUDGETS, call.namespace, budget.metadata?.name ?? "", (draft, live) => {
    if (checkBudget(live as PodDisruptionBudget, pod)) spend(draft as Draft<PodDisruptionBudget>, call.name, now);
  });
}

/** So that who counts failures knows that this pod was not to blame. */
async function markDisrupted(r: Registry, call: Call): Promise<void> {
  const now = formatTime(r.clock.now());
  await r.amend(PODS, call.namespace, call.name, (draft) => {
    const pod = draft as Draft<Pod>;
    pod.status = setPodCondition(pod.status ?? {}, { type: "DisruptionTarget", status: "True", reason: "EvictionByEvictionAPI", message: "Eviction API: evicting" }, now);
  });
}

function checkPreconditions(pod: Pod, { preconditions }: DeleteOptions): void {
  const { name = "", uid, resourceVersion } = pod.metadata ?? {};
  const refuse = (what: string, wanted: string, found: string | undefined, then: string) =>
    conflict({ group: "", plural: "Pod" }, name, `the ${what} in the precondition (${wanted}) does not match the ${what} in record (${found ?? ""}). The object might have been ${then}`);
  if (preconditions?.uid !== undefined && preconditions.uid !== uid) throw refuse("UID", preconditions.uid, uid, "deleted and then recreated");
  if (preconditions?.resourceVersion !== undefined && preconditions.resourceVersion !== resourceVersion) throw refuse("ResourceVersion", preconditions.resourceVersion, resourceVersion, "modified");
}

export const createEviction: CreateSubresource = async (r, call, object) => {
  const eviction = object as Eviction;
  if (eviction.metadata?.name !== call.name) throw badRequest("name in URL does not match name in Eviction object");
  const options = eviction.deleteOptions ?? {};
  checkDeleteOptions(options);
  const dryRun = call.dryRun || (options.dryRun?.length ?? 0) > 0;
  const entry = r.store.get(keyOfCall(call));
  if (!entry) throw notFound(PODS, call.name);
  const pod = objectOf(entry) as Pod;
  checkPreconditions(pod, options);
  const own = { ...call, dryRun, subresource: "" };
  if (!ignoresBudgets(pod)) await spendBudget(r, own, pod);
  if (!dryRun) await markDisrupted(r, own);
  // The mark is ours: a precondition on the version has been checked already.
  const { preconditions, ...rest } = options;
  await deleteObject(r, own, { ...rest, ...(preconditions?.uid !== undefined && { preconditions: { uid: preconditions.uid } }) });
  return SUCCESS;
};
