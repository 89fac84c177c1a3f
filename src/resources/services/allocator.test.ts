import { beforeEach, describe, expect, test } from "vitest";
import type { Service } from "../../api/generated/types.ts";
import { serviceKind } from "../../api/kinds/core/service.ts";
import type { Kind } from "../../api/kinds/kind.ts";
import { SERVICES } from "../../api/resource.ts";
import { resourceStorage } from "../storage.ts";
import { openTestRegistry, refusal } from "../../registry/test-kinds.ts";

const PORTS = [{ port: 80 }];
const service = (name: string, spec: object) => ({ metadata: { name }, spec: { ports: PORTS, ...spec } });

describe("a Service", () => {
  let r: ReturnType<typeof openTestRegistry>;
  const create = async (name: string, spec: object, options = {}) => (await r.create(SERVICES, service(name, spec), options)) as Service;
  const change = async (name: string, spec: object) => (await r.patch(SERVICES, name, { spec })) as Service;

  beforeEach(() => {
    r = openTestRegistry({ kinds: [serviceKind as unknown as Kind], ...resourceStorage() });
  });

  test.each([
    { type: "ClusterIP", spec: {}, want: { clusterIP: /^10\.96\./, nodePort: undefined } },
    { type: "NodePort", spec: { type: "NodePort" }, want: { clusterIP: /^10\.96\./, nodePort: expect.any(Number) as unknown } },
    { type: "LoadBalancer without node ports", spec: { type: "LoadBalancer", allocateLoadBalancerNodePorts: false }, want: { clusterIP: /^10\.96\./, nodePort: undefined } },
  ])("of type $type gets what its type has", async ({ spec, want }) => {
    const made = (await create("s", spec)).spec;
    expect(made.clusterIP).toMatch(want.clusterIP);
    expect(made.clusterIPs).toEqual([made.clusterIP]);
    expect(made).toMatchObject({ ipFamilies: ["IPv4"], ipFamilyPolicy: "SingleStack" });
    expect(made.ports?.[0]?.nodePort).toEqual(want.nodePort);
  });

  test("without selector and address is dual-stack; an external name has no families", async () => {
    expect((await create("headless", { clusterIP: "None" })).spec).toMatchObject({ clusterIPs: ["None"], ipFamilies: ["IPv4", "IPv6"], ipFamilyPolicy: "RequireDualStack" });
    expect((await create("external", { type: "ExternalName", externalName: "a.example" })).spec).not.toHaveProperty("ipFamilies");
  });

  test("shares one node port among the protocols of a port", async () => {
    const { ports = [] } = (await create("s", { type: "NodePort", ports: [{ name: "a", port: 53 }, { name: "b", port: 53, protocol: "UDP" }] })).spec;
    expect(ports[0]?.nodePort).toBe(ports[1]?.nodePort);
  });

  const range = "the provided IP (10.0.0.1) is not in the valid range. The range of valid IPs is 10.96.0.0/16";
  test.each([
    { what: "an address out of range", spec: { clusterIP: "10.0.0.1" }, message: `spec.clusterIPs: Invalid value: ["10.0.0.1"]: failed to allocate IP 10.0.0.1: ${range}` },
    { what: "an address that is taken", spec: { clusterIP: "10.96.0.9" }, message: 'spec.clusterIPs: Invalid value: ["10.96.0.9"]: failed to allocate IP 10.96.0.9: provided IP is already allocated' },
    { what: "a port out of range", spec: { type: "NodePort", ports: [{ port: 1, nodePort: 80 }] }, message: "spec.ports[0].nodePort: Invalid value: 80: provided port is not in the valid range. The range of valid ports is 30000-32767" },
    { what: "a port that is taken", spec: { type: "NodePort", ports: [{ port: 1, nodePort: 30080 }] }, message: "spec.ports[0].nodePort: Invalid value: 30080: provided port is already allocated" },
    { what: "two stacks", spec: { ipFamilyPolicy: "RequireDualStack" }, message: 'spec.ipFamilyPolicy: Invalid value: "RequireDualStack": this cluster is not configured for dual-stack services' },
    { what: "IPv6", spec: { ipFamilies: ["IPv6"] }, message: 'spec.ipFamilies[0]: Invalid value: "IPv6": not configured on this cluster' },
  ])("may not ask for $what", async ({ spec, message }) => {
    await create("first", { type: "NodePort", clusterIP: "10.96.0.9", ports: [{ port: 1, nodePort: 30080 }] });
    expect((await refusal(create("s", spec))).message).toBe(`Service "s" is invalid: ${message}`);
  });

  test("that was refused or is gone leaves its address to others", async () => {
    await refusal(create("bad", { clusterIP: "10.96.0.9", sessionAffinity: "No" }));
    await create("first", { clusterIP: "10.96.0.9" });
    await r.remove(SERVICES, "first");
    expect((await create("second", { clusterIP: "10.96.0.9" })).spec.clusterIP).toBe("10.96.0.9");
  });

  test("gives its addresses back and takes new ones as its type changes", async () => {
    const before = (await create("s", { type: "NodePort" })).spec;
    const external = (await change("s", { type: "ExternalName", externalName: "a.example" })).spec;
    expect(external).not.toHaveProperty("clusterIP");
    expect(external.ports?.[0]).not.toHaveProperty("nodePort");
    expect((await change("s", { type: "ClusterIP", externalName: null })).spec.clusterIP).toMatch(/^10\.96\./);
    const balanced = (await change("s", { type: "LoadBalancer", externalTrafficPolicy: "Local" })).spec;
    expect(balanced.healthCheckNodePort).toBeGreaterThanOrEqual(30_000);
    expect(before.ports?.[0]?.nodePort).toBeDefined();
  });

  test("keeps what it has through an update that leaves it out", async () => {
    const { spec } = await create("s", { type: "NodePort" });
    await r.update(SERVICES, "s", service("s", { type: "NodePort", selector: { a: "b" } }));
    expect(((await r.get(SERVICES, "s")) as Service).spec).toMatchObject({ clusterIP: spec.clusterIP, ports: spec.ports });
  });
});
