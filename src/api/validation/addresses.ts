/**
 * Addresses and address ranges in fields. Two spellings that Go's old parser took are told apart from what is no address at all.
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

/** An IPv4 address written as an IPv6 one. */
const isMapped = (ip: string): boolean => isIPv6(ip) && canonicalIpv6(ip).startsWith("::ffff:") && /^::ffff:[\da-f]{1,4}:[\da-f]{1,4}$/.test(canonicalIpv6(ip));

/** As RFC 5952 has it, but mapped IPv4 addresses in hexadecimal too. */
const canonicalIpv6 = (ip: string): string => new URL(`http://[${ip}]/`).hostname.slice(1, -1);

/** Returns whether it is an address. `old`: addresses that are there already are taken as they are. Follows IsValidIPForLegacyField. */
export function isIp(out: Errors, field: string, ip: string, old: readonly string[] = []): boolean {
  if (old.includes(ip)) return true;
  if (!isValidIp(ip)) {
    out.push(invalidValue(field, ip, IP_ERROR));
    return false;
  }
  const before = out.length;
  if (!isIPv4(ip) && !isIPv6(ip)) out.push(invalidValue(field, ip, "must not have leading 0s"));
  if (isMapped(ip)) out.push(invalidValue(field, ip, "must not be an IPv4-mapped IPv6 address"));
  return out.length === before;
}

/** The address is one, but not written as others write it. Follows GetWarningsForIP. */
export function addressWarnings(field: string, ip: string | undefined): string[] {
  if (ip === undefined || !isValidIp(ip)) return [];
  if (isIPv4(ip)) return [];
  if (!isIPv6(ip)) return [`${field}: non-standard IP address ${JSON.stringify(ip)} is invalid: use ${JSON.stringify(sloppy(ip))}`];
  const canonical = canonicalIpv6(ip);
  if (isMapped(ip)) {
    const [high = 0, low = 0] = canonical.slice("::ffff:".length).split(":").map((part) => Number.parseInt(part, 16));
    return [`${field}: non-standard IP address ${JSON.stringify(ip)} is invalid: use "${high >> 8}.${high & 255}.${low >> 8}.${low & 255}"`];
  }
  return canonical === ip ? [] : [`${field}: IPv6 address ${JSON.stringify(ip)} should be in RFC 5952 canonical format (${JSON.stringify(canonical)})`];
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
