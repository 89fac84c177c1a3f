/**
 * The kind CertificateSigningRequest: asked, approved or denied, and kept; nothing here signs. Who asks and when is set by admission.
 * Follows kubernetes pkg/apis/certificates/validation/validation.go and pkg/registry/certificates/certificates/strategy.go.
 */
import { duplicate, forbiddenField, invalidValue, required, tooLong } from "../../field-error.ts";
import { humanDuration } from "../../duration.ts";
import type { CertificateSigningRequest, CertificateSigningRequestCondition } from "../../generated/types.ts";
import { isDns1123Label, isDns1123Subdomain } from "../../names.ts";
import { validateObjectMeta, validateObjectMetaUpdate } from "../../object-meta.ts";
import { CERTIFICATE_SIGNING_REQUESTS } from "../../resource.ts";
import { type Errors, semanticallyEqual, unsupported } from "../../validation/fields.ts";
import { defineKind, keepField } from "../define.ts";
import { goDiffOf } from "../go-spelling.ts";
import type { Draft, Kind, UpdateStrategy } from "../kind.ts";
import { ageCell } from "../printing.ts";
import { certificateError, certificateRequestError } from "./pkcs10.ts";

type Request = CertificateSigningRequest;
type Condition = CertificateSigningRequestCondition;

const USAGES = [
  "any", "cert sign", "client auth", "code signing", "content commitment", "crl sign", "data encipherment", "decipher only", "digital signature", "email protection", "encipher only", "ipsec end system",
  "ipsec tunnel", "ipsec user", "key agreement", "key encipherment", "microsoft sgc", "netscape sgc", "ocsp signing", "s/mime", "server auth", "signing", "timestamping",
];
const LEGACY_SIGNER = "kubernetes.io/legacy-unknown";
const EXPIRATION_SECONDS_MIN = 600;
const DOMAIN_MAX = 253;
const SIGNER_MAX = 253 + 1 + 253 + 63 + 1;
const DECIDED = ["Approved", "Denied"];
const TRUE_ONLY = [...DECIDED, "Failed"];

function labelled(out: Errors, field: string, whole: string, parts: readonly string[], check: (part: string) => string[]): void {
  for (const part of parts) {
    const errors = check(part);
    for (const error of errors) out.push(invalidValue(field, whole, `validating label ${JSON.stringify(part)}: ${error}`));
    if (errors.length > 0) return;
  }
}

/** `example.com/signer`. Follows core validation's ValidateSignerName. */
export function validateSignerName(out: Errors, field: string, name: string): void {
  if (name === "") return void out.push(required(field));
  const [domain = "", path = "", ...rest] = name.split("/");
  if (rest.length > 0 || !name.includes("/")) return void out.push(invalidValue(field, name, "must be a fully qualified domain and path of the form 'example.com/signer-name'"));
  if (domain.length > DOMAIN_MAX) out.push(tooLong(field, DOMAIN_MAX));
  labelled(out, field, domain, domain.split("."), isDns1123Label);
  if (!domain.includes(".")) out.push(invalidValue(field, domain, "should be a domain with at least two segments separated by dots"));
  labelled(out, field, path, path.split("."), isDns1123Subdomain);
  if (name.length > SIGNER_MAX) out.push(tooLong(field, SIGNER_MAX));
}

const conditionsOf = (o: Request | undefined): readonly Condition[] => o?.status?.conditions ?? [];
const ofType = (o: Request | undefined, type: string): readonly Condition[] => conditionsOf(o).filter((c) => c.type === type);
const has = (o: Request | undefined, ...types: readonly string[]): boolean => types.every((type) => ofType(o, type).length > 0);
const repeats = (o: Request | undefined): boolean => new Set(conditionsOf(o).map((c) => c.type)).size < conditionsOf(o).length;

/** What stored requests hold is let be. */
function validateConditions(out: Errors, o: Request, old: Request | undefined): void {
  const field = "status.conditions";
  const [bothAllowed, repeatsAllowed, emptyAllowed] = [has(old, ...DECIDED), repeats(old), has(old, "")];
  conditionsOf(o).forEach(({ type, status }, i) => {
    const before = conditionsOf(o).slice(0, i);
    const statuses = TRUE_ONLY.includes(type) ? ["True"] : ["False", "True", "Unknown"];
    if (type === "" && !emptyAllowed) out.push(required(`${field}[${i}].type`));
    if (status === "") out.push(required(`${field}[${i}].status`));
    else if (!statuses.includes(status)) out.push(unsupported(`${field}[${i}].status`, status, statuses));
    const other = type === "Approved" ? "Denied" : type === "Denied" ? "Approved" : undefined;
    if (!bothAllowed && other !== undefined && before.some((c) => c.type === other)) out.push(invalidValue(field, type, "Approved and Denied conditions are mutually exclusive"));
    if (!repeatsAllowed && before.some((c) => c.type === type)) out.push(duplicate(`${field}[${i}].type`, type));
  });
}

function validateUsages(out: Errors, usages: readonly string[], old: readonly string[]): void {
  if (usages.length === 0) out.push(required("spec.usages"));
  usages.forEach((usage, i) => {
    if (!USAGES.includes(usage) && old.every((u) => USAGES.includes(u))) out.push(unsupported(`spec.usages[${i}]`, usage, USAGES));
  });
  if (new Set(old).size < old.length) return;
  usages.forEach((usage, i) => {
    if (usages.indexOf(usage) < i) out.push(duplicate(`spec.usages[${i}]`, usage));
  });
}

function validateRequest(out: Errors, o: Request, old?: Request): void {
  const { request, usages = [], signerName, expirationSeconds } = o.spec ?? { request: "", signerName: "" };
  const error = certificateRequestError(request);
  if (error !== undefined) out.push(invalidValue("spec.request", request, error));
  validateUsages(out, usages, old?.spec?.usages ?? []);
  if (signerName === LEGACY_SIGNER && old?.spec?.signerName !== LEGACY_SIGNER) out.push(invalidValue("spec.signerName", signerName, "the legacy signerName is not allowed via this API version"));
  else validateSignerName(out, "spec.signerName", signerName);
  if (expirationSeconds !== undefined && expirationSeconds < EXPIRATION_SECONDS_MIN) out.push(invalidValue("spec.expirationSeconds", expirationSeconds, "may not specify a duration less than 600 seconds (10 minutes)"));
  validateConditions(out, o, old);
  const certificate = o.status?.certificate;
  const kept = old !== undefined && (certificate ?? "") === (old.status?.certificate ?? "");
  const wrong = kept || certificateError(old?.status?.certificate) !== undefined ? undefined : certificateError(certificate);
  if (wrong !== undefined) out.push(invalidValue("status.certificate", "<certificate data>", wrong));
}

/** What a road may write: the certificate (status), the decision (approval), or neither. */
type May = "nothing" | "certificate" | "decision";

const CONDITION = "io.k8s.api.certificates.v1.CertificateSigningRequestCondition";

function validateUpdate(out: Errors, o: Request, old: Request, may: May): void {
  const field = "status.conditions";
  out.push(...validateObjectMeta(o.metadata, { namespaced: false, validateName: () => [], builtIn: true }));
  validateRequest(out, o, old);
  for (const type of TRUE_ONLY) if (ofType(o, type).length < ofType(old, type).length) out.push(forbiddenField(field, `updates may not remove a condition of type "${type}"`));
  for (const type of may === "decision" ? [] : DECIDED) {
    const [now, before] = [ofType(o, type), ofType(old, type)];
    if (now.length > before.length) out.push(forbiddenField(field, `updates may not add a condition of type "${type}"`));
    else if (now.length === before.length && !semanticallyEqual(now, before)) out.push(forbiddenField(field, `updates may not modify a condition of type "${type}"\n${goDiffOf(CONDITION, before, now)}`));
  }
  if ((o.status?.certificate ?? "") !== (old.status?.certificate ?? "")) {
    if (may !== "certificate") out.push(forbiddenField("status.certificate", "updates may not set certificate content"));
    else if (old.status?.certificate) out.push(forbiddenField("status.certificate", "updates may not modify existing certificate content"));
  }
  out.push(...validateObjectMetaUpdate(o.metadata, old.metadata, true));
}

const road = (may: May, prepare: UpdateStrategy<Request>["prepare"]): UpdateStrategy<Request> => ({
  prepare(draft, old) {
    keepField(draft, old, "spec");
    prepare(draft, old);
  },
  validate(o, old) {
    const out: Errors = [];
    validateUpdate(out, o, old, may);
    return out;
  },
});

/** The decision stays the one that was made, where it is told again. */
function keepDecision(draft: Draft<Request>, old: Request): void {
  for (const type of DECIDED) {
    const [now, before] = [(draft.status?.conditions ?? []).filter((c) => c.type === type), ofType(old, type)];
    if (now.length === before.length) now.forEach((condition, i) => Object.assign(condition, before[i]));
  }
}

function shownStatus(o: Request): string {
  const decision = has(o, "Denied") ? "Denied" : has(o, "Approved") ? "Approved" : "Pending";
  return `${decision}${has(o, "Failed") ? ",Failed" : ""}${o.status?.certificate ? ",Issued" : ""}`;
}

export const certificateSigningRequestKind: Kind<Request> = defineKind<Request>({
  resource: CERTIFICATE_SIGNING_REQUESTS,
  schema: "io.k8s.api.certificates.v1.CertificateSigningRequest",
  validateName: () => [],
  printer: {
    cells(o, now) {
      const { signerName, username, expirationSeconds } = o.spec ?? {};
      return [o.metadata.name ?? "", ageCell(o, now), signerName || "<none>", username ?? "", expirationSeconds === undefined ? "<none>" : humanDuration(expirationSeconds * 1000), shownStatus(o)];
    },
  },
  prepareCreate: (draft) => void (draft.status = {}),
  validate: (out, o) => validateRequest(out, o),
  prepareUpdate(draft, old) {
    keepField(draft, old, "spec");
    keepField(draft, old, "status");
  },
  metaOnUpdate: "own",
  validateUpdate: (out, o, old) => validateUpdate(out, o, old, "nothing"),
  subresources: {
    status: road("certificate", keepDecision),
    approval: road("decision", (draft, old) => {
      const conditions = draft.status?.conditions;
      draft.status = { ...(old.status as Draft<Request["status"]>), ...(conditions && { conditions }) };
      if (!conditions) delete draft.status.conditions;
    }),
  },
  selectableFields: { "spec.signerName": (o) => o.spec?.signerName ?? "" },
});
