/**
 * Request bodies in protobuf made objects: the envelope `k8s\0` + runtime.Unknown, then the message, then the JSON form (Go writes every zero value
 * into protobuf: they are dropped as its JSON encoder would). Unknown field numbers are skipped.
 * Follows apimachinery pkg/runtime/serializer/protobuf/protobuf.go.
 */
import { setOwn } from "../../base/own.ts";
import { BinaryReader, WireType as Wire } from "@bufbuild/protobuf/wire";
import { badRequest } from "../status-error.ts";
import { convert, ConvertError } from "../schema/convert.ts";
import { kindMismatch, type Decoded } from "../schema/decode.ts";
import { DEPTH_MAX, isDeeper, type JsonObject } from "../schema/json-parser.ts";
import { schemaOfKind, structOf, type GroupVersionKind } from "../schema/schema.ts";
import type { KubeObject } from "../object.ts";
import { messageNameOf, messageOf, type Message, type MessageField, type Scalar, type Special, type WireType } from "./messages.ts";

export const MAGIC = new Uint8Array([0x6b, 0x38, 0x73, 0x00]);

/** Bytes that are no such message. */
export class ProtobufError extends Error {}

function scalar(reader: BinaryReader, type: Scalar): unknown {
  switch (type) {
    case "string": return reader.string();
    case "bool": return reader.bool();
    case "int32": return reader.int32();
    case "int64": return Number(reader.int64());
    case "double": return reader.double();
    case "bytes": default: return Buffer.from(reader.bytes()).toString("base64");
  }
}

const WIRE: Readonly<Record<Scalar, Wire>> = { string: Wire.LengthDelimited, bytes: Wire.LengthDelimited, bool: Wire.Varint, int32: Wire.Varint, int64: Wire.Varint, double: Wire.Bit64 };

/** The raw fields of a small message, by number. */
function rawFields(bytes: Uint8Array): ReadonlyMap<number, unknown> {
  const reader = new BinaryReader(bytes);
  const found = new Map<number, unknown>();
  while (reader.pos < reader.len) {
    const [number, wire] = reader.tag();
    if (wire === Wire.Varint) found.set(number, Number(reader.int64()));
    else if (wire === Wire.LengthDelimited) found.set(number, reader.bytes());
    else reader.skip(wire, number);
  }
  return found;
}

const text = (value: unknown): string => (value instanceof Uint8Array ? Buffer.from(value).toString() : "");

function instant(raw: ReadonlyMap<number, unknown>, micro: boolean): string | null {
  if (raw.size === 0) return null;
  const [seconds, nanos] = [Number(raw.get(1) ?? 0), Number(raw.get(2) ?? 0)];
  const whole = new Date(seconds * 1000).toISOString().slice(0, 19);
  return micro ? `${whole}.${String(Math.floor(nanos / 1000)).padStart(6, "0")}Z` : `${whole}Z`;
}

function special(bytes: Uint8Array, type: Special): unknown {
  const raw = type === "items" ? undefined : rawFields(bytes);
  switch (type) {
    case "time": case "microTime": return instant(raw ?? new Map(), type === "microTime");
    case "quantity": return text(raw?.get(1)) || "0";
    case "intOrString": return raw?.get(1) === 1 ? text(raw.get(3)) : Number(raw?.get(2) ?? 0);
    case "json": return parseRaw(text(raw?.get(1)));
    case "items": default: return textItems(bytes);
  }
}

function parseRaw(json: string): unknown {
  try {
    const value: unknown = json === "" ? null : JSON.parse(json);
    if (!isDeeper(value, DEPTH_MAX)) return value;
  } catch {
    // Said below.
  }
  throw new ProtobufError("raw extension is no JSON");
}

function textItems(bytes: Uint8Array): string[] {
  const reader = new BinaryReader(bytes);
  const items: string[] = [];
  while (reader.pos < reader.len) {
    const [number, wire] = reader.tag();
    if (number === 1 && wire === Wire.LengthDelimited) items.push(reader.string());
    else reader.skip(wire, number);
  }
  return items;
}

function value(reader: BinaryReader, type: WireType): unknown {
  switch (type.kind) {
    case "scalar": return scalar(reader, type.scalar);
    case "message": return readMessage(new BinaryReader(reader.bytes()), type.message(), {});
    case "special": return special(reader.bytes(), type.special);
    case "map": default: throw new ProtobufError("a map within a map");
  }
}

function zero(type: WireType): unknown {
  if (type.kind === "scalar") return type.scalar === "string" || type.scalar === "bytes" ? "" : type.scalar === "bool" ? false : 0;
  return type.kind === "special" ? special(new Uint8Array(), type.special) : {};
}

/** One entry of a map: key 1, value 2. */
function readEntry(reader: BinaryReader, type: WireType, into: JsonObject): void {
  const entry = new BinaryReader(reader.bytes());
  let [key, found] = ["", zero(type)];
  while (entry.pos < entry.len) {
    const [number, wire] = entry.tag();
    if (number === 1) key = entry.string();
    else if (number === 2) found = value(entry, type);
    else entry.skip(wire, number);
  }
  setOwn(into, key, found);
}

const wireOf = (type: WireType): Wire => (type.kind === "scalar" ? WIRE[type.scalar] : Wire.LengthDelimited);

/** A repeated number may come packed. */
function readPacked(reader: BinaryReader, field: MessageField, list: unknown[]): void {
  const packed = new BinaryReader(reader.bytes());
  while (packed.pos < packed.len) list.push(value(packed, field.type));
}

function readField(reader: BinaryReader, wire: Wire, field: MessageField, into: JsonObject): void {
  const isPacked = field.repeated && wire === Wire.LengthDelimited && wireOf(field.type) !== wire;
  if (wire !== wireOf(field.type) && !isPacked) throw new ProtobufError(`proto: wrong wireType = ${wire} for field ${field.name.charAt(0).toUpperCase()}${field.name.slice(1)}`);
  if (field.inline && field.type.kind === "message") return void readMessage(new BinaryReader(reader.bytes()), field.type.message(), into);
  if (field.type.kind === "map") return readEntry(reader, field.type.value(), (into[field.name] ??= {}) as JsonObject);
  if (!field.repeated) return void (into[field.name] = value(reader, field.type));
  const list = (into[field.name] ??= []) as unknown[];
  return isPacked ? readPacked(reader, field, list) : void list.push(value(reader, field.type));
}

function readMessage(reader: BinaryReader, message: Message, into: JsonObject): JsonObject {
  while (reader.pos < reader.len) {
    const [number, wire] = reader.tag();
    const field = message.byNumber.get(number);
    if (field) readField(reader, wire, field, into);
    else reader.skip(wire, number);
  }
  return into;
}

/** The message's fields as they stand on the wire, zero values included. Throws ProtobufError. */
export function readAs(bytes: Uint8Array, message: string): JsonObject {
  try {
    return readMessage(new BinaryReader(bytes), messageOf(message), {});
  } catch (error) {
    if (error instanceof ProtobufError) throw error;
    if (error instanceof RangeError || error instanceof TypeError || /premature EOF|invalid|cant skip|illegal/i.test(String(error))) throw new ProtobufError("unexpected EOF");
    throw error;
  }
}

interface Envelope {
  readonly apiVersion: string;
  readonly kind: string;
  readonly raw: Uint8Array;
}

function openEnvelope(bytes: Uint8Array): Envelope {
  if (bytes.length === 0) throw new ProtobufError("empty data");
  if (MAGIC.some((byte, i) => bytes[i] !== byte)) throw new ProtobufError("provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]");
  if (bytes.length === MAGIC.length) throw new ProtobufError("empty body");
  const unknown = readAs(bytes.subarray(MAGIC.length), "k8s.io.apimachinery.pkg.runtime.Unknown");
  const meta = (unknown["typeMeta"] ?? {}) as Partial<Record<"apiVersion" | "kind", string>>;
  const raw = typeof unknown["raw"] === "string" ? Buffer.from(unknown["raw"], "base64") : new Uint8Array();
  return { apiVersion: meta.apiVersion ?? "", kind: meta.kind ?? "", raw };
}

const OPEN_BRACE = 0x7b;

function summarise(bytes: Uint8Array): string {
  if (bytes.length === 0) return "<empty>";
  const head = Buffer.from(bytes.subarray(0, 30));
  return `${head[0] === OPEN_BRACE ? head.toString() : head.toString("hex")}${bytes.length > 30 ? " ..." : ""}`;
}

function gvkOf({ apiVersion, kind }: Envelope, expected: GroupVersionKind): GroupVersionKind {
  const slash = apiVersion.indexOf("/");
  const version = apiVersion === "" ? { group: expected.group, version: expected.version } : { group: apiVersion.slice(0, Math.max(slash, 0)), version: apiVersion.slice(slash + 1) };
  return { ...version, kind: kind || expected.kind };
}

/** The object in a protobuf body. Field validation has nothing to say here: unknown fields have no names. Throws StatusError 400. */
export function decodeProtobuf(bytes: Uint8Array, expected: GroupVersionKind): Decoded {
  let found = expected;
  let opened = false;
  try {
    const envelope = openEnvelope(bytes);
    found = gvkOf(envelope, expected);
    opened = true;
    const mismatch = kindMismatch(found, expected);
    if (mismatch !== undefined) throw new ProtobufError(mismatch);
    const schema = schemaOfKind(expected);
    if (schema === undefined) throw new Error(`bug: no schema of ${expected.kind}`);
    const { kind: _kind, apiVersion: _apiVersion, ...object } = convert(structOf(schema), readAs(envelope.raw, messageNameOf(schema))).object;
    const apiVersion = expected.group === "" ? expected.version : `${expected.group}/${expected.version}`;
    return { object: { kind: expected.kind, apiVersion, ...object } as unknown as KubeObject, warnings: [] };
  } catch (error) {
    if (!(error instanceof ProtobufError) && !(error instanceof ConvertError)) throw error;
    throw opened
      ? badRequest(`${found.kind} in version "${found.version}" cannot be handled as a ${expected.kind}: ${error.message}`)
      : badRequest(`the object provided is unrecognized (must be of type ${expected.kind}): ${error.message} (${summarise(bytes)})`);
  }
}
