/**
 * Environment variables of containers and where their values come from.
 * Follows kubernetes pkg/apis/core/validation (ValidateEnv, ValidateEnvFrom, validateObjectFieldSelector).
 */
import { table } from "../../../base/own.ts";
import { invalidValue, required } from "../../field-error.ts";
import type { EnvFromSource, EnvVar, EnvVarSource, ObjectFieldSelector, ResourceFieldSelector } from "../../generated/types.ts";
import { isConfigMapKey, isDns1123Label, isEnvVarName, isQualifiedName, subdomainName } from "../../names.ts";
import { canonicalQuantity, quantitySign } from "../../quantity.ts";
import { type Errors, reasons, unsupported } from "../../validation/fields.ts";
import { validateNoBacksteps } from "./paths.ts";

const ENV_FIELDS = ["metadata.name", "metadata.namespace", "metadata.uid", "spec.nodeName", "spec.serviceAccountName", "status.hostIP", "status.hostIPs", "status.podIP", "status.podIPs"];
export const VOLUME_FIELDS = ["metadata.annotations", "metadata.labels", "metadata.name", "metadata.namespace", "metadata.uid"];
/** What the conversion of a field path knows at all; fewer are allowed in each place. */
const KNOWN_FIELDS = new Set([...ENV_FIELDS, ...VOLUME_FIELDS, "spec.restartPolicy", "spec.schedulerName", "status.phase", "spec.host"]);
const RESOURCES = ["limits.cpu", "limits.ephemeral-storage", "limits.memory", "requests.cpu", "requests.ephemeral-storage", "requests.memory"];
const HUGE_PAGES = /^(requests|limits)\.hugepages-/;
const BYTE_DIVISORS = ["1", "1k", "1M", "1G", "1T", "1P", "1E", "1Ki", "1Mi", "1Gi", "1Ti", "1Pi", "1Ei"];
const ONE_AT_A_TIME = "may not have more than one field specified at a time";

export function validateEnv(out: Errors, field: string, env: readonly EnvVar[] | undefined): void {
  (env ?? []).forEach((variable, i) => {
    const at = `${field}[${i}]`;
    if (!variable.name) out.push(required(`${at}.name`));
    else reasons(out, `${at}.name`, variable.name, isEnvVarName(variable.name));
    if (variable.valueFrom) validateValueFrom(out, `${at}.valueFrom`, variable.value ?? "", variable.valueFrom);
  });
}

function validateValueFrom(out: Errors, field: string, value: string, from: EnvVarSource): void {
  let sources = 0;
  if (from.fieldRef) {
    sources += 1;
    validateFieldRef(out, `${field}.fieldRef`, from.fieldRef, ENV_FIELDS);
  }
  if (from.resourceFieldRef) {
    sources += 1;
    validateResourceFieldRef(out, `${field}.resourceFieldRef`, from.resourceFieldRef, false);
  }
  for (const key of ["configMapKeyRef", "secretKeyRef"] as const) {
    const ref = from[key];
    if (!ref) continue;
    sources += 1;
    validateKeyRef(out, `${field}.${key}`, ref.name ?? "", ref.key ?? "");
  }
  if (from.fileKeyRef) {
    sources += 1;
    const { volumeName, path, key } = from.fileKeyRef;
    if (!key) out.push(required(`${field}.fileKeyRef.key`));
    else reasons(out, `${field}.fileKeyRef.key`, key, isEnvVarName(key));
    if (!volumeName) out.push(required(`${field}.fileKeyRef.volumeName`));
    else reasons(out, `${field}.fileKeyRef.volumeName`, volumeName, isDns1123Label(volumeName));
    if (!path) out.push(required(`${field}.fileKeyRef.path`));
    else validateNoBacksteps(out, `${field}.fileKeyRef.path`, path);
  }
  if (sources === 0) out.push(invalidValue(field, "", "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`"));
  else if (value !== "") out.push(invalidValue(field, "", "may not be specified when `value` is not empty"));
  else if (sources > 1) out.push(invalidValue(field, "", ONE_AT_A_TIME));
}

function validateKeyRef(out: Errors, field: string, name: string, key: string): void {
  reasons(out, `${field}.name`, name, subdomainName(name, false));
  if (key === "") out.push(required(`${field}.key`));
  else reasons(out, `${field}.key`, key, isConfigMapKey(key));
}

const SUBSCRIPT = /^(.+?)\['(.*)'\]$/;

export function validateFieldRef(out: Errors, field: string, ref: ObjectFieldSelector, allowed: readonly string[]): void {
  if (!ref.apiVersion) return void out.push(required(`${field}.apiVersion`));
  if (!ref.fieldPath) return void out.push(required(`${field}.fieldPath`));
  const unconvertible = (why: string) => out.push(invalidValue(`${field}.fieldPath`, ref.fieldPath, `error converting fieldPath: ${why}`));
  if (ref.apiVersion !== "v1") return void unconvertible(`unsupported pod version: ${ref.apiVersion}`);
  const [, path, subscript] = SUBSCRIPT.exec(ref.fieldPath) ?? [];
  if (path !== undefined && subscript !== undefined) {
    if (path === "metadata.annotations") reasons(out, field, subscript.toLowerCase(), isQualifiedName(subscript.toLowerCase()));
    else if (path === "metadata.labels") reasons(out, field, subscript, isQualifiedName(subscript));
    else unconvertible(`field label does not support subscript: ${ref.fieldPath}`);
    return;
  }
  if (!KNOWN_FIELDS.has(ref.fieldPath)) return void unconvertible(`field label not supported: ${ref.fieldPath}`);
  const converted = ref.fieldPath === "spec.host" ? "spec.nodeName" : ref.fieldPath;
  if (!allowed.includes(converted)) out.push(unsupported(`${field}.fieldPath`, converted, allowed));
}

export function validateResourceFieldRef(out: Errors, field: string, ref: ResourceFieldSelector, inVolume: boolean): void {
  const resource = ref.resource ?? "";
  if (inVolume && !ref.containerName) out.push(required(`${field}.containerName`));
  else if (resource === "") out.push(required(`${field}.resource`));
  else if (!RESOURCES.includes(resource) && !HUGE_PAGES.test(resource)) out.push(unsupported(`${field}.resource`, resource, RESOURCES));
  validateDivisor(out, `${field}.divisor`, resource, ref.divisor);
}

const DIVISOR_OF: Readonly<Record<string, string>> = table({ memory: "memory", "ephemeral-storage": "local ephemeral storage" });

function validateDivisor(out: Errors, field: string, resource: string, divisor: string | number | undefined): void {
  if (divisor === undefined || quantitySign(divisor) === 0) return;
  const shown = canonicalQuantity(divisor);
  const kind = resource.replace(/^(limits|requests)\./, "");
  if (kind === "cpu" && shown !== "1m" && shown !== "1") out.push(invalidValue(field, resource, "only divisor's values 1m and 1 are supported with the cpu resource"));
  const name = DIVISOR_OF[kind] ?? (HUGE_PAGES.test(resource) ? "hugepages" : undefined);
  if (name !== undefined && !BYTE_DIVISORS.includes(shown)) out.push(invalidValue(field, resource, `only divisor's values ${BYTE_DIVISORS.join(", ")} are supported with the ${name} resource`));
}

export function validateEnvFrom(out: Errors, field: string, sources: readonly EnvFromSource[] | undefined): void {
  (sources ?? []).forEach((source, i) => {
    const at = `${field}[${i}]`;
    if (source.prefix) reasons(out, `${at}.prefix`, source.prefix, isEnvVarName(source.prefix));
    let count = 0;
    for (const key of ["configMapRef", "secretRef"] as const) {
      const ref = source[key];
      if (!ref) continue;
      count += 1;
      if (!ref.name) out.push(required(`${at}.${key}.name`));
      else reasons(out, `${at}.${key}.name`, ref.name, subdomainName(ref.name, true));
    }
    if (count === 0) out.push(invalidValue(field, "", "must specify one of: `configMapRef` or `secretRef`"));
    else if (count > 1) out.push(invalidValue(field, "", ONE_AT_A_TIME));
  });
}
