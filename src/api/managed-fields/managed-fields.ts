/**
 * The two questions that the registry asks about ownership: who owns what after a write, and what an apply makes. Kinds come as they are in the table.
 */
import type { ManagedFieldsEntry } from "../generated/types.ts";
import type { KubeObject } from "../object.ts";
import type { GroupVersionKind } from "../schema/schema.ts";
import { applyConfiguration } from "./apply.ts";
import { deepEqual } from "./compare.ts";
import { trackUpdate } from "./track-update.ts";

/** A write, as far as ownership goes. */
export interface Write {
  /** As it is stored; undefined for a create. */
  readonly live: KubeObject | undefined;
  readonly manager: string;
  readonly kind: { readonly resource: GroupVersionKind };
  readonly subresource: string;
  /** RFC 3339, whole seconds. */
  readonly now: string;
}

/** The entries that the object shall carry; undefined for none, the live object's own list where nothing changes. */
function track({ live, kind, ...write }: Write & { readonly updated: KubeObject }): readonly ManagedFieldsEntry[] | undefined {
  return trackUpdate({ ...write, gvk: kind.resource, ...(live && { live }) });
}

/** The object after the apply with its managedFields, not defaulted; the live object itself where nothing changes. Throws StatusError. */
function apply({ live, kind, ...write }: Write & { readonly config: unknown; readonly force: boolean }): KubeObject {
  const { object, managedFields } = applyConfiguration({ ...write, gvk: kind.resource, ...(live && { live }) });
  const made = { ...object, metadata: { ...object.metadata, ...(managedFields && { managedFields }) } };
  return live && deepEqual(made, live) ? live : made;
}

export const managedFields = { track, apply };
