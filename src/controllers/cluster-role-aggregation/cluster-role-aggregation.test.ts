import { expect, test } from "vitest";
import type { ClusterRole, PolicyRule } from "../../api/generated/types.ts";
import type { Stored } from "../../api/object.ts";
import { decideAggregation } from "./cluster-role-aggregation.ts";

const rule = (resource: string): PolicyRule => ({ apiGroups: [""], resources: [resource], verbs: ["get"] });
const role = (name: string, more: Omit<ClusterRole, "metadata">, labels: Record<string, string> = {}): Stored<ClusterRole> => ({ ...more, metadata: { name, labels, uid: name, resourceVersion: "1", creationTimestamp: "" } });
const selects = { clusterRoleSelectors: [{ matchLabels: { to: "view" } }] };

test.each([
  { name: "rules of the selected roles are gathered by name, each once", rules: [], want: [rule("a"), rule("b")] },
  { name: "what is right is left alone", rules: [rule("a"), rule("b")], want: undefined },
  { name: "rules that nobody contributes go", rules: [rule("mine")], want: [rule("a"), rule("b")] },
])("$name", ({ rules, want }) => {
  const view = role("view", { aggregationRule: selects, rules }, { to: "view" });
  const others = [role("z", { rules: [rule("b"), rule("a")] }, { to: "view" }), role("m", { rules: [rule("a")] }, { to: "view" }), role("other", { rules: [rule("x")] })];
  expect(decideAggregation(view, [view, ...others])).toEqual(want);
});

test("a role without aggregation keeps its rules", () => {
  expect(decideAggregation(role("plain", { rules: [] }), [])).toBeUndefined();
});
