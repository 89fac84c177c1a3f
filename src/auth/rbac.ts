/**
 * RBAC at work: the authoriser over the roles that the Api holds, the check that nobody gives more than they have, and the default roles put in place.
 * Roles are read when a question comes: nothing is cached, a binding counts at once.
 */
import type { ClusterRole, PolicyRule, RoleBinding, RoleRef } from "../api/generated/types.ts";
import { type KubeObject, keyOf } from "../api/object.ts";
import { type Attributes, type Decision, MASTERS } from "../api/rbac/attributes.ts";
import { defaultPolicy } from "../api/rbac/default-policy.ts";
import { escalationError, FULL_AUTHORITY } from "../api/rbac/escalation.ts";
import { evaluate, ROLE_BINDINGS, ROLES, type RoleReader, rulesOf, type RulesOfUser, rulesOfRef } from "../api/rbac/evaluate.ts";
import type { Api, Caller, ObjectList, UserInfo } from "../api/request.ts";
import { CLUSTER_ROLE_BINDINGS, CLUSTER_ROLES, type Resource } from "../api/resource.ts";
import { forbidden, isAlreadyExists, isNotFound } from "../api/status-error.ts";
import type { AdmissionContext, AdmissionPlugin, Reader } from "../registry/admission.ts";
import { equal } from "../registry/objects.ts";
import type { Authorizer } from "../server/authorization.ts";

/** The server itself. */
export const SYSTEM: Caller = { user: { name: "system:apiserver", groups: [MASTERS, "system:authenticated"] }, userAgent: "kube-apiserver" };

function readerOf(api: Api): RoleReader {
  const list = async <T extends object>(resource: Resource<T>, namespace: string) =>
    ((await api.handle({ verb: "list", resource, namespace, options: {} }, SYSTEM)).body as ObjectList).items as unknown as readonly T[];
  const get = async <T extends object>(resource: Resource<T>, namespace: string, name: string) => {
    try {
      return (await api.handle({ verb: "get", resource, namespace, name, subresource: "" }, SYSTEM)).body as unknown as T;
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  };
  return {
    clusterRoleBindings: () => list(CLUSTER_ROLE_BINDINGS, ""),
    roleBindings: (namespace) => list(ROLE_BINDINGS, namespace),
    role: (namespace, name) => get(ROLES, namespace, name),
    clusterRole: (name) => get(CLUSTER_ROLES, "", name),
    clusterRoles: () => list(CLUSTER_ROLES, ""),
  };
}

export interface RbacAuthorizer extends Authorizer {
  rulesOf(user: UserInfo, namespace: string): Promise<RulesOfUser>;
}

export function openRbacAuthorizer(api: Api): RbacAuthorizer {
  const reader = readerOf(api);
  return {
    authorize: (attributes: Attributes): Promise<Decision> | Decision => (attributes.user.groups.includes(MASTERS) ? { allowed: true, reason: "" } : evaluate(attributes, reader)),
    rulesOf: (user, namespace) => rulesOf(user, namespace, reader),
  };
}

/** The same roles, read inside the registry. */
const readerInside = (inside: Reader): RoleReader => ({
  clusterRoleBindings: () => Promise.resolve(inside.list(CLUSTER_ROLE_BINDINGS, "")),
  roleBindings: (namespace) => Promise.resolve(inside.list(ROLE_BINDINGS, namespace)),
  role: (namespace, name) => Promise.resolve(inside.get(ROLES, namespace, name)),
  clusterRole: (name) => Promise.resolve(inside.get(CLUSTER_ROLES, "", name)),
  clusterRoles: () => Promise.resolve(inside.list(CLUSTER_ROLES, "")),
});

const permits = async (context: AdmissionContext, verb: "escalate" | "bind", resource: Resource, name: string, reader: RoleReader): Promise<boolean> => {
  const { user, namespace } = context;
  const attributes = { user, verb, isResource: true, ...resource, resource: resource.plural, subresource: "", namespace: resource.namespaced ? namespace : "", name } as const;
  return (await evaluate(attributes, reader)).allowed;
};

async function checkRole(role: ClusterRole, old: ClusterRole | undefined, context: AdmissionContext, reader: RoleReader): Promise<void> {
  if (old && equal(old.rules ?? [], role.rules ?? []) && equal(old.aggregationRule, role.aggregationRule)) return;
  const name = role.metadata.name ?? "";
  if (await permits(context, "escalate", context.resource, name, reader)) return;
  const refuse = (why: string) => forbidden(context.resource, name, why);
  const error = await escalationError(context.user, context.namespace, role.rules ?? [], reader);
  if (error !== undefined) throw refuse(error);
  const wantsMore = role.aggregationRule && !(old && equal(old.aggregationRule, role.aggregationRule));
  if (wantsMore && (await escalationError(context.user, "", FULL_AUTHORITY, reader)) !== undefined) {
    throw refuse("must have cluster-admin privileges to use the aggregationRule");
  }
}

async function checkBinding(binding: RoleBinding, old: RoleBinding | undefined, context: AdmissionContext, reader: RoleReader): Promise<void> {
  if (old && equal(old.roleRef, binding.roleRef) && equal(old.subjects ?? [], binding.subjects ?? [])) return;
  const ref: RoleRef = binding.roleRef;
  if (await permits(context, "bind", ref.kind === "Role" ? ROLES : CLUSTER_ROLES, ref.name, reader)) return;
  const rules: readonly PolicyRule[] = await rulesOfRef(ref, context.namespace, reader);
  const error = await escalationError(context.user, context.namespace, rules, reader);
  if (error !== undefined) throw forbidden(context.resource, binding.metadata.name ?? "", error);
}

/** For the registry's admission: what is written may not give rights that the writer has not. */
export const noEscalation: AdmissionPlugin = {
  name: "RBACEscalation",
  validate(object: KubeObject, context) {
    if (context.resource.group !== ROLES.group || context.operation === "DELETE" || context.user.groups.includes(MASTERS)) return undefined;
    const reader = readerInside(context.reader);
    const isRole = context.resource.plural === ROLES.plural || context.resource.plural === CLUSTER_ROLES.plural;
    return isRole ? checkRole(object, context.old, context, reader) : checkBinding(object as RoleBinding, context.old as RoleBinding | undefined, context, reader);
  },
};

/** Puts the default roles and bindings in place where they are missing; the namespaces of the system must be there. */
export async function bootstrapPolicy(api: Api): Promise<void> {
  const { clusterRoles, clusterRoleBindings, roles, roleBindings } = await defaultPolicy();
  const names = async (resource: Resource) => {
    const { body } = await api.handle({ verb: "list", resource, namespace: "", options: {} }, SYSTEM);
    return new Set((body as ObjectList).items.map(keyOf));
  };
  const put = async (resource: Resource, objects: readonly KubeObject[]) => {
    const known = await names(resource);
    const missing = objects.filter((object) => !known.has(keyOf(object)));
    await Promise.all(missing.map((object) => api.handle({ verb: "create", resource, namespace: object.metadata.namespace ?? "", object, options: {} }, SYSTEM).catch(ignoreExisting)));
  };
  await put(CLUSTER_ROLES, clusterRoles);
  await put(CLUSTER_ROLE_BINDINGS, clusterRoleBindings);
  await put(ROLES, roles);
  await put(ROLE_BINDINGS, roleBindings);
}

function ignoreExisting(error: unknown): void {
  if (!isAlreadyExists(error)) throw error;
}

