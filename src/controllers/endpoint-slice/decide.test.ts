import { describe, expect, test } from "vitest";
import type { EndpointSlice, Pod, Service } from "../../api/generated/types.ts";
import type { Stored } from "../../api/object.ts";
import { decideEndpoints, repack } from "../endpoints/decide.ts";
import { decideSlices, type SliceDecision } from "./decide.ts";
import { endpointsText, portsInOrder, sliceText } from "./port-order.ts";
import { TriggerTimes } from "./trigger-times.ts";

const meta = (name: string, more: object = {}) => ({ name, namespace: "ns", uid: `u-${name}`, resourceVersion: "1", creationTimestamp: "", ...more });
const service = (spec: object = {}): Stored<Service> => ({ metadata: meta("web"), spec: { selector: { app: "web" }, ports: [{ name: "http", port: 80, targetPort: "http" }], ...spec } });

interface PodShape {
  readonly ip?: string;
  readonly ready?: boolean;
  readonly deleted?: boolean;
  readonly phase?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly port?: number;
}
const pod = (name: string, { ip = `10.0.0.${name.length}`, ready = true, deleted = false, phase = "Running", labels = { app: "web" }, port = 8080 }: PodShape = {}): Stored<Pod> => ({
  metadata: meta(name, { labels, ...(deleted && { deletionTimestamp: "t" }) }),
  spec: { nodeName: "n", containers: [{ name: "c", ports: port === 0 ? [] : [{ name: "http", containerPort: port }] }] },
  status: { phase, ...(ip !== "" && { podIP: ip, podIPs: [{ ip }] }), conditions: [{ type: "Ready", status: ready ? "True" : "False" }] },
});

const nodeOf = (name: string) => (name === "n" ? { metadata: { name, labels: { "topology.kubernetes.io/zone": "z" } }, spec: {} } : undefined);
const shown = (slices: readonly EndpointSlice[]) => slices.map((s) => `${(s.ports ?? []).map((p) => p.port).join("+") || "-"}: ${(s.endpoints ?? []).map((e) => e.targetRef?.name).join(" ")}`).sort();
let serial = 0;
/** The slices as they are after the decision was carried out. */
const after = (slices: readonly Stored<EndpointSlice>[], d: SliceDecision): Stored<EndpointSlice>[] => {
  const changed = new Map(d.update.map((s) => [s.metadata.name, s]));
  const made = d.create.map((s) => ({ ...s, metadata: meta(`slice-${serial++}`, s.metadata) }));
  return [...slices.filter((s) => !d.delete.includes(s)).map((s) => changed.get(s.metadata.name) ?? s), ...made];
};
const settle = (svc: Stored<Service>, pods: readonly Stored<Pod>[], slices: readonly Stored<EndpointSlice>[] = []) => after(slices, decideSlices({ service: svc, pods, slices, nodeOf }));

describe("EndpointSlices", () => {
  test("a Service without pods has one empty slice, which then takes the first pods and is emptied again", () => {
    const empty = settle(service(), []);
    expect(shown(empty)).toEqual(["-: "]);
    const filled = settle(service(), [pod("a")], empty);
    expect(shown(filled)).toEqual(["8080: a"]);
    expect(filled[0]?.metadata.name).toBe(empty[0]?.metadata.name);
    expect(shown(settle(service(), [], filled))).toEqual(["-: "]);
  });

  test("what is right is left alone", () => {
    const slices = settle(service(), [pod("a"), pod("bb")]);
    expect(decideSlices({ service: service(), pods: [pod("bb"), pod("a")], slices, nodeOf })).toEqual({ create: [], update: [], delete: [], lost: [] });
  });

  test.each([
    { name: "ready", pod: pod("a"), want: { ready: true, serving: true, terminating: false } },
    { name: "not ready", pod: pod("a", { ready: false }), want: { ready: false, serving: false, terminating: false } },
    { name: "terminating and serving", pod: pod("a", { deleted: true }), want: { ready: false, serving: true, terminating: true } },
    { name: "published before it is ready", pod: pod("a", { ready: false }), spec: { publishNotReadyAddresses: true }, want: { ready: true, serving: false, terminating: false } },
  ])("a pod that is $name", ({ pod, spec, want }) => {
    expect(settle(service(spec), [pod])[0]?.endpoints?.[0]?.conditions).toEqual(want);
  });

  test.each([
    { name: "has ended", pod: pod("a", { phase: "Succeeded" }) },
    { name: "has no address", pod: pod("a", { ip: "" }) },
    { name: "has other labels", pod: pod("a", { labels: { app: "other" } }) },
  ])("a pod that $name is not listed", ({ pod }) => {
    expect(shown(settle(service(), [pod]))).toEqual(["-: "]);
  });

  test("pods whose named port is another number, or is missing, have slices of their own", () => {
    expect(shown(settle(service(), [pod("a"), pod("bb", { port: 9090 }), pod("ccc", { port: 0 })]))).toEqual(["-: ccc", "8080: a", "9090: bb"]);
  });

  test("a slice holds a hundred; a new pod goes where there is room, and no other slice is touched", () => {
    const pods = Array.from({ length: 250 }, (_, i) => pod(`p${i}`, { ip: `10.1.${i >> 8}.${i & 255}` }));
    const slices = settle(service(), pods);
    expect(slices.map((s) => s.endpoints?.length)).toEqual([100, 100, 50]);
    const decision = decideSlices({ service: service(), pods: [...pods, pod("new")], slices, nodeOf });
    expect([decision.create.length, decision.update.map((s) => s.endpoints?.length), decision.delete.length]).toEqual([0, [51], 0]);
  });

  test("a Service that loses its selector keeps its slices", () => {
    const slices = settle(service(), [pod("a")]);
    expect(decideSlices({ service: service({ selector: {} }), pods: [pod("a")], slices, nodeOf })).toEqual({ create: [], update: [], delete: [], lost: [] });
  });

  test.each([
    { name: "waits for its node", spec: {}, want: [] },
    { name: "is listed where addresses are published early", spec: { publishNotReadyAddresses: true }, want: ["a"] },
  ])("a pod on a node that is not there $name", ({ spec, want }) => {
    const lost = { ...pod("a"), spec: { nodeName: "absent", containers: [] } };
    const { create, lost: left } = decideSlices({ service: service(spec), pods: [lost], slices: [], nodeOf });
    expect([create.flatMap((s) => s.endpoints ?? []).map((e) => e.targetRef?.name), left.length]).toEqual([want, 1 - want.length]);
  });

  test.each([
    { trafficDistribution: undefined, want: { zone: "z" } },
    { trafficDistribution: "PreferSameZone", want: { zone: "z", hints: { forZones: [{ name: "z" }] } } },
    { trafficDistribution: "PreferSameNode", want: { zone: "z", hints: { forZones: [{ name: "z" }], forNodes: [{ name: "n" }] } } },
  ])("an endpoint knows its zone, and whom it is for under $trafficDistribution", ({ trafficDistribution, want }) => {
    const [endpoint] = settle(service({ ...(trafficDistribution && { trafficDistribution }) }), [pod("a")])[0]?.endpoints ?? [];
    expect({ zone: endpoint?.zone, ...(endpoint?.hints && { hints: endpoint.hints }) }).toEqual(want);
  });
});

test("ports stand in the order of upstream's hash", () => {
  const ports = [{ name: "a", port: 1, protocol: "TCP" }, { name: "b", port: 5, protocol: "UDP" }, { name: "c", port: 3, protocol: "TCP", appProtocol: "http" }];
  expect([portsInOrder(ports, sliceText), portsInOrder(ports, endpointsText)].map((list) => list.map((p) => p.name).join(""))).toEqual(["cba", "cba"]);
});

test("a change is dated: by the Service at first, then by the pod that changed earliest", () => {
  const triggers = new TriggerTimes();
  const at = (name: string, lastTransitionTime: string) => ({ ...pod(name), status: { conditions: [{ type: "Ready", status: "True", lastTransitionTime }] } });
  const born = { ...service(), metadata: { ...service().metadata, creationTimestamp: "2026-01-01T00:00:00Z" } };
  expect(triggers.since(born, [at("a", "2026-01-02T00:00:00Z")])).toBe("2026-01-01T00:00:00Z");
  expect(triggers.since(born, [at("a", "2026-01-02T00:00:00Z")])).toBeUndefined();
  expect(triggers.since(born, [at("a", "2026-01-05T00:00:00Z"), at("b", "2026-01-04T00:00:00Z")])).toBe("2026-01-04T00:00:00Z");
});

describe("Endpoints", () => {
  test("of somebody else are put in order: each address once behind a port, ports with the same addresses together", () => {
    const subsets = [
      { addresses: [{ ip: "10.0.0.2" }, { ip: "10.0.0.1" }], ports: [{ name: "a", port: 1 }, { name: "b", port: 2 }] },
      { notReadyAddresses: [{ ip: "10.0.0.1" }], ports: [{ name: "a", port: 1 }] },
    ];
    expect(repack(subsets)).toEqual([
      { addresses: [{ ip: "10.0.0.2" }], notReadyAddresses: [{ ip: "10.0.0.1" }], ports: [{ name: "a", port: 1 }] },
      { addresses: [{ ip: "10.0.0.1" }, { ip: "10.0.0.2" }], ports: [{ name: "b", port: 2 }] },
    ]);
  });

  const subsets = (pods: readonly Stored<Pod>[], spec: object = {}) =>
    (decideEndpoints(service(spec), pods, undefined)?.subsets ?? []).map((s) => ({ ready: (s.addresses ?? []).map((a) => a.targetRef?.name), notReady: (s.notReadyAddresses ?? []).map((a) => a.targetRef?.name), ports: (s.ports ?? []).map((p) => p.port) }));

  test("pods are ready or not, those that terminate are not listed, and each set of ports is a subset", () => {
    expect(subsets([pod("a"), pod("bb", { ready: false }), pod("ccc", { deleted: true }), pod("dddd", { port: 9090 }), pod("eeeee", { port: 0 })])).toEqual([
      { ready: ["a"], notReady: ["bb"], ports: [8080] },
      { ready: ["dddd"], notReady: [], ports: [9090] },
    ]);
  });

  test("a headless Service without ports lists addresses alone", () => {
    expect(subsets([pod("a")], { clusterIP: "None", ports: [] })).toEqual([{ ready: ["a"], notReady: [], ports: [] }]);
  });

  test("what is right is left alone, and a thousand addresses are enough", () => {
    const many = Array.from({ length: 1001 }, (_, i) => pod(`p${i}`, { ip: `10.1.${i >> 8}.${i & 255}`, ready: i > 0 }));
    const made = decideEndpoints(service(), many, undefined);
    expect(made?.subsets?.[0]?.addresses).toHaveLength(1000);
    expect(made?.subsets?.[0]?.notReadyAddresses).toBeUndefined();
    expect(made?.metadata.annotations).toEqual({ "endpoints.kubernetes.io/over-capacity": "truncated" });
    expect(made && decideEndpoints(service(), many, { ...made, metadata: meta("web", made.metadata) })).toBeUndefined();
  });
});
