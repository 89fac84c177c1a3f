import { expect, test } from "vitest";
import { clearEmptyLists } from "./stored.ts";

test.each([
  { what: "a list that is always printed", gvk: { group: "rbac.authorization.k8s.io", version: "v1", kind: "ClusterRole" }, draft: { rules: [] }, stored: { rules: null } },
  { what: "one with something in it", gvk: { group: "rbac.authorization.k8s.io", version: "v1", kind: "ClusterRole" }, draft: { rules: [{ verbs: ["get"] }] }, stored: { rules: [{ verbs: ["get"] }] } },
  { what: "one far below", gvk: { group: "", version: "v1", kind: "Pod" }, draft: { spec: { volumes: [{ name: "v", projected: { sources: [] } }] } }, stored: { spec: { volumes: [{ name: "v", projected: { sources: null } }] } } },
])("$what", ({ gvk, draft, stored }) => {
  clearEmptyLists(draft, gvk);
  expect(draft).toEqual(stored);
});
