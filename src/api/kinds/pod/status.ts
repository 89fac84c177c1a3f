/**
 * What may be written to a pod's status.
 * Follows kubernetes pkg/apis/core/validation (ValidatePodStatusUpdate and its functions) and pkg/api/v1/pod/util.go (ContainerShouldRestart).
 */
import { own } from "../../../base/own.ts";
import { duplicate, forbiddenField, invalidValue, required, tooLong } from "../../field-error.ts";
import type { Container, ContainerStatus, LinuxContainerUser, Pod, PodExtendedResourceClaimStatus, PodSpec, PodStatus, ResourceStatus } from "../../generated/types.ts";
import { inclusiveRange, isDns1123Label, isQualifiedName, subdomainName } from "../../names.ts";
import { familyOf, isIp, isValidIp } from "../../validation/addresses.ts";
import { type Errors, immutable, reasons, unsupported } from "../../validation/fields.ts";
import { validateAnnotationChanges } from "./update.ts";

const SYSTEM_CONDITIONS = new Set(["PodScheduled", "Ready", "Initialized"]);
const NOT_NEGATIVE = "must be a non-negative integer";
const ID_MAX = 2 ** 31 - 1;
const HEALTHS = ["Healthy", "Unhealthy", "Unknown"];
const HEALTH_MESSAGE_MAX = 1024;

export function validatePodStatusUpdate(out: Errors, pod: Pod, old: Pod): void {
  const status = pod.status ?? {};
  const before = old.status ?? {};
  validateAnnotationChanges(out, pod, old);
  validateConditions(out, status);
  validateNominated(out, status.nominatedNodeName ?? "", before.nominatedNodeName ?? "", old.spec.nodeName ?? "");
  if ((status.observedGeneration ?? 0) < 0) out.push(invalidValue("status.observedGeneration", status.observedGeneration, NOT_NEGATIVE));
  immutable(out, "status.qosClass", status.qosClass ?? "", before.qosClass ?? "");
  validateTransitions(out, "status.containerStatuses", status.containerStatuses, before.containerStatuses, old.spec, old.spec.containers);
  validateTransitions(out, "status.initContainerStatuses", status.initContainerStatuses, before.initContainerStatuses, old.spec, old.spec.initContainers ?? []);
  validateTransitions(out, "status.ephemeralContainerStatuses", status.ephemeralContainerStatuses, before.ephemeralContainerStatuses);
  validateClaimStatuses(out, status, pod.spec);
  if (status.extendedResourceClaimStatus) validateExtendedClaim(out, "status.extendedResourceClaimStatus", status.extendedResourceClaimStatus, pod.spec);
  validateIps(out, "status.podIPs", status.podIPs ?? [], before.podIPs);
  const hosts = status.hostIPs ?? [];
  if (hosts.length > 0 && hosts[0]?.ip !== status.hostIP) out.push(invalidValue("status.hostIPs[0].ip", hosts[0]?.ip ?? "", "must be equal to `hostIP`"));
  validateIps(out, "status.hostIPs", hosts, before.hostIPs);
  for (const key of ["containerStatuses", "initContainerStatuses", "ephemeralContainerStatuses"] as const) validateUsers(out, `status.${key}`, status[key], pod.spec);
  validateAllocated(out, "status.containerStatuses", status.containerStatuses, pod.spec.containers);
  validateAllocated(out, "status.initContainerStatuses", status.initContainerStatuses, pod.spec.initContainers ?? []);
  (status.ephemeralContainerStatuses ?? []).forEach((c, i) => {
    if (c.allocatedResourcesStatus?.length) out.push(forbiddenField(`status.ephemeralContainerStatuses[${i}].allocatedResourcesStatus`, "must not be specified in container status"));
  });
}

function validateConditions(out: Errors, status: PodStatus): void {
  (status.conditions ?? []).forEach((c, i) => {
    const at = `status.conditions[${i}]`;
    if ((c.observedGeneration ?? 0) < 0) out.push(invalidValue(`${at}.observedGeneration`, c.observedGeneration, NOT_NEGATIVE));
    if (!SYSTEM_CONDITIONS.has(c.type)) reasons(out, `${at}.Type`, c.type ?? "", isQualifiedName(c.type ?? ""));
  });
}

function validateNominated(out: Errors, name: string, before: string, node: string): void {
  if (name === "" || name === before) return;
  reasons(out, "status.nominatedNodeName", name, subdomainName(name, false));
  if (node !== "") out.push(forbiddenField("status.nominatedNodeName", "may not be set on pods that are already bound to a node"));
}

/** Whether the container's rule for the exit code, its own policy, or else the pod's starts it again. */
function shouldRestart(c: Container, exitCode: number, policy: string | undefined): boolean {
  const rule = c.restartPolicy === undefined ? undefined : c.restartPolicyRules?.find(({ exitCodes }) => exitCodes && (exitCodes.values ?? []).includes(exitCode) === (exitCodes.operator === "In"));
  if (rule?.action === "Restart" || rule?.action === "RestartAllContainers") return true;
  const wanted = c.restartPolicy ?? policy;
  return wanted === "OnFailure" ? exitCode !== 0 : wanted !== "Never";
}

/** One container's rule may begin the whole pod again, whatever has ended in it. */
const mayRestartAll = (spec: PodSpec): boolean =>
  [...spec.containers, ...(spec.initContainers ?? [])].some((c) => c.restartPolicyRules?.some((rule) => rule.action === "RestartAllContainers"));

/** A container that has ended for good stays so. Without a spec (of ephemeral containers) all have. */
function validateTransitions(out: Errors, field: string, now: readonly ContainerStatus[] | undefined, before: readonly ContainerStatus[] | undefined, spec?: PodSpec, containers: readonly Container[] = []): void {
  if (spec && mayRestartAll(spec)) return;
  (before ?? []).forEach((old, i) => {
    const ended = old.state?.terminated;
    const again = ended && (now ?? []).some((c) => c.name === old.name && !c.state?.terminated);
    if (!ended || !again) return;
    const container = containers.find((c) => c.name === old.name);
    if (!container || !shouldRestart(container, ended.exitCode ?? 0, spec?.restartPolicy)) out.push(forbiddenField(`${field}[${i}].state`, "may not be transitioned to non-terminated state"));
  });
}

function validateClaimStatuses(out: Errors, status: PodStatus, spec: PodSpec): void {
  const seen = new Set<string>();
  (status.resourceClaimStatuses ?? []).forEach(({ name, resourceClaimName }, i) => {
    const at = `status.resourceClaimStatuses[${i}]`;
    if (!spec.resourceClaims?.some((claim) => claim.name === name)) out.push(invalidValue(`${at}.name`, name, "must match the name of an entry in `spec.resourceClaims`"));
    if (seen.has(name)) out.push(duplicate(`${at}.name`, name));
    seen.add(name);
    if (resourceClaimName !== undefined) reasons(out, `${at}.resourceClaimName`, resourceClaimName, subdomainName(resourceClaimName, false));
  });
}

function validateExtendedClaim(out: Errors, field: string, claim: PodExtendedResourceClaimStatus, spec: PodSpec): void {
  const mappings = claim.requestMappings ?? [];
  if (mappings.length === 0) out.push(required(`${field}.requestMappings`, "at least one request mapping is required"));
  const containers = new Map([...(spec.initContainers ?? []), ...spec.containers].map((c) => [c.name, c]));
  const seen = new Set<string>();
  mappings.forEach((m, i) => {
    const at = `${field}.requestMappings[${i}]`;
    const container = containers.get(m.containerName);
    if (!container) out.push(invalidValue(`${at}.containerName`, m.containerName ?? "", "must match the name of an entry in spec.initContainers.name or spec.containers.name"));
    else if (own(container.resources?.requests, m.resourceName ?? "") === undefined) {
      out.push(invalidValue(`${at}.resourceName`, m.resourceName ?? "", "must match the extended resource name of an entry in spec.initContainers.resources.requests or spec.containers.resources.requests"));
    }
    reasons(out, `${field}.requestName`, m.requestName ?? "", isDns1123Label(m.requestName ?? ""));
    const key = JSON.stringify([m.containerName, m.resourceName, m.requestName]);
    if (seen.has(key)) for (const part of ["containerName", "resourceName", "requestName"] as const) out.push(duplicate(`${at}.${part}`, m[part]));
    seen.add(key);
  });
  const name = claim.resourceClaimName ?? "";
  if (name === "") out.push(required(`${field}.resourceClaimName`));
  else reasons(out, `${field}.resourceClaimName`, name, subdomainName(name, false));
}

type Ips = readonly { readonly ip: string }[];

function validateIps(out: Errors, field: string, ips: Ips, before: Ips | undefined): void {
  const old = (before ?? []).map(({ ip }) => ip);
  ips.forEach(({ ip }, i) => isIp(out, `${field}[${i}]`, ip ?? "", old));
  if (ips.length < 2) return;
  const wrong = ips.findIndex(({ ip }) => !isValidIp(ip ?? ""));
  if (wrong >= 0) out.push({ type: "Internal", field, message: `Internal error: failed to check for dual stack with error:invalid IP[${wrong}]: ${ips[wrong]?.ip ?? ""}` });
  const families = new Set(ips.map(({ ip }) => familyOf(ip ?? "")));
  if (wrong >= 0 || families.size < 2 || ips.length > 2) out.push(invalidValue(field, ips.map(({ ip }) => ({ IP: ip })), "may specify no more than one IP for each IP family"));
}

function validateUsers(out: Errors, field: string, statuses: readonly ContainerStatus[] | undefined, spec: PodSpec): void {
  (statuses ?? []).forEach(({ user }, i) => {
    const at = `${field}[${i}].user.linux`;
    if (!user?.linux) return;
    if (spec.os?.name === "windows") out.push(forbiddenField(at, "cannot be set for a windows pod"));
    else validateUser(out, at, user.linux);
  });
}

function validateUser(out: Errors, field: string, { uid, gid, supplementalGroups = [] }: LinuxContainerUser): void {
  const check = (place: string, id: number) => {
    if (id < 0 || id > ID_MAX) out.push(invalidValue(`${field}.${place}`, id, inclusiveRange(0, ID_MAX)));
  };
  check("uid", uid);
  check("gid", gid);
  supplementalGroups.forEach((id, i) => check(`supplementalGroups[${i}]`, id));
}

/** Why the resource is none that the container asks for. */
function unasked(name: string, c: Container): string | undefined {
  if (!name.startsWith("claim:")) return own(c.resources?.requests, name) === undefined ? "must match one of the container's resource requests" : undefined;
  const claims = (c.resources?.claims ?? []).map((claim) => `claim:${claim.name}${claim.request ? `/${claim.request}` : ""}`);
  return claims.includes(name) ? undefined : "must match one of the container's resource claims in a format 'claim:<claimName>/<request>' or 'claim:<claimName>' if request is empty";
}

function validateHealth(out: Errors, field: string, { resources }: ResourceStatus): void {
  const seen = new Set<string>();
  (resources ?? []).forEach(({ health = "", message, resourceID }, i) => {
    const at = `${field}.resources[${i}]`;
    if (!HEALTHS.includes(health)) out.push(unsupported(`${at}.health`, health, HEALTHS));
    if (message === "") out.push(required(`${at}.message`, "must be non-empty if specified"));
    else if (message !== undefined && Buffer.byteLength(message) > HEALTH_MESSAGE_MAX) out.push(tooLong(`${at}.message`, HEALTH_MESSAGE_MAX));
    if (seen.has(resourceID)) out.push(duplicate(`${at}.resourceID`, resourceID));
    seen.add(resourceID);
  });
}

function validateAllocated(out: Errors, field: string, statuses: readonly ContainerStatus[] | undefined, containers: readonly Container[]): void {
  (statuses ?? []).forEach((status, i) =>
    (status.allocatedResourcesStatus ?? []).forEach((allocated, j) => {
      const at = `${field}[${i}].allocatedResourcesStatus[${j}]`;
      const container = containers.find((c) => c.name === status.name);
      const why = container && unasked(allocated.name ?? "", container);
      if (why !== undefined) out.push(invalidValue(`${at}.name`, allocated.name ?? "", why));
      validateHealth(out, at, allocated);
    }),
  );
}
