import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { ManagedFieldsEntry } from "../generated/types.ts";
import type { KubeObject } from "../object.ts";
import { normalise } from "../schema/decode.ts";
import { StatusError } from "../status-error.ts";
import { applyConfiguration, type ApplyRequest } from "./apply.ts";
import { difference, equalSets, formatFields, intersection, parseFields, pathText, union, type FieldSet } from "./field-set.ts";
import { trackUpdate } from "./track-update.ts";
import { onlyVersion, type Versions } from "./versions.ts";

const CONFIG_MAP = { group: "", version: "v1", kind: "ConfigMap" };
const CRON_JOB = { group: "batch", version: "v1", kind: "CronJob" };
const POD = { ...CONFIG_MAP, kind: "Pod" };
type Data = Record<string, string>;
const configMap = (data: Data, metadata = {}) => ({ kind: "ConfigMap", apiVersion: "v1", metadata: { name: "c", ...metadata }, ...(Object.keys(data).length > 0 && { data }) });
const podOf = (containers: object[], spec = {}) => ({ kind: "CronJob", apiVersion: "batch/v1", metadata: { name: "j" }, spec: { schedule: "@daily", jobTemplate: { spec: { template: { spec: { containers, ...spec } } } } } });

/** An object as the server would store it after an apply or an update. */
class Stored {
  readonly gvk: typeof CONFIG_MAP;
  object: KubeObject | undefined;
  #now = 0;

  constructor(gvk = CONFIG_MAP, object?: KubeObject) {
    this.gvk = gvk;
    this.object = object && { ...object, metadata: { ...object.metadata, uid: "u" } };
  }

  apply(manager: string, config: unknown, more: Partial<ApplyRequest> = {}): this {
    const request = { ...(this.object && { live: this.object }), config, manager, gvk: this.gvk, subresource: "", force: false, now: (this.#now += 1000), ...more };
    const { object, managedFields } = applyConfiguration(request);
    return this.#store(object, managedFields);
  }

  update(manager: string, updated: object, subresource = ""): this {
    const normal = normalise(updated as KubeObject, this.gvk);
    return this.#store(normal, trackUpdate({ ...(this.object && { live: this.object }), updated: normal, manager, gvk: this.gvk, subresource, now: (this.#now += 1000) }));
  }

  #store(object: KubeObject, managedFields: readonly ManagedFieldsEntry[] | undefined): this {
    const { managedFields: _given, ...metadata } = object.metadata;
    this.object = { ...object, metadata: { ...metadata, uid: "u", ...(managedFields && { managedFields }) } };
    return this;
  }

  get data() {
    return (this.object as { data?: Data } | undefined)?.data;
  }

  get managers() {
    return this.object?.metadata.managedFields?.map((m) => [m.manager, m.operation, m.fieldsV1]) ?? [];
  }

  owned(manager: string) {
    return this.object?.metadata.managedFields?.find((m) => m.manager === manager)?.fieldsV1;
  }
}

function refusal(act: () => unknown) {
  try {
    act();
  } catch (error) {
    if (error instanceof StatusError) return { code: error.code, message: error.message, causes: error.details?.causes };
    throw error;
  }
  throw new Error("it was taken");
}

describe("apply", () => {
  test("makes, changes and removes what its manager owned alone", () => {
    const stored = new Stored().apply("one", configMap({ a: "1", b: "2" })).apply("two", configMap({ b: "2", c: "3" }));
    expect(stored.managers).toEqual([["one", "Apply", { "f:data": { "f:a": {}, "f:b": {} } }], ["two", "Apply", { "f:data": { "f:b": {}, "f:c": {} } }]]);
    expect(stored.apply("one", configMap({})).data).toEqual({ b: "2", c: "3" });
    expect(stored.apply("two", configMap({})).data).toBeUndefined();
    expect(stored.managers).toEqual([]);
  });

  test.each(["constructor", "__proto__"])("a key may be called %s", (key) => {
    const data = JSON.parse(`{"${key}":"1"}`) as Data;
    const stored = new Stored().update("one", configMap({ a: "1" })).update("two", configMap({ ...data, a: "1" }));
    expect(JSON.stringify(stored.owned("two"))).toBe(`{"f:data":{"f:${key}":{}}}`);
    expect(stored.update("three", configMap({ a: "1" })).managers.map(([manager]) => manager)).toEqual(["one"]);
  });

  test("the same again changes nothing, not even the time", () => {
    const stored = new Stored().apply("one", configMap({ a: "1" }, { labels: { l: "1" } }));
    const before = stored.object;
    expect(stored.apply("one", configMap({ a: "1" }, { labels: { l: "1" } })).object).toEqual(before);
  });

  test("conflicts name managers and fields; force takes them", () => {
    const stored = new Stored().apply("first", configMap({ a: "1", b: "2" })).apply("second", configMap({ a: "1" })).update("patcher", configMap({ a: "1", b: "9" }));
    expect(refusal(() => stored.apply("third", configMap({ b: "3" })))).toMatchObject({ code: 409, message: 'Apply failed with 1 conflict: conflict with "patcher" using v1: .data.b' });
    expect(refusal(() => stored.apply("third", configMap({ a: "3" })))).toEqual({
      code: 409, message: 'Apply failed with 2 conflicts: conflicts with "first":\n- .data.a\nconflicts with "second":\n- .data.a',
      causes: [{ reason: "FieldManagerConflict", message: 'conflict with "first"', field: ".data.a" }, { reason: "FieldManagerConflict", message: 'conflict with "second"', field: ".data.a" }],
    });
    expect(stored.apply("third", configMap({ a: "3" }), { force: true }).managers).toEqual([["third", "Apply", { "f:data": { "f:a": {} } }], ["patcher", "Update", { "f:data": { "f:b": {} } }]]);
  });

  test("what was there before belongs to before-first-apply", () => {
    const stored = new Stored(CONFIG_MAP, configMap({ a: "1", b: "2" })).apply("applier", configMap({ a: "1", c: "3" })).apply("applier", configMap({ a: "1" }));
    expect(stored.data).toEqual({ a: "1", b: "2" });
    expect(stored.managers).toContainEqual(["before-first-apply", "Update", { "f:data": { ".": {}, "f:a": {}, "f:b": {} } }]);
  });

  test("items are owned by their keys, defaults of keys included; lists without keys are one value", () => {
    const stored = new Stored(CRON_JOB).apply("one", podOf([{ name: "a", image: "i", env: [{ name: "X", value: "1" }], ports: [{ containerPort: 80 }] }], { nodeSelector: { n: "1" } }));
    stored.apply("two", podOf([{ name: "a", env: [{ name: "Y", value: "2" }] }, { name: "b", image: "k" }]));
    const spec = () => (stored.object as unknown as ReturnType<typeof podOf>).spec.jobTemplate.spec.template.spec;
    expect(spec().containers).toMatchObject([{ name: "a", image: "i", env: [{ name: "X" }, { name: "Y" }] }, { name: "b" }]);
    expect(JSON.stringify(stored.owned("one"))).toContain('"f:ports":{"k:{\\"containerPort\\":80,\\"protocol\\":\\"TCP\\"}":{".":{},"f:containerPort":{}}}');
    expect(refusal(() => stored.apply("two", podOf([], { nodeSelector: { m: "2" } }))).message).toContain(".spec.jobTemplate.spec.template.spec.nodeSelector");
    expect(refusal(() => stored.apply("two", podOf([{ name: "a", image: "o" }]))).message).toContain('.containers[name="a"].image');
    stored.apply("one", podOf([{ name: "a", image: "i" }]));
    expect(spec().containers[0]).toMatchObject({ env: [{ name: "Y", value: "2" }] });
  });

  const typed = "failed to create typed patch object (/c; /v1, Kind=ConfigMap): ";
  test.each([
    { config: { ...configMap({}), kind: "Secret" }, code: 400, message: "invalid object type: /v1, Kind=Secret" },
    { config: { apiVersion: "v1" }, code: 400, message: "invalid object type: /v1, Kind=" },
    { config: configMap({}, { managedFields: [] }), code: 400, message: "metadata.managedFields must be nil" },
    { config: "{", code: 400, message: "error decoding YAML: error converting YAML to JSON: yaml: line 1: did not find expected node content" },
    { config: { ...configMap({}), dta: {} }, code: 500, message: `${typed}.dta: field not declared in schema` },
    { config: { ...configMap({}), data: { a: 1 } }, code: 500, message: `${typed}.data.a: expected string, got &value.valueUnstructured{Value:1}` },
    { config: { ...configMap({}), data: [] }, code: 500, message: `${typed}.data: expected map, got &{[]}` },
  ])("$message", ({ config, code, message }) => expect(refusal(() => new Stored().apply("m", config))).toMatchObject({ code, message }));

  test("keys that Go always prints have their zero value where they are left out", () => {
    expect(refusal(() => new Stored(CRON_JOB).apply("m", podOf([{}, {}]))).message).toMatch(/\.containers: duplicate entries for key \[name=""\]$/);
  });

  test("versions that are gone own nothing", () => {
    const entry = { manager: "old", operation: "Apply", apiVersion: "v0", fieldsType: "FieldsV1", fieldsV1: { "f:data": { "f:a": {} } } } as const;
    const stored = new Stored(CONFIG_MAP, configMap({ a: "1" }, { managedFields: [entry] }));
    expect(stored.apply("new", configMap({ a: "2" })).managers).toEqual([["new", "Apply", { "f:data": { "f:a": {} } }]]);
  });

  test("managers of another version of the kind own its fields, and conflict in its words", () => {
    const versions: Versions = { struct: () => onlyVersion(CONFIG_MAP).struct("v1"), convert: (object) => ({ ...object, data: Object.fromEntries(Object.entries(object["data"] ?? {}).map(([key, value]) => [key.toUpperCase(), value])) }) };
    const entry = { manager: "other", operation: "Apply", apiVersion: "v2", fieldsType: "FieldsV1", fieldsV1: { "f:data": { "f:A": {}, "f:B": {} } } } as const;
    const stored = new Stored(CONFIG_MAP, configMap({ a: "1", b: "1" }, { managedFields: [entry] }));
    expect(refusal(() => stored.apply("mine", configMap({ a: "2" }), { versions })).message).toBe('Apply failed with 1 conflict: conflict with "other": .data.A');
    expect(stored.apply("mine", configMap({ a: "2" }), { versions, force: true }).managers).toEqual([["other", "Apply", { "f:data": { "f:B": {} } }], ["mine", "Apply", { "f:data": { "f:a": {} } }]]);
  });

  test("kubectl takes over what it applied from the client's side", () => {
    const annotation = (data: Data) => ({ annotations: { "kubectl.kubernetes.io/last-applied-configuration": `${JSON.stringify(configMap(data))}\n` } });
    const stored = new Stored().update("kubectl-client-side-apply", configMap({ a: "1" }, annotation({ a: "1" })));
    expect(refusal(() => stored.apply("other", configMap({ a: "2" }))).code).toBe(409);
    expect(stored.apply("kubectl", configMap({ a: "2" })).data).toEqual({ a: "2" });
    expect(stored.object?.metadata.annotations?.["kubectl.kubernetes.io/last-applied-configuration"]).toBe('{"apiVersion":"v1","data":{"a":"2"},"kind":"ConfigMap","metadata":{"name":"c"}}\n');
  });

  const data = fc.dictionary(fc.constantFrom("a", "b", "c"), fc.constantFrom("1", "2"));
  test("applying twice is applying once, and one's configuration is then there", () => {
    fc.assert(fc.property(fc.array(fc.tuple(fc.constantFrom("m", "n"), data), { maxLength: 4 }), data, (earlier, last) => {
      const stored = new Stored(CONFIG_MAP, configMap({ a: "1" }));
      for (const [manager, config] of earlier) stored.apply(manager, configMap(config), { force: true });
      const once = stored.apply("m", configMap(last), { force: true }).object;
      expect(stored.apply("m", configMap(last), { force: true }).object).toEqual(once);
      expect(stored.data ?? {}).toMatchObject(last);
    }));
  });
});

describe("updates", () => {
  test("a create owns what it sets; metadata of the server's is nobody's", () => {
    const stored = new Stored().update("creator", configMap({ a: "1" }, { labels: { l: "1" }, finalizers: ["example.com/f"], generation: 1 }));
    expect(stored.managers).toEqual([["creator", "Update", { "f:data": { ".": {}, "f:a": {} }, "f:metadata": { "f:finalizers": { ".": {}, 'v:"example.com/f"': {} }, "f:labels": { ".": {}, "f:l": {} } } }]]);
  });

  test("an update takes what it changes and forgets what it removes; nothing changed is the same list", () => {
    const stored = new Stored().update("one", configMap({ a: "1", b: "2" })).update("two", configMap({ a: "9" }));
    expect(stored.managers).toEqual([["one", "Update", { "f:data": {} }], ["two", "Update", { "f:data": { "f:a": {} } }]]);
    const before = stored.object?.metadata.managedFields;
    expect(stored.update("three", stored.object ?? {}).object?.metadata.managedFields).toBe(before);
  });

  test("the main road does not own the status, nor /status the spec", () => {
    const pod = { kind: "Pod", apiVersion: "v1", metadata: { name: "p" }, spec: { containers: [{ name: "c", image: "i" }] }, status: { phase: "Running" } };
    const stored = new Stored(POD).update("creator", pod).update("kubelet", { ...pod, spec: { containers: [{ name: "c", image: "other" }] }, status: { phase: "Failed" } }, "status");
    expect(stored.owned("creator")).not.toHaveProperty("f:status");
    expect(stored.object?.metadata.managedFields?.[1]).toMatchObject({ manager: "kubelet", subresource: "status", fieldsV1: { "f:status": { "f:phase": {} } } });
  });

  test.each([{ managedFields: [{}] }, { managedFields: [] }])("managedFields $managedFields clears them, for good", (meta) => {
    const stored = new Stored().update("one", configMap({ a: "1" })).update("two", configMap({ a: "1" }, meta));
    expect(stored.managers).toEqual([]);
    expect(stored.update("three", configMap({ a: "2" })).managers).toEqual([]);
  });

  test("of more than ten the oldest are merged", () => {
    const stored = new Stored();
    for (let i = 0; i < 13; i++) stored.update(`m${i}`, configMap(Object.fromEntries(Array.from({ length: i + 1 }, (_, k) => [`k${k}`, "v"]))));
    expect(stored.managers).toHaveLength(10);
    expect(stored.owned("ancient-changes")).toEqual({ "f:data": { ".": {}, "f:k0": {}, "f:k1": {}, "f:k2": {}, "f:k3": {} } });
  });
});

describe("sets", () => {
  const leaf = fc.constant({});
  const { node } = fc.letrec<{ node: Record<string, unknown> }>((tie) => ({ node: fc.dictionary(fc.constantFrom("f:a", "f:b", 'k:{"n":"x"}', 'v:"s"'), fc.oneof({ maxDepth: 3 }, leaf, tie("node"), tie("node").map((n) => ({ ".": {}, ...n })))) }));
  const set = node.map((fields) => parseFields(structuredClone(fields)));
  const law = (check: (a: FieldSet, b: FieldSet) => boolean) => fc.assert(fc.property(set, set, check));

  test("FieldsV1 goes there and back", () => law((a) => equalSets(parseFields(structuredClone(formatFields(a))), a)));
  test("a is what b takes and what it leaves", () => law((a, b) => equalSets(union(difference(a, b), intersection(a, b)), a) && intersection(difference(a, b), b).empty));
  test("paths read as upstream prints them", () => expect(pathText(["f:spec", "f:ports", 'k:{"containerPort":80,"protocol":"TCP"}', "f:name"])).toBe('.spec.ports[containerPort=80,protocol="TCP"].name'));
});
