/**
 * Bodies of requests made values: JSON and YAML through the schema, protobuf through its decoder, delete options and patches in their own words.
 */
import type { DeleteOptions } from "../api/generated/types.ts";
import type { PatchType } from "../api/request.ts";
import { convert, ConvertError } from "../api/schema/convert.ts";
import { type Decoded, decodeObject } from "../api/schema/decode.ts";
import { JsonSyntaxError, parseJson } from "../api/schema/json-parser.ts";
import { type GroupVersionKind, structOf } from "../api/schema/schema.ts";
import { parseYaml, YamlError } from "../api/schema/yaml-parser.ts";
import { badRequest, StatusError } from "../api/status-error.ts";
import type { Format } from "./negotiation.ts";

export interface ProtobufCodec {
  /** The message as a plain value with kind and apiVersion; throws StatusError (400). */
  decode(bytes: Uint8Array, expected: GroupVersionKind): object;
  /** undefined for a kind it does not know. */
  encode?(object: object): Uint8Array | undefined;
}

export interface BodyRequest {
  readonly bytes: Uint8Array;
  readonly format: Format;
  /** The kind that the address stands for; a body without apiVersion and kind is taken as this. */
  readonly expected: GroupVersionKind;
  /** Ignore, Warn (the default) or Strict: what unknown and duplicate fields do. */
  readonly fieldValidation: string | undefined;
}

export type Codec = ProtobufCodec | undefined;

const textOfBytes = (bytes: Uint8Array): string => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8");

const noProtobuf = (): StatusError => new StatusError({ code: 415, reason: "UnsupportedMediaType", message: "this server reads no protobuf" });

/** Throws StatusError (400) in upstream's words. */
export function decodeBody({ bytes, format, expected, fieldValidation }: BodyRequest, codec: Codec): Decoded {
  if (format !== "protobuf") return decodeObject({ text: textOfBytes(bytes), format, expected, fieldValidation });
  if (!codec) throw noProtobuf();
  return decodeObject({ value: codec.decode(bytes, expected), expected, fieldValidation });
}

const DELETE_OPTIONS = "io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions";
const DELETE_OPTIONS_KIND: GroupVersionKind = { group: "", version: "v1", kind: "DeleteOptions" };

function parse(text: string, format: Format): unknown {
  try {
    return format === "yaml" ? parseYaml(text).value : parseJson(text);
  } catch (error) {
    if (error instanceof JsonSyntaxError) throw badRequest(`couldn't get version/kind; json parse error: ${error.message}`);
    if (error instanceof YamlError) throw badRequest(error.message);
    throw error;
  }
}

/** The body of a DELETE; unknown fields count for nothing. Follows apiserver pkg/endpoints/handlers/delete.go. */
export function decodeDeleteOptions(bytes: Uint8Array, format: Format, codec: Codec): DeleteOptions {
  if (format === "protobuf" && !codec) throw noProtobuf();
  const value = format === "protobuf" && codec ? codec.decode(bytes, DELETE_OPTIONS_KIND) : parse(textOfBytes(bytes), format);
  const { kind, apiVersion } = Object(value) as { kind?: unknown; apiVersion?: unknown };
  if (typeof kind === "string" && kind !== "" && kind !== "DeleteOptions") {
    const version = typeof apiVersion === "string" && apiVersion !== "" ? apiVersion : "v1";
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

/** A patch's body: apply as a value, the others as text, which the patch handler parses in its own words. Follows apiserver pkg/endpoints/handlers/patch.go. */
export function decodePatchBody(bytes: Uint8Array, type: PatchType): unknown {
  const text = textOfBytes(bytes);
  if (type !== "apply") return text;
  try {
    return parseYaml(text).value;
  } catch (error) {
    if (error instanceof YamlError) throw badRequest(`error decoding YAML: error converting YAML to JSON: ${error.message}`);
    throw error;
  }
}
