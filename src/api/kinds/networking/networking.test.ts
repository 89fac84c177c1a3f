import { describe, expect, test } from "vitest";
import { kindFor, stored, tryCreate, tryUpdate } from "../testing.ts";

const of = (kind: string) => kindFor("networking.k8s.io/v1", kind);
const ingress = (spec: object) => ({ metadata: { name: "x" }, spec });
const path = (more: object) => ingress({ rules: [{ http: { paths: [{ path: "/", pathType: "Prefix", backend: { service: { name: "s", port: { number: 80 } } }, ...more }] } }] });
const PATH = "spec.rules[0].http.paths[0]";

describe("create refuses", () => {
  test.each([
    { kind: "Ingress", name: "neither rules nor a backend", object: ingress({}), want: ["spec: Invalid value: null: either `defaultBackend` or `rules` must be specified"] },
    { kind: "Ingress", name: "a path that goes up", object: path({ path: "/a/../b" }), want: [`${PATH}.path: Invalid value: "/a/../b": must not contain '/../'`] },
    { kind: "Ingress", name: "a path of no type", object: path({ pathType: undefined }), want: [`${PATH}.pathType: Required value: pathType must be specified`] },
    { kind: "Ingress", name: "a port by name and number", object: path({ backend: { service: { name: "s", port: { name: "http", number: 80 } } } }), want: [`${PATH}.backend: Invalid value: "": cannot set both port name & port number`] },
    { kind: "Ingress", name: "an address as host", object: ingress({ rules: [{ host: "10.0.0.1" }] }), want: ['spec.rules[0].host: Invalid value: "10.0.0.1": must be a DNS name, not an IP address'] },
    { kind: "IngressClass", name: "a controller without a domain", object: ingress({ controller: "c" }), want: ['spec.controller: Invalid value: "c": must be a domain-prefixed path (such as "acme.io/foo")'] },
    { kind: "NetworkPolicy", name: "a peer that is none", object: ingress({ podSelector: {}, ingress: [{ from: [{}] }] }), want: ["spec.ingress[0].from[0]: Required value: must specify a peer"] },
    { kind: "NetworkPolicy", name: "an exception outside its range", object: ingress({ podSelector: {}, egress: [{ to: [{ ipBlock: { cidr: "10.0.0.0/8", except: ["11.0.0.0/16"] } }] }] }), want: ['spec.egress[0].to[0].ipBlock.except[0]: Invalid value: "11.0.0.0/16": must be a strict subset of `cidr`'] },
    { kind: "NetworkPolicy", name: "a range of named ports", object: ingress({ podSelector: {}, ingress: [{ ports: [{ port: "http", endPort: 90 }] }] }), want: ["spec.ingress[0].ports[0].endPort: Invalid value: 90: may not be specified when `port` is non-numeric"] },
    { kind: "ServiceCIDR", name: "two ranges of one family", object: ingress({ cidrs: ["10.0.0.0/16", "10.1.0.0/16"] }), want: [expect.stringContaining("may specify no more than one IP for each IP family")] },
    { kind: "IPAddress", name: "a name that is no address as it is written", object: { metadata: { name: "10.0.0.01" }, spec: { parentRef: { resource: "services", name: "s" } } }, want: ['metadata.name: Invalid value: "10.0.0.01": must not have leading 0s'] },
  ])("$kind: $name", ({ kind, object, want }) => {
    expect(tryCreate(of(kind), object).errors).toEqual(want);
  });
});

test("a policy is about what comes in, and about what goes out where it says something of that", () => {
  expect(stored(of("NetworkPolicy"), ingress({ podSelector: {} }))).toMatchObject({ spec: { policyTypes: ["Ingress"] } });
  expect(stored(of("NetworkPolicy"), ingress({ podSelector: {}, egress: [{ ports: [{ port: 1 }] }] }))).toMatchObject({ spec: { policyTypes: ["Ingress", "Egress"], egress: [{ ports: [{ protocol: "TCP" }] }] } });
});

test("a second family may be added to a ServiceCIDR, nothing else changes", () => {
  const old = stored(of("ServiceCIDR"), ingress({ cidrs: ["10.0.0.0/16"] }));
  const change = (cidrs: string[]) => tryUpdate(of("ServiceCIDR"), old, (draft) => Object.assign(draft["spec"] as object, { cidrs })).errors;
  expect(change(["10.0.0.0/16", "fd00::/64"])).toEqual([]);
  expect(change(["10.1.0.0/16"])).toEqual(['spec.cidrs[0]: Invalid value: "10.1.0.0/16": field is immutable']);
});
