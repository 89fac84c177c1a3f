import { createServer } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ENDPOINTS, PODS, SERVICES } from "../api/resource.ts";
import { openTestServer, type TestServer } from "../server/testing.ts";
import { proxyConnects, restOf, splitId } from "./proxy.ts";

test.each([
  { id: "p", want: { name: "p", port: "" } },
  { id: "p:80", want: { name: "p", port: "80" } },
  { id: "https:p:web", want: { name: "p", port: "web" } },
  { id: "ftp:p:1", want: undefined },
  { id: ":1", want: undefined },
  { id: "a:b:c:d", want: undefined },
])("$id", ({ id, want }) => expect(splitId(id)).toEqual(want));

test.each([
  { url: "/api/v1/namespaces/n/pods/p/proxy", want: undefined },
  { url: "/api/v1/namespaces/n/pods/p/proxy?a=b", want: undefined },
  { url: "/api/v1/namespaces/n/pods/p/proxy/x%2Fy/proxy/z?a=b", want: "/x%2Fy/proxy/z?a=b" },
])("$url", ({ url, want }) => expect(restOf(url)).toBe(want));

describe("through the server", () => {
  const behind = createServer((request, response) => void response.setHeader("x-path", request.url ?? "").end(`${request.method} ${request.headers["authorization"] ?? "nobody"}`));
  let server: TestServer;
  const N = "/api/v1/namespaces/n";
  beforeAll(async () => {
    await new Promise<void>((done) => void behind.listen(0, "127.0.0.1", done));
    const { port } = behind.address() as AddressInfo;
    const portForward = () => Promise.resolve(connect(port, "127.0.0.1"));
    server = await openTestServer((api) => ({ connects: proxyConnects({ api, streams: { logs: () => Promise.reject(new Error("none")), exec: () => Promise.resolve(0), portForward } }) }));
    const pod = (name: string, podIP?: string) => ({ metadata: { name, namespace: "n" }, spec: { containers: [{ name: "c", ports: [{ containerPort: 80 }] }] }, status: { podIP } });
    server.api.add(PODS, pod("p", "10.1.1.1"));
    server.api.add(PODS, pod("lost"));
    server.api.add(SERVICES, { metadata: { name: "s", namespace: "n" }, spec: { ports: [{ name: "web", port: 8080 }] } } as never);
    server.api.add(SERVICES, { metadata: { name: "none", namespace: "n" }, spec: { ports: [{ port: 1 }] } } as never);
    server.api.add(ENDPOINTS, { metadata: { name: "s", namespace: "n" }, subsets: [{ addresses: [{ ip: "10.1.1.1", targetRef: { kind: "Pod", name: "p", namespace: "n" } }], ports: [{ name: "web", port: 80 }] }] } as never);
  });
  afterAll(async () => {
    await server.close();
    behind.close();
  });

  test.each([
    { path: "/pods/p/proxy/a?b=c" },
    { path: "/pods/p:80/proxy/a?b=c" },
    { path: "/services/s:web/proxy/a?b=c" },
    { path: "/services/s:8080/proxy/a?b=c" },
  ])("$path reaches the pod, without who asked", async ({ path }) => {
    expect(await server.request("GET", N + path)).toMatchObject({ status: 200, text: "GET nobody", headers: { "x-path": "/a?b=c" } });
  });

  test.each([
    { path: "/pods/p/proxy", status: 301 },
    { path: "/pods/lost/proxy/", status: 400, message: "address not allowed" },
    { path: "/pods/nope/proxy/", status: 404, message: 'pods "nope" not found' },
    { path: "/pods/ftp:p:1/proxy/", status: 400, message: 'invalid pod request "ftp:p:1"' },
    { path: "/services/s:1/proxy/", status: 503, message: 'no service port 1 found for service "s"' },
    { path: "/services/none/proxy/", status: 404, message: 'services "none" not found' },
    { path: "/services/s:other/proxy/", status: 503, message: 'no endpoints available for service "s:other"' },
  ])("$path is $status", async ({ path, status, message }) => {
    expect(await server.request("GET", N + path)).toMatchObject({ status, ...(message !== undefined && { body: { message } }) });
  });
});
