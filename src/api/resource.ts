/**
 * How the rest of the house names a resource: group, version, plural, kind, scope, and (as a phantom) the type of its objects.
 */
import { table } from "../base/own.ts";
import type * as t from "./generated/types.ts";

export type { t as types };

export interface Resource<T extends object = object> {
  readonly group: string;
  readonly version: string;
  /** The plural, as in the URL. */
  readonly plural: string;
  readonly kind: string;
  readonly namespaced: boolean;
  /** Never set; ties the object's type to the value. */
  readonly type?: T;
}

const resource = <T extends object>(group: string, version: string, plural: string, kind: string, namespaced = true): Resource<T> => ({ group, version, plural, kind, namespaced });

export const PODS = resource<t.Pod>("", "v1", "pods", "Pod");
export const NAMESPACES = resource<t.Namespace>("", "v1", "namespaces", "Namespace", false);
export const NODES = resource<t.Node>("", "v1", "nodes", "Node", false);
export const EVENTS = resource<t.Event>("", "v1", "events", "Event");
export const CONFIG_MAPS = resource<t.ConfigMap>("", "v1", "configmaps", "ConfigMap");
export const SECRETS = resource<t.Secret>("", "v1", "secrets", "Secret");
export const SERVICES = resource<t.Service>("", "v1", "services", "Service");
export const ENDPOINTS = resource<t.Endpoints>("", "v1", "endpoints", "Endpoints");
export const SERVICE_ACCOUNTS = resource<t.ServiceAccount>("", "v1", "serviceaccounts", "ServiceAccount");
export const LIMIT_RANGES = resource<t.LimitRange>("", "v1", "limitranges", "LimitRange");
export const RESOURCE_QUOTAS = resource<t.ResourceQuota>("", "v1", "resourcequotas", "ResourceQuota");
export const PERSISTENT_VOLUMES = resource<t.PersistentVolume>("", "v1", "persistentvolumes", "PersistentVolume", false);
export const PERSISTENT_VOLUME_CLAIMS = resource<t.PersistentVolumeClaim>("", "v1", "persistentvolumeclaims", "PersistentVolumeClaim");
export const STORAGE_CLASSES = resource<t.StorageClass>("storage.k8s.io", "v1", "storageclasses", "StorageClass", false);
export const JOBS = resource<t.Job>("batch", "v1", "jobs", "Job");
export const CRON_JOBS = resource<t.CronJob>("batch", "v1", "cronjobs", "CronJob");
export const LEASES = resource<t.Lease>("coordination.k8s.io", "v1", "leases", "Lease");
export const ENDPOINT_SLICES = resource<t.EndpointSlice>("discovery.k8s.io", "v1", "endpointslices", "EndpointSlice");
export const PRIORITY_CLASSES = resource<t.PriorityClass>("scheduling.k8s.io", "v1", "priorityclasses", "PriorityClass", false);
export const POD_DISRUPTION_BUDGETS = resource<t.PodDisruptionBudget>("policy", "v1", "poddisruptionbudgets", "PodDisruptionBudget");
export const CERTIFICATE_SIGNING_REQUESTS = resource<t.CertificateSigningRequest>("certificates.k8s.io", "v1", "certificatesigningrequests", "CertificateSigningRequest", false);
export const CLUSTER_ROLES = resource<t.ClusterRole>("rbac.authorization.k8s.io", "v1", "clusterroles", "ClusterRole", false);
export const CLUSTER_ROLE_BINDINGS = resource<t.ClusterRoleBinding>("rbac.authorization.k8s.io", "v1", "clusterrolebindings", "ClusterRoleBinding", false);

/** Names under which upstream has kinds in its store, where those are not their plurals: errors show them. */
const STORAGE_PATHS: Readonly<Record<string, string>> = table({ nodes: "minions", services: "services/specs", endpoints: "services/endpoints", replicationcontrollers: "controllers", ingresses: "ingress" });

/** `pods`, `services/specs`. */
export const storagePathOf = ({ plural }: Pick<Resource, "plural">): string => STORAGE_PATHS[plural] ?? plural;

/** `batch/v1`, or `v1` for the core group. */
export const apiVersionOf = (r: Pick<Resource, "group" | "version">): string => (r.group === "" ? r.version : `${r.group}/${r.version}`);

/** `jobs.batch`, or `pods` for the core group: how error texts name a resource. */
export const qualifiedPlural = (r: Pick<Resource, "group" | "plural">): string => (r.group === "" ? r.plural : `${r.plural}.${r.group}`);
