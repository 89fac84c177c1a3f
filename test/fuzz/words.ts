/**
 * Words that a field of this name really takes (and a few that it nearly takes), for drawn requests: so that most of them get past the first check.
 * Keys are names of fields as the schemas have them, or `Struct.field` where one name means different things.
 */

const IPS = ["10.0.0.1", "10.0.0.77", "10.1.2.3", "2001:db8::1", "::1", "127.0.0.1", "0.0.0.0", "169.254.1.1", "224.0.0.1", "010.0.0.1", "::ffff:1.2.3.4", "fe80::1", "10.0.0", ""];
const CIDRS = ["10.0.0.0/24", "192.168.1.5/24", "2001:db8::/64", "10.0.0.0/33", "10.0.0.1", "010.0.0.0/8", " 10.0.0.0/8 "];
const LABEL_OPERATORS = ["In", "NotIn", "Exists", "DoesNotExist", "Gt", "Sometimes", ""];
const RESOURCE_NAMES = ["pods", "cpu", "memory", "requests.cpu", "limits.memory", "storage", "requests.storage", "services.nodeports", "count/jobs.batch", "hugepages-2Mi", "requests.hugepages-2Mi", "example.com/gpu", "requests.example.com/gpu", "ephemeral-storage", "persistentvolumeclaims", "gold.storageclass.storage.k8s.io/requests.storage", "nonsense", "a/b/c"];
const SCOPES = ["Terminating", "NotTerminating", "BestEffort", "NotBestEffort", "PriorityClass", "CrossNamespacePodAffinity", "VolumeAttributesClass", "Other"];
const RBAC = ["rbac.authorization.k8s.io", "", "apps", "*"];

const FIELD_WORDS: Readonly<Record<string, readonly string[]>> = {
  // Services and their endpoints.
  "ServiceSpec.type": ["ClusterIP", "NodePort", "LoadBalancer", "ExternalName", "Other", ""],
  clusterIP: ["None", "", "10.0.0.250", "10.0.0.251", "2001:db8::1", "192.168.0.1", "x"],
  clusterIPs: ["None", "10.0.0.250", "2001:db8::1", "", "x"],
  ipFamilies: ["IPv4", "IPv6", "IPv5"],
  ipFamilyPolicy: ["SingleStack", "PreferDualStack", "RequireDualStack", "Other"],
  externalIPs: IPS, ip: IPS, loadBalancerIP: IPS, addresses: IPS, podCIDR: CIDRS, podCIDRs: CIDRS,
  externalName: ["db.example.com", "db.example.com.", "UPPER.example", "a_b", "10.0.0.1", ""],
  externalTrafficPolicy: ["Cluster", "Local", "Other", ""], internalTrafficPolicy: ["Cluster", "Local", "Other", ""],
  sessionAffinity: ["None", "ClientIP", "Cookie", ""],
  loadBalancerSourceRanges: CIDRS, loadBalancerClass: ["example.com/lb", "internal", "a b", ""],
  trafficDistribution: ["PreferClose", "PreferSameZone", "PreferSameNode", "Other", ""],
  ipMode: ["VIP", "Proxy", "Other", ""], protocol: ["TCP", "UDP", "SCTP", "ICMP", ""],
  appProtocol: ["http", "kubernetes.io/h2c", "example.com/x y", ""], addressType: ["IPv4", "IPv6", "FQDN", "Other", ""], hostname: ["web-0", "a.example.com", "UPPER", ""], nodeName: ["node-1", "UPPER", "a.b", ""], zone: ["a", "b", "x y"],
  // Secrets.
  "Secret.type": ["Opaque", "kubernetes.io/service-account-token", "kubernetes.io/dockercfg", "kubernetes.io/dockerconfigjson", "kubernetes.io/basic-auth", "kubernetes.io/ssh-auth", "kubernetes.io/tls", "bootstrap.kubernetes.io/token", "example.com/own", ""],
  // Quota and limits.
  "LimitRangeItem.type": ["Container", "Pod", "PersistentVolumeClaim", "example.com/thing", "Other", ""],
  scopes: SCOPES, scopeName: SCOPES, operator: LABEL_OPERATORS, effect: ["NoSchedule", "PreferNoSchedule", "NoExecute", "Other", ""],
  // Rights.
  "RoleRef.kind": ["Role", "ClusterRole", "Group", ""], "Subject.kind": ["User", "Group", "ServiceAccount", "Robot", ""], "RoleRef.apiGroup": RBAC, "Subject.apiGroup": RBAC, apiGroups: RBAC,
  verbs: ["get", "*", "create", ""], resources: ["pods", "*", "pods/log", "deployments", ""], nonResourceURLs: ["/healthz", "*", "/api/*", "nonsense"],
  // Others of the small kinds.
  preemptionPolicy: ["Never", "PreemptLowerPriority", "Other", ""], unhealthyPodEvictionPolicy: ["AlwaysAllow", "IfHealthyBudget", "Other", ""],
  "LeaseSpec.strategy": ["OldestEmulationVersion", "example.com/own", "a b", ""], handler: ["runc", "sandbox", "UPPER", "a.b", ""],
  "Event.type": ["Normal", "Warning", "Odd", ""], reportingController: ["example.com/tester", "kubelet", "a b", ""], reportingComponent: ["example.com/tester", "kubelet", "a b", ""],
  "NodeCondition.status": ["True", "False", "Unknown"], "NodeAddress.type": ["InternalIP", "ExternalIP", "Hostname"], phase: ["Active", "Terminating", "Pending", "Running", ""],
  finalizers: ["example.com/hold", "orphan", "foregroundDeletion", "kubernetes", "plain", "a b/c"],
};

/** Keys of maps of this field. */
const MAP_KEYS: Readonly<Record<string, readonly string[]>> = {
  hard: RESOURCE_NAMES, used: RESOURCE_NAMES, max: RESOURCE_NAMES, min: RESOURCE_NAMES, default: RESOURCE_NAMES, defaultRequest: RESOURCE_NAMES, maxLimitRequestRatio: RESOURCE_NAMES, capacity: RESOURCE_NAMES, allocatable: RESOURCE_NAMES, podFixed: RESOURCE_NAMES,
  "Secret.data": ["tls.crt", "tls.key", "username", "password", "ssh-privatekey", ".dockercfg", ".dockerconfigjson", "a", "a b"], "Secret.stringData": ["tls.crt", "tls.key", "username", "ssh-privatekey", ".dockerconfigjson", "a", "a b"],
  annotations: ["kubernetes.io/service-account.name", "example.com/note", "a", "a b", "endpoints.kubernetes.io/last-change-trigger-time", "service.kubernetes.io/topology-mode", "node.alpha.kubernetes.io/ttl", "kubernetes.io/psp"],
  labels: ["app", "example.com/a", "a b", "kubernetes.io/metadata.name", "pod-security.kubernetes.io/enforce", "kubernetes.io/service-name", "endpointslice.kubernetes.io/managed-by"],
};

/** Where a value is: a field of a struct. */
export interface Hint {
  readonly struct: string;
  readonly field: string;
}

const at = (table: Readonly<Record<string, readonly string[]>>, hint: Hint | undefined): readonly string[] | undefined =>
  hint === undefined ? undefined : (table[`${hint.struct}.${hint.field}`] ?? table[hint.field]);

export const wordsOf = (hint: Hint | undefined): readonly string[] | undefined => at(FIELD_WORDS, hint);
export const keysOf = (hint: Hint | undefined): readonly string[] | undefined => at(MAP_KEYS, hint);
