/**
 * What becomes of an object, judged by its owners. Pure: whoever calls has looked the owners up.
 * Follows kubernetes pkg/controller/garbagecollector/garbagecollector.go (attemptToDeleteItem).
 */
import type { OwnerReference } from "../../api/generated/types.ts";
import type { KubeObject, Stored } from "../../api/object.ts";
import { FOREGROUND_FINALIZER, ORPHAN_FINALIZER } from "./graph.ts";

/**
 * `solid`: the owner exists. `dangling`: it does not. `waiting`: it exists and is being deleted in the foreground.
 * `unknown`: it is of a kind that is not served, so nothing can be said.
 */
export type OwnerState = "solid" | "dangling" | "waiting" | "unknown";

export interface JudgedOwner {
  readonly reference: OwnerReference;
  readonly state: OwnerState;
}

export interface GarbageWorld {
  readonly object: Stored<KubeObject>;
  readonly owners: readonly JudgedOwner[];
  readonly hasDependents: boolean;
  /** One of its dependents is itself waiting for its dependents: a circle may be closing. */
  readonly dependentIsDeletingDependents: boolean;
}

export type GarbageAction =
  | { readonly kind: "keep" }
  /** Another owner holds the object: only these references go. */
  | { readonly kind: "removeReferences"; readonly uids: readonly string[] }
  | { readonly kind: "delete"; readonly propagationPolicy: "Background" | "Foreground" | "Orphan"; /** First it stops blocking its owners. */ readonly unblock: boolean };

export function decideGarbage({ object, owners, hasDependents, dependentIsDeletingDependents }: GarbageWorld): GarbageAction {
  const uidsOf = (...states: readonly OwnerState[]) => owners.filter((o) => states.includes(o.state)).map((o) => o.reference.uid);
  const lost = uidsOf("dangling", "waiting");
  // Of an owner that cannot be looked up nothing is known: better a leftover than a loss.
  if (lost.length === 0 || uidsOf("unknown").length > 0) return { kind: "keep" };
  if (lost.length < owners.length) return { kind: "removeReferences", uids: lost };
  if (uidsOf("waiting").length > 0 && hasDependents) return { kind: "delete", propagationPolicy: "Foreground", unblock: dependentIsDeletingDependents };
  return { kind: "delete", propagationPolicy: policyOf(object.metadata.finalizers ?? []), unblock: false };
}

/** A way to delete that the object carries already is kept. */
function policyOf(finalizers: readonly string[]): "Background" | "Foreground" | "Orphan" {
  if (finalizers.includes(ORPHAN_FINALIZER)) return "Orphan";
  return finalizers.includes(FOREGROUND_FINALIZER) ? "Foreground" : "Background";
}
