/**
 * Objects, lists and Status as bytes: JSON from the stored text where there is one, YAML, protobuf; metadata views. Tables are made in table.ts.
 */
import type { KubeObject } from "../api/object.ts";
import type { ObjectList } from "../api/request.ts";
import { itemFieldsOf, textOf } from "../registry/objects.ts";
import { StatusError } from "../api/status-error.ts";
import type { Format } from "./negotiation.ts";

export const isList = (body: object): body is ObjectList => Array.isArray((body as { items?: unknown }).items) && !("uid" in ((body as KubeObject).metadata ?? {}));

/** The JSON text of a body, in the parts that are at hand. */
export function* jsonTexts(body: object): Generator<string, void> {
  if (!isList(body)) return yield textOf(body);
  const { kind, apiVersion, metadata, items } = body;
  yield `${JSON.stringify({ kind, apiVersion, metadata }).slice(0, -1)},"items":[`;
  // Items of metadata lists keep their kind: they are not what the list is called after.
  const whole = apiVersion.startsWith("meta.k8s.io/");
  let separator = whole ? "" : "{";
  for (const item of items) {
    yield separator;
    yield whole ? textOf(item) : itemFieldsOf(item);
    separator = whole ? "," : ",{";
  }
  return yield "]}";
}

export const jsonOf = (body: object): string => (isList(body) ? [...jsonTexts(body)].join("") : textOf(body));

/** Bytes in the format, or undefined where protobuf cannot carry this. */
export async function encode(body: object, format: Format, pretty: boolean): Promise<string | Uint8Array | undefined> {
  if (format === "protobuf") return (await import("../api/protobuf/encode.ts")).encodeProtobuf(body);
  const text = jsonOf(body);
  if (format === "json") return pretty ? JSON.stringify(JSON.parse(text), undefined, 2) : `${text}\n`;
  return (await import("./yaml.ts")).yamlText(JSON.parse(text));
}

/** Go's name of the internal type, for the texts of 406. */
function goType(object: { readonly apiVersion?: string; readonly kind?: string }): string {
  const group = object.apiVersion?.includes("/") ? (object.apiVersion.split("/")[0] ?? "") : "";
  const goPackage = group === "" || group === "events.k8s.io" ? "core" : (group.split(".")[0] ?? "");
  return `*${goPackage}.${object.kind ?? ""}`;
}

const notAcceptable = (message: string): StatusError => new StatusError({ code: 406, reason: "NotAcceptable", message });

export const partialMetadata = (object: KubeObject, version: string): object => ({ kind: "PartialObjectMetadata", apiVersion: `meta.k8s.io/${version}`, metadata: object.metadata });

/** Metadata alone, for one object or a list, as asked; 406 where one is asked for and the other is there. */
export function metadataView(body: KubeObject | ObjectList, as: "PartialObjectMetadata" | "PartialObjectMetadataList", version: string): object {
  if (isList(body)) {
    if (as === "PartialObjectMetadata") throw notAcceptable(`you requested PartialObjectMetadata, but the requested object is a list (${goType(body)})`);
    const items = body.items.map((item) => partialMetadata(item, version));
    return { kind: "PartialObjectMetadataList", apiVersion: `meta.k8s.io/${version}`, metadata: body.metadata, items: items.length === 0 ? null : items };
  }
  if (as === "PartialObjectMetadataList") throw notAcceptable(`you requested PartialObjectMetadataList, but the requested object is not a list (${goType(body)})`);
  return partialMetadata(body, version);
}
