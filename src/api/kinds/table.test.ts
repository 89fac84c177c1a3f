import { describe, expect, test } from "vitest";
import discovery from "../data/discovery.json" with { type: "json" };
import { rawSchema } from "../schema/schema.ts";
import { findKind, findKindByKind, kinds } from "./table.ts";
import { defaulted, kindFor, stored, tryCreate, tryUpdate } from "./testing.ts";

interface Served {
  readonly name: string;
  readonly kind: string;
  readonly namespaced: boolean;
  readonly verbs: readonly string[];
}

/** Served upstream, but not stored, or without a schema here. */
const ELSEWHERE = /componentstatuses/;

describe("the table", () => {
  const groups = discovery as unknown as Readonly<Record<string, readonly Served[]>>;
  const rows = Object.entries(groups).flatMap(([path, served]) => {
    const [root, a = "", b = ""] = path.split("/");
    const [group, version] = root === "api" ? ["", a] : [a, b];
    return served.filter((r) => r.verbs.includes("list") && !ELSEWHERE.test(r.name)).map((r) => ({ group, version, served: r, title: `${path}/${r.name}` }));
  });

  test.each(rows)("has $title as it is served", ({ group, version, served }) => {
    const kind = findKind(group, version, served.name);
    expect(kind?.resource).toMatchObject({ kind: served.kind, namespaced: served.namespaced });
    expect(rawSchema(kind?.schema ?? "")).toBeDefined();
    expect(findKindByKind(group === "" ? version : `${group}/${version}`, served.kind)).toBe(kind);
  });

  test.each(kinds.map((kind) => ({ kind, title: `${kind.resource.group}/${kind.resource.kind}` })))("$title: a row has a cell a column, defaults settle", ({ kind }) => {
    const { object } = tryCreate(kind, { metadata: { name: "x" } });
    // Upstream's rows of addresses end with an age that has no column.
    const more = kind.resource.kind === "IPAddress" ? 1 : 0;
    expect(kind.printer.cells(object, Date.parse("2024-01-01T00:05:00Z"))).toHaveLength(kind.printer.columns.length + more);
    const again = defaulted(kind, object);
    expect(defaulted(kind, again)).toEqual(again);
  });
});

test("the system's priority classes are kept, and a PUT creates where upstream lets it", () => {
  const find = (group: string, plural: string) => findKind(group, "v1", plural);
  expect(find("scheduling.k8s.io", "priorityclasses")?.keeps?.("system-node-critical")).toBe("this is a system priority class and cannot be deleted");
  expect(find("scheduling.k8s.io", "priorityclasses")?.keeps?.("mine")).toBeUndefined();
  expect(kinds.filter((kind) => kind.allowCreateOnUpdate).map((kind) => kind.resource.kind).sort()).toEqual(["ClusterRole", "ClusterRoleBinding", "Endpoints", "Event", "Event", "Lease", "LimitRange", "Role", "RoleBinding", "RuntimeClass", "Service"]);
});

const secret = (type: string, data: object = {}) => ({ metadata: { name: "s" }, type, data });
const service = (spec: object) => ({ metadata: { name: "s" }, spec });
const base64 = (text: string) => Buffer.from(text).toString("base64");

describe("create refuses", () => {
  test.each([
    { of: ["v1", "ConfigMap"], name: "a key in both", object: { metadata: { name: "c" }, data: { k: "" }, binaryData: { k: "AA==" } }, want: ['data[k]: Invalid value: "k": duplicate of key present in binaryData'] },
    { of: ["v1", "ConfigMap"], name: "more than a mebibyte", object: { metadata: { name: "c" }, data: { k: "x".repeat(1024 * 1024 + 1) } }, want: ["[]: Too long: may not be more than 1048576 bytes"] },
    { of: ["v1", "Secret"], name: "a password without anything", object: secret("kubernetes.io/basic-auth"), want: ["data[username]: Required value", "data[password]: Required value"] },
    { of: ["v1", "Secret"], name: "a registry's login that is not JSON", object: secret("kubernetes.io/dockerconfigjson", { ".dockerconfigjson": base64("not") }), want: ["data[.dockerconfigjson]: Invalid value: \"<secret contents redacted>\": invalid character 'o' in literal null (expecting 'u')"] },
    { of: ["v1", "Service"], name: "no ports", object: service({}), want: ["spec.ports: Required value"] },
    { of: ["v1", "Service"], name: "a port twice", object: service({ ports: [{ name: "a", port: 1 }, { name: "b", port: 1 }] }), want: ['spec.ports[1]: Duplicate value: {"Name":"","Protocol":"TCP","AppProtocol":null,"Port":1,"TargetPort":0,"NodePort":0}'] },
    { of: ["v1", "Service"], name: "a headless node port", object: service({ type: "NodePort", clusterIP: "None", clusterIPs: ["None"], ports: [{ port: 1 }] }), want: ["spec.clusterIPs[0]: Invalid value: \"None\": may not be set to 'None' for NodePort services"] },
    { of: ["v1", "ResourceQuota"], name: "an unknown resource", object: { metadata: { name: "q" }, spec: { hard: { cpus: "1" } } }, want: ['spec.hard[cpus]: Invalid value: "cpus": must be a standard resource type or fully qualified', 'spec.hard[cpus]: Invalid value: "cpus": must be a standard resource for quota'] },
    { of: ["v1", "LimitRange"], name: "a minimum above the maximum", object: { metadata: { name: "l" }, spec: { limits: [{ type: "Pod", min: { cpu: "2" }, max: { cpu: "1" } }] } }, want: ['spec.limits[0].min[cpu]: Invalid value: "2": min value 2 is greater than max value 1'] },
    { of: ["v1", "PersistentVolumeClaim"], name: "no modes and no size", object: { metadata: { name: "c" }, spec: {} }, want: ["spec.accessModes: Required value: at least 1 access mode is required", "spec.resources[storage]: Required value"] },
    { of: ["coordination.k8s.io/v1", "Lease"], name: "no duration", object: { metadata: { name: "l" }, spec: { leaseDurationSeconds: 0 } }, want: ["spec.leaseDurationSeconds: Invalid value: 0: must be greater than 0"] },
    { of: ["scheduling.k8s.io/v1", "PriorityClass"], name: "the system's names", object: { metadata: { name: "system-own" }, value: 1 }, want: ["metadata.name: Forbidden: priority class names with 'system-' prefix are reserved for system use only. error: system-own is not a known system priority class"] },
    { of: ["rbac.authorization.k8s.io/v1", "Role"], name: "a rule without verbs", object: { metadata: { name: "r" }, rules: [{ apiGroups: [""], resources: ["pods"] }] }, want: ["rules[0].verbs: Required value: verbs must contain at least one value"] },
    { of: ["rbac.authorization.k8s.io/v1", "RoleBinding"], name: "an unknown subject", object: { metadata: { name: "b" }, roleRef: { kind: "Role", name: "r" }, subjects: [{ kind: "Robot", name: "x" }] }, want: ['subjects[0].kind: Unsupported value: "Robot": supported values: "ServiceAccount", "User", "Group"'] },
    { of: ["policy/v1", "PodDisruptionBudget"], name: "more than all", object: { metadata: { name: "p" }, spec: { minAvailable: "200%" } }, want: ['spec.minAvailable: Invalid value: "200%": must not be greater than 100%'] },
    { of: ["discovery.k8s.io/v1", "EndpointSlice"], name: "an address of another family", object: { metadata: { name: "e" }, addressType: "IPv6", endpoints: [{ addresses: ["10.0.0.1"] }] }, want: ['endpoints[0].addresses: Invalid value: "10.0.0.1": must be an IPv6 address'] },
    { of: ["v1", "Event"], name: "another namespace", object: { metadata: { name: "e" }, involvedObject: { namespace: "other" } }, want: ['involvedObject.namespace: Invalid value: "other": does not match event.namespace'] },
    { of: ["events.k8s.io/v1", "Event"], name: "no time and no type", object: { metadata: { name: "e" }, regarding: { namespace: "ns" } }, want: ["eventTime: Required value", 'type: Invalid value: "": has invalid value: '] },
    { of: ["v1", "Namespace"], name: "dots", object: { metadata: { name: "a.b" } }, want: ['metadata.name: Invalid value: "a.b": must not contain dots'] },
  ])("$of.1: $name", ({ of: [apiVersion = "", kind = ""], object, want }) => expect(tryCreate(kindFor(apiVersion, kind), object).errors).toEqual(want));
});

describe("update", () => {
  test("an immutable ConfigMap keeps its data", () => {
    const kind = kindFor("v1", "ConfigMap");
    const old = stored(kind, { metadata: { name: "c" }, immutable: true, data: { a: "1" } });
    expect(tryUpdate(kind, old, (draft) => void Object.assign(draft, { immutable: false, data: {} })).errors).toEqual(["immutable: Forbidden: field is immutable when `immutable` is set", "data: Forbidden: field is immutable when `immutable` is set"]);
  });

  test("a binding keeps its role", () => {
    const kind = kindFor("rbac.authorization.k8s.io/v1", "RoleBinding");
    const old = stored(kind, { metadata: { name: "b" }, roleRef: { kind: "Role", name: "one" } });
    expect(tryUpdate(kind, old, (draft) => void Object.assign(draft, { roleRef: { kind: "Role", name: "two" } })).errors).toEqual(['roleRef: Invalid value: {"APIGroup":"rbac.authorization.k8s.io","Kind":"Role","Name":"two"}: cannot change roleRef']);
  });

  test("a class keeps its provisioner, a volume its source: the difference is shown in the internal type's order", () => {
    const storageClass = kindFor("storage.k8s.io/v1", "StorageClass");
    const old = stored(storageClass, { metadata: { name: "c" }, provisioner: "e.x/p" });
    expect(tryUpdate(storageClass, old, (draft) => void Object.assign(draft, { provisioner: "x", parameters: { b: "1", a: "2" } })).errors).toEqual([
      'parameters: Invalid value: {"a":"2","b":"1"}: field is immutable', 'provisioner: Invalid value: "x": field is immutable',
    ]);
    const volume = kindFor("v1", "PersistentVolume");
    const made = stored(volume, { metadata: { name: "v" }, spec: { capacity: { storage: "1Gi" }, accessModes: ["ReadWriteOnce"], hostPath: { path: "/a" } } });
    const [error] = tryUpdate(volume, made, (draft) => void Object.assign(draft["spec"] as object, { hostPath: { path: "/b", type: "" } })).errors;
    expect(error).toMatch(/is immutable after creation\n@@ -2,7 \+2,7 @@\n {2}"GCEPersistentDisk": null,\n[^]*\n- {2}"Path": "\/a",\n\+ {2}"Path": "\/b",\n[^]* {2}"Glusterfs": null,\n/);
  });

  test("a Service that becomes an alias gives up its addresses", () => {
    const kind = kindFor("v1", "Service");
    const old = stored(kind, service({ clusterIP: "10.0.0.5", clusterIPs: ["10.0.0.5"], ipFamilies: ["IPv4"], ipFamilyPolicy: "SingleStack", ports: [{ port: 80 }] }));
    const { object, errors } = tryUpdate(kind, old, (draft) => void Object.assign(draft["spec"] as object, { type: "ExternalName", externalName: "x.example.com" }));
    expect(errors).toEqual([]);
    expect(object).toHaveProperty("spec", { ports: [{ protocol: "TCP", port: 80, targetPort: 80 }], type: "ExternalName", sessionAffinity: "None", externalName: "x.example.com" });
    expect(tryUpdate(kind, old, (draft) => void Object.assign(draft["spec"] as object, { clusterIP: "10.0.0.6", clusterIPs: ["10.0.0.6"] })).errors).toEqual(['spec.clusterIPs[0]: Invalid value: ["10.0.0.6"]: may not change once set']);
  });
});

test("an Event of either group is the other's", () => {
  const kind = kindFor("events.k8s.io/v1", "Event");
  const event = { kind: "Event", apiVersion: "events.k8s.io/v1", metadata: { name: "e" }, note: "n", regarding: { kind: "Pod" }, reportingController: "c", deprecatedCount: 2 };
  const core = kind.storedAs?.toStored(event);
  expect(core).toEqual({ kind: "Event", apiVersion: "v1", metadata: { name: "e" }, message: "n", involvedObject: { kind: "Pod" }, reportingComponent: "c", count: 2 });
  expect(core && kind.storedAs?.fromStored(core)).toEqual(event);
});

test.each([
  { apiVersion: "v1", kind: "ConfigMap", subresource: "", times: { labels: 2, uid: 1 } },
  { apiVersion: "v1", kind: "LimitRange", subresource: "", times: { labels: 1, uid: 0 } },
  { apiVersion: "v1", kind: "PersistentVolume", subresource: "", times: { labels: 2, uid: 0 } },
  { apiVersion: "policy/v1", kind: "PodDisruptionBudget", subresource: "", times: { labels: 0, uid: 0 } },
  { apiVersion: "policy/v1", kind: "PodDisruptionBudget", subresource: "status", times: { labels: 0, uid: 0 } },
  { apiVersion: "batch/v1", kind: "CronJob", subresource: "status", times: { labels: 0, uid: 0 } },
  { apiVersion: "v1", kind: "Service", subresource: "status", times: { labels: 1, uid: 1 } },
])("the metadata of a changed $kind $subresource is looked at as often as upstream does", ({ apiVersion, kind: name, subresource, times }) => {
  const kind = kindFor(apiVersion, name);
  const { object } = tryCreate(kind, { metadata: { name: "x" }, spec: {} });
  const { errors } = tryUpdate(kind, object, (draft) => {
    draft["metadata"] = { ...object.metadata, uid: "other", labels: { "bad key": "" } };
  }, subresource);
  const count = (field: string) => errors.filter((e) => e.startsWith(`metadata.${field}:`)).length;
  expect({ labels: count("labels"), uid: count("uid") }).toEqual(times);
});
