/**
 * What names, labels and their relatives may look like, in Kubernetes' words: each check returns the reasons why not, [] when it fits.
 * Follows kubernetes staging/src/k8s.io/apimachinery/pkg/util/validation/validation.go and pkg/api/validation/generic.go.
 */

const LABEL = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
const LABEL_1035 = /^[a-z]([-a-z0-9]*[a-z0-9])?$/;
const SUBDOMAIN = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const QUALIFIED_PART = /^([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$/;
const LABEL_VALUE = /^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$/;
const ENV_VAR = /^[ -<>-~]+$/;
const C_IDENTIFIER = /^[A-Za-z_][A-Za-z0-9_]*$/;
const CONFIG_KEY = /^[-._a-zA-Z0-9]+$/;
const HTTP_HEADER = /^[-A-Za-z0-9]+$/;
const DOMAIN_PATH = /^[A-Za-z0-9/\-._~%!$&'()*+,;=:]+$/;
const SYSCTL = /^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$/;

const LABEL_MAX = 63;
const SUBDOMAIN_MAX = 253;

const byteLength = (s: string): number => Buffer.byteLength(s);
/** The text of a length check in characters. */
export const maxLength = (max: number): string => `must be no more than ${max} characters`;
const maxBytes = (max: number): string => `must be no more than ${max} bytes`;
export const inclusiveRange = (low: number, high: number): string => `must be between ${low} and ${high}, inclusive`;

/** A text, its examples and its regular expression, as upstream's RegexError puts them together. */
export function regexError(text: string, pattern: string, ...examples: readonly string[]): string {
  if (examples.length === 0) return `${text} (regex used for validation is '${pattern}')`;
  const shown = examples.map((e) => `'${e}', `).join(" or ");
  return `${text} (e.g. ${shown}regex used for validation is '${pattern}')`;
}

const body = (r: RegExp): string => r.source.slice(1, -1).replaceAll("\\/", "/");

const LABEL_ERROR = regexError("a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character", body(LABEL), "my-name", "123-abc");
const LABEL_1035_ERROR = regexError("a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character", body(LABEL_1035), "my-name", "abc-123");
const SUBDOMAIN_ERROR = regexError("a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character", body(SUBDOMAIN), "example.com");
const QUALIFIED_ERROR = regexError("must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character", body(QUALIFIED_PART), "MyName", "my.name", "123-abc");
const LABEL_VALUE_ERROR = regexError("a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character", body(LABEL_VALUE), "MyValue", "my_value", "12345");
const ENV_ERROR = "a valid environment variable name must consist only of printable ASCII characters other than '='";
const CONFIG_KEY_ERROR = regexError("a valid config key must consist of alphanumeric characters, '-', '_' or '.'", body(CONFIG_KEY), "key.name", "KEY_NAME", "key-name");
const HTTP_HEADER_ERROR = regexError("a valid HTTP header must consist of alphanumeric characters or '-'", body(HTTP_HEADER), "X-Header-Name");
const C_IDENTIFIER_ERROR = regexError("a valid C identifier must start with alphabetic character or '_', followed by a string of alphanumeric characters or '_'", body(C_IDENTIFIER), "my_name", "MY_NAME", "MyName");

export function isDns1123Label(value: string): string[] {
  const errors: string[] = [];
  if (byteLength(value) > LABEL_MAX) errors.push(maxLength(LABEL_MAX));
  if (!LABEL.test(value)) errors.push(SUBDOMAIN.test(value) ? "must not contain dots" : LABEL_ERROR);
  return errors;
}

export function isDns1123Subdomain(value: string): string[] {
  const errors: string[] = [];
  if (byteLength(value) > SUBDOMAIN_MAX) errors.push(maxLength(SUBDOMAIN_MAX));
  if (!SUBDOMAIN.test(value)) errors.push(SUBDOMAIN_ERROR);
  return errors;
}

export function isDns1035Label(value: string): string[] {
  const errors: string[] = [];
  if (byteLength(value) > LABEL_MAX) errors.push(maxLength(LABEL_MAX));
  if (!LABEL_1035.test(value)) errors.push(LABEL_1035_ERROR);
  return errors;
}

const prefixed = (text: string, errors: readonly string[]): string[] => errors.map((e) => text + e);

/** Names that are known to be good: the same few stand on every object. */
const GOOD_MAX = 1024;
const good = new Set<string>();

/** `[prefix/]name`: keys of labels, annotations, conditions, resources. */
export function isQualifiedName(value: string): string[] {
  if (good.has(value)) return [];
  const errors = qualifiedNameErrors(value);
  if (errors.length === 0) {
    if (good.size >= GOOD_MAX) good.clear();
    good.add(value);
  }
  return errors;
}

function qualifiedNameErrors(value: string): string[] {
  const parts = value.split("/");
  const errors: string[] = [];
  if (parts.length > 2) {
    return [`a valid label key ${regexError("must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character", body(QUALIFIED_PART), "MyName", "my.name", "123-abc")} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`];
  }
  const name = parts[parts.length - 1] ?? "";
  if (parts.length === 2) {
    const prefix = parts[0] ?? "";
    if (prefix === "") errors.push("prefix part must be non-empty");
    else errors.push(...prefixed("prefix part ", isDns1123Subdomain(prefix)));
  }
  if (name === "") errors.push("name part must be non-empty");
  else if (byteLength(name) > LABEL_MAX) errors.push(`name part ${maxBytes(LABEL_MAX)}`);
  if (!QUALIFIED_PART.test(name)) errors.push(`name part ${QUALIFIED_ERROR}`);
  return errors;
}

export function isLabelValue(value: string): string[] {
  const errors: string[] = [];
  if (byteLength(value) > LABEL_MAX) errors.push(maxBytes(LABEL_MAX));
  if (!LABEL_VALUE.test(value)) errors.push(LABEL_VALUE_ERROR);
  return errors;
}

const hasDotDot = (value: string): string[] =>
  value === "." ? ["must not be '.'"] : value === ".." ? ["must not be '..'"] : value.startsWith("..") ? ["must not start with '..'"] : [];

export function isEnvVarName(value: string): string[] {
  return ENV_VAR.test(value) ? [] : [ENV_ERROR];
}

export function isConfigMapKey(value: string): string[] {
  const errors: string[] = [];
  if (byteLength(value) > SUBDOMAIN_MAX) errors.push(maxLength(SUBDOMAIN_MAX));
  if (!CONFIG_KEY.test(value)) errors.push(CONFIG_KEY_ERROR);
  return [...errors, ...hasDotDot(value)];
}

export const isHttpHeaderName = (value: string): string[] => (HTTP_HEADER.test(value) ? [] : [HTTP_HEADER_ERROR]);
export const isCIdentifier = (value: string): string[] => (C_IDENTIFIER.test(value) ? [] : [C_IDENTIFIER_ERROR]);
export const isSysctlName = (value: string): boolean => byteLength(value) <= SUBDOMAIN_MAX && SYSCTL.test(value);
export const SYSCTL_ERROR = "must have at most 253 characters and match regex ^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$";
export const isDomainPath = (value: string): boolean => DOMAIN_PATH.test(value);
export const DOMAIN_PATH_ERROR = `Invalid path (regex used for validation is '${body(DOMAIN_PATH)}')`;

/** `*.example.com`. */
export function isWildcardSubdomain(value: string): string[] {
  const errors: string[] = [];
  const format = `\\*\\.${body(SUBDOMAIN)}`;
  if (byteLength(value) > SUBDOMAIN_MAX) errors.push(maxLength(SUBDOMAIN_MAX));
  if (!value.startsWith("*.") || !SUBDOMAIN.test(value.slice(2))) {
    errors.push(regexError("a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character", format, "*.example.com"));
  }
  return errors;
}

/** An IANA service name: the names of ports. */
export function isValidPortName(value: string): string[] {
  const errors: string[] = [];
  if (value.length > 15) errors.push("must be no more than 15 characters");
  if (!/^[-a-z0-9]+$/.test(value)) errors.push("must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)");
  if (!/[a-z]/.test(value)) errors.push("must contain at least one letter (a-z)");
  if (value.includes("--")) errors.push("must not contain consecutive hyphens");
  if (value !== "" && (value.startsWith("-") || value.endsWith("-"))) errors.push("must not begin or end with a hyphen");
  return errors;
}

export const isValidPortNumber = (port: number): string[] => (port >= 1 && port <= 65535 ? [] : [inclusiveRange(1, 65535)]);

/** Names that stand in a URL path as they are. Follows apimachinery pkg/api/validation/path. */
export function isPathSegmentName(name: string, prefix: boolean): string[] {
  if (!prefix && name === ".") return [`may not be '.'`];
  if (!prefix && name === "..") return [`may not be '..'`];
  return ["/", "%"].filter((c) => name.includes(c)).map((c) => `may not contain '${c}'`);
}

/** How a kind checks names: `prefix` means that it is a generateName, to which a suffix will be added. */
export type NameCheck = (name: string, prefix: boolean) => readonly string[];

const maskTrailingDash = (name: string): string => (name.length > 1 && name.endsWith("-") ? `${name.slice(0, -2)}a` : name);

export const subdomainName: NameCheck = (name, prefix) => isDns1123Subdomain(prefix ? maskTrailingDash(name) : name);
export const labelName: NameCheck = (name, prefix) => isDns1123Label(prefix ? maskTrailingDash(name) : name);
export const label1035Name: NameCheck = (name, prefix) => isDns1035Label(prefix ? maskTrailingDash(name) : name);
export const pathSegmentName: NameCheck = isPathSegmentName;
