/**
 * The body of a write made an object: syntax, kind and version, field validation, types, normal form. It does not default and does not validate.
 * Follows apimachinery pkg/runtime/serializer/json/json.go (Decode) and apiserver pkg/endpoints/handlers/create.go (transformDecodeError).
 */
import { table } from "../../base/own.ts";
import { goQuote } from "../go-quote.ts";
import type { KubeObject } from "../object.ts";
import { badRequest, type StatusError } from "../status-error.ts";
import { convert, ConvertError, type Converted, type Words } from "./convert.ts";
import { JsonSyntaxError, NumberText, parseJson } from "./json-parser.ts";
import { schemaOfKind, structOf, type GroupVersionKind } from "./schema.ts";
import { parseYaml, YamlError } from "./yaml-parser.ts";

/** `""` is Warn, as the server's default. */
export type FieldValidation = "" | "Ignore" | "Warn" | "Strict";

export interface DecodeRequest {
  /** The body; or, where somebody has parsed it already, `value`. */
  readonly text?: string;
  readonly value?: unknown;
  readonly format?: "json" | "yaml";
  /** The kind that the address wants. */
  readonly expected: GroupVersionKind;
  readonly fieldValidation?: string | undefined;
}

export interface Decoded {
  readonly object: KubeObject;
  /** Texts for Warning headers. */
  readonly warnings: readonly string[];
}

const SUMMARY_BYTES_MAX = 30;

/** The first bytes of a body that is no object, as upstream quotes them. */
function summarise(text: string): string {
  if (text === "") return "<empty>";
  const bytes = Buffer.from(text);
  const cut = bytes.length > SUMMARY_BYTES_MAX;
  const head = bytes.subarray(0, SUMMARY_BYTES_MAX);
  return `${text.startsWith("{") ? head.toString() : head.toString("hex")}${cut ? " ..." : ""}`;
}

const unrecognized = (expected: GroupVersionKind, why: string, text: string): StatusError =>
  badRequest(`the object provided is unrecognized (must be of type ${expected.kind}): ${why} (${summarise(text)})`);

const cannotBeHandled = (found: GroupVersionKind, expected: GroupVersionKind, why: string): StatusError =>
  badRequest(`${found.kind} in version "${found.version}" cannot be handled as a ${expected.kind}: ${why}`);

interface Parsed {
  readonly value: unknown;
  /** What the strict YAML converter says: one error for all. */
  readonly yamlErrors: readonly string[];
}

function parseBody(request: DecodeRequest, text: string): Parsed {
  if (request.format === "yaml") {
    try {
      const { value, duplicates } = parseYaml(text);
      return { value, yamlErrors: duplicates.length > 0 ? [`yaml: unmarshal errors:\n  ${duplicates.join("\n  ")}`] : [] };
    } catch (error) {
      if (error instanceof YamlError) throw unrecognized(request.expected, error.message, text);
      throw error;
    }
  }
  try {
    return { value: parseJson(text), yamlErrors: [] };
  } catch (error) {
    if (error instanceof JsonSyntaxError) throw unrecognized(request.expected, `couldn't get version/kind; json parse error: ${error.message}`, text);
    throw error;
  }
}

const TYPE_META = 'struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }';

function kindOfJson(value: unknown): string {
  if (Array.isArray(value)) return "array";
  return value instanceof NumberText ? "number" : typeof value === "boolean" ? "bool" : typeof value;
}

/** Why a value can't say what it is: it is no object, or says it in something else than text. */
export function noKindIn(value: unknown): string | undefined {
  const isObject = typeof value === "object" && !Array.isArray(value) && !(value instanceof NumberText);
  const failure = (what: unknown, where: string) => `couldn't get version/kind; json parse error: json: cannot unmarshal ${kindOfJson(what)} into Go ${where}`;
  if (value === undefined || value === null) return undefined;
  if (!isObject) return failure(value, `value of type ${TYPE_META}`);
  const { apiVersion, kind } = value as { readonly apiVersion?: unknown; readonly kind?: unknown };
  const wrong = Object.entries({ apiVersion, kind }).find(([, given]) => given !== undefined && given !== null && typeof given !== "string");
  return wrong && failure(wrong[1], `struct field .${wrong[0]} of type string`);
}

/** What the body says of itself; what it does not say is `expected`. Why not, as text, where it can't be told. */
function interpret(value: unknown, expected: GroupVersionKind): GroupVersionKind | string {
  const failure = (what: unknown, where: string) => `couldn't get version/kind; json parse error: json: cannot unmarshal ${kindOfJson(what)} into Go ${where}`;
  if (value === null || value === undefined) return expected;
  if (typeof value !== "object" || Array.isArray(value) || value instanceof NumberText) return failure(value, `value of type ${TYPE_META}`);
  const { apiVersion, kind } = value as { readonly apiVersion?: unknown; readonly kind?: unknown };
  for (const [name, found] of [["apiVersion", apiVersion], ["kind", kind]] as const) {
    if (found !== undefined && found !== null && typeof found !== "string") return failure(found, `struct field .${name} of type string`);
  }
  const version = typeof apiVersion === "string" ? apiVersion : "";
  const parts = version.split("/");
  if (parts.length > 2) return `unexpected GroupVersion string: ${version}`;
  return {
    kind: (typeof kind === "string" && kind) || expected.kind,
    ...(version === "" ? { group: expected.group, version: expected.version } : { group: parts.length === 2 ? (parts[0] ?? "") : "", version: parts.at(-1) ?? "" }),
  };
}

const groupVersion = (gvk: GroupVersionKind): string => (gvk.group === "" ? gvk.version : `${gvk.group}/${gvk.version}`);

/** Upstream's internal package of a group: `core`, `batch`, `rbac`. */
const internalPackage = (group: string): string => (group === "" || group === "events.k8s.io" ? "core" : (group.split(".")[0] ?? group));

/** Kinds of versions that are no longer served and are still taken. */
const ALSO: Readonly<Record<string, string>> = table({ "policy/v1beta1/Eviction": "io.k8s.api.policy.v1.Eviction" });

/** Why the body's kind is no `expected`; undefined when it is. */
export function kindMismatch(found: GroupVersionKind, expected: GroupVersionKind): string | undefined {
  if (found.kind === expected.kind && found.group === expected.group && found.version === expected.version) return undefined;
  const schema = ALSO[`${groupVersion(found)}/${found.kind}`] ?? schemaOfKind(found);
  // Options kinds are registered in every group: each of their names will do.
  if (schema !== undefined && schema === schemaOfKind(expected)) return undefined;
  if (schema === undefined && !(groupVersion(found) === "v1" && found.kind === "List")) return `no kind ${goQuote(found.kind)} is registered for version ${goQuote(groupVersion(found))} in scheme "pkg/api/legacyscheme/scheme.go:30"`;
  return `converting (${found.version}.${found.kind}) to (${internalPackage(expected.group)}.${expected.kind}): unknown conversion`;
}

const YAML_PREFIX = /^(?:error converting YAML to JSON: )?yaml: unmarshal errors:\n/;

/** A strict error as it is warned of: what YAML's converter says in one is a warning each. Follows handlers.parseYAMLWarnings. */
export const warningsOf = (error: string): readonly string[] => (YAML_PREFIX.test(error) ? error.replace(YAML_PREFIX, "").split("\n").map((line) => line.trim()) : [error]);

/** `strict decoding error: unknown field "spec.foo", duplicate field "spec.bar"`. */
export const strictDecodingError = (errors: readonly string[]): string => `strict decoding error: ${errors.join(", ")}`;

function convertAs(schema: string, parsed: Parsed): Converted {
  const { object, strictErrors } = convert(structOf(schema), parsed.value);
  return { object, strictErrors: [...parsed.yamlErrors, ...strictErrors] };
}

/** Throws StatusError 400 in upstream's words. */
export function decodeObject(request: DecodeRequest): Decoded {
  const { expected } = request;
  const text = request.text ?? "";
  const parsed = request.text === undefined ? { value: request.value, yamlErrors: [] } : parseBody(request, text);
  const found = interpret(parsed.value, expected);
  if (typeof found === "string") throw unrecognized(expected, found, text);
  const mismatch = misfit(parsed.value, found, expected) ?? kindMismatch(found, expected);
  if (mismatch !== undefined) throw cannotBeHandled(found, expected, mismatch);
  const schema = schemaOfKind(expected);
  if (schema === undefined) throw new Error(`bug: no schema of ${groupVersion(expected)} ${expected.kind}`);
  try {
    const { object, strictErrors } = convertAs(schema, parsed);
    if (strictErrors.length > 0 && request.fieldValidation === "Strict") throw cannotBeHandled(found, expected, strictDecodingError(strictErrors));
    return { object: withKind(object, expected), warnings: request.fieldValidation === "Ignore" ? [] : strictErrors.flatMap(warningsOf) };
  } catch (error) {
    if (error instanceof ConvertError) throw cannotBeHandled(found, expected, error.message);
    throw error;
  }
}

/** Objects that were decoded, with what they were decoded as: nothing writes into them, they need not be converted again. */
const decodedAs = new WeakMap<object, string>();
const idOf = (gvk: GroupVersionKind): string => `${groupVersion(gvk)}/${gvk.kind}`;

/** kind and apiVersion first, as Go prints TypeMeta. */
function withKind(object: Record<string, unknown>, gvk: GroupVersionKind): KubeObject {
  const { kind: _kind, apiVersion: _apiVersion, ...rest } = object;
  const decoded = { kind: gvk.kind, apiVersion: groupVersion(gvk), ...rest } as unknown as KubeObject;
  decodedAs.set(decoded, idOf(gvk));
  return decoded;
}

/** Upstream decodes what a body says that it is before it finds that something else was wanted: what does not fit that is told first. */
function misfit(value: unknown, found: GroupVersionKind, expected: GroupVersionKind): string | undefined {
  const schema = kindMismatch(found, expected) === undefined ? undefined : schemaOfKind(found);
  if (schema === undefined) return undefined;
  try {
    convert(structOf(schema), value);
    return undefined;
  } catch (error) {
    if (error instanceof ConvertError) return error.message;
    throw error;
  }
}

function wrongKind(value: unknown, expected: GroupVersionKind): string | undefined {
  const found = interpret(value, expected);
  return typeof found === "string" ? found : (misfit(value, found, expected) ?? kindMismatch(found, expected));
}

/**
 * A patched object made one of its kind again. The error of a wrong type, of a foreign kind or of strict validation comes back as text:
 * the patch handler wraps it in its own words. What a strategic merge makes is of the kind that was patched, whatever it says of itself.
 * `current`: what was patched.
 */
export function decodePatched(value: unknown, expected: GroupVersionKind, fieldValidation?: string, words: Words = "json", current?: KubeObject): Decoded | { readonly failure: string } {
  const wrong = words === "json" ? wrongKind(value, expected) : undefined;
  if (wrong !== undefined) return { failure: wrong };
  const schema = schemaOfKind(expected);
  if (schema === undefined) throw new Error(`bug: no schema of ${groupVersion(expected)} ${expected.kind}`);
  try {
    const { object, strictErrors } = convert(structOf(schema), value, words, current as Record<string, unknown> | undefined);
    if (strictErrors.length > 0 && fieldValidation === "Strict") return { failure: strictDecodingError(strictErrors) };
    return { object: withKind(object, expected), warnings: fieldValidation === "Ignore" ? [] : strictErrors };
  } catch (error) {
    if (error instanceof ConvertError) return { failure: error.message };
    throw error;
  }
}

/** An object of ours in the form in which upstream would store and print it. Unknown fields fall away silently; a wrong type is a bug. */
export function normalise<T extends KubeObject>(object: T, gvk: GroupVersionKind): T {
  if (decodedAs.get(object) === idOf(gvk)) return object;
  const decoded = decodePatched(object, gvk, "Ignore");
  if ("failure" in decoded) throw new Error(`bug: ${gvk.kind} of our own does not decode: ${decoded.failure}`);
  return decoded.object as T;
}
