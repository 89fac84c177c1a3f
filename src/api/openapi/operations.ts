/**
 * The operations of a group version, before they are written down as OpenAPI v2 or v3: which address takes which method, with which parameters, bodies
 * and answers, for which kind. Follows apiserver pkg/endpoints/installer.go (registerResourceHandlers) and pkg/endpoints/openapi (operation ids and tags).
 */
import type { ApiResource, ServedVersion } from "../discovery/discovery.ts";
import { schemaOfKind } from "../schema/schema.ts";
import { CONNECT, DELETE, inPath, LIST, LOG, ONE_PATCH, type Parameter, PROXY_PATH, query, WRITE } from "./parameters.ts";

export const META = "io.k8s.apimachinery.pkg.apis.meta.v1.";
export const OBJECT_TYPES: readonly string[] = ["application/json", "application/yaml", "application/vnd.kubernetes.protobuf"];
const STREAM_TYPES = [...OBJECT_TYPES, "application/json;stream=watch", "application/vnd.kubernetes.protobuf;stream=watch"];
const PATCH_TYPES = ["application/json-patch+json", "application/merge-patch+json", "application/strategic-merge-patch+json", "application/apply-patch+yaml"];
const ANY = ["*/*"];

export interface Operation {
  readonly method: string;
  readonly description: string;
  readonly id: string;
  readonly tag: string;
  readonly consumes?: readonly string[];
  readonly produces: readonly string[];
  readonly parameters: readonly Parameter[];
  /** Schema of the request's body, and whether there must be one. */
  readonly body?: { readonly schema: string; readonly required: boolean };
  /** Code → the schema of its answer; undefined: a text. */
  readonly answers: readonly (readonly [code: number, schema: string | undefined])[];
  readonly action?: string;
  readonly gvk?: { readonly group: string; readonly version: string; readonly kind: string };
}

export type Operations = ReadonlyMap<string, readonly Operation[]>;

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

/** "rbac.authorization" → "rbacAuthorization". */
const identifier = (text: string): string => text.split(/[^A-Za-z0-9_]/).map((part, i) => (i === 0 ? part : capital(part))).join("");

const groupOf = (group: string): string => identifier(group === "" ? "core" : group.replace(/\.k8s\.io$/, ""));

/** `/api/v1` or `/apis/batch/v1`. */
export const rootOf = (v: Pick<ServedVersion, "group" | "version">): string => (v.group === "" ? `/api/${v.version}` : `/apis/${v.group}/${v.version}`);

/** What a path is about. */
interface Subject {
  readonly served: ServedVersion;
  /** The kind whose resource it is, and that of the bodies, which differ below some subresources. */
  readonly kind: string;
  readonly gvk: NonNullable<Operation["gvk"]>;
  readonly subresource: string;
  readonly namespaced: boolean;
  /** "ForAllNamespaces", "WithPath" or "". */
  readonly suffix: string;
  readonly schema: string | undefined;
  readonly isWatchable: boolean;
  readonly deletionReturns: string | undefined;
}

function article(noun: string): string {
  if (noun.endsWith("s") && !noun.endsWith("ss")) return " ";
  return /^[AEIOU]/.test(noun) ? " an " : " a ";
}

function operationId(verb: string, { served, kind, subresource, namespaced, suffix }: Subject, middle = "", end = ""): string {
  const prefix = `${capital(groupOf(served.group))}${capital(served.version)}`;
  return `${verb}${prefix}${middle}${namespaced && suffix !== "ForAllNamespaces" ? "Namespaced" : ""}${kind}${capital(subresource)}${end}${suffix}`;
}

const common = (subject: Subject) => ({ tag: `${groupOf(subject.served.group)}_${subject.served.version}`, gvk: subject.gvk, consumes: ANY, produces: OBJECT_TYPES });

type Codes = readonly number[];
const answering = (schema: string | undefined, codes: Codes): Operation["answers"] => codes.map((code) => [code, schema] as const);

/** Kinds of which a deletion gives the object back. */
const RETURNED = new Set(["Pod", "PodTemplate", "PersistentVolume", "PersistentVolumeClaim", "ResourceQuota", "Service", "ServiceAccount", "CSIDriver", "CSINode", "StorageClass", "VolumeAttachment", "VolumeAttributesClass", "DeviceClass", "ResourceClaim", "ResourceClaimTemplate", "ResourceSlice"]);

function operationOf(verb: string, s: Subject): Operation | undefined {
  const { kind, subresource, schema } = s;
  const of = subresource === "" ? "" : `${subresource} of `;
  const base = common(s);
  switch (verb) {
    case "get": return { ...base, method: "get", id: operationId("read", s), description: `read ${of}the specified ${kind}`, parameters: [], answers: answering(schema, [200]), action: "get" };
    case "list": return {
      ...base, method: "get", id: operationId("list", s), description: `list ${s.isWatchable ? "or watch " : ""}objects of kind ${kind}`, produces: STREAM_TYPES,
      parameters: LIST, answers: answering(schemaOfKind({ ...s.gvk, kind: `${kind}List` }), [200]), action: "list",
    };
    case "update": return { ...base, method: "put", id: operationId("replace", s), description: `replace ${of}the specified ${kind}`, parameters: WRITE, ...bodyOf(schema, true), answers: answering(schema, [200, 201]), action: "put" };
    case "patch": return {
      ...base, method: "patch", id: operationId("patch", s), description: `partially update ${of}the specified ${kind}`, consumes: PATCH_TYPES, parameters: ONE_PATCH,
      ...bodyOf(`${META}Patch`, true), answers: answering(schema, [200, 201]), action: "patch",
    };
    case "create": {
      const description = subresource === "" ? `create${article(kind)}${kind}` : `create ${subresource} of${article(kind)}${kind}`;
      return { ...base, method: "post", id: operationId("create", s), description, parameters: WRITE, ...bodyOf(schema, true), answers: answering(schema, [200, 201, 202]), action: "post" };
    }
    case "delete": return {
      ...base, method: "delete", id: operationId("delete", s), description: `delete${article(kind)}${kind}`, parameters: DELETE,
      ...bodyOf(`${META}DeleteOptions`, false), answers: answering(s.deletionReturns, [200, 202]), action: "delete",
    };
    case "deletecollection": return {
      ...base, method: "delete", id: operationId("delete", s, "Collection"), description: `delete collection of ${kind}`, parameters: [...DELETE, ...LIST.filter(({ name }) => name !== "watch" && name !== "allowWatchBookmarks")],
      ...bodyOf(`${META}DeleteOptions`, false), answers: answering(`${META}Status`, [200]), action: "deletecollection",
    };
    default: return undefined;
  }
}

const bodyOf = (schema: string | undefined, required: boolean) => schema !== undefined && { body: { schema, required } };

const WATCH_LIST = "deprecated: use the 'watch' parameter with a list operation instead";

function watchOperation(s: Subject, action: "watch" | "watchlist"): Operation {
  const [end, description] = action === "watch"
    ? ["", `watch changes to an object of kind ${s.kind}. ${WATCH_LIST}, filtered to a single item with the 'fieldSelector' parameter.`]
    : ["List", `watch individual changes to a list of ${s.kind}. ${WATCH_LIST}.`];
  return { ...common(s), method: "get", id: operationId("watch", s, "", end), description, produces: STREAM_TYPES, parameters: LIST, answers: answering(`${META}WatchEvent`, [200]), action };
}

/** What is a connection: the same for every method. */
function connectOperation(method: string, s: Subject, parameters: readonly Parameter[]): Operation {
  const { kind, subresource } = s;
  const id = operationId("connect", s, capital(method));
  return { ...common(s), method, id, description: `connect ${method.toUpperCase()} requests to ${subresource} of ${kind}`, produces: ANY, parameters, answers: [[200, undefined]], action: "connect" };
}

type Listed = [path: string, operations: readonly Operation[]][];

const about = (kind: string): Parameter => ({ ...inPath("name"), text: `name of the ${kind}` });
const withPlace = (operation: Operation, place: readonly Parameter[]): Operation => ({ ...operation, parameters: [...operation.parameters, ...place, ...(operation.action === "connect" ? [] : [query("pretty")])] });

function operationsAt(verbs: readonly string[], subject: Subject, place: readonly Parameter[]): readonly Operation[] {
  return verbs.flatMap((verb) => operationOf(verb, subject) ?? []).map((operation) => withPlace(operation, place));
}

const chosen = (r: ApiResource, ...verbs: readonly string[]): readonly string[] => verbs.filter((verb) => r.verbs.includes(verb));

function watchPaths(root: string, r: ApiResource, subject: Subject): Listed {
  if (!r.verbs.includes("watch")) return [];
  const item = (s: Subject, action: "watch" | "watchlist", ...place: readonly Parameter[]) => [withPlace(watchOperation(s, action), place)];
  const prefix = `${root}/watch`;
  if (!r.namespaced) return [[`${prefix}/${r.name}`, item(subject, "watchlist")], [`${prefix}/${r.name}/{name}`, item(subject, "watch", about(r.kind))]];
  return [
    [`${prefix}/${r.name}`, item({ ...subject, suffix: "ForAllNamespaces" }, "watchlist")],
    [`${prefix}/namespaces/{namespace}/${r.name}`, item(subject, "watchlist", inPath("namespace"))],
    [`${prefix}/namespaces/{namespace}/${r.name}/{name}`, item(subject, "watch", about(r.kind), inPath("namespace"))],
  ];
}

function subresourcePaths(subject: Subject, r: ApiResource, path: string, namespace: readonly Parameter[]): Listed {
  const { subresource, kind } = subject;
  const connect = CONNECT[subresource];
  if (!connect) {
    const operations = operationsAt(chosen(r, "get", "update", "patch", "create"), subject, [about(subject.gvk.kind), ...namespace]);
    if (subresource !== "log") return [[path, operations]];
    return [[path, operations.map((o) => ({ ...o, produces: ["text/plain", ...OBJECT_TYPES], parameters: [...o.parameters, ...LOG], answers: [[200, undefined] as const] }))]];
  }
  const options = `${kind}${connect.kind}`;
  const asked = { ...subject, gvk: { ...subject.gvk, kind: options } };
  const place = [about(options), ...namespace];
  const parameters = connect.parameters(kind);
  const at = (s: Subject, more: readonly Parameter[]) => connect.methods.map((method) => withPlace(connectOperation(method, s, [...parameters, ...more]), place));
  const whole: Listed = [[path, at(asked, [])]];
  return connect.hasPath ? [...whole, [`${path}/{path}`, at({ ...asked, suffix: "WithPath" }, [PROXY_PATH])]] : whole;
}

function resourcePaths(served: ServedVersion, r: ApiResource): Listed {
  const [resource = "", subresource = ""] = r.name.split("/");
  const parent = served.resources.find(({ name }) => name === resource);
  const kind = parent?.kind ?? r.kind;
  const gvk = { group: r.group ?? served.group, version: r.version ?? served.version, kind: r.kind };
  const schema = schemaOfKind(gvk);
  const deletionReturns = RETURNED.has(kind) && schema !== undefined ? schema : `${META}Status`;
  const subject: Subject = { served, kind, gvk, subresource, namespaced: r.namespaced, suffix: "", schema, isWatchable: r.verbs.includes("watch"), deletionReturns };
  const root = rootOf(served);
  const [base, namespace] = r.namespaced ? [`${root}/namespaces/{namespace}`, [inPath("namespace")]] : [root, []];
  if (subresource !== "") return subresourcePaths(subject, r, `${base}/${resource}/{name}/${subresource}`, namespace);
  return [
    ...(r.namespaced ? [[`${root}/${r.name}`, operationsAt(chosen(r, "list"), { ...subject, suffix: "ForAllNamespaces" }, [])]] as Listed : []),
    [`${base}/${r.name}`, operationsAt(chosen(r, "list", "create", "deletecollection"), subject, namespace)],
    [`${base}/${r.name}/{name}`, operationsAt(chosen(r, "get", "update", "patch", "delete"), subject, [about(r.kind), ...namespace])],
    ...watchPaths(root, r, subject),
  ];
}

const DISCOVERY: Pick<Operation, "method" | "consumes" | "produces" | "parameters"> = { method: "get", consumes: OBJECT_TYPES, produces: OBJECT_TYPES, parameters: [] };

/** All operations of a group version by path. */
export function operationsOf(served: ServedVersion): Operations {
  const { group, version } = served;
  const tag = `${groupOf(group)}_${version}`;
  const resources: Operation = { ...DISCOVERY, tag, id: `get${capital(groupOf(group))}${capital(version)}APIResources`, description: "get available resources", answers: [[200, `${META}APIResourceList`]] };
  const all: Listed = [[`${rootOf(served)}/`, [resources]], ...served.resources.flatMap((r) => resourcePaths(served, r))];
  return new Map(all.filter(([, operations]) => operations.length > 0).sort(([a], [b]) => (a < b ? -1 : 1)));
}

const READ: Pick<Operation, "method" | "produces" | "parameters"> = { method: "get", produces: ["application/json"], parameters: [] };

/** The documents that only tell of discovery, of the version and of the issuer of tokens. */
export function smallOperations(path: string): Operations {
  const [prefix, group = ""] = path.split("/");
  const small = (operation: Operation): Operations => new Map([[`/${path}/`, [operation]]]);
  switch (prefix) {
    case "version": return small({ ...READ, consumes: READ.produces, tag: "version", id: "getCodeVersion", description: "get the version information for this server", answers: [[200, "io.k8s.apimachinery.pkg.version.Info"]] });
    case "openid": return small({ ...READ, produces: ["application/jwk-set+json"], tag: "openid", id: "getServiceAccountIssuerOpenIDKeyset", description: "get service account issuer OpenID JSON Web Key Set (contains public token verification keys)", answers: [[200, undefined]] });
    case ".well-known": return small({ ...READ, tag: "WellKnown", id: "getServiceAccountIssuerOpenIDConfiguration", description: "get service account issuer OpenID configuration, also known as the 'OIDC discovery doc'", answers: [[200, undefined]] });
    case "api": return small({ ...DISCOVERY, tag: "core", id: "getCoreAPIVersions", description: "get available API versions", answers: [[200, `${META}APIVersions`]] });
    default:
      if (group === "") return small({ ...DISCOVERY, tag: "apis", id: "getAPIVersions", description: "get available API versions", answers: [[200, `${META}APIGroupList`]] });
      return small({ ...DISCOVERY, tag: groupOf(group), id: `get${capital(groupOf(group))}APIGroup`, description: "get information of a group", answers: [[200, `${META}APIGroup`]] });
  }
}
