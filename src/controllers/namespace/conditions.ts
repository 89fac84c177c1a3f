/**
 * What the conditions of a namespace that is being deleted say. Pure.
 * Follows kubernetes pkg/controller/namespace/deletion/status_condition_utils.go.
 */
import type { Instant } from "../../base/clock.ts";
import type { NamespaceCondition } from "../../api/generated/types.ts";
import type { Resource } from "../../api/resource.ts";
import { formatTime } from "../../api/time.ts";

/** What was still there of one kind after its deletion was asked for. */
export interface Remaining {
  readonly resource: Pick<Resource, "group" | "plural">;
  readonly count: number;
  /** How many of them each finalizer holds. */
  readonly finalizers: ReadonlyMap<string, number>;
}

export interface Deletion {
  readonly remaining: readonly Remaining[];
  /** Why kinds could not be deleted. */
  readonly errors: readonly string[];
}

type Finding = Pick<NamespaceCondition, "type" | "status" | "reason" | "message">;

const finding = (type: string, status: "True" | "False", reason: string, message: string): Finding => ({ type, status, reason, message });

function findings({ remaining, errors }: Deletion): readonly Finding[] {
  const kinds = remaining.filter((r) => r.count > 0).map((r) => `${r.resource.plural}.${r.resource.group} has ${r.count} resource instances`).sort();
  const held = new Map<string, number>();
  for (const { finalizers } of remaining) for (const [name, count] of finalizers) held.set(name, (held.get(name) ?? 0) + count);
  const finalizers = [...held].map(([name, count]) => `${name} in ${count} resource instances`).sort();
  return [
    finding("NamespaceDeletionDiscoveryFailure", "False", "ResourcesDiscovered", "All resources successfully discovered"),
    finding("NamespaceDeletionGroupVersionParsingFailure", "False", "ParsedGroupVersions", "All legacy kube types successfully parsed"),
    errors.length > 0
      ? finding("NamespaceDeletionContentFailure", "True", "ContentDeletionFailed", `Failed to delete all resource types, ${errors.length} remaining: ${[...errors].sort().join(", ")}`)
      : finding("NamespaceDeletionContentFailure", "False", "ContentDeleted", "All content successfully deleted, may be waiting on finalization"),
    kinds.length > 0
      ? finding("NamespaceContentRemaining", "True", "SomeResourcesRemain", `Some resources are remaining: ${kinds.join(", ")}`)
      : finding("NamespaceContentRemaining", "False", "ContentRemoved", "All content successfully removed"),
    finalizers.length > 0
      ? finding("NamespaceFinalizersRemaining", "True", "SomeFinalizersRemain", `Some content in the namespace has finalizers remaining: ${finalizers.join(", ")}`)
      : finding("NamespaceFinalizersRemaining", "False", "ContentHasNoFinalizers", "All content-preserving finalizers finished"),
  ];
}

/** The conditions after a deletion was tried; undefined when they say it already. Others' conditions stay. */
export function decideConditions(current: readonly NamespaceCondition[], deletion: Deletion, now: Instant): readonly NamespaceCondition[] | undefined {
  const found = findings(deletion);
  const byType = new Map(found.map((f) => [f.type, f]));
  const kept = current.map((old) => {
    const wanted = byType.get(old.type);
    if (!wanted || (wanted.status === old.status && wanted.reason === old.reason && wanted.message === old.message)) return old;
    return { ...old, ...wanted, ...(wanted.status !== old.status && { lastTransitionTime: formatTime(now) }) };
  });
  const types = new Set(current.map((c) => c.type));
  const added = found.filter((f) => !types.has(f.type)).map((f) => ({ ...f, lastTransitionTime: formatTime(now) }));
  return added.length === 0 && kept.every((c, i) => c === current[i]) ? undefined : [...kept, ...added];
}
