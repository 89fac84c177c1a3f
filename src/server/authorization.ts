/** The question "may they?", and 403 in upstream's words. Who decides (RBAC, or everybody may) is passed in. */
import { type Attributes, type Decision, MASTERS } from "../api/rbac/attributes.ts";
import { forbidden, StatusError } from "../api/status-error.ts";

export interface Authorizer {
  authorize(attributes: Attributes): Promise<Decision> | Decision;
}

/** Everybody may do everything: a server for one person. */
export const allowAll: Authorizer = { authorize: () => ({ allowed: true, reason: "" }) };

/** Follows apiserver/pkg/endpoints/handlers/responsewriters/errors.go (Forbidden, forbiddenMessage). */
export function forbiddenError(attributes: Attributes, reason: string): StatusError {
  const { user, verb } = attributes;
  const why = reason === "" ? "" : `: ${reason}`;
  const name = JSON.stringify(user.name);
  if (!attributes.isResource) {
    const message = `forbidden: User ${name} cannot ${verb} path ${JSON.stringify(attributes.path)}${why}`;
    return new StatusError({ code: 403, reason: "Forbidden", message, details: {} });
  }
  const { group, resource, subresource, namespace } = attributes;
  const what = subresource === "" ? resource : `${resource}/${subresource}`;
  const where = namespace === "" ? "at the cluster scope" : `in the namespace ${JSON.stringify(namespace)}`;
  return forbidden({ group, plural: resource }, attributes.name, `User ${name} cannot ${verb} resource ${JSON.stringify(what)} in API group ${JSON.stringify(group)} ${where}${why}`);
}

/** Rejects with 403 where the answer is no. */
export async function requireAllowed(authorizer: Authorizer, attributes: Attributes): Promise<void> {
  const masters = attributes.user.groups.includes(MASTERS);
  const { allowed, reason } = masters ? { allowed: true, reason: "" } : await authorizer.authorize(attributes);
  if (!allowed) throw forbiddenError(attributes, reason);
}

/** What is opened with GET, and then does as much as POST would, takes the right to create besides. Follows pkg/registry/core/pod/rest/authorize.go. */
export async function requireToAct(authorizer: Authorizer, attributes: Attributes): Promise<void> {
  if (!attributes.isResource || attributes.verb === "create" || attributes.user.groups.includes(MASTERS)) return;
  const { allowed, reason } = await authorizer.authorize({ ...attributes, verb: "create" });
  if (!allowed) throw forbidden({ group: attributes.group, plural: attributes.resource }, attributes.name, reason);
}
