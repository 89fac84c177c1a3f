import { expect, test } from "vitest";
import type { ResourceQuota } from "../../api/generated/types.ts";
import type { Stored } from "../../api/object.ts";
import { CONFIG_MAPS, JOBS, PODS, SERVICES } from "../../api/resource.ts";
import { decideQuota, isCounted } from "./decide.ts";

const quota = (hard: Record<string, string>, status: object = {}): Stored<ResourceQuota> => ({ metadata: { name: "q", uid: "u", resourceVersion: "1", creationTimestamp: "" }, spec: { hard }, status });
const pod = (cpu: string, phase = "Running") => ({ metadata: {}, spec: { containers: [{ name: "c", resources: { requests: { cpu } } }] }, status: { phase } });

test("what is bounded starts at 0 and is summed up; pods that have ended count for nothing but themselves", () => {
  const counted = [
    { resource: PODS, objects: [pod("600m"), pod("400m"), pod("9", "Succeeded")] },
    { resource: JOBS, objects: [{}, {}] },
  ];
  const { status } = decideQuota(quota({ pods: "2", "requests.cpu": "1", "count/jobs.batch": "1", "count/pods": "9", memory: "1Gi" }), counted, 0) ?? {};
  expect(status?.used).toEqual({ pods: "2", "requests.cpu": "1", "count/jobs.batch": "2", "count/pods": "3", memory: "0" });
  expect(status?.hard).toEqual({ pods: "2", "requests.cpu": "1", "count/jobs.batch": "1", "count/pods": "9", memory: "1Gi" });
});

test("amounts are counted in the spelling of those who ask; what is not served is not counted", () => {
  const asking = (memory: string, more: object = {}) => ({ metadata: {}, spec: { containers: [{ name: "c", resources: { requests: { memory } } }], ...more } });
  const counted = [{ resource: PODS, objects: [asking("100Mi"), asking("200Mi", { overhead: { memory: "1Mi" } })] }];
  const { status } = decideQuota(quota({ "requests.memory": "1Gi", "count/things.example.com": "1" }), counted, 0) ?? {};
  expect(status).toEqual({ hard: { "requests.memory": "1Gi", "count/things.example.com": "1" }, used: { "requests.memory": "301Mi" } });
});

test("a status that says the same in other words is left alone", () => {
  const status = { hard: { "requests.cpu": "1000m" }, used: { "requests.cpu": "1" } };
  expect(decideQuota(quota({ "requests.cpu": "1" }, status), [{ resource: PODS, objects: [pod("1000m")] }], 0)).toBeUndefined();
});

test.each([
  { hard: "count/jobs.batch", resources: [JOBS] },
  { hard: "configmaps", resources: [CONFIG_MAPS] },
  { hard: "services.nodeports", resources: [SERVICES] },
  { hard: "requests.cpu", resources: [PODS] },
  { hard: "requests.example.com/gpu", resources: [PODS] },
])("a quota of $hard looks at the right kinds", ({ hard, resources }) => {
  const counted = [PODS, JOBS, CONFIG_MAPS, SERVICES].filter((r) => isCounted(quota({ [hard]: "1" }), r));
  expect(counted.filter((r) => resources.some((wanted) => wanted.plural === r.plural))).toHaveLength(resources.length);
});
