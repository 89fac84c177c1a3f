import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { StatusError } from "../status-error.ts";
import { decodeObject, normalise, type DecodeRequest } from "./decode.ts";
import { parseJson, plain } from "./json-parser.ts";

const JOB = { group: "batch", version: "v1", kind: "Job" };
const CONFIG_MAP = { group: "", version: "v1", kind: "ConfigMap" };
const CRON_JOB = { ...JOB, kind: "CronJob" };
const POD = { ...CONFIG_MAP, kind: "Pod" };

function refusal(request: DecodeRequest): string {
  try {
    decodeObject(request);
  } catch (error) {
    if (error instanceof StatusError && error.code === 400 && error.reason === "BadRequest") return error.message;
    throw error;
  }
  throw new Error("it was taken");
}
const job = (spec: unknown) => JSON.stringify({ spec });
const handled = (why: string) => `Job in version "v1" cannot be handled as a Job: ${why}`;

describe("field validation", () => {
  const text = `{"apiVersion":"batch/v1","kind":"Job","metadata":{"name":"v","nmae":"x"},"spec":{"suspend":true,"parallelism":1,"parallelism":2,"paralelism":3,"template":{"spec":{"restartPolicy":"Never","containers":[{"name":"c","image":"i","imagee":"j","env":[{"name":"A","valu":"1"}]}]}}},"extra":1}`;
  const found = [`unknown field "metadata.nmae"`, `duplicate field "spec.parallelism"`, `unknown field "spec.paralelism"`, `unknown field "spec.template.spec.containers[0].imagee"`, `unknown field "spec.template.spec.containers[0].env[0].valu"`, `unknown field "extra"`];

  test("Warn tells in the text's order, and the last value counts", () => {
    const { object, warnings } = decodeObject({ text, expected: JOB });
    expect(warnings).toEqual(found);
    expect(object).toMatchObject({ spec: { parallelism: 2 } });
    expect(object).not.toHaveProperty("extra");
  });
  test("Ignore is silent, Strict refuses", () => {
    expect(decodeObject({ text, expected: JOB, fieldValidation: "Ignore" }).warnings).toEqual([]);
    expect(refusal({ text, expected: JOB, fieldValidation: "Strict" })).toBe(handled(`strict decoding error: ${found.join(", ")}`));
  });
  test("a key of a map twice, and a name in the wrong case", () => {
    expect(decodeObject({ text: '{"data":{"a":"1","a":"2"},"Data":{}}', expected: CONFIG_MAP })).toMatchObject({ object: { data: { a: "2" } }, warnings: [`duplicate field "data.a"`, `unknown field "Data"`] });
  });
  test("a YAML key twice has the converter's words", () => {
    const request = { text: "data:\n  a: '1'\n  a: '2'\n", format: "yaml", expected: CONFIG_MAP, fieldValidation: "Strict" } as const;
    expect(refusal(request)).toBe(`ConfigMap in version "v1" cannot be handled as a ConfigMap: strict decoding error: yaml: unmarshal errors:\n  line 3: key "a" already set in map`);
  });
});

describe("bodies that do not fit", () => {
  const unrecognized = (why: string, kind = "Job") => `the object provided is unrecognized (must be of type ${kind}): ${why}`;
  test.each([
    { text: "", want: unrecognized("couldn't get version/kind; json parse error: unexpected end of JSON input (<empty>)") },
    { text: "hello", want: unrecognized("couldn't get version/kind; json parse error: invalid character 'h' looking for beginning of value (68656c6c6f)") },
    { text: '{"kind":"Job"', want: unrecognized('couldn\'t get version/kind; json parse error: unexpected end of JSON input ({"kind":"Job")') },
    { text: "[]", want: unrecognized('couldn\'t get version/kind; json parse error: json: cannot unmarshal array into Go value of type struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" } (5b5d)') },
    { text: '{"apiVersion":"batch/v1","kind":"CronJob"}', want: 'CronJob in version "v1" cannot be handled as a Job: converting (v1.CronJob) to (batch.Job): unknown conversion' },
    { text: '{"apiVersion":"batch/v2","kind":"Job"}', want: 'Job in version "v2" cannot be handled as a Job: no kind "Job" is registered for version "batch/v2" in scheme "pkg/api/legacyscheme/scheme.go:30"' },
    { text: '{"apiVersion":"v1","kind":"Pod"}', want: 'Pod in version "v1" cannot be handled as a Job: converting (v1.Pod) to (batch.Job): unknown conversion' },
    { text: job({ parallelism: "many" }), want: handled("json: cannot unmarshal string into Go struct field JobSpec.spec.parallelism of type int32") },
    { text: job({ parallelism: 1.5 }), want: handled("json: cannot unmarshal number 1.5 into Go struct field JobSpec.spec.parallelism of type int32") },
    { text: job({ completions: 2147483648 }), want: handled("json: cannot unmarshal number 2147483648 into Go struct field JobSpec.spec.completions of type int32") },
    { text: job({ suspend: "yes" }), want: handled("json: cannot unmarshal string into Go struct field JobSpec.spec.suspend of type bool") },
    { text: job({ selector: "all" }), want: handled("json: cannot unmarshal string into Go struct field JobSpec.spec.selector of type v1.LabelSelector") },
    { text: job({ podFailurePolicy: [] }), want: handled("json: cannot unmarshal array into Go struct field JobSpec.spec.podFailurePolicy of type v1.PodFailurePolicy") },
    { text: job({ template: { spec: { containers: [{ image: 1 }] } } }), want: handled("json: cannot unmarshal number into Go struct field Container.spec.template.spec.containers.image of type string") },
    { text: job({ template: { spec: { restartPolicy: 1 } } }), want: handled("json: cannot unmarshal number into Go struct field PodSpec.spec.template.spec.restartPolicy of type v1.RestartPolicy") },
    { text: job({ template: { spec: { volumes: [{ secret: 1 }] } } }), want: handled("json: cannot unmarshal number into Go struct field Volume.spec.template.spec.volumes.VolumeSource.secret of type v1.SecretVolumeSource") },
    { text: job({ template: { spec: { containers: [{ envFrom: [{ secretRef: { name: 1 } }] }] } } }), want: handled("json: cannot unmarshal number into Go struct field SecretEnvSource.spec.template.spec.containers.envFrom.secretRef.LocalObjectReference.name of type string") },
    { text: job({ template: { spec: { containers: [{ resources: { limits: { cpu: "x" } } }] } } }), want: handled("quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'") },
    { text: '{"status":{"startTime":"yesterday"}}', want: handled('parsing time "yesterday" as "2006-01-02T15:04:05Z07:00": cannot parse "yesterday" as "2006"') },
  ])("$want", ({ text, want }) => expect(refusal({ text, expected: JOB })).toBe(want));

  test("a micro time has six digits", () => {
    const lease = { group: "coordination.k8s.io", version: "v1", kind: "Lease" };
    const text = '{"spec":{"renewTime":"2020-01-01T00:00:00Z"}}';
    expect(refusal({ text, expected: lease })).toBe('Lease in version "v1" cannot be handled as a Lease: parsing time "2020-01-01T00:00:00Z" as "2006-01-02T15:04:05.000000Z07:00": cannot parse "Z" as ".000000"');
  });
  const ALIASES = `a: &a [x, x, x, x, x, x, x, x, x]\n${["b", "c", "d", "e", "f"].map((name, i) => `${name}: &${name} [${Array.from({ length: 9 }, () => `*${"abcde"[i]}`).join(", ")}]`).join("\n")}`;
  test.each([
    { name: "no YAML", text: "a: [", want: "line 1: did not find expected node content" },
    { name: "an anchor inside itself", text: "a: &a {b: *a}", want: "anchor 'a' value contains itself" },
    { name: "no anchor", text: "<<: *x", want: "unknown anchor 'x' referenced" },
    { name: "a key that is a list", text: "? [a, 1]\n: b", want: 'invalid map key: []interface {}{"a", 1}' },
    { name: "more aliases than anybody needs", text: ALIASES, want: "document contains excessive aliasing" },
    { name: "many aliases of little", text: `a: &a x\nb: [${"*a,".repeat(1001)}]`, want: "document contains excessive aliasing" },
    { name: "nested too deep", text: "[".repeat(20_000), want: "exceeded max depth of 10000" },
    { name: "more than is read in a reasonable time", text: "a: b\n".repeat(200_000), want: "document has more nodes than are read here; send it as JSON" },
  ])("YAML: $name", ({ text, want }) => expect(refusal({ text, format: "yaml", expected: CONFIG_MAP })).toContain(unrecognized(`yaml: ${want} (`, "ConfigMap")));

  test.each(["{", "["])("JSON is not nested deeper than what reads it can bear: %s", (open) => {
    const nested = (depth: number) => `{"a":${(open === "{" ? '{"a":' : "[").repeat(depth)}1${(open === "{" ? "}" : "]").repeat(depth)}}`;
    expect(decodeObject({ text: nested(999), expected: CONFIG_MAP }).warnings).toEqual(['unknown field "a"']);
    expect(refusal({ text: nested(1000), expected: CONFIG_MAP })).toContain(`json parse error: invalid character '${open}' exceeded max depth (`);
  });
});

describe("the form that is stored", () => {
  const form = (value: object, expected = JOB) => decodeObject({ value, expected }).object as unknown as Record<string, unknown>;

  test("kind, apiVersion, metadata, spec and status come first and are there", () => {
    expect(JSON.stringify(form({ spec: { template: {} } }))).toBe('{"kind":"Job","apiVersion":"batch/v1","metadata":{},"spec":{"template":{"metadata":{},"spec":{"containers":null}}},"status":{}}');
    expect(JSON.stringify(form({ data: { b: "", a: "1" } }, CONFIG_MAP))).toBe('{"kind":"ConfigMap","apiVersion":"v1","metadata":{},"data":{"a":"1","b":""}}');
  });
  test("zero survives in a pointer and in nothing else; null survives nowhere", () => {
    expect(form({ spec: { parallelism: 0, suspend: false, completions: null }, status: { active: 0, ready: 0, conditions: [] } })).toMatchObject({ spec: { parallelism: 0, suspend: false }, status: { ready: 0 } });
    expect(form({ status: { active: 0, conditions: [], failedIndexes: null } })["status"]).toEqual({});
    expect(form({ metadata: { labels: {}, name: "", generation: 0, creationTimestamp: null } })["metadata"]).toEqual({});
  });
  test("times, quantities, bytes and texts are canonical", () => {
    const pod = form({ spec: { containers: [{ name: "c", resources: { limits: { cpu: "1000m", memory: 1024 } } }] }, status: { startTime: "2020-01-01T02:00:00.5+02:00", conditions: [{ type: "T", status: "True" }] } }, POD);
    expect(pod).toMatchObject({ spec: { containers: [{ name: "c", resources: { limits: { cpu: "1", memory: "1024" } } }] }, status: { startTime: "2020-01-01T00:00:00Z", conditions: [{ lastProbeTime: null, lastTransitionTime: null }] } });
  });
  test("YAML 1.1 scalars", () => {
    const text = "kind: ConfigMap\nmetadata: {labels: {y: a}}\ndata: {d: '2020-01-01', e: 1.5e3abc, f: \"12\"}\n";
    expect(decodeObject({ text, format: "yaml", expected: CONFIG_MAP }).object).toMatchObject({ metadata: { labels: { true: "a" } }, data: { d: "2020-01-01", e: "1.5e3abc", f: "12" } });
  });
  test("decoding what was decoded changes nothing", () => {
    const spec = fc.record({ parallelism: fc.option(fc.nat(9)), suspend: fc.option(fc.boolean()), selector: fc.option(fc.record({ matchLabels: fc.dictionary(fc.string(), fc.string()) })), template: fc.record({ spec: fc.record({ hostname: fc.string(), hostNetwork: fc.boolean(), containers: fc.array(fc.record({ name: fc.string(), args: fc.array(fc.string()), stdin: fc.boolean() })) }) }) });
    fc.assert(fc.property(spec, (value) => {
      const once = decodeObject({ value: { spec: value }, expected: JOB }).object;
      expect(JSON.stringify(normalise({ ...once }, JOB))).toBe(JSON.stringify(once));
      const cron = decodeObject({ value: { spec: { jobTemplate: { spec: value } } }, expected: CRON_JOB }).object;
      expect(JSON.stringify(normalise({ ...cron }, CRON_JOB))).toBe(JSON.stringify(cron));
    }));
  });
});

test("the parser reads what JSON.parse reads", () => {
  fc.assert(fc.property(fc.jsonValue(), fc.boolean(), (value, pretty) => {
    expect(plain(parseJson(JSON.stringify(value, null, pretty ? 1 : 0)))).toEqual(JSON.parse(JSON.stringify(value)));
  }));
});
