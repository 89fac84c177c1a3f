/**
 * Addresses and address ranges in fields. Lenient about leading zeros, as upstream still is for old fields.
 * Follows kubernetes staging/src/k8s.io/apimachinery/pkg/util/validation/ip.go.
 */
import { isIPv4, isIPv6 } from "node:net";
import { invalidValue } from "../field-error.ts";
import type { Errors } from "./fields.ts";

const IP_ERROR = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)";
const CIDR_ERROR = "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)";

/** Without the leading zeros of IPv4 octets that Go's old parser took. */
const sloppy = (ip: string): string => (/^\d+(\.\d+){3}$/.test(ip) ? ip.split(".").map((n) => String(Number(n))).join(".") : ip);

export const isValidIp = (ip: string): boolean => isIPv4(sloppy(ip)) || (isIPv6(ip) && !ip.includes("%"));
export const familyOf = (ip: string): "IPv4" | "IPv6" | undefined => (isIPv4(sloppy(ip)) ? "IPv4" : isValidIp(ip) ? "IPv6" : undefined);

export function isIp(out: Errors, field: string, ip: string): boolean {
  if (isValidIp(ip)) return true;
  out.push(invalidValue(field, ip, IP_ERROR));
  return false;
}

export function isValidCidr(cidr: string): boolean {
  const [ip = "", bits = "", ...rest] = cidr.split("/");
  const family = familyOf(ip);
  return family !== undefined && rest.length === 0 && /^\d+$/.test(bits) && Number(bits) <= (family === "IPv4" ? 32 : 128);
}

export function isCidr(out: Errors, field: string, cidr: string): void {
  if (!isValidCidr(cidr)) out.push(invalidValue(field, cidr, CIDR_ERROR));
}

const SPECIAL: readonly (readonly [RegExp, (ip: string) => string])[] = [
  [/^(0\.0\.0\.0|::)$/, (ip) => `may not be unspecified (${ip})`],
  [/^(127\..*|::1)$/, () => "may not be in the loopback range (127.0.0.0/8, ::1/128)"],
  [/^(169\.254\..*|fe[89ab].:.*)$/i, () => "may not be in the link-local range (169.254.0.0/16, fe80::/10)"],
  [/^(224\.0\.0\..*|ff02:.*)$/i, () => "may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)"],
];

/** Addresses that mean something only on one machine are no endpoints. Follows ValidateNonSpecialIP. */
export function isNonSpecialIp(out: Errors, field: string, ip: string): void {
  if (!isValidIp(ip)) return void out.push(invalidValue(field, ip, "must be a valid IP address"));
  for (const [pattern, text] of SPECIAL) if (pattern.test(sloppy(ip))) out.push(invalidValue(field, ip, text(ip)));
}
