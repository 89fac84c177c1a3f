/**
 * What the pods of this node ask for, added up as they come and go, so that admission need not look at all of them.
 */
import type { Pod } from "../api/generated/types.ts";
import { podRequests, type Amounts } from "../api/pod-resources.ts";

export interface Allocations {
  readonly used: Amounts;
  readonly pods: number;
  add(uid: string, pod: Pod): void;
  remove(uid: string): void;
}

export function openAllocations(): Allocations {
  const byPod = new Map<string, Amounts>();
  const used: Record<string, number> = {};
  const count = (amounts: Amounts, sign: 1 | -1) => {
    for (const [name, amount] of Object.entries(amounts)) used[name] = (used[name] ?? 0) + sign * amount;
  };
  return {
    used,
    get pods() { return byPod.size; },
    add(uid, pod) {
      if (byPod.has(uid)) return;
      const amounts = podRequests(pod.spec);
      byPod.set(uid, amounts);
      count(amounts, 1);
    },
    remove(uid) {
      count(byPod.get(uid) ?? {}, -1);
      byPod.delete(uid);
    },
  };
}
