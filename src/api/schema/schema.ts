/**
 * The fields of every API type, compiled per type when first asked for: names in Go's order, Go's types (for error texts), what `omitempty` keeps,
 * list and map kinds for apply, merge keys for strategic merge. Knows types only; it decodes nothing.
 * Facts come from `../data/openapi-fields.json` (upstream's OpenAPI) and `../data/go-fields.json` (upstream's Go struct tags).
 */
import { table } from "../../base/own.ts";
import goFields from "../data/go-fields.json" with { type: "json" };
import openapiFields from "../data/openapi-fields.json" with { type: "json" };
import { assert } from "../../base/assert.ts";

/** A field or element as `openapi-fields.json` has it. */
export interface RawType {
  readonly type?: string;
  readonly format?: string;
  readonly ref?: string;
  readonly items?: RawType;
  readonly values?: RawType;
  readonly enum?: readonly string[];
  readonly "list-type"?: "atomic" | "set" | "map";
  readonly "list-map-keys"?: readonly string[];
  readonly "map-type"?: "atomic" | "granular";
  readonly "patch-strategy"?: string;
  readonly "patch-merge-key"?: string;
}

export interface GroupVersionKind {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
}

export interface RawSchema {
  readonly fields?: Readonly<Record<string, RawType>>;
  readonly required?: readonly string[];
  readonly gvk?: readonly GroupVersionKind[];
  readonly type?: string;
  readonly format?: string;
  readonly "map-type"?: "atomic" | "granular";
  readonly unions?: unknown;
}

const RAW = openapiFields as unknown as Readonly<Record<string, RawSchema>>;
const GO = goFields as unknown as Readonly<Record<string, string>>;

/** Types whose JSON is not their structure. */
export type ScalarName = "string" | "bytes" | "bool" | "int32" | "int64" | "float64" | "time" | "microTime" | "quantity" | "intOrString" | "any" | "object";

export type Type =
  | { readonly kind: ScalarName; readonly go: string; readonly strategy?: undefined }
  | { readonly kind: "struct"; readonly go: string; readonly struct: () => Struct; readonly atomic: boolean; readonly strategy?: readonly string[] }
  | ListType
  | { readonly kind: "map"; readonly go: string; readonly value: Type; readonly atomic: boolean; readonly strategy?: readonly string[] };

export interface ListType {
  readonly kind: "list";
  readonly go: string;
  readonly element: Type;
  readonly list: "atomic" | "set" | "map";
  /** Keys of a `map` list. */
  readonly keys: readonly string[];
  /** `merge`, `replace`, `retainKeys`. */
  readonly strategy: readonly string[];
  readonly mergeKey?: string;
}

export interface Field {
  readonly name: string;
  readonly index: number;
  readonly type: Type;
  /** A Go pointer: zero is kept, only null is dropped. */
  readonly pointer: boolean;
  /** Printed even when it is absent or zero. */
  readonly always: boolean;
  readonly required: boolean;
  /** The Go structs inside the struct that the field really belongs to, `RuleWithOperations.Rule`; errors about types name them. */
  readonly embedded?: string;
}

export interface Struct {
  /** `io.k8s.api.batch.v1.JobSpec`. */
  readonly name: string;
  /** `JobSpec`. */
  readonly goName: string;
  readonly fields: ReadonlyMap<string, Field>;
  /** The fields that are printed whatever they hold. */
  readonly always: readonly Field[];
}

const META = "io.k8s.apimachinery.pkg.apis.meta.v1.";
const SCALARS: Readonly<Record<string, ScalarName>> = table({
  "io.k8s.apimachinery.pkg.api.resource.Quantity": "quantity",
  "io.k8s.apimachinery.pkg.util.intstr.IntOrString": "intOrString",
  [`${META}Time`]: "time",
  [`${META}MicroTime`]: "microTime",
  [`${META}FieldsV1`]: "object",
  [`${META}Patch`]: "object",
  "io.k8s.apimachinery.pkg.runtime.RawExtension": "object",
});

/** `v1.JobSpec` of `io.k8s.api.batch.v1.JobSpec`. */
function goTypeName(id: string): string {
  const parts = id.split(".");
  return `${parts.at(-2) ?? ""}.${parts.at(-1) ?? ""}`;
}

const elementOf = (go: string): string => (go.startsWith("[]") ? go.slice(2) : go.startsWith("map[") ? go.slice(go.indexOf("]") + 1) : "");

function scalarOf(raw: RawType): ScalarName {
  if (raw.type === "integer") return raw.format === "int64" ? "int64" : "int32";
  if (raw.type === "number") return "float64";
  if (raw.type === "boolean") return "bool";
  if (raw.format === "byte") return "bytes";
  if (raw.type === "object") return "object";
  return raw.type === "string" ? "string" : "any";
}

const GO_SCALARS: Partial<Record<ScalarName, string>> = { bytes: "[]uint8" };

function typeOf(raw: RawType, goType: string): Type {
  const strategy = raw["patch-strategy"]?.split(",") ?? [];
  if (raw.ref !== undefined) {
    const ref = raw.ref;
    const go = goType || goTypeName(ref);
    const scalar = SCALARS[ref] ?? (RAW[ref]?.fields ? undefined : "any");
    if (scalar !== undefined) return { kind: scalar, go };
    let struct: Struct | undefined;
    return { kind: "struct", go, struct: () => (struct ??= structOf(ref)), atomic: (raw["map-type"] ?? RAW[ref]?.["map-type"]) === "atomic", strategy };
  }
  if (raw.type === "array" && raw.items) {
    const element = typeOf(raw.items, elementOf(goType));
    const mergeKey = raw["patch-merge-key"];
    return { kind: "list", go: goType || `[]${element.go}`, element, list: raw["list-type"] ?? "atomic", keys: raw["list-map-keys"] ?? [], strategy, ...(mergeKey !== undefined && { mergeKey }) };
  }
  if (raw.values) {
    const value = typeOf(raw.values, elementOf(goType));
    return { kind: "map", go: goType || `map[string]${value.go}`, value, atomic: raw["map-type"] === "atomic", strategy };
  }
  const kind = scalarOf(raw);
  return { kind, go: goType || GO_SCALARS[kind] || kind };
}

/** Go's `omitempty` never drops a struct: it is printed as `{}`, a time as `null`, a quantity as "0". */
const NEVER_EMPTY: ReadonlySet<Type["kind"]> = new Set(["struct", "time", "microTime", "quantity", "intOrString"]);

/** `name`, then `*` pointer, `!` no omitempty, `0` omitzero, `=GoType` where it differs from the obvious. */
const GO_FIELD = /^([^*!0=]+?)(\*?)(!?)(0?)(?:=(.*))?$/;

interface Embedding {
  readonly structs: readonly string[];
  readonly embedded: string;
  readonly only?: readonly string[];
  readonly but?: readonly string[];
}

const RULE = ["apiGroups", "apiVersions", "resources", "scope"];
/** Structs that upstream's Go types embed, and which fields come of it. */
const EMBEDDED: readonly Embedding[] = [
  { structs: ["ConfigMapKeySelector", "SecretKeySelector", "ConfigMapEnvSource", "SecretEnvSource", "ConfigMapVolumeSource", "ConfigMapProjection", "SecretProjection"], embedded: "LocalObjectReference", only: ["name"] },
  { structs: ["Probe"], embedded: "ProbeHandler", only: ["exec", "httpGet", "tcpSocket", "grpc"] },
  { structs: ["Volume"], embedded: "VolumeSource", but: ["name"] },
  { structs: ["EphemeralContainer"], embedded: "EphemeralContainerCommon", but: ["targetContainerName"] },
  {
    structs: ["PersistentVolumeSpec"], embedded: "PersistentVolumeSource",
    but: ["accessModes", "capacity", "claimRef", "mountOptions", "nodeAffinity", "persistentVolumeReclaimPolicy", "storageClassName", "volumeAttributesClassName", "volumeMode"],
  },
  { structs: ["IngressRule"], embedded: "IngressRuleValue", only: ["http"] },
  { structs: ["RuleWithOperations"], embedded: "Rule", only: RULE },
  { structs: ["NamedRuleWithOperations"], embedded: "RuleWithOperations", only: ["operations"] },
  { structs: ["NamedRuleWithOperations"], embedded: "RuleWithOperations.Rule", only: RULE },
  { structs: ["DeviceClassConfiguration", "DeviceClaimConfiguration", "DeviceAllocationConfiguration"], embedded: "DeviceConfiguration", only: ["opaque"] },
];

const embeddedIn = (struct: string, field: string): string | undefined =>
  EMBEDDED.find(({ structs, only, but }) => structs.includes(struct) && (only?.includes(field) ?? !but?.includes(field)))?.embedded;

function compileField(name: string, index: number, raw: RawType, spec: string | undefined, required: boolean, embedded: string | undefined): Field {
  const [, , star = "", bang = "", zero = "", goType = ""] = (spec === undefined ? undefined : GO_FIELD.exec(spec)) ?? [];
  const type = typeOf(raw, goType);
  const pointer = star !== "";
  return { name, index, type, pointer, required, ...(embedded !== undefined && { embedded }), always: bang !== "" || (!pointer && zero === "" && NEVER_EMPTY.has(type.kind)) };
}

function compile(name: string): Struct {
  const raw = RAW[name];
  assert(raw?.fields, `no such type: ${name}`);
  const facts = GO[name];
  const goName = name.slice(name.lastIndexOf(".") + 1);
  const specs = (facts ?? Object.keys(raw.fields).sort().join(",")).split(",").filter((s) => s !== "");
  const fields = new Map<string, Field>();
  for (const spec of [...(raw.fields["kind"] && !/(^|,)kind/.test(GO[name] ?? "") ? ["kind", "apiVersion"] : []), ...specs]) {
    const field = GO_FIELD.exec(spec)?.[1] ?? spec;
    const rawField = raw.fields[field];
    const required = raw.required?.includes(field) ?? false;
    // Of types that refer to themselves all but pointers would be printed without end: without Go's word, what may be absent is one.
    const known = facts !== undefined ? spec : required ? undefined : `${field}*`;
    if (rawField && !fields.has(field)) fields.set(field, compileField(field, fields.size, rawField, known, required, embeddedIn(goName, field)));
  }
  return { name, goName, fields, always: [...fields.values()].filter((f) => f.always) };
}

/** Defaults that upstream's types declare beside those of their Go types; lists keyed by such a field read them. */
export const DECLARED_DEFAULTS: Readonly<Record<string, string>> = table({ "ContainerPort.protocol": "TCP", "ServicePort.protocol": "TCP", "LocalObjectReference.name": "" });

const compiled = new Map<string, Struct>();

/** The structure of the type named so in `openapi-fields.json`. A name that is not there is a bug. */
export function structOf(name: string): Struct {
  let found = compiled.get(name);
  if (!found) compiled.set(name, (found = compile(name)));
  return found;
}

/** The field's raw facts, for the OpenAPI documents. */
export const rawSchema = (name: string): RawSchema | undefined => RAW[name];

export const schemaNames = (): readonly string[] => Object.keys(RAW);

let byKind: ReadonlyMap<string, string> | undefined;

function indexKinds(): ReadonlyMap<string, string> {
  const index = new Map<string, string>();
  for (const [name, raw] of Object.entries(RAW)) for (const { group, version, kind } of raw.gvk ?? []) index.set(`${group}/${version}/${kind}`, name);
  return index;
}

/** The schema's name of a kind; undefined where nothing of that name is known in that version. */
export function schemaOfKind(gvk: GroupVersionKind): string | undefined {
  byKind ??= indexKinds();
  return byKind.get(`${gvk.group}/${gvk.version}/${gvk.kind}`);
}
