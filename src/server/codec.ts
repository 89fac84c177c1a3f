/**
 * Bodies of requests made values: JSON and YAML through the schema, protobuf through its decoder, delete options and patches in their own words.
 */
import type { DeleteOptions } from "../api/generated/types.ts";
import { convert, ConvertError } from "../api/schema/convert.ts";
import { type Decoded, decodeObject, noKindIn } from "../api/schema/decode.ts";
import { JsonSyntaxError, parseJson } from "../api/schema/json-parser.ts";
import { type GroupVersionKind, structOf } from "../api/schema/schema.ts";
import { parseYaml, YamlError } from "../api/schema/yaml-parser.ts";
import { badRequest } from "../api/status-error.ts";
import type { Format } from "./negotiation.ts";

export interface BodyRequest {
  readonly bytes: Uint8Array;
  readonly format: Format;
  /** The kind that the address stands for; a body without apiVersion and kind is taken as this. */
  readonly expected: GroupVersionKind;
  /** Ignore, Warn (the default) or Strict: what unknown and duplicate fields do. */
  readonly fieldValidation: string | undefined;
}

const textOfBytes = (bytes: Uint8Array): string => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8");

/** Loaded with the first client that speaks it. */
const protobuf = () => import("../api/protobuf/decode.ts");

/** Throws StatusError (400) in upstream's words. */
export async function decodeBody({ bytes, format, expected, fieldValidation }: BodyRequest): Promise<Decoded> {
  if (format !== "protobuf") return decodeObject({ text: textOfBytes(bytes), format, expected, fieldValidation });
  const { decodeProtobuf } = await protobuf();
  return decodeProtobuf(bytes, expected);
}

const NO_PROTOBUF = "provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]";
const DELETE_OPTIONS = "io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions";
function parse(text: string, format: Format): unknown {
  try {
    return format === "yaml" ? parseYaml(text).value : parseJson(text);
  } catch (error) {
    if (error instanceof JsonSyntaxError) throw badRequest(`couldn't get version/kind; json parse error: ${error.message}`);
    if (error instanceof YamlError) throw badRequest(error.message);
    throw error;
  }
}

/** Typed clients send DeleteOptions in the version of the resource, others in "v1". */
async function fromProtobuf(bytes: Uint8Array, { group, version }: GroupVersionKind): Promise<unknown> {
  const { decodeProtobuf } = await protobuf();
  try {
    return decodeProtobuf(bytes, { group, version, kind: "DeleteOptions" }).object;
  } catch {
    return decodeProtobuf(bytes, { group: "", version: "v1", kind: "DeleteOptions" }).object;
  }
}

/** The body of a DELETE; unknown fields count for nothing. Follows apiserver pkg/endpoints/handlers/delete.go. */
export async function decodeDeleteOptions(bytes: Uint8Array, format: Format, resource: GroupVersionKind): Promise<DeleteOptions> {
  if (format === "protobuf" && !textOfBytes(bytes).startsWith("k8s\0")) throw badRequest(NO_PROTOBUF);
  const value = format === "protobuf" ? await fromProtobuf(bytes, resource) : parse(textOfBytes(bytes), format);
  const failure = noKindIn(value);
  if (failure !== undefined) throw badRequest(failure);
  const { kind, apiVersion } = Object(value) as { kind?: unknown; apiVersion?: unknown };
  if (typeof kind === "string" && kind !== "" && kind !== "DeleteOptions") {
    const version = typeof apiVersion === "string" && apiVersion !== "" ? apiVersion : "meta.k8s.io/v1";
    if (version.split("/").length > 2) throw badRequest(`unexpected GroupVersion string: ${version}`);
    throw badRequest(`no kind "${kind}" is registered for version "${version}" in scheme "k8s.io/apimachinery/pkg/apis/meta/internalversion/scheme/register.go:27"`);
  }
  try {
    const { kind: _kind, apiVersion: _apiVersion, ...options } = convert(structOf(DELETE_OPTIONS), value ?? {}).object as Record<string, unknown>;
    return options;
  } catch (error) {
    if (error instanceof ConvertError) throw badRequest(error.message);
    throw error;
  }
}

/** A patch's body: text, which the patch handler parses in its own words. */
export const decodePatchBody = (bytes: Uint8Array): string => textOfBytes(bytes);
