import { describe, expect, test } from "vitest";
import * as fc from "fast-check";
import type { KubeObject } from "../object.ts";
import { StatusError } from "../status-error.ts";
import { mergePatch } from "./merge-patch.ts";
import { applyPatch, type PatchRequest } from "./patch.ts";

const CONFIG_MAP = { group: "", version: "v1", kind: "ConfigMap" };
const CRON_JOB = { group: "batch", version: "v1", kind: "CronJob" };
const configMap = (data: Record<string, string>, metadata = {}) => ({ kind: "ConfigMap", apiVersion: "v1", metadata: { name: "c", ...metadata }, data }) as unknown as KubeObject;
const podSpec = (spec: object) => ({ spec: { jobTemplate: { spec: { template: { spec } } } } });
const cronJob = (spec: object) => ({ kind: "CronJob", apiVersion: "batch/v1", metadata: { name: "s" }, spec: { schedule: "@daily", ...podSpec(spec).spec } }) as unknown as KubeObject;

type Shape = { data?: unknown; metadata: Record<string, unknown>; spec: { jobTemplate: { spec: { template: { spec: Record<string, unknown> } } } } };
const patched = (request: PatchRequest) => applyPatch(request).object as unknown as Shape;

function refusal(request: PatchRequest): { code: number; message: string; reason?: string | undefined } {
  try {
    applyPatch(request);
  } catch (error) {
    if (error instanceof StatusError) return { code: error.code, message: error.message, reason: error.reason };
    throw error;
  }
  throw new Error("it was taken");
}

describe("JSON patch", () => {
  const json = (...patch: unknown[]): PatchRequest => ({ type: "json", patch, current: configMap({ a: "1", "x.y": "2" }, { finalizers: ["a", "b"] }), expected: CONFIG_MAP });

  test("operations apply in order, with escapes and indexes", () => {
    const out = patched(json(
      { op: "add", path: "/data/b", value: "2" }, { op: "replace", path: "/data/a", value: "3" }, { op: "copy", from: "/data/a", path: "/data/c" }, { op: "move", from: "/data/b", path: "/data/d" },
      { op: "add", path: "/metadata/labels", value: {} }, { op: "add", path: "/metadata/labels/example.com~1key", value: "v" }, { op: "add", path: "/metadata/finalizers/0", value: "z" },
      { op: "add", path: "/metadata/finalizers/-", value: "y" }, { op: "remove", path: "/metadata/finalizers/1" }, { op: "replace", path: "/data/new", value: "" }));
    expect(out.data).toEqual({ a: "3", c: "3", d: "2", new: "", "x.y": "2" });
    expect(out.metadata).toMatchObject({ labels: { "example.com/key": "v" }, finalizers: ["z", "b", "y"] });
  });

  test.each([
    { name: "test of another value", op: { op: "test", path: "/data/a", value: "2" } },
    { name: "test of a missing key", op: { op: "test", path: "/data/z", value: "2" } },
    { name: "remove a missing key", op: { op: "remove", path: "/data/z" } },
    { name: "add below nothing", op: { op: "add", path: "/metadata/labels/l", value: "1" } },
    { name: "an unknown operation", op: { op: "multiply", path: "/data/a" } },
  ])("$name is 422 without details", ({ op }) => {
    expect(refusal(json(op))).toEqual({ code: 422, reason: "Invalid", message: "the server rejected our request due to an error in our request" });
  });

  test.each([
    { patch: { op: "add" }, message: "error decoding patch: json: cannot unmarshal object into Go value of type []handlers.jsonPatchOp" },
    { patch: "hello", message: "error decoding patch: invalid character 'h' looking for beginning of value" },
  ])("$message", ({ patch, message }) => expect(refusal({ ...json(), patch })).toMatchObject({ code: 400, message }));

  test("a result of a wrong type is told with the whole object", () => {
    expect(refusal(json({ op: "replace", path: "/data", value: "text" })).message).toMatch(/^ "" is invalid: patch: Invalid value: "\{.*\}": json: cannot unmarshal string into Go struct field ConfigMap\.data of type map\[string\]string$/);
  });
});

describe("merge patch", () => {
  const merge = (patch: unknown, more = {}): PatchRequest => ({ type: "merge", patch, current: configMap({ a: "1", b: "2" }, { labels: { x: "1" } }), expected: CONFIG_MAP, ...more });

  test("null removes, a value sets, nulls of a new map fall away", () => {
    expect(patched(merge({ data: { a: null, c: "3" }, metadata: { labels: null, annotations: { n: "1", nothing: null } } }))).toMatchObject({ data: { b: "2", c: "3" }, metadata: { annotations: { n: "1" } } });
  });

  test("an unknown field is warned of, and refused under Strict", () => {
    expect(applyPatch(merge({ dta: 1 })).warnings).toEqual([`unknown field "dta"`]);
    expect(refusal(merge({ dta: 1 }, { fieldValidation: "Strict" })).message).toMatch(/strict decoding error: unknown field "dta"$/);
  });

  test.each([
    { patch: [], message: "error decoding patch: json: cannot unmarshal array into Go value of type map[string]interface {}" },
    { patch: "", message: "error decoding patch: unexpected end of JSON input" },
  ])("$message", ({ patch, message }) => expect(refusal(merge(patch))).toMatchObject({ code: 400, message }));

  test("a refusal quotes the document: sorted where the patch has been, in Go's order elsewhere", () => {
    expect(refusal(merge({ kind: "Foo", data: { c: "<" } })).message).toContain('"{\\"apiVersion\\":\\"v1\\",\\"data\\":{\\"a\\":\\"1\\",\\"b\\":\\"2\\",\\"c\\":\\"\\\\u003c\\"},\\"kind\\":\\"Foo\\",\\"metadata\\":{\\"name\\":\\"c\\",\\"labels\\":{\\"x\\":\\"1\\"}}}": no kind "Foo"');
  });

  test("keys that stand twice are told wherever they stand", () => {
    expect(applyPatch(merge('{"data":{"a":"1","a":"2"},"metadata":{"labels":{"x":"1","x":"2"}}}')).warnings).toEqual([`duplicate field "data.a"`, `duplicate field "metadata.labels.x"`]);
  });

  test("without a version it is of no kind that has fields", () => {
    expect(applyPatch(merge({ apiVersion: null }))).toEqual({ object: { metadata: {} }, warnings: [`unknown field "data"`, `unknown field "metadata"`] });
  });

  test.each([
    { patch: [], message: / "" is invalid: patch: Invalid value: "\[\]": couldn't get version\/kind; json parse error: json: cannot unmarshal array/ },
    { patch: "{", message: /^Invalid JSON Patch$/ },
    { patch: "5", message: /^Invalid JSON Patch$/ },
  ])("unchecked: $patch", ({ patch, message }) => expect(refusal(merge(patch, { fieldValidation: "Ignore" })).message).toMatch(message));

  const objects = fc.dictionary(fc.constantFrom("a", "b", "c", "d"), fc.jsonValue({ maxDepth: 3 }));
  /** Lists that replace an object keep the nulls in them until they are patched again. */
  const withoutNullsInLists = (value: unknown, inList = false): unknown => {
    if (Array.isArray(value)) return value.map((item) => withoutNullsInLists(item, true));
    if (typeof value !== "object" || value === null) return value;
    return Object.fromEntries(Object.entries(value).flatMap(([key, inner]) => (inList && inner === null ? [] : [[key, withoutNullsInLists(inner, inList)]])));
  };

  test("applied twice is applied once, and an empty patch changes nothing", () => {
    fc.assert(fc.property(objects, objects, (target, given) => {
      const patch = withoutNullsInLists(given);
      const once = mergePatch(target, patch);
      expect(mergePatch(once, patch)).toEqual(once);
      expect(mergePatch(target, {})).toEqual(target);
    }));
  });

  test("the difference of two objects, as a patch, makes the one of the other", () => {
    const difference = (from: Record<string, unknown>, to: Record<string, unknown>): Record<string, unknown> => {
      const changed = Object.entries(to).filter(([key, value]) => JSON.stringify(from[key]) !== JSON.stringify(value));
      const isBoth = (a: unknown, b: unknown) => [a, b].every((v) => typeof v === "object" && v !== null && !Array.isArray(v));
      const below = changed.map(([key, value]) => [key, isBoth(from[key], value) ? difference(from[key] as Record<string, unknown>, value as Record<string, unknown>) : value]);
      return Object.fromEntries([...below, ...Object.keys(from).filter((key) => !(key in to)).map((key) => [key, null])]) as Record<string, unknown>;
    };
    const plainObjects = objects.map((o) => withoutNullsInLists({ list: [o] }) as { list: [Record<string, unknown>] }).map(({ list: [o] }) => o);
    fc.assert(fc.property(plainObjects, plainObjects, (from, to) => {
      expect(mergePatch(from, difference(from, to))).toEqual(to);
    }));
  });
});

describe("strategic merge", () => {
  const current = cronJob({
    containers: [{ name: "one", image: "i", env: [{ name: "A", value: "1" }, { name: "B", value: "2" }], ports: [{ containerPort: 80, name: "http" }, { containerPort: 81 }] }, { name: "two", image: "i", args: ["x"] }],
    volumes: [{ name: "v", emptyDir: { medium: "Memory" } }, { name: "w", emptyDir: {} }], nodeSelector: { a: "1", b: "2" }, tolerations: [{ key: "k" }],
  });
  const request = (spec: object): PatchRequest => ({ type: "strategic", patch: podSpec(spec), current, expected: CRON_JOB });
  const result = (spec: object) => patched(request(spec)).spec.jobTemplate.spec.template.spec as Record<string, Record<string, unknown>[]>;
  const names = (list: readonly Record<string, unknown>[] | undefined) => list?.map((item) => item["name"]);

  test("items merge by key, new ones come first", () => {
    expect(names(result({ containers: [{ name: "three", image: "i" }] })["containers"])).toEqual(["three", "one", "two"]);
    expect(result({ containers: [{ name: "one", env: [{ name: "B", value: "3" }, { name: "C", value: "4" }] }] })["containers"]?.[0]?.["env"]).toEqual([{ name: "A", value: "1" }, { name: "B", value: "3" }, { name: "C", value: "4" }]);
    expect(result({ containers: [{ name: "one", ports: [{ containerPort: 81, name: "alt" }, { containerPort: 82 }] }] })["containers"]?.[0]?.["ports"]).toEqual([{ name: "http", containerPort: 80 }, { name: "alt", containerPort: 81 }, { containerPort: 82 }]);
  });

  test("atomic lists are replaced, maps merge", () => {
    const out = result({ tolerations: [{ key: "o" }], nodeSelector: { a: null }, containers: [{ name: "two", args: ["z"] }] });
    expect(out).toMatchObject({ tolerations: [{ key: "o" }], nodeSelector: { b: "2" } });
    expect(out["containers"]?.[1]).toMatchObject({ args: ["z"] });
  });

  test("directives delete, replace, retain and order", () => {
    expect(names(result({ containers: [{ name: "two", $patch: "delete" }, { name: "nobody", $patch: "delete" }] })["containers"])).toEqual(["one"]);
    expect(names(result({ containers: [{ $patch: "replace" }, { name: "only", image: "i" }] })["containers"])).toEqual(["only"]);
    expect(result({ volumes: [{ name: "v", configMap: { name: "c" }, $retainKeys: ["name", "configMap"] }] })["volumes"]?.[0]).toEqual({ name: "v", configMap: { name: "c" } });
    expect(names(result({ "$setElementOrder/volumes": [{ name: "w" }, { name: "x" }, { name: "v" }], volumes: [{ name: "x", emptyDir: {} }] })["volumes"])).toEqual(["w", "x", "v"]);
    expect(result({ nodeSelector: { $patch: "replace", z: "1" } })["nodeSelector"]).toEqual({ z: "1" });
    expect(result({ volumes: null })["volumes"]).toBeUndefined();
  });

  test("lists of texts merge as sets, and lose what is named", () => {
    const meta = (metadata: object) => patched({ type: "strategic", patch: { metadata }, current: configMap({}, { finalizers: ["a"] }), expected: CONFIG_MAP }).metadata["finalizers"];
    expect(meta({ finalizers: ["b"] })).toEqual(["b", "a"]);
    expect(meta({ finalizers: ["a"] })).toEqual(["a"]);
    expect(meta({ "$deleteFromPrimitiveList/finalizers": ["a"] })).toBeUndefined();
    expect(meta({ "$setElementOrder/finalizers": ["c", "a"], finalizers: ["c"] })).toEqual(["c", "a"]);
  });

  test.each([
    { spec: { containers: [{ image: "nameless" }] }, code: 500, message: "map: map[image:nameless] does not contain declared merge key: name" },
    { spec: { containers: [{ name: "one", $patch: "sing" }] }, code: 500, message: "unknown patch type: sing in map: map[$patch:sing name:one]" },
    { spec: { volumes: [{ name: "v", $retainKeys: "x" }] }, code: 400, message: "invalid patch format of retainKeys" },
  ])("$message", ({ spec, code, message }) => expect(refusal(request(spec))).toMatchObject({ code, message }));

  test("a wrong type and an unknown field have the converter's words", () => {
    const base = { type: "strategic", current, expected: CRON_JOB } as const;
    expect(refusal({ ...base, patch: { spec: { suspend: "x" } } }).message).toBe(` "" is invalid: patch: Invalid value: "map[spec:map[suspend:x]]": unrecognized type: bool`);
    expect(refusal({ ...base, patch: { spec: { paralelism: 1 } }, fieldValidation: "Strict" }).message).toBe(` "" is invalid: patch: Invalid value: "map[spec:map[paralelism:1]]": strict decoding error: unknown field "spec.paralelism"`);
  });

  test("a refusal shows what is left of the patch", () => {
    const message = (patch: object) => /Invalid value: "(.*)": /.exec(refusal({ type: "strategic", patch: { ...patch, spec: { ...("spec" in patch && (patch.spec as object)), suspend: 1 } }, current, expected: CRON_JOB }).message)?.[1];
    expect(message({ $patch: "replace" })).toBe("map[spec:map[suspend:1]]");
    expect(message({ metadata: { labels: { a: null, b: "1" } } })).toBe("map[metadata:map[labels:map[b:1]] spec:map[suspend:1]]");
    expect(message({ metadata: { "$setElementOrder/finalizers": ["a"], finalizers: ["a"] } })).toBe("map[metadata:map[] spec:map[suspend:1]]");
  });

  test("what it makes is of the kind that was patched, and converted field by field", () => {
    const base = { type: "strategic", current, expected: CRON_JOB } as const;
    expect(applyPatch({ ...base, patch: { kind: "Pod", apiVersion: "v9" } }).object).toMatchObject({ kind: "CronJob", apiVersion: "batch/v1" });
    expect(refusal({ ...base, patch: '{"spec":{"suspend":"x"},"metadata":{"labels":[]}}' }).message).toMatch(/: cannot restore map from slice$/);
    expect(applyPatch({ ...base, patch: '{"spec":{"startingDeadlineSeconds":1e3,"successfulJobsHistoryLimit":4294967297}}' }).object).toMatchObject({ spec: { startingDeadlineSeconds: 1000, successfulJobsHistoryLimit: 1 } });
    expect(applyPatch({ ...base, patch: { zeta: 1, spec: { b: 1, a: 1 } } }).warnings).toEqual([`unknown field "spec.a"`, `unknown field "spec.b"`, `unknown field "zeta"`]);
  });

  const images = fc.dictionary(fc.constantFrom("one", "two", "three"), fc.constantFrom("i", "j"));
  test("applied twice is applied once, and an empty patch changes nothing", () => {
    fc.assert(fc.property(images, (wanted) => {
      const patch = podSpec({ containers: Object.entries(wanted).map(([name, image]) => ({ name, image, env: [{ name: "A", value: image }] })) });
      const once = applyPatch({ type: "strategic", patch, current, expected: CRON_JOB }).object;
      expect(applyPatch({ type: "strategic", patch, current: once, expected: CRON_JOB }).object).toEqual(once);
      expect(applyPatch({ type: "strategic", patch: {}, current: once, expected: CRON_JOB }).object).toEqual(once);
    }));
  });

  test("nothing given is changed", () => {
    const before = JSON.stringify(current);
    result({ containers: [{ name: "one", image: "j", env: [{ name: "A", $patch: "delete" }] }], nodeSelector: { a: null } });
    expect(JSON.stringify(current)).toBe(before);
  });
});
