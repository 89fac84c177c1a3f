import { describe, expect, test } from "vitest";
import type { ConfigMap, Container, Pod, Secret, Service } from "../../api/generated/types.ts";
import type { Configuration } from "../configuration.ts";
import { makeEnvironment, parseEnvFile, type EnvironmentContext } from "./environment.ts";
import { expand } from "./expand.ts";
import { goQuote } from "./fields.ts";
import { serviceLinks } from "./service-links.ts";
import { resolveUser } from "./user.ts";
import type { Stored } from "../../api/object.ts";

const VALUES: Readonly<Record<string, string>> = { A: "one", B: "$(A)-two", EMPTY: "" };

test.each([
  ["$(A)", "one"], ["$$(A)", "$(A)"], ["$$$(A)", "$one"], ["$$$$(A)", "$$(A)"], ["$(UNSET)", "$(UNSET)"], ["$(A", "$(A"], ["$A", "$A"], ["${A}", "${A}"],
  ["$()", "$()"], ["$(A)$(B)", "one$(A)-two"], ["a$$b", "a$b"], ["$", "$"], ["$( A )", "$( A )"], ["[$(EMPTY)]", "[]"], ["", ""], ["$$", "$"], ["x$", "x$"],
])("%s is %s", (text, want) => {
  expect(expand(text, (name) => VALUES[name])).toBe(want);
});

const configuration = (maps: Readonly<Record<string, ConfigMap["data"]>>, secrets: Readonly<Record<string, Record<string, string>>> = {}): Configuration => ({
  configMap: async (_ns, name) => (maps[name] ? { metadata: { name }, data: maps[name] } : undefined),
  secret: async (_ns, name): Promise<Secret | undefined> => (secrets[name] ? { metadata: { name }, data: Object.fromEntries(Object.entries(secrets[name]).map(([k, v]) => [k, Buffer.from(v).toString("base64")])) } : undefined),
});

const pod: Stored<Pod> = {
  metadata: { name: "p", namespace: "ns", uid: "u", resourceVersion: "1", creationTimestamp: "", labels: { app: "demo" }, annotations: {} },
  spec: { nodeName: "node", serviceAccountName: "default", containers: [{ name: "main", resources: { limits: { cpu: "1250m", memory: "100Mi" }, requests: { memory: "30Mi" } } }] },
};

const context = (more: Partial<EnvironmentContext> = {}): EnvironmentContext => ({
  pod, configuration: configuration({}), allocatable: { cpu: "2", memory: "1048576Ki" }, hostIps: ["192.0.2.1"], podIps: ["10.0.0.1"], serviceLinks: new Map(), readEnvFile: () => undefined, ...more,
});

const container = (more: Partial<Container>): Container => ({ name: "main", ...pod.spec.containers[0], ...more });
const env = async (c: Partial<Container>, more?: Partial<EnvironmentContext>) => Object.fromEntries(await makeEnvironment(context(more), container(c)));
const v = (name: string, value?: string) => ({ name, ...(value !== undefined && { value }) });
const amount = (name: string, resource: string, divisor?: string) => ({ name, valueFrom: { resourceFieldRef: { resource, ...(divisor && { divisor }) } } });
const field = (name: string, fieldPath: string) => ({ name, valueFrom: { fieldRef: { fieldPath } } });

describe("variables", () => {
  test("later ones win, and are seen only by those after them", async () => {
    const maps = configuration({ one: { X_B: "one", X_C: "one" }, two: { X_B: "two", KUBERNETES_PORT: "two" } });
    const links = new Map([["KUBERNETES_PORT", "tcp://x"], ["KUBERNETES_SERVICE_PORT", "443"]]);
    const all = await env({
      envFrom: [{ configMapRef: { name: "one" } }, { prefix: "P_", configMapRef: { name: "one" } }, { configMapRef: { name: "two" } }],
      env: [v("X_D", "first"), v("X_C", "env"), v("X_E", "$(X_D) $(X_B)"), v("X_D", "second"), v("X_F", "$(X_D) $(LATER)"), v("LATER", "l"), v("PORT", "$(KUBERNETES_SERVICE_PORT)"), v("NONE")],
    }, { configuration: maps, serviceLinks: links });
    expect(all).toEqual({ X_B: "two", X_C: "env", P_X_B: "one", P_X_C: "one", X_D: "second", X_E: "first two", X_F: "second $(LATER)", LATER: "l", PORT: "443", NONE: "", KUBERNETES_PORT: "two", KUBERNETES_SERVICE_PORT: "443" });
  });

  test("fields and resources of the pod", async () => {
    expect(await env({ env: [
      field("LABEL", "metadata.labels['app']"), field("NO_LABEL", "metadata.labels['none']"), field("IP", "status.podIP"), field("HOST", "status.hostIP"), field("NODE", "spec.nodeName"),
      amount("CPU", "limits.cpu"), amount("CPU_M", "limits.cpu", "1m"), amount("MEM_M", "requests.memory", "1M"), amount("GI", "limits.memory", "1Gi"), amount("NO_REQUEST", "requests.cpu"),
    ] })).toEqual({ LABEL: "demo", NO_LABEL: "", IP: "10.0.0.1", HOST: "192.0.2.1", NODE: "node", CPU: "2", CPU_M: "1250", MEM_M: "32", GI: "1", NO_REQUEST: "0" });
    expect(await env({ resources: {}, env: [amount("CPU", "limits.cpu", "1m"), amount("MEM", "limits.memory", "1Ki")] })).toEqual({ CPU: "2000", MEM: "1048576" });
  });

  test.each([
    { name: "a ConfigMap", c: { env: [{ name: "A", valueFrom: { configMapKeyRef: { name: "c", key: "k" } } }] }, want: 'configmap "c" not found' },
    { name: "a key", c: { env: [{ name: "A", valueFrom: { configMapKeyRef: { name: "m", key: "k" } } }] }, want: "couldn't find key k in ConfigMap ns/m" },
    { name: "a Secret's key", c: { env: [{ name: "A", valueFrom: { secretKeyRef: { name: "s", key: "k" } } }] }, want: "couldn't find key k in Secret ns/s" },
    { name: "a source", c: { envFrom: [{ secretRef: { name: "x" } }] }, want: 'secret "x" not found' },
  ])("$name that is missing is named", async ({ c, want }) => {
    await expect(env(c, { configuration: configuration({ m: { a: "1" } }, { s: { a: "1" } }) })).rejects.toThrow(want);
  });

  test("what is optional and missing gives none", async () => {
    expect(await env({ env: [{ name: "A", valueFrom: { configMapKeyRef: { name: "c", key: "k", optional: true } } }], envFrom: [{ secretRef: { name: "x", optional: true } }] })).toEqual({});
  });

  test("a file of variables", () => {
    expect(Object.fromEntries(parseEnvFile("A=1\n# no\nexport B = 'two words'\nC=\"x\"\n\nbroken\n"))).toEqual({ A: "1", B: "two words", C: "x" });
  });
});

test("Services are told as upstream tells them", () => {
  const service = (name: string, spec: Service["spec"]): Service => ({ metadata: { name }, spec });
  const own = [
    service("web-front", { clusterIP: "10.1.0.1", ports: [{ name: "http", port: 80 }, { name: "admin-ui", port: 8080, protocol: "UDP" }] }),
    service("headless", { clusterIP: "None", ports: [{ port: 1 }] }),
  ];
  const kubernetes = service("kubernetes", { clusterIP: "10.0.0.1", ports: [{ name: "https", port: 443 }] });
  const links = Object.fromEntries(serviceLinks({ own, kubernetes }, true));
  expect(links).toMatchObject({
    WEB_FRONT_SERVICE_HOST: "10.1.0.1", WEB_FRONT_SERVICE_PORT: "80", WEB_FRONT_SERVICE_PORT_HTTP: "80", WEB_FRONT_SERVICE_PORT_ADMIN_UI: "8080", WEB_FRONT_PORT: "tcp://10.1.0.1:80",
    WEB_FRONT_PORT_80_TCP: "tcp://10.1.0.1:80", WEB_FRONT_PORT_8080_UDP_PROTO: "udp", WEB_FRONT_PORT_8080_UDP_ADDR: "10.1.0.1", KUBERNETES_SERVICE_PORT_HTTPS: "443",
  });
  expect(Object.keys(links).filter((k) => k.startsWith("HEADLESS"))).toEqual([]);
  expect(Object.keys(serviceLinks({ own, kubernetes }, false).size > 0 ? Object.fromEntries(serviceLinks({ own, kubernetes }, false)) : {}).every((k) => k.startsWith("KUBERNETES_"))).toBe(true);
});

test("Go's quotes", () => {
  expect(goQuote('say "hi"\n\té ☃\u0001')).toBe('"say \\"hi\\"\\n\\té ☃\\x01"');
});

describe("who runs a container", () => {
  const database = { passwd: "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534::/:/bin/false\nweb:x:7:8::/srv:/bin/sh\n", group: "wheel:x:10:web,root\nstaff:x:20:\n" };
  const who = (security: object, imageUser = "", ofPod: object = {}) => resolveUser({
    pod: { ...pod, spec: { ...pod.spec, securityContext: ofPod } }, container: container({ securityContext: security }), imageUser, database,
  });
  test.each([
    { name: "nobody said", got: () => who({}), want: { uid: 0, gid: 0, groups: [0, 10], home: "/root" } },
    { name: "a number without an entry", got: () => who({ runAsUser: 1000 }), want: { uid: 1000, gid: 0, groups: [0], home: "/" } },
    { name: "a number with one", got: () => who({ runAsUser: 65534 }), want: { uid: 65534, gid: 65534, groups: [65534], home: "/" } },
    { name: "a group", got: () => who({ runAsUser: 1000, runAsGroup: 3000 }), want: { uid: 1000, gid: 3000, groups: [3000], home: "/" } },
    { name: "the image's user by name", got: () => who({}, "web"), want: { uid: 7, gid: 8, groups: [8, 10], home: "/srv" } },
    { name: "the image's user and group", got: () => who({}, "web:staff"), want: { uid: 7, gid: 20, groups: [20, 10], home: "/srv" } },
    { name: "groups of the pod", got: () => who({ runAsUser: 1000, runAsGroup: 3000 }, "", { fsGroup: 2000, supplementalGroups: [4000] }), want: { uid: 1000, gid: 3000, groups: [3000, 4000, 2000], home: "/" } },
  ])("$name", ({ got, want }) => expect(got()).toEqual(want));

  test.each([
    { name: "an image that is root", got: () => who({ runAsNonRoot: true }), want: 'container has runAsNonRoot and image will run as root (pod: "p_ns(u)", container: main)' },
    { name: "a wish to be root", got: () => who({ runAsNonRoot: true, runAsUser: 0 }), want: 'container\'s runAsUser breaks non-root policy (pod: "p_ns(u)", container: main)' },
    { name: "a name", got: () => who({ runAsNonRoot: true }, "web"), want: 'container has runAsNonRoot and image has non-numeric user (web), cannot verify user is non-root (pod: "p_ns(u)", container: main)' },
  ])("runAsNonRoot refuses $name", ({ got, want }) => expect(got).toThrow(want));
});
