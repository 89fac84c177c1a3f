/**
 * What a pod's operating system allows: options of Windows, host processes, and what belongs to the other system. No pod here runs on Windows,
 * but its manifest is judged as anywhere.
 * Follows kubernetes pkg/apis/core/validation (validateWindowsSecurityContextOptions, validateWindowsHostProcessPod, validateOS, validateLinux, validateWindows).
 */
import { forbiddenField, invalidValue, required } from "../../field-error.ts";
import type { PodSecurityContext, PodSpec, SecurityContext, WindowsSecurityContextOptions } from "../../generated/types.ts";
import { isDns1123Subdomain } from "../../names.ts";
import { type Errors, reasons, unsupported } from "../../validation/fields.ts";
import { containersWithPath } from "./visit.ts";

const CREDENTIAL_SPEC_KIB_MAX = 64;
const DOMAIN_LENGTH = 256;
const USER_LENGTH_MAX = 104;
const CONTROL_CHARACTER = /\p{Cc}/u;
const NET_BIOS = /^[^\\/:*?"<>|.][^\\/:*?"<>|]{0,14}$/;
const DNS_LABEL = "[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?";
const DNS_DOMAIN = new RegExp(`^${DNS_LABEL}(?:\\.${DNS_LABEL})*$`);
const FORBIDDEN_IN_USER = /["/\\:;|=,+*?<>@[\]]/;
const DOTS_AND_BLANKS = /^[. ]+$/;

export function validateWindowsOptions(out: Errors, field: string, options: WindowsSecurityContextOptions | undefined): void {
  const { gmsaCredentialSpecName: name, gmsaCredentialSpec: spec, runAsUserName: user } = options ?? {};
  if (name !== undefined) reasons(out, `${field}.gmsaCredentialSpecName`, name, isDns1123Subdomain(name));
  if (spec === "") out.push(invalidValue(`${field}.gmsaCredentialSpec`, spec, "gmsaCredentialSpec cannot be an empty string"));
  else if (spec !== undefined && Buffer.byteLength(spec) > CREDENTIAL_SPEC_KIB_MAX * 1024) out.push(invalidValue(`${field}.gmsaCredentialSpec`, spec, `gmsaCredentialSpec size must be under ${CREDENTIAL_SPEC_KIB_MAX} KiB`));
  if (user !== undefined) reasons(out, `${field}.runAsUserName`, user, userNameErrors(user));
}

function userNameErrors(name: string): string[] {
  if (name === "") return ["runAsUserName cannot be an empty string"];
  if (CONTROL_CHARACTER.test(name)) return ["runAsUserName cannot contain control characters"];
  const parts = name.split("\\");
  if (parts.length > 2) return ["runAsUserName cannot contain more than one backslash"];
  const user = parts.at(-1) ?? "";
  const domain = parts.length === 2 ? (parts[0] ?? "") : undefined;
  return [
    ...(domain !== undefined && Buffer.byteLength(domain) >= DOMAIN_LENGTH ? [`runAsUserName's Domain length must be under ${DOMAIN_LENGTH} characters`] : []),
    ...(domain !== undefined && !NET_BIOS.test(domain) && !DNS_DOMAIN.test(domain) ? ["runAsUserName's Domain doesn't match the NetBios nor the DNS format"] : []),
    ...(user === "" ? ["runAsUserName's User cannot be empty"] : []),
    ...(Buffer.byteLength(user) > USER_LENGTH_MAX ? [`runAsUserName's User length must not be longer than ${USER_LENGTH_MAX} characters`] : []),
    ...(DOTS_AND_BLANKS.test(user) ? ["runAsUserName's User cannot contain only periods or spaces"] : []),
    ...(FORBIDDEN_IN_USER.test(user) ? [`runAsUserName's User cannot contain the following characters: "/\\:;|=,+*?<>@[]`] : []),
  ];
}

/** A pod is of host processes whole, and on the host's network, or not at all. */
export function validateHostProcess(out: Errors, field: string, spec: PodSpec): void {
  const ofPod = spec.securityContext?.windowsOptions?.hostProcess;
  const containers = [...containersWithPath(spec, field)];
  let hostProcesses = 0;
  for (const [c, at] of containers) {
    const own = c.securityContext?.windowsOptions?.hostProcess;
    if (ofPod !== undefined && own !== undefined && own !== ofPod) {
      out.push(invalidValue(`${at}.securityContext.windowsOptions.hostProcess`, own, `pod hostProcess value must be identical if both are specified, was ${ofPod}`));
    }
    if (own ?? ofPod ?? false) hostProcesses += 1;
  }
  if (hostProcesses === 0) return;
  if (hostProcesses !== containers.length) out.push(invalidValue(field, "", "If pod contains any hostProcess containers then all containers must be HostProcess containers"));
  if (!spec.hostNetwork) out.push(invalidValue(`${field}.hostNetwork`, false, "hostNetwork must be true if pod contains any hostProcess containers"));
}

const NOT_FOR_WINDOWS = "cannot be set for a windows pod";
/** Where upstream's names differ from ours, they are those of its own type: the fields about the host are the pod's. */
const POD_FIELDS: readonly (readonly ["spec" | "securityContext", string])[] = [
  ["securityContext", "appArmorProfile"], ["securityContext", "seLinuxOptions"], ["spec", "hostUsers"], ["spec", "hostPID"], ["spec", "hostIPC"],
  ["securityContext", "seccompProfile"], ["securityContext", "fsGroup"], ["securityContext", "fsGroupChangePolicy"], ["securityContext", "sysctls"], ["spec", "shareProcessNamespace"],
  ["securityContext", "runAsUser"], ["securityContext", "runAsGroup"], ["securityContext", "supplementalGroups"], ["securityContext", "supplementalGroupsPolicy"], ["securityContext", "seLinuxChangePolicy"],
];
const CONTAINER_FIELDS: readonly (keyof SecurityContext)[] = [
  "appArmorProfile", "seLinuxOptions", "seccompProfile", "capabilities", "readOnlyRootFilesystem", "privileged", "allowPrivilegeEscalation", "procMount", "runAsUser", "runAsGroup",
];

/** Being false, these are as good as absent. */
const PLAIN_BOOLEANS = ["hostPID", "hostIPC"];

function isSet(object: PodSpec | PodSecurityContext | undefined, key: string): boolean {
  const value: unknown = object && Reflect.get(object, key);
  return PLAIN_BOOLEANS.includes(key) ? value === true : Array.isArray(value) ? value.length > 0 : value !== undefined;
}

function validateWindows(out: Errors, field: string, spec: PodSpec): void {
  for (const [place, key] of POD_FIELDS) {
    if (place === "spec" && isSet(spec, key)) out.push(forbiddenField(`${field}.${key}`, NOT_FOR_WINDOWS));
    if (place === "securityContext" && isSet(spec.securityContext, key)) out.push(forbiddenField(`${field}.securityContext.${key}`, NOT_FOR_WINDOWS));
  }
  for (const [c, at] of containersWithPath(spec, field)) {
    for (const key of CONTAINER_FIELDS) if (c.securityContext?.[key] !== undefined) out.push(forbiddenField(`${at}.securityContext.${key}`, NOT_FOR_WINDOWS));
  }
}

function validateLinux(out: Errors, field: string, spec: PodSpec): void {
  const why = "windows options cannot be set for a linux pod";
  if (spec.securityContext?.windowsOptions) out.push(forbiddenField(`${field}.securityContext.windowsOptions`, why));
  for (const [c, at] of containersWithPath(spec, field)) if (c.securityContext?.windowsOptions) out.push(forbiddenField(`${at}.securityContext.windowsOptions`, why));
}

export function validateOs(out: Errors, field: string, spec: PodSpec): void {
  const { os } = spec;
  if (!os) return;
  if (!os.name) out.push(required(`${field}.os.name`));
  else if (os.name === "linux") validateLinux(out, field, spec);
  else if (os.name === "windows") validateWindows(out, field, spec);
  else out.push(unsupported(`${field}.os`, os.name, ["linux", "windows"]));
}
