/**
 * A JSON, merge or strategic merge patch put on an object of a kind: parse, patch, decode again, with the errors and warnings of the patch handler.
 * Follows apiserver pkg/endpoints/handlers/patch.go (jsonPatcher, smpPatcher). Server-side apply is in `managed-fields/`.
 */
import type { KubeObject } from "../object.ts";
import { badRequest, StatusError } from "../status-error.ts";
import { convertAny, ConvertError } from "../schema/convert.ts";
import { decodePatched, strictDecodingError, type Decoded } from "../schema/decode.ts";
import { JsonSyntaxError, parseJson, type JsonObject } from "../schema/json-parser.ts";
import { schemaOfKind, structOf, type Field, type GroupVersionKind, type Struct, type Type } from "../schema/schema.ts";
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
const ANY_MAP: Type = { kind: "map", go: "map[string]interface {}", value: { kind: "any", go: "interface {}" }, atomic: false };

const unprocessable = (): StatusError => new StatusError({ code: 422, reason: "Invalid", message: "the server rejected our request due to an error in our request", details: {} });

/** `quoted` is what the message shows as the wrong value. */
function invalidPatch(quoted: string, why: string): StatusError {
  const message = `Invalid value: ${JSON.stringify(quoted)}: ${why}`;
  return new StatusError({ code: 422, reason: "Invalid", message: ` "" is invalid: patch: ${message}`, details: { causes: [{ reason: "FieldValueInvalid", message, field: "patch" }] } });
}

interface Parsed {
  readonly value: unknown;
  readonly strictErrors: readonly string[];
}

function parse(patch: unknown, as: Type, prefix: string): Parsed {
  try {
    const value = typeof patch === "string" ? parseJson(patch) : patch;
    const { strictErrors } = convertAny(as, value);
    return { value, strictErrors };
  } catch (error) {
    if (error instanceof JsonSyntaxError || error instanceof ConvertError) throw badRequest(`${prefix}${error.message}`);
    throw error;
  }
}

function applyJson(request: PatchRequest): { readonly patched: unknown; readonly strictErrors: readonly string[] } {
  const { value, strictErrors } = parse(request.patch, OPERATIONS, "error decoding patch: ");
  const operations = (value ?? []) as readonly Operation[];
  if (operations.length > OPERATIONS_MAX) {
    throw new StatusError({ code: 413, reason: "RequestEntityTooLarge", message: `Request entity too large: The allowed maximum operations in a JSON patch is ${OPERATIONS_MAX}, got ${operations.length}` });
  }
  try {
    return { patched: applyOperations(request.current, operations), strictErrors: strictErrors.map((e) => `json patch ${e}`) };
  } catch (error) {
    if (error instanceof OperationError) throw unprocessable();
    throw error;
  }
}

function applyStrategic(request: PatchRequest): { readonly patched: unknown; readonly strictErrors: readonly string[]; readonly quoted: string } {
  const { value, strictErrors } = parse(request.patch, ANY_MAP, "");
  const patch = (value ?? {}) as JsonObject;
  const schema = schemaOfKind(request.expected);
  if (schema === undefined) throw new Error(`bug: no schema of ${request.expected.kind}`);
  try {
    return { patched: strategicMerge(request.current, patch, structOf(schema)), strictErrors, quoted: goText(patch) };
  } catch (error) {
    if (!(error instanceof StrategicMergeError)) throw error;
    if (error.how === "bad") throw badRequest(error.message);
    throw error.how === "unprocessable" ? unprocessable() : new StatusError({ code: 500, message: error.message });
  }
}

function run(request: PatchRequest): { readonly patched: unknown; readonly strictErrors: readonly string[]; readonly quoted?: string } {
  switch (request.type) {
    case "json": return applyJson(request);
    case "strategic": return applyStrategic(request);
    case "merge": default: {
      const { value, strictErrors } = parse(request.patch, ANY_MAP, "error decoding patch: ");
      if (value === null) throw badRequest("Invalid JSON Patch");
      return { patched: mergePatch(request.current, value), strictErrors };
    }
  }
}

/** The object that the patch makes, not defaulted and not validated. Throws StatusError. */
export function applyPatch(request: PatchRequest): Decoded {
  const { patched, strictErrors, quoted } = run(request);
  const refuse = (why: string) => invalidPatch(quoted ?? JSON.stringify(patched), why);
  const decoded = decodePatched(patched, request.expected, "Warn", request.type === "strategic" ? "unstructured" : "json", request.current);
  if ("failure" in decoded) throw refuse(decoded.failure);
  if (request.fieldValidation === "Ignore") return { object: decoded.object, warnings: [] };
  const warnings = [...strictErrors, ...decoded.warnings];
  if (warnings.length > 0 && request.fieldValidation === "Strict") throw refuse(strictDecodingError(warnings));
  return { object: decoded.object, warnings };
}
