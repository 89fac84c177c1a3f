import { BinaryReader, WireType } from "@bufbuild/protobuf/wire";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { Discovery } from "../discovery/discovery.ts";
import { OpenApi } from "./openapi.ts";
import { encodeOpenApi } from "./protobuf.ts";

const openApi = new OpenApi({ discovery: new Discovery(), gitVersion: "v1.36.2", descriptions: () => ({ "io.k8s.api.batch.v1.Job": { spec: "What it should be." } }) });

/** The bytes of every field of that number. */
function fieldsOf(bytes: Uint8Array, wanted: number): Uint8Array[] {
  const reader = new BinaryReader(bytes);
  const found: Uint8Array[] = [];
  while (reader.pos < reader.len) {
    const [number, wire] = reader.tag();
    if (number === wanted && wire === WireType.LengthDelimited) found.push(reader.bytes());
    else reader.skip(wire, number);
  }
  return found;
}

/** One field after another, inwards; a text is the name of an entry of a map whose entries have that number. */
function at(bytes: Uint8Array, ...path: readonly (number | readonly [entries: number, name: string])[]): Uint8Array[] {
  return path.reduce<Uint8Array[]>((all, step) => all.flatMap((each) => {
    if (typeof step === "number") return fieldsOf(each, step);
    return fieldsOf(each, step[0]).filter((entry) => texts(fieldsOf(entry, 1))[0] === step[1]).flatMap((entry) => fieldsOf(entry, 2));
  }), [bytes]);
}

const texts = (found: readonly Uint8Array[]): readonly string[] => found.map((bytes) => Buffer.from(bytes).toString());

const v2 = encodeOpenApi(JSON.parse(openApi.v2().text) as object, "v2");
const v3 = encodeOpenApi(JSON.parse(openApi.document("apis/batch/v1")?.text ?? "{}") as object, "v3");
const JOBS = "/apis/batch/v1/namespaces/{namespace}/jobs";
const JOB = "io.k8s.api.batch.v1.Job";

describe("version 2", () => {
  const post = at(v2, 8, [2, JOBS], 4)[0] ?? new Uint8Array();

  test.each([
    { what: "its version", found: at(v2, 1), want: ["2.0"] },
    { what: "its title", found: at(v2, 2, 1), want: ["Kubernetes"] },
    { what: "an operation's id", found: at(post, 5), want: ["createBatchV1NamespacedJob"] },
    { what: "what an operation reads", found: at(post, 7), want: ["*/*"] },
    { what: "the schema of a body", found: at(post, 8, 1, 1, 5, 1), want: [`#/definitions/${JOB}`] },
    { what: "parameters in the query", found: at(post, 8, 1, 2, 3, 4), want: ["dryRun", "fieldValidation"] },
    { what: "the schema of an answer", found: at(post, 9, [1, "201"], 1, 2, 1, 1), want: [`#/definitions/${JOB}`] },
    { what: "the type of a name in the path", found: at(v2, 8, [2, `${JOBS}/{name}`], 9, 1, 2, 4, 5), want: ["string"] },
    { what: "a field's type", found: at(v2, 9, [1, "io.k8s.api.batch.v1.JobSpec"], 25, [1, "parallelism"], 22, 1), want: ["integer"] },
    { what: "properties that look like extensions", found: at(v2, 9, [1, "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaProps"], 25, [1, "x-kubernetes-map-type"], 22, 1), want: ["string"] },
    { what: "who may ask", found: at(v2, 13, [1, "BearerToken"], 2, 3), want: ["header"] },
  ])("has $what", ({ found, want }) => {
    expect(texts(found)).toEqual(want);
  });

  test("has shared parameters once, and references to them", () => {
    const names = texts(at(v2, 10, 1, 1));
    const [shared = ""] = texts(at(post, 8, 2, 1)).map((ref) => ref.replace("#/parameters/", ""));
    expect(shared).toMatch(/^fieldManager-/);
    expect(names.filter((name) => name === shared)).toHaveLength(1);
  });

  test("has extensions as YAML", () => {
    const kind = { group: "batch", kind: "Job", version: "v1" };
    expect(texts(at(v2, 9, [1, JOB], [31, "x-kubernetes-group-version-kind"], 2)).map((text) => parse(text) as unknown)).toEqual([[kind]]);
    expect(texts(at(post, [13, "x-kubernetes-group-version-kind"], 2)).map((text) => parse(text) as unknown)).toEqual([kind]);
  });
});

test.each([
  { what: "its version", found: at(v3, 1), want: ["3.0.0"] },
  { what: "the version of Kubernetes", found: at(v3, 2, 6), want: ["1.36"] },
  { what: "the schema of a body", found: at(v3, 4, [1, JOBS], 6, 7, 1, 2, [1, "*/*"], 1, 2, 1), want: [`#/components/schemas/${JOB}`] },
  { what: "patches that an object takes", found: at(v3, 4, [1, `${JOBS}/{name}`], 10, 7, 1, 2, 1, 1), want: ["application/apply-patch+yaml", "application/json-patch+json", "application/merge-patch+json", "application/strategic-merge-patch+json"] },
  { what: "the type of a parameter", found: at(v3, 4, [1, JOBS], 13, 1, 10, 1, 25), want: ["string", "string"] },
  { what: "the schema of an answer", found: at(v3, 4, [1, JOBS], 6, 8, [2, "200"], 1, 3, [1, "application/yaml"], 1, 2, 1), want: [`#/components/schemas/${JOB}`] },
  { what: "the text of a field that is another type", found: at(v3, 5, 1, [1, JOB], 1, 31, [1, "spec"], 1, 34), want: ["What it should be."] },
  { what: "the type behind it", found: at(v3, 5, 1, [1, JOB], 1, 31, [1, "spec"], 1, 26, 2, 1), want: ["#/components/schemas/io.k8s.api.batch.v1.JobSpec"] },
  { what: "a default that is a structure as nothing", found: at(v3, 5, 1, [1, JOB], 1, 31, [1, "spec"], 1, 33), want: [""] },
  { what: "a default that is a text", found: at(v3, 5, 1, [1, "io.k8s.api.core.v1.ContainerPort"], 1, 31, [1, "protocol"], 1, 33, 3), want: ["TCP"] },
])("version 3 has $what", ({ found, want }) => {
  expect(texts(found)).toEqual(want);
});
