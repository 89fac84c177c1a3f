/**
 * Operations written down as OpenAPI v3 and v2. What all operations of a path have in common stands once, at the path; in v2, what many paths share
 * stands once in the document. Follows kube-openapi pkg/builder3, pkg/builder (openapi.go, parameters.go).
 */
import type { Operation, Operations } from "./operations.ts";
import type { Parameter } from "./parameters.ts";
import type { Descriptions } from "./schemas.ts";

const REASONS: Readonly<Record<number, string>> = { 200: "OK", 201: "Created", 202: "Accepted" };
const UNAUTHORIZED = { description: "Unauthorized" };

const textOf = ({ name, text, textOf: key = name }: Parameter, descriptions: Descriptions): { readonly description?: string } => {
  const found = text ?? descriptions["parameters"]?.[key];
  return found === undefined ? {} : { description: found };
};

const keyOf = (p: Parameter): string => `${p.name} ${p.in}`;
const sorted = (parameters: readonly Parameter[]): readonly Parameter[] => [...parameters].sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));

/** The parameters that every operation has, and those that only one has. */
function split(operations: readonly Operation[]): { readonly shared: readonly Parameter[]; readonly own: (operation: Operation) => readonly Parameter[] } {
  const [first] = operations;
  const isShared = (p: Parameter) => operations.every((o) => o.parameters.some((other) => keyOf(other) === keyOf(p)));
  return { shared: sorted(first?.parameters.filter(isShared) ?? []), own: (o) => sorted(o.parameters.filter((p) => !isShared(p))) };
}

const kindOf = ({ action, gvk }: Operation) => ({ ...(action !== undefined && { "x-kubernetes-action": action }), ...(gvk && { "x-kubernetes-group-version-kind": gvk }) });

function parameterV3(p: Parameter, descriptions: Descriptions): object {
  return { name: p.name, in: p.in, ...textOf(p, descriptions), ...(p.in === "path" && { required: true }), schema: { type: p.type, uniqueItems: true } };
}

const schemaV3 = (schema: string | undefined) => ({ schema: schema === undefined ? { type: "string" } : { $ref: `#/components/schemas/${schema}` } });
const contentV3 = (types: readonly string[], schema: string | undefined) => ({ content: Object.fromEntries([...types].sort().map((type) => [type, schemaV3(schema)])) });

function operationV3(o: Operation, own: readonly Parameter[], descriptions: Descriptions): object {
  return {
    tags: [o.tag],
    description: o.description,
    operationId: o.id,
    ...(own.length > 0 && { parameters: own.map((p) => parameterV3(p, descriptions)) }),
    ...(o.body && { requestBody: { ...contentV3(o.consumes ?? [], o.body.schema), ...(o.body.required && { required: true }) } }),
    responses: { ...Object.fromEntries(o.answers.map(([code, schema]) => [code, { description: REASONS[code], ...contentV3(o.produces, schema) }])), 401: UNAUTHORIZED },
    ...kindOf(o),
  };
}

/** The `paths` of a v3 document. */
export function pathsV3(all: Operations, descriptions: Descriptions): Readonly<Record<string, object>> {
  return Object.fromEntries([...all].map(([path, operations]) => {
    const { shared, own } = split(operations);
    const methods = Object.fromEntries(operations.map((o) => [o.method, operationV3(o, own(o), descriptions)]));
    return [path, { ...methods, ...(shared.length > 0 && { parameters: shared.map((p) => parameterV3(p, descriptions)) }) }];
  }));
}

const FNV_OFFSET = 0xcbf29ce484222325n;
const FNV_PRIME = 0x100000001b3n;
const HASH_BYTES = 6;

/** FNV-1, 64 bits, shortened. */
function shortHash(text: string): string {
  let hash = FNV_OFFSET;
  for (const byte of Buffer.from(text)) hash = (BigInt.asUintN(64, hash * FNV_PRIME)) ^ BigInt(byte);
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(hash);
  return bytes.subarray(0, HASH_BYTES).toString("base64url");
}

/** JSON as Go writes it into documents for browsers. */
const goJson = (value: unknown): string => JSON.stringify(value).replace(/[<>&\u2028\u2029]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`);

/** Clients look for these where they stand, and they differ from kind to kind: never shared. */
const isUnshared = (name: string): boolean => name === "name" || name === "fieldValidation" || name === "dryRun";

/** Parameters of a v2 document: most of them are references to the ones that the document holds once. */
class SharedParameters {
  readonly found = new Map<string, object>();
  readonly #descriptions: Descriptions;

  constructor(descriptions: Descriptions) {
    this.#descriptions = descriptions;
  }

  parameter(p: Parameter): object {
    const written = { uniqueItems: true, type: p.type, ...textOf(p, this.#descriptions), name: p.name, in: p.in, ...(p.in === "path" && { required: true }) };
    return isUnshared(p.name) ? written : this.#share(p.name, written);
  }

  body({ schema, required }: NonNullable<Operation["body"]>): object {
    const written = { name: "body", in: "body", ...(required && { required: true }), schema: { $ref: `#/definitions/${schema}` } };
    return schema.startsWith("io.k8s.apimachinery") ? this.#share("body", written) : written;
  }

  #share(name: string, written: object): object {
    const key = `${name}-${shortHash(goJson(written))}`;
    this.found.set(key, written);
    return { $ref: `#/parameters/${key}` };
  }
}

function operationV2(o: Operation, own: readonly Parameter[], shared: SharedParameters): object {
  const parameters = [...(o.body ? [shared.body(o.body)] : []), ...own.map((p) => shared.parameter(p))];
  const schema = (name: string | undefined) => ({ schema: name === undefined ? { type: "string" } : { $ref: `#/definitions/${name}` } });
  return {
    description: o.description,
    ...(o.consumes && { consumes: o.consumes }),
    produces: o.produces,
    schemes: ["https"],
    tags: [o.tag],
    operationId: o.id,
    ...(parameters.length > 0 && { parameters }),
    responses: { ...Object.fromEntries(o.answers.map(([code, name]) => [code, { description: REASONS[code], ...schema(name) }])), 401: UNAUTHORIZED },
    ...kindOf(o),
  };
}

/** The `paths` and the `parameters` of the v2 document. */
export function pathsV2(all: readonly Operations[], descriptions: Descriptions): { readonly paths: Readonly<Record<string, object>>; readonly parameters: Readonly<Record<string, object>> } {
  const shared = new SharedParameters(descriptions);
  const items = all.flatMap((operations) => [...operations]).map(([path, operations]) => {
    const { shared: ofPath, own } = split(operations);
    const methods = Object.fromEntries(operations.map((o) => [o.method, operationV2(o, own(o), shared)]));
    return [path, { ...methods, ...(ofPath.length > 0 && { parameters: ofPath.map((p) => shared.parameter(p)) }) }] as const;
  });
  const byKey = ([a]: readonly [string, object], [b]: readonly [string, object]) => (a < b ? -1 : 1);
  return { paths: Object.fromEntries(items.sort(byKey)), parameters: Object.fromEntries([...shared.found].sort(byKey)) };
}

/** Every schema that the operations name. */
export const schemasOf = (all: Operations): readonly string[] => [...all.values()].flat().flatMap((o) => [...(o.body ? [o.body.schema] : []), ...o.answers.flatMap(([, schema]) => schema ?? [])]);
