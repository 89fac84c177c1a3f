/**
 * Get and list: selectors, pages that stay at the revision of the first one, and how old an answer may be.
 * Follows kubernetes staging/src/k8s.io/apiserver/pkg/storage/etcd3/store.go (GetList) and storage/errors.go.
 */
import type { Kind } from "../api/kinds/kind.ts";
import { checkFields, demandedValue, matchesFields, parseFieldSelector, type FieldSelector } from "../api/field-selectors.ts";
import type { KubeObject } from "../api/object.ts";
import type { ListOptions, ObjectList } from "../api/request.ts";
import { apiVersionOf } from "../api/resource.ts";
import { matchesSelector, parseLabelSelector, type Selector } from "../api/selectors.ts";
import { badRequest, notFound, StatusError } from "../api/status-error.ts";
import type { Entry, ListResult, Revision } from "../store/store.ts";
import { keyOfCall, objectOf, type Call, type Registry } from "./call.ts";
import { decodeContinue, encodeContinue } from "./continue-token.ts";
import { checkListOptions } from "./options.ts";
import { keyFor, prefixOf, type Served } from "./served.ts";

const FUTURE_WAIT_MS = 3_000;
/** How many entries are looked at at a time where a selector passes only some. */
const SCAN_STEP = 500;

const UINT64_MAX = (1n << 64n) - 1n;
const INVALID_REVISION = (text: string, why: string) => `resourceVersion: Invalid value: ${JSON.stringify(text)}: strconv.ParseUint: parsing ${JSON.stringify(text)}: ${why}`;

/** The revision that a resourceVersion names; 0 for "" and "0". Wrong ones: a 500 without a reason (get, watch). */
export function parseRevision(text: string | undefined, wrong = (message: string) => new StatusError({ code: 500, message })): Revision {
  if (text === undefined || text === "") return 0;
  if (!/^\d+$/.test(text)) throw wrong(INVALID_REVISION(text, "invalid syntax"));
  if (BigInt(text) > UINT64_MAX) throw wrong(INVALID_REVISION(text, "value out of range"));
  return Number(text);
}

const tooLarge = (wanted: Revision, current: Revision) =>
  new StatusError({
    code: 504,
    reason: "Timeout",
    message: `Timeout: Too large resource version: ${BigInt(wanted)}, current: ${current}`,
    details: { causes: [{ reason: "ResourceVersionTooLarge", message: "Too large resource version" }] },
    retryAfterSeconds: 1,
  });

/** Waits a little until the store is as new as `wanted`, else rejects with 504. */
export async function reach(r: Registry, wanted: Revision): Promise<void> {
  if (r.store.revision >= wanted) return;
  await new Promise<void>((resolve, reject) => {
    const done = (finish: () => void) => {
      timer.cancel();
      if (watch.ok) watch.stop();
      finish();
    };
    const look = () => void (r.store.revision >= wanted && done(resolve));
    const timer = r.clock.after(FUTURE_WAIT_MS, () => done(() => reject(tooLarge(wanted, r.store.revision))));
    const watch = r.store.watch("", r.store.revision, { onChanges: () => queueMicrotask(look), onProgress: () => queueMicrotask(look) });
  });
}

export async function get(r: Registry, call: Call, resourceVersion: string | undefined): Promise<KubeObject> {
  await reach(r, parseRevision(resourceVersion));
  const entry = r.store.get(keyOfCall(call));
  if (!entry) throw notFound(call.served.kind.resource, call.name);
  return call.served.fromStored(objectOf(entry));
}

/** What a list or a watch picks out. */
export interface Selection {
  readonly kind: Kind;
  readonly labels: Selector;
  readonly fields: FieldSelector;
}

export function selectionOf(kind: Kind, options: ListOptions): Selection {
  const labels = parseLabelSelector(options.labelSelector);
  const fields = parseFieldSelector(options.fieldSelector);
  checkFields(kind, fields);
  return { kind, labels, fields };
}

export const selectsAll = ({ labels, fields }: Selection): boolean => labels.length === 0 && fields.length === 0;

/** `object` as it was asked for. */
export const selects = ({ kind, labels, fields }: Selection, object: KubeObject): boolean =>
  matchesSelector(labels, object.metadata.labels) && matchesFields(kind, fields, object);

/** The narrowest prefix that holds all that is selected; a whole key where one object is named. */
export function scopeOf(served: Served, namespace: string, selection: Selection): { readonly prefix: string; readonly one: boolean } {
  const { namespaced } = served.kind.resource;
  const place = namespace || (namespaced ? (demandedValue(selection.fields, "metadata.namespace") ?? "") : "");
  const name = demandedValue(selection.fields, "metadata.name");
  if (name !== undefined && name !== "" && (!namespaced || place !== "")) return { prefix: keyFor(served, place, name), one: true };
  return { prefix: prefixOf(served, place), one: false };
}

interface Plan {
  /** Undefined: as it is now. */
  readonly at: Revision | undefined;
  readonly after: string | undefined;
  readonly limit: number | undefined;
}

async function planOf(r: Registry, options: ListOptions, base: string): Promise<Plan> {
  // Any state will do: upstream answers from its cache then, which knows no pages.
  const limit = (options.limit ?? 0) > 0 && options.resourceVersion !== "0" ? options.limit : undefined;
  if (options.continue) {
    const { revision, after } = decodeContinue(options.continue);
    if (options.resourceVersion && options.resourceVersion !== "0") throw badRequest("specifying resource version is not allowed when using continue");
    return { at: revision < 0 ? undefined : revision, after: base + after, limit };
  }
  const wanted = parseRevision(options.resourceVersion, (message) => badRequest(`invalid resource version: ${message}`));
  await reach(r, wanted);
  const exact = options.resourceVersionMatch === "Exact" || (limit !== undefined && wanted > 0 && !options.resourceVersionMatch);
  return { at: exact ? wanted : undefined, after: undefined, limit };
}

const CONTINUE_EXPIRED =
  "The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided token results in an inconsistent list - objects that were created, modified, or deleted between the time the first chunk was returned and now may show up in the list.";

function expired(options: ListOptions): StatusError {
  if (!options.continue) return new StatusError({ code: 410, reason: "Expired", message: "The resourceVersion for the provided list is too old." });
  const { after } = decodeContinue(options.continue);
  return new StatusError({ code: 410, reason: "Expired", message: CONTINUE_EXPIRED, metadata: { continue: encodeContinue({ revision: -1, after }) } });
}

interface Page {
  readonly items: KubeObject[];
  readonly revision: Revision;
  /** The key of the last entry, where more that is selected may follow. */
  readonly last: string | undefined;
  readonly remaining: number;
}

/** One entry under its whole key. */
function pageOfOne(r: Registry, key: string, at: Revision | undefined): ListResult {
  if (at !== undefined) {
    const result = r.store.list(key, { at });
    return result.ok ? { ...result, entries: result.entries.filter((entry) => entry.key === key), remaining: 0 } : result;
  }
  const entry = r.store.get(key);
  return { ok: true, entries: entry ? [entry] : [], revision: r.store.revision, remaining: 0 };
}

function scan(r: Registry, served: Served, selection: Selection, scope: { readonly prefix: string; readonly one: boolean }, plan: Plan): Page | undefined {
  const items: KubeObject[] = [];
  const limit = plan.limit ?? Infinity;
  let { after, at } = plan;
  const all = selectsAll(selection);
  for (;;) {
    const step = limit === Infinity ? undefined : all ? limit : Math.max(SCAN_STEP, limit);
    const result: ListResult = scope.one
      ? pageOfOne(r, scope.prefix, at)
      : r.store.list(scope.prefix, { ...(after !== undefined && { after }), ...(at !== undefined && { at }), ...(step !== undefined && { limit: step }) });
    if (!result.ok) return undefined;
    const { entries, revision, remaining } = result;
    at ??= revision;
    let last: Entry | undefined;
    for (const [i, entry] of entries.entries()) {
      last = entry;
      const object = served.fromStored(objectOf(entry));
      if (all || selects(selection, object)) items.push(object);
      if (items.length < limit) continue;
      const left = entries.length - i - 1 + remaining;
      return { items, revision: at, last: left > 0 ? entry.key : undefined, remaining: left };
    }
    if (remaining === 0 || !last) return { items, revision: at, last: undefined, remaining: 0 };
    after = last.key;
  }
}

/** The list that a request wants. */
export async function list(r: Registry, served: Served, namespace: string, options: ListOptions): Promise<ObjectList> {
  checkListOptions(options);
  const { kind } = served;
  const selection = selectionOf(kind, options);
  const scope = scopeOf(served, namespace, selection);
  const base = prefixOf(served, namespace);
  const plan = await planOf(r, options, base);
  const page = scan(r, served, selection, scope, plan);
  if (!page) throw expired(options);
  const { items, revision, last, remaining } = page;
  const metadata = {
    resourceVersion: String(revision),
    ...(last !== undefined && { continue: encodeContinue({ revision, after: last.slice(base.length) }) }),
    ...(last !== undefined && selectsAll(selection) && { remainingItemCount: remaining }),
  };
  return { kind: `${kind.resource.kind}List`, apiVersion: apiVersionOf(kind.resource), metadata, items };
}
