import { expect, test } from "vitest";
import { findKindByKind } from "./table.ts";

const hosts = (...names: readonly string[]) => names.map((host) => ({ host }));

test.each([
  { apiVersion: "networking.k8s.io/v1", kind: "Ingress", object: { spec: { ingressClassName: "c", tls: [{}], rules: hosts("a", "b", "c", "d") } }, cells: ["x", "c", "a,b,c + 1 more...", "", "80, 443", "<unknown>"] },
  { apiVersion: "networking.k8s.io/v1", kind: "Ingress", object: { spec: {}, status: { loadBalancer: { ingress: [{ hostname: "long.example.com" }, { ip: "1.2.3.4" }] } } }, cells: ["x", "<none>", "*", "1.2.3.4,long....", "80", "<unknown>"] },
  { apiVersion: "networking.k8s.io/v1", kind: "IngressClass", object: { spec: { controller: "a/b", parameters: { apiGroup: "g.io", kind: "K", name: "n" } } }, cells: ["x", "a/b", "K.g.io/n", "<unknown>"] },
  { apiVersion: "networking.k8s.io/v1", kind: "IPAddress", object: { spec: { parentRef: { resource: "services", namespace: "n", name: "s" } } }, cells: ["x", "services/n/s", "<unknown>"] },
  { apiVersion: "networking.k8s.io/v1", kind: "NetworkPolicy", object: { spec: { podSelector: { matchLabels: { a: "b" } } } }, cells: ["x", "a=b", "<unknown>"] },
  { apiVersion: "networking.k8s.io/v1", kind: "ServiceCIDR", object: { spec: { cidrs: ["10.0.0.0/24", "fd00::/64"] } }, cells: ["x", "10.0.0.0/24,fd00::/64", "<unknown>"] },
  { apiVersion: "storage.k8s.io/v1", kind: "CSIDriver", object: { spec: { tokenRequests: [{ audience: "a" }] } }, cells: ["x", true, false, false, "a", false, "<none>", "<unknown>"] },
  { apiVersion: "storage.k8s.io/v1", kind: "CSINode", object: { spec: { drivers: [{}, {}] } }, cells: ["x", 2, "<unknown>"] },
  { apiVersion: "storage.k8s.io/v1", kind: "VolumeAttachment", object: { spec: { attacher: "a", nodeName: "n", source: { persistentVolumeName: "v" } } }, cells: ["x", "a", "v", "n", false, "<unknown>"] },
])("$kind shows $cells", ({ apiVersion, kind, object, cells }) => {
  expect(findKindByKind(apiVersion, kind)?.printer.cells({ metadata: { name: "x" }, ...object }, 0)).toEqual(cells);
});

test.each([
  { apiVersion: "certificates.k8s.io/v1", kind: "CertificateSigningRequest", object: { spec: { signerName: "a/b", username: "u", expirationSeconds: 3600 }, status: { conditions: [{ type: "Approved" }], certificate: "eA==" } }, cells: ["x", "<unknown>", "a/b", "u", "60m", "Approved,Issued"] },
  { apiVersion: "flowcontrol.apiserver.k8s.io/v1", kind: "FlowSchema", object: { spec: { priorityLevelConfiguration: { name: "p" }, matchingPrecedence: 7 } }, cells: ["x", "p", 7, "<none>", "<unknown>", "?"] },
  { apiVersion: "flowcontrol.apiserver.k8s.io/v1", kind: "PriorityLevelConfiguration", object: { spec: { type: "Limited", limited: { nominalConcurrencyShares: 30, limitResponse: { queuing: { queues: 64, handSize: 6, queueLengthLimit: 50 } } } } }, cells: ["x", "Limited", 30, 64, 6, 50, "<unknown>"] },
  { apiVersion: "resource.k8s.io/v1", kind: "ResourceClaim", object: { status: { allocation: {}, reservedFor: [{}] } }, cells: ["x", "allocated,reserved", "<unknown>"] },
  { apiVersion: "admissionregistration.k8s.io/v1", kind: "ValidatingAdmissionPolicyBinding", object: { spec: { policyName: "p", paramRef: { name: "n" } } }, cells: ["x", "p", "*/n", "<unknown>"] },
  { apiVersion: "admissionregistration.k8s.io/v1", kind: "MutatingAdmissionPolicy", object: { spec: { mutations: [{}], paramKind: { apiVersion: "v1", kind: "ConfigMap" } } }, cells: ["x", 1, "v1/ConfigMap", "<unknown>"] },
  { apiVersion: "apiregistration.k8s.io/v1", kind: "APIService", object: { spec: { service: { namespace: "n", name: "s" } }, status: { conditions: [{ type: "Available", status: "False", reason: "R" }] } }, cells: ["x", "n/s", "False (R)", "<unknown>"] },
])("$kind shows $cells", ({ apiVersion, kind, object, cells }) => {
  expect(findKindByKind(apiVersion, kind)?.printer.cells({ metadata: { name: "x" }, ...object }, 0)).toEqual(cells);
});
