/**
 * Keeps the status of PodDisruptionBudgets, which evictions ask, and takes the mark of a disruption back from pods that were not disrupted.
 * Follows kubernetes pkg/controller/disruption/disruption.go.
 */
import { WorkQueue } from "../../base/work-queue.ts";
import type { LabelSelector, Pod, PodDisruptionBudget } from "../../api/generated/types.ts";
import { keyOf, splitKey, type Stored } from "../../api/object.ts";
import { POD_DISRUPTION_BUDGETS, PODS, type Resource } from "../../api/resource.ts";
import { matchesLabelSelector } from "../../api/selectors.ts";
import { isNotFound } from "../../api/status-error.ts";
import { formatTime } from "../../api/time.ts";
import type { Controller, ControllerContext, ReconcileResult } from "../framework/controller.ts";
import { decideBudget, needsScale, staleDisruptionAfterMs } from "./decide.ts";
import { expectedScale } from "./scale.ts";

export interface DisruptionOptions {
  /** Everything that is stored. */
  readonly resources: readonly Resource[];
}

type Budget = Stored<PodDisruptionBudget>;

const covers = ({ spec }: Budget, pod: Stored<Pod>): boolean => spec?.selector !== undefined && matchesLabelSelector(spec.selector, pod.metadata.labels);

/** The selector as Go prints it. */
function selectorText({ matchLabels = {}, matchExpressions = [] }: LabelSelector): string {
  const labels = Object.entries(matchLabels).sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, value]) => `${key}: ${value},`).join("");
  const requirements = matchExpressions.map(({ key, operator, values = [] }) => `LabelSelectorRequirement{Key:${key},Operator:${operator},Values:[${values.join(" ")}],},`).join("");
  return `&LabelSelector{MatchLabels:map[string]string{${labels}},MatchExpressions:[]LabelSelectorRequirement{${requirements}},}`;
}

export const unmanagedText = ({ spec }: PodDisruptionBudget): string =>
  `Pods selected by this PodDisruptionBudget (selector: ${spec.selector ? selectorText(spec.selector) : "nil"}) were found to be unmanaged. As a result, the status of the PDB cannot be calculated correctly, which may result in undefined behavior. To account for these pods please set ".spec.minAvailable" field of the PDB to an integer value.`;

/** Makes the controllers; they are to be run when the informers are synced. */
export function openDisruptionController(context: ControllerContext, options: DisruptionOptions): readonly Controller[] {
  return [openBudgets(context, options), openStaleMarks(context)];
}

function openBudgets({ client, informers, clock, recorder, logger }: ControllerContext, { resources }: DisruptionOptions): Controller {
  const queue = new WorkQueue({ clock });
  const budgets = informers.of(POD_DISRUPTION_BUDGETS);
  const pods = informers.of(PODS);
  const follow = (pod: Stored<Pod>) => {
    for (const budget of budgets.byIndex("namespace", pod.metadata.namespace ?? "")) if (covers(budget, pod)) queue.add(keyOf(budget));
  };
  budgets.on({ onSet: (budget) => queue.add(keyOf(budget)) });
  pods.on({
    onSet(pod, old) {
      follow(pod);
      if (old && old.metadata.labels !== pod.metadata.labels) follow(old);
    },
    onDelete: follow,
  });

  async function sync(budget: Budget): Promise<ReconcileResult> {
    const { namespace = "" } = budget.metadata;
    const covered = pods.byIndex("namespace", namespace).filter((pod) => covers(budget, pod));
    if (covered.length === 0) recorder.event(POD_DISRUPTION_BUDGETS, budget, "Normal", "NoPods", "No matching pods found");
    const scale = needsScale(budget) ? await expectedScale({ client, resources }, covered) : { expected: 0 };
    if ("unmanaged" in scale && scale.unmanaged) recorder.event(POD_DISRUPTION_BUDGETS, budget, "Warning", "UnmanagedPods", unmanagedText(budget));
    const { status, recheckAfterMs, notDeleted, error } = decideBudget({ budget, pods: covered, scale, now: clock.now() });
    for (const pod of notDeleted) recorder.event(PODS, pod, "Warning", "NotDeleted", `Pod was expected by PDB ${namespace}/${budget.metadata.name} to be deleted but it wasn't`);
    if (error !== undefined) recorder.event(POD_DISRUPTION_BUDGETS, budget, "Warning", "CalculateExpectedPodCountFailed", `Failed to calculate the number of expected pods: ${error}`);
    if (status) await client.updateStatus(POD_DISRUPTION_BUDGETS, { ...budget, status });
    return recheckAfterMs === undefined ? {} : { requeueAfterMs: recheckAfterMs };
  }

  async function reconcile(key: string): Promise<ReconcileResult> {
    const budget = budgets.get(key);
    if (!budget || budget.metadata.deletionTimestamp !== undefined) return {};
    try {
      return await sync(budget);
    } catch (error) {
      if (isNotFound(error)) return {};
      throw error;
    }
  }
  return { name: "disruption", queue, workers: 1, reconcile, logger };
}

function openStaleMarks({ client, informers, clock, logger }: ControllerContext): Controller {
  const queue = new WorkQueue({ clock });
  const pods = informers.of(PODS);
  pods.on({
    onSet(pod) {
      const after = staleDisruptionAfterMs(pod, clock.now());
      if (after !== undefined) queue.addAfter(keyOf(pod), after);
    },
  });

  async function reconcile(key: string): Promise<ReconcileResult> {
    const pod = pods.get(key);
    const after = pod && staleDisruptionAfterMs(pod, clock.now());
    if (!pod || after === undefined) return {};
    if (after > 0) return { requeueAfterMs: after };
    const { namespace, name } = splitKey(key);
    const condition = { type: "DisruptionTarget", status: "False", lastTransitionTime: formatTime(clock.now()) };
    try {
      await client.patch(PODS, { namespace, name }, "strategic", { metadata: { uid: pod.metadata.uid }, status: { conditions: [condition] } }, { subresource: "status" });
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
    return {};
  }
  return { name: "stale-disruption", queue, workers: 1, reconcile, logger };
}
