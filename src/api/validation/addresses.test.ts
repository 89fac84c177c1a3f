import { describe, expect, test } from "vitest";
import type { FieldError } from "../field-error.ts";
import { canonicalIp, cidrWarnings, familyOf, addressWarnings, isCidr, isIp, isNonSpecialIp } from "./addresses.ts";

const why = (check: (out: FieldError[]) => void): string => {
  const out: FieldError[] = [];
  check(out);
  return out.map((e) => e.message.replace(/^Invalid value: "[^"]*": /, "")).join("; ");
};

describe("an address", () => {
  test.each([
    { ip: "10.0.0.1", canonical: "10.0.0.1", family: "IPv4", error: "", warns: false },
    { ip: "010.0.0.1", canonical: "10.0.0.1", family: "IPv4", error: "must not have leading 0s", warns: true },
    { ip: "::ffff:1.2.3.4", canonical: "1.2.3.4", family: "IPv4", error: "must not be an IPv4-mapped IPv6 address", warns: true },
    { ip: "2001:DB8:0::1", canonical: "2001:db8::1", family: "IPv6", error: "", warns: true },
    { ip: "fe80::1%eth0", canonical: undefined, family: undefined, error: "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)", warns: false },
  ])("$ip is read as $canonical", ({ ip, canonical, family, error, warns }) => {
    expect([canonicalIp(ip), familyOf(ip), why((out) => isIp(out, "f", ip)), addressWarnings("f", ip).length > 0]).toEqual([canonical, family, error, warns]);
    expect(why((out) => isIp(out, "f", ip, [ip]))).toBe("");
  });

  test.each([
    { ip: "0:0:0:0:0:0:0:1", want: "may not be in the loopback range (127.0.0.0/8, ::1/128)" },
    { ip: "0.0.0.0", want: "may not be unspecified (0.0.0.0)" },
    { ip: "10.0.0.1", want: "" },
  ])("$ip is special: $want", ({ ip, want }) => {
    expect(why((out) => isNonSpecialIp(out, "f", ip))).toBe(want);
  });

  test.each([
    { cidr: "10.0.0.0/24", error: "", warnings: [] },
    { cidr: "10.0.0.5/24", error: "must not have bits set beyond the prefix length", warnings: ['f: CIDR value "10.0.0.5/24" is ambiguous in this context (should be "10.0.0.0/24" or "10.0.0.5/32"?)'] },
    { cidr: "010.0.0.0/8", error: "must not have leading 0s in IP or prefix length", warnings: ['f: non-standard CIDR value "010.0.0.0/8" is invalid: use "10.0.0.0/8"'] },
    { cidr: "::ffff:10.0.0.0/104", error: "must not have an IPv4-mapped IPv6 address", warnings: ['f: non-standard CIDR value "::ffff:10.0.0.0/104" is invalid: use "10.0.0.0/8"'] },
    { cidr: "2001:DB8::/32", error: "", warnings: ['f: IPv6 CIDR value "2001:DB8::/32" should be in RFC 5952 canonical format ("2001:db8::/32")'] },
    { cidr: "10.0.0.0/33", error: "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)", warnings: [] },
  ])("range $cidr: $error", ({ cidr, error, warnings }) => {
    expect(why((out) => isCidr(out, "f", cidr))).toBe(error);
    expect(cidrWarnings("f", cidr)).toEqual(warnings);
  });
});
