import { describe, expect, test } from "vitest";
import type { Pod } from "../../api/generated/types.ts";
import { PODS } from "../../api/resource.ts";
import { openTestRegistry, refusal } from "../../registry/test-kinds.ts";
import { resourceStorage } from "../storage.ts";

describe("pods/binding and pods/eviction", () => {
  const sub = (r: ReturnType<typeof openTestRegistry>, name: string, subresource: string, object: object) =>
    r.handle({ verb: "create", resource: PODS, namespace: "ns", name, subresource, object: object as never, options: {} });

  test("a pod gets a node once", async () => {
    const r = openTestRegistry(resourceStorage());
    await r.create(PODS, { metadata: { name: "p" }, spec: { containers: [] } });
    expect(await sub(r, "p", "binding", { metadata: { name: "p" }, target: { kind: "Node", name: "n" } })).toMatchObject({ code: 201, body: { status: "Success" } });
    const pod = (await r.get(PODS, "p")) as Pod;
    expect(pod).toMatchObject({ metadata: { generation: 1 }, spec: { nodeName: "n" }, status: { conditions: [{ type: "PodScheduled", status: "True", lastProbeTime: null }] } });
    expect((await refusal(sub(r, "p", "binding", { metadata: { name: "p" }, target: { name: "n" } }))).message).toBe('Operation cannot be fulfilled on pods/binding "p": pod p is already assigned to node "n"');
  });

  test("an evicted pod says why it goes", async () => {
    const r = openTestRegistry(resourceStorage());
    await r.create(PODS, { metadata: { name: "p" }, spec: { nodeName: "n", containers: [] } });
    await sub(r, "p", "eviction", { metadata: { name: "p" }, deleteOptions: { gracePeriodSeconds: 3 } });
    expect(await r.get(PODS, "p")).toMatchObject({ metadata: { deletionGracePeriodSeconds: 3 }, status: { conditions: [{ type: "DisruptionTarget", reason: "EvictionByEvictionAPI" }] } });
  });
});
