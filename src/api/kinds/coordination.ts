/**
 * The kind Lease.
 * Follows kubernetes pkg/apis/coordination/validation/validation.go and pkg/registry/coordination/lease/strategy.go.
 */
import { invalidValue, required } from "../field-error.ts";
import type { Lease } from "../generated/types.ts";
import { isQualifiedName } from "../names.ts";
import { LEASES } from "../resource.ts";
import { type Errors, nonNegative } from "../validation/fields.ts";
import { defineKind } from "./define.ts";
import type { Kind } from "./kind.ts";
import { ageCell } from "./printing.ts";

function validate(out: Errors, { spec }: Lease): void {
  if (spec.leaseDurationSeconds !== undefined && spec.leaseDurationSeconds <= 0) out.push(invalidValue("spec.leaseDurationSeconds", spec.leaseDurationSeconds, "must be greater than 0"));
  nonNegative(out, "spec.leaseTransitions", spec.leaseTransitions);
  if (spec.strategy !== undefined) {
    if (spec.strategy === "") out.push(required("spec.strategy"));
    for (const text of spec.strategy === "" ? [] : isQualifiedName(spec.strategy)) out.push(invalidValue("spec.strategy", spec.strategy, text));
  }
  if (spec.preferredHolder && !spec.strategy) out.push(invalidValue("spec.preferredHolder", spec.preferredHolder, "may only be specified when `strategy` is defined"));
}

export const leaseKind: Kind<Lease> = defineKind<Lease>({
  resource: LEASES,
  schema: "io.k8s.api.coordination.v1.Lease",
  printer: { cells: (o, now) => [o.metadata.name ?? "", o.spec?.holderIdentity ?? "", ageCell(o, now)] },
  validate,
  metaOnUpdate: "update",
  allowCreateOnUpdate: true,
  allowUnconditionalUpdate: false,
});
