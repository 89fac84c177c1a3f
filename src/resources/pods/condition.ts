/**
 * Sets a condition of a pod's status. Follows kubernetes pkg/api/v1/pod/util.go (UpdatePodCondition).
 */
import type { PodCondition, PodStatus } from "../../api/generated/types.ts";
import type { Draft } from "../../api/kinds/kind.ts";

/** The transition's time is `now` where the condition is new or its status changes. */
export function setPodCondition(status: Draft<PodStatus>, wanted: { readonly type: string; readonly status: string; readonly reason?: string; readonly message?: string }, now: string): Draft<PodStatus> {
  const conditions = [...(status.conditions ?? [])];
  const at = conditions.findIndex((c) => c.type === wanted.type);
  const old = conditions[at];
  const lastTransitionTime = old?.status === wanted.status ? (old.lastTransitionTime ?? now) : now;
  const condition = { ...wanted, lastProbeTime: null, lastTransitionTime } as unknown as Draft<PodCondition>;
  if (at < 0) conditions.push(condition);
  else conditions[at] = condition;
  return { ...status, conditions };
}
