import { describe, expect, test } from "vitest";
import type { Node, Pod } from "../api/generated/types.ts";
import type { Stored } from "../api/object.ts";
import { decide, placeOne } from "./decide.ts";
import { demandOf, NodeState } from "./world.ts";

const pod = (name: string, spec: Partial<Pod["spec"]> = {}, meta: Partial<Pod["metadata"]> = {}): Stored<Pod> => ({
  metadata: { name, namespace: "ns", uid: name, resourceVersion: "1", creationTimestamp: "2024-01-01T00:00:00Z", ...meta },
  spec: { containers: [{ name: "main" }], ...spec },
});
const asking = (cpu: string, more: Partial<Pod["spec"]> = {}) => ({ ...more, containers: [{ name: "main", resources: { requests: { cpu } } }] });
const node = (name: string, more: { readonly spec?: Node["spec"]; readonly labels?: Record<string, string>; readonly allocatable?: Record<string, string> } = {}): NodeState =>
  new NodeState({
    metadata: { name, uid: name, resourceVersion: "1", creationTimestamp: "2024-01-01T00:00:00Z", labels: { "kubernetes.io/os": "linux", ...more.labels } },
    spec: more.spec ?? {}, status: { allocatable: { cpu: "2", memory: "1Gi", pods: "10", ...more.allocatable } },
  });

const tail = (help: string, n = 1) => `no new claims to deallocate, preemption: 0/${n} nodes are available: ${n} ${help}.`;
const NOT_HELPFUL = "Preemption is not helpful for scheduling";
const NO_VICTIMS = "No preemption victims found for incoming pod";
const full = (): NodeState => { const n = node("n"); n.add(demandOf(pod("other", asking("1500m")))); return n; };
const taints = [{ key: "k", value: "v", effect: "NoSchedule" }];

test.each([
  { name: "more processors than there are", spec: asking("5000"), at: node("n"), want: `1 Insufficient cpu. ${tail(NOT_HELPFUL)}` },
  { name: "more than is left", spec: asking("1"), at: full(), want: `1 Insufficient cpu. ${tail(NO_VICTIMS)}` },
  { name: "a selector that fits no node", spec: { nodeSelector: { colour: "green" } }, at: node("n"), want: `1 node(s) didn't match Pod's node affinity/selector. ${tail(NOT_HELPFUL)}` },
  { name: "a taint that is not tolerated", spec: {}, at: node("n", { spec: { taints } }), want: `1 node(s) had untolerated taint(s). ${tail(NOT_HELPFUL)}` },
  { name: "a cordoned node", spec: {}, at: node("n", { spec: { unschedulable: true } }), want: `1 node(s) were unschedulable. ${tail(NOT_HELPFUL)}` },
  { name: "no place for one more pod", spec: {}, at: node("n", { allocatable: { pods: "0" } }), want: `1 Too many pods. ${tail(NO_VICTIMS)}` },
  { name: "a claim that there is not", spec: { volumes: [{ name: "v", persistentVolumeClaim: { claimName: "c" } }] }, at: node("n"), want: `persistentvolumeclaim "c" not found. ${tail(NOT_HELPFUL)}` },
  { name: "no preemption wanted", spec: asking("5000", { preemptionPolicy: "Never" }), at: node("n"), want: "1 Insufficient cpu. preemption: not eligible due to preemptionPolicy=Never." },
])("$name is told in upstream's words", ({ spec, at, want }) => {
  expect(placeOne(demandOf(pod("p", spec as Partial<Pod["spec"]>)), [at])).toMatchObject({ kind: "unschedulable", message: `0/1 nodes are available: ${want}` });
});

const affinity = (operator: string, values?: readonly string[]) => ({
  affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{ matchExpressions: [{ key: "size", operator, ...(values && { values }) }] }] } } },
});

test.each([
  { name: "tolerated taint", spec: { tolerations: [{ key: "k", operator: "Exists" }] }, at: node("n", { spec: { taints } }) },
  { name: "affinity In", spec: affinity("In", ["3"]), at: node("n", { labels: { size: "3" } }) },
  { name: "affinity Gt", spec: affinity("Gt", ["2"]), at: node("n", { labels: { size: "3" } }) },
  { name: "affinity DoesNotExist", spec: affinity("DoesNotExist"), at: node("n") },
  { name: "just what is left", spec: asking("500m"), at: full() },
])("a pod finds its node: $name", ({ spec, at }) => {
  expect(placeOne(demandOf(pod("p", spec as Partial<Pod["spec"]>)), [at])).toMatchObject({ kind: "bind", nodeName: "n" });
});

describe("several pods", () => {
  const run = (pods: readonly Stored<Pod>[], nodes: readonly NodeState[], room = 100) =>
    decide({ pods: pods.map(demandOf), nodes, room, place: (demand, name) => nodes.find((n) => n.node.metadata.name === name)?.add(demand) })
      .map((p) => `${p.demand.pod.metadata.name} ${p.kind === "bind" ? p.nodeName : "waits"}`);

  test("the more important comes first, then the older", () => {
    const pods = [pod("low", asking("1500m")), pod("old", asking("1500m", { priority: 5 })), pod("new", asking("1500m", { priority: 5 }), { creationTimestamp: "2024-01-02T00:00:00Z" })];
    expect(run(pods, [node("n")])).toEqual(["old n", "new waits", "low waits"]);
  });

  test("they are spread over the nodes with most room", () => {
    expect(run([pod("a", asking("1")), pod("b", asking("1"))], [node("m"), node("n")])).toEqual(["a m", "b n"]);
  });

  test("two with the same host port do not share a node", () => {
    const spec = { containers: [{ name: "main", ports: [{ containerPort: 80, hostPort: 80 }] }] };
    expect(run([pod("a", spec), pod("b", spec)], [node("n")])).toEqual(["a n", "b waits"]);
  });

  test("sidecars count with the containers, init containers for their peak", () => {
    const requests = (cpu: string) => ({ resources: { requests: { cpu } } });
    const spec = { initContainers: [{ name: "side", restartPolicy: "Always", ...requests("500m") }, { name: "init", ...requests("1") }], containers: [{ name: "main", ...requests("200m") }] };
    expect(demandOf(pod("p", spec)).requests).toEqual({ cpu: 1500 });
  });

  test("anti-affinity keeps pods of a kind apart", () => {
    const labels = { app: "x" };
    const spec = { affinity: { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey: "kubernetes.io/os", labelSelector: { matchLabels: labels } }] } } };
    expect(run([pod("a", spec, { labels }), pod("b", spec, { labels }), pod("c", {}, { labels })], [node("n")])).toEqual(["a n", "b waits", "c waits"]);
  });
});
