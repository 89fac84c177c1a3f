/**
 * The kind Namespace: its deletion marks it Terminating and waits for its own finalizers.
 * Follows kubernetes pkg/registry/core/namespace/strategy.go and storage/storage.go.
 */
import { invalidValue } from "../../field-error.ts";
import type { Namespace } from "../../generated/types.ts";
import { isQualifiedName, labelName } from "../../names.ts";
import { validateObjectMetaUpdate } from "../../object-meta.ts";
import { NAMESPACES } from "../../resource.ts";
import { type Errors, reasons } from "../../validation/fields.ts";
import { defineKind, keepField } from "../define.ts";
import type { Kind } from "../kind.ts";
import { ageCell } from "../printing.ts";

const KUBERNETES = "kubernetes";

function validateFinalizer(out: Errors, field: string, name: string): void {
  reasons(out, field, name, isQualifiedName(name));
  if (!name.includes("/") && ![KUBERNETES, "orphan", "foregroundDeletion"].includes(name)) {
    out.push(invalidValue(field, name, "name is neither a standard finalizer name nor is it fully qualified"));
  }
}

function validatePhase(out: Errors, namespace: Namespace): void {
  const phase = namespace.status?.phase ?? "";
  if (!namespace.metadata.deletionTimestamp) {
    if (phase !== "Active") out.push(invalidValue("status.Phase", phase, "may only be 'Active' if `deletionTimestamp` is empty"));
  } else if (phase !== "Terminating") {
    out.push(invalidValue("status.Phase", phase, "may only be 'Terminating' if `deletionTimestamp` is not empty"));
  }
}

export const namespaceKind: Kind<Namespace> = defineKind<Namespace>({
  resource: NAMESPACES,
  schema: "io.k8s.api.core.v1.Namespace",
  printer: { cells: (o, now) => [o.metadata.name ?? "", o.status?.phase ?? "", ageCell(o, now)] },
  applyDefaults(draft) {
    if (draft.metadata.name) draft.metadata.labels = { ...draft.metadata.labels, "kubernetes.io/metadata.name": draft.metadata.name };
    draft.status ??= {};
    draft.status.phase ||= "Active";
  },
  validateName: labelName,
  status: { validate: validatePhase },
  prepareCreate(draft) {
    draft.status = { phase: "Active" };
    const finalizers = draft.spec?.finalizers ?? [];
    draft.spec = { ...draft.spec, finalizers: finalizers.includes(KUBERNETES) ? finalizers : [...finalizers, KUBERNETES] };
  },
  validate(out, o) {
    for (const name of o.spec?.finalizers ?? []) validateFinalizer(out, "spec.finalizers", name);
  },
  prepareUpdate: (draft, old) => keepField(draft, old, "spec"),
  subresources: {
    finalize: {
      prepare: (draft, old) => keepField(draft, old, "status"),
      validate(o, old) {
        const out: Errors = [...validateObjectMetaUpdate(o.metadata, old.metadata, true)];
        (o.spec?.finalizers ?? []).forEach((name, i) => validateFinalizer(out, `spec.finalizers[${i}]`, name));
        return out;
      },
    },
  },
  deleteReturnsObject: true,
  lifecycle: {
    holds: (o) => (o.spec?.finalizers?.length ?? 0) > 0,
    markDeleting: (draft) => void (draft.status = { ...draft.status, phase: "Terminating" }),
  },
  selectableFields: { "status.phase": (o) => o.status?.phase ?? "" },
});
