/**
 * What a request is about, read from its method and URL alone: verb, group, version, namespace, resource, name, subresource. Pure.
 * Follows kubernetes staging/src/k8s.io/apiserver/pkg/endpoints/request/requestinfo.go (NewRequestInfo).
 */
import { table } from "../base/own.ts";
import { parseFieldSelectorName, toBoolean } from "./query.ts";

export interface RequestInfo {
  readonly isResource: boolean;
  /** For what is no resource: the method in lower case. */
  readonly verb: string;
  readonly path: string;
  readonly apiPrefix: string;
  readonly group: string;
  readonly version: string;
  readonly namespace: string;
  /** It is about something inside the namespace, not about the namespace itself. */
  readonly inNamespace: boolean;
  readonly resource: string;
  readonly subresource: string;
  readonly name: string;
  /** The pieces of the path after version and namespace. */
  readonly parts: readonly string[];
  /** The deprecated /watch/ prefix was used. */
  readonly watchPrefix: boolean;
}

const VERBS: Readonly<Record<string, string>> = table({ POST: "create", GET: "get", HEAD: "get", PUT: "update", PATCH: "patch", DELETE: "delete" });
const NAMESPACE_SUBRESOURCES = new Set(["status", "finalize"]);

const nonResource = (method: string, path: string): RequestInfo => ({
  isResource: false, verb: method.toLowerCase(), path, apiPrefix: "", group: "", version: "", namespace: "", inNamespace: false, resource: "", subresource: "", name: "", parts: [], watchPrefix: false,
});

/** A path that cannot be understood, although it is one of the API's: only the deprecated prefix without what is watched. */
export const isBrokenPath = (path: string): boolean => /^\/+(?:api\/[^/]+|apis\/[^/]+\/[^/]+)\/watch\/*$/.test(path);

/** Whether a GET of a collection is a watch. Every word but "false" and "0" is true. Follows Convert_Slice_string_To_bool. */
export const isWatchQuery = (query: URLSearchParams): boolean => toBoolean(query.get("watch")) ?? false;

function resourceParts(parts: readonly string[]): Pick<RequestInfo, "namespace" | "inNamespace"> & { readonly rest: readonly string[] } {
  if (parts[0] !== "namespaces") return { namespace: "", inNamespace: false, rest: parts };
  const namespace = parts[1] ?? "";
  const inNamespace = parts.length > 2 && !NAMESPACE_SUBRESOURCES.has(parts[2] ?? "");
  return { namespace, inNamespace, rest: inNamespace ? parts.slice(2) : parts };
}

export function requestInfoOf(method: string, path: string, query: URLSearchParams): RequestInfo {
  const all = path.replace(/^\/+|\/+$/g, "").split("/");
  const core = all[0] === "api";
  if (!core && all[0] !== "apis") return nonResource(method, path);
  const groupParts = core ? 2 : 3;
  if (all.length <= groupParts) return nonResource(method, path);
  let parts: readonly string[] = all.slice(groupParts);
  const watchPrefix = parts[0] === "watch";
  if (watchPrefix) {
    if (parts.length < 2) return nonResource(method, path);
    parts = parts.slice(1);
  }
  const { rest, ...place } = resourceParts(parts);
  const base = {
    isResource: true, path, apiPrefix: all[0] ?? "", group: core ? "" : (all[1] ?? ""), version: (core ? all[1] : all[2]) ?? "", ...place,
    resource: rest[0] ?? "", name: rest[1] ?? "", subresource: rest[2] ?? "", parts: rest, watchPrefix,
  };
  return { ...base, ...verbAndName(method, base.name, watchPrefix, query) };
}

function verbAndName(method: string, pathName: string, watchPrefix: boolean, query: URLSearchParams): { verb: string; name: string } {
  const verb = watchPrefix ? "watch" : (VERBS[method] ?? "");
  if (pathName !== "" && !watchPrefix) return { verb, name: pathName };
  const selected = () => parseFieldSelectorName(query.get("fieldSelector")) ?? pathName;
  if (verb === "get") return { verb: isWatchQuery(query) ? "watch" : "list", name: selected() };
  if (verb === "watch") return { verb, name: pathName === "" ? selected() : pathName };
  if (verb === "delete") return { verb: "deletecollection", name: pathName };
  return { verb, name: pathName };
}
