import { describe, expect, test } from "vitest";
import { seededChance, seededIds } from "../base/chance.ts";
import { VirtualClock } from "../base/clock.ts";
import type { LimitRange, Pod, ResourceQuota } from "../api/generated/types.ts";
import { defineKind } from "../api/kinds/define.ts";
import type { KubeObject } from "../api/object.ts";
import { CONFIG_MAPS, JOBS, LIMIT_RANGES, NAMESPACES, PODS, PRIORITY_CLASSES, RESOURCE_QUOTAS, SERVICE_ACCOUNTS, SERVICES, type Resource } from "../api/resource.ts";
import { configMap, openTestRegistry, refusal, START, testKinds } from "../registry/test-kinds.ts";
import { defaultAdmission } from "./plugins.ts";

const plain = ({ group, version, plural, kind, namespaced }: Resource): Resource<KubeObject> => ({ group, version, plural, kind, namespaced });
const more = [
  defineKind({ resource: plain(LIMIT_RANGES), schema: "io.k8s.api.core.v1.LimitRange" }),
  defineKind({ resource: plain(RESOURCE_QUOTAS), schema: "io.k8s.api.core.v1.ResourceQuota", status: {} }),
  defineKind({ resource: plain(SERVICES), schema: "io.k8s.api.core.v1.Service" }),
  defineKind({ resource: plain(PRIORITY_CLASSES), schema: "io.k8s.api.scheduling.v1.PriorityClass" }),
];

async function withNamespace() {
  const admission = defaultAdmission({ ids: seededIds(seededChance(2)), clock: new VirtualClock(START) });
  const r = openTestRegistry({ kinds: [...testKinds, ...more], admission });
  await r.create(NAMESPACES, { metadata: { name: "ns" }, spec: { finalizers: ["kubernetes"] }, status: { phase: "Active" } });
  await r.create(SERVICE_ACCOUNTS, { metadata: { name: "default" } });
  return r;
}

const pod = (name: string, spec: object = {}, resources: object = {}) => ({ metadata: { name }, spec: { containers: [{ name: "main", image: "i", resources }], ...spec } });
const spec = (object: KubeObject) => (object as Pod).spec;

describe("NamespaceLifecycle", () => {
  test("nothing is made where no namespace is", async () => {
    const status = await refusal(openTestRegistry({ admission: defaultAdmission({ ids: seededIds(seededChance(2)), clock: new VirtualClock(START) }) }).create(CONFIG_MAPS, configMap("a")));
    expect(status).toMatchObject({ code: 404, message: 'namespaces "ns" not found' });
  });

  test("nothing is made where it is being terminated, but what is there may change", async () => {
    const r = await withNamespace();
    await r.create(CONFIG_MAPS, configMap("old"));
    await r.remove(NAMESPACES, "ns");
    expect(await refusal(r.create(CONFIG_MAPS, configMap("new")))).toMatchObject({
      code: 403,
      message: 'configmaps "new" is forbidden: unable to create new content in namespace ns because it is being terminated',
      details: { causes: [{ reason: "NamespaceTerminating", message: "namespace ns is being terminated", field: "metadata.namespace" }] },
    });
    expect(await r.patch(CONFIG_MAPS, "old", { data: { a: "1" } })).toMatchObject({ data: { a: "1" } });
  });

  test("the default namespace stays", async () => {
    const r = await withNamespace();
    await r.create(NAMESPACES, { metadata: { name: "default" } });
    expect((await refusal(r.remove(NAMESPACES, "default"))).message).toBe('namespaces "default" is forbidden: this namespace may not be deleted');
  });
});

describe("ServiceAccount", () => {
  test("a pod gets an account and a token", async () => {
    const made = spec(await (await withNamespace()).create(PODS, pod("p")));
    const name = made?.volumes?.[0]?.name;
    expect(made).toMatchObject({
      serviceAccountName: "default",
      serviceAccount: "default",
      volumes: [{ name, projected: { defaultMode: 420, sources: [{ serviceAccountToken: { expirationSeconds: 3607, path: "token" } }, {}, {}] } }],
      containers: [{ volumeMounts: [{ name, readOnly: true, mountPath: "/var/run/secrets/kubernetes.io/serviceaccount" }] }],
    });
    expect(name).toMatch(/^kube-api-access-[a-z0-9]{5}$/);
  });

  test("the account and then the pod say whether, and which pull secrets", async () => {
    const r = await withNamespace();
    await r.create(SERVICE_ACCOUNTS, { metadata: { name: "quiet" }, automountServiceAccountToken: false, imagePullSecrets: [{ name: "registry" }] });
    expect(spec(await r.create(PODS, pod("a", { serviceAccount: "quiet" })))).toEqual(expect.objectContaining({ serviceAccountName: "quiet", imagePullSecrets: [{ name: "registry" }] }));
    expect(spec(await r.create(PODS, pod("b", { serviceAccountName: "quiet", automountServiceAccountToken: true, imagePullSecrets: [{ name: "own" }] })))).toMatchObject({ volumes: [{}], imagePullSecrets: [{ name: "own" }] });
  });

  test("an account that is not there", async () => {
    const r = await withNamespace();
    expect((await refusal(r.create(PODS, pod("p", { serviceAccountName: "nobody" })))).message).toBe('pods "p" is forbidden: error looking up service account ns/nobody: serviceaccount "nobody" not found');
  });
});

describe("Priority and DefaultTolerationSeconds", () => {
  test("fill in what is not said", async () => {
    expect(spec(await (await withNamespace()).create(PODS, pod("p")))).toMatchObject({
      priority: 0,
      preemptionPolicy: "PreemptLowerPriority",
      tolerations: ["not-ready", "unreachable"].map((t) => ({ key: `node.kubernetes.io/${t}`, operator: "Exists", effect: "NoExecute", tolerationSeconds: 300 })),
    });
  });

  test.each([
    { given: { priorityClassName: "high" }, priority: 1000 },
    { given: { priorityClassName: "system-node-critical" }, priority: 2_000_001_000 },
    { given: { priorityClassName: "absent" }, message: "no PriorityClass with name absent was found" },
    { given: { priorityClassName: "constructor" }, message: "no PriorityClass with name constructor was found" },
    { given: { priority: 7 }, message: "the integer value of priority (7) must not be provided in pod spec; priority admission controller computed 0 from the given PriorityClass name" },
  ])("$given", async ({ given, priority, message }) => {
    const r = await withNamespace();
    await r.create(PRIORITY_CLASSES, { metadata: { name: "high" }, value: 1000 });
    const making = r.create(PODS, pod("p", given));
    if (message) expect((await refusal(making)).message).toBe(`pods "p" is forbidden: ${message}`);
    else expect(spec(await making)?.priority).toBe(priority);
  });
});

describe("LimitRanger", () => {
  const range: LimitRange = {
    metadata: { name: "l" },
    spec: { limits: [{ type: "Container", default: { cpu: "500m", memory: "512Mi" }, defaultRequest: { cpu: "100m", memory: "512Mi" }, max: { cpu: "1", memory: "1Gi" }, min: { cpu: "50m" }, maxLimitRequestRatio: { cpu: "6" } }] },
  };
  test.each([
    { resources: undefined, annotation: "LimitRanger plugin set: cpu, memory request for container main; cpu, memory limit for container main" },
    { resources: { requests: { cpu: "200m" } }, annotation: "LimitRanger plugin set: memory request for container main; cpu, memory limit for container main" },
    { resources: { requests: { cpu: "1" }, limits: { cpu: "2" } }, message: "maximum cpu usage per Container is 1, but limit is 2" },
    { resources: { requests: { cpu: "10m" }, limits: { cpu: "50m" } }, message: "minimum cpu usage per Container is 50m, but request is 10m" },
    { resources: { requests: { cpu: "100m" }, limits: { cpu: "900m" } }, message: "cpu max limit to request ratio per Container is 6, but provided ratio is 9.000000" },
  ])("$resources", async ({ resources, annotation, message }) => {
    const r = await withNamespace();
    await r.create(LIMIT_RANGES, range);
    const making = r.create(PODS, pod("p", {}, resources));
    if (message) expect((await refusal(making)).message).toBe(`pods "p" is forbidden: ${message}`);
    else expect((await making).metadata.annotations?.["kubernetes.io/limit-ranger"]).toBe(annotation);
  });
});

describe("PodSecurity", () => {
  const label = (mode: string, level: string) => ({ metadata: { labels: { [`pod-security.kubernetes.io/${mode}`]: level } } });
  const RESTRICTED =
    'allowPrivilegeEscalation != false (container "main" must set securityContext.allowPrivilegeEscalation=false), unrestricted capabilities (container "main" must set securityContext.capabilities.drop=["ALL"]), ' +
    'runAsNonRoot != true (pod or container "main" must set securityContext.runAsNonRoot=true), seccompProfile (pod or container "main" must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost")';

  test("enforces what the namespace says", async () => {
    const r = await withNamespace();
    await r.create(PODS, pod("old"));
    const { warnings } = await r.handle({ verb: "patch", resource: NAMESPACES, namespace: "", name: "ns", subresource: "", type: "merge", patch: label("enforce", "restricted"), options: {} });
    expect(warnings).toEqual([
      'existing pods in namespace "ns" violate the new PodSecurity enforce level "restricted:latest"',
      "old: allowPrivilegeEscalation != false, unrestricted capabilities, runAsNonRoot != true, seccompProfile",
    ]);
    expect((await refusal(r.create(PODS, pod("p")))).message).toBe(`pods "p" is forbidden: violates PodSecurity "restricted:latest": ${RESTRICTED}`);
    expect((await refusal(r.patch(PODS, "old", { spec: { containers: [{ name: "main", image: "other" }] } }))).message).toContain('pods "old" is forbidden: violates PodSecurity');
    const safe = { containers: [{ name: "main", image: "i", securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ["ALL"] } } }], securityContext: { runAsNonRoot: true, seccompProfile: { type: "RuntimeDefault" } } };
    expect((await r.create(PODS, { metadata: { name: "safe" }, spec: safe })).metadata.name).toBe("safe");
  });

  test("warns of pods and of templates", async () => {
    const r = await withNamespace();
    await r.patch(NAMESPACES, "ns", label("warn", "baseline"));
    const make = (resource: Resource, object: object) => r.handle({ verb: "create", resource, namespace: "ns", object: object as KubeObject, options: {} });
    const hostile = { hostNetwork: true, containers: [{ name: "main", image: "i", securityContext: { privileged: true } }] };
    const warnings = ['would violate PodSecurity "baseline:latest": host namespaces (hostNetwork=true), privileged (container "main" must not set securityContext.privileged=true)'];
    expect(await make(PODS, { metadata: { name: "p" }, spec: hostile })).toMatchObject({ code: 201, warnings });
    expect(await make(JOBS, { metadata: { name: "j" }, spec: { template: { spec: hostile } } })).toMatchObject({ code: 201, warnings });
  });

  test("a level that is none is refused", async () => {
    const r = await withNamespace();
    expect((await refusal(r.patch(NAMESPACES, "ns", label("enforce", "strict")))).message).toBe('Namespace "ns" is invalid: metadata.labels[pod-security.kubernetes.io/enforce]: Invalid value: "strict": must be one of privileged, baseline, restricted');
  });
});

describe("ResourceQuota", () => {
  async function withQuota(hard: Readonly<Record<string, string>>) {
    const r = await withNamespace();
    await r.create(RESOURCE_QUOTAS, { metadata: { name: "q" }, spec: { hard } });
    await r.patch(RESOURCE_QUOTAS, "q", { status: { hard, used: Object.fromEntries(Object.keys(hard).map((name) => [name, "0"])) } }, "status");
    return { ...r, used: async () => ((await r.get(RESOURCE_QUOTAS, "q")) as ResourceQuota).status?.used };
  }
  const asking = (name: string, cpu: string) => pod(name, {}, { requests: { cpu } });

  test("counts an update once that somebody else was faster than", async () => {
    const r = await withQuota({ "services.nodeports": "9" });
    const make = (count: number) => ({ metadata: { name: "s" }, spec: { type: "NodePort", ports: Array.from({ length: count }, (_, i) => ({ name: `p${i}`, port: i + 1, nodePort: 30_000 + i })) } });
    await r.create(SERVICES, make(1));
    await Promise.all([2, 3, 4].map((count) => r.patch(SERVICES, "s", make(count))));
    const { spec: { ports = [] } = {} } = (await r.get(SERVICES, "s")) as { spec?: { ports?: object[] } };
    expect(await r.used()).toEqual({ "services.nodeports": String(ports.length) });
  });

  test("books what is asked for, and refuses what is too much", async () => {
    const r = await withQuota({ pods: "2", "requests.cpu": "1", "count/configmaps": "1" });
    const no = async (making: Promise<unknown>) => (await refusal(making)).message;
    expect(await no(r.create(PODS, pod("none")))).toBe('pods "none" is forbidden: failed quota: q: must specify requests.cpu for: main');
    await r.create(PODS, asking("a", "600m"));
    await r.create(PODS, asking("dry", "100m"), { dryRun: ["All"] });
    expect(await no(r.create(PODS, asking("b", "600m")))).toBe('pods "b" is forbidden: exceeded quota: q, requested: requests.cpu=600m, used: requests.cpu=600m, limited: requests.cpu=1');
    await r.create(PODS, asking("b", "400m"));
    expect(await no(r.create(PODS, asking("c", "0")))).toBe('pods "c" is forbidden: exceeded quota: q, requested: pods=1, used: pods=2, limited: pods=2');
    await r.create(CONFIG_MAPS, configMap("a"));
    expect(await no(r.create(CONFIG_MAPS, configMap("b")))).toContain("exceeded quota: q, requested: count/configmaps=1");
    expect(await r.used()).toEqual({ pods: "2", "requests.cpu": "1", "count/configmaps": "1" });
  });

  test("books what an update takes more, and gives back what it takes less", async () => {
    const r = await withQuota({ "services.nodeports": "1", services: "2" });
    const retype = (type: string, ports: readonly number[]) => r.patch(SERVICES, "s", { spec: { type, ports: ports.map((port) => ({ name: `p${port}`, port })) } });
    await r.create(SERVICES, { metadata: { name: "s" }, spec: { ports: [{ name: "p1", port: 1 }] } });
    await retype("NodePort", [1]);
    expect(await r.used()).toEqual({ "services.nodeports": "1", services: "1" });
    expect((await refusal(retype("NodePort", [1, 2]))).message).toBe('services "s" is forbidden: exceeded quota: q, requested: services.nodeports=1, used: services.nodeports=1, limited: services.nodeports=1');
    await retype("ClusterIP", [1]);
    expect(await r.used()).toEqual({ "services.nodeports": "0", services: "1" });
  });

  test("racing creates never take more than there is", async () => {
    const r = await withQuota({ pods: "3" });
    const outcomes = await Promise.allSettled(Array.from({ length: 8 }, (_, i) => r.create(PODS, pod(`p${i}`))));
    expect(outcomes.filter((o) => o.status === "fulfilled")).toHaveLength(3);
    expect(await r.used()).toEqual({ pods: "3" });
  });
});

test("a LimitRange says of a pod's memory what its containers said", async () => {
  const r = await withNamespace();
  await r.create(LIMIT_RANGES, { metadata: { name: "l" }, spec: { limits: [{ type: "Pod", min: { memory: "10Mi" } }] } });
  expect(await refusal(r.create(PODS, pod("p", {}, { requests: { memory: "1Mi" } })))).toMatchObject({ message: 'pods "p" is forbidden: minimum memory usage per Pod is 10Mi, but request is 1Mi' });
});
