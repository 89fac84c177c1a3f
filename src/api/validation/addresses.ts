/**
 * Addresses and address ranges in fields. Octets with leading zeros and IPv4 in an IPv6 address are read, to be refused (or warned of) by name;
 * what an object had before is left alone.
 * Follows kubernetes staging/src/k8s.io/apimachinery/pkg/util/validation/ip.go and pkg/apis/core/validation (ValidateEndpointIP).
 */
import { isIPv4, isIPv6 } from "node:net";
import { goQuote } from "../go-quote.ts";
import { invalidValue } from "../field-error.ts";
import type { Errors } from "./fields.ts";

const IP_ERROR = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)";
const CIDR_ERROR = "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)";

const MAPPED = /^::ffff:(?:(\d+\.\d+\.\d+\.\d+)|([0-9a-f]{1,4}):([0-9a-f]{1,4}))$/;

/** Without the leading zeros of IPv4 octets that Go's old parser took. */
const sloppy = (ip: string): string => (/^\d+(\.\d+){3}$/.test(ip) ? ip.split(".").map((n) => String(Number(n))).join(".") : ip);

/** IPv6 as RFC 5952 wants it. */
const shortest = (ip: string): string => new URL(`http://[${ip}]`).hostname.slice(1, -1);

/** The IPv4 address within an IPv6 one, `::ffff:10.0.0.1`. */
function mapped(ip: string): string | undefined {
  const [found, dotted, high = "", low = ""] = MAPPED.exec(shortest(ip)) ?? [];
  if (found === undefined) return undefined;
  return dotted ?? [high, low].flatMap((part) => [Number.parseInt(part, 16) >> 8, Number.parseInt(part, 16) & 255]).join(".");
}

const isIpv6Text = (ip: string): boolean => isIPv6(ip) && !ip.includes("%");

/** As Go prints it; undefined where it is none. */
export function canonicalIp(ip: string): string | undefined {
  if (isIPv4(sloppy(ip))) return sloppy(ip);
  return isIpv6Text(ip) ? (mapped(ip) ?? shortest(ip)) : undefined;
}

export const isValidIp = (ip: string): boolean => canonicalIp(ip) !== undefined;

export function familyOf(ip: string): "IPv4" | "IPv6" | undefined {
  const canonical = canonicalIp(ip);
  return canonical === undefined ? undefined : isIPv4(canonical) ? "IPv4" : "IPv6";
}

/** Whether the field's address is one that may be set. `before`: what the field had; that may stay. Follows IsValidIPForLegacyField. */
export function isIp(out: Errors, field: string, ip: string, before: readonly string[] = []): boolean {
  if (before.includes(ip)) return true;
  const problem = !isValidIp(ip) ? IP_ERROR : isIPv4(sloppy(ip)) ? (sloppy(ip) === ip ? undefined : "must not have leading 0s") : mapped(ip) !== undefined ? "must not be an IPv4-mapped IPv6 address" : undefined;
  if (problem !== undefined) out.push(invalidValue(field, ip, problem));
  return problem === undefined;
}

/** The same for fields that never took another form. Follows IsValidIP. */
export function isCanonicalIp(out: Errors, field: string, ip: string): boolean {
  if (!isIp(out, field, ip)) return false;
  const canonical = canonicalIp(ip) ?? "";
  if (canonical !== ip) out.push(invalidValue(field, ip, `must be in canonical form (${goQuote(canonical)})`));
  return canonical === ip;
}

interface Range {
  readonly ip: string;
  readonly family: "IPv4" | "IPv6";
  readonly bits: number;
  /** The network's own address, with its length. */
  readonly network: string;
  readonly isNetwork: boolean;
  readonly isSloppy: boolean;
  readonly isMapped: boolean;
}

const toBits = (ip: string): bigint => {
  if (isIPv4(ip)) return ip.split(".").reduce((n, part) => n * 256n + BigInt(part), 0n);
  const [head = "", tail] = ip.split("::");
  const parts = (text: string) => text.split(":").filter((p) => p !== "");
  const after = tail === undefined ? [] : parts(tail);
  const before = parts(head);
  return [...before, ...Array.from({ length: 8 - before.length - after.length }, () => "0"), ...after].reduce((n, part) => n * 65536n + BigInt(`0x${part}`), 0n);
};

function fromBits(bits: bigint, family: "IPv4" | "IPv6"): string {
  const [count, size] = family === "IPv4" ? [4, 8n] : [8, 16n];
  const parts = Array.from({ length: count }, (_, i) => (bits >> (BigInt(count - 1 - i) * size)) & ((1n << size) - 1n));
  return family === "IPv4" ? parts.join(".") : shortest(parts.map((p) => p.toString(16)).join(":"));
}

function rangeOf(cidr: string): Range | undefined {
  const [ip = "", length = "", ...rest] = cidr.split("/");
  const canonical = canonicalIp(ip);
  const family = familyOf(ip);
  if (canonical === undefined || family === undefined || rest.length > 0 || !/^\d+$/.test(length)) return undefined;
  const isMapped = isIpv6Text(ip) && family === "IPv4";
  const bits = Number(length) - (isMapped ? 96 : 0);
  const width = family === "IPv4" ? 32 : 128;
  if (bits < 0 || bits > width) return undefined;
  const host = BigInt(width - bits);
  const base = (toBits(canonical) >> host) << host;
  const isSloppy = (!isMapped && sloppy(ip) !== ip) || String(Number(length)) !== length;
  return { ip: canonical, family, bits, network: `${fromBits(base, family)}/${bits}`, isNetwork: base === toBits(canonical), isSloppy, isMapped };
}

export const isValidCidr = (cidr: string): boolean => rangeOf(cidr) !== undefined;

/** Whether the field's range is one that may be set, as with `isIp`. Follows IsValidCIDRForLegacyField. */
export function isCidr(out: Errors, field: string, cidr: string, before: readonly string[] = []): void {
  if (before.includes(cidr)) return;
  const range = rangeOf(cidr);
  if (!range) out.push(invalidValue(field, cidr, CIDR_ERROR));
  else if (range.isSloppy) out.push(invalidValue(field, cidr, "must not have leading 0s in IP or prefix length"));
  else if (range.isMapped) out.push(invalidValue(field, cidr, "must not have an IPv4-mapped IPv6 address"));
  else if (!range.isNetwork) out.push(invalidValue(field, cidr, "must not have bits set beyond the prefix length"));
}

/** The same for fields that never took another form. Follows IsValidCIDR. */
export function isCanonicalCidr(out: Errors, field: string, cidr: string): void {
  const known = out.length;
  isCidr(out, field, cidr);
  const range = rangeOf(cidr);
  if (out.length === known && range && range.network !== cidr) out.push(invalidValue(field, cidr, `must be in canonical form (${goQuote(range.network)})`));
}

export const familyOfCidr = (cidr: string): "IPv4" | "IPv6" | undefined => rangeOf(cidr)?.family;

/** Whether `inner` is a smaller range within `outer`. */
export function isStrictSubset(inner: string, outer: string): boolean {
  const [a, b] = [rangeOf(inner), rangeOf(outer)];
  if (!a || !b || a.family !== b.family || a.bits <= b.bits) return false;
  const host = BigInt((a.family === "IPv4" ? 32 : 128) - b.bits);
  return toBits(a.ip) >> host === toBits(b.ip) >> host;
}

const SPECIAL: readonly (readonly [RegExp, (ip: string) => string])[] = [
  [/^(0\.0\.0\.0|::)$/, (ip) => `may not be unspecified (${ip})`],
  [/^(127\..*|::1)$/, () => "may not be in the loopback range (127.0.0.0/8, ::1/128)"],
  [/^(169\.254\..*|fe[89ab].:.*)$/, () => "may not be in the link-local range (169.254.0.0/16, fe80::/10)"],
  [/^(224\.0\.0\..*|ff02:.*)$/, () => "may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)"],
];

/** Addresses that mean something only on one machine are no endpoints. */
export function isNonSpecialIp(out: Errors, field: string, ip: string): void {
  const canonical = canonicalIp(ip);
  if (canonical === undefined) return void out.push(invalidValue(field, ip, "must be a valid IP address"));
  for (const [pattern, text] of SPECIAL) if (pattern.test(canonical)) out.push(invalidValue(field, ip, text(ip)));
}

/** What is said of an address that is taken but not as it should be written. Follows GetWarningsForIP. */
export function addressWarnings(field: string, ip: string | undefined): readonly string[] {
  const canonical = ip === undefined ? undefined : canonicalIp(ip);
  if (ip === undefined || canonical === undefined || canonical === ip) return [];
  if (familyOf(ip) === "IPv4") return [`${field}: non-standard IP address ${goQuote(ip)} is invalid: use ${goQuote(canonical)}`];
  return [`${field}: IPv6 address ${goQuote(ip)} should be in RFC 5952 canonical format (${goQuote(canonical)})`];
}

/** The same for ranges. Follows GetWarningsForCIDR. */
export function cidrWarnings(field: string, cidr: string): readonly string[] {
  const range = rangeOf(cidr);
  if (!range) return [];
  const { ip, family, bits, network, isNetwork, isSloppy, isMapped } = range;
  const warnings: string[] = [];
  if (!isNetwork) warnings.push(`${field}: CIDR value ${goQuote(cidr)} is ambiguous in this context (should be ${goQuote(network)} or ${goQuote(`${ip}/${family === "IPv4" ? 32 : 128}`)}?)`);
  if (isSloppy || isMapped) warnings.push(`${field}: non-standard CIDR value ${goQuote(cidr)} is invalid: use ${goQuote(network)}`);
  else if (warnings.length === 0 && family === "IPv6" && `${ip}/${bits}` !== cidr) warnings.push(`${field}: IPv6 CIDR value ${goQuote(cidr)} should be in RFC 5952 canonical format (${goQuote(`${ip}/${bits}`)})`);
  return warnings;
}
