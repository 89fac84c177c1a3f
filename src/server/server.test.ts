import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { CONFIG_MAPS } from "../api/resource.ts";
import { openTestServer, type TestServer } from "./testing.ts";

let server: TestServer;
const MAPS = "/api/v1/namespaces/n/configmaps";
const JOBS = "/apis/batch/v1/namespaces/n/jobs";

beforeAll(async () => {
  server = await openTestServer();
  server.api.add(CONFIG_MAPS, { metadata: { name: "a", namespace: "n" }, data: { x: "<1>" } } as never);
});
afterAll(() => server.close());

describe("paths", () => {
  const NOT_FOUND = { status: 404, message: "the server could not find the requested resource" };
  const NOT_ALLOWED = { status: 405, message: "the server does not allow this method on the requested resource" };
  test.each([
    { method: "GET", path: "/api/v1/namespaces/n/nonsense", want: NOT_FOUND },
    { method: "GET", path: "/apis/batch/v9/namespaces/n/jobs", want: NOT_FOUND },
    { method: "GET", path: "/apis/batch/v9", want: NOT_FOUND },
    { method: "GET", path: "/api/v9", want: NOT_FOUND },
    { method: "GET", path: `${JOBS}/a/nonsense`, want: NOT_FOUND },
    { method: "GET", path: `${JOBS}/a/log`, want: NOT_FOUND },
    { method: "GET", path: "/apis/batch/v1/jobs/a", want: NOT_FOUND },
    { method: "GET", path: "/api/v1/namespaces/n/nodes", want: NOT_FOUND },
    { method: "GET", path: "/api/v1/namespaces/n/bindings/a", want: NOT_FOUND },
    { method: "GET", path: "/api/v1/namespaces/n/bindings", want: NOT_ALLOWED },
    { method: "PUT", path: JOBS, want: NOT_ALLOWED },
    { method: "POST", path: `${JOBS}/a`, want: NOT_ALLOWED },
    { method: "PATCH", path: "/apis/batch/v1/jobs", want: NOT_ALLOWED },
    { method: "DELETE", path: "/apis/batch/v1/jobs", want: NOT_ALLOWED },
    { method: "DELETE", path: "/api/v1/namespaces", want: NOT_ALLOWED },
    { method: "GET", path: "/api/v1/namespaces/n/pods/a/binding", want: NOT_ALLOWED },
    { method: "DELETE", path: `${JOBS}/a/status`, want: NOT_ALLOWED },
    { method: "OPTIONS", path: JOBS, want: NOT_ALLOWED },
    { method: "BREW", path: JOBS, want: NOT_ALLOWED },
    { method: "POST", path: "/version", want: NOT_ALLOWED },
    { method: "POST", path: "/api", want: NOT_ALLOWED },
    { method: "DELETE", path: "/apis/batch/v1", want: NOT_ALLOWED },
    { method: "DELETE", path: "/api/v1/watch/configmaps", want: NOT_ALLOWED },
    { method: "BREW", path: "/apis/batch/v1/jobs/a", want: NOT_FOUND },
    { method: "GET", path: `${MAPS}/a%2Fstatus`, want: NOT_FOUND },
    { method: "GET", path: "/api/v1//namespaces/n/configmaps", want: NOT_FOUND },
  ])("$method $path", async ({ method, path, want }) => {
    const { status, body } = await server.request(method, path);
    expect(body).toMatchObject({ kind: "Status", message: want.message, details: {}, code: want.status });
    expect(status).toBe(want.status);
  });

  test.each(["/nowhere", "//api/v1", "/healthz/", "/apis/nonsense.example.com", "/apis/nonsense.example.com/v1/things", "/healthz/nonsense"])("%s is Go's 404 page", async (path) => {
    expect(await server.request("GET", path)).toMatchObject({ status: 404, text: "404 page not found\n", headers: { "content-type": "text/plain; charset=utf-8" } });
  });

  test.each([
    { path: "/healthz", text: "ok" },
    { path: "/readyz/ping", text: "ok" },
    { path: "/readyz?exclude=nonsense", text: "ok" },
    { path: "/livez/etcd", text: "ok" },
    { path: "/livez?verbose", text: expect.stringMatching(/^\[\+\]ping ok\n(\[\+\].* ok\n)+livez check passed\n$/) as string },
    { path: "/readyz?verbose&exclude=etcd", text: expect.stringContaining("[+]etcd excluded: ok\n") as string },
    { path: "/", text: expect.stringContaining('"/livez/ping",') as string },
    { path: "/%61pi/v1", text: expect.stringContaining('"APIResourceList"') as string },
  ])("$path", async ({ path, text }) => {
    expect(await server.request("GET", path)).toMatchObject({ status: 200, text });
  });

  test("HEAD is refused where objects are, and answered where documents are", async () => {
    for (const path of [MAPS, "/api/v1"]) expect(await server.request("HEAD", path)).toMatchObject({ status: 405 });
    expect(await server.request("HEAD", "/apis/batch")).toMatchObject({ status: 200 });
  });

  test("a watch of nothing is no request that can be understood", async () => {
    expect(await server.request("GET", "/api/v1/watch")).toMatchObject({ status: 500, text: 'Internal Server Error: "/api/v1/watch": failed to create RequestInfo: unable to determine kind and namespace from url, /api/v1/watch\n' });
  });

  test("a slash at the end counts for nothing", async () => {
    expect((await server.request("GET", `${MAPS}/`)).body).toMatchObject({ kind: "ConfigMapList" });
  });
});

describe("forms of an answer", () => {
  const META = "g=meta.k8s.io;v=v1";
  test.each([
    { accept: "*/*", want: { kind: "ConfigMap" } },
    { accept: "text/html,*/*;q=0.8", want: { kind: "ConfigMap" } },
    { accept: "application/*", want: { code: 406, details: {}, message: "406: Not Acceptable\n\nAvailable representations: application/json, application/yaml, application/vnd.kubernetes.protobuf" } },
    { accept: "application/json;as=Table;v=v9;g=meta.k8s.io", want: { code: 406, message: "only the following media types are accepted: application/json, application/yaml, application/vnd.kubernetes.protobuf" } },
    { accept: "application/json;as=Table;v=v9;g=meta.k8s.io,application/json", want: { kind: "ConfigMap" } },
    { accept: `application/json;as=Table;${META}`, want: { kind: "Table", metadata: { resourceVersion: "2" }, rows: [{ object: { kind: "PartialObjectMetadata" } }] } },
    { accept: `application/json;as=PartialObjectMetadata;${META}`, want: { kind: "PartialObjectMetadata", apiVersion: "meta.k8s.io/v1" } },
    { accept: `application/json;as=PartialObjectMetadataList;${META}`, want: { code: 406, message: "you requested PartialObjectMetadataList, but the requested object is not a list (*core.ConfigMap)" } },
  ])("one object as $accept", async ({ accept, want }) => {
    expect((await server.request("GET", `${MAPS}/a`, { headers: { accept } })).body).toMatchObject(want);
  });

  test("items of a list carry no kind, and nothing is serialised twice", async () => {
    const { body } = await server.request("GET", MAPS);
    expect(body).toMatchObject({ kind: "ConfigMapList", apiVersion: "v1", items: [{ data: { x: "<1>" } }] });
    expect(Object.keys((body as { items: object[] }).items[0] ?? {})).toEqual(["metadata", "data"]);
  });

  test("YAML", async () => {
    const { headers, text } = await server.request("GET", `${MAPS}/a`, { headers: { accept: "application/yaml" } });
    expect(headers["content-type"]).toBe("application/yaml");
    expect(text).toContain("kind: ConfigMap\nmetadata:\n");
  });

  test("rows carry what includeObject says", async () => {
    const table = async (include: string) => (await server.request("GET", `${MAPS}?includeObject=${include}`, { headers: { accept: `application/json;as=Table;${META}` } })).body as { rows: { object: unknown }[]; message: string };
    expect((await table("None")).rows[0]?.object).toBeNull();
    expect((await table("Object")).rows[0]?.object).toMatchObject({ kind: "ConfigMap", data: { x: "<1>" } });
    expect((await table("Other")).message).toBe("Unable to convert to Table as requested: includeObject: Invalid value: \"Other\": must be 'Metadata', 'Object', 'None', or empty");
  });

  test("warnings are quoted", async () => {
    server.api.warnings = ['unknown field "spec.foo"'];
    const { headers } = await server.request("GET", `${MAPS}/a`);
    server.api.warnings = [];
    expect(headers["warning"]).toBe('299 - "unknown field \\"spec.foo\\""');
  });

  test("large answers are compressed for those who can read that", async () => {
    server.api.add(CONFIG_MAPS, { metadata: { name: "big", namespace: "big" }, data: { x: "x".repeat(200_000) } } as never);
    const path = "/api/v1/namespaces/big/configmaps/big";
    expect((await server.over2(path, { "accept-encoding": "gzip" })).headers["content-encoding"]).toBe("gzip");
    expect((await server.over2(path)).headers["content-encoding"]).toBeUndefined();
  });
});

test("warnings go out in UTF-8, whatever the protocol", async () => {
  server.api.warnings = ["größer als 🎈"];
  const answers = [await server.request("GET", `${MAPS}/a`), await server.over2(`${MAPS}/a`)];
  server.api.warnings = [];
  for (const { status, headers } of answers) expect([status, Buffer.from(String(headers["warning"]), "latin1").toString()]).toEqual([200, '299 - "größer als 🎈"']);
});

describe("bodies", () => {
  test.each([
    { name: "text", type: "text/plain", body: "x", code: 415, message: "the body of the request was in an unknown format - accepted media types include: application/json, application/yaml, application/vnd.kubernetes.protobuf" },
    { name: "too much", type: "application/json", body: `"${"x".repeat(3 * 1024 * 1024)}"`, code: 413, message: "Request entity too large: limit is 3145728" },
  ])("$name", async ({ type, body, code, message }) => {
    expect((await server.request("POST", MAPS, { body, headers: { "content-type": type } })).body).toMatchObject({ code, message });
  });

  test("a patch of an unknown type is go-restful's 415", async () => {
    expect((await server.request("PATCH", `${MAPS}/a`, { body: {} })).body).toMatchObject({ code: 415, message: "415: Unsupported Media Type", details: {} });
  });

  test("the Api gets the object, its options and who asks", async () => {
    await server.request("POST", `${MAPS}?dryRun=All&fieldManager=me`, { body: { metadata: { name: "new" }, data: { a: "1" } }, headers: { "user-agent": "test/1" } });
    expect(server.api.requests.at(-1)).toMatchObject({
      request: { verb: "create", namespace: "n", object: { kind: "ConfigMap", data: { a: "1" } }, options: { dryRun: ["All"], fieldManager: "me" } },
      caller: { user: { name: "tester" }, userAgent: "test/1" },
    });
  });

  test("a DELETE's body makes its query count for nothing", async () => {
    await server.request("DELETE", `${MAPS}/a2?dryRun=All`, { body: { gracePeriodSeconds: 3 } });
    expect(server.api.requests.at(-1)?.request).toMatchObject({ verb: "delete", options: { gracePeriodSeconds: 3 } });
    expect((await server.request("DELETE", `${MAPS}/a2`, { body: { kind: "Pod", apiVersion: "v1" } })).body).toMatchObject({
      code: 400, message: 'no kind "Pod" is registered for version "v1" in scheme "k8s.io/apimachinery/pkg/apis/meta/internalversion/scheme/register.go:27"',
    });
  });

  test("numbers in queries", async () => {
    expect((await server.request("GET", `${MAPS}?limit=many`)).body).toMatchObject({ code: 400, message: 'strconv.ParseInt: parsing "many": invalid syntax' });
    expect((await server.request("GET", `${MAPS}?limit=1&limit=x`)).status).toBe(200);
  });
});

test("a timeout that is no duration is refused, whoever asks", async () => {
  expect(await server.request("GET", `${MAPS}?timeout=x`)).toMatchObject({ status: 400, body: { message: 'invalid timeout specified in the request URL - time: invalid duration "x"' } });
});

test("who uses a kind that is going out is told, even where they are refused", async () => {
  const leaving = await openTestServer(() => ({ kindOf: () => ({ deprecation: "v1 ConfigMap is going out", views: {} }) as never }));
  const told = { warning: '299 - "v1 ConfigMap is going out"' };
  expect(await leaving.request("GET", MAPS)).toMatchObject({ status: 200, headers: told });
  expect(await leaving.request("GET", `${MAPS}/absent`)).toMatchObject({ status: 404, headers: told });
  await leaving.close();
});
