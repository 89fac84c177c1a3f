import { describe, expect, test } from "vitest";
import type { ClusterRole, ClusterRoleBinding, PolicyRule, Role, RoleBinding, Subject } from "../generated/types.ts";
import type { Attributes } from "./attributes.ts";
import { defaultPolicy } from "./default-policy.ts";
import { escalationError } from "./escalation.ts";
import { evaluate, type RoleReader } from "./evaluate.ts";
import { compactRules, missingRules, ruleAllows, ruleText, subjectIs } from "./rules.ts";

const jane = { name: "jane", groups: ["devs", "system:authenticated"] };
const ask = (verb: string, what: string, more: object = {}): Attributes => {
  const [resource = "", subresource = ""] = what.split("/");
  return { user: jane, verb, isResource: true, group: "", version: "v1", resource, subresource, namespace: "n", name: "", ...more };
};
const rule = (verbs: string, resources: string, more: object = {}): PolicyRule => ({ verbs: verbs.split(","), apiGroups: [""], resources: resources.split(","), ...more });

describe("a rule", () => {
  test.each([
    { rule: rule("get", "pods"), ask: ask("get", "pods"), want: true },
    { rule: rule("get", "pods"), ask: ask("get", "pods/log"), want: false },
    { rule: rule("get", "pods/log"), ask: ask("get", "pods/log"), want: true },
    { rule: rule("get", "*/log"), ask: ask("get", "pods/log"), want: true },
    { rule: rule("*", "*"), ask: ask("patch", "pods/status"), want: true },
    { rule: rule("get", "pods", { apiGroups: ["batch"] }), ask: ask("get", "pods"), want: false },
    { rule: rule("get", "configmaps", { resourceNames: ["one"] }), ask: ask("get", "configmaps", { name: "one" }), want: true },
    { rule: rule("get", "configmaps", { resourceNames: ["one"] }), ask: ask("get", "configmaps", { name: "two" }), want: false },
    { rule: rule("list", "configmaps", { resourceNames: ["one"] }), ask: ask("list", "configmaps"), want: false },
    { rule: { verbs: ["get"], nonResourceURLs: ["/healthz/*"] }, ask: { user: jane, verb: "get", isResource: false, path: "/healthz/ping" } as const, want: true },
    { rule: { verbs: ["get"], nonResourceURLs: ["/healthz"] }, ask: { user: jane, verb: "get", isResource: false, path: "/healthz/ping" } as const, want: false },
  ])("$rule.verbs $rule.resources $rule.resourceNames on $ask.resource: $want", ({ rule, ask, want }) => expect(ruleAllows(rule, ask)).toBe(want));
});

test.each([
  { subject: { kind: "User", name: "jane" }, want: true },
  { subject: { kind: "Group", name: "devs" }, want: true },
  { subject: { kind: "Group", name: "ops" }, want: false },
  { subject: { kind: "ServiceAccount", name: "jane" }, want: false },
])("$subject.kind $subject.name means jane: $want", ({ subject, want }) => expect(subjectIs(subject, jane, "n")).toBe(want));

test("a service account without a namespace is one of the binding's", () => {
  expect(subjectIs({ kind: "ServiceAccount", name: "robot" }, { name: "system:serviceaccount:n:robot", groups: [] }, "n")).toBe(true);
  expect(subjectIs({ kind: "ServiceAccount", name: "robot" }, { name: "system:serviceaccount:m:robot", groups: [] }, "n")).toBe(false);
});

test("what is missing is said rule by rule, verbs together", () => {
  const missing = compactRules(missingRules([rule("get", "pods")], [rule("get,list", "pods,secrets")]));
  expect(missing.map(ruleText)).toEqual(['{APIGroups:[""], Resources:["pods"], Verbs:["list"]}', '{APIGroups:[""], Resources:["secrets"], Verbs:["get" "list"]}']);
});

interface World {
  readonly roles?: readonly Role[];
  readonly clusterRoles?: readonly ClusterRole[];
  readonly roleBindings?: readonly RoleBinding[];
  readonly clusterRoleBindings?: readonly ClusterRoleBinding[];
}

const readerOf = ({ roles = [], clusterRoles = [], roleBindings = [], clusterRoleBindings = [] }: World): RoleReader => ({
  clusterRoleBindings: () => Promise.resolve(clusterRoleBindings),
  roleBindings: (namespace) => Promise.resolve(roleBindings.filter((b) => b.metadata.namespace === namespace)),
  role: (namespace, name) => Promise.resolve(roles.find((r) => r.metadata.namespace === namespace && r.metadata.name === name)),
  clusterRole: (name) => Promise.resolve(clusterRoles.find((r) => r.metadata.name === name)),
  clusterRoles: () => Promise.resolve(clusterRoles),
});

const binding = (kind: string, name: string, subject: Subject): RoleBinding => ({ metadata: { name: "b", namespace: "n" }, roleRef: { kind, name }, subjects: [subject] });

describe("evaluation", () => {
  const toDevs: Subject = { kind: "Group", name: "devs" };
  test("says which binding allowed it", async () => {
    const reader = readerOf({ roles: [{ metadata: { name: "reader", namespace: "n" }, rules: [rule("get", "pods")] }], roleBindings: [binding("Role", "reader", toDevs)] });
    expect(await evaluate(ask("get", "pods"), reader)).toEqual({ allowed: true, reason: 'RBAC: allowed by RoleBinding "b/n" of Role "reader" to Group "devs"' });
    expect(await evaluate(ask("get", "pods", { namespace: "m" }), reader)).toEqual({ allowed: false, reason: "" });
  });

  test("says which role is not there", async () => {
    const reader = readerOf({ roleBindings: [binding("Role", "absent", toDevs)] });
    expect(await evaluate(ask("get", "pods"), reader)).toEqual({ allowed: false, reason: 'RBAC: roles.rbac.authorization.k8s.io "absent" not found' });
  });

  test("an aggregated role has the rules of those that it selects now", async () => {
    const view: ClusterRole = { metadata: { name: "view" }, aggregationRule: { clusterRoleSelectors: [{ matchLabels: { "to-view": "true" } }] } };
    const mine: ClusterRole = { metadata: { name: "mine", labels: { "to-view": "true" } }, rules: [rule("get", "pods")] };
    const reader = readerOf({ clusterRoles: [view, mine], roleBindings: [binding("ClusterRole", "view", toDevs)] });
    expect((await evaluate(ask("get", "pods"), reader)).allowed).toBe(true);
  });

  test("nobody hands out what they have not", async () => {
    const reader = readerOf({ roles: [{ metadata: { name: "reader", namespace: "n" }, rules: [rule("get", "pods")] }], roleBindings: [binding("Role", "reader", toDevs)] });
    expect(await escalationError(jane, "n", [rule("get", "pods")], reader)).toBeUndefined();
    expect(await escalationError(jane, "n", [rule("*", "*")], reader)).toBe(
      'user "jane" (groups=["devs" "system:authenticated"]) is attempting to grant RBAC permissions not currently held:\n{APIGroups:[""], Resources:["*"], Verbs:["*"]}',
    );
  });
});

describe("the default policy", async () => {
  const { clusterRoles, clusterRoleBindings, roles, roleBindings } = await defaultPolicy();
  test("binds no role that is not there", () => {
    const there = new Set([...clusterRoles.map((r) => r.metadata.name), ...roles.map((r) => `${r.metadata.namespace}/${r.metadata.name}`)]);
    for (const { roleRef } of clusterRoleBindings) expect(there).toContain(roleRef.name);
    for (const { metadata, roleRef } of roleBindings) expect(there).toContain(`${metadata.namespace}/${roleRef.name}`);
  });
  const reader = readerOf({ clusterRoles, clusterRoleBindings: [...clusterRoleBindings, { metadata: { name: "x" }, roleRef: { kind: "ClusterRole", name: "edit" }, subjects: [{ kind: "User", name: "jane" }] }] });
  const nobody = { name: "system:anonymous", groups: ["system:unauthenticated"] };
  test.each([
    { name: "edit creates Jobs", ask: ask("create", "jobs", { group: "batch" }), want: true },
    { name: "edit views, too", ask: ask("list", "pods"), want: true },
    { name: "edit makes no roles", ask: ask("create", "roles", { group: "rbac.authorization.k8s.io" }), want: false },
    { name: "anybody sees the version", ask: { user: nobody, verb: "get", isResource: false, path: "/version" } as const, want: true },
    { name: "but not the metrics", ask: { user: nobody, verb: "get", isResource: false, path: "/metrics" } as const, want: false },
    { name: "everybody known may ask what they may", ask: ask("create", "selfsubjectaccessreviews", { group: "authorization.k8s.io", namespace: "" }), want: true },
  ])("$name", async ({ ask, want }) => expect((await evaluate(ask, reader)).allowed).toBe(want));
});
