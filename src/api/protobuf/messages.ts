/**
 * Protobuf messages of the API, compiled per message when first asked for. Field numbers come from `../data/protobuf-fields.json`; which fields
 * Go embeds (and JSON so has no name for) follows from the OpenAPI facts.
 */
import fields from "../data/protobuf-fields.json" with { type: "json" };
import { assert } from "../../base/assert.ts";
import { table } from "../../base/own.ts";
import { rawSchema } from "../schema/schema.ts";

type RawField = readonly [number: number, type: number | string, label: number];
const RAW = fields as unknown as Readonly<Record<string, Readonly<Record<string, RawField>>>>;

export type Scalar = "double" | "int64" | "int32" | "bool" | "string" | "bytes";
/** Messages whose JSON is not an object of their fields. */
export type Special = "time" | "microTime" | "quantity" | "intOrString" | "json" | "items";

export type WireType =
  | { readonly kind: "scalar"; readonly scalar: Scalar }
  | { readonly kind: "message"; readonly message: () => Message }
  | { readonly kind: "special"; readonly special: Special }
  | { readonly kind: "map"; readonly value: () => WireType };

export interface MessageField {
  /** As in JSON. */
  readonly name: string;
  readonly number: number;
  readonly type: WireType;
  readonly repeated: boolean;
  /** An embedded struct: its fields stand beside the others in JSON. */
  readonly inline: boolean;
}

export interface Message {
  readonly name: string;
  readonly fields: readonly MessageField[];
  readonly byNumber: ReadonlyMap<number, MessageField>;
}

const SCALARS: Readonly<Record<number, Scalar>> = { 1: "double", 3: "int64", 5: "int32", 8: "bool", 9: "string", 12: "bytes" };
const META = "k8s.io.apimachinery.pkg.apis.meta.v1.";
const SPECIALS: Readonly<Record<string, Special>> = table({
  [`${META}Time`]: "time",
  [`${META}MicroTime`]: "microTime",
  "k8s.io.apimachinery.pkg.api.resource.Quantity": "quantity",
  "k8s.io.apimachinery.pkg.util.intstr.IntOrString": "intOrString",
  "k8s.io.apimachinery.pkg.runtime.RawExtension": "json",
  [`${META}FieldsV1`]: "json",
});
/** Proto names that are not the JSON names. */
const RENAMED: Readonly<Record<string, string>> = table({ uID: "uid", aPIGroup: "apiGroup" });

/** `k8s.io.api.batch.v1.Job` of `io.k8s.api.batch.v1.Job`, and back. */
export const messageNameOf = (schema: string): string => `k8s.io.${schema.slice("io.k8s.".length)}`;
const schemaNameOf = (message: string): string => `io.k8s.${message.slice("k8s.io.".length)}`;

function typeOf(type: number | string): WireType {
  if (typeof type === "number") {
    const scalar = SCALARS[type];
    assert(scalar, `protobuf type ${type}`);
    return { kind: "scalar", scalar };
  }
  const special = SPECIALS[type];
  if (special) return { kind: "special", special };
  const raw = RAW[type];
  if (type.endsWith("Entry") && raw?.["key"] && raw["value"]) {
    const [, value] = raw["value"];
    return { kind: "map", value: () => typeOf(value) };
  }
  if (raw?.["items"] && Object.keys(raw).length === 1 && typeof raw["items"][1] === "number" && !rawSchema(schemaNameOf(type))) return { kind: "special", special: "items" };
  return { kind: "message", message: () => messageOf(type) };
}

function compile(name: string): Message {
  const raw = RAW[name];
  assert(raw, `no such message: ${name}`);
  const known = rawSchema(schemaNameOf(name))?.fields;
  const compiled = Object.entries(raw).map(([protoName, [number, type, label]]): MessageField => {
    const fieldName = RENAMED[protoName] ?? protoName;
    const wire = typeOf(type);
    return { name: fieldName, number, type: wire, repeated: label === 3, inline: known !== undefined && known[fieldName] === undefined && wire.kind === "message" };
  });
  compiled.sort((a, b) => a.number - b.number);
  return { name, fields: compiled, byNumber: new Map(compiled.map((f) => [f.number, f])) };
}

const messages = new Map<string, Message>();

/** The message of that name. A name that is not there is a bug; `hasMessage` asks. */
export function messageOf(name: string): Message {
  let found = messages.get(name);
  if (!found) messages.set(name, (found = compile(name)));
  return found;
}

export const hasMessage = (name: string): boolean => RAW[name] !== undefined;
