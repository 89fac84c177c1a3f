/**
 * Requests as bytes, drawn for a server that takes anything: bodies out of the schemas as JSON, YAML, protobuf and none of these, whole and spoilt,
 * under headers, paths and queries that fit or do not. Draws everything from fast-check's `gen`, so that a seed repeats it.
 */
import { boolean, constantFrom, integer, nat } from "fast-check";
import { stringify } from "yaml";
import { encodeProtobuf } from "../../src/api/protobuf/encode.ts";
import { apiVersionOf, type Resource } from "../../src/api/resource.ts";
import type { Sent } from "./attacked.ts";
import { drawJsonPatch, drawObject, drawPatch, leastObject, type Draw } from "./generate.ts";

export const NAMES = ["f0", "f1", "f2", "f3"] as const;

export const collectionOf = (r: Resource, namespace = "default"): string => `/${r.group === "" ? "api" : "apis"}/${apiVersionOf(r)}${r.namespaced ? `/namespaces/${namespace}` : ""}/${r.plural}`;

const MEDIA = { json: "application/json", yaml: "application/yaml", protobuf: "application/vnd.kubernetes.protobuf" } as const;
type Media = keyof typeof MEDIA;

function encoded(media: Media, value: object): Buffer {
  if (media === "json") return Buffer.from(JSON.stringify(value));
  if (media === "yaml") return Buffer.from(stringify(value));
  try {
    return Buffer.from(encodeProtobuf(value) ?? "");
  } catch {
    // A drawn value that protobuf has no form for.
    return Buffer.from("k8s\0\x0a\x00", "latin1");
  }
}

const deep = (open: string, close: string, depth: number) => Buffer.from(open.repeat(depth) + close.repeat(depth));
const ANCHORS = ["a: &a [x, x, x, x, x, x, x, x, x]", ..."bcdefgh".split("").map((name, i) => `${name}: &${name} [${Array.from({ length: 9 }, () => `*${"abcdefgh"[i]}`).join(", ")}]`)].join("\n");
const PROTOBUF = (hex: string) => Buffer.concat([Buffer.from("k8s\0", "latin1"), Buffer.from(hex, "hex")]);

/** Bodies that are of no use to anybody. */
const NONSENSE: readonly Buffer[] = [
  Buffer.alloc(0), Buffer.from("null"), Buffer.from("[]"), Buffer.from('"x"'), Buffer.from("1e999"), Buffer.from("{"), Buffer.from('{"a":1,"a":2}'), Buffer.from("\ufeff{}"), Buffer.from([0xff, 0xfe, 0x00]),
  Buffer.from('{"metadata":{"name":"\\ud800"}}'), Buffer.from('{"metadata":{"name":"f0","name":"f1"},"kind":1}'), Buffer.from('{"items":[]}'), Buffer.from("---\n---\n{}"), Buffer.from("a: !!js/function 'x'"), Buffer.from("? [a]\n: b"),
  Buffer.from("<<: *x"), Buffer.from("a: &a {b: *a}"), Buffer.from(ANCHORS), Buffer.from("%YAML 9.9\n---\na"), Buffer.from("\ta: b"), Buffer.from("{a: 0x10, b: 0o17, c: .inf, d: 2026-01-01}"),
  Buffer.from(`"`.repeat(4_000)), Buffer.from(`"\n`.repeat(4_000)), Buffer.from(`${Array.from({ length: 300 }, (_, i) => `a${i}: &a${i} [x]`).join("\n")}\nz: [${Array.from({ length: 300 }, (_, i) => `*a${i}`).join(",")}]`), Buffer.from("a: b\n".repeat(400_000)),
  deep("[", "]", 50_000), deep('{"a":', "}", 20_000), deep("- ", "", 5_000), deep("{a: ", "}", 3_000),
  PROTOBUF(""), PROTOBUF("0a"), PROTOBUF("0affffffff0f"), PROTOBUF("ffffffffffffffffffff01"), PROTOBUF("0a0a0a02763112045465737412020a00"), PROTOBUF("12ffffffffffffffff7f00"), PROTOBUF(`1280${"80".repeat(20)}01`),
];

/** Some bytes changed, cut off, doubled or put in front. */
function spoil(g: Draw, bytes: Buffer): Buffer {
  const at = g(nat, Math.max(0, bytes.length - 1));
  switch (g(nat, 4)) {
    case 0: return bytes.subarray(0, at);
    case 1: return Buffer.concat([bytes.subarray(0, at), Buffer.from([g(nat, 255), g(nat, 255)]), bytes.subarray(at)]);
    case 2: return Buffer.concat([bytes, bytes]);
    case 3: return Buffer.concat([bytes.subarray(0, at), bytes.subarray(Math.min(bytes.length, at + g(integer, { min: 1, max: 8 })))]);
    default: {
      const changed = Buffer.from(bytes);
      for (let i = 0; i < 3; i++) if (changed.length > 0) changed[g(nat, changed.length - 1)] = g(nat, 255);
      return changed;
    }
  }
}

const ACCEPTS = [...Array.from({ length: 12 }, () => MEDIA.json), MEDIA.yaml, MEDIA.protobuf, "*/*", "", "text/html", "application/json;as=Table;v=v1;g=meta.k8s.io", "application/json;as=Table;v=v1;g=meta.k8s.io,application/json", "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io", "application/vnd.kubernetes.protobuf;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json", "application/json;q=0.1, application/yaml;q=NaN", ";;;=,,", "application/json;stream=watch", "a/b;c=\"d"];
const CONTENT_TYPES = ["text/plain", "application/cbor", "application/json; charset=utf-16", "APPLICATION/JSON", ";", "application/apply-patch+cbor", "multipart/form-data; boundary=x"];
const AGENTS = ["kubectl/v1.35.2", "a".repeat(2000), "curl/8", "é", "/", ""];

const selector = (g: Draw) => g(constantFrom, "app=a", "app in (a,b)", "!keep", "a==", "in", "app notin (", "=", "a,,b", "metadata.name=f0", "spec.nodeName=x", "status.phase!=Running", "x".repeat(5000), "é=1", "a>1", "metadata.namespace=default,metadata.name=f1");
const version = (g: Draw) => g(constantFrom, "0", "0", "", "1", "1", "-1", "x", "1.5", g(nat, 9) === 0 ? "99999999" : "0", "2");
const QUERY: Readonly<Record<string, (g: Draw) => string>> = {
  limit: (g) => g(constantFrom, "1", "2", "0", "-1", "x", "9223372036854775808"),
  continue: (g) => g(constantFrom, "", "x", "eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6MSwic3RhcnQiOiJhIn0", Buffer.from('{"v":"meta.k8s.io/v1","rv":-1,"start":"../../x"}').toString("base64url")),
  labelSelector: selector, fieldSelector: selector, resourceVersion: version,
  resourceVersionMatch: (g) => g(constantFrom, "Exact", "NotOlderThan", "x"),
  dryRun: (g) => g(constantFrom, "All", "", "None"), fieldValidation: (g) => g(constantFrom, "Strict", "Warn", "Ignore", "x"), fieldManager: (g) => g(constantFrom, "me", "", "x".repeat(200), "\u0007"),
  force: (g) => g(constantFrom, "true", "1", "x", ""), pretty: (g) => g(constantFrom, "true", "0"), includeObject: (g) => g(constantFrom, "Object", "None", "x"), propagationPolicy: (g) => g(constantFrom, "Foreground", "Orphan", "x"),
  gracePeriodSeconds: (g) => g(constantFrom, "0", "-1", "x", "9223372036854775807"), timeout: (g) => g(constantFrom, "1s", "x"), watch: (g) => g(constantFrom, "true", "false"), sendInitialEvents: (g) => g(constantFrom, "true", "false", "x"), allowWatchBookmarks: (g) => g(constantFrom, "true", "x"),
};

function query(g: Draw): string {
  const names = Array.from({ length: g(constantFrom, 0, 0, 1, 1, 2, 4) }, (): string => g(constantFrom, ...Object.keys(QUERY)));
  const params = new URLSearchParams(names.map((name): [string, string] => [name, QUERY[name]?.(g) ?? ""]));
  // A watch ends by itself.
  if (params.get("watch") === "true") params.set("timeoutSeconds", "1");
  const text = params.toString() + (g(nat, 19) === 0 ? g(constantFrom, "&%zz=%", "&&&=", "&limit=1&limit=x", "&a=%00") : "");
  return text === "" ? "" : `?${text}`;
}

const ODD_PATHS = ["/", "//", "/api", "/api/", "/apis/batch", "/api/v1/namespaces//pods", "/api/v1/namespaces/default/pods/%2e%2e", "/api/v1/namespaces/%00/pods", "/api/v1/namespaces/default/pods/a/b/c/d/e", "/api/v1/watch", "/api/v1/watch/namespaces/default/pods?timeoutSeconds=1", "/api/v2/pods", "/apis/batch/v1/namespaces/default/jobs/%E0%A4%A", `/${"x".repeat(9000)}`, "/openapi/v2", "/openapi/v3", "/openapi/v3/apis/batch/v1", "/openapi/v3/../..", "/metrics?x", "/healthz/", "/livez?verbose", "/readyz?exclude=x", "/version", "/api/v1/namespaces/default/pods/f0/log", "/api/v1/namespaces/default/pods/f0/exec?command=x", "/api/v1/namespaces/default/serviceaccounts/default/token", "/api/v1/namespaces/default/pods/f0/eviction", "/api/v1/namespaces/default/bindings", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", "/apis/authentication.k8s.io/v1/tokenreviews"];
const HEADERS: readonly Readonly<Record<string, string>>[] = [
  ...Array.from({ length: 40 }, () => ({})), { "accept-encoding": "gzip" }, { "accept-encoding": "br;q=1, gzip;q=0" }, { authorization: "Bearer x" }, { authorization: "Bearer a.b.c" }, { authorization: "Basic eA==" }, { authorization: "" }, { "impersonate-user": "jane" }, { "impersonate-group": "g" }, { "impersonate-user": "system:serviceaccount:default:default", "impersonate-extra-%zz": "x" },
  { "content-encoding": "gzip" }, { "x-long": "x".repeat(12_000) }, { "audit-id": "\t" }, { "x-http-method-override": "DELETE" }, { origin: "https://example.com" }, { "if-none-match": '"x"' }, { range: "bytes=0-1" },
];
const SUBRESOURCES = [...Array.from({ length: 12 }, () => ""), "/status", "/status", "/scale", "/finalize", "/x", "/status/x"];

interface Drawn {
  readonly media: string;
  readonly body: Buffer;
}

const PATCH_TYPES = ["application/merge-patch+json", "application/strategic-merge-patch+json", "application/json-patch+json", "application/apply-patch+yaml"] as const;

function drawBody(g: Draw, method: string, resource: Resource, name: string): Drawn {
  if (method === "PATCH") {
    const media = g(constantFrom, ...PATCH_TYPES);
    const value = media === "application/json-patch+json" ? drawJsonPatch(g) : media === "application/apply-patch+yaml" ? drawObject(g, resource, name) : drawPatch(g, resource);
    return { media, body: encoded(g(nat, 5) === 0 ? "yaml" : "json", value) };
  }
  if (method === "DELETE") return { media: MEDIA.json, body: encoded("json", { apiVersion: "v1", kind: "DeleteOptions", gracePeriodSeconds: g(constantFrom, 0, 1, -1), ...(g(boolean) && { propagationPolicy: g(constantFrom, "Background", "Orphan", "x") }) }) };
  const media: Media = g(constantFrom<Media[]>, "json", "json", "yaml", "protobuf");
  const object = g(nat, 2) === 0 ? leastObject(resource, name) : { apiVersion: apiVersionOf(resource), kind: resource.kind, ...drawObject(g, resource, name) };
  return { media: MEDIA[media], body: encoded(media, object) };
}

/** What a request is about. */
export interface Target {
  readonly resource: Resource;
  readonly name: string;
}

/** A request that some client might send, or no client would. */
export function drawRequest(g: Draw, { resource, name }: Target): Sent {
  const method = g(constantFrom, "POST", "POST", "POST", "PUT", "PUT", "PATCH", "PATCH", "PATCH", "POST", "PUT", "PATCH", "PATCH", "GET", "GET", "GET", "DELETE", "HEAD", g(constantFrom, "OPTIONS", "BREW"));
  const onObject = method === "PUT" || method === "PATCH" || (method !== "POST" && g(boolean));
  const place = `${collectionOf(resource, g(nat, 19) === 0 ? "nowhere" : "default")}${onObject ? `/${name}${g(constantFrom, ...SUBRESOURCES)}` : ""}`;
  const path = g(nat, 14) === 0 ? g(constantFrom, ...ODD_PATHS) : place + query(g);
  const headers = { accept: g(constantFrom, ...ACCEPTS), "user-agent": g(constantFrom, ...AGENTS), ...g(constantFrom, ...HEADERS) };
  if (method === "GET" || method === "HEAD" || method === "OPTIONS" || (method === "DELETE" && g(boolean))) return { method, path, headers, body: undefined };
  const drawn = drawBody(g, method, resource, name);
  const body = g(nat, 7) === 0 ? g(constantFrom, ...NONSENSE) : g(nat, 4) === 0 ? spoil(g, drawn.body) : drawn.body;
  const type = body !== drawn.body && g(nat, 3) === 0 ? MEDIA.yaml : g(nat, 19) === 0 ? g(constantFrom, ...CONTENT_TYPES) : g(nat, 24) === 0 ? g(constantFrom, ...Object.values(MEDIA)) : drawn.media;
  return { method, path, headers: { ...headers, "content-type": type }, body };
}
