/**
 * Documents that do not change while the server runs: discovery and OpenAPI, with their media types, entity tags and 304s. What is in them is the
 * business of api/discovery and api/openapi.
 * Follows kubernetes staging/src/k8s.io/apiserver/pkg/endpoints/discovery and kube-openapi pkg/handler3.
 */
import type { Clock } from "../base/clock.ts";
import { AGGREGATED_MEDIA_TYPE, type Discovery, etagOf } from "../api/discovery/discovery.ts";
import type { OpenApi, OpenApiDocument } from "../api/openapi/openapi.ts";
import type { OpenApiVersion } from "../api/openapi/schemas.ts";
import { encode } from "./encode.ts";
import { type Answer, type HttpRequest, methodNotAllowed, TEXT_PLAIN } from "./exchange.ts";
import { MEDIA_TYPE, negotiate, parseAccept } from "./negotiation.ts";
import { wantsPretty } from "./respond.ts";

/** undefined where the path is none of theirs. */
export type DocumentHandler = (request: HttpRequest) => Promise<Answer | undefined> | Answer | undefined;

/** A document of another room, at one path. */
export interface DocumentRoute {
  readonly path: string;
  readonly answer: (request: HttpRequest) => Promise<Answer> | Answer;
}

/** A document that is only read: 405 for the rest. */
export const getOnly =
  (answer: DocumentRoute["answer"]): DocumentRoute["answer"] =>
  (request) => {
    if (request.method !== "GET") throw methodNotAllowed();
    return answer(request);
  };

/** `/`: every path that is no object. */
export function rootHandler(discovery: Discovery, more: readonly string[]): DocumentHandler {
  const ofGroups = discovery.versions().flatMap(({ group, version }) => (group === "" ? [`/api/${version}`] : [`/apis/${group}`, `/apis/${group}/${version}`]));
  const paths = [...new Set(["/api", "/apis", "/apis/", "/openapi/v2", "/openapi/v3", "/openapi/v3/", ...ofGroups, ...more])].sort();
  const body = JSON.stringify({ paths }, undefined, 2);
  return ({ path }) => (path === "/" ? { status: 200, headers: { "content-type": "application/json" }, body } : undefined);
}

/** The document, or 304 where the client has it. */
function tagged(request: HttpRequest, contentType: string, body: string | Uint8Array, etag: string, headers: Answer["headers"]): Answer {
  const tags = (request.headers["if-none-match"] ?? "").split(",").map((t) => t.trim().replace(/^W\//, ""));
  if (tags.includes(etag)) return { status: 304, headers: { ...headers, etag } };
  return { status: 200, headers: { "content-type": contentType, etag, ...headers }, body };
}

/** The first clause that we can serve decides: aggregated, or one list at a time. */
function wantsAggregated(accept: string): boolean {
  for (const clause of accept.split(",")) {
    const [media = "", ...parameters] = clause.split(";").map((p) => p.trim());
    const has = (p: string) => parameters.includes(p);
    if (media !== "application/json") {
      if (media === "*/*") return false;
    } else if (has("as=APIGroupDiscoveryList")) {
      if (has("v=v2") && has("g=apidiscovery.k8s.io")) return true;
    } else return false;
  }
  return false;
}

/** /api, /apis, /apis/GROUP, /api/v1, /apis/GROUP/VERSION. Upstream's aggregator answers /apis and the groups whatever the method is. */
export function discoveryHandler(discovery: Discovery): DocumentHandler {
  const aggregated = new Map<"api" | "apis", { readonly text: string; readonly etag: string }>();
  const aggregatedAnswer = (request: HttpRequest, root: "api" | "apis"): Answer => {
    let found = aggregated.get(root);
    if (!found) {
      const text = JSON.stringify(discovery.aggregated(root));
      aggregated.set(root, (found = { text, etag: etagOf(text) }));
    }
    return tagged(request, AGGREGATED_MEDIA_TYPE, found.text, found.etag, { vary: "Accept", "cache-control": "public" });
  };
  const plain = async (request: HttpRequest, body: object): Promise<Answer> => {
    const { format, pretty } = negotiate(request.headers.accept, {});
    return { status: 200, headers: { "content-type": MEDIA_TYPE[format] }, body: (await encode(body, format, pretty || wantsPretty(request))) ?? "" };
  };
  return (request) => {
    const [, root, group = "", version, ...rest] = request.path.replace(/\/$/, "").split("/");
    if ((root !== "api" && root !== "apis") || rest.length > 0) return undefined;
    const isRead = request.method === "GET";
    if (group === "") {
      if (!isRead && root === "api") throw methodNotAllowed();
      if (wantsAggregated(request.headers.accept ?? "")) return aggregatedAnswer(request, root);
      return plain(request, root === "api" ? discovery.apiVersions() : discovery.groupList());
    }
    if (root === "api") return version === undefined ? onlyRead(discovery.resourceList("", group)) : undefined;
    return version === undefined ? known(discovery.group(group)) : onlyRead(discovery.resourceList(group, version));

    function known(body: object | undefined): Promise<Answer> | undefined {
      return body && plain(request, body);
    }

    function onlyRead(body: object | undefined): Promise<Answer> | undefined {
      if (body && !isRead) throw methodNotAllowed();
      return known(body);
    }
  };
}

const FOREVER_MS = 365 * 24 * 60 * 60 * 1000;
/** Older clients ask with `@`, which no media type may have: never an answer's. */
const PROTOBUF_ASKED = { v2: /^com\.github\.proto-openapi\.spec\.v2[@.]v1\.0\+protobuf$/, v3: /^com\.github\.proto-openapi\.spec\.v3[@.]v1\.0\+protobuf$/ } as const;
const VARY = { v2: "Accept-Encoding, Accept", v3: "Accept" } as const;

/** What the client prefers of an OpenAPI document's forms; undefined: none of them. Follows kube-openapi pkg/handler. */
function openApiForm(request: HttpRequest, version: OpenApiVersion): "json" | "protobuf" | undefined {
  for (const { type, subtype } of parseAccept(request.headers.accept ?? "*/*")) {
    if (type !== "*" && type !== "application") continue;
    if (subtype === "*" || subtype === "json") return "json";
    if (PROTOBUF_ASKED[version].test(subtype)) return "protobuf";
  }
  return undefined;
}

/** OpenAPI in protobuf: made when it is first asked for, then kept beside the document's text. */
class OpenApiProtobuf {
  readonly #made = new Map<OpenApiDocument, Uint8Array>();

  async bytesOf(document: OpenApiDocument): Promise<{ readonly mediaType: string; readonly bytes: Uint8Array }> {
    const { encodeOpenApi, OPENAPI_PROTOBUF } = await import("../api/openapi/protobuf.ts");
    let bytes = this.#made.get(document);
    if (!bytes) this.#made.set(document, (bytes = encodeOpenApi(JSON.parse(document.text) as object, document.version)));
    return { mediaType: OPENAPI_PROTOBUF[document.version], bytes };
  }
}

/** A document. A version 3 one may be kept for ever when it is asked for by the hash of what it is now; by another, the client is sent to that. */
async function openApiAnswer(request: HttpRequest, document: OpenApiDocument, protobuf: OpenApiProtobuf, clock: Clock): Promise<Answer> {
  const { version, text, hash } = document;
  const vary = { vary: VARY[version] };
  const form = openApiForm(request, version);
  if (form === undefined) return { status: 406, headers: vary, body: "" };
  const { mediaType, bytes } = form === "json" ? { mediaType: MEDIA_TYPE.json, bytes: text } : await protobuf.bytesOf(document);
  const etag = `"${hash}"`;
  const asked = version === "v3" ? (request.query.get("hash") ?? "") : "";
  if (asked !== "" && asked !== hash) return { status: 301, headers: { ...vary, "content-type": mediaType, etag, location: `${request.path}?hash=${hash}` }, body: "" };
  const forever = asked !== "" && { "cache-control": "public, immutable", expires: new Date(clock.now() + FOREVER_MS).toUTCString().replace("GMT", "UTC") };
  return tagged(request, mediaType, bytes, etag, { ...vary, ...forever, "accept-ranges": "bytes" });
}

/** /openapi/v2, /openapi/v3, /openapi/v3/PATH: whatever the method is. */
export function openApiHandler(openapi: OpenApi, clock: Clock): DocumentHandler {
  const protobuf = new OpenApiProtobuf();
  return (request) => {
    const { path } = request;
    if (path === "/openapi/v3") return { status: 200, headers: { "content-type": TEXT_PLAIN, "accept-ranges": "bytes" }, body: openapi.index() };
    if (path === "/openapi/v2") return openApiAnswer(request, openapi.v2(), protobuf, clock);
    if (!path.startsWith("/openapi/v3/")) return undefined;
    const document = openapi.document(path.slice("/openapi/v3/".length));
    return document ? openApiAnswer(request, document, protobuf, clock) : { status: 404, headers: {}, body: "" };
  };
}
