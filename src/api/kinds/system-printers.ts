/**
 * The cells of kinds that a cluster is run with: certificates, flow control, devices, admission, aggregated APIs.
 * Follows kubernetes pkg/printers/internalversion/printers.go and kube-aggregator pkg/registry/apiservice/etcd.
 */
import { table } from "../../base/own.ts";
import type {
  APIService, FlowSchema, MutatingAdmissionPolicy, MutatingWebhookConfiguration, PriorityLevelConfiguration, DynamicResourceClaim, ResourceSlice, ValidatingAdmissionPolicy,
  ValidatingAdmissionPolicyBinding,
} from "../generated/types.ts";
import type { KubeObject } from "../object.ts";
import { formatLabelSelector } from "../validation/labels.ts";
import type { Printer } from "./kind.ts";
import { ageCell, type Cells, nameOf, printer } from "./printing.ts";

const NONE = "<none>";
const UNSET = "<unset>";

const flowSchema: Cells<FlowSchema> = (o, now) => {
  const { priorityLevelConfiguration, matchingPrecedence = 0, distinguisherMethod } = o.spec ?? {};
  const dangling = o.status?.conditions?.find((c) => c.type === "Dangling")?.status ?? "?";
  return [nameOf(o), priorityLevelConfiguration?.name ?? "", matchingPrecedence, distinguisherMethod?.type ?? NONE, ageCell(o, now), dangling];
};

const priorityLevel: Cells<PriorityLevelConfiguration> = (o, now) => {
  const type = o.spec?.type ?? "";
  const limited = o.spec?.limited;
  const { queues = NONE, handSize = NONE, queueLengthLimit = NONE } = limited?.limitResponse?.queuing ?? {};
  return [nameOf(o), type, limited ? (limited.nominalConcurrencyShares ?? 0) : NONE, queues, handSize, queueLengthLimit, ageCell(o, now)];
};

const resourceClaim: Cells<DynamicResourceClaim> = (o, now) => {
  const isGoing = o.metadata.deletionTimestamp !== undefined;
  const given = o.status?.allocation ? ["allocated", ...((o.status.reservedFor ?? []).length > 0 ? ["reserved"] : [])] : isGoing ? [] : ["pending"];
  return [nameOf(o), [...(isGoing ? ["deleted"] : []), ...given].join(","), ageCell(o, now)];
};

const resourceSlice: Cells<ResourceSlice> = (o, now) => [nameOf(o), o.spec.nodeName ?? "", o.spec.driver, o.spec.pool?.name ?? "", ageCell(o, now)];

const webhooks: Cells<MutatingWebhookConfiguration> = (o, now) => [nameOf(o), (o.webhooks ?? []).length, ageCell(o, now)];

const paramKindOf = (ref: { readonly apiVersion?: string; readonly kind?: string } | undefined): string => (ref ? `${ref.apiVersion ?? ""}/${ref.kind ?? ""}` : UNSET);
const validatingPolicy: Cells<ValidatingAdmissionPolicy> = (o, now) => [nameOf(o), (o.spec?.validations ?? []).length, paramKindOf(o.spec?.paramKind), ageCell(o, now)];
const mutatingPolicy: Cells<MutatingAdmissionPolicy> = (o, now) => [nameOf(o), (o.spec?.mutations ?? []).length, paramKindOf(o.spec?.paramKind), ageCell(o, now)];

const policyBinding: Cells<ValidatingAdmissionPolicyBinding> = (o, now) => {
  const policyName = o.spec?.policyName ?? "";
  const paramRef = o.spec?.paramRef;
  const param = paramRef?.name ? `${paramRef.namespace || "*"}/${paramRef.name}` : paramRef?.selector ? formatLabelSelector(paramRef.selector) : UNSET;
  return [nameOf(o), policyName, param, ageCell(o, now)];
};

const apiService: Cells<APIService> = (o, now) => {
  const { service } = o.spec ?? {};
  const available = o.status?.conditions?.find((c) => c.type === "Available");
  const state = !available ? "Unknown" : available.status !== "True" && available.reason ? `${available.status} (${available.reason})` : available.status;
  return [nameOf(o), service ? `${service.namespace ?? ""}/${service.name ?? ""}` : "Local", state, ageCell(o, now)];
};

/** By the kind's name. */
export const SYSTEM_PRINTERS: Readonly<Record<string, Omit<Printer<KubeObject>, "columns"> | undefined>> = table({
  FlowSchema: printer(flowSchema),
  PriorityLevelConfiguration: printer(priorityLevel),
  ResourceClaim: printer(resourceClaim),
  ResourceSlice: printer(resourceSlice),
  MutatingWebhookConfiguration: printer(webhooks),
  ValidatingWebhookConfiguration: printer(webhooks),
  ValidatingAdmissionPolicy: printer(validatingPolicy),
  MutatingAdmissionPolicy: printer(mutatingPolicy),
  ValidatingAdmissionPolicyBinding: printer(policyBinding),
  MutatingAdmissionPolicyBinding: printer(policyBinding),
  APIService: printer(apiService),
});
