/**
 * Which form an answer takes: JSON, YAML or protobuf, plain, as a Table or as metadata only. Pure.
 * Follows kubernetes staging/src/k8s.io/apiserver/pkg/endpoints/handlers/negotiation/negotiate.go, and go-restful for the first look.
 */
import { table } from "../base/own.ts";
import { StatusError } from "../api/status-error.ts";

export type Format = "json" | "yaml" | "protobuf";
export type View =
  | { readonly as: "plain" }
  | { readonly as: "Table" | "PartialObjectMetadata" | "PartialObjectMetadataList"; readonly version: string };

export interface Negotiated {
  readonly format: Format;
  readonly view: View;
  readonly pretty: boolean;
}

export const MEDIA_TYPE: Readonly<Record<Format, string>> = {
  json: "application/json",
  yaml: "application/yaml",
  protobuf: "application/vnd.kubernetes.protobuf",
};

const MEDIA_TYPES = Object.values(MEDIA_TYPE);
const STREAM_TYPES = ["application/json;stream=watch", "application/vnd.kubernetes.protobuf;stream=watch"];
const PLAIN: View = { as: "plain" };
const JSON_ANSWER: Negotiated = { format: "json", view: PLAIN, pretty: false };

export interface Clause {
  readonly type: string;
  readonly subtype: string;
  readonly quality: number;
  readonly parameters: ReadonlyMap<string, string>;
}

/** undefined: no clause. Follows goautoneg (ParseAccept). */
function parseClause(text: string): Clause | undefined {
  const [media = "", ...rest] = text.split(";").map((piece) => piece.trim());
  const [type = "", subtype = type === "*" ? "*" : "", ...beyond] = media.split("/").map((piece) => piece.trim());
  if (subtype === "" || beyond.length > 0) return undefined;
  const parameters = new Map<string, string>();
  for (const piece of rest) {
    const [name = "", value = "", ...more] = piece.split("=").map((side) => side.trim());
    if (value !== "" && more.length === 0) parameters.set(name, value);
  }
  const quality = Number(parameters.get("q") ?? "1");
  parameters.delete("q");
  return { type, subtype, quality: Number.isNaN(quality) ? 0 : quality, parameters };
}

const comesBefore = (a: Clause, b: Clause): boolean => a.quality > b.quality || (a.type !== "*" && b.type === "*") || (a.subtype !== "*" && b.subtype === "*");

/** Best first. Upstream's order contradicts itself where a wildcard has the higher quality, so the way of sorting counts: by insertion. */
export function parseAccept(header: string): Clause[] {
  const sorted: Clause[] = [];
  for (const clause of header.split(",").map(parseClause)) {
    if (!clause) continue;
    let place = sorted.length;
    for (let before = sorted[place - 1]; before && comesBefore(clause, before); before = sorted[place - 1]) place--;
    sorted.splice(place, 0, clause);
  }
  return sorted;
}

const CONVERTED = new Set(["Table", "PartialObjectMetadata", "PartialObjectMetadataList"]);

/** undefined: a conversion that this server does not have. */
function viewOf(parameters: ReadonlyMap<string, string>, format: Format, converts: boolean): View | undefined {
  const [as, group, version = ""] = ["as", "g", "v"].map((name) => parameters.get(name));
  if (as === undefined && group === undefined && version === "") return PLAIN;
  const known = as !== undefined && group === "meta.k8s.io" && (version === "v1" || version === "v1beta1") && CONVERTED.has(as);
  if (!converts || !known || (as === "Table" && format === "protobuf")) return undefined;
  return { as: as as "Table", version };
}

/** What go-restful answers before any handler: no media type of the route occurs in Accept. */
function notOffered(offered: readonly string[]): StatusError {
  return new StatusError({ code: 406, reason: "NotAcceptable", message: `406: Not Acceptable\n\nAvailable representations: ${offered.join(", ")}`, details: {} });
}

const notAcceptable = (accepted: readonly string[]): StatusError =>
  new StatusError({ code: 406, reason: "NotAcceptable", message: `only the following media types are accepted: ${accepted.join(", ")}` });

/** go-restful compares literally: `application/*` matches nothing. */
function offers(header: string, offered: readonly string[]): boolean {
  return header.split(",").some((clause) => {
    const media = clause.split(";")[0]?.trim() ?? "";
    return media === "*/*" || offered.includes(media);
  });
}

export interface Offer {
  /** Lists and watches offer streams, too. */
  readonly streams?: boolean;
  /** Objects can be had as Tables and as metadata; documents and errors only as they are. */
  readonly converts?: boolean;
}

/** 406 where nothing of what is asked for is offered. What is asked for first is what is given. */
export function negotiate(accept: string | undefined, { streams = false, converts = false }: Offer): Negotiated {
  if (accept === undefined || accept === "" || accept === "application/json" || accept === "*/*") return JSON_ANSWER;
  const offered = streams ? [...MEDIA_TYPES, ...STREAM_TYPES] : MEDIA_TYPES;
  if (!offers(accept, offered)) throw notOffered(offered);
  const chosen = choose(accept, converts);
  if (chosen) return chosen;
  throw notAcceptable(MEDIA_TYPES);
}

/** As `negotiate`, for a stream of events: YAML has none. */
export function negotiateStream(accept: string | undefined): Negotiated {
  const chosen = negotiate(accept, { streams: true, converts: true });
  if (chosen.format === "yaml") throw notAcceptable(STREAM_TYPES);
  return chosen;
}

function choose(accept: string, converts: boolean): Negotiated | undefined {
  for (const clause of parseAccept(accept)) {
    const chosen = chooseFor(clause, converts);
    if (chosen) return chosen;
  }
  return undefined;
}

function chooseFor({ type, subtype, parameters }: Clause, converts: boolean): Negotiated | undefined {
  const stream = parameters.get("stream");
  if (stream !== undefined && stream !== "watch") return undefined;
  for (const format of ["json", "yaml", "protobuf"] as const) {
    if (stream !== undefined && format === "yaml") continue;
    const [ours, oursSubtype] = MEDIA_TYPE[format].split("/");
    const matches = type === ours ? subtype === oursSubtype || subtype === "*" : type === "*" && subtype === "*";
    const view = matches ? viewOf(parameters, format, converts) : undefined;
    if (view) return { format, view, pretty: parameters.get("pretty") === "1" };
  }
  return undefined;
}

/** The form of an error; undefined where the Accept header names none: indented JSON then. */
export function negotiateError(accept: string | undefined): Negotiated | undefined {
  if (accept === undefined || accept === "") return JSON_ANSWER;
  return choose(accept, false);
}

const TOKEN = "[!#$%&'*+.^_`|~0-9A-Za-z-]+";
const CONTENT_TYPE = new RegExp(`^\\s*(${TOKEN}/${TOKEN})\\s*(?:;\\s*${TOKEN}\\s*=\\s*(?:${TOKEN}|"(?:[^"\\\\]|\\\\.)*")\\s*)*;?\\s*$`);

/** The media type of a body, in lower case; undefined where the header is not well formed. Follows Go's mime.ParseMediaType. */
const contentTypeOf = (header: string): string | undefined => CONTENT_TYPE.exec(header)?.[1]?.toLowerCase();

/** As go-restful reads it: without parameters, letter by letter. */
export const plainContentType = (header: string | undefined): string => (header ?? "").split(";")[0]?.trim() ?? "";

const INPUT_FORMAT: Readonly<Record<string, Format>> = table({
  "application/json": "json",
  "application/yaml": "yaml",
  "application/vnd.kubernetes.protobuf": "protobuf",
});

/** 415, in the handlers' words, where nothing reads such a body. */
export function inputFormatOf(header: string | undefined): Format {
  if (header === undefined || header === "") return "json";
  const format = INPUT_FORMAT[contentTypeOf(header) ?? ""];
  if (format) return format;
  const message = `the body of the request was in an unknown format - accepted media types include: ${MEDIA_TYPES.join(", ")}`;
  throw new StatusError({ code: 415, reason: "UnsupportedMediaType", message });
}
