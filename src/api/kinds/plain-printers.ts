/**
 * The cells of kinds that are stored as they are: what `kubectl get` shows of them.
 * Follows kubernetes pkg/printers/internalversion/printers.go.
 */
import type { CSIDriver, CSINode, Ingress, IngressClass, IPAddress, NetworkPolicy, ServiceCIDR, VolumeAttachment, VolumeAttributesClass } from "../generated/types.ts";
import type { KubeObject } from "../object.ts";
import { formatLabelSelector } from "../validation/labels.ts";
import type { Printer } from "./kind.ts";
import { ageCell, type Cells, nameOf, printer } from "./printing.ts";
import { SYSTEM_PRINTERS } from "./system-printers.ts";

const NONE = "<none>";
const HOSTS_MAX = 3;
const ADDRESSES_WIDTH = 16;
const DEFAULT_CLASS = "ingressclass.kubernetes.io/is-default-class";

/** The first names of a list, and how many more there are. Beyond the first three even the nameless count. */
function hostsOf({ spec }: Ingress): string {
  const rules = spec?.rules ?? [];
  const hosts: string[] = [];
  for (const { host } of rules) {
    if (hosts.length === HOSTS_MAX) return `${hosts.join(",")} + ${rules.length - HOSTS_MAX} more...`;
    if (host) hosts.push(host);
  }
  return hosts.length === 0 ? "*" : hosts.join(",");
}

function addressOf({ status }: Ingress): string {
  const found = (status?.loadBalancer?.ingress ?? []).map(({ ip, hostname }) => ip || hostname || "").filter((address) => address !== "");
  const text = [...new Set(found)].sort().join(",");
  return text.length > ADDRESSES_WIDTH ? `${text.slice(0, ADDRESSES_WIDTH - 3)}...` : text;
}

const ingress: Cells<Ingress> = (o, now) => [nameOf(o), o.spec?.ingressClassName ?? NONE, hostsOf(o), addressOf(o), (o.spec?.tls ?? []).length > 0 ? "80, 443" : "80", ageCell(o, now)];

const ingressClass: Cells<IngressClass> = (o, now) => {
  const { controller = "", parameters } = o.spec ?? {};
  const isDefault = o.metadata.annotations?.[DEFAULT_CLASS] === "true";
  const target = parameters ? `${parameters.kind}${parameters.apiGroup === undefined ? "" : `.${parameters.apiGroup}`}/${parameters.name}` : NONE;
  return [`${nameOf(o)}${isDefault ? " (default)" : ""}`, controller, target, ageCell(o, now)];
};

const ipAddress: Cells<IPAddress> = (o, now) => {
  const ref = o.spec?.parentRef;
  if (!ref) return [nameOf(o), NONE, ageCell(o, now)];
  const resource = (ref.group ? `${ref.resource}.${ref.group}` : ref.resource).toLowerCase();
  return [nameOf(o), [resource, ...(ref.namespace ? [ref.namespace] : []), ref.name].join("/"), ageCell(o, now)];
};

const csiDriver: Cells<CSIDriver> = (o, now) => {
  const { attachRequired = true, podInfoOnMount = false, storageCapacity = false, tokenRequests, requiresRepublish = false, volumeLifecycleModes = [] } = o.spec;
  const audiences = tokenRequests ? tokenRequests.map(({ audience }) => audience).join(",") : "<unset>";
  return [nameOf(o), attachRequired, podInfoOnMount, storageCapacity, audiences, requiresRepublish, volumeLifecycleModes.join(",") || NONE, ageCell(o, now)];
};

const networkPolicy: Cells<NetworkPolicy> = (o, now) => [nameOf(o), formatLabelSelector(o.spec?.podSelector ?? {}), ageCell(o, now)];
const serviceCidr: Cells<ServiceCIDR> = (o, now) => [nameOf(o), (o.spec?.cidrs ?? []).join(","), ageCell(o, now)];
const csiNode: Cells<CSINode> = (o, now) => [nameOf(o), (o.spec.drivers ?? []).length, ageCell(o, now)];
const volumeAttachment: Cells<VolumeAttachment> = (o, now) => [nameOf(o), o.spec.attacher, o.spec.source.persistentVolumeName ?? "", o.spec.nodeName, o.status?.attached ?? false, ageCell(o, now)];
const volumeAttributesClass: Cells<VolumeAttributesClass> = (o, now) => [nameOf(o), o.driverName, ageCell(o, now)];

/** By the kind's name. */
export const PLAIN_PRINTERS: Readonly<Record<string, Omit<Printer<KubeObject>, "columns"> | undefined>> = {
  Ingress: printer(ingress),
  IngressClass: printer(ingressClass),
  IPAddress: printer(ipAddress),
  NetworkPolicy: printer(networkPolicy),
  ServiceCIDR: printer(serviceCidr),
  CSIDriver: printer(csiDriver),
  CSINode: printer(csiNode),
  VolumeAttachment: printer(volumeAttachment),
  VolumeAttributesClass: printer(volumeAttributesClass),
  ...SYSTEM_PRINTERS,
};
