/**
 * Kinds whose deletion is more than a timestamp and metadata.finalizers, as data beside the table of kinds.
 * Follows kubernetes pkg/registry/core/namespace/storage/storage.go.
 */
import type { Namespace } from "../api/generated/types.ts";
import type { Draft, DraftObject } from "../api/kinds/kind.ts";
import type { KubeObject } from "../api/object.ts";
import { NAMESPACES, qualifiedPlural, type Resource } from "../api/resource.ts";

export interface Lifecycle {
  /** Something besides metadata.finalizers keeps the object. */
  readonly holds: (object: KubeObject) => boolean;
  /** What a deletion writes besides the timestamp; there is no grace period. */
  readonly markDeleting: (draft: DraftObject) => void;
}

const namespaceLifecycle: Lifecycle = {
  holds: (object) => ((object as Namespace).spec?.finalizers?.length ?? 0) > 0,
  markDeleting(draft) {
    const namespace = draft as Draft<Namespace>;
    namespace.status = { ...namespace.status, phase: "Terminating" };
  },
};

const lifecycles: Readonly<Record<string, Lifecycle>> = { [qualifiedPlural(NAMESPACES)]: namespaceLifecycle };

export const lifecycleOf = (resource: Resource): Lifecycle | undefined => lifecycles[qualifiedPlural(resource)];

export const holdsObject = (resource: Resource, object: KubeObject): boolean => lifecycleOf(resource)?.holds(object) ?? false;
