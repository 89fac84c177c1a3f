/**
 * OpenAPI documents in protobuf: the same as their JSON, in gnostic's messages. Forms are put together from a few, so that a message is told by the
 * numbers of its fields alone. Only what the documents of a Kubernetes server hold is here.
 * Follows gnostic-models openapiv2/OpenAPIv2.proto and openapiv3/OpenAPIv3.proto.
 */
import { table } from "../../base/own.ts";
import { BinaryWriter, WireType as Wire } from "@bufbuild/protobuf/wire";
import { stringify } from "yaml";

/** How answers name them. */
export const OPENAPI_PROTOBUF = { v2: "application/com.github.proto-openapi.spec.v2.v1.0+protobuf", v3: "application/com.github.proto-openapi.spec.v3.v1.0+protobuf" } as const;

/** How a value becomes a field. */
type Form = (writer: BinaryWriter, number: number, value: unknown) => void;
type Keyed = Readonly<Record<string, unknown>>;

/** Number → what it is in JSON, and its form; numbers go up as they do in the bytes. */
type Fields = Readonly<Record<number, readonly [key: string, form: Form]>>;

interface Shape {
  readonly fields?: () => Fields;
  /** Where keys that are none of these are names: the number of what a name stands for, and its form. */
  readonly named?: () => readonly [number: number, form: Form];
  /** The number of `x-…`. */
  readonly extensions?: number;
}

const string: Form = (writer, number, value) => void writer.tag(number, Wire.LengthDelimited).string(String(value));
const text: Form = (writer, number, value) => {
  if (value !== "") string(writer, number, value);
};
const flag: Form = (writer, number, value) => {
  if (value === true) writer.tag(number, Wire.Varint).bool(true);
};
const each = (form: Form): Form => (writer, number, values) => {
  for (const value of values as readonly unknown[]) form(writer, number, value);
};
const either = (choose: (value: object) => Form): Form => (writer, number, value) => choose(value as object)(writer, number, value);

function framed(writer: BinaryWriter, number: number, write: () => void): void {
  writer.tag(number, Wire.LengthDelimited).fork();
  write();
  writer.join();
}

/** A message that holds nothing but the value, in a field of that number; and so on inwards. */
function within(numbers: readonly number[], form: Form): Form {
  return numbers.reduceRight<Form>((inner, own) => (writer, number, value) => framed(writer, number, () => inner(writer, own, value)), form);
}

const yaml: Form = within([2], (writer, number, value) => string(writer, number, stringify(value)));

function writeFields(writer: BinaryWriter, value: Keyed, { fields, named, extensions }: Shape): void {
  const known = fields?.() ?? {};
  for (const [number, [key, form]] of Object.entries(known)) if (value[key] !== undefined) form(writer, Number(number), value[key]);
  const pairs = (number: number, form: Form, keys: readonly string[]) => {
    for (const key of keys) framed(writer, number, () => {
      text(writer, 1, key);
      form(writer, 2, value[key]);
    });
  };
  const isOwn = (key: string) => extensions !== undefined && key.startsWith("x-");
  if (named) pairs(...named(), Object.keys(value).filter((key) => !isOwn(key)));
  if (extensions !== undefined) pairs(extensions, yaml, Object.keys(value).filter(isOwn));
}

const message = (shape: Shape): Form => (writer, number, value) => framed(writer, number, () => writeFields(writer, value as Keyed, shape));
const plain = (fields: Fields): Form => message({ fields: () => fields });
const mapOf = (form: () => Form): Form => message({ named: () => [1, form()] });

const strings = each(string);
const reference = plain({ 1: ["$ref", text] });
const isReference = (value: object): boolean => "$ref" in value;
const security = each(mapOf(() => within([1], string)));
const ofMethods = (form: Form, first: number): Fields => Object.fromEntries(["get", "put", "post", "delete", "options", "head", "patch"].map((method, i) => [first + i, [method, form]]));

const schemaV2: Form = message({
  fields: () => ({
    1: ["$ref", text], 2: ["format", text], 4: ["description", text], 5: ["default", yaml], 19: ["required", strings], 20: ["enum", each(yaml)],
    21: ["additionalProperties", within([1], schemaV2)], 22: ["type", within([1], string)], 23: ["items", within([1], schemaV2)], 25: ["properties", mapOf(() => schemaV2)],
  }),
  extensions: 31,
});
const bodyV2 = plain({ 1: ["description", text], 2: ["name", text], 3: ["in", text], 4: ["required", flag], 5: ["schema", schemaV2] });
const queryV2 = plain({ 1: ["required", flag], 2: ["in", text], 3: ["description", text], 4: ["name", text], 6: ["type", text], 20: ["uniqueItems", flag] });
const inPathV2 = plain({ 1: ["required", flag], 2: ["in", text], 3: ["description", text], 4: ["name", text], 5: ["type", text], 19: ["uniqueItems", flag] });
const PLACES_V2: Readonly<Record<string, Form>> = table({ body: within([1], bodyV2), query: within([2, 3], queryV2), path: within([2, 4], inPathV2) });
const parameterV2 = either((value) => PLACES_V2[(value as { readonly in: string }).in] ?? bodyV2);
const parametersV2 = each(either((value) => (isReference(value) ? within([2], reference) : within([1], parameterV2))));
const responseV2 = plain({ 1: ["description", text], 2: ["schema", within([1], schemaV2)] });
const operationV2 = message({
  fields: () => ({
    1: ["tags", strings], 3: ["description", text], 5: ["operationId", text], 6: ["produces", strings], 7: ["consumes", strings], 8: ["parameters", parametersV2],
    9: ["responses", message({ named: () => [1, within([1], responseV2)], extensions: 2 })], 10: ["schemes", strings],
  }),
  extensions: 13,
});
const pathV2 = plain({ ...ofMethods(operationV2, 2), 9: ["parameters", parametersV2] });
const infoV2 = plain({ 1: ["title", text], 2: ["version", text] });
const keyInHeader = plain({ 1: ["type", text], 2: ["name", text], 3: ["in", text], 4: ["description", text] });

const DOCUMENT_V2: Shape = {
  fields: () => ({
    1: ["swagger", text], 2: ["info", infoV2], 8: ["paths", message({ named: () => [2, pathV2] })], 9: ["definitions", mapOf(() => schemaV2)],
    10: ["parameters", mapOf(() => parameterV2)], 12: ["security", security], 13: ["securityDefinitions", mapOf(() => within([2], keyInHeader))],
  }),
};

/** What is neither text, number nor truth has no place in it. */
const defaultV3: Form = (writer, number, value) => framed(writer, number, () => {
  if (typeof value === "number") writer.tag(1, Wire.Bit64).double(value);
  else if (typeof value === "boolean") writer.tag(2, Wire.Varint).bool(value);
  else if (typeof value === "string") string(writer, 3, value);
});
const schemaV3: Form = message({
  fields: () => ({
    20: ["uniqueItems", flag], 23: ["required", strings], 24: ["enum", each(yaml)], 25: ["type", text], 26: ["allOf", each(typeV3)], 27: ["oneOf", each(typeV3)],
    30: ["items", within([1], typeV3)], 31: ["properties", mapOf(() => typeV3)], 32: ["additionalProperties", within([1], typeV3)], 33: ["default", defaultV3],
    34: ["description", text], 35: ["format", text],
  }),
  extensions: 36,
});
const typeV3 = either((value) => (isReference(value) ? within([2], reference) : within([1], schemaV3)));
const contentV3 = mapOf(() => plain({ 1: ["schema", typeV3] }));
const parametersV3 = each(within([1], plain({ 1: ["name", text], 2: ["in", text], 3: ["description", text], 4: ["required", flag], 10: ["schema", typeV3] })));
const responseV3 = plain({ 1: ["description", text], 3: ["content", contentV3] });
const operationV3 = message({
  fields: () => ({
    1: ["tags", strings], 3: ["description", text], 5: ["operationId", text], 6: ["parameters", parametersV3], 7: ["requestBody", within([1], plain({ 2: ["content", contentV3], 3: ["required", flag] }))],
    8: ["responses", message({ named: () => [2, within([1], responseV3)] })],
  }),
  extensions: 13,
});
const pathV3 = plain({ ...ofMethods(operationV3, 4), 13: ["parameters", parametersV3] });
const schemeV3 = within([1], plain({ 1: ["type", text], 2: ["description", text], 3: ["name", text], 4: ["in", text] }));

const DOCUMENT_V3: Shape = {
  fields: () => ({
    1: ["openapi", text], 2: ["info", plain({ 1: ["title", text], 6: ["version", text] })], 4: ["paths", message({ named: () => [1, pathV3] })],
    5: ["components", plain({ 1: ["schemas", mapOf(() => typeV3)], 7: ["securitySchemes", mapOf(() => schemeV3)] })],
  }),
};

/** A document, as its JSON says it, in the protobuf of its version. */
export function encodeOpenApi(document: object, version: "v2" | "v3"): Uint8Array {
  const writer = new BinaryWriter();
  writeFields(writer, document as Keyed, version === "v2" ? DOCUMENT_V2 : DOCUMENT_V3);
  return writer.finish();
}
