/**
 * Every field of a kind, one at a time: for each place in the schema some values that fit and some that don't, each within the least that must stand
 * around it. What `run.ts` draws at random, this goes through once.
 */
import openapiFields from "../../src/api/data/openapi-fields.json" with { type: "json" };
import type { RawSchema, RawType } from "../../src/api/schema/schema.ts";

const SCHEMAS = openapiFields as unknown as Readonly<Record<string, RawSchema>>;
const DEPTH_MAX = 14;

/** Values by a field's name, where its type says too little; the first is plausible. */
const BY_NAME: Readonly<Record<string, readonly unknown[]>> = {
  operator: ["In", "NotIn", "Exists", "DoesNotExist", "Equal", "Gt", "Lt", "nonsense"],
  restartPolicy: ["Never", "OnFailure", "Always", "nonsense"],
  path: ["/data", "data", "../a", "/a/../b", "a:b"],
  mountPath: ["/data", "data", ""],
  topologyKey: ["kubernetes.io/hostname", "a b"],
  apiVersion: ["v1", "batch/v1", "a/b/c"],
  kind: ["Pod", "a b"],
  fieldPath: ["metadata.name", "metadata.labels['a']", "metadata.annotations['a b']", "status.podIP", "spec.x", "status.hostIPs"],
  resource: ["limits.cpu", "requests.memory", "limits.hugepages-2Mi", "x"],
  storage: ["1Gi", "-1", "0"],
  ip: ["10.0.0.1", "::1", "127.0.0.1", "010.0.0.1", "x"],
  schedule: ["0 3 * * *", "@hourly", "x", "TZ=UTC 0 3 * * *"],
  timeZone: ["Etc/UTC", "Nowhere", "local"],
  key: ["a", "a/b", "A_b!", ".."],
  image: ["alpine", " alpine", ""],
};
const STRINGS = ["a", "A_b!", "", "a".repeat(254), "10.0.0.1"];
const NUMBERS = [1, 0, -1, 80, 70000, 2147483647];
const INTEGERS_64 = [1, 0, -1, 4294967296];
const OF_REF: Readonly<Record<string, readonly unknown[]>> = {
  "io.k8s.apimachinery.pkg.api.resource.Quantity": ["1", "100m", "-1", "0", "1.5Gi", "x"],
  "io.k8s.apimachinery.pkg.util.intstr.IntOrString": [80, "50%", "http", 0, -1, "101%", "A_b!"],
  "io.k8s.apimachinery.pkg.apis.meta.v1.Time": ["2026-01-01T00:00:00Z", "yesterday", null],
  "io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime": ["2026-01-01T00:00:00.000001Z", "yesterday", null],
  "io.k8s.apimachinery.pkg.apis.meta.v1.FieldsV1": [{}],
  "io.k8s.apimachinery.pkg.runtime.RawExtension": [{}, { a: 1 }],
};

/** A value and the JSON path to it. */
export interface Placed {
  readonly at: string;
  readonly value: unknown;
}

function scalars(raw: RawType, name: string): readonly unknown[] {
  if (raw.type === "boolean") return [true, false, "true"];
  if (raw.type === "integer") return [...(raw.format === "int64" ? INTEGERS_64 : NUMBERS), "1"];
  if (raw.type === "number") return [1, 0.5, "1"];
  if (raw.type === "object") return [{}, { a: 1 }];
  if (raw.format === "byte") return ["aGVsbG8=", "=", 1];
  if (raw.type !== "string") return [{}, 1, "a"];
  return [...(raw.enum ?? []), ...(BY_NAME[name] ?? []), ...STRINGS, 1];
}

const schemaOf = (raw: RawType): RawSchema | undefined => (raw.ref === undefined ? undefined : SCHEMAS[raw.ref]);

/** The least value of a type that may be taken. */
function plausible(raw: RawType, name: string, depth = DEPTH_MAX): unknown {
  const known = raw.ref === undefined ? undefined : OF_REF[raw.ref];
  if (known) return known[0];
  const schema = schemaOf(raw);
  if (schema?.fields) return depth === 0 ? {} : around(schema, depth - 1);
  if (raw.items) return [plausible(raw.items, name, depth)];
  if (raw.values) return { a: plausible(raw.values, name, depth) };
  return scalars(raw, name)[0];
}

const around = (schema: RawSchema, depth: number): Record<string, unknown> =>
  Object.fromEntries((schema.required ?? []).map((name) => [name, plausible(schema.fields?.[name] ?? {}, name, depth)]));

function* valuesOf(raw: RawType, name: string, at: string, seen: readonly string[]): Generator<Placed> {
  const known = raw.ref === undefined ? undefined : OF_REF[raw.ref];
  if (known) yield* known.map((value) => ({ at, value }));
  else if (raw.items) yield* lists(raw.items, name, at, seen);
  else if (raw.values) {
    for (const inner of valuesOf(raw.values, name, `${at}.*`, seen)) yield { at: inner.at, value: { a: inner.value } };
    for (const key of ["A_b!", "example.com/a", ""]) yield { at: `${at}{${key}}`, value: { [key]: plausible(raw.values, name) } };
  } else if (schemaOf(raw)?.fields) yield* structs(raw, at, seen);
  else yield* scalars({ ...raw, ...schemaOf(raw) }, name).map((value) => ({ at, value }));
}

function* lists(items: RawType, name: string, at: string, seen: readonly string[]): Generator<Placed> {
  yield { at, value: [] };
  const one = plausible(items, name);
  yield { at: `${at}[twice]`, value: [one, one] };
  for (const inner of valuesOf(items, name, `${at}[]`, seen)) yield { at: inner.at, value: [inner.value] };
}

function* structs(raw: RawType, at: string, seen: readonly string[]): Generator<Placed> {
  const schema = schemaOf(raw);
  if (schema?.fields === undefined || raw.ref === undefined || seen.includes(raw.ref) || seen.length > DEPTH_MAX) return;
  yield { at, value: {} };
  const frame = around(schema, 3);
  for (const [name, field] of Object.entries(schema.fields)) {
    for (const inner of valuesOf(field, name, `${at}.${name}`, [...seen, raw.ref])) yield { at: inner.at, value: { ...frame, [name]: inner.value } };
  }
}

/** Every field of the type with this schema id, outermost first, each in an object that holds little else. `kind`, `apiVersion` and `metadata` are left out. */
export function* everyField(id: string): Generator<Placed> {
  for (const [name, field] of Object.entries(SCHEMAS[id]?.fields ?? {})) {
    if (name === "kind" || name === "apiVersion" || name === "metadata") continue;
    for (const { at, value } of valuesOf(field, name, name, [id])) yield { at, value: { [name]: value } };
  }
}

/** `extra` laid over `base`; a list of one is laid over the first element. */
export function laidOver(base: unknown, extra: unknown): unknown {
  const isTree = (v: unknown): v is object => typeof v === "object" && v !== null;
  if (Array.isArray(base) && Array.isArray(extra) && extra.length === 1 && base.length > 0) return [laidOver(base[0], extra[0]), ...(base as unknown[]).slice(1)];
  if (!isTree(base) || !isTree(extra) || Array.isArray(base) || Array.isArray(extra)) return extra;
  const out: Record<string, unknown> = { ...base };
  for (const [key, value] of Object.entries(extra)) out[key] = key in out ? laidOver(out[key], value) : value;
  return out;
}
