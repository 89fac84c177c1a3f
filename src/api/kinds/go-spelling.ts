/**
 * A structure as upstream prints it in a field error: its internal Go type as JSON, every field under its Go name, what is absent as null or zero.
 * Only made when an error is made. The internal types' fields are taken to be those of v1, which holds for nearly all of them.
 */
import { table } from "../../base/own.ts";
import { Spelled } from "../field-error.ts";
import { unifiedDiff } from "../validation/diff.ts";
import { type Field, structOf, type Type } from "../schema/schema.ts";

/** JSON names whose Go names are not just capitalised. */
const GO_NAMES: Readonly<Record<string, string>> = table({
  uid: "UID", hostPID: "HostPID", podIP: "PodIP", hostIP: "HostIP", dnsPolicy: "DNSPolicy", dnsConfig: "DNSConfig", os: "OS", tty: "TTY", ip: "IP", httpGet: "HTTPGet", httpHeaders: "HTTPHeaders",
  grpc: "GRPC", tcpSocket: "TCPSocket", nfs: "NFS", iscsi: "ISCSI", rbd: "RBD", fc: "FC", csi: "CSI", apiVersion: "APIVersion", fsGroup: "FSGroup", fsGroupChangePolicy: "FSGroupChangePolicy",
  seLinuxOptions: "SELinuxOptions", seLinuxChangePolicy: "SELinuxChangePolicy", resourceFieldRef: "ResourceFieldRef", clusterIP: "ClusterIP", clusterIPs: "ClusterIPs",
  apiGroup: "APIGroup", externalIPs: "ExternalIPs", setHostnameAsFQDN: "SetHostnameAsFQDN", cephfs: "CephFS", downwardAPI: "DownwardAPI", awsElasticBlockStore: "AWSElasticBlockStore",
  gcePersistentDisk: "GCEPersistentDisk", scaleIO: "ScaleIO", storageos: "StorageOS", glusterfs: "Glusterfs", fsType: "FSType", volumeID: "VolumeID", pdName: "PDName",
});

const ISCSI = { iqn: "IQN", iscsiInterface: "ISCSIInterface", chapAuthDiscovery: "DiscoveryCHAPAuth", chapAuthSession: "SessionCHAPAuth" };
const RBD = { monitors: "CephMonitors", image: "RBDImage", pool: "RBDPool", user: "RadosUser" };
const SSL = { sslEnabled: "SSLEnabled" };
const GLUSTERFS = { endpoints: "EndpointsName" };
/** Fields that an internal type calls by another name. */
const NAMES_IN: Readonly<Record<string, Readonly<Record<string, string>>>> = table({
  ISCSIVolumeSource: ISCSI, ISCSIPersistentVolumeSource: ISCSI, RBDVolumeSource: RBD, RBDPersistentVolumeSource: RBD, ScaleIOVolumeSource: SSL, ScaleIOPersistentVolumeSource: SSL,
  GlusterfsVolumeSource: GLUSTERFS, GlusterfsPersistentVolumeSource: GLUSTERFS, FCVolumeSource: { wwids: "WWIDs" }, AzureDiskVolumeSource: { diskURI: "DataDiskURI" },
  ContainerStatus: { lastState: "LastTerminationState" }, LinuxContainerUser: { gid: "GID" }, LoadBalancerIngress: { ipMode: "IPMode" }, PodStatus: { qosClass: "QOSClass" },
  WindowsSecurityContextOptions: { gmsaCredentialSpecName: "GMSACredentialSpecName", gmsaCredentialSpec: "GMSACredentialSpec" }, JobSpec: { ttlSecondsAfterFinished: "TTLSecondsAfterFinished" },
});
/** Fields that v1 has and an internal type does not. */
const LEFT_OUT: Readonly<Record<string, readonly string[]>> = table({ PodStatus: ["podIP"] });

const goName = (name: string, struct = ""): string => NAMES_IN[struct]?.[name] ?? GO_NAMES[name] ?? name.charAt(0).toUpperCase() + name.slice(1);

const isObject = (v: unknown): v is Readonly<Record<string, unknown>> => typeof v === "object" && v !== null && !Array.isArray(v);

function zero(field: Field): unknown {
  if (field.pointer) return null;
  switch (field.type.kind) {
    case "struct":
      return struct(field.type.struct().name, {});
    case "string":
      return "";
    case "bool":
      return false;
    case "int32":
    case "int64":
    case "float64":
      return 0;
    case "quantity":
      return "0";
    case "intOrString":
      return 0;
    default:
      return null;
  }
}

function value(type: Type, v: unknown): unknown {
  if (type.kind === "struct" && isObject(v)) return struct(type.struct().name, v);
  if (type.kind === "list" && Array.isArray(v)) return v.map((x) => value(type.element, x));
  if (type.kind === "map" && isObject(v)) return Object.fromEntries(Object.keys(v).sort().map((key) => [key, value(type.value, v[key])]));
  return v;
}

const CORE = "io.k8s.api.core.v1.";
/** In the internal PodSpec these are fields of the security context. */
const HOST_FIELDS = ["hostNetwork", "hostPID", "hostIPC", "shareProcessNamespace", "hostUsers"];
/** The internal PodSpec's own order. */
const POD_SPEC = [
  "Volumes", "InitContainers", "Containers", "EphemeralContainers", "RestartPolicy", "TerminationGracePeriodSeconds", "ActiveDeadlineSeconds", "DNSPolicy", "NodeSelector", "ServiceAccountName",
  "AutomountServiceAccountToken", "NodeName", "SecurityContext", "ImagePullSecrets", "Hostname", "Subdomain", "SetHostnameAsFQDN", "Affinity", "SchedulerName", "Tolerations", "HostAliases",
  "PriorityClassName", "Priority", "PreemptionPolicy", "DNSConfig", "ReadinessGates", "RuntimeClassName", "Overhead", "EnableServiceLinks", "TopologySpreadConstraints", "OS", "SchedulingGates",
  "ResourceClaims", "Resources", "HostnameOverride", "SchedulingGroup",
];

/** The internal PodSpec differs from v1's in its order and in where the host's namespaces stand. */
function podSpec(v: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const shown = fieldsOf(`${CORE}PodSpec`, v);
  const host = HOST_FIELDS.map((key) => [goName(key), v[key] ?? (key === "shareProcessNamespace" || key === "hostUsers" ? null : false)] as const);
  const context = shown["SecurityContext"];
  if (isObject(context)) shown["SecurityContext"] = { ...Object.fromEntries(host), ...context };
  return Object.fromEntries(POD_SPEC.map((key) => [key, shown[key] ?? null]));
}

/** Fields that stand elsewhere in an internal type than in v1: each behind the one named after it. */
const MOVED: Readonly<Record<string, readonly (readonly [field: string, behind: string])[]>> = table({
  [`${CORE}PodSecurityContext`]: [["FSGroupChangePolicy", "FSGroup"]],
  [`${CORE}Volume`]: [["Quobyte", "RBD"]],
  [`${CORE}PersistentVolumeSpec`]: [["Quobyte", "RBD"], ["FlexVolume", "ISCSI"]],
  [`${CORE}PodStatus`]: [["QOSClass", "StartTime"]],
  "io.k8s.api.batch.v1.JobSpec": [["ActiveDeadlineSeconds", "SuccessPolicy"]],
  "io.k8s.api.batch.v1.JobStatus": [["Terminating", "Active"], ["Ready", "Terminating"]],
});

function moved(shown: Record<string, unknown>, moves: readonly (readonly [string, string])[]): Record<string, unknown> {
  const keys = Object.keys(shown);
  for (const [field, behind] of moves) {
    keys.splice(keys.indexOf(field), 1);
    keys.splice(keys.indexOf(behind) + 1, 0, field);
  }
  return Object.fromEntries(keys.map((key) => [key, shown[key]]));
}

const META = "io.k8s.apimachinery.pkg.apis.meta.v1.";

/** Types of apimachinery have JSON names in the internal version too. */
function struct(name: string, v: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return name === `${CORE}PodSpec` ? podSpec(v) : fieldsOf(name, v);
}

function fieldsOf(name: string, v: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const { fields, goName: type } = structOf(name);
  const meta = name.startsWith(META);
  const shown: Record<string, unknown> = {};
  for (const [key, field] of fields) {
    const has = v[key] !== undefined && v[key] !== null;
    // The metadata is embedded: its fields stand beside the others.
    if (key === "metadata" && field.type.kind === "struct") {
      Object.assign(shown, has ? value(field.type, v[key]) : {});
      continue;
    }
    if ((meta && !has && !field.always) || LEFT_OUT[type]?.includes(key)) continue;
    shown[meta ? key : goName(key, type)] = has ? value(field.type, v[key]) : zero(field);
  }
  const moves = MOVED[name];
  return moves ? moved(shown, moves) : shown;
}

/** null when there is no value. */
export function goSpelled(schema: string, v: object | undefined): Spelled {
  return new Spelled(v === undefined ? "null" : JSON.stringify(struct(schema, { ...v })));
}

/** How two values of a type differ, as upstream shows it; `without`: fields that are no part of the comparison. */
export function goDiff(schema: string, old: object, now: object, without: ReadonlySet<string> = new Set()): string {
  const left = new Set([...without].map((name) => goName(name)));
  const text = (v: object) => JSON.stringify(Object.fromEntries(Object.entries(struct(schema, { ...v })).filter(([key]) => !left.has(key))), null, 1);
  return unifiedDiff(text(old), text(now));
}

/** The same of two lists of values of a type. */
export function goDiffOf(schema: string, old: readonly object[], now: readonly object[]): string {
  const text = (list: readonly object[]) => JSON.stringify(list.length === 0 ? null : list.map((v) => struct(schema, { ...v })), null, 1);
  return unifiedDiff(text(old), text(now));
}
