/**
 * Who asks for a certificate, and when its conditions were set: not what the client says, but what the server knows.
 * Follows kubernetes pkg/registry/certificates/certificates/strategy.go (PrepareForCreate, populateConditionTimestamps).
 */
import type { Clock } from "../base/clock.ts";
import type { CertificateSigningRequest } from "../api/generated/types.ts";
import type { Draft } from "../api/kinds/kind.ts";
import type { UserInfo } from "../api/request.ts";
import { CERTIFICATE_SIGNING_REQUESTS } from "../api/resource.ts";
import { formatTime } from "../api/time.ts";
import { concerns, type AdmissionPlugin } from "../registry/admission.ts";

function setRequester(spec: Draft<CertificateSigningRequest>["spec"], { name, uid, groups, extra }: UserInfo): void {
  for (const key of ["username", "uid", "groups", "extra"] as const) delete spec[key];
  if (name !== "") spec.username = name;
  if (uid !== undefined && uid !== "") spec.uid = uid;
  if (groups.length > 0) spec.groups = [...groups];
  if (extra && Object.keys(extra).length > 0) spec.extra = Object.fromEntries(Object.entries(extra).map(([key, values]) => [key, [...values]]));
}

function setTimes(draft: Draft<CertificateSigningRequest>, old: CertificateSigningRequest, now: string): void {
  for (const condition of draft.status?.conditions ?? []) {
    condition.lastUpdateTime ??= now;
    const before = old.status?.conditions?.find((c) => c.type === condition.type && c.status === condition.status && c.lastTransitionTime);
    condition.lastTransitionTime ??= before?.lastTransitionTime ?? now;
  }
}

export const certificateRequests = (clock: Clock): AdmissionPlugin => ({
  name: "CertificateSigningRequest",
  mutate(draft, context) {
    const request = draft as Draft<CertificateSigningRequest>;
    if (concerns(context, CERTIFICATE_SIGNING_REQUESTS, "CREATE")) setRequester((request.spec ??= { request: "", signerName: "" }), context.user);
    else if (context.subresource !== "" && concerns({ ...context, subresource: "" }, CERTIFICATE_SIGNING_REQUESTS, "UPDATE")) setTimes(request, context.old as CertificateSigningRequest, formatTime(clock.now()));
  },
});
