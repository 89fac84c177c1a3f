/**
 * A JSON, merge or strategic merge patch put on an object of a kind: parse, patch, decode again, with the errors and warnings of the patch handler.
 * Follows apiserver pkg/endpoints/handlers/patch.go (jsonPatcher, smpPatcher). Server-side apply is in `managed-fields/`.
 */
import type { KubeObject } from "../object.ts";
import { badRequest, StatusError } from "../status-error.ts";
import { goQuote } from "../go-quote.ts";
import { convert, convertAny, ConvertError } from "../schema/convert.ts";
import { decodePatched, strictDecodingError, type Decoded } from "../schema/decode.ts";
import { JsonSyntaxError, NumberText, parseJson, type JsonObject } from "../schema/json-parser.ts";
import { schemaOfKind, structOf, type Field, type GroupVersionKind, type Struct, type Type } from "../schema/schema.ts";
import { goJson } from "./go-json.ts";
import { goText } from "./go-text.ts";
import { applyOperations, OperationError, type Operation } from "./json-patch.ts";
import { mergePatch } from "./merge-patch.ts";
import { strategicMerge, StrategicMergeError } from "./strategic-merge.ts";

export interface PatchRequest {
  readonly type: "json" | "merge" | "strategic";
  /** Parsed already; a string is the body's text, not parsed yet. */
  readonly patch: unknown;
  readonly current: KubeObject;
  readonly expected: GroupVersionKind;
  readonly fieldValidation?: string | undefined;
}

const OPERATIONS_MAX = 10_000;

const field = (name: string, index: number, type: Type): Field => ({ name, index, type, pointer: true, always: false, required: false });
const TEXT: Type = { kind: "string", go: "string" };
const OPERATION: Struct = {
  name: "handlers.jsonPatchOp",
  goName: "jsonPatchOp",
  fields: new Map([field("op", 0, TEXT), field("path", 1, TEXT), field("from", 2, TEXT), field("value", 3, { kind: "any", go: "interface {}" })].map((f) => [f.name, f])),
  always: [],
};
const OPERATIONS: Type = { kind: "list", go: "[]handlers.jsonPatchOp", element: { kind: "struct", go: "handlers.jsonPatchOp", struct: () => OPERATION, atomic: false }, list: "atomic", keys: [], strategy: [] };
const PATCH_OPERATIONS: Type = { kind: "list", go: "jsonpatch.Patch", element: { kind: "map", go: "jsonpatch.Operation", value: { kind: "any", go: "json.RawMessage" }, atomic: false }, list: "atomic", keys: [], strategy: [] };
const ANY_MAP: Type = { kind: "map", go: "map[string]interface {}", value: { kind: "any", go: "interface {}" }, atomic: false };

const unprocessable = (): StatusError => new StatusError({ code: 422, reason: "Invalid", message: "the server rejected our request due to an error in our request", details: {} });

/** `quoted` is what the message shows as the wrong value. */
function invalidPatch(quoted: string, why: string): StatusError {
  const message = `Invalid value: ${goQuote(quoted)}: ${why}`;
  return new StatusError({ code: 422, reason: "Invalid", message: ` "" is invalid: patch: ${message}`, details: { causes: [{ reason: "FieldValueInvalid", message, field: "patch" }] } });
}

interface Parsed {
  readonly value: unknown;
  readonly strictErrors: readonly string[];
}

/** What a patch has made of the object. */
interface Outcome {
  readonly patched: unknown;
  readonly strictErrors: readonly string[];
  /** Which value a refusal quotes. */
  readonly quote: () => string;
}

function parse(patch: unknown, as: Type, prefix: string): Parsed {
  try {
    const value = typeof patch === "string" ? parseJson(patch) : structuredClone(patch);
    const { strictErrors } = convertAny(as, value);
    return { value, strictErrors };
  } catch (error) {
    if (error instanceof JsonSyntaxError || error instanceof ConvertError) throw badRequest(`${prefix}${error.message}`);
    throw error;
  }
}

/** The patched document's text, where what the patch has not reached into is in Go's order. */
function quoteDocument({ current, expected }: PatchRequest, patch: (document: object) => unknown): string {
  const document = convert(structFor(expected), current).object;
  return goJson(patch({ kind: current.kind, apiVersion: current.apiVersion, ...document }));
}

function structFor(expected: GroupVersionKind): Struct {
  const schema = schemaOfKind(expected);
  if (schema === undefined) throw new Error(`bug: no schema of ${expected.kind}`);
  return structOf(schema);
}

function applyJson(request: PatchRequest): Outcome {
  const isIgnored = request.fieldValidation === "Ignore";
  const { value, strictErrors } = isIgnored ? parse(request.patch, PATCH_OPERATIONS, "") : parse(request.patch, OPERATIONS, "error decoding patch: ");
  const operations = (value ?? []) as readonly Operation[];
  if (operations.length > OPERATIONS_MAX) {
    throw new StatusError({ code: 413, reason: "RequestEntityTooLarge", message: `Request entity too large: The allowed maximum operations in a JSON patch is ${OPERATIONS_MAX}, got ${operations.length}` });
  }
  try {
    const patched = applyOperations(request.current, operations);
    return { patched, strictErrors: strictErrors.map((e) => `json patch ${e}`), quote: () => quoteDocument(request, (document) => applyOperations(document, operations)) };
  } catch (error) {
    if (error instanceof OperationError) throw unprocessable();
    throw error;
  }
}

function applyStrategic(request: PatchRequest): Outcome {
  const { value, strictErrors } = parse(request.patch, ANY_MAP, "");
  const patch = (value ?? {}) as JsonObject;
  try {
    return { patched: strategicMerge(request.current, patch, structFor(request.expected)), strictErrors, quote: () => goText(patch) };
  } catch (error) {
    if (!(error instanceof StrategicMergeError)) throw error;
    if (error.how === "bad") throw badRequest(error.message);
    throw error.how === "unprocessable" ? unprocessable() : new StatusError({ code: 500, message: error.message });
  }
}

const notAPatch = () => badRequest("Invalid JSON Patch");

/** Without field validation nobody looks at the patch before it is merged: a list replaces the object. */
function parseUnchecked(patch: unknown): Parsed {
  try {
    return { value: typeof patch === "string" ? parseJson(patch) : patch, strictErrors: [] };
  } catch (error) {
    if (error instanceof JsonSyntaxError) throw notAPatch();
    throw error;
  }
}

function applyMerge(request: PatchRequest): Outcome {
  const { value, strictErrors } = request.fieldValidation === "Ignore" ? parseUnchecked(request.patch) : parse(request.patch, ANY_MAP, "error decoding patch: ");
  if (typeof value !== "object" || value === null || value instanceof NumberText) throw notAPatch();
  return { patched: mergePatch(request.current, value), strictErrors, quote: () => quoteDocument(request, (document) => mergePatch(document, value)) };
}

/** Upstream takes an object without a version for one of its internal version, whose fields have other names: there is nothing in it. */
function isVersionless(value: unknown): value is object {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  const { apiVersion = null } = value as { readonly apiVersion?: unknown };
  return apiVersion === null || apiVersion === "";
}

const nothingIn = (patched: object): Decoded => ({ object: { metadata: {} }, warnings: Object.keys(patched).filter((key) => key !== "kind" && key !== "apiVersion").map((key) => `unknown field ${goQuote(key)}`) });

const APPLIERS: Readonly<Record<PatchRequest["type"], (request: PatchRequest) => Outcome>> = { json: applyJson, strategic: applyStrategic, merge: applyMerge };

/** The object that the patch makes, not defaulted and not validated. Throws StatusError. */
export function applyPatch(request: PatchRequest): Decoded {
  const { patched, strictErrors, quote } = APPLIERS[request.type](request);
  const refuse = (why: string) => invalidPatch(quote(), why);
  const strategic = request.type === "strategic";
  const decoded = !strategic && isVersionless(patched) ? nothingIn(patched) : decodePatched(patched, request.expected, "Warn", strategic ? "unstructured" : "json", request.current);
  if ("failure" in decoded) throw refuse(decoded.failure);
  if (request.fieldValidation === "Ignore") return { object: decoded.object, warnings: [] };
  const warnings = [...strictErrors, ...decoded.warnings];
  if (warnings.length > 0 && request.fieldValidation === "Strict") throw refuse(strictDecodingError(warnings));
  return { object: decoded.object, warnings };
}
