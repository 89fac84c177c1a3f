/**
 * What the status of a PodDisruptionBudget should say, given its pods and how many there ought to be. Pure.
 * Follows kubernetes pkg/controller/disruption/disruption.go (trySync, countHealthyPods, buildDisruptedPodMap, updatePdbStatus).
 */
import type { Instant } from "../../base/clock.ts";
import { own } from "../../base/own.ts";
import type { Condition, Pod, PodDisruptionBudget, PodDisruptionBudgetStatus } from "../../api/generated/types.ts";
import type { Stored } from "../../api/object.ts";
import { formatTime, parseTime } from "../../api/time.ts";

/** An evicted pod that is still there after this was not evicted after all. */
export const DELETION_TIMEOUT_MS = 120_000;

export interface BudgetWorld {
  readonly budget: Stored<PodDisruptionBudget>;
  readonly pods: readonly Stored<Pod>[];
  /** How many pods their controllers want; the error text where that can't be known. Only asked for where the budget needs it. */
  readonly scale: { readonly expected: number } | { readonly error: string };
  readonly now: Instant;
}

export interface BudgetDecision {
  /** Undefined: it is right already. */
  readonly status: PodDisruptionBudgetStatus | undefined;
  readonly recheckAfterMs: number | undefined;
  /** Pods that were to be evicted and are still there. */
  readonly notDeleted: readonly Stored<Pod>[];
  readonly error: string | undefined;
}

/** Whether the budget speaks of a share of the pods that their controllers want, and not of a number. */
export const needsScale = ({ spec }: PodDisruptionBudget): boolean => spec?.maxUnavailable !== undefined || typeof spec?.minAvailable === "string";

/** Of a percentage, rounded up. Follows intstr.GetScaledValueFromIntOrPercent. */
const scaled = (value: number | string, total: number): number => (typeof value === "number" ? value : Math.ceil((Number(value.slice(0, -1)) * total) / 100));

interface Wanted {
  readonly expectedPods: number;
  readonly desiredHealthy: number;
}

function wantedOf({ budget: { spec }, pods, scale }: BudgetWorld): Wanted | { readonly error: string } {
  const { maxUnavailable, minAvailable } = spec;
  if (maxUnavailable === undefined && typeof minAvailable === "number") return { expectedPods: pods.length, desiredHealthy: minAvailable };
  if (maxUnavailable === undefined && minAvailable === undefined) return { expectedPods: 0, desiredHealthy: 0 };
  if ("error" in scale) return scale;
  const expectedPods = scale.expected;
  if (maxUnavailable !== undefined) return { expectedPods, desiredHealthy: Math.max(0, expectedPods - scaled(maxUnavailable, expectedPods)) };
  return { expectedPods, desiredHealthy: scaled(minAvailable ?? 0, expectedPods) };
}

const isReady = (pod: Pod): boolean => pod.status?.conditions?.some((c) => c.type === "Ready" && c.status === "True") ?? false;

/** Evictions under way: those whose pod is there still, and whose time is not over. */
function disruptionsOf({ budget, pods, now }: BudgetWorld) {
  const disruptedPods: Record<string, string> = {};
  const notDeleted: Stored<Pod>[] = [];
  let recheckAfterMs: number | undefined;
  for (const pod of pods) {
    const since = own(budget.status?.disruptedPods, pod.metadata.name);
    if (since === undefined || pod.metadata.deletionTimestamp !== undefined) continue;
    const left = (parseTime(since) ?? 0) + DELETION_TIMEOUT_MS - now;
    if (left < 0) {
      notDeleted.push(pod);
      continue;
    }
    recheckAfterMs = Math.min(recheckAfterMs ?? left, left);
    disruptedPods[pod.metadata.name] = since;
  }
  return { disruptedPods, notDeleted, ...(recheckAfterMs !== undefined && { recheckAfterMs: recheckAfterMs + 1 }) };
}

function withCondition(conditions: readonly Condition[], wanted: Omit<Condition, "lastTransitionTime">, now: Instant): readonly Condition[] {
  const known = conditions.find((c) => c.type === wanted.type);
  const lastTransitionTime = known?.status === wanted.status ? known.lastTransitionTime : formatTime(now);
  const condition: Condition = { ...wanted, lastTransitionTime };
  return known ? conditions.map((c) => (c === known ? condition : c)) : [...conditions, condition];
}

function allowedCondition(allowed: number, observedGeneration: number): Omit<Condition, "lastTransitionTime"> {
  const enough = allowed > 0;
  return { type: "DisruptionAllowed", status: enough ? "True" : "False", reason: enough ? "SufficientPods" : "InsufficientPods", message: "", observedGeneration };
}

/** Nothing may be disrupted while the budget can't be counted. Follows failSafe. */
function failSafe({ budget, now }: BudgetWorld, error: string): PodDisruptionBudgetStatus | undefined {
  const { status = {}, metadata } = budget;
  const observedGeneration = metadata.generation ?? 0;
  const known = status.conditions?.find((c) => c.type === "DisruptionAllowed");
  if (status.disruptionsAllowed === 0 && known?.reason === "SyncFailed" && known.message === error && known.observedGeneration === observedGeneration) return undefined;
  const conditions = withCondition(status.conditions ?? [], { type: "DisruptionAllowed", status: "False", reason: "SyncFailed", message: error, observedGeneration }, now);
  return { currentHealthy: 0, desiredHealthy: 0, expectedPods: 0, ...status, disruptionsAllowed: 0, conditions };
}

function isSame(a: PodDisruptionBudgetStatus, b: PodDisruptionBudgetStatus): boolean {
  const numbers = (["currentHealthy", "desiredHealthy", "expectedPods", "disruptionsAllowed", "observedGeneration"] as const).every((key) => (a[key] ?? 0) === (b[key] ?? 0));
  const names = (s: PodDisruptionBudgetStatus) => Object.keys(s.disruptedPods ?? {}).sort().join(" ");
  const condition = (s: PodDisruptionBudgetStatus) => s.conditions?.find((c) => c.type === "DisruptionAllowed");
  const [now, before] = [condition(a), condition(b)];
  return numbers && names(a) === names(b) && now?.status === before?.status && now?.reason === before?.reason && now?.observedGeneration === before?.observedGeneration;
}

export function decideBudget(world: BudgetWorld): BudgetDecision {
  const { budget, pods, now } = world;
  const { disruptedPods, notDeleted, recheckAfterMs } = disruptionsOf(world);
  const wanted = wantedOf(world);
  if ("error" in wanted) return { status: failSafe(world, wanted.error), recheckAfterMs: undefined, notDeleted: [], error: wanted.error };
  const currentHealthy = pods.filter((pod) => pod.metadata.deletionTimestamp === undefined && !Object.hasOwn(disruptedPods, pod.metadata.name) && isReady(pod)).length;
  const { expectedPods, desiredHealthy } = wanted;
  // A budget without pods allows nothing: it is safe when its first pods appear before it is counted again.
  const disruptionsAllowed = expectedPods > 0 ? Math.max(0, currentHealthy - desiredHealthy) : 0;
  const observedGeneration = budget.metadata.generation ?? 0;
  const conditions = withCondition(budget.status?.conditions ?? [], allowedCondition(disruptionsAllowed, observedGeneration), now);
  const hasDisrupted = Object.keys(disruptedPods).length > 0;
  const status = { currentHealthy, desiredHealthy, expectedPods, disruptionsAllowed, observedGeneration, ...(hasDisrupted && { disruptedPods }), conditions };
  return { status: budget.status && isSame(status, budget.status) ? undefined : status, recheckAfterMs, notDeleted, error: undefined };
}

/** When a mark on a pod that it is about to be disrupted becomes void, as it was not; undefined when it carries none. Follows nonTerminatingPodHasStaleDisruptionCondition. */
export function staleDisruptionAfterMs(pod: Pod, now: Instant): number | undefined {
  const { phase, conditions = [] } = pod.status ?? {};
  if (pod.metadata?.deletionTimestamp !== undefined || phase === "Succeeded" || phase === "Failed") return undefined;
  const mark = conditions.find((c) => c.type === "DisruptionTarget");
  if (mark?.status !== "True" || mark.reason === "TerminationByKubelet") return undefined;
  return Math.max(0, (parseTime(mark.lastTransitionTime) ?? 0) + DELETION_TIMEOUT_MS - now);
}
