/**
 * Which pods nobody will end any more, and how they end. Pure.
 * Follows kubernetes pkg/controller/podgc/gc_controller.go.
 */
import type { Pod } from "../../api/generated/types.ts";
import type { Stored } from "../../api/object.ts";

export const isTerminated = ({ status }: Stored<Pod>): boolean => status?.phase === "Succeeded" || status?.phase === "Failed";

/** Being deleted without ever having been given to a node: no agent will end it. */
export const isUnscheduledAndTerminating = (pod: Stored<Pod>): boolean => pod.metadata.deletionTimestamp !== undefined && !pod.spec?.nodeName;

/** The terminated pods beyond `threshold` that go: evicted ones first, then the oldest. */
export function surplusOf(terminated: readonly Stored<Pod>[], threshold: number): readonly Stored<Pod>[] {
  const rank = (pod: Stored<Pod>) => `${pod.status?.reason === "Evicted" ? 0 : 1} ${pod.metadata.creationTimestamp} ${pod.metadata.name}`;
  return [...terminated].sort((a, b) => (rank(a) < rank(b) ? -1 : 1)).slice(0, Math.max(0, terminated.length - threshold));
}
