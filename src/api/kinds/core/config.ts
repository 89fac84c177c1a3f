/**
 * The kinds ConfigMap, Secret and ServiceAccount.
 * Follows kubernetes pkg/apis/core/validation (ValidateConfigMap, ValidateSecret) and pkg/registry/core/{configmap,secret,serviceaccount}/strategy.go.
 */
import { own } from "../../../base/own.ts";
import { forbiddenField, invalidValue, required, tooLong } from "../../field-error.ts";
import type { ConfigMap, Secret, ServiceAccount } from "../../generated/types.ts";
import { isConfigMapKey } from "../../names.ts";
import { CONFIG_MAPS, SECRETS, SERVICE_ACCOUNTS } from "../../resource.ts";
import { jsonObjectError } from "../../validation/json.ts";
import { type Errors, immutable, reasons, semanticallyEqual } from "../../validation/fields.ts";
import { defineKind } from "../define.ts";
import type { Draft, Kind } from "../kind.ts";
import { ageCell } from "../printing.ts";
import { keyPairProblem } from "./key-pair.ts";

const SIZE_MAX = 1024 * 1024;
const IMMUTABLE_SET = "field is immutable when `immutable` is set";

type Data = Readonly<Record<string, string>> | undefined;

const sizeOf = (o: object | undefined): number => Object.keys(o ?? {}).length;

/** How many bytes a base64 text stands for. */
const decodedLength = (base64: string | null): number => base64 === null ? 0 : Math.floor((base64.length * 3) / 4) - (base64.endsWith("==") ? 2 : base64.endsWith("=") ? 1 : 0);

function validateConfigMap(out: Errors, o: ConfigMap): void {
  let size = 0;
  for (const [key, value] of Object.entries(o.data ?? {})) {
    reasons(out, `data[${key}]`, key, isConfigMapKey(key));
    if (own(o.binaryData, key) !== undefined) out.push(invalidValue(`data[${key}]`, key, "duplicate of key present in binaryData"));
    size += Buffer.byteLength(value);
  }
  for (const [key, value] of Object.entries(o.binaryData ?? {})) {
    reasons(out, `binaryData[${key}]`, key, isConfigMapKey(key));
    size += decodedLength(value);
  }
  // The whole object is meant: Go prints the empty path so.
  if (size > SIZE_MAX) out.push(tooLong("[]", SIZE_MAX));
}

/** As Go compares them: an empty map is none that was left out, and none is stored empty. */
const sameData = (data: Data, before: Data): boolean => (data === undefined ? sizeOf(before) === 0 : sizeOf(data) > 0 && semanticallyEqual(data, before));

function validateImmutable(out: Errors, o: { readonly immutable?: boolean }, old: { readonly immutable?: boolean }, pairs: readonly (readonly [string, Data, Data])[]): void {
  if (old.immutable !== true) return;
  if (o.immutable !== true) out.push(forbiddenField("immutable", IMMUTABLE_SET));
  for (const [field, data, before] of pairs) if (!sameData(data, before)) out.push(forbiddenField(field, IMMUTABLE_SET));
}

export const configMapKind: Kind<ConfigMap> = defineKind<ConfigMap>({
  resource: CONFIG_MAPS,
  schema: "io.k8s.api.core.v1.ConfigMap",
  printer: { cells: (o, now) => [o.metadata.name ?? "", sizeOf(o.data) + sizeOf(o.binaryData), ageCell(o, now)] },
  validate: validateConfigMap,
  validateUpdate(out, o, old) {
    validateImmutable(out, o, old, [["data", o.data, old.data], ["binaryData", o.binaryData, old.binaryData]]);
    validateConfigMap(out, o);
  },
});

const REDACTED = "<secret contents redacted>";

function validateJsonKey(out: Errors, secret: Secret, key: string): void {
  const text = secret.data?.[key];
  if (text === undefined) return void out.push(required(`data[${key}]`));
  const error = jsonObjectError(Buffer.from(text, "base64").toString("utf8"));
  if (error !== undefined) out.push(invalidValue(`data[${key}]`, REDACTED, error));
}

/** What a Secret of each known type must have. */
const SECRET_TYPES: ReadonlyMap<string, (out: Errors, secret: Secret) => void> = new Map(Object.entries<(out: Errors, secret: Secret) => void>({
  "kubernetes.io/service-account-token": (out, s) => {
    const key = "kubernetes.io/service-account.name";
    if (!s.metadata.annotations?.[key]) out.push(required(`metadata.annotations[${key}]`));
  },
  "kubernetes.io/dockercfg": (out, s) => validateJsonKey(out, s, ".dockercfg"),
  "kubernetes.io/dockerconfigjson": (out, s) => validateJsonKey(out, s, ".dockerconfigjson"),
  "kubernetes.io/basic-auth": (out, s) => {
    if (s.data?.["username"] === undefined && s.data?.["password"] === undefined) out.push(required("data[username]"), required("data[password]"));
  },
  "kubernetes.io/ssh-auth": (out, s) => {
    if (!s.data?.["ssh-privatekey"]) out.push(required("data[ssh-privatekey]"));
  },
  "kubernetes.io/tls": (out, s) => {
    for (const key of ["tls.crt", "tls.key"]) if (s.data?.[key] === undefined) out.push(required(`data[${key}]`));
  },
}));

function validateSecret(out: Errors, o: Secret): void {
  let size = 0;
  for (const [key, value] of Object.entries(o.data ?? {})) {
    reasons(out, `data[${key}]`, key, isConfigMapKey(key));
    size += decodedLength(value);
  }
  if (size > SIZE_MAX) out.push(tooLong("data", SIZE_MAX));
  SECRET_TYPES.get(o.type ?? "")?.(out, o);
}

const bytesOf = (secret: Secret, key: string): Buffer => Buffer.from(secret.data?.[key] ?? "", "base64");

/** A certificate and a key that don't go together are stored all the same. */
function secretWarnings(secret: Secret): readonly string[] {
  const problem = secret.type === "kubernetes.io/tls" ? keyPairProblem(bytesOf(secret, "tls.crt"), bytesOf(secret, "tls.key")) : undefined;
  return problem === undefined ? [] : [problem];
}

/** `stringData` is only a way in. */
function takeStringData(draft: Draft<Secret>): void {
  for (const [key, value] of Object.entries(draft.stringData ?? {})) draft.data = { ...draft.data, [key]: Buffer.from(value, "utf8").toString("base64") };
  delete draft.stringData;
}

export const secretKind: Kind<Secret> = defineKind<Secret>({
  resource: SECRETS,
  schema: "io.k8s.api.core.v1.Secret",
  printer: { cells: (o, now) => [o.metadata.name ?? "", o.type ?? "", sizeOf(o.data), ageCell(o, now)] },
  applyDefaults(draft) {
    if (draft.stringData) takeStringData(draft);
    draft.type ||= "Opaque";
  },
  validate: validateSecret,
  createWarnings: secretWarnings,
  updateWarnings: secretWarnings,
  validateUpdate(out, o, old) {
    immutable(out, "type", o.type ?? "", old.type ?? "");
    validateImmutable(out, o, old, [["data", o.data, old.data]]);
    validateSecret(out, o);
  },
  selectableFields: { type: (o) => o.type ?? "" },
});

/** Of the references to its Secrets only the names are kept. Follows cleanSecretReferences. */
function keepSecretNames(draft: Draft<ServiceAccount>): void {
  if (draft.secrets) draft.secrets = draft.secrets.map(({ name }) => ({ ...(name !== undefined && { name }) }));
}

const MOUNTABLE = "kubernetes.io/enforce-mountable-secrets";

const mountableWarnings = (o: ServiceAccount, old: ServiceAccount | undefined): readonly string[] =>
  o.metadata.annotations?.[MOUNTABLE] === undefined || old?.metadata.annotations?.[MOUNTABLE] !== undefined
    ? []
    : [`metadata.annotations[${MOUNTABLE}]: deprecated in v1.32+; prefer separate namespaces to isolate access to mounted secrets`];

export const serviceAccountKind: Kind<ServiceAccount> = defineKind<ServiceAccount>({
  resource: SERVICE_ACCOUNTS,
  schema: "io.k8s.api.core.v1.ServiceAccount",
  printer: { cells: (o, now) => [o.metadata.name ?? "", ageCell(o, now)] },
  prepareCreate: keepSecretNames,
  createWarnings: (o) => mountableWarnings(o, undefined),
  prepareUpdate: keepSecretNames,
  updateWarnings: mountableWarnings,
  deleteReturnsObject: true,
});
