/**
 * Reviews: objects that are questions, of which nothing is kept. An Api that answers them and passes everything else on.
 * Follows kubernetes pkg/registry/authorization, pkg/registry/authentication and pkg/apis/authorization/validation.
 */
import type { Clock } from "../base/clock.ts";
import { type FieldError, invalidValue, toCause } from "../api/field-error.ts";
import type * as types from "../api/generated/types.ts";
import type { KubeObject } from "../api/object.ts";
import { type Attributes, type Decision } from "../api/rbac/attributes.ts";
import { FULL_AUTHORITY } from "../api/rbac/escalation.ts";
import type { RulesOfUser } from "../api/rbac/evaluate.ts";
import type { Api, ApiAnswer, ApiRequest, Caller, UserInfo } from "../api/request.ts";
import { badRequest, invalid } from "../api/status-error.ts";
import { formatTime } from "../api/time.ts";
import { authenticated, type TokenVerifier } from "../server/authentication.ts";
import type { Authorizer } from "../server/authorization.ts";

export interface ReviewDeps {
  readonly authorizer: Authorizer & { readonly rulesOf?: (user: UserInfo, namespace: string) => Promise<RulesOfUser> };
  readonly tokens: readonly TokenVerifier[];
  readonly clock: Clock;
}

interface ReviewCall {
  readonly object: KubeObject;
  readonly namespace: string;
  readonly caller: Caller;
  readonly deps: ReviewDeps;
}

type Review = (call: ReviewCall) => Promise<object> | object;
type Questions = Pick<types.SubjectAccessReviewSpec, "resourceAttributes" | "nonResourceAttributes">;

const wireUser = ({ name, uid, groups, extra }: UserInfo): types.UserInfo => ({ username: name, ...(uid && { uid }), ...(groups.length > 0 && { groups }), ...(extra && { extra }) });

function questionErrors({ resourceAttributes, nonResourceAttributes }: Questions): FieldError[] {
  if (resourceAttributes && nonResourceAttributes) return [invalidValue("spec.nonResourceAttributes", nonResourceAttributes, "cannot be specified in combination with resourceAttributes")];
  if (resourceAttributes || nonResourceAttributes) return [];
  return [invalidValue("spec.resourceAttributes", null, "exactly one of nonResourceAttributes or resourceAttributes must be specified")];
}

const whoErrors = ({ user, groups }: types.SubjectAccessReviewSpec): FieldError[] => (user || groups?.length ? [] : [invalidValue("spec.user", user ?? "", "at least one of user or group must be specified")]);

/** The message names no kind, as upstream's does not. */
function refuse(errors: readonly FieldError[]): void {
  if (errors.length > 0) throw invalid({ group: "authorization.k8s.io", kind: "" }, "", errors.map(toCause));
}

function attributesOf(user: UserInfo, { resourceAttributes, nonResourceAttributes }: Questions): Attributes {
  if (!resourceAttributes) return { user, isResource: false, verb: nonResourceAttributes?.verb ?? "", path: nonResourceAttributes?.path ?? "" };
  const { verb = "", group = "", version = "", resource = "", subresource = "", namespace = "", name = "" } = resourceAttributes;
  return { user, isResource: true, verb, group, version, resource, subresource, namespace, name };
}

const statusOf = ({ allowed, reason }: Decision): types.SubjectAccessReviewStatus => ({ allowed, ...(reason !== "" && { reason }) });

const userOf = ({ user = "", uid, groups = [], extra }: types.SubjectAccessReviewSpec): UserInfo => ({ name: user, groups, ...(uid && { uid }), ...(extra && { extra }) });

async function answered(object: KubeObject, user: UserInfo, spec: Questions, { authorizer }: ReviewDeps): Promise<object> {
  return { ...object, status: statusOf(await authorizer.authorize(attributesOf(user, spec))) };
}

const selfSubjectAccess: Review = ({ object, caller, deps }) => {
  const { spec = {} } = object as Partial<types.SelfSubjectAccessReview>;
  refuse(questionErrors(spec));
  return answered(object, caller.user, spec, deps);
};

const subjectAccess: Review = ({ object, deps }) => {
  const { spec = {} } = object as Partial<types.SubjectAccessReview>;
  refuse([...questionErrors(spec), ...whoErrors(spec)]);
  return answered(object, userOf(spec), spec, deps);
};

const localSubjectAccess: Review = ({ object, namespace, deps }) => {
  const { spec = {}, metadata } = object as Partial<types.LocalSubjectAccessReview>;
  const errors = [...questionErrors(spec), ...whoErrors(spec)];
  const asked = spec.resourceAttributes?.namespace ?? "";
  if (metadata?.namespace !== undefined && metadata.namespace !== namespace) throw badRequest(`the namespace of the provided object does not match the namespace sent on the request`);
  if (spec.resourceAttributes && asked !== namespace) errors.push(invalidValue("spec.resourceAttributes.namespace", asked, "must match metadata.namespace"));
  if (spec.nonResourceAttributes) errors.push(invalidValue("spec.nonResourceAttributes", spec.nonResourceAttributes, "disallowed on this kind of request"));
  refuse(errors);
  return answered({ ...object, metadata: { ...metadata, namespace } }, userOf(spec), spec, deps);
};

const selfSubjectRules: Review = async ({ object, caller, deps }) => {
  const { spec = {} } = object as Partial<types.SelfSubjectRulesReview>;
  if (!spec.namespace) throw badRequest("no namespace on request");
  const { rules, errors } = (await deps.authorizer.rulesOf?.(caller.user, spec.namespace)) ?? { rules: FULL_AUTHORITY, errors: [] };
  const status = {
    resourceRules: rules.filter((r) => r.resources?.length).map(({ verbs, apiGroups, resources, resourceNames }) => ({ verbs, apiGroups, resources, ...(resourceNames?.length && { resourceNames }) })),
    nonResourceRules: rules.filter((r) => r.nonResourceURLs?.length).map(({ verbs, nonResourceURLs }) => ({ verbs, nonResourceURLs })),
    incomplete: false,
    ...(errors.length > 0 && { evaluationError: errors.join(", ") }),
  };
  return { kind: object.kind, apiVersion: object.apiVersion, metadata: {}, spec: {}, status };
};

const selfSubject: Review = ({ object, caller, deps }) => ({
  kind: object.kind, apiVersion: object.apiVersion, metadata: { ...object.metadata, creationTimestamp: formatTime(deps.clock.now()) }, status: { userInfo: wireUser(caller.user) },
});

const tokenReview: Review = async ({ object, deps }) => {
  const { spec } = object as Partial<types.TokenReview>;
  if (!spec?.token) throw badRequest("token is required for TokenReview in authentication");
  const asked = spec.audiences?.length ? spec.audiences : undefined;
  for (const verify of deps.tokens) {
    const found = await verify(spec.token, asked);
    if (!found) continue;
    const { user, audiences } = found;
    return { ...object, status: { authenticated: true, user: wireUser(authenticated(user)), ...(audiences && { audiences }) } };
  }
  return { ...object, status: { user: {}, error: "[invalid bearer token, unknown]" } };
};

const REVIEWS: Readonly<Record<string, Review>> = {
  "authorization.k8s.io/selfsubjectaccessreviews": selfSubjectAccess,
  "authorization.k8s.io/subjectaccessreviews": subjectAccess,
  "authorization.k8s.io/localsubjectaccessreviews": localSubjectAccess,
  "authorization.k8s.io/selfsubjectrulesreviews": selfSubjectRules,
  "authentication.k8s.io/selfsubjectreviews": selfSubject,
  "authentication.k8s.io/tokenreviews": tokenReview,
};

const reviewOf = (request: ApiRequest): Review | undefined => (request.verb === "create" ? REVIEWS[`${request.resource.group}/${request.resource.plural}`] : undefined);

/** The Api with reviews. */
export function withReviews(api: Api, deps: ReviewDeps): Api {
  return {
    async handle(request, caller): Promise<ApiAnswer> {
      const review = reviewOf(request);
      if (!review || request.verb !== "create") return api.handle(request, caller);
      const { object, namespace } = request;
      return { code: 201, body: (await review({ object, namespace, caller, deps })) as KubeObject, warnings: [] };
    },
    watch: (request, caller, sink) => api.watch(request, caller, sink),
  };
}
