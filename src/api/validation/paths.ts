/**
 * Names with a domain before them: `acme.io/foo`.
 * Follows kubernetes staging/src/k8s.io/apimachinery/pkg/util/validation/validation.go (IsDomainPrefixedPath).
 */
import { invalidValue, required } from "../field-error.ts";
import { DOMAIN_PATH_ERROR, isDns1123Subdomain, isDomainPath } from "../names.ts";
import { type Errors, reasons } from "./fields.ts";

export function validateDomainPath(out: Errors, field: string, value: string): void {
  if (value === "") return void out.push(required(field));
  const [domain = "", ...rest] = value.split("/");
  const path = rest.join("/");
  if (domain === "" || path === "") return void out.push(invalidValue(field, value, 'must be a domain-prefixed path (such as "acme.io/foo")'));
  reasons(out, field, domain, isDns1123Subdomain(domain));
  if (!isDomainPath(path)) out.push(invalidValue(field, path, DOMAIN_PATH_ERROR));
}
