/**
 * Requests for resources: which route, which verb, the body decoded, the Api asked, the answer in the form that was asked for.
 * Subresources that are connections (log, exec …) are passed in; whoever may ask at all was settled before.
 * Follows kubernetes staging/src/k8s.io/apiserver/pkg/endpoints/handlers (create.go, get.go, update.go, patch.go, delete.go).
 */
import type { Logger } from "../base/logger.ts";
import { own, table } from "../base/own.ts";
import type { Kind } from "../api/kinds/kind.ts";
import type { Api, ApiAnswer, Caller, NamedTarget, PatchType } from "../api/request.ts";
import type { Resource } from "../api/resource.ts";
import type { GroupVersionKind } from "../api/schema/schema.ts";
import { methodNotSupported, StatusError, withWarnings } from "../api/status-error.ts";
import { checkCreateOptions, checkDeleteOptions, checkPatchOptions, checkUpdateOptions } from "../registry/options.ts";
import { decodeBody, decodeDeleteOptions, decodePatchBody } from "./codec.ts";
import { type Answer, type HttpRequest, methodNotAllowed, resourceNotFound } from "./exchange.ts";
import { inputFormatOf, negotiate, type Negotiated, negotiateStream, plainContentType } from "./negotiation.ts";
import { deleteOptionsOf, listOptionsOf, toBoolean, watchOptionsOf, writeOptionsOf } from "./query.ts";
import type { RequestInfo } from "./request-info.ts";
import { respond, type RespondDeps } from "./respond.ts";
import type { ServedResource, ServedSubresource } from "./served.ts";
import { includeObjectOf } from "./table.ts";
import { warningHeaders } from "./warnings.ts";
import { type SharedEvents, watchAnswer } from "./watch.ts";

/** A subresource that is not the Api's: what it does with the exchange. */
export type SubresourceHandler = (request: HttpRequest, info: RequestInfo, caller: Caller) => Promise<Answer>;

/** A subresource that is a connection and no object. */
export interface ConnectSubresource {
  readonly handle: SubresourceHandler;
  /** A WebSocket is opened with GET, but does what POST does: the right to create is asked for, too. */
  readonly acts?: true;
  /** A proxy: a path of its own may follow, and every method goes through. */
  readonly hasPath?: true;
}

/** By `group/plural/subresource`. */
export type ConnectSubresources = ReadonlyMap<string, ConnectSubresource>;

export interface ResourceDeps extends RespondDeps {
  readonly api: Api;
  readonly kindOf: (resource: Resource) => Kind | undefined;
  readonly logger: Logger;
  readonly shared: SharedEvents;
  readonly openWatches: Set<() => void>;
  readonly connects: ConnectSubresources;
}

export interface Route {
  readonly served: ServedResource;
  readonly subresource: ServedSubresource | undefined;
}

const verbsOf = ({ served, subresource }: Route): ReadonlySet<string> => subresource?.verbs ?? served.verbs;

/** The route of a request, or 404 and 405 in upstream's words. */
export function routeOf(method: string, info: RequestInfo, served: ServedResource | undefined, connects: ConnectSubresources): Route {
  if (!served) throw resourceNotFound();
  const { namespaced, group, plural } = served.resource;
  const connect = connects.get(`${group}/${plural}/${info.subresource}`);
  if (info.parts.length > 3 && !connect?.hasPath) throw resourceNotFound();
  const { inNamespace } = info;
  const onObject = info.parts.length > 1;
  if (inNamespace ? !namespaced : namespaced && onObject) throw resourceNotFound();
  const subresource = info.subresource === "" ? undefined : served.subresources.get(info.subresource);
  if (info.subresource !== "" && !subresource) throw resourceNotFound();
  const route = { served, subresource };
  if (onObject && !subresource && !OBJECT_VERBS.some((verb) => served.verbs.has(verb))) throw resourceNotFound();
  const isAsked = connect?.hasPath === true ? PROXIED.has(method) : method !== "HEAD" && (!info.watchPrefix || method === "GET") && isAllowed(info, route, namespaced && !inNamespace);
  if (!isAsked) throw methodNotAllowed();
  return route;
}

/** What goes through to what is proxied. */
const PROXIED = new Set(["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"]);
const COLLECTION_VERBS = new Set(["list", "watch", "create", "deletecollection"]);
const OBJECT_VERBS = ["get", "update", "patch", "delete"];

function isAllowed(info: RequestInfo, route: Route, allNamespaces: boolean): boolean {
  // A list may ask to be a watch; whether it can be one is said later.
  const verb = info.verb === "watch" && !info.watchPrefix && !verbsOf(route).has("watch") ? "list" : info.verb;
  if (!verbsOf(route).has(verb)) return false;
  if (route.subresource) return !info.watchPrefix;
  if (allNamespaces && verb !== "list" && verb !== "watch") return verb === "create" && !route.served.verbs.has("list");
  if (info.watchPrefix) return true;
  return info.parts.length > 1 ? OBJECT_VERBS.includes(verb) : COLLECTION_VERBS.has(verb);
}

export async function handleResource(request: HttpRequest, info: RequestInfo, route: Route, caller: Caller, deps: ResourceDeps): Promise<Answer> {
  const { resource } = route.served;
  const connect = deps.connects.get(`${resource.group}/${resource.plural}/${info.subresource}`);
  if (connect) return connect.handle(request, info, caller);
  const deprecation = deps.kindOf(resource)?.deprecation;
  return deprecation === undefined ? objectAnswer(request, info, route, caller, deps) : warnedAnswer(deprecation, objectAnswer(request, info, route, caller, deps));
}

/** Whoever uses a kind that is going out is told so, whatever the answer is. */
async function warnedAnswer(deprecation: string, answering: Promise<Answer>): Promise<Answer> {
  try {
    const answer = await answering;
    const { warning: more = [] } = answer.headers;
    return { ...answer, headers: { ...answer.headers, warning: [...warningHeaders([deprecation]), ...(typeof more === "string" ? [more] : more)] } };
  } catch (error) {
    throw withWarnings(error, [deprecation]);
  }
}

async function objectAnswer(request: HttpRequest, info: RequestInfo, route: Route, caller: Caller, deps: ResourceDeps): Promise<Answer> {
  const { resource } = route.served;
  const namespace = resource.namespaced ? info.namespace : "";
  const { accept } = request.headers;
  const negotiated = info.verb === "watch" ? negotiateStream(accept) : negotiate(accept, { streams: info.verb === "list", converts: true });
  const kind = deps.kindOf(resource);
  const include = negotiated.view.as === "Table" ? includeObjectOf(request.query) : "Metadata";
  const form = { negotiated, kind: own(kind?.views, info.subresource)?.kind ?? kind, include };
  if (info.verb === "watch") {
    if (!route.served.verbs.has("watch")) throw methodNotSupported(resource, "watch");
    const name = info.watchPrefix && info.parts.length > 1 ? { name: info.name } : {};
    const watch = { resource, namespace, options: watchOptionsOf(request.query), ...name };
    return watchAnswer(watch, caller, form, { ...deps, open: deps.openWatches });
  }
  const target: NamedTarget = { resource, namespace, name: info.name, subresource: info.subresource };
  const answer = await VERBS[info.verb as Verb]({ request, target, route, caller, negotiated }, deps);
  return respond(request, answer, form, deps);
}

interface Call {
  readonly request: HttpRequest;
  readonly target: NamedTarget;
  readonly route: Route;
  readonly caller: Caller;
  readonly negotiated: Negotiated;
}

type Verb = "get" | "list" | "create" | "update" | "patch" | "delete" | "deletecollection";

const VERBS: Readonly<Record<Verb, (call: Call, deps: ResourceDeps) => Promise<ApiAnswer>>> = {
  get({ request, target, caller }, { api }) {
    const resourceVersion = request.query.get("resourceVersion");
    return api.handle({ verb: "get", ...target, ...(resourceVersion !== null && { resourceVersion }) }, caller);
  },
  list: ({ request, target: { resource, namespace }, caller }, { api }) => api.handle({ verb: "list", resource, namespace, options: listOptionsOf(request.query) }, caller),
  create,
  update,
  patch,
  delete: remove,
  async deletecollection({ request, target: { resource, namespace }, caller }, deps) {
    const list = listOptionsOf(request.query);
    const options = await readDeleteOptions(request, resource);
    return deps.api.handle({ verb: "deletecollection", resource, namespace, list, options }, caller);
  },
};

/** The answer, an error too, with what there was to say before the Api was asked. */
async function warned(warnings: readonly string[], answer: () => Promise<ApiAnswer>): Promise<ApiAnswer> {
  try {
    const { warnings: own, ...rest } = await answer();
    return { ...rest, warnings: [...warnings, ...own] };
  } catch (error) {
    throw withWarnings(error, warnings);
  }
}

const bodyKindOf = ({ served, subresource }: Route): GroupVersionKind => subresource ?? served.resource;

async function create({ request, target, route, caller }: Call, { api }: ResourceDeps): Promise<ApiAnswer> {
  const format = inputFormatOf(request.headers["content-type"]);
  const bytes = await request.body();
  const options = writeOptionsOf(request.query);
  checkCreateOptions(options);
  const { object, warnings } = await decodeBody({ bytes, format, expected: bodyKindOf(route), fieldValidation: options.fieldValidation });
  const { resource, namespace, name, subresource } = target;
  const named = route.subresource ? { name, subresource } : {};
  return warned(warnings, () => api.handle({ verb: "create", resource, namespace, object, options, ...named }, caller));
}

async function update({ request, target, route, caller }: Call, { api }: ResourceDeps): Promise<ApiAnswer> {
  const format = inputFormatOf(request.headers["content-type"]);
  const bytes = await request.body();
  const options = writeOptionsOf(request.query);
  checkUpdateOptions(options);
  const { object, warnings } = await decodeBody({ bytes, format, expected: bodyKindOf(route), fieldValidation: options.fieldValidation });
  return warned(warnings, () => api.handle({ verb: "update", ...target, object, options }, caller));
}

const PATCH_TYPES: Readonly<Record<string, PatchType>> = table({
  "application/json-patch+json": "json",
  "application/merge-patch+json": "merge",
  "application/strategic-merge-patch+json": "strategic",
  "application/apply-patch+yaml": "apply",
});

/** go-restful's answer: no route of this path reads such a body. */
const unsupportedPatch = (): StatusError => new StatusError({ code: 415, reason: "UnsupportedMediaType", message: "415: Unsupported Media Type", details: {} });

async function patch({ request, target, caller }: Call, { api }: ResourceDeps): Promise<ApiAnswer> {
  const type = PATCH_TYPES[plainContentType(request.headers["content-type"])];
  if (!type) throw unsupportedPatch();
  const bytes = await request.body();
  const force = toBoolean(request.query.get("force"));
  const options = { ...writeOptionsOf(request.query), ...(force !== undefined && { force }) };
  checkPatchOptions(options, type);
  const value = decodePatchBody(bytes);
  return api.handle({ verb: "patch", ...target, type, patch: value, options }, caller);
}

/** A body makes the query count for nothing. */
async function readDeleteOptions(request: HttpRequest, resource: Resource) {
  const bytes = await request.body();
  const options = bytes.length > 0 ? await decodeDeleteOptions(bytes, inputFormatOf(request.headers["content-type"]), resource) : deleteOptionsOf(request.query);
  checkDeleteOptions(options);
  return options;
}

async function remove({ request, target, caller }: Call, { api }: ResourceDeps): Promise<ApiAnswer> {
  const options = await readDeleteOptions(request, target.resource);
  return api.handle({ verb: "delete", ...target, options }, caller);
}
