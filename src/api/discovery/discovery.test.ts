import { expect, test } from "vitest";
import { Discovery, etagOf } from "./discovery.ts";

const all = new Discovery();
const few = new Discovery({ serves: ({ group, name }) => group === "batch" || (group === "" && /^pods($|\/log$|\/eviction$)/.test(name)), serverAddress: () => "127.0.0.1:1" });

test("groups are listed by upstream's priority", () => {
  const { groups } = all.groupList() as { groups: { name: string }[] };
  const names = groups.map((g) => g.name);
  const known = ["events.k8s.io", "batch", "policy", "coordination.k8s.io", "discovery.k8s.io"];
  expect(names.filter((name) => known.includes(name))).toEqual(known);
  expect(names).not.toContain("");
});

test("what is not served is not there", () => {
  expect(few.group("apps")).toBeUndefined();
  expect(few.group("")).toBeUndefined();
  expect(few.resourceList("policy", "v1")).toBeUndefined();
  expect(few.groupList()).toEqual({ kind: "APIGroupList", apiVersion: "v1", groups: [{ name: "batch", versions: [{ groupVersion: "batch/v1", version: "v1" }], preferredVersion: { groupVersion: "batch/v1", version: "v1" } }] });
  expect(few.apiVersions()).toMatchObject({ serverAddressByClientCIDRs: [{ serverAddress: "127.0.0.1:1" }] });
});

test("the core list has no apiVersion, the others have; hashes are upstream's", () => {
  expect(few.resourceList("", "v1")).toEqual({
    kind: "APIResourceList", groupVersion: "v1",
    resources: [
      { name: "pods", singularName: "pod", namespaced: true, kind: "Pod", verbs: ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"], shortNames: ["po"], categories: ["all"], storageVersionHash: "xPOwRZ+Yhw8=" },
      { name: "pods/eviction", singularName: "", namespaced: true, group: "policy", version: "v1", kind: "Eviction", verbs: ["create"] },
      { name: "pods/log", singularName: "", namespaced: true, kind: "Pod", verbs: ["get"] },
    ],
  });
  expect(few.resourceList("batch", "v1")).toMatchObject({ apiVersion: "v1", resources: [{ storageVersionHash: "sd5LIXh4Fjs=" }, {}, { storageVersionHash: "mudhfqk/qZY=" }, {}] });
});

test("aggregated discovery nests subresources", () => {
  expect(few.aggregated("api")).toMatchObject({
    kind: "APIGroupDiscoveryList", apiVersion: "apidiscovery.k8s.io/v2",
    items: [{ metadata: {}, versions: [{ version: "v1", freshness: "Current", resources: [{ resource: "pods", scope: "Namespaced", subresources: [{ subresource: "eviction", responseKind: { group: "policy", version: "v1", kind: "Eviction" } }, { subresource: "log" }] }] }] }],
  });
  expect(etagOf("x")).toMatch(/^"[0-9A-F]{128}"$/);
});
