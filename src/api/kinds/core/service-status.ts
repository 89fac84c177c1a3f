/**
 * What may stand in the status of a Service.
 * Follows kubernetes pkg/apis/core/validation (ValidateLoadBalancerStatus).
 */
import { forbiddenField, invalidValue, required } from "../../field-error.ts";
import type { LoadBalancerIngress, Service } from "../../generated/types.ts";
import { isDns1123Subdomain } from "../../names.ts";
import { isIp, isValidIp } from "../../validation/addresses.ts";
import { type Errors, reasons, unsupported } from "../../validation/fields.ts";

const IP_MODES = ["Proxy", "VIP"];

function validateIngress(out: Errors, field: string, { ip, ipMode, hostname }: LoadBalancerIngress, before: readonly string[]): void {
  if (ip) isIp(out, `${field}.ip`, ip, before);
  if (ipMode === undefined) {
    if (ip) out.push(required(`${field}.ipMode`, "must be specified when `ip` is set"));
  } else if (!ip) out.push(forbiddenField(`${field}.ipMode`, "may not be specified when `ip` is not set"));
  else if (!IP_MODES.includes(ipMode)) out.push(unsupported(`${field}.ipMode`, ipMode, IP_MODES));
  if (!hostname) return;
  reasons(out, `${field}.hostname`, hostname, isDns1123Subdomain(hostname));
  if (isValidIp(hostname)) out.push(invalidValue(`${field}.hostname`, hostname, "must be a DNS name, not an IP address"));
}

/** An ingress is a load balancer's; addresses that were there before may stay. */
export function validateBalancerStatus(out: Errors, service: Service, old: Service): void {
  const ingress = service.status?.loadBalancer?.ingress ?? [];
  const field = "status.loadBalancer.ingress";
  if (service.spec.type !== "LoadBalancer" && ingress.length > 0) return void out.push(forbiddenField(field, "may only be used when `spec.type` is 'LoadBalancer'"));
  const before = (old.status?.loadBalancer?.ingress ?? []).flatMap(({ ip }) => (ip ? [ip] : []));
  ingress.forEach((entry, i) => validateIngress(out, `${field}[${i}]`, entry, before));
}
