/**
 * What the pod-security labels of a namespace ask of its pods: `enforce` refuses, `warn` warns (also of templates), `audit` asks nothing here.
 * Follows kubernetes staging/src/k8s.io/pod-security-admission/admission/admission.go.
 */
import { invalidValue, toCause } from "../api/field-error.ts";
import type { ObjectMeta, Pod, PodSpec } from "../api/generated/types.ts";
import type { KubeObject } from "../api/object.ts";
import { describeViolations, LEVELS, violations, type Level } from "../api/pod-security.ts";
import { NAMESPACES, PODS } from "../api/resource.ts";
import { invalid } from "../api/status-error.ts";
import { concerns, refuse, type AdmissionContext, type AdmissionPlugin } from "../registry/admission.ts";

const PREFIX = "pod-security.kubernetes.io/";
const MODES = ["enforce", "audit", "warn"] as const;
type Mode = (typeof MODES)[number];
type Labels = Readonly<Record<string, string>>;

const isLevel = (text: string | undefined): text is Level => (LEVELS as readonly (string | undefined)[]).includes(text);

interface Policy {
  readonly level: Level;
  /** Of the version 1.x; the newest for the latest. */
  readonly minor: number;
  /** `restricted:latest`. */
  readonly text: string;
}

const VERSION = /^v1\.(0|[1-9]\d*)$/;

/** What cannot be read is as strict as can be where it enforces; it can't be stored anew. */
function policyOf(labels: Labels, mode: Mode): Policy {
  const given = labels[PREFIX + mode];
  const level = given === undefined ? "privileged" : isLevel(given) ? given : mode === "enforce" ? "restricted" : "privileged";
  const version = labels[`${PREFIX}${mode}-version`] ?? "latest";
  const minor = VERSION.exec(version)?.[1];
  return { level, minor: minor === undefined ? Number.POSITIVE_INFINITY : Number(minor), text: `${level}:${minor === undefined ? "latest" : version}` };
}

interface Template {
  readonly metadata?: ObjectMeta;
  readonly spec?: PodSpec;
}

/** The pod that an object makes others of, wherever its kind keeps it. */
function templateOf(object: KubeObject): Template | undefined {
  const { template, spec } = object as { template?: Template; spec?: { template?: Template; jobTemplate?: { spec?: { template?: Template } } } };
  const found = spec?.template ?? spec?.jobTemplate?.spec?.template ?? template;
  return Array.isArray(found?.spec?.containers) ? found : undefined;
}

function validateLabels(object: KubeObject, old: KubeObject | undefined): void {
  const errors = MODES.flatMap((mode) => {
    const field = (label: string) => `metadata.labels[${label}]`;
    const changed = (label: string) => object.metadata.labels?.[label] !== undefined && object.metadata.labels[label] !== old?.metadata.labels?.[label];
    const [level, version] = [PREFIX + mode, `${PREFIX}${mode}-version`];
    return [
      ...(changed(level) && !isLevel(object.metadata.labels?.[level]) ? [invalidValue(field(level), object.metadata.labels?.[level], `must be one of ${LEVELS.join(", ")}`)] : []),
      ...(changed(version) && object.metadata.labels?.[version] !== "latest" && !VERSION.test(object.metadata.labels?.[version] ?? "") ? [invalidValue(field(version), object.metadata.labels?.[version], `must be "latest" or "v1.x"`)] : []),
    ];
  });
  if (errors.length > 0) throw invalid(NAMESPACES, object.metadata.name ?? "", errors.map(toCause));
}

/** A stricter namespace tells which of its pods would not be let in any more, grouped by the reason. */
function warnOfExisting(object: KubeObject, context: AdmissionContext): void {
  const { level, minor, text } = policyOf(object.metadata.labels ?? {}, "enforce");
  const before = policyOf(context.old?.metadata.labels ?? {}, "enforce");
  if (LEVELS.indexOf(level) <= LEVELS.indexOf(before.level)) return;
  const name = object.metadata.name ?? "";
  const byReason = new Map<string, string[]>();
  for (const { metadata = {}, spec } of context.reader.list(PODS, name)) {
    const reason = spec ? violations(level, minor, metadata, spec).map((v) => v.reason).join(", ") : "";
    if (reason !== "") byReason.set(reason, [...(byReason.get(reason) ?? []), metadata.name ?? ""]);
  }
  if (byReason.size === 0) return;
  context.warn(`existing pods in namespace ${JSON.stringify(name)} violate the new PodSecurity enforce level ${JSON.stringify(text)}`);
  const others = (n: number) => (n === 0 ? "" : ` (and ${n} other ${n === 1 ? "pod" : "pods"})`);
  for (const line of [...byReason].map(([reason, pods]) => `${pods[0] ?? ""}${others(pods.length - 1)}: ${reason}`).sort()) context.warn(line);
}

const labelsOf = ({ reader, namespace }: AdmissionContext): Labels => reader.get(NAMESPACES, "", namespace)?.metadata?.labels ?? {};

function warn(labels: Labels, { metadata = {}, spec }: Template, context: AdmissionContext): void {
  const { level, minor, text } = policyOf(labels, "warn");
  const found = spec ? violations(level, minor, metadata, spec) : [];
  if (found.length > 0) context.warn(`would violate PodSecurity ${JSON.stringify(text)}: ${describeViolations(found)}`);
}

function checkPod(pod: Pod, context: AdmissionContext): void {
  const labels = labelsOf(context);
  const { level, minor, text } = policyOf(labels, "enforce");
  const { metadata, spec } = pod;
  const found = spec ? violations(level, minor, metadata, spec) : [];
  if (found.length > 0) throw refuse(context, { metadata }, `violates PodSecurity ${JSON.stringify(text)}: ${describeViolations(found)}`);
  warn(labels, pod, context);
}

/** Of what an update of a pod may change, only its images tell of what it may do. Follows isSignificantPodUpdate. */
function changesImages(object: KubeObject, context: AdmissionContext): boolean {
  if (!concerns(context, PODS, "UPDATE")) return false;
  const images = ({ spec }: Pod) => [...(spec?.initContainers ?? []), ...(spec?.containers ?? [])].map(({ image }) => image ?? "").join(" ");
  return images(object as Pod) !== images(context.old as Pod);
}

const addsContainer = ({ resource, subresource, operation }: AdmissionContext) =>
  resource.group === PODS.group && resource.plural === PODS.plural && subresource === "ephemeralcontainers" && operation === "UPDATE";

export const podSecurity: AdmissionPlugin = {
  name: "PodSecurity",
  validate(object, context) {
    if (context.operation === "DELETE") return;
    if (concerns(context, NAMESPACES, "CREATE", "UPDATE")) {
      validateLabels(object, context.old);
      if (context.old) warnOfExisting(object, context);
    } else if (concerns(context, PODS, "CREATE") || addsContainer(context) || changesImages(object, context)) {
      checkPod(object as Pod, context);
    } else if (context.subresource === "" && context.resource.namespaced) {
      const template = templateOf(object);
      if (template) warn(labelsOf(context), template, context);
    }
  },
};
