/**
 * Pods, pod specs and pod templates.
 * Follows kubernetes pkg/apis/core/validation (ValidatePodSpec, ValidatePodTemplateSpec, validatePodMetadataAndSpec).
 */
import { own } from "../../../base/own.ts";
import { duplicate, fieldNotFound, forbiddenField, invalidValue, required, tooLong } from "../../field-error.ts";
import type { ObjectMeta, Pod, PodSpec, PodTemplateSpec } from "../../generated/types.ts";
import { inclusiveRange, isDns1123Label, isDns1123Subdomain, isQualifiedName, subdomainName } from "../../names.ts";
import { canonicalQuantity, compareQuantities } from "../../quantity.ts";
import { isIp } from "../../validation/addresses.ts";
import { type Errors, reasons, unsupported } from "../../validation/fields.ts";
import { validateAnnotations, validateLabels } from "../../validation/labels.ts";
import { isDeletionCost, validatePodAnnotations, validateProfilesMatch } from "./annotations.ts";
import { type PodContext, validateContainers, validateEphemeralContainers, validateImageBlanks, validateInitContainers } from "./containers.ts";
import { sumOfRequests } from "./defaults.ts";
import { validateResourceRequirements } from "./resources.ts";
import { validateAffinity, validateSchedulingGates, validateTolerations, validateTopologySpread } from "./scheduling.ts";
import { validateHostUsers, validatePodSecurityContext } from "./security.ts";
import { containersWithPath } from "./visit.ts";
import { validateVolumes } from "./volumes.ts";
import { validateHostProcess, validateOs } from "./windows.ts";

const INT32_MAX = 2 ** 31 - 1;
const RESTART_POLICIES = ["Always", "OnFailure", "Never"];
const DNS_POLICIES = ["ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"];
const NAMESERVERS_MAX = 3;
const SEARCHES_MAX = 32;
const SEARCH_CHARACTERS_MAX = 2048;
const HOSTNAME_BYTES_MAX = 64;
const SUBDOMAIN_WITH_UNDERSCORE = /^_?[a-z0-9]([-_a-z0-9]*[a-z0-9])?(\._?[a-z0-9]([-_a-z0-9]*[a-z0-9])?)*$/;

function choice(out: Errors, field: string, value: string | undefined, listed: readonly string[]): void {
  if (!value) out.push(required(field));
  else if (!listed.includes(value)) out.push(unsupported(field, value, listed));
}

function contextOf(out: Errors, spec: PodSpec, field: string, meta: ObjectMeta | undefined): PodContext {
  const volumes = validateVolumes(out, `${field}.volumes`, spec.volumes, meta);
  const claims = new Set((spec.resourceClaims ?? []).map((c) => c.name).filter((name) => name));
  return { spec, volumes, claims, hostUsers: spec.hostUsers !== false, isPod: meta !== undefined };
}

/** `meta` is there for real Pods only. */
export function validatePodSpec(out: Errors, spec: PodSpec, field: string, meta: ObjectMeta | undefined): void {
  if (spec.terminationGracePeriodSeconds === undefined) out.push(required(`${field}.terminationGracePeriodSeconds`));
  const pod = contextOf(out, spec, field, meta);
  validateResourceClaims(out, `${field}.resourceClaims`, spec);
  validateContainers(out, `${field}.containers`, pod);
  validateInitContainers(out, `${field}.initContainers`, pod);
  validateEphemeralContainers(out, `${field}.ephemeralContainers`, pod);
  validatePodResources(out, `${field}.resources`, pod);
  validateHostNetworkPorts(out, `${field}.containers`, pod);
  choice(out, `${field}.restartPolicy`, spec.restartPolicy, RESTART_POLICIES);
  choice(out, `${field}.dnsPolicy`, spec.dnsPolicy, DNS_POLICIES);
  validateLabels(out, `${field}.nodeSelector`, spec.nodeSelector);
  validatePodSecurityContext(out, `${field}.securityContext`, spec);
  validateAffinity(out, `${field}.affinity`, spec.affinity);
  validateDnsConfig(out, `${field}.dnsConfig`, spec);
  (spec.readinessGates ?? []).forEach((gate, i) => reasons(out, `${field}.readinessGates[${i}].conditionType`, gate.conditionType, isQualifiedName(gate.conditionType ?? "")));
  validateSchedulingGates(out, `${field}.schedulingGates`, spec.schedulingGates);
  validateTopologySpread(out, `${field}.topologySpreadConstraints`, spec.topologySpreadConstraints);
  validateHostProcess(out, field, spec);
  validateHostUsers(out, field, spec);
  validateHostnameOverride(out, spec, `${field}.hostnameOverride`);
  validateNamesAndNumbers(out, spec, field);
  validateOs(out, field, spec);
  validateKeyFiles(out, field, spec);
}

function validateNamesAndNumbers(out: Errors, spec: PodSpec, field: string): void {
  const name = (key: "serviceAccountName" | "nodeName" | "priorityClassName" | "runtimeClassName") => {
    const value = spec[key];
    if (value || (value === "" && key === "runtimeClassName")) reasons(out, `${field}.${key}`, value, subdomainName(value, false));
  };
  name("serviceAccountName");
  name("nodeName");
  const deadline = spec.activeDeadlineSeconds;
  if (deadline !== undefined && (deadline < 1 || deadline > INT32_MAX)) out.push(invalidValue(`${field}.activeDeadlineSeconds`, deadline, inclusiveRange(1, INT32_MAX)));
  if (spec.hostname) reasons(out, `${field}.hostname`, spec.hostname, isDns1123Label(spec.hostname));
  if (spec.subdomain) reasons(out, `${field}.subdomain`, spec.subdomain, isDns1123Label(spec.subdomain));
  validateTolerations(out, `${field}.tolerations`, spec.tolerations);
  (spec.hostAliases ?? []).forEach((alias, i) => {
    isIp(out, `${field}.hostAliases[${i}].ip`, alias.ip ?? "");
    (alias.hostnames ?? []).forEach((host, j) => reasons(out, `${field}.hostAliases[${i}].hostnames[${j}]`, host, isDns1123Subdomain(host)));
  });
  name("priorityClassName");
  name("runtimeClassName");
  if (spec.preemptionPolicy !== undefined) choice(out, `${field}.preemptionPolicy`, spec.preemptionPolicy, ["PreemptLowerPriority", "Never"]);
  if (spec.overhead) validateResourceRequirements(out, `${field}.overhead`, { limits: spec.overhead });
}

function validateHostnameOverride(out: Errors, spec: PodSpec, field: string): void {
  const { hostnameOverride: hostname } = spec;
  if (hostname === undefined) return;
  if (spec.setHostnameAsFQDN) out.push(forbiddenField(field, "may not be specified when setHostnameAsFQDN is true"));
  if (spec.hostNetwork) out.push(forbiddenField(field, "may not be specified when hostNetwork is true"));
  if (Buffer.byteLength(hostname) > HOSTNAME_BYTES_MAX) out.push(tooLong(field, HOSTNAME_BYTES_MAX));
  reasons(out, field, hostname, isDns1123Subdomain(hostname));
}

function validateResourceClaims(out: Errors, field: string, spec: PodSpec): void {
  const names = new Set<string>();
  (spec.resourceClaims ?? []).forEach((claim, i) => {
    const at = `${field}[${i}]`;
    if (!claim.name) out.push(required(`${at}.name`));
    else if (names.has(claim.name)) out.push(duplicate(`${at}.name`, claim.name));
    else reasons(out, `${at}.name`, claim.name, isDns1123Label(claim.name));
    names.add(claim.name);
    const shown = { Name: claim.name, ResourceClaimName: claim.resourceClaimName ?? null, ResourceClaimTemplateName: claim.resourceClaimTemplateName ?? null };
    if (claim.resourceClaimName !== undefined && claim.resourceClaimTemplateName !== undefined) out.push(invalidValue(at, shown, "at most one of `resourceClaimName` or `resourceClaimTemplateName` may be specified"));
    if (claim.resourceClaimName === undefined && claim.resourceClaimTemplateName === undefined) out.push(invalidValue(at, shown, "must specify one of: `resourceClaimName`, `resourceClaimTemplateName`"));
    for (const key of ["resourceClaimName", "resourceClaimTemplateName"] as const) {
      const value = claim[key];
      if (value !== undefined) reasons(out, `${at}.${key}`, value, subdomainName(value, false));
    }
  });
}

function validatePodResources(out: Errors, field: string, { spec, claims }: PodContext): void {
  const { resources } = spec;
  if (!resources) return;
  if (spec.os?.name === "windows") return void out.push(forbiddenField(field, "may not be set for a windows pod"));
  if (resources.claims) out.push(forbiddenField(`${field}.claims`, "claims may not be set for Resources at pod-level"));
  validateResourceRequirements(out, field, resources, { pod: true, claims });
  const atLeast = (kind: "requests" | "limits", name: string, sum: string | number) => {
    const ofPod = own(resources[kind], name);
    if (ofPod !== undefined && compareQuantities(sum, ofPod) > 0) out.push(invalidValue(`${field}.${kind}[${name}]`, canonicalQuantity(ofPod), `must be greater than or equal to aggregate container ${kind} of ${canonicalQuantity(sum)}`));
  };
  for (const [name, sum] of Object.entries(sumOfRequests(spec))) atLeast("requests", name, sum);
  for (const [name, sum] of Object.entries(sumOfRequests(spec, "limits"))) if (name.startsWith("hugepages-")) atLeast("limits", name, sum);
  (spec.containers ?? []).forEach((c, i) => {
    for (const [name, limit] of Object.entries(c.resources?.limits ?? {})) {
      const ofPod = own(resources.limits, name);
      if (ofPod !== undefined && compareQuantities(limit, ofPod) > 0) out.push(invalidValue(`${field}.containers[${i}][${name}].limits`, canonicalQuantity(limit), `must be less than or equal to pod limits of ${canonicalQuantity(ofPod)}`));
    }
  });
}

/** Variables that come out of a file need an emptyDir for it. */
function validateKeyFiles(out: Errors, field: string, spec: PodSpec): void {
  const volumes = new Map((spec.volumes ?? []).map((v) => [v.name, v]));
  for (const [c, at] of containersWithPath(spec, field)) {
    (c.env ?? []).forEach(({ valueFrom }, i) => {
      const name = valueFrom?.fileKeyRef?.volumeName;
      if (!valueFrom?.fileKeyRef) return;
      const place = `${at}.env[${i}].valueFrom.fileKeyRef.volumeName`;
      const volume = volumes.get(name ?? "");
      if (!volume) out.push(fieldNotFound(place, name ?? ""));
      else if (!volume.emptyDir) out.push(invalidValue(place, name, "referenced volume must be of type emptyDir"));
    });
  }
}

function validateHostNetworkPorts(out: Errors, field: string, { spec, isPod }: PodContext): void {
  if (!spec.hostNetwork) return;
  (spec.containers ?? []).forEach((c, i) =>
    (c.ports ?? []).forEach((port, j) => {
      const host = port.hostPort ?? 0;
      if ((isPod || host !== 0) && host !== port.containerPort) out.push(invalidValue(`${field}[${i}].ports[${j}].hostPort`, host, "must match `containerPort` when `hostNetwork` is true"));
    }),
  );
}

function validateDnsConfig(out: Errors, field: string, { dnsConfig, dnsPolicy }: PodSpec): void {
  if (dnsPolicy === "None") {
    if (!dnsConfig) return void out.push(required(field, "must provide `dnsConfig` when `dnsPolicy` is None"));
    if (!dnsConfig.nameservers?.length) return void out.push(required(`${field}.nameservers`, "must provide at least one DNS nameserver when `dnsPolicy` is None"));
  }
  if (!dnsConfig) return;
  const { nameservers = [], searches = [] } = dnsConfig;
  if (nameservers.length > NAMESERVERS_MAX) out.push(invalidValue(`${field}.nameservers`, nameservers, `must not have more than ${NAMESERVERS_MAX} nameservers`));
  nameservers.forEach((ip, i) => isIp(out, `${field}.nameservers[${i}]`, ip));
  if (searches.length > SEARCHES_MAX) out.push(invalidValue(`${field}.searches`, searches, `must not have more than ${SEARCHES_MAX} search paths`));
  if (searches.join(" ").length > SEARCH_CHARACTERS_MAX) out.push(invalidValue(`${field}.searches`, searches, `must not have more than ${SEARCH_CHARACTERS_MAX} characters (including spaces) in the search list`));
  searches.forEach((search, i) => validateSearch(out, `${field}.searches[${i}]`, search));
  (dnsConfig.options ?? []).forEach((option, i) => {
    if (!option.name) out.push(required(`${field}.options[${i}]`, "must not be empty"));
  });
}

function validateSearch(out: Errors, field: string, search: string): void {
  if (search === ".") return;
  const name = search.replace(/\.$/, "");
  if (name.length > 253) out.push(invalidValue(field, name, "must be no more than 253 characters"));
  if (SUBDOMAIN_WITH_UNDERSCORE.test(name)) return;
  const pattern = SUBDOMAIN_WITH_UNDERSCORE.source.slice(1, -1);
  out.push(invalidValue(field, name, `a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '_', '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '${pattern}')`));
}

export function validatePodTemplate(out: Errors, template: PodTemplateSpec, field: string): void {
  const spec = template.spec ?? { containers: [] };
  validateLabels(out, `${field}.labels`, template.metadata?.labels);
  validateAnnotations(out, `${field}.annotations`, template.metadata?.annotations);
  validatePodAnnotations(out, `${field}.annotations`, template.metadata, spec);
  validatePodSpec(out, spec, `${field}.spec`, undefined);
  validateProfilesMatch(out, `${field}.spec`, template.metadata, spec);
  if (spec.ephemeralContainers?.length) out.push(forbiddenField(`${field}.spec.ephemeralContainers`, "ephemeral containers not allowed in pod template"));
}

/** What holds for a Pod on create and update alike, apart from its metadata. `old`: what it was before the update. */
export function validatePodCommon(out: Errors, pod: Pod, old?: Pod): void {
  const spec = pod.spec ?? { containers: [] };
  validatePodAnnotations(out, "metadata.annotations", pod.metadata, spec, !isDeletionCost(old?.metadata?.annotations));
  validatePodSpec(out, spec, "spec", pod.metadata);
  if (!spec.serviceAccountName) {
    (spec.volumes ?? []).forEach((volume, i) =>
      (volume.projected?.sources ?? []).forEach((source, j) => {
        if (source.serviceAccountToken) out.push(forbiddenField(`spec.volumes[${i}].projected.sources[${j}].serviceAccountToken`, "must not be specified when serviceAccountName is not set"));
      }),
    );
  }
  (spec.containers ?? []).forEach((c, i) => validateImageBlanks(out, `spec.containers[${i}]`, c.image));
  (spec.initContainers ?? []).forEach((c, i) => validateImageBlanks(out, `spec.initContainers[${i}]`, c.image));
}

export function validatePodCreate(out: Errors, pod: Pod): void {
  validatePodCommon(out, pod);
  if (pod.spec?.ephemeralContainers?.length) out.push(forbiddenField("spec.ephemeralContainers", "cannot be set on create"));
  if (pod.spec?.nodeName && pod.spec.schedulingGates?.length) out.push(forbiddenField("spec.nodeName", "cannot be set until all schedulingGates have been cleared"));
  validateProfilesMatch(out, "spec", pod.metadata, pod.spec ?? { containers: [] });
}
