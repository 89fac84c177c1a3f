/**
 * RBAC: which rules a user has through which binding, and whether they allow something. Roles and bindings come from a reader; nothing is kept.
 * Follows kubernetes pkg/registry/rbac/validation/rule.go (VisitRulesFor) and plugin/pkg/auth/authorizer/rbac/rbac.go.
 */
import type { ClusterRole, ClusterRoleBinding, PolicyRule, Role, RoleBinding, RoleRef, Subject } from "../generated/types.ts";
import type { UserInfo } from "../request.ts";
import { CLUSTER_ROLES, type Resource } from "../resource.ts";
import { matchesLabelSelector } from "../selectors.ts";
import { isNotFound, notFound } from "../status-error.ts";
import type { Attributes, Decision } from "./attributes.ts";
import { ruleAllows, subjectIs } from "./rules.ts";

const RBAC = { group: "rbac.authorization.k8s.io", version: "v1" } as const;
export const ROLES: Resource<Role> = { ...RBAC, plural: "roles", kind: "Role", namespaced: true };
export const ROLE_BINDINGS: Resource<RoleBinding> = { ...RBAC, plural: "rolebindings", kind: "RoleBinding", namespaced: true };

/** Where roles and bindings are read; undefined where one is not there. */
export interface RoleReader {
  clusterRoleBindings(): Promise<readonly ClusterRoleBinding[]>;
  roleBindings(namespace: string): Promise<readonly RoleBinding[]>;
  role(namespace: string, name: string): Promise<Role | undefined>;
  clusterRole(name: string): Promise<ClusterRole | undefined>;
  clusterRoles(): Promise<readonly ClusterRole[]>;
}

/** An aggregated role's rules are those of the roles that it selects, as they are now. */
async function rulesOfClusterRole(role: ClusterRole, reader: RoleReader): Promise<readonly PolicyRule[]> {
  const selectors = role.aggregationRule?.clusterRoleSelectors;
  if (!selectors) return role.rules ?? [];
  const selected = (await reader.clusterRoles()).filter((r) => r.metadata.name !== role.metadata.name && selectors.some((s) => matchesLabelSelector(s, r.metadata.labels)));
  const rules = await Promise.all(selected.map((r) => rulesOfClusterRole(r, reader)));
  return rules.flat();
}

/** Rejects with 404 where the role is not there. */
export async function rulesOfRef(ref: RoleRef, namespace: string, reader: RoleReader): Promise<readonly PolicyRule[]> {
  if (ref.kind === "Role") {
    const role = await reader.role(namespace, ref.name);
    if (!role) throw notFound(ROLES, ref.name);
    return role.rules ?? [];
  }
  const role = await reader.clusterRole(ref.name);
  if (!role) throw notFound(CLUSTER_ROLES, ref.name);
  return rulesOfClusterRole(role, reader);
}

interface Grant {
  readonly binding: ClusterRoleBinding | RoleBinding;
  readonly subject: Subject;
  /** "" for a ClusterRoleBinding. */
  readonly namespace: string;
}

async function grantsOf(user: UserInfo, namespace: string, reader: RoleReader): Promise<Grant[]> {
  const [cluster, local] = await Promise.all([reader.clusterRoleBindings(), namespace === "" ? [] : reader.roleBindings(namespace)]);
  const grant = (binding: Grant["binding"], where: string): Grant[] => {
    const subject = binding.subjects?.find((s) => subjectIs(s, user, where));
    return subject ? [{ binding, subject, namespace: where }] : [];
  };
  return [...cluster.flatMap((b) => grant(b, "")), ...local.flatMap((b) => grant(b, namespace))];
}

function grantText({ binding, subject, namespace }: Grant): string {
  const who = subject.kind === "ServiceAccount" ? `${subject.name}/${subject.namespace || namespace}` : subject.name;
  const kind = namespace === "" ? "ClusterRoleBinding" : "RoleBinding";
  const name = namespace === "" ? binding.metadata.name : `${binding.metadata.name}/${namespace}`;
  return `RBAC: allowed by ${kind} ${JSON.stringify(name)} of ${binding.roleRef.kind} ${JSON.stringify(binding.roleRef.name)} to ${subject.kind} ${JSON.stringify(who)}`;
}

export interface RulesOfUser {
  readonly rules: readonly PolicyRule[];
  /** Roles that bindings name and that are not there. */
  readonly errors: readonly string[];
}

const aggregate = (errors: readonly string[]): string => (errors.length === 1 ? (errors[0] ?? "") : `[${errors.join(", ")}]`);

/** The rules behind a grant, or the error that its role is not there. */
async function rulesOrError(grant: Grant, reader: RoleReader): Promise<readonly PolicyRule[] | string> {
  try {
    return await rulesOfRef(grant.binding.roleRef, grant.namespace, reader);
  } catch (error) {
    if (isNotFound(error)) return error.message;
    throw error;
  }
}

export async function rulesOf(user: UserInfo, namespace: string, reader: RoleReader): Promise<RulesOfUser> {
  const found = await Promise.all((await grantsOf(user, namespace, reader)).map((grant) => rulesOrError(grant, reader)));
  return { rules: found.flatMap((f) => (typeof f === "string" ? [] : f)), errors: found.filter((f) => typeof f === "string") };
}

/** The decision and, on an allowance, the binding that made it. */
export async function evaluate(attributes: Attributes, reader: RoleReader): Promise<Decision> {
  const errors: string[] = [];
  for (const grant of await grantsOf(attributes.user, attributes.isResource ? attributes.namespace : "", reader)) {
    const rules = await rulesOrError(grant, reader);
    if (typeof rules === "string") errors.push(rules);
    else if (rules.some((rule) => ruleAllows(rule, attributes))) return { allowed: true, reason: grantText(grant) };
  }
  return { allowed: false, reason: errors.length > 0 ? `RBAC: ${aggregate(errors)}` : "" };
}
