import { beforeEach, describe, expect, test } from "vitest";
import { seededChance, seededIds } from "../base/chance.ts";
import { VirtualClock } from "../base/clock.ts";
import type { Pod } from "../api/generated/types.ts";
import type { Kind } from "../api/kinds/kind.ts";
import { runtimeClassKind } from "../api/kinds/scheduling.ts";
import { NAMESPACES, PODS, SERVICE_ACCOUNTS } from "../api/resource.ts";
import { openTestRegistry, refusal, START, testKinds } from "../registry/test-kinds.ts";
import { defaultAdmission } from "./plugins.ts";
import { mergeTolerations } from "./runtime-class.ts";

const pod = (spec: object) => ({ metadata: { name: "p" }, spec: { containers: [{ name: "main", image: "i" }], ...spec } });

describe("a pod's runtime class", () => {
  let r: ReturnType<typeof openTestRegistry>;
  beforeEach(async () => {
    r = openTestRegistry({ kinds: [...testKinds, runtimeClassKind as unknown as Kind], admission: defaultAdmission({ ids: seededIds(seededChance(2)), clock: new VirtualClock(START) }) });
    await r.create(NAMESPACES, { metadata: { name: "ns" }, spec: { finalizers: ["kubernetes"] }, status: { phase: "Active" } });
    await r.create(SERVICE_ACCOUNTS, { metadata: { name: "default" } });
    await r.create(runtimeClassKind.resource, { metadata: { name: "heavy" }, handler: "h", overhead: { podFixed: { cpu: "100m" } }, scheduling: { nodeSelector: { a: "b" }, tolerations: [{ key: "k", operator: "Exists" }] } });
  });

  test("gives it overhead, selector and tolerations", async () => {
    const { spec } = (await r.create(PODS, pod({ runtimeClassName: "heavy", nodeSelector: { c: "d" }, overhead: { cpu: "0.1" } }))) as Pod;
    expect(spec).toMatchObject({ overhead: { cpu: "100m" }, nodeSelector: { a: "b", c: "d" } });
    expect(spec?.tolerations).toContainEqual({ key: "k", operator: "Exists" });
  });

  test.each([
    { name: "is absent", spec: { runtimeClassName: "none" }, why: 'pod rejected: RuntimeClass "none" not found' },
    { name: "has another overhead", spec: { runtimeClassName: "heavy", overhead: { cpu: "1" } }, why: "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead" },
    { name: "selects other nodes", spec: { runtimeClassName: "heavy", nodeSelector: { a: "x" } }, why: "conflict: runtimeClass.scheduling.nodeSelector[a] = b; pod.spec.nodeSelector[a] = x" },
    { name: "is not named beside an overhead", spec: { overhead: { cpu: "1" } }, why: "pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead" },
  ])("that $name refuses it", async ({ spec, why }) => {
    expect(await refusal(r.create(PODS, pod(spec)))).toMatchObject({ code: 403, message: `pods "p" is forbidden: ${why}` });
  });
});

test("of tolerations the wider ones stay", () => {
  const [narrow, wide] = [{ key: "a", operator: "Equal", value: "1", effect: "NoExecute", tolerationSeconds: 5 }, { key: "a", operator: "Exists" }];
  expect(mergeTolerations([narrow], [wide, wide])).toEqual([wide]);
  expect(mergeTolerations([narrow], [{ ...narrow, value: "2" }])).toHaveLength(2);
});
