/**
 * Server-side apply: a configuration laid over the live object, fields let go taken away, conflicts told, ownership written down.
 * Follows apiserver pkg/endpoints/handlers/patch.go (applyPatcher), apimachinery pkg/util/managedfields/internal (structuredmerge.go,
 * lastappliedmanager.go, skipnonapplied.go, conflict.go) and structured-merge-diff merge/update.go (Apply, prune).
 */
import type { Instant } from "../../base/clock.ts";
import type { ManagedFieldsEntry } from "../generated/types.ts";
import type { KubeObject } from "../object.ts";
import { badRequest, StatusError } from "../status-error.ts";
import { convert, ConvertError } from "../schema/convert.ts";
import { warningsOf } from "../schema/decode.ts";
import type { JsonObject } from "../schema/json-parser.ts";
import type { GroupVersionKind, Struct, Type } from "../schema/schema.ts";
import { deepEqual } from "./compare.ts";
import { intersection, pathText, recursiveDifference, union, type FieldSet } from "./field-set.ts";
import { allowedByLastApplied, LAST_APPLIED, lastAppliedText } from "./last-applied.ts";
import { decodeManaged, encodeManaged, identifierOf, knownManagers, resetFields, stripMeta, takeChanges, timeText, type ComparisonIn, type Managed, type Tracked } from "./managers.ts";
import { mergeValues } from "./merge.ts";
import { parseConfiguration } from "./parse-configuration.ts";
import { prune } from "./prune.ts";
import { comparisons, emptyObject, recordChange, typeOfStruct, withoutManagedFields } from "./track-update.ts";
import { fieldsOf, isMap, validate } from "./typed.ts";
import { apiVersionOf, onlyVersion, structOfKind, type Versions } from "./versions.ts";

export interface ApplyRequest {
  /** Left out where the object is not there yet. */
  readonly live?: KubeObject;
  /** Parsed already; a string is the body's text (YAML or JSON), not parsed yet. */
  readonly config: unknown;
  readonly manager: string;
  readonly gvk: GroupVersionKind;
  readonly subresource: string;
  readonly force: boolean;
  readonly now: Instant | string;
  readonly fieldValidation?: string | undefined;
  /** Left out: there is no other version. */
  readonly versions?: Versions;
}

export interface Applied {
  /** In normal form, not defaulted, not validated, without managedFields. */
  readonly object: KubeObject;
  readonly managedFields: readonly ManagedFieldsEntry[] | undefined;
  readonly warnings: readonly string[];
}

const BEFORE_FIRST_APPLY = "before-first-apply";
const KUBECTL = "kubectl";

/** What an apply is about, worked out once. */
interface Context {
  readonly versions: Versions;
  readonly struct: Struct;
  readonly type: Type;
  readonly live: JsonObject;
  readonly config: JsonObject;
  readonly self: Pick<Tracked, "manager" | "operation" | "apiVersion" | "subresource">;
  readonly id: string;
  readonly ignored: FieldSet;
  readonly now: Instant | string;
}

interface Conflict {
  readonly owner: Tracked;
  readonly id: string;
  readonly path: readonly string[];
}

interface Outcome {
  /** undefined: as the live one. */
  readonly object: JsonObject | undefined;
  readonly managed: Managed;
}

const gvkText = (gvk: GroupVersionKind): string => `${gvk.group}/${gvk.version}, Kind=${gvk.kind}`;

function nameOf(config: JsonObject, gvk: GroupVersionKind): string {
  const metadata = isMap(config["metadata"]) ? config["metadata"] : {};
  const text = (value: unknown) => (typeof value === "string" ? value : "");
  return `${text(metadata["namespace"])}/${text(metadata["name"])}; ${gvkText(gvk)}`;
}

const failed = (message: string): StatusError => new StatusError({ code: 500, message });

function checkConfiguration(config: JsonObject, gvk: GroupVersionKind, struct: Struct): void {
  const { apiVersion, kind } = config as { readonly apiVersion?: unknown; readonly kind?: unknown };
  const version = typeof apiVersion === "string" ? apiVersion : "";
  if (version !== apiVersionOf(gvk) || kind !== gvk.kind) {
    const slash = version.indexOf("/");
    const isOne = version.split("/").length <= 2;
    const found = isOne ? { group: version.slice(0, Math.max(slash, 0)), version: version.slice(slash + 1), kind: typeof kind === "string" ? kind : "" } : { group: "", version: "", kind: "" };
    throw badRequest(`invalid object type: ${gvkText(found)}`);
  }
  const metadata = config["metadata"];
  if (isMap(metadata) && metadata["managedFields"] !== undefined && metadata["managedFields"] !== null) throw badRequest("metadata.managedFields must be nil");
  const errors = validate(typeOfStruct(struct), config);
  if (errors.length > 0) throw failed(`failed to create typed patch object (${nameOf(config, gvk)}): ${errors.length === 1 ? errors[0] : ["errors:", ...errors.map((e) => `  ${e}`)].join("\n")}`);
}

function printManager(owner: Tracked): string {
  const subresource = owner.subresource === "" ? "" : ` with subresource ${JSON.stringify(owner.subresource)}`;
  return `${JSON.stringify(owner.manager)}${subresource}${owner.operation === "Update" ? ` using ${owner.apiVersion}` : ""}`;
}

function conflictError(conflicts: readonly Conflict[]): StatusError {
  const causes = conflicts.map((c) => ({ reason: "FieldManagerConflict", message: `conflict with ${printManager(c.owner)}`, field: pathText(c.path) }));
  const [only] = causes;
  const lines = [...new Set(conflicts.map((c) => c.id))].flatMap((id) => {
    const own = conflicts.filter((c) => c.id === id);
    return [`conflicts with ${own[0] ? printManager(own[0].owner) : ""}:`, ...own.map((c) => `- ${pathText(c.path)}`)];
  });
  const message = causes.length === 1 ? `Apply failed with 1 conflict: ${only?.message ?? ""}: ${only?.field ?? ""}` : `Apply failed with ${causes.length} conflicts: ${lines.join("\n")}`;
  return new StatusError({ code: 409, reason: "Conflict", message, details: { causes } });
}

function findConflicts(context: Context, managed: Managed, comparisonIn: ComparisonIn): Conflict[] {
  const found: Conflict[] = [];
  for (const [id, owner] of [...managed].sort(([a], [b]) => (a < b ? -1 : 1))) {
    if (id === context.id) continue;
    const { modified, added } = comparisonIn(owner.apiVersion);
    for (const path of intersection(owner.fields, union(modified, added)).paths()) found.push({ owner, id, path });
  }
  return found;
}

/** The outcome, or the conflicts that keep it from happening. */
function tryApply(context: Context, before: Managed, force: boolean): Outcome | readonly Conflict[] {
  const { versions, type, live, config, self, id, ignored } = context;
  const last = before.get(id);
  const fields = recursiveDifference(fieldsOf(type, config), ignored);
  const managed = new Map(before).set(id, { ...self, time: last?.time, fields, ...(last?.entry && { entry: last.entry }) });
  const object = prune(versions, self.apiVersion, mergeValues(type, live, config) as JsonObject, managed, last);
  const comparisonIn = comparisons({ versions, before: live, after: object, apiVersion: self.apiVersion, subresource: self.subresource });
  const conflicts = force ? [] : findConflicts(context, managed, comparisonIn);
  if (conflicts.length > 0) return conflicts;
  const after = takeChanges(managed, comparisonIn, id);
  const isSame = deepEqual(live, object);
  const own = stripMeta(fields);
  if (own.empty) after.delete(id);
  else after.set(id, { ...self, time: isSame ? last?.time : timeText(context.now), fields: own, ...(last?.entry && { entry: last.entry }) });
  return { object: isSame ? undefined : object, managed: after };
}

const isConflicts = (outcome: Outcome | readonly Conflict[]): outcome is readonly Conflict[] => Array.isArray(outcome);

/** kubectl may take over what its own client-side apply has set. */
function applyOrThrow(context: Context, managed: Managed, force: boolean): Outcome {
  const outcome = tryApply(context, managed, force);
  if (!isConflicts(outcome)) return outcome;
  const allowed = context.self.manager === KUBECTL ? allowedByLastApplied(context.type, context.live, context.self.apiVersion) : undefined;
  if (!allowed) throw conflictError(outcome);
  const left = outcome.filter((c) => !allowed.has(c.path));
  if (left.length > 0) throw conflictError(left);
  return tryApply(context, managed, true) as Outcome;
}

function annotationsOf(object: JsonObject): JsonObject {
  const metadata = object["metadata"];
  return isMap(metadata) && isMap(metadata["annotations"]) ? metadata["annotations"] : {};
}

/** An object that kubectl also applies from the client's side keeps its annotation true. */
function syncLastApplied(context: Context, object: JsonObject): JsonObject {
  if (context.self.manager !== KUBECTL || !annotationsOf(object)[LAST_APPLIED]) return object;
  const annotations = { ...annotationsOf(object), [LAST_APPLIED]: lastAppliedText(context.config) };
  return { ...object, metadata: { ...(object["metadata"] as JsonObject), annotations } };
}

function contextOf(request: ApplyRequest, struct: Struct, config: JsonObject): Context {
  const self = { manager: request.manager === "" ? "unknown" : request.manager, operation: "Apply", apiVersion: apiVersionOf(request.gvk), subresource: request.subresource } as const;
  const { kind: _kind, apiVersion: _apiVersion, ...body } = config;
  const live = request.live ? withoutManagedFields(request.live) : withoutManagedFields(emptyObject(struct));
  return { versions: request.versions ?? onlyVersion(request.gvk), struct, type: typeOfStruct(struct), live, config: body, self, id: identifierOf(self), ignored: resetFields(struct, request.subresource), now: request.now };
}

/** Objects that nobody tracked yet: all that is there belongs to "before-first-apply". */
function managedBefore(context: Context, entries: readonly ManagedFieldsEntry[] | undefined): Managed {
  const managed = decodeManaged(entries);
  if (!managed) throw failed("failed to decode managed fields: operation must be `Apply` or `Update`");
  if (managed.size > 0) return knownManagers(managed, context.versions);
  const { versions, struct, live, self, now } = context;
  return recordChange(managed, { versions, before: withoutManagedFields(emptyObject(struct)), after: live, manager: BEFORE_FIRST_APPLY, apiVersion: self.apiVersion, subresource: self.subresource, now });
}

function finish(context: Context, request: ApplyRequest, object: JsonObject): KubeObject {
  try {
    const { kind: _kind, apiVersion: _apiVersion, ...rest } = convert(context.struct, object, "unstructured").object;
    return { kind: request.gvk.kind, apiVersion: context.self.apiVersion, ...rest } as unknown as KubeObject;
  } catch (error) {
    if (error instanceof ConvertError) throw failed(`failed to convert new object (${nameOf(context.config, request.gvk)}) to proper version: unable to convert unstructured object to ${gvkText(request.gvk)}: ${error.message}`);
    throw error;
  }
}

/** Throws StatusError: 400 and 500 for configurations that can't be, 409 for conflicts. */
export function applyConfiguration(request: ApplyRequest): Applied {
  const { config, strictErrors } = parseConfiguration(request.config);
  const struct = structOfKind(request.gvk);
  checkConfiguration(config, request.gvk, struct);
  const context = contextOf(request, struct, config);
  const entries = request.live?.metadata.managedFields;
  const { object, managed } = applyOrThrow(context, managedBefore(context, entries), request.force);
  if (strictErrors.length > 0 && request.fieldValidation === "Strict") throw badRequest(`error strict decoding YAML: ${strictErrors.join(", ")}`);
  return {
    object: finish(context, request, syncLastApplied({ ...context, config }, object ?? context.live)),
    managedFields: encodeManaged(managed, entries),
    warnings: request.fieldValidation === "Ignore" ? [] : strictErrors.flatMap(warningsOf),
  };
}
