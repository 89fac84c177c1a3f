/**
 * A pod stays five minutes on a node that is not ready or not reached, where it says nothing else.
 * Follows kubernetes plugin/pkg/admission/defaulttolerationseconds.
 */
import type { Pod, Toleration } from "../api/generated/types.ts";
import type { Draft } from "../api/kinds/kind.ts";
import { PODS } from "../api/resource.ts";
import { concerns, type AdmissionPlugin } from "../registry/admission.ts";

const TAINTS = ["node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"];
const SECONDS = 300;

const tolerates = (taint: string) => (t: Toleration) => (!t.key || t.key === taint) && (!t.effect || t.effect === "NoExecute");

export const defaultTolerationSeconds: AdmissionPlugin = {
  name: "DefaultTolerationSeconds",
  mutate(draft, context) {
    const { spec } = draft as Draft<Pod>;
    if (!concerns(context, PODS, "CREATE", "UPDATE") || !spec) return;
    const given = spec.tolerations ?? [];
    const added = TAINTS.filter((taint) => !given.some(tolerates(taint))).map((key) => ({ key, operator: "Exists", effect: "NoExecute", tolerationSeconds: SECONDS }));
    if (added.length > 0) spec.tolerations = [...given, ...added];
  },
};
