/**
 * Update: what a PUT or a patch makes of the live object is checked against it and stored by compare-and-set, again where somebody was faster.
 * A write that changes nothing stores nothing. Emptying the finalizers of an object that is being deleted removes it.
 * Follows kubernetes staging/src/k8s.io/apiserver/pkg/registry/generic/registry/store.go (Update) and rest/update.go (BeforeUpdate).
 */
import { own } from "../base/own.ts";
import { invalidValue, toCause } from "../api/field-error.ts";
import type { ManagedFieldsEntry } from "../api/generated/types.ts";
import type { DraftObject, Kind, UpdateStrategy } from "../api/kinds/kind.ts";
import { isPathSegmentName } from "../api/names.ts";
import { validateObjectMeta, validateObjectMetaUpdate } from "../api/object-meta.ts";
import type { KubeObject } from "../api/object.ts";
import { apiVersionOf, qualifiedPlural, storagePathOf } from "../api/resource.ts";
import { normalise } from "../api/schema/decode.ts";
import { clearEmptyLists } from "../api/schema/stored.ts";
import { badRequest, conflict, invalid, notFound, OBJECT_MODIFIED, StatusError } from "../api/status-error.ts";
import type { Entry } from "../store/store.ts";
import { mutate, validate } from "./admission.ts";
import { nothingHeld, type Release } from "./allocation.ts";
import { admissionContext, checkNamespace, dedupOwners, ensureNamespace, keyOfCall, objectOf, viewOf, type Call, type Registry } from "./call.ts";
import { create } from "./create.ts";
import { trackManager } from "./field-managers.ts";
import { equal, finished, stamp, thaw } from "./objects.ts";
import { pathNotFound } from "./served.ts";

/** Lost races before the caller is told; with group commit a race is lost once or twice. */
const ATTEMPTS_MAX = 100;

export interface Change {
  /** The object that is wanted, made of the live one (both as they were asked for). Undefined live: there is none, and it may be created. */
  readonly make: (live: KubeObject | undefined) => KubeObject;
  /** Refused when the live object has another uid. */
  readonly uid?: string;
  readonly mayCreate: boolean;
  /** `make` has seen to the managedFields. */
  readonly tracked: boolean;
}

export interface Updated {
  readonly object: KubeObject;
  readonly created: boolean;
}

function strategyOf(call: Call): UpdateStrategy<KubeObject> {
  const { kind } = call.served;
  if (call.subresource === "" || viewOf(call)) return kind.update;
  const strategy = own(kind.subresources, call.subresource);
  if (!strategy) throw pathNotFound();
  return strategy;
}

/** Follows handlers.checkName. */
export function checkName(call: Call, object: KubeObject): void {
  const name = object.metadata?.name;
  if (!name) throw badRequest(`the name of the object (${call.name} based on URL) was undeterminable: name must be provided`);
  if (name !== call.name) throw badRequest(`the name of the object (${name}) does not match the name on the URL (${call.name})`);
}

/** The uid that the request names must be the live one's. In the words of the storage, as upstream lets them through. */
function checkUid(call: Call, uid: string | undefined, live: KubeObject): void {
  if (!uid || uid === live.metadata.uid) return;
  const { resource } = call.served.kind;
  const place = resource.namespaced ? `${call.namespace}/${call.name}` : call.name;
  throw conflict(resource, call.name, `StorageError: invalid object, Code: 4, Key: /registry/${storagePathOf(resource)}/${place}, ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: UID in precondition: ${uid}, UID in object meta: ${live.metadata.uid ?? ""}`);
}

/** Sets the live resourceVersion on a blind write; refuses a stale one. */
function checkVersion(call: Call, draft: DraftObject, live: KubeObject): void {
  const { resourceVersion = "" } = draft.metadata;
  const { kind } = call.served;
  if (resourceVersion !== "" && !/^\d+$/.test(resourceVersion)) throw new StatusError({ code: 500, message: `strconv.ParseUint: parsing ${JSON.stringify(resourceVersion)}: invalid syntax` });
  const blind = resourceVersion === "" || resourceVersion === "0";
  if (blind && !kind.allowUnconditionalUpdate) {
    const { group, plural } = kind.resource;
    throw invalid({ group, kind: plural }, call.name, [toCause(invalidValue("metadata.resourceVersion", 0, "must be specified for an update"))]);
  }
  if (!blind && resourceVersion !== live.metadata.resourceVersion) throw conflict(kind.resource, call.name, OBJECT_MODIFIED);
  if (live.metadata.resourceVersion !== undefined) draft.metadata.resourceVersion = live.metadata.resourceVersion;
}

/** What no update may change goes back to what it was. */
function keepMeta(draft: DraftObject, live: KubeObject): void {
  const { metadata } = draft;
  const old = live.metadata;
  if (!metadata.uid && old.uid) metadata.uid = old.uid;
  if (old.creationTimestamp) metadata.creationTimestamp = old.creationTimestamp;
  if (old.deletionTimestamp) metadata.deletionTimestamp = old.deletionTimestamp;
  if (old.deletionGracePeriodSeconds !== undefined && metadata.deletionGracePeriodSeconds === undefined) metadata.deletionGracePeriodSeconds = old.deletionGracePeriodSeconds;
  delete metadata.selfLink;
}

/** The generic checks; the kinds repeat them in their own validation, so that an error stands twice or four times in the causes. */
function metaErrors(call: Call, object: KubeObject, live: KubeObject) {
  const { namespaced } = call.served.kind.resource;
  return [
    ...validateObjectMeta(object.metadata, { namespaced, validateName: isPathSegmentName, builtIn: false }),
    ...validateObjectMetaUpdate(object.metadata, live.metadata, false),
  ];
}

/** Allocates, prepares and validates, in this order. Follows rest.BeforeUpdate and what comes before it in Store.Update. */
function prepareUpdate(r: Registry, call: Call, draft: DraftObject, live: KubeObject): Release {
  const strategy = strategyOf(call);
  const allocator = call.subresource === "" ? r.allocators[qualifiedPlural(call.served.kind.resource)] : undefined;
  const release = allocator?.allocate(draft, live, { reader: r.reader, ids: r.ids, dryRun: call.dryRun }) ?? nothingHeld;
  try {
    if (live.metadata.generation === undefined) delete draft.metadata.generation;
    else draft.metadata.generation = live.metadata.generation;
    strategy.prepare(draft, live);
    keepMeta(draft, live);
    const errors = [...metaErrors(call, draft, live), ...strategy.validate(draft, live)];
    if (errors.length > 0) throw invalid(call.served.stored.resource, call.name, errors.map(toCause));
    call.warnings.push(...(strategy.warnings?.(draft, live) ?? []));
    return release;
  } catch (error) {
    release();
    throw error;
  }
}

/** A write that only renews the times of managedFields is none. Follows fieldmanager.IgnoreManagedFieldsTimestampsTransformer. */
function changesNothing(draft: DraftObject, live: KubeObject): boolean {
  const { metadata, ...rest } = draft;
  const { metadata: oldMetadata, ...oldRest } = live;
  const { managedFields, ...meta } = metadata;
  const { managedFields: oldManagedFields, ...oldMeta } = oldMetadata;
  if (!equal(meta, oldMeta) || !equal(rest, oldRest)) return false;
  const timeless = (entries: readonly ManagedFieldsEntry[] | undefined) => entries?.map(({ time: _time, ...entry }) => entry);
  return equal(timeless(managedFields), timeless(oldManagedFields));
}

/** Follows registry.ShouldDeleteDuringUpdate. */
function endsDeletion(call: Call, draft: DraftObject, live: KubeObject): boolean {
  const { deletionTimestamp, deletionGracePeriodSeconds = 0 } = live.metadata;
  return deletionTimestamp !== undefined && deletionGracePeriodSeconds === 0 && !draft.metadata.finalizers?.length && !call.served.stored.lifecycle?.holds(draft);
}

/** A writable copy of what is wanted; where the kind allows it, spec and status are the live ones as far as they are the same: frozen, with their defaults. */
function draftOf(wanted: KubeObject, live: KubeObject, kind: Kind): DraftObject {
  const { spec, status, ...rest } = wanted as KubeObject & { readonly spec?: unknown; readonly status?: unknown };
  const old = live as typeof rest & { readonly spec?: unknown; readonly status?: unknown };
  if (!kind.sharesSpec || spec !== old.spec) return thaw(wanted);
  const kept = { spec, ...(status !== undefined && { status: status === old.status ? status : thaw(status) }) };
  return Object.assign(thaw<KubeObject>(rest), kept);
}

/** Admission may set fields of a shared spec, whole ones only. Returns whether it is one: what is in it has its defaults, and is frozen. */
function thawTop(draft: DraftObject & { spec?: object }): boolean {
  if (!draft.spec || !Object.isFrozen(draft.spec)) return false;
  draft.spec = { ...draft.spec };
  return true;
}

/** What comes back from the store has its defaults again, and no empty lists. A spec that is the live one's has them. */
function likeStored(kind: Kind, draft: DraftObject & { spec?: object }, isShared: boolean): void {
  const isKept = isShared || (draft.spec !== undefined && Object.isFrozen(draft.spec));
  if (draft.spec && isKept && kind.sharesSpec !== true) draft.spec = thaw(draft.spec);
  if (!isKept || kind.sharesSpec !== true) kind.applyDefaults(draft);
  clearEmptyLists(draft, kind.resource);
}

type Outcome = Updated | { readonly lost: Entry | undefined };

async function attempt(r: Registry, call: Call, change: Change, entry: Entry): Promise<Outcome> {
  const { served } = call;
  const { kind } = served;
  const live = served.fromStored(objectOf(entry));
  checkUid(call, change.uid, live);
  const draft = draftOf(change.make(live), live, kind);
  draft.kind = kind.resource.kind;
  draft.apiVersion = apiVersionOf(kind.resource);
  draft.metadata ??= {};
  ensureNamespace(call, draft);
  checkName(call, draft);
  kind.applyDefaults(draft);
  const isShared = thawTop(draft);
  dedupOwners(call, draft);
  if (!change.tracked) trackManager(r, call, draft, live);
  const takeBacks: (() => Promise<unknown>)[] = [];
  const context = admissionContext(r, call, "UPDATE", live, (takeBack) => void takeBacks.push(takeBack));
  mutate(r.admission, draft, context);
  checkVersion(call, draft, live);
  const release = prepareUpdate(r, call, draft, live);
  try {
    await validate(r.admission, draft, context);
    const outcome = await store(r, call, { draft, live, entry, isShared });
    if ("lost" in outcome) for (const takeBack of takeBacks) await takeBack();
    return outcome;
  } finally {
    release();
  }
}

async function store(r: Registry, call: Call, { draft, live, entry, isShared }: { draft: DraftObject; live: KubeObject; entry: Entry; isShared: boolean }): Promise<Outcome> {
  const { kind, stored, toStored } = call.served;
  const ends = endsDeletion(call, draft, live);
  if (!ends) likeStored(kind, draft, isShared);
  if (!ends && changesNothing(draft, live)) return { object: objectOf(entry), created: false };
  const result = kind === stored ? draft : thaw(normalise(toStored(draft), stored.resource));
  if (call.dryRun) return { object: finished(result, stored.resource), created: false };
  // Watchers of what goes see it as it was; the caller sees what the write made of it.
  const last = ends ? thaw<KubeObject>(objectOf(entry)) : result;
  const written = await r.store.write({ kind: ends ? "delete" : "put", key: entry.key, expect: entry.revision, value: (revision) => stamp(last, stored.resource, revision) });
  if (!written.ok) return { lost: written.current };
  return { object: ends ? finished(result, stored.resource) : objectOf(written.entry), created: false };
}

/** There is nothing yet: a version that the request names means nothing then. */
function createInstead(r: Registry, call: Call, change: Change): Promise<KubeObject> {
  const wanted = change.make(undefined);
  const { uid } = wanted.metadata ?? {};
  if (change.tracked && uid) throw conflict(call.served.kind.resource, call.name, `uid mismatch: the provided object specified uid ${uid}, and no existing object was found`);
  checkNamespace(call, wanted.metadata?.namespace);
  checkName(call, wanted);
  const { resourceVersion: _version, ...metadata } = wanted.metadata;
  return create(r, call, { ...wanted, metadata }, change.tracked);
}

/** The stored object after the change. */
export async function update(r: Registry, call: Call, change: Change): Promise<Updated> {
  strategyOf(call);
  let entry = r.store.get(keyOfCall(call));
  for (let n = 0; n < ATTEMPTS_MAX; n++) {
    if (!entry) {
      if (!change.mayCreate) throw notFound(call.served.kind.resource, call.name);
      return { object: await createInstead(r, call, change), created: true };
    }
    const warned = call.warnings.length;
    const outcome = await attempt(r, call, change, entry);
    if (!("lost" in outcome)) return outcome;
    call.warnings.length = warned;
    entry = outcome.lost;
  }
  throw conflict(call.served.kind.resource, call.name, OBJECT_MODIFIED);
}
