/**
 * A pod's runtime class gives it an overhead, a node selector and tolerations; a class that is not there, or another overhead, refuses it.
 * Follows kubernetes plugin/pkg/admission/runtimeclass/admission.go and pkg/util/tolerations.
 */
import { own } from "../base/own.ts";
import type { Pod, RuntimeClass, Toleration } from "../api/generated/types.ts";
import type { Draft } from "../api/kinds/kind.ts";
import { compareQuantities } from "../api/quantity.ts";
import { PODS, type Resource } from "../api/resource.ts";
import { semanticallyEqual } from "../api/validation/fields.ts";
import { type AdmissionContext, type AdmissionPlugin, concerns, refuse } from "../registry/admission.ts";

const RUNTIME_CLASSES: Resource<RuntimeClass> = { group: "node.k8s.io", version: "v1", plural: "runtimeclasses", kind: "RuntimeClass", namespaced: false };

type Amounts = Readonly<Record<string, string | number>>;

function sameAmounts(a: Amounts = {}, b: Amounts = {}): boolean {
  const names = Object.keys(a);
  return names.length === Object.keys(b).length && names.every((name) => b[name] !== undefined && compareQuantities(a[name] ?? 0, b[name] ?? 0) === 0);
}

/** Whether `wide` tolerates all that `narrow` does. Follows isSuperset. */
function covers(wide: Toleration, narrow: Toleration): boolean {
  if (semanticallyEqual(wide, narrow)) return true;
  if ((narrow.key ?? "") !== (wide.key ?? "") && (wide.key || wide.operator !== "Exists")) return false;
  if (wide.effect && narrow.effect !== wide.effect) return false;
  if (wide.effect === "NoExecute" && wide.tolerationSeconds !== undefined && (narrow.tolerationSeconds === undefined || narrow.tolerationSeconds > wide.tolerationSeconds)) return false;
  return wide.operator === "Exists" || (narrow.operator === "Equal" && (narrow.value ?? "") === (wide.value ?? ""));
}

/** Both lists, without those that others cover; of equal ones the first. Follows MergeTolerations. */
export function mergeTolerations(first: readonly Toleration[], second: readonly Toleration[]): Toleration[] {
  const all = [...first, ...second];
  const merged: Toleration[] = [];
  all.forEach((t, i) => {
    const isCovered = merged.some((other) => covers(other, t)) || all.slice(i + 1).some((other) => !semanticallyEqual(other, t) && covers(other, t));
    if (!isCovered) merged.push(t);
  });
  return merged;
}

function classOf(pod: Pod, context: AdmissionContext): RuntimeClass | undefined {
  const name = pod.spec?.runtimeClassName;
  if (name === undefined) return undefined;
  const found = context.reader.get(RUNTIME_CLASSES, "", name);
  if (!found) throw refuse(context, pod, `pod rejected: RuntimeClass ${JSON.stringify(name)} not found`);
  return found;
}

const OTHER_OVERHEAD = "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead";

function place(pod: Draft<Pod>, { scheduling }: RuntimeClass, no: (why: string) => Error): void {
  const { spec } = pod;
  if (!spec || !scheduling) return;
  for (const [key, value] of Object.entries(scheduling.nodeSelector ?? {})) {
    const wanted = own(spec.nodeSelector, key);
    if (wanted !== undefined && wanted !== value) throw no(`conflict: runtimeClass.scheduling.nodeSelector[${key}] = ${value}; pod.spec.nodeSelector[${key}] = ${wanted}`);
    spec.nodeSelector = { ...spec.nodeSelector, [key]: value };
  }
  const merged = mergeTolerations(spec.tolerations ?? [], scheduling.tolerations ?? []);
  if (merged.length > 0) spec.tolerations = merged;
}

export const runtimeClassAdmission: AdmissionPlugin = {
  name: "RuntimeClass",
  mutate(draft, context) {
    if (!concerns(context, PODS, "CREATE")) return;
    const pod = draft as Draft<Pod>;
    const found = classOf(pod, context);
    if (!found || !pod.spec) return;
    const no = (why: string) => refuse(context, draft, why);
    if (found.overhead) {
      const own = pod.spec.overhead ?? {};
      if (Object.keys(own).length > 0 && !sameAmounts(own, found.overhead.podFixed)) throw no(OTHER_OVERHEAD);
      pod.spec.overhead = { ...found.overhead.podFixed };
    }
    place(pod, found, no);
  },
  validate(object, context) {
    if (!concerns(context, PODS, "CREATE")) return;
    const { spec } = object as Pod;
    const overhead = classOf(object as Pod, context)?.overhead;
    if (overhead && !sameAmounts(overhead.podFixed, spec?.overhead)) throw refuse(context, object, OTHER_OVERHEAD);
    if (!overhead && spec?.overhead !== undefined) throw refuse(context, object, "pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead");
  },
};
