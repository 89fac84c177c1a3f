/**
 * Create: a draft is defaulted, admitted, named, prepared by its kind, validated (all field errors at once) and stored where nothing is yet.
 * Follows kubernetes staging/src/k8s.io/apiserver/pkg/endpoints/handlers/create.go and pkg/registry/rest/create.go (BeforeCreate).
 */
import { toCause, type FieldError } from "../api/field-error.ts";
import type { DraftObject } from "../api/kinds/kind.ts";
import { validateObjectMeta } from "../api/object-meta.ts";
import type { KubeObject } from "../api/object.ts";
import { isPathSegmentName } from "../api/names.ts";
import { qualifiedPlural } from "../api/resource.ts";
import { clearEmptyLists } from "../api/schema/stored.ts";
import { normalise } from "../api/schema/decode.ts";
import { alreadyExists, invalid, StatusError } from "../api/status-error.ts";
import { formatTime } from "../api/time.ts";
import type { Entry } from "../store/store.ts";
import { mutate, validate } from "./admission.ts";
import { admissionContext, dedupOwners, ensureNamespace, keyOfCall, objectOf, type Call, type Registry } from "./call.ts";
import { trackManager } from "./field-managers.ts";
import { finished, stamp, thaw } from "./objects.ts";

/** Follows names.SimpleNameGenerator. */
const BASE_NAME_MAX = 58;
const SUFFIX_LENGTH = 5;
const NAME_ATTEMPTS = 8;

/** A free name; the last try where none of eight was free. */
function generateName(r: Registry, call: Call, base: string): string {
  let name = "";
  for (let attempt = 0; attempt < NAME_ATTEMPTS; attempt++) {
    name = base.slice(0, BASE_NAME_MAX) + r.ids.suffix(SUFFIX_LENGTH);
    if (!r.store.get(keyOfCall(call, name))) return name;
  }
  return name;
}

function taken(call: Call, draft: DraftObject, current: Entry | undefined): StatusError {
  const { name = "", generateName: base } = draft.metadata;
  const error = alreadyExists(call.served.kind.resource, name);
  if (base) {
    return new StatusError({ code: 409, reason: "AlreadyExists", message: `${error.message}, the server was not able to generate a unique name for the object`, details: error.details ?? {}, retryAfterSeconds: 1 });
  }
  if (!current || !objectOf(current).metadata.deletionTimestamp) return error;
  return new StatusError({ code: 409, reason: "AlreadyExists", message: `object is being deleted: ${error.message}`, details: error.details ?? {} });
}

/** What only the server may say is taken away before anybody looks at it. Follows rest.WipeObjectMetaSystemFields. */
function wipeMeta({ metadata }: DraftObject): void {
  for (const key of ["uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "selfLink"] as const) delete metadata[key];
}

/** Fields that are the server's. Follows rest.FillObjectMetaSystemFields and BeforeCreate. */
function fillMeta(r: Registry, call: Call, draft: DraftObject): void {
  const { metadata } = draft;
  wipeMeta(draft);
  metadata.uid = r.ids.uid();
  metadata.creationTimestamp = formatTime(r.clock.now());
  if (!metadata.name && metadata.generateName) metadata.name = generateName(r, call, metadata.generateName);
}

/** The kind's own preparation and all validation; returns nothing where the draft may be stored. */
export function prepareCreate(call: Call, draft: DraftObject): void {
  const { kind, stored } = call.served;
  call.warnings.push(...kind.create.prepare(draft));
  const object = draft;
  const { namespaced } = kind.resource;
  const refuse = (errors: readonly FieldError[]) => {
    if (errors.length > 0) throw invalid(stored.resource, draft.metadata.name ?? "", errors.map(toCause));
  };
  refuse([...(kind.create.ownMeta ? [] : validateObjectMeta(object.metadata, { namespaced, validateName: kind.validateName, builtIn: true })), ...kind.create.validate(object)]);
  if (kind.create.ownMeta) refuse(validateObjectMeta(object.metadata, { namespaced, validateName: isPathSegmentName, builtIn: false }));
  call.warnings.push(...(kind.create.warnings?.(object) ?? []));
}

async function store(r: Registry, call: Call, prepared: DraftObject): Promise<KubeObject> {
  const { served } = call;
  const { resource } = served.stored;
  // In the form in which upstream prints it: empty structs that are always there, canonical quantities and times.
  const draft: DraftObject = normalise(served.toStored(prepared as KubeObject), resource) as DraftObject;
  clearEmptyLists(draft, resource);
  const key = keyOfCall(call, draft.metadata.name);
  if (call.dryRun) {
    const current = r.store.get(key);
    if (current) throw taken(call, draft, current);
    return finished(draft, resource);
  }
  // The store minds a version that is a number, and only it.
  const { resourceVersion = "" } = draft.metadata;
  if (/^\d+$/.test(resourceVersion) && Number(resourceVersion) !== 0) throw new StatusError({ code: 500, message: "resourceVersion should not be set on objects to be created" });
  delete draft.metadata.resourceVersion;
  const result = await r.store.write({ kind: "put", key, expect: 0, value: (revision) => stamp(draft, resource, revision) });
  if (!result.ok) throw taken(call, draft, result.current);
  return objectOf(result.entry);
}

/** Creates `object` (as it was asked for, not as it is stored) and returns it as it is stored. `tracked`: it has its managedFields already. */
export async function create(r: Registry, call: Call, object: KubeObject, tracked = false): Promise<KubeObject> {
  const { kind } = call.served;
  const draft = thaw(object);
  draft.metadata ??= {};
  wipeMeta(draft);
  ensureNamespace(call, draft);
  kind.applyDefaults(draft);
  dedupOwners(call, draft);
  if (!tracked) trackManager(r, call, draft, undefined);
  const context = admissionContext(r, call, "CREATE", undefined);
  mutate(r.admission, draft, context);
  fillMeta(r, call, draft);
  const release = call.subresource !== "" ? undefined : r.allocators[qualifiedPlural(kind.resource)]?.allocate(draft, undefined, { reader: r.reader, ids: r.ids, dryRun: call.dryRun });
  try {
    prepareCreate(call, draft);
    await validate(r.admission, draft, context);
    kind.applyDefaults(draft);
    return await store(r, call, draft);
  } finally {
    release?.();
  }
}
