/**
 * Which form an answer takes: JSON, YAML or protobuf, plain, as a Table or as metadata only. Pure.
 * Follows kubernetes staging/src/k8s.io/apiserver/pkg/endpoints/handlers/negotiation/negotiate.go, and go-restful for the first look.
 */
import { StatusError } from "../api/status-error.ts";

export type Format = "json" | "yaml" | "protobuf";
export type View =
  | { readonly as: "plain" }
  | { readonly as: "Table" | "PartialObjectMetadata" | "PartialObjectMetadataList"; readonly version: string };

export interface Negotiated {
  readonly format: Format;
  readonly view: View;
  readonly pretty: boolean;
  /** The clause asked for a stream of watch events by name (";stream=watch"). */
  readonly namedStream: boolean;
}

export const MEDIA_TYPE: Readonly<Record<Format, string>> = {
  json: "application/json",
  yaml: "application/yaml",
  protobuf: "application/vnd.kubernetes.protobuf",
};

const MEDIA_TYPES = Object.values(MEDIA_TYPE);
const STREAM_TYPES = ["application/json;stream=watch", "application/vnd.kubernetes.protobuf;stream=watch"];
const PLAIN: View = { as: "plain" };
const JSON_ANSWER: Negotiated = { format: "json", view: PLAIN, pretty: false, namedStream: false };

interface Clause {
  readonly type: string;
  readonly subtype: string;
  readonly quality: number;
  readonly parameters: ReadonlyMap<string, string>;
}

function parseClause(text: string): Clause {
  const [media = "", ...rest] = text.split(";").map((piece) => piece.trim());
  const slash = media.indexOf("/");
  const parameters = new Map<string, string>();
  for (const piece of rest) {
    const equals = piece.indexOf("=");
    if (equals > 0) parameters.set(piece.slice(0, equals).trim(), piece.slice(equals + 1).trim());
  }
  const quality = Number(parameters.get("q") ?? "1");
  parameters.delete("q");
  const type = (slash < 0 ? media : media.slice(0, slash)).toLowerCase();
  return { type, subtype: slash < 0 ? "*" : media.slice(slash + 1).toLowerCase(), quality: Number.isNaN(quality) ? 1 : quality, parameters };
}

/** Best first: by quality, then wildcards last. */
function parseAccept(header: string): Clause[] {
  const wildness = (c: Clause) => (c.type === "*" ? 2 : c.subtype === "*" ? 1 : 0);
  return header.split(",").map(parseClause).sort((a, b) => b.quality - a.quality || wildness(a) - wildness(b));
}

const CONVERTED = new Set(["Table", "PartialObjectMetadata", "PartialObjectMetadataList"]);

/** undefined: a conversion that this server does not have. */
function viewOf(parameters: ReadonlyMap<string, string>, format: Format): View | undefined {
  const as = parameters.get("as");
  if (as === undefined) return PLAIN;
  const version = parameters.get("v") ?? "";
  const known = parameters.get("g") === "meta.k8s.io" && (version === "v1" || version === "v1beta1") && CONVERTED.has(as);
  if (!known || (as === "Table" && format === "protobuf")) return undefined;
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
    return media === "*/*" || media === "" || offered.includes(media);
  });
}

export interface Offer {
  /** Formats this server can write the answer in; what is asked for first wins among them. */
  readonly formats: readonly Format[];
  /** Lists and watches offer streams, too. */
  readonly streams: boolean;
}

export function negotiate(accept: string | undefined, offer: Offer): Negotiated {
  if (accept === undefined || accept.trim() === "") return JSON_ANSWER;
  if (accept === "application/json" || accept === "*/*") return JSON_ANSWER;
  const offered = offer.streams ? [...MEDIA_TYPES, ...STREAM_TYPES] : MEDIA_TYPES;
  if (!offers(accept, offered)) throw notOffered(offered);
  const clauses = parseAccept(accept);
  const chosen = choose(clauses, offer);
  // Stored objects are JSON already: whoever takes that gets it, even if they would rather have protobuf.
  if (chosen?.format === "protobuf") return choose(clauses, { ...offer, formats: ["json"] }) ?? chosen;
  if (chosen) return chosen;
  throw notAcceptable(MEDIA_TYPES);
}

function choose(clauses: readonly Clause[], offer: Offer): Negotiated | undefined {
  for (const clause of clauses) {
    const chosen = chooseFor(clause, offer);
    if (chosen) return chosen;
  }
  return undefined;
}

function chooseFor(clause: Clause, offer: Offer): Negotiated | undefined {
  for (const format of ["json", "yaml", "protobuf"] as const) {
    const [type, subtype] = MEDIA_TYPE[format].split("/");
    const matches = (clause.type === type && (clause.subtype === subtype || clause.subtype === "*")) || (clause.type === "*" && clause.subtype === "*");
    if (!matches || !offer.formats.includes(format)) continue;
    const stream = clause.parameters.get("stream");
    if (stream !== undefined && (stream !== "watch" || !offer.streams)) continue;
    const view = viewOf(clause.parameters, format);
    if (view) return { format, view, pretty: clause.parameters.get("pretty") === "1", namedStream: stream !== undefined };
  }
  return undefined;
}

/** How errors are written when the Accept header itself may be the error. */
export function negotiateError(accept: string | undefined): Format {
  try {
    const { format } = negotiate(accept, { formats: ["json", "yaml"], streams: true });
    return format;
  } catch {
    return "json";
  }
}

/** The media type of a request's body, without parameters, in lower case. */
export const contentTypeOf = (header: string | undefined): string => (header ?? "").split(";")[0]?.trim().toLowerCase() ?? "";

const INPUT_FORMAT: Readonly<Record<string, Format>> = {
  "": "json",
  "application/json": "json",
  "application/yaml": "yaml",
  "application/vnd.kubernetes.protobuf": "protobuf",
};

/** 415, in the handlers' words, where nothing reads such a body. */
export function inputFormatOf(header: string | undefined): Format {
  const format = INPUT_FORMAT[contentTypeOf(header)];
  if (format) return format;
  const message = `the body of the request was in an unknown format - accepted media types include: ${MEDIA_TYPES.join(", ")}`;
  throw new StatusError({ code: 415, reason: "UnsupportedMediaType", message });
}
