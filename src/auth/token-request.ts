/**
 * serviceaccounts/NAME/token: a token that the issuer signs, bound to a pod or a secret where the request says so.
 * Follows kubernetes pkg/registry/core/serviceaccount/storage/token.go and authentication/validation.
 */
import { invalidValue, toCause } from "../api/field-error.ts";
import type { Node, Pod, Secret, ServiceAccount, TokenRequest } from "../api/generated/types.ts";
import type { KubeObject } from "../api/object.ts";
import { NODES, PODS, SECRETS, SERVICE_ACCOUNTS, type Resource } from "../api/resource.ts";
import { badRequest, conflict, invalid, notFound } from "../api/status-error.ts";
import { formatTime } from "../api/time.ts";
import { keyOfCall, objectOf, type Call, type Registry } from "../registry/call.ts";
import type { CreateSubresource, CreateSubresources } from "../registry/subresources.ts";

export interface TokenSubject {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly bound: { readonly kind: string; readonly name: string; readonly uid: string } | undefined;
  /** The node of the pod that it is bound to. */
  readonly node?: { readonly name: string; readonly uid?: string };
  /** Its users are to be warned so long after its beginning, though it is good for longer. */
  readonly warnAfterSeconds?: number;
}

/** Signs tokens; the composition root provides it. */
export interface TokenIssuer {
  /** What a token is good for where the request names no audience. */
  readonly defaultAudiences: readonly string[];
  issue(subject: TokenSubject, options: { readonly audiences: readonly string[]; readonly expiresAtMs: number }): Promise<string>;
}

const KIND = { group: "authentication.k8s.io", kind: "TokenRequest" };
const DEFAULT_SECONDS = 3600;
const MIN_SECONDS = 600;
const MAX_SECONDS = 2 ** 32;
/** A pod's token for the API that is asked for with exactly this time lives a year, for clients that never read it again, and warns after this time. */
const WARN_ONLY_SECONDS = 3607;
const EXTENDED_SECONDS = 365 * 86_400;

function validateRequest({ spec }: TokenRequest): number {
  const seconds = spec?.expirationSeconds ?? DEFAULT_SECONDS;
  const field = "spec.expirationSeconds";
  const errors = [];
  if (seconds < MIN_SECONDS) errors.push(invalidValue(field, seconds, "may not specify a duration less than 10 minutes"));
  if (seconds > MAX_SECONDS) errors.push(invalidValue(field, seconds, "may not specify a duration larger than 2^32 seconds"));
  if (errors.length > 0) throw invalid(KIND, "", errors.map(toCause));
  return seconds;
}

const BOUND: ReadonlyMap<string, Resource<Pod> | Resource<Secret> | Resource<Node>> = new Map<string, Resource<Pod> | Resource<Secret> | Resource<Node>>([["Pod", PODS], ["Secret", SECRETS], ["Node", NODES]]);

/** `v1` → `/v1`, as Go prints a group and version. */
const gvText = (apiVersion: string): string => (apiVersion.includes("/") ? apiVersion : `/${apiVersion}`);

/** What the token is bound to must be there, be the one that is meant, and (a pod) run as this account. */
function boundObject(r: Registry, call: Call, { spec }: TokenRequest): TokenSubject["bound"] {
  const ref = spec?.boundObjectRef;
  if (!ref) return undefined;
  const { kind = "", name = "", apiVersion = "" } = ref;
  const resource = apiVersion.includes("/") ? undefined : BOUND.get(kind);
  if (!resource) throw badRequest(`cannot bind token to object of type ${gvText(apiVersion)}, Kind=${kind}`);
  if (name === "") throw badRequest("Name parameter required.");
  const object = r.reader.get<Pod | Secret | Node>(resource, resource.namespaced ? call.namespace : "", name);
  if (!object) throw notFound(resource, name);
  const { uid = "" } = object.metadata ?? {};
  const account = kind === "Pod" ? (object as Pod).spec?.serviceAccountName : call.name;
  if (account !== call.name) throw badRequest(`cannot bind token for serviceaccount ${JSON.stringify(call.name)} to pod running with different serviceaccount name.`);
  if (ref.uid && ref.uid !== uid) throw conflict({ group: "", plural: kind }, name, `the UID in the bound object reference (${ref.uid}) does not match the UID in record. The object might have been deleted and then recreated`);
  return { kind, name, uid };
}

/** A token that is bound to a pod names the pod's node too; one that is bound to a node that one. */
function nodeOf(r: Registry, call: Call, bound: TokenSubject["bound"]): Pick<TokenSubject, "node"> {
  if (bound?.kind === "Node") return { node: { name: bound.name, uid: bound.uid } };
  const name = bound?.kind === "Pod" ? r.reader.get<Pod>(PODS, call.namespace, bound.name)?.spec?.nodeName : undefined;
  if (!name) return {};
  const uid = r.reader.get<Node>(NODES, "", name)?.metadata?.uid;
  return { node: { name, ...(uid !== undefined && { uid }) } };
}

/** For the registry. */
export const tokenSubresource = (tokens: TokenIssuer): CreateSubresources => ({ "/serviceaccounts/token": createToken(tokens) });

const createToken = (tokens: TokenIssuer): CreateSubresource => async (r, call, object) => {
  const request = object as TokenRequest;
  for (const [field, own] of [["name", call.name], ["namespace", call.namespace]] as const) {
    const said = request.metadata?.[field];
    if (said && said !== own) throw invalid(KIND, call.name, [toCause(invalidValue(`metadata.${field}`, said, `must match the service account ${field} if specified`))]);
  }
  const entry = r.store.get(keyOfCall(call));
  if (!entry) throw notFound(SERVICE_ACCOUNTS, call.name);
  const account = objectOf(entry) as ServiceAccount;
  const { metadata } = request;
  const { uid: accountUid = "" } = account.metadata ?? {};
  if (metadata?.uid && metadata.uid !== accountUid) throw conflict({ group: KIND.group, plural: KIND.kind }, call.name, `the UID in the token request (${metadata.uid}) does not match the UID of the service account (${accountUid})`);
  const seconds = validateRequest(request);
  const audiences = request.spec?.audiences?.length ? request.spec.audiences : tokens.defaultAudiences;
  const bound = boundObject(r, call, request);
  const now = r.clock.now();
  const expiresAtMs = now + seconds * 1000;
  const isExtended = bound?.kind === "Pod" && seconds === WARN_ONLY_SECONDS && audiences.every((a) => tokens.defaultAudiences.includes(a));
  const subject: TokenSubject = { namespace: call.namespace, name: call.name, uid: account.metadata?.uid ?? "", bound, ...nodeOf(r, call, bound), ...(isExtended && { warnAfterSeconds: seconds }) };
  const token = await tokens.issue(subject, { audiences, expiresAtMs: isExtended ? now + EXTENDED_SECONDS * 1000 : expiresAtMs });
  const body = {
    kind: "TokenRequest",
    apiVersion: "authentication.k8s.io/v1",
    metadata: { ...metadata, name: call.name, namespace: call.namespace, uid: account.metadata?.uid ?? "", creationTimestamp: formatTime(now) },
    spec: { ...request.spec, audiences, expirationSeconds: seconds, boundObjectRef: request.spec?.boundObjectRef ?? null },
    status: { token, expirationTimestamp: formatTime(expiresAtMs) },
  };
  return { code: 201, body: body as unknown as KubeObject };
};
