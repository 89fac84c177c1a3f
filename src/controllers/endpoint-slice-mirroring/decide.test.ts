import { expect, test } from "vitest";
import type { Endpoints, EndpointSlice } from "../../api/generated/types.ts";
import type { Stored } from "../../api/object.ts";
import { decideMirror, isMirrored } from "./decide.ts";

const meta = (name: string, more: object = {}) => ({ name, namespace: "ns", uid: `u-${name}`, resourceVersion: "1", creationTimestamp: "", ...more });
const endpoints = (subsets: Endpoints["subsets"], more: object = {}): Stored<Endpoints> => ({ metadata: meta("hand", more), ...(subsets && { subsets }) });
const stored = (slices: readonly EndpointSlice[]): Stored<EndpointSlice>[] => slices.map((s, i) => ({ ...s, metadata: meta(`s${i}`, s.metadata) }));
const both = endpoints([{ addresses: [{ ip: "10.0.0.1", hostname: "h" }, { ip: "fd00::1" }], notReadyAddresses: [{ ip: "10.0.0.2" }, { ip: "nonsense" }], ports: [{ port: 80 }] }], { labels: { l: "m" }, annotations: { n: "o", "kubectl.kubernetes.io/last-applied-configuration": "{}" } });

test("each family has a slice, with the labels and annotations of the Endpoints", () => {
  const { create, invalid } = decideMirror(both, []);
  expect(invalid).toBe(1);
  expect(create.map((s) => [s.addressType, s.endpoints?.map((e) => [e.addresses[0], e.conditions?.ready, e.hostname])])).toEqual([
    ["IPv4", [["10.0.0.1", true, "h"], ["10.0.0.2", false, undefined]]],
    ["IPv6", [["fd00::1", true, undefined]]],
  ]);
  expect(create[0]?.metadata).toMatchObject({
    generateName: "hand-", annotations: { n: "o" }, ownerReferences: [{ kind: "Endpoints", name: "hand", controller: true }],
    labels: { l: "m", "kubernetes.io/service-name": "hand", "endpointslice.kubernetes.io/managed-by": "endpointslicemirroring-controller.k8s.io" },
  });
  expect(create[0]?.ports).toEqual([{ name: "", protocol: "TCP", port: 80 }]);
});

test("slices that are right are left alone; others are used again, and what is too much goes", () => {
  const slices = stored(decideMirror(both, []).create);
  expect(decideMirror(both, slices)).toMatchObject({ create: [], update: [], delete: [] });
  const moved = decideMirror(endpoints([{ addresses: [{ ip: "10.0.0.9" }], ports: [{ port: 90 }] }]), slices);
  expect([moved.create, moved.update.map((s) => [s.metadata.name, s.ports?.[0]?.port]), moved.delete.map((s) => s.metadata.name)]).toEqual([[], [["s0", 90]], ["s1"]]);
});

test.each([
  { name: "plain ones", more: {}, want: true },
  { name: "those that are not to be mirrored", more: { labels: { "endpointslice.kubernetes.io/skip-mirror": "true" } }, want: false },
  { name: "a lock", more: { annotations: { "control-plane.alpha.kubernetes.io/leader": "{}" } }, want: false },
])("of Endpoints $name: $want", ({ more, want }) => {
  expect(isMirrored(endpoints([], more))).toBe(want);
});
