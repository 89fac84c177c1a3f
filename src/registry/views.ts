/**
 * A write to a view (an object seen as one of another kind: its Scale) made a write of the object. Who owns the field of the view owns that of the object.
 * Follows kubernetes pkg/registry/apps/deployment/storage/storage.go (scaleUpdatedObjectInfo) and apimachinery pkg/util/managedfields/scalehandler.go.
 */
import { toCause } from "../api/field-error.ts";
import type { ManagedFieldsEntry } from "../api/generated/types.ts";
import type { Draft, DraftObject, View } from "../api/kinds/kind.ts";
import { difference, setOf } from "../api/managed-fields/field-set.ts";
import { decodeManaged, encodeManaged, type Managed, type Tracked } from "../api/managed-fields/managers.ts";
import { validateObjectMeta } from "../api/object-meta.ts";
import type { KubeObject } from "../api/object.ts";
import { apiVersionOf } from "../api/resource.ts";
import { badRequest, conflict, invalid } from "../api/status-error.ts";
import { ensureNamespace, viewOf, type Call, type Registry } from "./call.ts";
import { trackManager } from "./field-managers.ts";
import { thaw } from "./objects.ts";
import type { Change } from "./update.ts";

const NONE: Managed = new Map();

const owns = ({ fields }: Pick<Tracked, "fields">, path: readonly string[]): boolean => fields.has(path.map((name) => `f:${name}`));

/** Those who own the field, as the view's managers. */
function managersOfView(view: View<KubeObject>, live: KubeObject): readonly ManagedFieldsEntry[] | undefined {
  const { kind, field } = view;
  const seen = new Map<string, Tracked>();
  for (const [id, { entry: _entry, ...tracked }] of decodeManaged(live.metadata.managedFields) ?? NONE) {
    if (tracked.apiVersion === apiVersionOf(resourceOf(live)) && owns(tracked, field)) seen.set(id, { ...tracked, apiVersion: apiVersionOf(kind.resource), fields: setOf(field.join(".")) });
  }
  return encodeManaged(seen, undefined);
}

const resourceOf = ({ apiVersion }: KubeObject) => {
  const [version = "", group = ""] = (apiVersion ?? "").split("/").reverse();
  return { group, version };
};

/** The object's managers after the view's have changed. An update's entry is another one for the view (its version differs), so it comes back without its time. */
function managersOfObject(view: View<KubeObject>, live: KubeObject, entries: readonly ManagedFieldsEntry[] | undefined): readonly ManagedFieldsEntry[] | undefined {
  const { field } = view;
  const apiVersion = apiVersionOf(resourceOf(live));
  const parents = decodeManaged(live.metadata.managedFields) ?? NONE;
  const left = new Map(decodeManaged(entries) ?? NONE);
  const after = new Map<string, Tracked>();
  for (const [id, tracked] of parents) {
    if (tracked.apiVersion !== apiVersion) continue;
    if (!owns(tracked, field) || left.delete(id)) after.set(id, tracked);
    else {
      const fields = difference(tracked.fields, setOf(field.join(".")));
      if (!fields.empty) after.set(id, { ...tracked, fields });
    }
  }
  for (const [id, { entry: _entry, ...tracked }] of left) {
    if (owns(tracked, field)) after.set(id, { ...tracked, apiVersion, time: parents.get(id)?.time, fields: setOf(field.join(".")) });
  }
  return encodeManaged(after, live.metadata.managedFields);
}

function validateView(call: Call, { kind }: View<KubeObject>, wanted: KubeObject): void {
  const { resource, validateName, create } = kind;
  const errors = [...validateObjectMeta(wanted.metadata, { namespaced: resource.namespaced, validateName, builtIn: true }), ...create.validate(wanted)];
  if (errors.length > 0) throw invalid(resource, call.name, errors.map(toCause));
}

/** The view as it shall be: named and owned. */
function wantedView(r: Registry, call: Call, change: Change, seen: KubeObject): DraftObject {
  const wanted = thaw(change.make(seen));
  wanted.metadata ??= {};
  ensureNamespace(call, wanted);
  if (!change.tracked) trackManager(r, call, wanted, seen);
  return wanted;
}

/** `change` is one of the view that the call names. */
export function throughView(r: Registry, call: Call, change: Change): Change {
  const view = viewOf(call);
  if (!view) return change;
  return {
    ...(change.uid !== undefined && { uid: change.uid }),
    mayCreate: false,
    tracked: true,
    make(live) {
      if (!live) throw badRequest("there is nothing to see");
      const seen = view.of(live);
      const managedFields = managersOfView(view, live);
      const wanted = wantedView(r, call, change, { ...seen, metadata: { ...seen.metadata, ...(managedFields && { managedFields }) } });
      validateView(call, view, wanted);
      const { uid, resourceVersion } = wanted.metadata;
      const { resource } = call.served.kind;
      if (uid && uid !== live.metadata.uid) throw conflict({ ...resource, plural: `${resource.plural}/${call.subresource}` }, call.name, `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${live.metadata.uid ?? ""}`);
      return written(view, live, wanted, resourceVersion);
    },
  };
}

function written(view: View<KubeObject>, live: KubeObject, wanted: DraftObject, resourceVersion: string | undefined): KubeObject {
  const object = thaw(live);
  view.writeInto(object, wanted);
  object.metadata.resourceVersion = resourceVersion ?? "";
  const entries = managersOfObject(view, live, wanted.metadata.managedFields);
  if (entries) object.metadata.managedFields = entries as Draft<readonly ManagedFieldsEntry[]>;
  else delete object.metadata.managedFields;
  return object;
}
