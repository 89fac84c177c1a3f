/**
 * The paths of a group version in an OpenAPI document: which address takes which method, with which parameters, for which kind.
 * Follows apiserver pkg/endpoints/installer.go (registerResourceHandlers).
 */
import type { ApiResource, ServedVersion } from "../discovery/discovery.ts";
import { schemaOfKind } from "../schema/schema.ts";

const META = "io.k8s.apimachinery.pkg.apis.meta.v1.";
const PATCH_TYPES = ["application/apply-patch+yaml", "application/json-patch+json", "application/merge-patch+json", "application/strategic-merge-patch+json"];
const READ_TYPES = ["application/json", "application/vnd.kubernetes.protobuf", "application/yaml"];

interface Parameter {
  readonly name: string;
  readonly in: "query" | "path";
  readonly required?: true;
  readonly schema: { readonly type: string; readonly uniqueItems: true };
}

const query = (name: string, type = "string"): Parameter => ({ name, in: "query", schema: { type, uniqueItems: true } });
const inPath = (name: string): Parameter => ({ name, in: "path", required: true, schema: { type: "string", uniqueItems: true } });

const WRITE = [query("dryRun"), query("fieldManager"), query("fieldValidation")];
const LIST = [
  query("allowWatchBookmarks", "boolean"), query("continue"), query("fieldSelector"), query("labelSelector"), query("limit", "integer"), query("resourceVersion"),
  query("resourceVersionMatch"), query("sendInitialEvents", "boolean"), query("timeoutSeconds", "integer"), query("watch", "boolean"),
];
const DELETE = [query("dryRun"), query("gracePeriodSeconds", "integer"), query("orphanDependents", "boolean"), query("propagationPolicy")];

const ref = (schema: string) => ({ $ref: `#/components/schemas/${schema}` });
const content = (types: readonly string[], schema: string) => Object.fromEntries(types.map((type) => [type, { schema: ref(schema) }]));
const UNAUTHORIZED = { 401: { description: "Unauthorized" } };

interface Operation {
  readonly action: string;
  readonly parameters: readonly Parameter[];
  /** Schema of the request's body. */
  readonly body?: string;
  readonly bodyTypes?: readonly string[];
  /** Schema of the answers. */
  readonly answer: string;
  readonly codes: readonly number[];
}

/** What an operation of a resource is about. */
interface Subject {
  readonly tag: string;
  readonly schema: string;
  readonly listSchema: string;
  readonly gvk: object;
}

function operation(op: Operation, subject: Subject): object {
  return {
    tags: [subject.tag],
    ...(op.parameters.length > 0 && { parameters: op.parameters }),
    ...(op.body !== undefined && { requestBody: { content: content(op.bodyTypes ?? ["*/*"], op.body), required: true } }),
    responses: { ...Object.fromEntries(op.codes.map((code) => [code, { description: code === 200 ? "OK" : code === 201 ? "Created" : "Accepted", content: content(READ_TYPES, op.answer) }])), ...UNAUTHORIZED },
    "x-kubernetes-action": op.action,
    "x-kubernetes-group-version-kind": subject.gvk,
  };
}

function operationOf(verb: string, subject: Subject, subresource: boolean): readonly [method: string, Operation] | undefined {
  const { schema } = subject;
  switch (verb) {
    case "get": return ["get", { action: "get", parameters: [], answer: schema, codes: [200] }];
    case "update": return ["put", { action: "put", parameters: WRITE, body: schema, answer: schema, codes: [200, 201] }];
    case "patch": return ["patch", { action: "patch", parameters: [...WRITE, query("force", "boolean")], body: `${META}Patch`, bodyTypes: PATCH_TYPES, answer: schema, codes: [200, 201] }];
    case "delete": return ["delete", { action: "delete", parameters: DELETE, body: `${META}DeleteOptions`, answer: `${META}Status`, codes: [200, 202] }];
    case "create": return ["post", { action: "post", parameters: WRITE, body: schema, answer: schema, codes: subresource ? [201] : [200, 201, 202] }];
    case "list": return ["get", { action: "list", parameters: LIST, answer: subject.listSchema, codes: [200] }];
    case "deletecollection": return ["delete", { action: "deletecollection", parameters: [...DELETE, ...LIST.filter((p) => !["allowWatchBookmarks", "watch"].includes(p.name))], body: `${META}DeleteOptions`, answer: `${META}Status`, codes: [200] }];
    default: return undefined;
  }
}

function pathItem(verbs: readonly string[], allowed: readonly string[], subject: Subject, parameters: readonly Parameter[], subresource = false): object | undefined {
  const operations = verbs.filter((verb) => allowed.includes(verb)).flatMap((verb) => {
    const found = operationOf(verb, subject, subresource);
    return found ? [[found[0], operation(found[1], subject)] as const] : [];
  });
  return operations.length === 0 ? undefined : { ...Object.fromEntries(operations.sort(([a], [b]) => (a < b ? -1 : 1))), parameters: [...parameters, query("pretty")] };
}

function subjectOf(served: ServedVersion, r: ApiResource): Subject | undefined {
  const gvk = { group: r.group ?? served.group, version: r.version ?? served.version, kind: r.kind };
  const schema = schemaOfKind(gvk);
  if (schema === undefined) return undefined;
  const tag = `${served.group === "" ? "core" : served.group.split(".")[0]}_${served.version}`;
  return { tag, schema, listSchema: schemaOfKind({ ...gvk, kind: `${r.kind}List` }) ?? schema, gvk };
}

/** `/api/v1` or `/apis/batch/v1`. */
export const rootOf = (v: Pick<ServedVersion, "group" | "version">): string => (v.group === "" ? `/api/${v.version}` : `/apis/${v.group}/${v.version}`);

type Paths = [path: string, item: object | undefined][];

function watchPaths(root: string, r: ApiResource, subject: Subject): Paths {
  if (!r.verbs.includes("watch")) return [];
  const read = (action: string) => ({ get: operation({ action, parameters: [], answer: `${META}WatchEvent`, codes: [200] }, subject) });
  const item = (action: string, ...parameters: readonly Parameter[]) => ({ ...read(action), parameters: [...parameters, ...LIST, query("pretty")] });
  const prefix = `${root}/watch`;
  if (!r.namespaced) return [[`${prefix}/${r.name}`, item("watchlist")], [`${prefix}/${r.name}/{name}`, item("watch", inPath("name"))]];
  return [
    [`${prefix}/${r.name}`, item("watchlist")],
    [`${prefix}/namespaces/{namespace}/${r.name}`, item("watchlist", inPath("namespace"))],
    [`${prefix}/namespaces/{namespace}/${r.name}/{name}`, item("watch", inPath("name"), inPath("namespace"))],
  ];
}

function resourcePaths(served: ServedVersion, r: ApiResource): Paths {
  const subject = subjectOf(served, r);
  if (!subject) return [];
  const root = rootOf(served);
  const [base, namespace] = r.namespaced ? [`${root}/namespaces/{namespace}`, [inPath("namespace")]] : [root, []];
  const [resource = "", subresource] = r.name.split("/");
  if (subresource !== undefined) return [[`${base}/${resource}/{name}/${subresource}`, pathItem(r.verbs, ["create", "get", "patch", "update"], subject, [inPath("name"), ...namespace], true)]];
  return [
    ...(r.namespaced ? [[`${root}/${r.name}`, pathItem(r.verbs, r.verbs.includes("list") ? ["list"] : ["create"], subject, [])]] as Paths : []),
    [`${base}/${r.name}`, pathItem(r.verbs, ["create", "deletecollection", "list"], subject, namespace)],
    [`${base}/${r.name}/{name}`, pathItem(r.verbs, ["delete", "get", "patch", "update"], subject, [inPath("name"), ...namespace])],
    ...watchPaths(root, r, subject),
  ];
}

/** All paths of a group version, sorted, and the schemas that they name. */
export function pathsOf(served: ServedVersion): { readonly paths: Readonly<Record<string, object>>; readonly schemas: readonly string[] } {
  const tag = `${served.group === "" ? "core" : served.group.split(".")[0]}_${served.version}`;
  const about = { get: { tags: [tag], responses: { 200: { description: "OK", content: content(READ_TYPES, `${META}APIResourceList`) }, ...UNAUTHORIZED } } };
  const all: Paths = [[`${rootOf(served)}/`, about], ...served.resources.flatMap((r) => resourcePaths(served, r))];
  const paths = all.flatMap(([path, item]) => (item ? [[path, item] as const] : [])).sort(([a], [b]) => (a < b ? -1 : 1));
  const subjects = served.resources.flatMap((r) => subjectOf(served, r) ?? []);
  const meta = ["APIResourceList", "DeleteOptions", "Patch", "Status", "WatchEvent"].map((name) => META + name);
  return { paths: Object.fromEntries(paths), schemas: [...meta, ...subjects.flatMap((s) => [s.schema, s.listSchema])] };
}
