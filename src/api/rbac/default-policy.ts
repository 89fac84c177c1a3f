/**
 * The roles and bindings that every cluster starts with, as objects. Aggregated roles come with the rules that they amount to.
 * Follows kubernetes plugin/pkg/auth/authorizer/rbac/bootstrappolicy.
 */
import type { ClusterRole, ClusterRoleBinding, PolicyRule, Role, RoleBinding } from "../generated/types.ts";
import { matchesLabelSelector } from "../selectors.ts";

const API_GROUP = "rbac.authorization.k8s.io";
const BOOTSTRAPPING = { "kubernetes.io/bootstrapping": "rbac-defaults" };
const AUTOUPDATE = { "rbac.authorization.kubernetes.io/autoupdate": "true" };

interface RoleData {
  readonly name: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly rules?: readonly PolicyRule[];
  readonly aggregationRule?: ClusterRole["aggregationRule"];
}

interface BindingData {
  readonly name: string;
  /** Of bindings to a Role. */
  readonly namespace?: string;
  readonly roleRef: string;
  readonly subjects?: readonly (readonly [kind: string, name: string, namespace: string | null])[];
}

export interface DefaultPolicy {
  readonly clusterRoles: readonly ClusterRole[];
  readonly clusterRoleBindings: readonly ClusterRoleBinding[];
  /** In the namespaces of the system. */
  readonly roles: readonly Role[];
  readonly roleBindings: readonly RoleBinding[];
}

function rulesOf(role: RoleData, all: readonly RoleData[]): readonly PolicyRule[] {
  const selectors = role.aggregationRule?.clusterRoleSelectors;
  if (!selectors) return role.rules ?? [];
  return all.filter((r) => r.name !== role.name && selectors.some((s) => matchesLabelSelector(s, r.labels))).flatMap((r) => rulesOf(r, all));
}

const roleOf = (role: RoleData, all: readonly RoleData[]): ClusterRole => ({
  metadata: { name: role.name, annotations: AUTOUPDATE, ...(role.labels && { labels: role.labels }) },
  ...(role.aggregationRule && { aggregationRule: role.aggregationRule }),
  rules: rulesOf(role, all),
});

const bindingOf = ({ name, namespace, roleRef, subjects = [] }: BindingData): ClusterRoleBinding & RoleBinding => ({
  metadata: { name, ...(namespace !== undefined && { namespace }), annotations: AUTOUPDATE, labels: BOOTSTRAPPING },
  roleRef: { apiGroup: API_GROUP, kind: namespace === undefined ? "ClusterRole" : "Role", name: roleRef },
  ...(subjects.length > 0 && { subjects: subjects.map(([kind, subject, place]) => (place === null ? { apiGroup: API_GROUP, kind, name: subject } : { kind, name: subject, namespace: place })) }),
});

/** Read when it is needed: most runs never do. */
export async function defaultPolicy(): Promise<DefaultPolicy> {
  const { default: data } = await import("../data/cluster-roles.json", { with: { type: "json" } });
  const roles = data.clusterRoles as unknown as readonly RoleData[];
  const bindings = data.clusterRoleBindings as unknown as readonly BindingData[];
  const namespaced = data.roles as unknown as readonly (RoleData & { readonly namespace: string })[];
  return {
    clusterRoles: roles.map((role) => roleOf(role, roles)),
    clusterRoleBindings: bindings.map(bindingOf),
    roles: namespaced.map(({ name, namespace, rules = [] }) => ({ metadata: { name, namespace, annotations: AUTOUPDATE, labels: BOOTSTRAPPING }, rules })),
    roleBindings: (data.roleBindings as unknown as readonly BindingData[]).map(bindingOf),
  };
}
