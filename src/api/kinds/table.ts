/**
 * Every kind that is stored. Nothing in `registry/` or `server/` names a kind: they look it up here. A kind without rules of its own is one line.
 */
import type { KubeObject } from "../object.ts";
import { apiVersionOf } from "../resource.ts";
import { deploymentKind, replicaSetKind, replicationControllerKind } from "./apps/replicas.ts";
import { controllerRevisionKind, daemonSetKind, statefulSetKind } from "./apps/sets.ts";
import { autoscalerKind, autoscalerV1Kind } from "./autoscaling/autoscaler.ts";
import { certificateSigningRequestKind } from "./certificates/signing-request.ts";
import { leaseKind } from "./coordination.ts";
import { configMapKind, secretKind, serviceAccountKind } from "./core/config.ts";
import { endpointSliceKind, endpointsKind } from "./core/endpoints.ts";
import { eventKind, newEventKind } from "./core/event.ts";
import { namespaceKind } from "./core/namespace.ts";
import { nodeKind } from "./core/node.ts";
import { limitRangeKind, resourceQuotaKind } from "./core/quota.ts";
import { serviceKind } from "./core/service.ts";
import { defineKind, type KindRules } from "./define.ts";
import { cronJobKind } from "./job/cron-job.ts";
import { jobKind } from "./job/job.ts";
import type { Kind } from "./kind.ts";
import { ingressClassKind, ingressKind } from "./networking/ingress.ts";
import { networkPolicyKind } from "./networking/network-policy.ts";
import { ipAddressKind, serviceCidrKind } from "./networking/service-addresses.ts";
import { SYSTEM_PRINTERS } from "./system-printers.ts";
import { podKind, podTemplateKind } from "./pod/pod.ts";
import { clusterRoleBindingKind, clusterRoleKind, roleBindingKind, roleKind } from "./rbac.ts";
import { podDisruptionBudgetKind, priorityClassKind, runtimeClassKind } from "./scheduling.ts";
import { persistentVolumeClaimKind } from "./storage/claim.ts";
import { storageClassKind, volumeAttributesClassKind } from "./storage/classes.ts";
import { csiDriverKind, csiNodeKind, csiStorageCapacityKind, volumeAttachmentKind } from "./storage/csi.ts";
import { persistentVolumeKind } from "./storage/volume.ts";

type PlainRules = Pick<KindRules<KubeObject>, "generation" | "status" | "deleteReturnsObject" | "deprecation" | "allowUnconditionalUpdate" | "metaOnUpdate" | "plainMeta">;

/** A kind that is stored and shown as it is. */
function plain(group: string, plural: string, kind: string, scope: "namespaced" | "cluster", rules: PlainRules = {}): Kind {
  const printer = SYSTEM_PRINTERS[kind];
  return defineKind<KubeObject>({ resource: { group, version: "v1", plural, kind, namespaced: scope === "namespaced" }, schema: `${pkgOf(group)}.v1.${kind}`, ...(printer && { printer }), ...rules });
}

const pkgOf = (group: string): string =>
  group === "apiregistration.k8s.io" ? "io.k8s.kube-aggregator.pkg.apis.apiregistration" : group === "apiextensions.k8s.io" ? "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions" : `io.k8s.api.${group.split(".")[0] || "core"}`;

const ADMISSION = "admissionregistration.k8s.io";

/** Kinds of different objects in one list: each function of a kind is only ever given objects of that kind. */
const erase = <T extends KubeObject>(kind: Kind<T>): Kind => kind as unknown as Kind;

export const kinds: readonly Kind[] = [
  erase(jobKind), erase(cronJobKind),
  erase(podKind), erase(podTemplateKind), erase(namespaceKind), erase(nodeKind), erase(serviceKind), erase(endpointsKind), erase(configMapKind), erase(secretKind), erase(serviceAccountKind), erase(eventKind),
  erase(limitRangeKind), erase(resourceQuotaKind), erase(persistentVolumeKind), erase(persistentVolumeClaimKind), erase(replicationControllerKind),
  erase(newEventKind), erase(leaseKind), erase(endpointSliceKind), erase(priorityClassKind), erase(runtimeClassKind), erase(podDisruptionBudgetKind), erase(storageClassKind),
  erase(controllerRevisionKind), erase(deploymentKind), erase(replicaSetKind), erase(statefulSetKind), erase(daemonSetKind), erase(autoscalerV1Kind), erase(autoscalerKind),
  erase(roleKind), erase(clusterRoleKind), erase(roleBindingKind), erase(clusterRoleBindingKind),
  plain("", "componentstatuses", "ComponentStatus", "cluster", { deprecation: "v1 ComponentStatus is deprecated in v1.19+" }),
  erase(csiDriverKind), erase(csiNodeKind), erase(csiStorageCapacityKind), erase(volumeAttachmentKind), erase(volumeAttributesClassKind),
  erase(ingressClassKind), erase(ingressKind), erase(ipAddressKind), erase(networkPolicyKind), erase(serviceCidrKind),
  plain("apiextensions.k8s.io", "customresourcedefinitions", "CustomResourceDefinition", "cluster", { metaOnUpdate: "update", plainMeta: true, generation: "spec", status: {} }),
  erase(certificateSigningRequestKind),
  plain("flowcontrol.apiserver.k8s.io", "flowschemas", "FlowSchema", "cluster", { generation: "spec", status: {} }),
  plain("flowcontrol.apiserver.k8s.io", "prioritylevelconfigurations", "PriorityLevelConfiguration", "cluster", { generation: "spec", status: {} }),
  plain("resource.k8s.io", "deviceclasses", "DeviceClass", "cluster", { generation: "spec", deleteReturnsObject: true }),
  plain("resource.k8s.io", "resourceclaims", "ResourceClaim", "namespaced", { status: {}, deleteReturnsObject: true }),
  plain("resource.k8s.io", "resourceclaimtemplates", "ResourceClaimTemplate", "namespaced", { deleteReturnsObject: true }),
  plain("resource.k8s.io", "resourceslices", "ResourceSlice", "cluster", { generation: "spec", deleteReturnsObject: true }),
  plain("apiregistration.k8s.io", "apiservices", "APIService", "cluster", { status: {} }),
  ...["Mutating", "Validating"].flatMap((side) => [
    plain(ADMISSION, `${side.toLowerCase()}webhookconfigurations`, `${side}WebhookConfiguration`, "cluster", { generation: "webhooks" }),
    plain(ADMISSION, `${side.toLowerCase()}admissionpolicies`, `${side}AdmissionPolicy`, "cluster", { generation: "spec", ...(side === "Validating" && { status: {} }) }),
    plain(ADMISSION, `${side.toLowerCase()}admissionpolicybindings`, `${side}AdmissionPolicyBinding`, "cluster", { generation: "spec" }),
  ]),
];

const byPlural = new Map(kinds.map((k) => [`${k.resource.group}/${k.resource.version}/${k.resource.plural}`, k]));
const byKind = new Map(kinds.map((k) => [`${apiVersionOf(k.resource)}/${k.resource.kind}`, k]));

/** The kind behind a URL: `batch`, `v1`, `jobs`. */
export const findKind = (group: string, version: string, plural: string): Kind | undefined => byPlural.get(`${group}/${version}/${plural}`);

/** The kind of an object: `batch/v1`, `Job`. */
export const findKindByKind = (apiVersion: string, kind: string): Kind | undefined => byKind.get(`${apiVersion}/${kind}`);

