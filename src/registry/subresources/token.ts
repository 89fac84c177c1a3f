/**
 * serviceaccounts/NAME/token: a token that the issuer signs, bound to a pod or a secret where the request says so.
 * Follows kubernetes pkg/registry/core/serviceaccount/storage/token.go and authentication/validation.
 */
import { invalidValue, toCause } from "../../api/field-error.ts";
import type { Pod, Secret, ServiceAccount, TokenRequest } from "../../api/generated/types.ts";
import type { KubeObject } from "../../api/object.ts";
import { PODS, SECRETS, SERVICE_ACCOUNTS, type Resource } from "../../api/resource.ts";
import { badRequest, conflict, invalid, notFound, StatusError } from "../../api/status-error.ts";
import { formatTime } from "../../api/time.ts";
import { keyOfCall, objectOf, type Call, type Registry } from "../call.ts";
import type { CreateSubresource } from "./table.ts";

export interface TokenSubject {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly bound: { readonly kind: string; readonly name: string; readonly uid: string } | undefined;
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

function validateRequest({ spec, metadata }: TokenRequest): number {
  const seconds = spec?.expirationSeconds ?? DEFAULT_SECONDS;
  const field = "spec.expirationSeconds";
  const errors = [];
  if (seconds < MIN_SECONDS) errors.push(invalidValue(field, seconds, "may not specify a duration less than 10 minutes"));
  if (seconds > MAX_SECONDS) errors.push(invalidValue(field, seconds, "may not specify a duration larger than 2^32 seconds"));
  if (errors.length > 0) throw invalid(KIND, metadata?.name ?? "", errors.map(toCause));
  return seconds;
}

const BOUND: Readonly<Record<string, Resource<Pod> | Resource<Secret>>> = { Pod: PODS, Secret: SECRETS };

/** What the token is bound to must be there, be the one that is meant, and (a pod) run as this account. */
function boundObject(r: Registry, call: Call, { spec }: TokenRequest): TokenSubject["bound"] {
  const ref = spec?.boundObjectRef;
  if (!ref) return undefined;
  const { kind = "", name = "", apiVersion = "" } = ref;
  const resource = apiVersion === "v1" ? BOUND[kind] : undefined;
  if (!resource) throw badRequest(`cannot bind token to object of type ${apiVersion === "v1" ? "/v1" : apiVersion}, Kind=${kind}`);
  const object = r.reader.get<Pod | Secret>(resource, call.namespace, name);
  if (!object) throw notFound(resource, name);
  const { uid = "" } = object.metadata ?? {};
  if (ref.uid && ref.uid !== uid) throw conflict({ group: "", plural: resource.plural }, name, `the UID in the bound object reference (${ref.uid}) does not match the UID in record. The object might have been deleted and then recreated`);
  const account = kind === "Pod" ? (object as Pod).spec?.serviceAccountName : call.name;
  if (account !== call.name) throw badRequest(`cannot bind token for serviceaccount ${JSON.stringify(call.name)} to pod running with different serviceaccount name.`);
  return { kind, name, uid };
}

export const createToken: CreateSubresource = async (r, call, object, { tokens }) => {
  if (!tokens) throw new StatusError({ code: 500, reason: "InternalError", message: "Internal error occurred: no token issuer" });
  const request = object as TokenRequest;
  const entry = r.store.get(keyOfCall(call));
  if (!entry) throw notFound(SERVICE_ACCOUNTS, call.name);
  const account = objectOf(entry) as ServiceAccount;
  const { metadata } = request;
  if (metadata?.name && metadata.name !== call.name) throw badRequest(`the name in the object does not match the name on the URL (${call.name})`);
  if (metadata?.namespace && metadata.namespace !== call.namespace) throw badRequest("the namespace of the provided object does not match the namespace sent on the request");
  const seconds = validateRequest(request);
  const audiences = request.spec?.audiences?.length ? request.spec.audiences : tokens.defaultAudiences;
  const bound = boundObject(r, call, request);
  const now = r.clock.now();
  const expiresAtMs = now + seconds * 1000;
  const token = call.dryRun ? "" : await tokens.issue({ namespace: call.namespace, name: call.name, uid: account.metadata?.uid ?? "", bound }, { audiences, expiresAtMs });
  const body = {
    kind: "TokenRequest",
    apiVersion: "authentication.k8s.io/v1",
    metadata: { ...metadata, name: call.name, namespace: call.namespace, uid: account.metadata?.uid ?? "", creationTimestamp: formatTime(now) },
    spec: { ...request.spec, audiences, expirationSeconds: seconds, boundObjectRef: request.spec?.boundObjectRef ?? null },
    status: { token, expirationTimestamp: formatTime(expiresAtMs) },
  };
  return { code: 201, body: body as unknown as KubeObject };
};
