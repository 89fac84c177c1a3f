/**
 * Who owns which field, as the verbs need it: the rules are in `api/managed-fields`, or in what the composition root passes instead.
 */
import type { Instant } from "../base/clock.ts";
import type { ManagedFieldsEntry } from "../api/generated/types.ts";
import type { Draft, DraftObject } from "../api/kinds/kind.ts";
import { applyConfiguration } from "../api/managed-fields/apply.ts";
import { trackUpdate } from "../api/managed-fields/track-update.ts";
import type { Versions } from "../api/managed-fields/versions.ts";
import type { KubeObject } from "../api/object.ts";
import type { GroupVersionKind } from "../api/schema/schema.ts";
import { managerOf, shownAs, viewOf, type Call, type Registry } from "./call.ts";
import { freeze } from "./objects.ts";

export interface ManagedWrite {
  /** As it is stored; undefined for a create. */
  readonly live: KubeObject | undefined;
  readonly manager: string;
  readonly gvk: GroupVersionKind;
  /** The object's own, where it is not seen as one of another kind. */
  readonly versions?: Versions;
  readonly subresource: string;
  readonly now: Instant;
}

export interface ManagedFields {
  /** The entries that the object shall carry; undefined for none. */
  track(write: ManagedWrite & { readonly updated: KubeObject }): readonly ManagedFieldsEntry[] | undefined;
  /** The object after the apply with its managedFields, not defaulted. Throws StatusError: conflicts too. */
  apply(write: ManagedWrite & { readonly config: unknown; readonly force: boolean; readonly fieldValidation: string; readonly warnings: string[] }): KubeObject;
}

export const managedFields: ManagedFields = {
  track: ({ live, ...write }) => trackUpdate({ ...write, ...(live && { live }) }),
  apply({ live, warnings, ...write }) {
    const applied = applyConfiguration({ ...write, ...(live && { live }) });
    warnings.push(...applied.warnings);
    return { ...applied.object, metadata: { ...applied.object.metadata, ...(applied.managedFields && { managedFields: applied.managedFields }) } };
  },
};

function writeOf(r: Registry, call: Call, live: KubeObject | undefined): ManagedWrite {
  return { live, manager: managerOf(call), gvk: shownAs(call).resource, ...(!viewOf(call) && { versions: call.served.versions }), subresource: call.subresource, now: r.clock.now() };
}

/** Writes down whose the draft's changes are. After defaults, before admission and the kind's own preparation. */
export function trackManager(r: Registry, call: Call, draft: DraftObject, live: KubeObject | undefined): void {
  const entries = r.managedFields.track({ ...writeOf(r, call, live), updated: draft });
  // Frozen and shared: entries are read once and recognised again.
  if (entries && entries.length > 0) draft.metadata.managedFields = freeze(entries) as Draft<readonly ManagedFieldsEntry[]>;
  else delete draft.metadata.managedFields;
}

/** What an apply of `config` makes of the live object. */
export const applied = (r: Registry, call: Call, live: KubeObject | undefined, config: unknown, force: boolean): KubeObject =>
  r.managedFields.apply({ ...writeOf(r, call, live), config, force, fieldValidation: call.fieldValidation, warnings: call.warnings });
