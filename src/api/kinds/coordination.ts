/**
 * The kind Lease.
 * Follows kubernetes pkg/apis/coordination/validation/validation.go and pkg/registry/coordination/lease/strategy.go.
 */
import { forbiddenField, invalidValue } from "../field-error.ts";
import type { Lease } from "../generated/types.ts";
import { isQualifiedName, subdomainName } from "../names.ts";
import { validateObjectMeta, validateObjectMetaUpdate } from "../object-meta.ts";
import { LEASES } from "../resource.ts";
import { type Errors, nonNegative, reasons, unsupported } from "../validation/fields.ts";
import { defineKind } from "./define.ts";
import type { Draft, Kind } from "./kind.ts";
import { ageCell } from "./printing.ts";

const STRATEGIES = ["OldestEmulationVersion"];

/** Follows ValidateCoordinatedLeaseStrategy, which names the field twice. */
function validateStrategy(out: Errors, strategy: string): void {
  if (strategy.includes("/")) reasons(out, "spec.strategy.strategy", strategy, isQualifiedName(strategy));
  else if (!STRATEGIES.includes(strategy)) out.push(unsupported("spec.strategy.strategy", strategy, STRATEGIES));
}

function validateSpec(out: Errors, { spec }: Lease): void {
  if (spec.leaseDurationSeconds !== undefined && spec.leaseDurationSeconds <= 0) out.push(invalidValue("spec.leaseDurationSeconds", spec.leaseDurationSeconds, "must be greater than 0"));
  nonNegative(out, "spec.leaseTransitions", spec.leaseTransitions);
  if (spec.strategy !== undefined) validateStrategy(out, spec.strategy);
  if (spec.preferredHolder && !spec.strategy) out.push(forbiddenField("spec.preferredHolder", "may only be specified if `strategy` is defined"));
}

/** Coordinated leader election is off by default: its fields are only kept where they are. */
function dropCoordination(draft: Draft<Lease>, old: Lease | undefined): void {
  if (old?.spec?.strategy === undefined) delete draft.spec?.strategy;
  if (old?.spec?.preferredHolder === undefined) delete draft.spec?.preferredHolder;
}

export const leaseKind: Kind<Lease> = defineKind<Lease>({
  resource: LEASES,
  schema: "io.k8s.api.coordination.v1.Lease",
  printer: { cells: (o, now) => [o.metadata.name ?? "", o.spec?.holderIdentity ?? "", ageCell(o, now)] },
  prepareCreate: (draft) => dropCoordination(draft, undefined),
  prepareUpdate: dropCoordination,
  // Its finalizers are names of any kind: the generic rules of the metadata are its only ones.
  ownMetaOnCreate: true,
  metaOnUpdate: "own",
  validate(out, o) {
    out.push(...validateObjectMeta(o.metadata, { namespaced: true, validateName: subdomainName, builtIn: false }));
    validateSpec(out, o);
  },
  validateUpdate(out, o, old) {
    out.push(...validateObjectMetaUpdate(o.metadata, old.metadata, false));
    validateSpec(out, o);
  },
  allowCreateOnUpdate: true,
  allowUnconditionalUpdate: false,
});
