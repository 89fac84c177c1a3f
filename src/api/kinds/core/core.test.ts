import { describe, expect, test } from "vitest";
import { kindFor, stored, tryCreate, tryUpdate } from "../testing.ts";
import { keyPairProblem } from "./key-pair.ts";

const IP = { clusterIP: "10.0.0.5", clusterIPs: ["10.0.0.5"], ipFamilies: ["IPv4"], ipFamilyPolicy: "SingleStack" };
const service = (spec: object, annotations = {}) => ({ metadata: { name: "s", annotations }, spec: { ports: [{ port: 80 }], ...spec } });
const balanced = (status: object = {}) => stored(kindFor("v1", "Service"), service({ ...IP, type: "LoadBalancer", ...status }));

describe("a Service", () => {
  const kind = kindFor("v1", "Service");
  const external = "spec.externalIPs is deprecated and may no longer be implemented in some clusters";
  test.each([
    { name: "an alias without being one", spec: { externalName: "a.example" }, warnings: ['spec.externalName is ignored when spec.type is not "ExternalName"'] },
    { name: "an address of its own", spec: { externalIPs: ["1.2.3.4"] }, warnings: [external] },
    { name: "an address in a long form", spec: { externalIPs: ["2001:DB8::1"] }, warnings: ['spec.externalIPs[0]: IPv6 address "2001:DB8::1" should be in RFC 5952 canonical format ("2001:db8::1")', external] },
    { name: "an old distribution", spec: { trafficDistribution: "PreferClose" }, warnings: ['spec.trafficDistribution: "PreferClose" is deprecated; use "PreferSameZone"'] },
    { name: "affinity without an address", spec: { clusterIP: "None", clusterIPs: ["None"], sessionAffinity: "ClientIP" }, warnings: ["spec.SessionAffinity is ignored for headless services"] },
  ])("with $name is taken with a warning", ({ spec, warnings }) => {
    expect(tryCreate(kind, service({ ...IP, ...spec }))).toMatchObject({ errors: [], warnings });
  });

  test.each([
    { name: "ranges of what is no balancer", object: service({ ...IP, loadBalancerSourceRanges: ["10.0.0.0/8"] }), want: ["spec.LoadBalancerSourceRanges: Forbidden: may only be used when `type` is 'LoadBalancer'"] },
    { name: "ranges in the annotation", object: service(IP, { "service.beta.kubernetes.io/load-balancer-source-ranges": "10.0.0.0/8" }), want: ["metadata.annotations[service.beta.kubernetes.io/load-balancer-source-ranges]: Forbidden: may only be used when `type` is 'LoadBalancer'"] },
    { name: "two modes of topology", object: service(IP, { "service.kubernetes.io/topology-aware-hints": "Auto", "service.kubernetes.io/topology-mode": "Disabled" }), want: ['metadata.annotations[service.kubernetes.io/topology-mode]: Invalid value: "Disabled": must match annotations[service.kubernetes.io/topology-aware-hints] when both are specified'] },
    { name: "an address that is none", object: service({ ...IP, clusterIP: "x", clusterIPs: ["x"] }), want: ['spec.clusterIPs[0]: Invalid value: "x": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)'] },
    { name: "the wrong family", object: service({ ...IP, ipFamilies: ["IPv6"] }), want: ['spec.clusterIPs[0]: Invalid value: "10.0.0.5": expected an IPv6 value as indicated by `ipFamilies[0]`'] },
  ])("is refused with $name", ({ object, want }) => {
    expect(tryCreate(kind, object).errors).toEqual(want);
  });

  test("keeps an address that is no longer allowed, and its balancer's class", () => {
    const old = { ...balanced(), spec: { ...IP, type: "LoadBalancer", ports: [{ port: 80, protocol: "TCP", targetPort: 80 }], externalIPs: ["010.0.0.1"], externalTrafficPolicy: "Cluster", internalTrafficPolicy: "Cluster", sessionAffinity: "None", allocateLoadBalancerNodePorts: true } };
    expect(tryUpdate(kind, old, (draft) => void Object.assign(draft, { metadata: { ...old.metadata, labels: { a: "b" } } })).errors).toEqual([]);
    const classed = tryUpdate(kind, old, (draft) => void Object.assign(draft, { spec: { ...old.spec, loadBalancerClass: "a b" } })).errors;
    expect(classed[0]).toBe('spec.loadBalancerClass: Invalid value: "a b": may not change once set');
  });

  test.each([
    { ingress: { hostname: "1.2.3.4" }, want: ['status.loadBalancer.ingress[0].hostname: Invalid value: "1.2.3.4": must be a DNS name, not an IP address'] },
    { ingress: { ipMode: "VIP" }, want: ["status.loadBalancer.ingress[0].ipMode: Forbidden: may not be specified when `ip` is not set"] },
    { ingress: { ip: "1.2.3.4" }, want: [] },
  ])("may have $ingress in its status: $want", ({ ingress, want }) => {
    const { errors, object } = tryUpdate(kind, balanced(), (draft) => void (draft["status"] = { loadBalancer: { ingress: [ingress] } }), "status");
    expect(errors).toEqual(want);
    if (want.length === 0) expect(object).toHaveProperty("status.loadBalancer.ingress[0].ipMode", "VIP");
  });
});

test("a ServiceAccount keeps the names of its Secrets, and says what is old", () => {
  const kind = kindFor("v1", "ServiceAccount");
  const { object, warnings } = tryCreate(kind, { metadata: { name: "a", annotations: { "kubernetes.io/enforce-mountable-secrets": "true" } }, secrets: [{ kind: "Secret", name: "s" }] });
  expect(object).toHaveProperty("secrets", [{ name: "s" }]);
  expect(warnings).toEqual(["metadata.annotations[kubernetes.io/enforce-mountable-secrets]: deprecated in v1.32+; prefer separate namespaces to isolate access to mounted secrets"]);
});

describe("a node", () => {
  const kind = kindFor("v1", "Node");
  const node = (more: object) => ({ metadata: { name: "n" }, ...more });
  test("registers with its status", () => {
    expect(tryCreate(kind, node({ status: { phase: "Running" } })).object).toHaveProperty("status.phase", "Running");
  });

  test.each([
    { name: "two ranges of one family", object: node({ spec: { podCIDRs: ["10.0.0.0/24", "10.1.0.0/24"] } }), want: ['spec.podCIDRs: Invalid value: ["10.0.0.0/24","10.1.0.0/24"]: may specify no more than one CIDR for each IP family'] },
    { name: "features out of order", object: node({ status: { declaredFeatures: ["B", "A"] } }), want: ['status.declaredFeatures[1]: Invalid value: "A": list must be sorted alphabetically'] },
    { name: "swap of nothing", object: node({ status: { nodeInfo: { swap: { capacity: 0 } } } }), want: ["metadata.nodeSwapStatus.capacity: Invalid value: 0: must be greater than zero"] },
  ])("is refused with $name", ({ object, want }) => {
    expect(tryCreate(kind, object).errors).toEqual(want);
  });

  test("keeps its external id", () => {
    expect(tryUpdate(kind, stored(kind, node({})), (draft) => void (draft["spec"] = { externalID: "x" })).errors).toContain("spec.externalID: Forbidden: may not be updated");
  });
});

test("a quota that bounds requests above limits says so", () => {
  expect(tryCreate(kindFor("v1", "ResourceQuota"), { metadata: { name: "q" }, spec: { hard: { cpu: "2", "limits.cpu": "1" } } }).warnings).toEqual(["ResourceQuota cpu (2) should be less than limits.cpu (1)"]);
});

test("a LimitRange without a name gets one", () => {
  expect(tryCreate(kindFor("v1", "LimitRange"), { spec: { limits: [] } }).errors).toEqual([]);
});

test("a Lease drops what coordinated election has, and takes any finalizer", () => {
  const { object, errors } = tryCreate(kindFor("coordination.k8s.io/v1", "Lease"), { metadata: { name: "l", finalizers: ["plain"] }, spec: { strategy: "x", preferredHolder: "y" } });
  expect([object, errors]).toMatchObject([{ spec: {} }, []]);
  expect(object).not.toHaveProperty("spec.strategy");
});

test("an EndpointSlice counts its labels as content, and forgets the old topology", () => {
  const kind = kindFor("discovery.k8s.io/v1", "EndpointSlice");
  const old = stored(kind, { metadata: { name: "e" }, addressType: "FQDN", endpoints: [{ addresses: ["a.example"], deprecatedTopology: { a: "b" } }], ports: [] });
  expect(old).not.toHaveProperty("endpoints[0].deprecatedTopology");
  const generation = (meta: object) => tryUpdate(kind, old, (draft) => void Object.assign(draft, { metadata: { ...old.metadata, ...meta } })).object.metadata.generation;
  expect([generation({ annotations: { a: "b" } }), generation({ labels: { a: "b" } })]).toEqual([1, 2]);
});

const PEM = (type: string) => Buffer.from(`-----BEGIN ${type}-----\nAAAA\n-----END ${type}-----\n`);
test.each([
  { certificate: Buffer.from("x"), key: Buffer.from("x"), want: "tls: failed to find any PEM data in certificate input" },
  { certificate: PEM("PRIVATE KEY"), key: PEM("CERTIFICATE"), want: "tls: failed to find certificate PEM data in certificate input, but did find a private key; PEM inputs may have been switched" },
  { certificate: PEM("CERTIFICATE"), key: PEM("CERTIFICATE"), want: "tls: found a certificate rather than a key in the PEM for the private key" },
  { certificate: PEM("CERTIFICATE"), key: PEM("EC PRIVATE KEY"), want: "x509: malformed certificate" },
])("of a certificate and a key is said: $want", ({ certificate, key, want }) => {
  expect(keyPairProblem(certificate, key)).toBe(want);
});

test.each([
  { of: ["node.k8s.io/v1", "RuntimeClass"], name: "without a handler", object: { metadata: { name: "r", finalizers: ["plain"] } }, want: ["handler: Required value"] },
  { of: ["node.k8s.io/v1", "RuntimeClass"], name: "with one toleration twice", object: { metadata: { name: "r" }, handler: "h", scheduling: { tolerations: [{ operator: "Exists" }, { operator: "Exists" }] } }, want: ['scheduling.tolerations[1]: Duplicate value: {"Key":"","Operator":"Exists","Value":"","Effect":"","TolerationSeconds":null}'] },
  { of: ["apps/v1", "ControllerRevision"], name: "with data that is no object", object: { metadata: { name: "c" }, revision: 1, data: [1] }, want: ["data: Required value: data must be a valid JSON object"] },
  { of: ["policy/v1", "PodDisruptionBudget"], name: "with a wrong policy and selector", object: { metadata: { name: "p" }, spec: { selector: { matchLabels: { a: "b c" } }, unhealthyPodEvictionPolicy: "x" } }, want: [/^spec.selector.matchLabels: /, /^spec.unhealthyPodEvictionPolicy: /] },
  { of: ["rbac.authorization.k8s.io/v1", "RoleBinding"], name: "with an account that can't be", object: { metadata: { name: "b" }, roleRef: { kind: "Role", name: "r" }, subjects: [{ kind: "ServiceAccount", name: "No" }] }, want: [/^subjects\[0\].name: Invalid value: "No": a lowercase RFC 1123 subdomain/] },
  { of: ["rbac.authorization.k8s.io/v1", "ClusterRole"], name: "with a selector that doesn't parse", object: { metadata: { name: "c" }, aggregationRule: { clusterRoleSelectors: [{ matchExpressions: [{ key: "a", operator: "?" }] }] } }, want: [/operator: Invalid value: "\?"/, "aggregationRule.clusterRoleSelectors[0]: Invalid value: null: invalid label selector."] },
])("$of.1 $name is refused", ({ of: [apiVersion = "", kind = ""], object, want }) => {
  expect(tryCreate(kindFor(apiVersion, kind), object).errors).toEqual(want.map((text) => (typeof text === "string" ? text : (expect.stringMatching(text) as unknown))));
});

test("conditions of a budget's status are looked at", () => {
  const kind = kindFor("policy/v1", "PodDisruptionBudget");
  const old = stored(kind, { metadata: { name: "p" }, spec: {} });
  const condition = { type: "A", status: "True", reason: "1", lastTransitionTime: "2024-01-01T00:00:00Z", message: "" };
  expect(tryUpdate(kind, old, (draft) => void (draft["status"] = { conditions: [condition, { ...condition, reason: "Known", status: "Maybe" }] }), "status").errors).toEqual([
    expect.stringMatching(/^status.conditions\[0\].reason: Invalid value: "1": a condition reason must start/) as unknown,
    'status.conditions[1].type: Duplicate value: "A"',
    'status.conditions[1].status: Unsupported value: "Maybe": supported values: "False", "True", "Unknown"',
  ]);
});
