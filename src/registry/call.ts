/**
 * What every verb has at hand: the parts of the registry, and the request that is being served.
 */
import type { Clock } from "../base/clock.ts";
import type { Ids } from "../base/chance.ts";
import type { Logger } from "../base/logger.ts";
import { own } from "../base/own.ts";
import type { DraftObject, Kind, View } from "../api/kinds/kind.ts";
import type { KubeObject } from "../api/object.ts";
import type { Caller } from "../api/request.ts";
import { badRequest } from "../api/status-error.ts";
import type { Entry, Store } from "../store/store.ts";
import type { AdmissionContext, AdmissionPlugin, Operation, Reader } from "./admission.ts";
import type { Allocators } from "./allocation.ts";
import type { Amend } from "./amend.ts";
import type { ManagedFields } from "./field-managers.ts";
import { keepText } from "./objects.ts";
import { keyFor, type Served, type ServedKinds } from "./served.ts";

export interface Registry {
  readonly store: Store;
  readonly served: ServedKinds;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly logger: Logger;
  readonly admission: readonly AdmissionPlugin[];
  readonly reader: Reader;
  readonly amend: Amend;
  readonly allocators: Allocators;
  readonly managedFields: ManagedFields;
}

export interface Call {
  readonly served: Served;
  readonly namespace: string;
  readonly name: string;
  readonly subresource: string;
  readonly caller: Caller;
  readonly dryRun: boolean;
  readonly fieldManager: string;
  readonly fieldValidation: string;
  readonly warnings: string[];
}

/** The manager's name in managedFields: what the request says, or the first word of the user agent. Follows handlers.managerOrUserAgent. */
export function managerOf({ fieldManager, caller }: Pick<Call, "fieldManager" | "caller">): string {
  if (fieldManager !== "") return fieldManager;
  const agent = caller.userAgent.split("/")[0] ?? "";
  return Array.from(agent).slice(0, 128).join("") || "unknown";
}

/** How the subresource shows the object, where it shows it as one of another kind. */
export const viewOf = ({ served, subresource }: Pick<Call, "served" | "subresource">): View<KubeObject> | undefined => own(served.kind.views, subresource);

/** The kind of what the request carries and is answered with. */
export const shownAs = (call: Pick<Call, "served" | "subresource">): Kind => viewOf(call)?.kind ?? call.served.kind;

/** An object of the kind itself, as the request is answered. */
export const shown = (call: Pick<Call, "served" | "subresource">, object: KubeObject): KubeObject => viewOf(call)?.of(object) ?? object;

/** What no piece of a key may be. Follows apimachinery pkg/api/validation/path (IsValidPathSegmentName). */
function pathError(name: string): string | undefined {
  if (name === "." || name === "..") return `may not be '${name}'`;
  const found = ["/", "%"].filter((c) => name.includes(c)).map((c) => `may not contain '${c}'`);
  return found.length === 0 ? undefined : found.join(";");
}

/** Rejects with 400 a change that names no namespace, where objects are in one. Follows registry/generic/registry NamespaceKeyFunc. */
export function requireNamespace({ served, namespace }: Pick<Call, "served" | "namespace">): void {
  if (served.kind.resource.namespaced && namespace === "") throw badRequest("Namespace parameter required.");
}

/** Rejects with 400 where the name can be no key. */
export function keyOfCall(call: Call, name = call.name): string {
  requireNamespace(call);
  const wrong = pathError(name);
  if (wrong !== undefined) throw badRequest(`Name parameter invalid: ${JSON.stringify(name)}: ${wrong}`);
  return keyFor(call.served, call.namespace, name);
}

export function admissionContext(r: Registry, call: Call, operation: Operation, old: KubeObject | undefined, onLost: AdmissionContext["onLost"] = () => undefined): AdmissionContext {
  const { served, namespace, name, subresource, caller, dryRun, warnings } = call;
  return { operation, resource: served.kind.resource, subresource, namespace, name, user: caller.user, dryRun, old, reader: r.reader, amend: r.amend, onLost, warn: (text) => void warnings.push(text) };
}

/** What is stored. Its text is known from then on. */
export function objectOf({ value }: Pick<Entry, "value">): KubeObject {
  const { object, text } = value;
  keepText(object, text);
  return object as KubeObject;
}

/** Refuses an object of another namespace. */
export function checkNamespace(call: Call, namespace: string | undefined): void {
  if (call.served.kind.resource.namespaced && namespace && namespace !== call.namespace) throw badRequest("the namespace of the provided object does not match the namespace sent on the request");
}

/** Puts the request's namespace into the object, or refuses. Follows rest.EnsureObjectNamespaceMatchesRequestNamespace. */
export function ensureNamespace(call: Call, draft: DraftObject): void {
  const { metadata } = draft;
  if (!call.served.kind.resource.namespaced) {
    delete metadata.namespace;
  } else {
    checkNamespace(call, metadata.namespace);
    metadata.namespace = call.namespace;
  }
}

/** Drops doubled owner references, with a warning. Follows handlers.dedupOwnerReferencesAndAddWarning. */
export function dedupOwners(call: Call, draft: DraftObject): void {
  const owners = draft.metadata.ownerReferences;
  if (!owners || owners.length < 2) return;
  const seen = new Set<string>();
  const doubled = new Set<string>();
  const unique = owners.filter((owner) => {
    const text = JSON.stringify(Object.entries(owner).sort(([a], [b]) => (a < b ? -1 : 1)));
    if (seen.has(text)) doubled.add(owner.uid);
    return !seen.has(text) && seen.add(text);
  });
  if (doubled.size === 0) return;
  draft.metadata.ownerReferences = unique;
  call.warnings.push(
    `.metadata.ownerReferences contains duplicate entries; API server dedups owner references in 1.20+, and may reject such requests as early as 1.24; please fix your requests; duplicate UID(s) observed: ${[...doubled].join(", ")}`,
  );
}
