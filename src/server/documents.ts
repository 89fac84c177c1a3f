/**
 * Documents that do not change while the server runs: discovery and OpenAPI, with their media types, entity tags and 304s. What is in them is the
 * business of api/discovery and api/openapi.
 * Follows kubernetes staging/src/k8s.io/apiserver/pkg/endpoints/discovery and kube-openapi pkg/handler3.
 */
import { AGGREGATED_MEDIA_TYPE, type Discovery, etagOf } from "../api/discovery/discovery.ts";
import type { OpenApi } from "../api/openapi/openapi.ts";
import { encode } from "./encode.ts";
import { type Answer, type HttpRequest, TEXT_PLAIN } from "./exchange.ts";
import { MEDIA_TYPE, negotiate } from "./negotiation.ts";

/** undefined where the path is none of theirs. */
export type DocumentHandler = (request: HttpRequest) => Promise<Answer | undefined> | Answer | undefined;

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

/** /api, /apis, /apis/GROUP, /api/v1, /apis/GROUP/VERSION. */
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
    const { format } = negotiate(request.headers.accept, { formats: ["json", "yaml"], streams: false });
    return { status: 200, headers: { "content-type": MEDIA_TYPE[format], vary: "Accept" }, body: (await encode(body, format, false)) ?? "" };
  };
  return (request) => {
    const [root, group, version, ...rest] = request.path.split("/").filter((p) => p !== "");
    if ((root !== "api" && root !== "apis") || rest.length > 0 || request.method !== "GET") return undefined;
    if (group === undefined) {
      if (wantsAggregated(request.headers.accept ?? "")) return aggregatedAnswer(request, root);
      return plain(request, root === "api" ? discovery.apiVersions() : discovery.groupList());
    }
    if (root === "api") return version === undefined ? known(discovery.resourceList("", group)) : undefined;
    return known(version === undefined ? discovery.group(group) : discovery.resourceList(group, version));

    function known(body: object | undefined): Promise<Answer> | undefined {
      return body && plain(request, body);
    }
  };
}

const FOR_EVER = { "cache-control": "public, immutable", expires: "Thu, 31 Dec 2099 23:59:59 GMT" };

/** kubectl asks for protobuf, and falls back to this document for kinds that no v3 document has. */
async function openApiV2Answer(request: HttpRequest, openapi: OpenApi): Promise<Answer> {
  const document = openapi.v2();
  const text = JSON.stringify(document);
  if (!request.headers.accept?.includes("com.github.proto-openapi.spec.v2")) return tagged(request, "application/json", text, etagOf(text), { vary: "Accept" });
  const { encodeOpenApiV2, OPENAPI_V2_PROTOBUF } = await import("../api/openapi/protobuf.ts");
  return tagged(request, OPENAPI_V2_PROTOBUF, encodeOpenApiV2(document), etagOf(text), { vary: "Accept" });
}

/** /openapi/v2, /openapi/v3, /openapi/v3/PATH. */
export function openApiHandler(openapi: OpenApi): DocumentHandler {
  return (request) => {
    const path = request.path.replace(/\/+$/, "");
    if (request.method !== "GET" || !path.startsWith("/openapi/")) return undefined;
    if (path === "/openapi/v3") {
      const text = openapi.index();
      return tagged(request, TEXT_PLAIN, text, etagOf(text), { vary: "Accept-Encoding, Accept" });
    }
    if (path === "/openapi/v2") return openApiV2Answer(request, openapi);
    if (!path.startsWith("/openapi/v3/")) return undefined;
    const name = path.slice("/openapi/v3/".length);
    const document = openapi.document(name);
    if (!document) return { status: 404, headers: {}, body: "" };
    const asked = request.query.get("hash");
    const current = `${path}?hash=${document.hash}`;
    if (asked !== null && asked !== document.hash) return { status: 301, headers: { location: current }, body: "" };
    return tagged(request, "application/json", document.text, `"${document.hash}"`, { vary: "Accept", ...(asked !== null && FOR_EVER) });
  };
}
