/**
 * The component schemas of OpenAPI documents (v3 and v2), from the facts of every field, with the extensions that kubectl and client-go act on:
 * list and map kinds, merge keys, group-version-kinds. Descriptions are passed in; without them schemas have none.
 * Follows kube-openapi pkg/builder3 and pkg/builder.
 */
import declaredDefaults from "../data/declared-defaults.json" with { type: "json" };
import enumFacts from "../data/enums.json" with { type: "json" };
import { rawSchema, structOf, type Field, type RawSchema, type RawType, type Type } from "../schema/schema.ts";

/** schema → field → text; the schema's own text is under "". */
export type Descriptions = Readonly<Record<string, Readonly<Record<string, string>>>>;

/** Value → what upstream says of it. */
const ENUMS = enumFacts as unknown as Readonly<Record<string, Readonly<Record<string, Readonly<Record<string, string>>>>>>;

/** Schema → field → the default that its type declares, where that is not the zero value. */
const DECLARED = declaredDefaults as Readonly<Record<string, Readonly<Record<string, unknown>>>>;

export type OpenApiVersion = "v2" | "v3";

const EXTENSIONS = ["list-map-keys", "list-type", "map-type", "patch-merge-key", "patch-strategy", "unions"] as const;
const REF = { v2: "#/definitions/", v3: "#/components/schemas/" } as const;
const QUANTITY = "io.k8s.apimachinery.pkg.api.resource.Quantity";
const INT_OR_STRING = "io.k8s.apimachinery.pkg.util.intstr.IntOrString";

const extensionsOf = (raw: RawType | RawSchema): object => Object.fromEntries(EXTENSIONS.filter((key) => key in raw).map((key) => [`x-kubernetes-${key}`, raw[key as keyof typeof raw]]));

/** The shape of a value; `inner` is what its innermost elements have besides. */
function element(raw: RawType, version: OpenApiVersion, inner: object = {}): object {
  if (raw.ref !== undefined) return { $ref: REF[version] + raw.ref };
  if (raw.items) return { type: "array", items: element(raw.items, version, inner) };
  if (raw.values) return { type: "object", additionalProperties: element(raw.values, version, inner) };
  return { ...(raw.type !== undefined && { type: raw.type }), ...(raw.format !== undefined && { format: raw.format }), ...inner };
}

/** What Go puts into a field that is no pointer and always printed. */
function zeroDefault(type: Type): unknown {
  switch (type.kind) {
    case "string": return "";
    case "int32": case "int64": case "float64": return 0;
    case "bool": return false;
    default: return undefined;
  }
}

function defaultOf(field: Field, owner: string): unknown {
  const declared = DECLARED[owner]?.[field.name];
  if (declared !== undefined || field.pointer) return declared;
  if (field.type.kind === "struct") return {};
  return field.always ? zeroDefault(field.type) : undefined;
}

function enumText(values: Readonly<Record<string, string>>): string {
  const lines = Object.entries(values).map(([value, text]) => ` - \`${JSON.stringify(value)}\` ${text}`.trimEnd());
  return `\n\nPossible enum values:\n${lines.sort().join("\n")}`;
}

function property(schema: string, field: Field, raw: RawType, version: OpenApiVersion, descriptions: Descriptions): object {
  const values = ENUMS[schema]?.[field.name];
  const elements = raw.items !== undefined || raw.values !== undefined;
  const text = descriptions[schema]?.[field.name];
  const initial = version === "v3" ? defaultOf(field, schema) : undefined;
  const about = {
    ...(text !== undefined && { description: values && !elements ? text + enumText(values) : text }),
    ...(initial !== undefined && { default: initial }),
  };
  const shape = element(raw, version, values && { enum: Object.keys(values).sort() });
  if (raw.ref !== undefined && version === "v3" && Object.keys(about).length > 0) return { ...about, allOf: [shape], ...extensionsOf(raw) };
  return { ...about, ...shape, ...extensionsOf(raw) };
}

/** Types whose JSON is not their structure. */
function special(name: string, version: OpenApiVersion): object | undefined {
  if (name === QUANTITY) return version === "v3" ? { oneOf: [{ type: "string" }, { type: "number" }] } : { type: "string" };
  if (name === INT_OR_STRING) return version === "v3" ? { oneOf: [{ type: "integer" }, { type: "string" }], format: "int-or-string" } : { type: "string", format: "int-or-string" };
  return undefined;
}

/** The version whose document it is; undefined: all of them. */
type Only = { readonly group: string; readonly version: string } | undefined;

/** Types that every version has are told only for the core and for the version whose document it is. */
function kindsOf(name: string, raw: RawSchema, only: Only): RawSchema["gvk"] {
  if (only === undefined || !name.startsWith("io.k8s.apimachinery.")) return raw.gvk;
  return raw.gvk?.filter(({ group, version }) => (group === "" && version === "v1") || (group === only.group && version === only.version));
}

/** One component schema. */
export function openApiSchema(name: string, version: OpenApiVersion, descriptions: Descriptions, only?: Only): object {
  const raw = rawSchema(name) ?? {};
  const text = descriptions[name]?.[""];
  const about = text === undefined ? {} : { description: text };
  const found = special(name, version);
  if (found) return { ...about, ...found };
  if (!raw.fields) return { ...about, ...(raw.type !== undefined && { type: raw.type }), ...(raw.format !== undefined && { format: raw.format }) };
  const { fields } = structOf(name);
  const properties = Object.entries(raw.fields).map(([key, rawField]) => {
    const field = fields.get(key);
    return [key, field ? property(name, field, rawField, version, descriptions) : element(rawField, version)] as const;
  });
  return {
    ...about,
    type: "object",
    ...(raw.required && { required: raw.required }),
    properties: Object.fromEntries(properties.sort(([a], [b]) => (a < b ? -1 : 1))),
    ...(raw.gvk && { "x-kubernetes-group-version-kind": kindsOf(name, raw, only) }),
    ...extensionsOf(raw),
  };
}

function refsOf(raw: RawType): readonly string[] {
  if (raw.ref !== undefined) return [raw.ref];
  return [raw.items, raw.values].flatMap((inner) => (inner ? refsOf(inner) : []));
}

/** The named schemas and all that they refer to, sorted. */
export function withReferences(names: readonly string[]): readonly string[] {
  const found = new Set<string>();
  const waiting = [...names];
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    if (found.has(name) || !rawSchema(name)) continue;
    found.add(name);
    for (const field of Object.values(rawSchema(name)?.fields ?? {})) waiting.push(...refsOf(field));
  }
  return [...found].sort();
}
