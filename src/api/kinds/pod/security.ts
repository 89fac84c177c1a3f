/**
 * Security contexts of pods and containers.
 * Follows kubernetes pkg/apis/core/validation (ValidateSecurityContext, validatePodSpecSecurityContext).
 */
import { duplicate, forbiddenField, invalidValue, required, tooLong } from "../../field-error.ts";
import type { AppArmorProfile, PodSecurityContext, PodSpec, SeccompProfile, SecurityContext } from "../../generated/types.ts";
import { inclusiveRange, isSysctlName, SYSCTL_ERROR } from "../../names.ts";
import { type Errors, unsupported } from "../../validation/fields.ts";
import { goSpelled } from "../go-spelling.ts";
import { validateDescendingPath } from "./paths.ts";
import { containersWithPath } from "./visit.ts";
import { validateWindowsOptions } from "./windows.ts";

const ID_MAX = 2 ** 31 - 1;
const PROFILE_TYPES = ["Localhost", "RuntimeDefault", "Unconfined"];
const APPARMOR_PROFILE_BYTES_MAX = 4095;
const SCHEMA = "io.k8s.api.core.v1.SecurityContext";

function validateId(out: Errors, field: string, id: number | undefined): void {
  if (id !== undefined && (id < 0 || id > ID_MAX)) out.push(invalidValue(field, id, inclusiveRange(0, ID_MAX)));
}

function validateSeccomp(out: Errors, field: string, profile: SeccompProfile | undefined): void {
  if (!profile) return;
  if (!profile.type) out.push(required(`${field}.type`, "type is required when seccompProfile is set"));
  else if (!PROFILE_TYPES.includes(profile.type)) out.push(unsupported(`${field}.type`, profile.type, PROFILE_TYPES));
  const local = profile.localhostProfile;
  if (profile.type !== "Localhost") {
    if (local !== undefined) out.push(invalidValue(`${field}.localhostProfile`, goSpelled("io.k8s.api.core.v1.SeccompProfile", profile), "can only be set when seccomp type is Localhost"));
  } else if (local === undefined) out.push(required(`${field}.localhostProfile`, "must be set when seccomp type is Localhost"));
  else validateDescendingPath(out, `${field}.localhostProfile`, local);
}

export function validateAppArmor(out: Errors, field: string, profile: AppArmorProfile | undefined): void {
  if (!profile) return;
  const local = profile.localhostProfile;
  if (!profile.type) out.push(required(`${field}.type`, "type is required when appArmorProfile is set"));
  else if (!PROFILE_TYPES.includes(profile.type)) out.push(unsupported(`${field}.type`, profile.type, PROFILE_TYPES));
  else if (profile.type !== "Localhost") {
    if (local !== undefined) out.push(invalidValue(`${field}.localhostProfile`, local, "can only be set when AppArmor type is Localhost"));
  } else if (local === undefined) out.push(required(`${field}.localhostProfile`, "must be set when AppArmor type is Localhost"));
  else validateAppArmorName(out, `${field}.localhostProfile`, local);
}

function validateAppArmorName(out: Errors, field: string, name: string): void {
  if (name.trim() !== name) out.push(invalidValue(field, name, "must not be padded with whitespace"));
  else if (name === "") out.push(required(field, "must be set when AppArmor type is Localhost"));
  if (Buffer.byteLength(name) > APPARMOR_PROFILE_BYTES_MAX) out.push(tooLong(field, APPARMOR_PROFILE_BYTES_MAX));
}

export function validateSecurityContext(out: Errors, field: string, sc: SecurityContext | undefined, hostUsers: boolean): void {
  if (!sc) return;
  validateId(out, `${field}.runAsUser`, sc.runAsUser);
  validateId(out, `${field}.runAsGroup`, sc.runAsGroup);
  if (sc.procMount !== undefined) {
    if (sc.procMount !== "Default" && sc.procMount !== "Unmasked") out.push(unsupported(`${field}.procMount`, sc.procMount, ["Default", "Unmasked"]));
    if (hostUsers && sc.procMount === "Unmasked") out.push(invalidValue(`${field}.procMount`, sc.procMount, "`hostUsers` must be false to use `Unmasked`"));
  }
  validateSeccomp(out, `${field}.seccompProfile`, sc.seccompProfile);
  if (sc.allowPrivilegeEscalation === false) {
    if (sc.privileged === true) out.push(invalidValue(field, goSpelled(SCHEMA, sc), "cannot set `allowPrivilegeEscalation` to false and `privileged` to true"));
    for (const capability of sc.capabilities?.add ?? []) {
      if (capability === "CAP_SYS_ADMIN") out.push(invalidValue(field, goSpelled(SCHEMA, sc), "cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN"));
    }
  }
  validateWindowsOptions(out, `${field}.windowsOptions`, sc.windowsOptions);
  validateAppArmor(out, `${field}.appArmorProfile`, sc.appArmorProfile);
}

const NET_SYSCTLS = /^net[./]/;
const IPC_SYSCTLS = /^(kernel[./](shm|msg|sem)|fs[./]mqueue[./])/;

function validateSysctls(out: Errors, field: string, sc: PodSecurityContext, spec: PodSpec): void {
  const names = new Set<string>();
  (sc.sysctls ?? []).forEach(({ name }, i) => {
    const at = `${field}[${i}].name`;
    if (name === "") out.push(required(at));
    else if (!isSysctlName(name)) out.push(invalidValue(at, name, SYSCTL_ERROR));
    else if (names.has(name)) out.push(duplicate(at, name));
    if (spec.hostNetwork && NET_SYSCTLS.test(name)) out.push(invalidValue(at, name, "may not be specified when 'hostNetwork' is true"));
    else if (spec.hostIPC && IPC_SYSCTLS.test(name)) out.push(invalidValue(at, name, "may not be specified when 'hostIPC' is true"));
    names.add(name);
  });
}

function oneOf(out: Errors, field: string, value: string | undefined, listed: readonly string[]): void {
  if (value !== undefined && !listed.includes(value)) out.push(unsupported(field, value, listed));
}

export function validatePodSecurityContext(out: Errors, field: string, spec: PodSpec): void {
  const sc = spec.securityContext;
  if (!sc) return;
  validateId(out, `${field}.fsGroup`, sc.fsGroup);
  validateId(out, `${field}.runAsUser`, sc.runAsUser);
  validateId(out, `${field}.runAsGroup`, sc.runAsGroup);
  (sc.supplementalGroups ?? []).forEach((id, i) => validateId(out, `${field}.supplementalGroups[${i}]`, id));
  if (spec.shareProcessNamespace && spec.hostPID) out.push(invalidValue(`${field}.shareProcessNamespace`, true, "ShareProcessNamespace and HostPID cannot both be enabled"));
  validateSysctls(out, `${field}.sysctls`, sc, spec);
  oneOf(out, `${field}.fsGroupChangePolicy`, sc.fsGroupChangePolicy, ["Always", "OnRootMismatch"]);
  validateSeccomp(out, `${field}.seccompProfile`, sc.seccompProfile);
  validateWindowsOptions(out, `${field}.windowsOptions`, sc.windowsOptions);
  validateAppArmor(out, `${field}.appArmorProfile`, sc.appArmorProfile);
  oneOf(out, `${field}.supplementalGroupsPolicy`, sc.supplementalGroupsPolicy, ["Merge", "Strict"]);
  // MountOption waits for a feature that is off.
  oneOf(out, `${field}.seLinuxChangePolicy`, sc.seLinuxChangePolicy, ["Recursive"]);
}

/** With a user namespace of its own a pod shares no other namespace with the host. */
export function validateHostUsers(out: Errors, field: string, spec: PodSpec): void {
  if (spec.hostUsers !== false) return;
  const why = "when `hostUsers` is false";
  if (spec.hostNetwork) out.push(forbiddenField(`${field}.hostNetwork`, why));
  if (spec.hostPID) out.push(forbiddenField(`${field}.HostPID`, why));
  if (spec.hostIPC) out.push(forbiddenField(`${field}.HostIPC`, why));
  for (const [c, at] of containersWithPath(spec, field)) if (c.volumeDevices?.length) out.push(forbiddenField(`${at}.volumeDevices`, why));
}
