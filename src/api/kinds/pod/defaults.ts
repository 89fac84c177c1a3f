/**
 * Defaults of pods and pod templates. A template gets those of the PodSpec; some (requests from limits, host ports, service links) only a real Pod gets.
 * Follows kubernetes pkg/apis/core/v1/defaults.go and conversion.go.
 */
import { own } from "../../../base/own.ts";
import type { Container, EphemeralContainer, LifecycleHandler, Pod, PodSpec, PodTemplateSpec, Probe, Volume } from "../../generated/types.ts";
import type { Draft } from "../kind.ts";
import { addQuantities, compareQuantities } from "../../quantity.ts";
import { defaultPullPolicy } from "./image.ts";

type Resources = Record<string, string | number>;

const FILE_MODE = 0o644;

export function defaultPodTemplate(template: Draft<PodTemplateSpec>): void {
  template.metadata ??= {};
  template.spec ??= { containers: [] };
  defaultPodSpec(template.spec);
}

export function defaultPodSpec(spec: Draft<PodSpec>): void {
  for (const volume of spec.volumes ?? []) defaultVolume(volume);
  for (const c of [...(spec.initContainers ?? []), ...(spec.containers ?? []), ...(spec.ephemeralContainers ?? [])]) defaultContainer(c);
  spec.restartPolicy ||= "Always";
  spec.terminationGracePeriodSeconds ??= 30;
  spec.dnsPolicy ||= "ClusterFirst";
  spec.securityContext ??= {};
  spec.schedulerName ||= "default-scheduler";
  const account = spec.serviceAccountName || spec.serviceAccount;
  if (account) {
    if (spec.serviceAccountName !== account) spec.serviceAccountName = account;
    if (spec.serviceAccount !== account) spec.serviceAccount = account;
  }
}

export function defaultPod(pod: Draft<Pod>): void {
  if (pod.status && !Object.isFrozen(pod.status)) unifyAddresses(pod.status);
  // What is frozen has come from the store: it has its defaults.
  if (pod.spec && Object.isFrozen(pod.spec)) return;
  pod.spec ??= { containers: [] };
  const { spec } = pod;
  defaultPodSpec(spec);
  // Negative periods were once accepted and mean the shortest that there is.
  if ((spec.terminationGracePeriodSeconds ?? 0) < 0) spec.terminationGracePeriodSeconds = 1;
  const containers = [...(spec.initContainers ?? []), ...(spec.containers ?? [])];
  for (const c of containers) defaultRequests(c);
  if (spec.hostNetwork) for (const c of containers) defaultHostPorts(c);
  defaultHugePageLimits(spec);
  defaultPodRequests(spec);
  spec.enableServiceLinks ??= true;
}

/** podIP is the first of podIPs; where they disagree it has the last word. Follows Convert_v1_PodStatus_To_core_PodStatus. */
function unifyAddresses(status: NonNullable<Draft<Pod>["status"]>): void {
  const { podIP, podIPs = [] } = status;
  if (podIP && podIPs[0]?.ip !== podIP) status.podIPs = [{ ip: podIP }];
  else if (podIPs[0]) status.podIP = podIPs[0].ip;
}

function defaultContainer(c: Draft<Container | EphemeralContainer>): void {
  c.imagePullPolicy ||= defaultPullPolicy(c.image);
  c.terminationMessagePath ||= "/dev/termination-log";
  c.terminationMessagePolicy ||= "File";
  c.resources ??= {};
  for (const port of c.ports ?? []) port.protocol ||= "TCP";
  for (const env of c.env ?? []) {
    if (env.valueFrom?.fieldRef) env.valueFrom.fieldRef.apiVersion ||= "v1";
    if (env.valueFrom?.fileKeyRef) env.valueFrom.fileKeyRef.optional ??= false;
  }
  for (const probe of [c.livenessProbe, c.readinessProbe, c.startupProbe]) if (probe) defaultProbe(probe);
  for (const handler of [c.lifecycle?.postStart, c.lifecycle?.preStop]) if (handler) defaultHandler(handler);
}

function defaultProbe(probe: Draft<Probe>): void {
  probe.timeoutSeconds ||= 1;
  probe.periodSeconds ||= 10;
  probe.successThreshold ||= 1;
  probe.failureThreshold ||= 3;
  if (probe.grpc) probe.grpc.service ??= "";
  defaultHandler(probe);
}

function defaultHandler(handler: Draft<Pick<LifecycleHandler, "httpGet">>): void {
  if (!handler.httpGet) return;
  handler.httpGet.path ||= "/";
  handler.httpGet.scheme ||= "HTTP";
}

/** On real Pods a request that is left out is the limit. */
function defaultRequests(c: Draft<Container>): void {
  const limits = c.resources?.limits;
  if (!c.resources || !limits || Object.keys(limits).length === 0) return;
  c.resources.requests = { ...limits, ...c.resources.requests };
}

function defaultHostPorts(c: Draft<Container>): void {
  for (const port of c.ports ?? []) port.hostPort ||= port.containerPort;
}

const POD_LEVEL = /^(cpu|memory|hugepages-.*)$/;

/** With resources for the whole pod, its limits of huge pages are what its containers may use together. */
function defaultHugePageLimits(spec: Draft<PodSpec>): void {
  const { requests = {}, limits: own = {} } = spec.resources ?? {};
  if (!spec.resources || Object.keys({ ...requests, ...own }).length === 0) return;
  const limits: Resources = { ...own };
  for (const [name, sum] of Object.entries(sumOfRequests(spec, "limits"))) if (name.startsWith("hugepages-") && requests[name] === undefined) limits[name] ??= sum;
  if (Object.keys(limits).length > 0) spec.resources.limits = limits;
}

/** With limits for the whole pod, its requests are what its containers request together, or else those limits. */
function defaultPodRequests(spec: Draft<PodSpec>): void {
  const limits = spec.resources?.limits;
  if (!spec.resources || !limits || Object.keys(limits).length === 0) return;
  const requests: Resources = { ...spec.resources.requests };
  for (const [name, sum] of Object.entries(sumOfRequests(spec))) {
    if (POD_LEVEL.test(name) && !name.startsWith("hugepages-")) requests[name] ??= sum;
  }
  for (const [name, limit] of Object.entries(limits)) if (POD_LEVEL.test(name)) requests[name] ??= limit;
  if (Object.keys(requests).length > 0) spec.resources.requests = requests;
}

function add(into: Resources, from: Readonly<Resources> | undefined): void {
  for (const [name, value] of Object.entries(from ?? {})) {
    const sum = own(into, name);
    into[name] = sum === undefined ? value : addQuantities(sum, value);
  };
}

function atLeast(into: Resources, from: Readonly<Resources>): void {
  for (const [name, value] of Object.entries(from)) if (!Object.hasOwn(into, name) || compareQuantities(into[name], value) < 0) into[name] = value;
}

/** What the containers request together: app containers and sidecars at once, init containers one after the other. Follows component-helpers/resource. */
export function sumOfRequests(spec: PodSpec, field: "requests" | "limits" = "requests"): Resources {
  const sum: Resources = {};
  for (const c of spec.containers ?? []) add(sum, c.resources?.[field]);
  const sidecars: Resources = {};
  const peak: Resources = {};
  for (const c of spec.initContainers ?? []) {
    if (c.restartPolicy === "Always") {
      add(sum, c.resources?.[field]);
      add(sidecars, c.resources?.[field]);
      atLeast(peak, sidecars);
      continue;
    }
    const now = { ...sidecars };
    add(now, c.resources?.[field]);
    atLeast(peak, now);
  }
  atLeast(sum, peak);
  return sum;
}



function defaultVolume(v: Draft<Volume>): void {
  if (Object.entries(v).filter(([key, value]) => key !== "name" && value !== undefined && value !== null).length === 0) v.emptyDir = {};
  if (v.secret) v.secret.defaultMode ??= FILE_MODE;
  if (v.configMap) v.configMap.defaultMode ??= FILE_MODE;
  if (v.downwardAPI) {
    v.downwardAPI.defaultMode ??= FILE_MODE;
    for (const item of v.downwardAPI.items ?? []) if (item.fieldRef) item.fieldRef.apiVersion ||= "v1";
  }
  if (v.projected) defaultProjected(v.projected);
  if (v.hostPath) v.hostPath.type ??= "";
  if (v.image) v.image.pullPolicy ||= defaultPullPolicy(v.image.reference);
  if (v.ephemeral?.volumeClaimTemplate?.spec) v.ephemeral.volumeClaimTemplate.spec.volumeMode ??= "Filesystem";
  defaultNetworkVolume(v);
}

function defaultProjected(projected: NonNullable<Draft<Volume>["projected"]>): void {
  projected.defaultMode ??= FILE_MODE;
  for (const source of projected.sources ?? []) {
    if (source.serviceAccountToken) source.serviceAccountToken.expirationSeconds ??= 3600;
    for (const item of source.downwardAPI?.items ?? []) if (item.fieldRef) item.fieldRef.apiVersion ||= "v1";
  }
}

/** Kinds of volumes that no single machine mounts, but whose defaults show all the same. */
export function defaultNetworkVolume(v: Pick<Draft<Volume>, "iscsi" | "rbd" | "azureDisk" | "scaleIO">): void {
  if (v.iscsi) v.iscsi.iscsiInterface ||= "default";
  if (v.rbd) {
    v.rbd.pool ||= "rbd";
    v.rbd.user ||= "admin";
    v.rbd.keyring ||= "/etc/ceph/keyring";
  }
  if (v.azureDisk) {
    v.azureDisk.cachingMode ??= "ReadWrite";
    v.azureDisk.kind ??= "Shared";
    v.azureDisk.fsType ??= "ext4";
    v.azureDisk.readOnly ??= false;
  }
  if (v.scaleIO) {
    v.scaleIO.storageMode ||= "ThinProvisioned";
    v.scaleIO.fsType ||= "xfs";
  }
}
