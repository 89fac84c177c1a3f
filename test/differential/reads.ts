/** Requests that change nothing, in all the forms that clients use or get wrong: options of lists and watches, selectors, paths and methods, media types. */
import type { Sent } from "./endpoint.ts";

const VERSIONS = ["", "0", "x", "-1", "18446744073709551616"];
const MATCHES = ["", "resourceVersionMatch=Exact", "resourceVersionMatch=NotOlderThan", "resourceVersionMatch=Other"];
const MODES = ["", "limit=2", "continue=x", "sendInitialEvents=true", "watch=1&timeoutSeconds=1", "watch=1&timeoutSeconds=1&sendInitialEvents=true&allowWatchBookmarks=true", "timeoutSeconds=x", "timeout=x"];
const LABELS = ["a", "!a", "a=", "a==b", "a!=b", "a in (b,c)", "a in ()", "a in (,)", "a notin (b)", "a>1", "a>x", "a,,b", ",a", "a b", "a in (b", "a=b=c", "-a", "a/b/c", "a=-b", "a===b", "a in (b,,c)", "*"];
const FIELDS = ["metadata.name=a", "metadata.name!=a", "metadata.name", "=", "=a", "metadata.name=a,metadata.name=b", "metadata.name=a\\,b", "metadata.name=a\\x", "metadata.name in (a)", ",", "metadata.uid=a", "status.phase=x", "spec.nodeName=x"];
const METHODS = ["GET", "HEAD", "OPTIONS", "TRACE", "POST", "PUT", "PATCH", "DELETE"];
const PATHS = ["", "/nope", "/nope/status", "/nope/x/y", "/.", "/a%2Fb", "/"];
const ACCEPTS = [
  "", "*/*", "application/*", "text/html", "application/yaml", "application/json;q=0.5,application/yaml", "*/*;q=0.1,application/yaml;q=0.05", "application/json;v=v1", "application/json;stream=watch", ",", "APPLICATION/JSON",
  "application/json;as=Table;v=v1;g=meta.k8s.io", "application/json;as=Table;v=v1alpha1;g=meta.k8s.io", "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io", "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io",
];
const DOCUMENTS = ["/api/v1", "/apis/batch", "/apis/batch/v1", "/apis/nope", "/api/v9", "/healthz", "/healthz/", "/livez/etcd", "/readyz?exclude=nope", "/nowhere", "/api/v1/watch", "/openapi/v3/nope", "/openapi/v3/apis/batch/v1"];

const get = (path: string, accept?: string): Sent => ({ method: "GET", path, ...(accept !== undefined && { accept }) });

/** All of them, for ConfigMaps and Pods of a namespace. */
export function reads(namespace: string): readonly Sent[] {
  const maps = `/api/v1/namespaces/${namespace}/configmaps`;
  const queries = VERSIONS.flatMap((version) => MATCHES.flatMap((match) => MODES.map((mode) => [version && `resourceVersion=${version}`, match, mode].filter((part) => part !== "").join("&"))));
  const selected = [...LABELS.map((text) => `labelSelector=${encodeURIComponent(text)}`), ...FIELDS.map((text) => `fieldSelector=${encodeURIComponent(text)}`)];
  return [
    ...queries.map((query) => get(`${maps}?${query}`)),
    ...selected.flatMap((query) => [get(`${maps}?${query}`), get(`/api/v1/namespaces/${namespace}/pods?${query}`), get(`${maps}?watch=1&timeoutSeconds=1&${query}`)]),
    ...PATHS.flatMap((path) => METHODS.filter((method) => path !== "" || method !== "DELETE").map((method): Sent => ({ method, path: maps + path }))),
    ...ACCEPTS.flatMap((accept) => [maps, `${maps}/nope`, "/api/v1/nonsense", "/apis/batch/v1"].map((path) => get(path, accept))),
    ...DOCUMENTS.flatMap((path) => ["GET", "HEAD", "POST"].map((method): Sent => ({ method, path }))),
  ];
}
