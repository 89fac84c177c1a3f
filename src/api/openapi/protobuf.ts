/**
 * OpenAPI v2 in protobuf, for clients that fall back to it: title, version and definitions of gnostic's `Document`. Paths are left out.
 * Follows gnostic openapiv2/OpenAPIv2.proto.
 */
import { BinaryWriter, WireType as Wire } from "@bufbuild/protobuf/wire";
import { stringify } from "yaml";
import type { OpenApi } from "./openapi.ts";

/** How answers name it. */
export const OPENAPI_V2_PROTOBUF = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf";
/** How older clients ask for it: no valid media type, so never an answer's. */
export const OPENAPI_V2_PROTOBUF_OLD = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf";

/** Field numbers of `Document`, `Schema` and what they hold. */
const DOCUMENT = { swagger: 1, info: 2, paths: 8, definitions: 9 } as const;
const SCHEMA = { ref: 1, format: 2, description: 4, required: 19, enum: 20, additionalProperties: 21, type: 22, items: 23, properties: 25, vendorExtension: 31 } as const;
const ANY_YAML = 2;

interface Schema {
  readonly $ref?: string;
  readonly format?: string;
  readonly description?: string;
  readonly required?: readonly string[];
  readonly enum?: readonly string[];
  readonly additionalProperties?: Schema;
  readonly type?: string;
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
}

function text(writer: BinaryWriter, number: number, value: string | undefined): void {
  if (value !== undefined) writer.tag(number, Wire.LengthDelimited).string(value);
}

function message(writer: BinaryWriter, number: number, write: () => void): void {
  writer.tag(number, Wire.LengthDelimited).fork();
  write();
  writer.join();
}

const yamlOf = (value: unknown): string => stringify(value);

/** NamedSchema and NamedAny: name 1, value 2. */
function named(writer: BinaryWriter, number: number, name: string, write: () => void): void {
  message(writer, number, () => {
    text(writer, 1, name);
    message(writer, 2, write);
  });
}

function namedSchemas(writer: BinaryWriter, number: number, schemas: Readonly<Record<string, Schema>>): void {
  message(writer, number, () => {
    for (const [name, schema] of Object.entries(schemas)) named(writer, 1, name, () => writeSchema(writer, schema));
  });
}

function writeSchema(writer: BinaryWriter, schema: Schema): void {
  const { additionalProperties, items, properties, type } = schema;
  text(writer, SCHEMA.ref, schema.$ref);
  text(writer, SCHEMA.format, schema.format);
  text(writer, SCHEMA.description, schema.description);
  for (const name of schema.required ?? []) text(writer, SCHEMA.required, name);
  for (const value of schema.enum ?? []) message(writer, SCHEMA.enum, () => text(writer, ANY_YAML, yamlOf(value)));
  if (additionalProperties) message(writer, SCHEMA.additionalProperties, () => message(writer, 1, () => writeSchema(writer, additionalProperties)));
  if (type !== undefined) message(writer, SCHEMA.type, () => text(writer, 1, type));
  if (items) message(writer, SCHEMA.items, () => message(writer, 1, () => writeSchema(writer, items)));
  if (properties) namedSchemas(writer, SCHEMA.properties, properties);
  for (const [key, value] of Object.entries(schema)) {
    if (key.startsWith("x-")) named(writer, SCHEMA.vendorExtension, key, () => text(writer, ANY_YAML, yamlOf(value)));
  }
}

/** The document as `OPENAPI_V2_PROTOBUF`. */
export function encodeOpenApiV2(document: ReturnType<OpenApi["v2"]>): Uint8Array {
  const writer = new BinaryWriter();
  const info = document.info;
  text(writer, DOCUMENT.swagger, document.swagger);
  message(writer, DOCUMENT.info, () => {
    text(writer, 1, info.title);
    text(writer, 2, info.version);
  });
  message(writer, DOCUMENT.paths, () => undefined);
  namedSchemas(writer, DOCUMENT.definitions, document.definitions);
  return writer.finish();
}
