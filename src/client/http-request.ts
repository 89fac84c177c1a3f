/**
 * What an ApiRequest or WatchRequest is in HTTP: method, path, query, body. Pure; https-api.ts sends it.
 */
import { unreachable as unreachableCase } from "../base/assert.ts";
import type { ApiRequest, PatchType, Target, WatchRequest } from "../api/request.ts";

export interface HttpRequest {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** With its query. */
  readonly path: string;
  readonly contentType?: string;
  readonly body?: string;
}

const PATCH_CONTENT_TYPE: Readonly<Record<PatchType, string>> = {
  json: "application/json-patch+json",
  merge: "application/merge-patch+json",
  strategic: "application/strategic-merge-patch+json",
  // JSON is YAML.
  apply: "application/apply-patch+yaml",
};

type QueryValue = string | number | boolean | readonly string[] | undefined;

function queryOf(options: object): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(options) as readonly [string, QueryValue][]) {
    if (value === undefined) continue;
    if (typeof value === "object") for (const one of value) query.append(name, one);
    else query.append(name, String(value));
  }
  const text = query.toString();
  return text === "" ? "" : `?${text}`;
}

function pathOf({ resource, namespace }: Target, name = "", subresource = ""): string {
  const { group, version, plural, namespaced } = resource;
  const parts = [group === "" ? `api/${version}` : `apis/${group}/${version}`, ...(namespaced && namespace !== "" ? ["namespaces", encodeURIComponent(namespace)] : []), plural];
  return `/${[...parts, ...(name === "" ? [] : [encodeURIComponent(name)]), ...(subresource === "" ? [] : [subresource])].join("/")}`;
}

const json = (value: unknown) => ({ contentType: "application/json", body: JSON.stringify(value) });

export function httpRequestOf(request: ApiRequest): HttpRequest {
  switch (request.verb) {
    case "get":
      return { method: "GET", path: pathOf(request, request.name, request.subresource) + queryOf({ resourceVersion: request.resourceVersion }) };
    case "list":
      return { method: "GET", path: pathOf(request) + queryOf(request.options) };
    case "create":
      return { method: "POST", path: pathOf(request, request.name, request.subresource) + queryOf(request.options), ...json(request.object) };
    case "update":
      return { method: "PUT", path: pathOf(request, request.name, request.subresource) + queryOf(request.options), ...json(request.object) };
    case "patch":
      return { method: "PATCH", path: pathOf(request, request.name, request.subresource) + queryOf(request.options), contentType: PATCH_CONTENT_TYPE[request.type], body: JSON.stringify(request.patch) };
    case "delete":
      return { method: "DELETE", path: pathOf(request, request.name, request.subresource), ...json(deleteOptions(request.options)) };
    case "deletecollection":
      return { method: "DELETE", path: pathOf(request) + queryOf(request.list), ...json(deleteOptions(request.options)) };
    default:
      return unreachableCase(request);
  }
}

const deleteOptions = (options: object) => ({ apiVersion: "v1", kind: "DeleteOptions", ...options });

export function httpWatchOf({ options, name, ...target }: WatchRequest): HttpRequest {
  const selectors = [name === undefined ? [] : [`metadata.name=${name}`], options.fieldSelector ? [options.fieldSelector] : []].flat();
  const fieldSelector = selectors.length > 0 ? selectors.join(",") : undefined;
  return { method: "GET", path: pathOf(target) + queryOf({ ...options, fieldSelector, watch: true }) };
}
