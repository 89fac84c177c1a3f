/**
 * The columns of every kind's Table: names, types and priorities are upstream's (`../data/printer-columns.json`); their descriptions are either
 * the text here or those of an API field (`describedBy`), which whoever has the API's descriptions fills in.
 * Follows kubernetes pkg/printers/internalversion/printers.go (AddHandlers).
 */
import printerColumns from "../data/printer-columns.json" with { type: "json" };
import type { Resource } from "../resource.ts";
import type { Column } from "./kind.ts";

type Raw = readonly (readonly [string, string, string, number])[];

const COLUMNS = printerColumns as unknown as Readonly<Record<string, Raw | undefined>>;

const META = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta";
const CORE = "io.k8s.api.core.v1";
const BATCH = "io.k8s.api.batch.v1";
const TEMPLATE = { Containers: "Names of each container in the template.", Images: "Images referenced by each container in the template." };

/** Column → a text, or `=SCHEMA.FIELD`: the description of that field. */
type Descriptions = Readonly<Record<string, string>>;

const EVERYWHERE: Descriptions = { Name: `=${META}.name`, Age: `=${META}.creationTimestamp` };

const DESCRIPTIONS: Readonly<Record<string, Descriptions>> = {
  "api/v1/pods": {
    Ready: "The aggregate readiness state of this pod for accepting traffic.",
    Status: "The aggregate status of the containers in this pod.",
    Restarts: "The number of times the containers in this pod have been restarted and when the last container in this pod has restarted.",
    IP: `=${CORE}.PodStatus.podIP`,
    Node: `=${CORE}.PodSpec.nodeName`,
    "Nominated Node": `=${CORE}.PodStatus.nominatedNodeName`,
    "Readiness Gates": `=${CORE}.PodSpec.readinessGates`,
  },
  "api/v1/podtemplates": { Containers: TEMPLATE.Containers, Images: TEMPLATE.Images, "Pod Labels": "The labels for the pod template." },
  "apis/batch/v1/jobs": {
    Status: "Status of the job.",
    Completions: `=${BATCH}.JobStatus.succeeded`,
    Duration: "Time required to complete the job.",
    ...TEMPLATE,
    Selector: `=${BATCH}.JobSpec.selector`,
  },
  "apis/batch/v1/cronjobs": {
    Schedule: `=${BATCH}.CronJobSpec.schedule`,
    Timezone: `=${BATCH}.CronJobSpec.timeZone`,
    Suspend: `=${BATCH}.CronJobSpec.suspend`,
    Active: `=${BATCH}.CronJobStatus.active`,
    "Last Schedule": `=${BATCH}.CronJobStatus.lastScheduleTime`,
    ...TEMPLATE,
    Selector: `=${BATCH}.JobSpec.selector`,
  },
  "api/v1/services": {
    Type: `=${CORE}.ServiceSpec.type`,
    "Cluster-IP": `=${CORE}.ServiceSpec.clusterIP`,
    "External-IP": `=${CORE}.ServiceSpec.externalIPs`,
    "Port(s)": `=${CORE}.ServiceSpec.ports`,
    Selector: `=${CORE}.ServiceSpec.selector`,
  },
  "api/v1/endpoints": { Endpoints: `=${CORE}.Endpoints.subsets` },
  "api/v1/configmaps": { Data: `=${CORE}.ConfigMap.data` },
  "api/v1/secrets": { Type: `=${CORE}.Secret.type`, Data: `=${CORE}.Secret.data` },
  "api/v1/namespaces": { Status: "The status of the namespace" },
  "api/v1/nodes": {
    Status: "The status of the node",
    Roles: "The roles of the node",
    Version: `=${CORE}.NodeSystemInfo.kubeletVersion`,
    "Internal-IP": `=${CORE}.NodeStatus.addresses`,
    "External-IP": `=${CORE}.NodeStatus.addresses`,
    "OS-Image": `=${CORE}.NodeSystemInfo.osImage`,
    "Kernel-Version": `=${CORE}.NodeSystemInfo.kernelVersion`,
    "Container-Runtime": `=${CORE}.NodeSystemInfo.containerRuntimeVersion`,
  },
  "api/v1/events": {
    "Last Seen": `=${CORE}.Event.lastTimestamp`,
    Type: `=${CORE}.Event.type`,
    Reason: `=${CORE}.Event.reason`,
    Object: `=${CORE}.Event.involvedObject`,
    Subobject: `=${CORE}.ObjectReference.fieldPath`,
    Source: `=${CORE}.Event.source`,
    Message: `=${CORE}.Event.message`,
    "First Seen": `=${CORE}.Event.firstTimestamp`,
    Count: `=${CORE}.Event.count`,
  },
  "api/v1/persistentvolumeclaims": {
    Status: `=${CORE}.PersistentVolumeClaimStatus.phase`,
    Volume: `=${CORE}.PersistentVolumeClaimSpec.volumeName`,
    Capacity: `=${CORE}.PersistentVolumeClaimStatus.capacity`,
    "Access Modes": `=${CORE}.PersistentVolumeClaimStatus.accessModes`,
    StorageClass: "StorageClass of the pvc",
    VolumeMode: `=${CORE}.PersistentVolumeClaimSpec.volumeMode`,
  },
  "api/v1/persistentvolumes": {
    Capacity: `=${CORE}.PersistentVolumeSpec.capacity`,
    "Access Modes": `=${CORE}.PersistentVolumeSpec.accessModes`,
    "Reclaim Policy": `=${CORE}.PersistentVolumeSpec.persistentVolumeReclaimPolicy`,
    Status: `=${CORE}.PersistentVolumeStatus.phase`,
    Claim: `=${CORE}.PersistentVolumeSpec.claimRef`,
    StorageClass: "StorageClass of the pv",
    Reason: `=${CORE}.PersistentVolumeStatus.reason`,
    VolumeMode: `=${CORE}.PersistentVolumeSpec.volumeMode`,
  },
  "api/v1/resourcequotas": {
    Request: "Request represents a minimum amount of cpu/memory that a container may consume.",
    Limit: "Limits control the maximum amount of cpu/memory that a container may use independent of contention on the node.",
  },
  "api/v1/limitranges": { "Created At": `=${META}.creationTimestamp` },
  "apis/coordination.k8s.io/v1/leases": { Holder: "=io.k8s.api.coordination.v1.LeaseSpec.holderIdentity" },
  "apis/discovery.k8s.io/v1/endpointslices": {
    AddressType: "=io.k8s.api.discovery.v1.EndpointSlice.addressType",
    Ports: "=io.k8s.api.discovery.v1.EndpointSlice.ports",
    Endpoints: "=io.k8s.api.discovery.v1.EndpointSlice.endpoints",
  },
  "apis/policy/v1/poddisruptionbudgets": {
    "Min Available": "The minimum number of pods that must be available.",
    "Max Unavailable": "The maximum number of pods that may be unavailable.",
    "Allowed Disruptions": "Calculated number of pods that may be disrupted at this time.",
  },
  "apis/scheduling.k8s.io/v1/priorityclasses": {
    Value: "=io.k8s.api.scheduling.v1.PriorityClass.value",
    "Global-Default": "=io.k8s.api.scheduling.v1.PriorityClass.globalDefault",
    PreemptionPolicy: "=io.k8s.api.scheduling.v1.PriorityClass.preemptionPolicy",
  },
  "apis/rbac.authorization.k8s.io/v1/roles": { "Created At": `=${META}.creationTimestamp` },
  "apis/rbac.authorization.k8s.io/v1/clusterroles": { "Created At": `=${META}.creationTimestamp` },
  "apis/rbac.authorization.k8s.io/v1/rolebindings": { Role: "=io.k8s.api.rbac.v1.RoleBinding.roleRef", Users: "Users in the roleBinding", Groups: "Groups in the roleBinding", ServiceAccounts: "ServiceAccounts in the roleBinding" },
  "apis/rbac.authorization.k8s.io/v1/clusterrolebindings": { Role: "=io.k8s.api.rbac.v1.ClusterRoleBinding.roleRef", Users: "Users in the clusterRoleBinding", Groups: "Groups in the clusterRoleBinding", ServiceAccounts: "ServiceAccounts in the clusterRoleBinding" },
  "apis/node.k8s.io/v1/runtimeclasses": { Handler: "=io.k8s.api.node.v1.RuntimeClass.handler" },
  "apis/storage.k8s.io/v1/storageclasses": {
    Provisioner: "=io.k8s.api.storage.v1.StorageClass.provisioner",
    ReclaimPolicy: "=io.k8s.api.storage.v1.StorageClass.reclaimPolicy",
    VolumeBindingMode: "=io.k8s.api.storage.v1.StorageClass.volumeBindingMode",
    AllowVolumeExpansion: "=io.k8s.api.storage.v1.StorageClass.allowVolumeExpansion",
  },
};

const DEFAULT_COLUMNS: Raw = [["Name", "string", "name", 0], ["Created At", "date", "", 0]];
/** Descriptions of the columns that kinds without a table of their own have (TableConvertor's default). */
const DEFAULT_DESCRIPTIONS: Descriptions = { "Created At": `=${META}.creationTimestamp` };

function describe(text: string): Pick<Column, "description" | "describedBy"> {
  return text.startsWith("=") ? { description: "", describedBy: text.slice(1) } : { description: text };
}

export function columnsOf(resource: Pick<Resource, "group" | "version" | "plural">): readonly Column[] {
  const key = `${resource.group === "" ? "api" : `apis/${resource.group}`}/${resource.version}/${resource.plural}`;
  const raw = COLUMNS[key] ?? DEFAULT_COLUMNS;
  const texts = { ...EVERYWHERE, ...(DESCRIPTIONS[key.replace("apis/events.k8s.io/", "api/")] ?? DEFAULT_DESCRIPTIONS) };
  return raw.map(([name, type, format, priority]) => ({ name, type, format, priority, ...describe(texts[name] ?? "") }));
}
