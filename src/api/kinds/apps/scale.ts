/**
 * How many pods an object wants, seen as a Scale of its own: the subresource `scale` of what has replicas.
 * Follows kubernetes pkg/registry/apps/deployment/storage/storage.go (ScaleREST) and pkg/apis/autoscaling/validation (ValidateScale).
 */
import type { LabelSelector, Scale } from "../../generated/types.ts";
import type { KubeObject } from "../../object.ts";
import { nonNegative } from "../../validation/fields.ts";
import { formatLabelSelector } from "../../validation/labels.ts";
import { defineKind } from "../define.ts";
import type { Draft, Kind, View } from "../kind.ts";
import { ageCell } from "../printing.ts";
import { isEmptySelector } from "./template.ts";

type StringMap = Readonly<Record<string, string>>;

/** What has a scale. */
interface Scaled extends KubeObject {
  readonly spec?: { readonly replicas?: number; readonly selector?: LabelSelector | StringMap };
  readonly status?: { readonly replicas?: number };
}

const scaleKind: Kind<Scale> = defineKind<Scale>({
  resource: { group: "autoscaling", version: "v1", plural: "scales", kind: "Scale", namespaced: true },
  schema: "io.k8s.api.autoscaling.v1.Scale",
  printer: { cells: (o, now) => [o.metadata.name ?? "", o.spec?.replicas ?? 0, o.status?.replicas ?? 0, ageCell(o, now)] },
  validate: (out, o) => nonNegative(out, "spec.replicas", o.spec?.replicas),
});

/** A plain map of labels is ReplicationController's. */
function selectorText(selector: LabelSelector | StringMap | undefined): string {
  if (!selector) return "";
  const isMap = Object.values(selector).some((value) => typeof value === "string");
  const whole: LabelSelector = isMap ? { matchLabels: selector as StringMap } : selector;
  return isEmptySelector(whole) ? "" : formatLabelSelector(whole);
}

function seen({ metadata, spec, status }: Scaled): Scale {
  const { name, namespace, uid, resourceVersion, creationTimestamp } = metadata;
  const selector = selectorText(spec?.selector);
  return {
    kind: "Scale",
    apiVersion: "autoscaling/v1",
    metadata: { ...(name && { name }), ...(namespace && { namespace }), ...(uid && { uid }), ...(resourceVersion && { resourceVersion }), ...(creationTimestamp && { creationTimestamp }) },
    spec: { ...(spec?.replicas && { replicas: spec.replicas }) },
    status: { replicas: status?.replicas ?? 0, ...(selector !== "" && { selector }) },
  };
}

/** The view of a kind whose `spec.replicas` says how many. */
export const scaleOf = <T extends Scaled>(): View<T> => ({
  kind: scaleKind as unknown as Kind,
  of: seen,
  writeInto(draft: Draft<T>, view) {
    const spec: object = { ...Reflect.get(draft, "spec") as object, replicas: (view as Scale).spec?.replicas ?? 0 };
    Reflect.set(draft, "spec", spec);
  },
  field: ["spec", "replicas"],
});
