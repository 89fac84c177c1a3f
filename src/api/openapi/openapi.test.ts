import { describe, expect, test } from "vitest";
import { Discovery } from "../discovery/discovery.ts";
import { OpenApi } from "./openapi.ts";

interface Doc {
  paths: Record<string, Record<string, { parameters: { name: string }[]; requestBody: { content: object } }>>;
  components: { schemas: Record<string, { properties: Record<string, object> }> };
}
const discovery = new Discovery();
const openApi = new OpenApi({ discovery, gitVersion: "v1.36.2", descriptions: () => ({ "io.k8s.api.batch.v1.CronJobSpec": { "": "It specifies.", concurrencyPolicy: "How to treat." } }) });
const documentOf = (path: string) => JSON.parse(openApi.document(path)?.text ?? "{}") as Doc;

describe("version 3", () => {
  test("the index names every document by a hash", () => {
    const { paths } = JSON.parse(openApi.index()) as { paths: Record<string, { serverRelativeURL: string }> };
    expect(paths["apis/batch/v1"]?.serverRelativeURL).toMatch(/^\/openapi\/v3\/apis\/batch\/v1\?hash=[0-9A-F]+$/);
    expect(Object.keys(paths)).toEqual(expect.arrayContaining(["api", "api/v1", "apis", "apis/batch", "version"]));
    expect(openApi.document("apis/nonsense/v1")).toBeUndefined();
  });

  test("PATCH tells kubectl that the server validates and which patches it takes", () => {
    const patch = documentOf("apis/batch/v1").paths["/apis/batch/v1/namespaces/{namespace}/jobs/{name}"]?.["patch"];
    expect(patch).toMatchObject({ "x-kubernetes-action": "patch", "x-kubernetes-group-version-kind": { group: "batch", version: "v1", kind: "Job" } });
    expect(patch?.parameters.map((p) => p.name)).toEqual(["dryRun", "fieldManager", "fieldValidation", "force"]);
    expect(Object.keys(patch?.requestBody.content ?? {})).toContain("application/strategic-merge-patch+json");
  });

  test.each([
    { path: "/apis/batch/v1/jobs", method: "get", want: { operationId: "listBatchV1JobForAllNamespaces", description: "list or watch objects of kind Job" } },
    { path: "/apis/batch/v1/namespaces/{namespace}/jobs", method: "delete", want: { operationId: "deleteBatchV1CollectionNamespacedJob" } },
    { path: "/apis/batch/v1/namespaces/{namespace}/jobs/{name}/status", method: "put", want: { operationId: "replaceBatchV1NamespacedJobStatus" } },
    { path: "/apis/batch/v1/watch/jobs", method: "get", want: { operationId: "watchBatchV1JobListForAllNamespaces" } },
    { path: "/api/v1/namespaces/{namespace}/endpoints", method: "post", want: { description: "create Endpoints" } },
    { path: "/api/v1/namespaces/{namespace}/events", method: "post", want: { description: "create an Event" } },
    { path: "/api/v1/namespaces/{namespace}/pods/{name}/eviction", method: "post", want: { description: "create eviction of a Pod", "x-kubernetes-group-version-kind": { group: "policy", version: "v1", kind: "Eviction" } } },
    { path: "/api/v1/namespaces/{namespace}/pods/{name}/exec", method: "get", want: { operationId: "connectCoreV1GetNamespacedPodExec", tags: ["core_v1"] } },
    { path: "/api/v1/nodes/{name}/proxy/{path}", method: "options", want: { operationId: "connectCoreV1OptionsNodeProxyWithPath" } },
  ])("$method of $path", ({ path, method, want }) => {
    expect(documentOf(path.startsWith("/api/") ? "api/v1" : "apis/batch/v1").paths[path]?.[method]).toMatchObject(want);
  });

  test("schemas carry defaults, enums, texts and merge keys", () => {
    const { schemas } = documentOf("apis/batch/v1").components;
    expect(schemas["io.k8s.api.batch.v1.CronJobSpec"]).toMatchObject({
      description: "It specifies.",
      required: ["schedule", "jobTemplate"],
      properties: {
        schedule: { type: "string", default: "" },
        concurrencyPolicy: { enum: ["Allow", "Forbid", "Replace"], description: expect.stringContaining('How to treat.\n\nPossible enum values:\n - `"Allow"` ') as string },
        jobTemplate: { default: {}, allOf: [{ $ref: "#/components/schemas/io.k8s.api.batch.v1.JobTemplateSpec" }] },
      },
    });
    expect(schemas["io.k8s.api.core.v1.PodSpec"]?.properties["containers"]).toMatchObject({ "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"], "x-kubernetes-patch-merge-key": "name", "x-kubernetes-patch-strategy": "merge" });
    expect(schemas["io.k8s.api.core.v1.ContainerPort"]?.properties["protocol"]).toMatchObject({ default: "TCP" });
  });

  test("elements of lists and maps are told plainly, with their enum", () => {
    const { schemas } = documentOf("api/v1").components;
    const property = (schema: string, name: string) => schemas[`io.k8s.api.core.v1.${schema}`]?.properties[name];
    expect(property("PodSpec", "containers")).toMatchObject({ items: { $ref: "#/components/schemas/io.k8s.api.core.v1.Container" } });
    expect(property("Container", "command")).toMatchObject({ items: { type: "string" } });
    expect(property("ResourceQuotaSpec", "scopes")).toMatchObject({ type: "array", items: { type: "string", enum: expect.arrayContaining(["BestEffort"]) as string[] } });
    expect(property("ResourceQuotaSpec", "scopes")).not.toHaveProperty("enum");
    expect(property("ResourceRequirements", "limits")).toMatchObject({ additionalProperties: { $ref: "#/components/schemas/io.k8s.apimachinery.pkg.api.resource.Quantity" } });
  });

  test("every reference of every document leads somewhere", () => {
    for (const version of discovery.versions()) {
      const text = openApi.document(version.group === "" ? "api/v1" : `apis/${version.group}/${version.version}`)?.text ?? "";
      const { schemas } = (JSON.parse(text) as Doc).components;
      for (const [, name = ""] of text.matchAll(/"#\/components\/schemas\/([^"]+)"/g)) expect(schemas).toHaveProperty([name]);
    }
  });
});

test("version 2 has plain references, and its shared parameters once", () => {
  const { definitions, paths, parameters } = JSON.parse(openApi.v2().text) as Record<"definitions" | "paths" | "parameters", object>;
  expect(paths).toMatchObject({ "/apis/batch/v1/namespaces/{namespace}/jobs": { parameters: [{ $ref: expect.stringMatching(/^#\/parameters\/namespace-/) as string }, { $ref: expect.stringMatching(/^#\/parameters\/pretty-/) as string }] } });
  expect(Object.values(parameters)).toContainEqual(expect.objectContaining({ name: "watch", in: "query", type: "boolean" }));
  expect(definitions).toMatchObject({ "io.k8s.api.batch.v1.Job": { properties: { spec: { $ref: "#/definitions/io.k8s.api.batch.v1.JobSpec" } } } });
});
