/**
 * Annotations of a pod that mean something to the server: mirror pods, deletion cost, and those that became fields (tolerations, seccomp, AppArmor).
 * Follows kubernetes pkg/apis/core/validation (ValidatePodSpecificAnnotations, validateSeccompAnnotationsAndFields,
 * validateAppArmorAnnotationsAndFieldsMatchOnCreate) and pkg/registry/core/pod/strategy.go (applyAppArmorVersionSkew).
 */
import { own } from "../../../base/own.ts";
import { type FieldError, forbiddenField, invalidValue } from "../../field-error.ts";
import type { AppArmorProfile, ObjectMeta, Pod, PodSpec, SeccompProfile, Toleration } from "../../generated/types.ts";
import type { Draft } from "../kind.ts";
import { JsonSyntaxError, parseJson, plain } from "../../schema/json-parser.ts";
import { type Errors, semanticallyEqual } from "../../validation/fields.ts";
import { validateDescendingPath } from "./paths.ts";
import { validateTolerations } from "./scheduling.ts";
import { validateAppArmor } from "./security.ts";
import { containersWithPath } from "./visit.ts";

const INT32_MAX = 2 ** 31 - 1;
const MIRROR = "kubernetes.io/config.mirror";
const DELETION_COST = "controller.kubernetes.io/pod-deletion-cost";
const TOLERATIONS = "scheduler.alpha.kubernetes.io/tolerations";
export const SECCOMP_POD = "seccomp.security.alpha.kubernetes.io/pod";
export const SECCOMP_CONTAINER = "container.seccomp.security.alpha.kubernetes.io/";
export const APPARMOR_CONTAINER = "container.apparmor.security.beta.kubernetes.io/";
const LOCALHOST = "localhost/";

type Annotations = Readonly<Record<string, string>>;

function validateTolerationsAnnotation(out: Errors, field: string, text: string): void {
  try {
    const list = plain(parseJson(text));
    if (Array.isArray(list)) validateTolerations(out, `${field}.${TOLERATIONS}`, list as readonly Toleration[]);
  } catch (error) {
    if (!(error instanceof JsonSyntaxError)) throw error;
    out.push(invalidValue(field, TOLERATIONS, error.message));
  }
}

function validateSeccompName(out: Errors, field: string, name: string): void {
  if (name === "runtime/default" || name === "docker/default" || name === "unconfined") return;
  if (name.startsWith(LOCALHOST)) validateDescendingPath(out, field, name.slice(LOCALHOST.length));
  else out.push(invalidValue(field, name, "must be a valid seccomp profile"));
}

function validateAppArmorAnnotation(out: Errors, field: string, key: string, profile: string, spec: PodSpec): void {
  const container = key.slice(APPARMOR_CONTAINER.length);
  const names = [...containersWithPath(spec, "")].map(([c]) => c.name);
  if (!names.includes(container)) out.push(invalidValue(`${field}[${key}]`, container, "container not found"));
  if (profile === "" || profile === "runtime/default" || profile === "unconfined" || profile.startsWith(LOCALHOST)) return;
  out.push(invalidValue(`${field}[${key}]`, profile, `invalid AppArmor profile name: ${JSON.stringify(profile)}`));
}

/** `costMayBeWrong`: it was so already. */
export function validatePodAnnotations(out: Errors, field: string, meta: ObjectMeta | undefined, spec: PodSpec, costMayBeWrong = false): void {
  const annotations: Annotations = meta?.annotations ?? {};
  const mirror = annotations[MIRROR];
  if (mirror !== undefined && !spec.nodeName) out.push(invalidValue(`${field}[${MIRROR}]`, mirror, "must set spec.nodeName if mirror pod annotation is set"));
  if (annotations[TOLERATIONS]) validateTolerationsAnnotation(out, field, annotations[TOLERATIONS]);
  if (!costMayBeWrong && !isDeletionCost(annotations)) out.push(invalidValue(`${field}[${DELETION_COST}]`, annotations[DELETION_COST], "must be a 32bit integer"));
  const ofPod = annotations[SECCOMP_POD];
  if (ofPod !== undefined) validateSeccompName(out, `${field}.${SECCOMP_POD}`, ofPod);
  for (const [key, profile] of Object.entries(annotations)) if (key.startsWith(SECCOMP_CONTAINER)) validateSeccompName(out, `${field}.${key}`, profile);
  for (const [key, profile] of Object.entries(annotations)) if (key.startsWith(APPARMOR_CONTAINER)) validateAppArmorAnnotation(out, field, key, profile, spec);
}

/** Absent, or an integer without a sign to spare. */
export function isDeletionCost(annotations: Annotations | undefined): boolean {
  const cost = annotations?.[DELETION_COST];
  return cost === undefined || (/^(0|-?[1-9]\d*)$/.test(cost) && Number(cost) <= INT32_MAX && Number(cost) >= -INT32_MAX - 1);
}

function mismatch(field: string, kind: "seccomp" | "apparmor", annotation: string, profile: SeccompProfile | AppArmorProfile): FieldError | undefined {
  const type = forbiddenField(`${field}.type`, `${kind} type in annotation and field must match`);
  const names: Readonly<Record<string, readonly string[]>> = { Unconfined: ["unconfined"], RuntimeDefault: kind === "seccomp" ? ["runtime/default", "docker/default"] : ["runtime/default"] };
  if (profile.type !== "Localhost") return own(names, profile.type)?.includes(annotation) === false ? type : undefined;
  if (!annotation.startsWith(LOCALHOST)) return type;
  return annotation.slice(LOCALHOST.length) === profile.localhostProfile ? undefined : forbiddenField(`${field}.localhostProfile`, `${kind} profile in annotation and field must match`);
}

/** On create a profile that is said twice is said alike. */
export function validateProfilesMatch(out: Errors, field: string, meta: ObjectMeta | undefined, spec: PodSpec): void {
  const annotations: Annotations = meta?.annotations ?? {};
  const check = (kind: "seccomp" | "apparmor", field: string, key: string, profile: SeccompProfile | AppArmorProfile | undefined) => {
    const annotation = annotations[key];
    const error = annotation !== undefined && profile ? mismatch(field, kind, annotation, profile) : undefined;
    if (error) out.push(error);
  };
  check("seccomp", `${field}.securityContext.seccompProfile`, SECCOMP_POD, spec.securityContext?.seccompProfile);
  for (const [c, at] of containersWithPath(spec, field)) check("seccomp", `${at}.securityContext.seccompProfile`, `${SECCOMP_CONTAINER}${c.name}`, c.securityContext?.seccompProfile);
  if (spec.os?.name === "windows") return;
  for (const [c, at] of containersWithPath(spec, field)) {
    check("apparmor", `${at}.securityContext.appArmorProfile`, `${APPARMOR_CONTAINER}${c.name}`, c.securityContext?.appArmorProfile ?? spec.securityContext?.appArmorProfile);
  }
}

/** The field that an annotation about AppArmor means; nothing when it is not one that a field could hold. */
export function appArmorOf(annotation: string): AppArmorProfile | undefined {
  if (annotation === "unconfined") return { type: "Unconfined" };
  if (annotation === "runtime/default") return { type: "RuntimeDefault" };
  if (!annotation.startsWith(LOCALHOST) || annotation === LOCALHOST) return undefined;
  const profile = { type: "Localhost", localhostProfile: annotation.slice(LOCALHOST.length) };
  const errors: Errors = [];
  validateAppArmor(errors, "", profile);
  return errors.length === 0 ? profile : undefined;
}

/** New pods that say AppArmor in annotations alone say it in fields too. Returns the warnings that they get for it. */
export function applyAppArmorAnnotations(pod: Draft<Pod>): readonly string[] {
  if (pod.spec.os?.name === "windows" || !pod.metadata.annotations) return [];
  const warnings: string[] = [];
  for (const [container] of containersWithPath(pod.spec, "spec")) {
    const c = container as Draft<typeof container>;
    const key = `${APPARMOR_CONTAINER}${c.name}`;
    const annotation = pod.metadata.annotations[key];
    if (annotation === undefined || c.securityContext?.appArmorProfile) continue;
    const profile = appArmorOf(annotation);
    if (profile && semanticallyEqual(profile, pod.spec.securityContext?.appArmorProfile)) continue;
    if (profile) c.securityContext = { ...c.securityContext, appArmorProfile: profile };
    warnings.push(`metadata.annotations[${key}]: deprecated since v1.30; use the "appArmorProfile" field instead`);
  }
  return warnings;
}
