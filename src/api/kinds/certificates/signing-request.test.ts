import { describe, expect, test } from "vitest";
import { LEAST } from "../../../../test/fuzz/generate.ts";
import { kindFor, stored, tryCreate, tryUpdate } from "../testing.ts";

const kind = kindFor("certificates.k8s.io/v1", "CertificateSigningRequest");
const least = { metadata: { name: "r" }, ...LEAST["CertificateSigningRequest"] } as { readonly metadata: object; readonly spec: { readonly request: string } };
const asked = (spec: object = {}) => ({ ...least, spec: { ...least.spec, ...spec } });
const condition = (type: string, more: object = {}) => ({ type, status: "True", ...more });
/** The last but two bytes of what is signed and how, changed. */
const spoilt = (request: string): string => Buffer.from(Buffer.from(request, "base64").toString().replace(/(..)(...)(=*)\n(-----END)/, (_all, kept: string, _three: string, pad: string, end: string) => `${kept}AAA${pad}\n${end}`)).toString("base64");

describe("create refuses", () => {
  test.each([
    { name: "what is no request", spec: { request: "bm9uZQ==" }, want: ['spec.request: Invalid value: "bm9uZQ==": PEM block type must be CERTIFICATE REQUEST'] },
    { name: "a request that another key has signed", spec: { request: spoilt(least.spec.request) }, want: [expect.stringMatching(/^spec.request: Invalid value: .*: x509: ECDSA verification failure$/)] },
    { name: "a signer without a domain", spec: { signerName: "a/b" }, want: ['spec.signerName: Invalid value: "a": should be a domain with at least two segments separated by dots'] },
    { name: "less than ten minutes", spec: { expirationSeconds: 10 }, want: ["spec.expirationSeconds: Invalid value: 10: may not specify a duration less than 600 seconds (10 minutes)"] },
    { name: "a use twice", spec: { usages: ["any", "any"] }, want: ['spec.usages[1]: Duplicate value: "any"'] },
  ])("$name", ({ spec, want }) => {
    expect(tryCreate(kind, asked(spec)).errors).toEqual(want);
  });
});

test("a decision is made through approval only, once, and the certificate is set through status only", () => {
  const old = stored(kind, asked());
  const by = (subresource: string, status: object) => tryUpdate(kind, old, (draft) => Object.assign(draft, { status }), subresource);
  expect(by("approval", { conditions: [condition("Approved")] }).errors).toEqual([]);
  expect(by("status", { conditions: [condition("Approved")] }).errors).toEqual(['status.conditions: Forbidden: updates may not add a condition of type "Approved"']);
  expect(by("approval", { certificate: "bm9uZQ==" }).object).not.toMatchObject({ status: { certificate: expect.anything() } });
  expect(by("status", { certificate: "bm9uZQ==" }).errors).toEqual(['status.certificate: Invalid value: "<certificate data>": must contain at least one CERTIFICATE PEM block']);
  expect(by("approval", { conditions: [condition("Approved"), condition("Denied")] }).errors).toEqual(['status.conditions: Invalid value: "Denied": Approved and Denied conditions are mutually exclusive']);
});
