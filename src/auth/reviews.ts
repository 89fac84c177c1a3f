/**
 * Reviews: objects that are questions, of which nothing is kept. An Api that answers them and passes everything else on.
 * Follows kubernetes pkg/registry/authorization, pkg/registry/authentication and pkg/apis/authorization/validation.
 */
import type { Clock } from "../base/clock.ts";
import { table } from "../base/own.ts";
import { type FieldError, forbiddenField, invalidValue, required, toCause } from "../api/field-error.ts";
import type * as types from "../api/generated/types.ts";
import { isQualifiedName } from "../api/names.ts";
import { goSpelled } from "../api/kinds/go-spelling.ts";
import { trackUpdate } from "../api/managed-fields/track-update.ts";
import type { KubeObject } from "../api/object.ts";
import { type Attributes, type Decision } from "../api/rbac/attributes.ts";
import { FULL_AUTHORITY } from "../api/rbac/escalation.ts";
import type { RulesOfUser } from "../api/rbac/evaluate.ts";
import type { Api, ApiAnswer, ApiRequest, Caller, UserInfo } from "../api/request.ts";
import { badRequest, invalid } from "../api/status-error.ts";
import { formatTime } from "../api/time.ts";
import { managerOf } from "../registry/call.ts";
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

type Creation = Extract<ApiRequest, { readonly verb: "create" }>;
type Review = (call: ReviewCall) => Promise<object> | object;
type Questions = Pick<types.SubjectAccessReviewSpec, "resourceAttributes" | "nonResourceAttributes">;

const NON_RESOURCE = "io.k8s.api.authorization.v1.NonResourceAttributes";

const wireUser = ({ name, uid, groups, extra }: UserInfo): types.UserInfo => ({ username: name, ...(uid && { uid }), ...(groups.length > 0 && { groups }), ...(extra && { extra }) });

function questionErrors({ resourceAttributes, nonResourceAttributes }: Questions): FieldError[] {
  if (resourceAttributes && nonResourceAttributes) return [invalidValue("spec.nonResourceAttributes", goSpelled(NON_RESOURCE, nonResourceAttributes), "cannot be specified in combination with resourceAttributes")];
  if (resourceAttributes || nonResourceAttributes) return [];
  return [invalidValue("spec.resourceAttributes", null, "exactly one of nonResourceAttributes or resourceAttributes must be specified")];
}

type Selector = NonNullable<types.ResourceAttributes["fieldSelector"] | types.ResourceAttributes["labelSelector"]>;

/** Operators that this server does not know may be asked about. */
function selectorErrors(field: string, selector: Selector | undefined, isKey: (key: string) => readonly FieldError[]): FieldError[] {
  if (!selector) return [];
  const { rawSelector = "", requirements = [] } = selector;
  const errors: FieldError[] = [];
  if (rawSelector !== "" && requirements.length > 0) errors.push(invalidValue(`${field}.rawSelector`, rawSelector, "may not specified at the same time as requirements"));
  if (rawSelector === "" && requirements.length === 0) errors.push(required(`${field}.requirements`, `when ${field} is specified, requirements or rawSelector is required`));
  requirements.forEach(({ operator, values = [] }, i) => {
    const at = `${field}.requirements[${i}].values`;
    if ((operator === "In" || operator === "NotIn") && values.length === 0) errors.push(required(at, "must be specified when `operator` is 'In' or 'NotIn'"));
    if ((operator === "Exists" || operator === "DoesNotExist") && values.length > 0) errors.push(forbiddenField(at, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"));
  });
  return [...errors, ...requirements.flatMap(({ key }, i) => isKey(key).map((error) => ({ ...error, field: `${field}.requirements[${i}].key` })))];
}

function resourceErrors({ resourceAttributes }: Questions): FieldError[] {
  const field = "spec.resourceAttributes";
  return [
    ...selectorErrors(`${field}.fieldSelector`, resourceAttributes?.fieldSelector, (key) => (key === "" ? [required("", "must be specified")] : [])),
    ...selectorErrors(`${field}.labelSelector`, resourceAttributes?.labelSelector, (key) => isQualifiedName(key).map((why) => invalidValue("", key, why))),
  ];
}

/** As every object that is written, a review tells who wrote which of its fields. */
function tracked(object: KubeObject, namespace: string, { resource, options }: Creation, caller: Caller, clock: Clock): KubeObject {
  const metadata = { ...object.metadata, ...(namespace !== "" && { namespace }) };
  const manager = managerOf({ fieldManager: options.fieldManager ?? "", caller });
  const managedFields = trackUpdate({ updated: { ...object, metadata }, manager, gvk: resource, subresource: "", now: clock.now() });
  return { ...object, metadata: { ...metadata, ...(managedFields?.length && { managedFields }) } };
}

/** A review has no name and nothing else that an object has; `allowed` is what it may have. */
function metadataErrors(metadata: KubeObject["metadata"] | undefined, allowed: readonly string[], why: string): FieldError[] {
  const rest = Object.entries(metadata ?? {}).filter(([key, value]) => key !== "managedFields" && !allowed.includes(key) && value !== null && value !== "");
  return rest.length === 0 ? [] : [invalidValue("metadata", metadata, why)];
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
  refuse([...questionErrors(spec), ...resourceErrors(spec), ...metadataErrors(object.metadata, [], "must be empty")]);
  return answered(object, caller.user, spec, deps);
};

const subjectAccess: Review = ({ object, deps }) => {
  const { spec = {} } = object as Partial<types.SubjectAccessReview>;
  refuse([...questionErrors(spec), ...whoErrors(spec), ...resourceErrors(spec), ...metadataErrors(object.metadata, [], "must be empty")]);
  return answered(object, userOf(spec), spec, deps);
};

const localSubjectAccess: Review = ({ object, namespace, deps }) => {
  const { spec = {}, metadata } = object as Partial<types.LocalSubjectAccessReview>;
  const errors = [...questionErrors(spec), ...whoErrors(spec), ...resourceErrors(spec), ...metadataErrors(metadata, ["namespace"], "must be empty except for namespace")];
  const asked = spec.resourceAttributes?.namespace ?? "";
  if (spec.resourceAttributes && asked !== namespace) errors.push(invalidValue("spec.resourceAttributes.namespace", asked, "must match metadata.namespace"));
  if (spec.nonResourceAttributes) errors.push(invalidValue("spec.nonResourceAttributes", goSpelled(NON_RESOURCE, spec.nonResourceAttributes), "disallowed on this kind of request"));
  refuse(errors);
  return answered(object, userOf(spec), spec, deps);
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
  kind: object.kind, apiVersion: object.apiVersion, metadata: { creationTimestamp: formatTime(deps.clock.now()) }, status: { userInfo: wireUser(caller.user) },
});

const tokenReview: Review = async ({ object, deps }) => {
  const { spec } = object as Partial<types.TokenReview>;
  if (!spec?.token) throw badRequest("token is required for TokenReview in authentication");
  const asked = spec.audiences?.length ? spec.audiences : undefined;
  const errors = ["invalid bearer token"];
  for (const verify of deps.tokens) {
    const found = await verify(spec.token, asked, (why) => void errors.push(why));
    if (!found) continue;
    const { user, audiences } = found;
    return { ...object, status: { authenticated: true, user: wireUser(authenticated(user)), ...(audiences && { audiences }) } };
  }
  return { ...object, status: { user: {}, error: errors.length > 1 ? `[${errors.join(", ")}]` : errors.join("") } };
};

const REVIEWS: Readonly<Record<string, Review>> = table({
  "authorization.k8s.io/selfsubjectaccessreviews": selfSubjectAccess,
  "authorization.k8s.io/subjectaccessreviews": subjectAccess,
  "authorization.k8s.io/localsubjectaccessreviews": localSubjectAccess,
  "authorization.k8s.io/selfsubjectrulesreviews": selfSubjectRules,
  "authentication.k8s.io/selfsubjectreviews": selfSubject,
  "authentication.k8s.io/tokenreviews": tokenReview,
});

const reviewOf = (request: ApiRequest): Review | undefined => (request.verb === "create" ? REVIEWS[`${request.resource.group}/${request.resource.plural}`] : undefined);

/** The Api with reviews. */
export function withReviews(api: Api, deps: ReviewDeps): Api {
  return {
    async handle(request, caller): Promise<ApiAnswer> {
      const review = reviewOf(request);
      if (!review || request.verb !== "create") return api.handle(request, caller);
      const { namespace } = request;
      if (request.object.metadata?.namespace && request.object.metadata.namespace !== namespace) throw badRequest("the namespace of the provided object does not match the namespace sent on the request");
      const object = tracked(request.object, namespace, request, caller, deps.clock);
      return { code: 201, body: (await review({ object, namespace, caller, deps })) as KubeObject, warnings: [] };
    },
    watch: (request, caller, sink) => api.watch(request, caller, sink),
  };
}
