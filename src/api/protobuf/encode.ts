/**
 * Objects, lists, Statuses and watch events as protobuf, for clients that ask for it first. Absent fields are left out: every decoder reads zero there.
 * Follows apimachinery pkg/runtime/serializer/protobuf/protobuf.go (the envelope, and the raw form with a length before it on watch streams).
 */
import { BinaryWriter, WireType as Wire } from "@bufbuild/protobuf/wire";
import type { JsonObject } from "../schema/json-parser.ts";
import { schemaOfKind, type GroupVersionKind } from "../schema/schema.ts";
import { MAGIC } from "./decode.ts";
import { hasMessage, messageNameOf, messageOf, type Message, type MessageField, type Scalar, type Special, type WireType } from "./messages.ts";

export const PROTOBUF_MEDIA_TYPE = "application/vnd.kubernetes.protobuf";

function writeScalar(writer: BinaryWriter, number: number, type: Scalar, value: unknown): void {
  switch (type) {
    case "string": return void writer.tag(number, Wire.LengthDelimited).string(String(value));
    case "bytes": return void writer.tag(number, Wire.LengthDelimited).bytes(Buffer.from(String(value), "base64"));
    case "bool": return void writer.tag(number, Wire.Varint).bool(value === true);
    case "int32": return void writer.tag(number, Wire.Varint).int32(Number(value));
    case "int64": return void writer.tag(number, Wire.Varint).int64(Number(value));
    case "double": default: return void writer.tag(number, Wire.Bit64).double(Number(value));
  }
}

function writeInstant(writer: BinaryWriter, text: string): void {
  const millis = Date.parse(text);
  const fraction = /\.(\d+)/.exec(text)?.[1] ?? "";
  writer.tag(1, Wire.Varint).int64(Math.floor(millis / 1000));
  writer.tag(2, Wire.Varint).int32(Number(fraction.slice(0, 9).padEnd(9, "0")));
}

function writeSpecial(writer: BinaryWriter, type: Special, value: unknown): void {
  switch (type) {
    case "time": case "microTime": return typeof value === "string" ? writeInstant(writer, value) : undefined;
    case "quantity": return writeScalar(writer, 1, "string", value);
    case "intOrString":
      writeScalar(writer, 1, "int64", typeof value === "string" ? 1 : 0);
      writeScalar(writer, 2, "int32", typeof value === "number" ? value : 0);
      return writeScalar(writer, 3, "string", typeof value === "string" ? value : "");
    case "items":
      for (const item of value as readonly string[]) writeScalar(writer, 1, "string", item);
      return undefined;
    case "json": default: return value === null ? undefined : void writer.tag(1, Wire.LengthDelimited).bytes(Buffer.from(JSON.stringify(value)));
  }
}

function writeValue(writer: BinaryWriter, number: number, type: WireType, value: unknown): void {
  if (type.kind === "scalar") return writeScalar(writer, number, type.scalar, value);
  writer.tag(number, Wire.LengthDelimited).fork();
  if (type.kind === "special") writeSpecial(writer, type.special, value);
  else if (type.kind === "message") writeMessage(writer, type.message(), (value ?? {}) as JsonObject);
  writer.join();
}

function writeMap(writer: BinaryWriter, number: number, type: WireType, map: JsonObject): void {
  for (const [key, value] of Object.entries(map)) {
    writer.tag(number, Wire.LengthDelimited).fork();
    writeScalar(writer, 1, "string", key);
    writeValue(writer, 2, type, value);
    writer.join();
  }
}

function writeField(writer: BinaryWriter, field: MessageField, object: JsonObject): void {
  if (field.inline) return writeValue(writer, field.number, field.type, object);
  const value = object[field.name];
  if (value === undefined || value === null) return undefined;
  if (field.type.kind === "map") return writeMap(writer, field.number, field.type.value(), value as JsonObject);
  if (!field.repeated) return writeValue(writer, field.number, field.type, value);
  for (const item of value as readonly unknown[]) writeValue(writer, field.number, field.type, item);
  return undefined;
}

function writeMessage(writer: BinaryWriter, message: Message, object: JsonObject): void {
  for (const field of message.fields) writeField(writer, field, object);
}

/** The message alone, without the envelope. */
export function writeAs(object: object, message: string): Uint8Array {
  const writer = new BinaryWriter();
  writeMessage(writer, messageOf(message), object as JsonObject);
  return writer.finish();
}

const META = "k8s.io.apimachinery.pkg.apis.meta.v1.";

function messageFor(apiVersion: string, kind: string): string | undefined {
  const slash = apiVersion.indexOf("/");
  const gvk: GroupVersionKind = { group: apiVersion.slice(0, Math.max(slash, 0)), version: apiVersion.slice(slash + 1), kind };
  if (gvk.group === "meta.k8s.io") return hasMessage(META + kind) ? META + kind : undefined;
  const schema = schemaOfKind(gvk);
  const message = schema === undefined ? undefined : messageNameOf(schema);
  return message !== undefined && hasMessage(message) ? message : undefined;
}

/** The object in its envelope; undefined for a kind that has no protobuf form (Table). */
export function encodeProtobuf(object: { readonly apiVersion?: string; readonly kind?: string }): Uint8Array | undefined {
  const { apiVersion = "", kind = "" } = object;
  const message = messageFor(apiVersion, kind);
  if (message === undefined) return undefined;
  const writer = new BinaryWriter().raw(MAGIC);
  writer.tag(1, Wire.LengthDelimited).fork().tag(1, Wire.LengthDelimited).string(apiVersion).tag(2, Wire.LengthDelimited).string(kind).join();
  writer.tag(2, Wire.LengthDelimited).bytes(writeAs(object, message));
  writer.tag(3, Wire.LengthDelimited).string("").tag(4, Wire.LengthDelimited).string("");
  return writer.finish();
}

const LENGTH_BYTES = 4;

/** One event of a watch stream, its length before it; undefined where the object has no protobuf form. */
export function encodeWatchFrame(type: string, object: { readonly apiVersion?: string; readonly kind?: string }): Uint8Array | undefined {
  const inner = encodeProtobuf(object);
  if (inner === undefined) return undefined;
  const writer = new BinaryWriter().tag(1, Wire.LengthDelimited).string(type);
  writer.tag(2, Wire.LengthDelimited).fork().tag(1, Wire.LengthDelimited).bytes(inner).join();
  const event = writer.finish();
  const frame = Buffer.alloc(LENGTH_BYTES + event.length);
  frame.writeUInt32BE(event.length);
  frame.set(event, LENGTH_BYTES);
  return frame;
}
