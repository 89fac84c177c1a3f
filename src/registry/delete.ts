/**
 * Delete: at once, with grace, or held by finalizers, and what is to become of the dependents. `decideDelete` is pure; the driver writes and,
 * where somebody was faster, decides again.
 * Follows kubernetes staging/src/k8s.io/apiserver/pkg/registry/generic/registry/store.go (Delete) and rest/delete.go (BeforeDelete).
 */
import type { Instant } from "../base/clock.ts";
import type { DeleteOptions, Status } from "../api/generated/types.ts";
import type { DraftObject, Kind } from "../api/kinds/kind.ts";
import { FOREGROUND_FINALIZER, ORPHAN_FINALIZER } from "../api/object-meta.ts";
import type { KubeObject } from "../api/object.ts";
import { conflict, notFound, OBJECT_MODIFIED } from "../api/status-error.ts";
import { formatTime, parseTime } from "../api/time.ts";
import type { Entry } from "../store/store.ts";
import { validate } from "./admission.ts";
import { admissionContext, keyOfCall, objectOf, type Call, type Registry } from "./call.ts";
import { equal, finished, stamp, thaw } from "./objects.ts";

export type DeleteDecision =
  /** Its deletion is under way and this changes nothing. */
  | { readonly kind: "pending" }
  /** It is marked, and stays until its time is over and its finalizers are gone. */
  | { readonly kind: "mark"; readonly draft: DraftObject }
  /** It goes at once; a graceful kind is marked first, so that watchers see why. */
  | { readonly kind: "remove"; readonly draft: DraftObject | undefined };

/** Which of the two finalizers of the garbage collector the object is to have. Follows shouldOrphanDependents and shouldDeleteDependents. */
function collectorFinalizer(kind: Kind, finalizers: readonly string[], { orphanDependents, propagationPolicy }: DeleteOptions): string | undefined {
  if (kind.defaultPropagation === "Unsupported") return undefined;
  if (orphanDependents !== undefined) return orphanDependents ? ORPHAN_FINALIZER : undefined;
  if (propagationPolicy !== undefined) return propagationPolicy === "Orphan" ? ORPHAN_FINALIZER : propagationPolicy === "Foreground" ? FOREGROUND_FINALIZER : undefined;
  const present = finalizers.find((name) => name === ORPHAN_FINALIZER || name === FOREGROUND_FINALIZER);
  return present ?? (kind.defaultPropagation === "Orphan" ? ORPHAN_FINALIZER : undefined);
}

function setFinalizers(kind: Kind, draft: DraftObject, options: DeleteOptions): boolean {
  const old = draft.metadata.finalizers ?? [];
  const wanted = collectorFinalizer(kind, old, options);
  const kept = old.filter((name) => name !== ORPHAN_FINALIZER && name !== FOREGROUND_FINALIZER);
  const finalizers = wanted === undefined ? kept : [...kept, wanted];
  if (finalizers.length === old.length && finalizers.every((name) => old.includes(name))) return false;
  if (finalizers.length > 0) draft.metadata.finalizers = finalizers;
  else delete draft.metadata.finalizers;
  return true;
}

const addSeconds = (time: string | undefined, seconds: number) => formatTime((parseTime(time) ?? 0) + seconds * 1000);

function countGeneration(draft: DraftObject): void {
  const { metadata } = draft;
  if ((metadata.generation ?? 0) > 0) metadata.generation = (metadata.generation ?? 0) + 1;
}

/** What grace says: the draft is marked ("graceful"), nothing changes ("pending"), or grace has no say. Follows rest.BeforeDelete. */
function markGraceful(kind: Kind, draft: DraftObject, live: KubeObject, options: DeleteOptions, now: Instant): "graceful" | "pending" | "none" {
  if (!kind.gracefulDelete) return "none";
  const { metadata } = draft;
  const asked = options.gracePeriodSeconds;
  if (metadata.deletionTimestamp === undefined) {
    const period = kind.gracefulDelete.gracePeriodSeconds(live, options);
    metadata.deletionTimestamp = formatTime(now + period * 1000);
    metadata.deletionGracePeriodSeconds = period;
    countGeneration(draft);
    return "graceful";
  }
  const old = metadata.deletionGracePeriodSeconds;
  // Its time is over: what is left to do is to remove it.
  if (old === undefined || old === 0) return "none";
  if (asked === undefined || asked >= old) return "pending";
  metadata.deletionTimestamp = addSeconds(metadata.deletionTimestamp, asked - old);
  metadata.deletionGracePeriodSeconds = asked;
  return "graceful";
}

/** Follows registry.markAsDeleting. */
function markAsDeleting(draft: DraftObject, now: Instant): void {
  const { metadata } = draft;
  if (metadata.deletionTimestamp === undefined) countGeneration(draft);
  if (metadata.deletionTimestamp === undefined || (parseTime(metadata.deletionTimestamp) ?? 0) > now) metadata.deletionTimestamp = formatTime(now);
  metadata.deletionGracePeriodSeconds = 0;
}

function decideHeld(kind: Kind, draft: DraftObject, live: KubeObject, options: DeleteOptions, now: Instant): DeleteDecision | undefined {
  const { lifecycle } = kind;
  if (!lifecycle) return undefined;
  if (draft.metadata.deletionTimestamp === undefined) {
    setFinalizers(kind, draft, options);
    draft.metadata.deletionTimestamp = formatTime(now);
    lifecycle.markDeleting(draft);
    return { kind: "mark", draft };
  }
  return lifecycle.holds(live) ? { kind: "pending" } : undefined;
}

/** What a DELETE with `options` does to the live object. A negative grace period counts as one second. */
export function decideDelete(kind: Kind, live: KubeObject, given: DeleteOptions, now: Instant): DeleteDecision {
  const options = (given.gracePeriodSeconds ?? 0) < 0 ? { ...given, gracePeriodSeconds: 1 } : given;
  const draft = thaw<KubeObject>(live);
  const held = decideHeld(kind, draft, live, options, now);
  if (held) return held;
  const grace = markGraceful(kind, draft, live, options, now);
  if (grace === "pending") return { kind: "pending" };
  setFinalizers(kind, draft, options);
  if (draft.metadata.finalizers?.length) {
    if (grace === "none") markAsDeleting(draft, now);
    return equal(draft, live) ? { kind: "pending" } : { kind: "mark", draft };
  }
  if (grace === "none") return { kind: "remove", draft: undefined };
  return { kind: (draft.metadata.deletionGracePeriodSeconds ?? 0) > 0 ? "mark" : "remove", draft };
}

/** They speak of the kind, not of the resource: upstream's words. */
function checkPreconditions(call: Call, live: KubeObject, { preconditions }: DeleteOptions): void {
  const { group, kind } = call.served.stored.resource;
  const { name = "", uid = "", resourceVersion = "" } = live.metadata;
  const named = { group, plural: kind };
  if (call.served.kind.lifecycle) return checkHeldPreconditions(call, live, preconditions);
  if (preconditions?.uid !== undefined && preconditions.uid !== uid) {
    throw conflict(named, name, `the UID in the precondition (${preconditions.uid}) does not match the UID in record (${uid}). The object might have been deleted and then recreated`);
  }
  if (preconditions?.resourceVersion !== undefined && preconditions.resourceVersion !== resourceVersion) {
    throw conflict(named, name, `the ResourceVersion in the precondition (${preconditions.resourceVersion}) does not match the ResourceVersion in record (${resourceVersion}). The object might have been modified`);
  }
}

/** Objects with a lifecycle of their own are looked at before the storage is, in words of their own. */
function checkHeldPreconditions({ served }: Call, live: KubeObject, preconditions: DeleteOptions["preconditions"]): void {
  const { name = "", uid = "", resourceVersion = "" } = live.metadata;
  const refuse = (what: string, wanted: string, found: string) => conflict(served.kind.resource, name, `Precondition failed: ${what} in precondition: ${wanted}, ${what} in object meta: ${found}`);
  if (preconditions?.uid !== undefined && preconditions.uid !== uid) throw refuse("UID", preconditions.uid, uid);
  if (preconditions?.resourceVersion !== undefined && preconditions.resourceVersion !== resourceVersion) throw refuse("ResourceVersion", preconditions.resourceVersion, resourceVersion);
}

/** The last state of the object, and whether it is gone. */
export interface Deleted {
  readonly object: KubeObject;
  readonly gone: boolean;
}

type Outcome = Deleted | { readonly lost: Entry | undefined };

async function remove(r: Registry, call: Call, entry: Entry, marked: boolean): Promise<Outcome> {
  const { resource } = call.served.stored;
  const result = await r.store.write({ kind: "delete", key: entry.key, expect: entry.revision, value: (revision) => stamp(thaw<KubeObject>(objectOf(entry)), resource, revision) });
  if (result.ok) return { object: objectOf(result.entry), gone: true };
  // Whoever it is deleted for may be faster: what was marked and is gone now was deleted.
  return marked && !result.current ? { object: objectOf(entry), gone: true } : { lost: result.current };
}

async function attempt(r: Registry, call: Call, options: DeleteOptions, entry: Entry): Promise<Outcome> {
  const { resource } = call.served.stored;
  const live = objectOf(entry);
  checkPreconditions(call, live, options);
  await validate(r.admission, live, admissionContext(r, call, "DELETE", live));
  const decision = decideDelete(call.served.stored, live, options, r.clock.now());
  if (decision.kind === "pending") return { object: live, gone: false };
  const { kind, draft } = decision;
  if (call.dryRun) return { object: draft ? finished(draft, resource) : live, gone: kind === "remove" };
  if (!draft) return remove(r, call, entry, false);
  const result = await r.store.write({ kind: "put", key: entry.key, expect: entry.revision, value: (revision) => stamp(draft, resource, revision) });
  if (!result.ok) return { lost: result.current };
  return kind === "mark" ? { object: objectOf(result.entry), gone: false } : remove(r, call, result.entry, true);
}

const ATTEMPTS_MAX = 100;

export async function deleteObject(r: Registry, call: Call, options: DeleteOptions): Promise<Deleted> {
  let entry = r.store.get(keyOfCall(call));
  for (let n = 0; n < ATTEMPTS_MAX; n++) {
    if (!entry) throw notFound(call.served.kind.resource, call.name);
    const outcome = await attempt(r, call, options, entry);
    if (!("lost" in outcome)) return outcome;
    entry = outcome.lost;
  }
  throw conflict(call.served.kind.resource, call.name, OBJECT_MODIFIED);
}

/** The body of the answer: the object while it is there or where its kind answers with it, else a Status that says what is gone. */
export function deleteAnswer(call: Call, { object, gone }: Deleted): KubeObject | Status {
  const { kind, fromStored } = call.served;
  if (!gone || kind.deleteReturnsObject) return fromStored(object);
  const { group, plural } = kind.resource;
  const { name = "", uid = "" } = object.metadata;
  return { kind: "Status", apiVersion: "v1", metadata: {}, status: "Success", details: { name, ...(group !== "" && { group }), kind: plural, uid } };
}
