import { describe, expect, test } from "vitest";
import { seededChance, seededIds } from "../base/chance.ts";
import { VirtualClock } from "../base/clock.ts";
import { violations } from "../api/pod-security.ts";
import { NAMESPACES, PODS, SERVICE_ACCOUNTS } from "../api/resource.ts";
import { openTestRegistry, refusal, START } from "../registry/test-kinds.ts";
import { podResize } from "./pod-resize.ts";
import { defaultAdmission } from "./plugins.ts";

const container = (more: object = {}) => ({ name: "main", image: "i", ...more });

describe("an account that lets its pods name listed secrets only", () => {
  const open = async () => {
    const r = openTestRegistry({ admission: defaultAdmission({ ids: seededIds(seededChance(2)), clock: new VirtualClock(START) }) });
    await r.create(NAMESPACES, { metadata: { name: "ns" }, spec: { finalizers: ["kubernetes"] }, status: { phase: "Active" } });
    await r.create(SERVICE_ACCOUNTS, { metadata: { name: "s", annotations: { "kubernetes.io/enforce-mountable-secrets": "true" } }, secrets: [{ name: "yes" }], automountServiceAccountToken: false });
    return r;
  };
  const why = (what: string) => `pods "p" is forbidden: ${what} referencing secret.secretName="no" is not allowed because service account s does not reference that secret`;
  test.each([
    { name: "a volume", spec: { volumes: [{ name: "v", secret: { secretName: "no" } }] }, want: 'pods "p" is forbidden: volume with secret.secretName="no" is not allowed because service account s does not reference that secret' },
    { name: "a variable", spec: { containers: [container({ env: [{ name: "A", valueFrom: { secretKeyRef: { name: "no", key: "k" } } }] })] }, want: why("container main with envVar A") },
    { name: "all of a secret", spec: { initContainers: [container({ name: "i", envFrom: [{ secretRef: { name: "no" } }] })] }, want: why("init container i with envFrom") },
    { name: "a pull secret", spec: { imagePullSecrets: [{ name: "no" }] }, want: 'pods "p" is forbidden: imagePullSecrets[0].name="no" is not allowed because service account s does not reference that imagePullSecret' },
  ])("refuses $name", async ({ spec, want }) => {
    const r = await open();
    expect((await refusal(r.create(PODS, { metadata: { name: "p" }, spec: { serviceAccountName: "s", containers: [container()], ...spec } }))).message).toBe(want);
  });
});

describe("a resize on a node", () => {
  const resized = (node: object | undefined) => {
    const pod = { metadata: { name: "p", generation: 2 }, spec: { nodeName: "n", containers: [container({ resources: { requests: { cpu: "2", memory: "1Gi" } } })] } };
    const context = { operation: "UPDATE", resource: PODS, subresource: "resize", namespace: "default", name: "p", old: { ...pod, metadata: { ...pod.metadata, generation: 1 } }, reader: { get: () => node, list: () => [] } };
    return () => podResize.validate?.(pod, context as never);
  };
  test.each([
    { name: "that is not there", node: undefined, want: 'pods "p" is forbidden: node "n" not found' },
    { name: "of another system", node: { metadata: { labels: { "kubernetes.io/os": "windows" } } }, want: /only supported on linux nodes/ },
    { name: "that has less", node: { status: { allocatable: { cpu: "1", memory: "2Gi" } } }, want: "pods \"p\" is forbidden: node didn't have enough allocatable resources: cpu, requested: 2000, allocatable: 1000" },
  ])("$name is refused", ({ node, want }) => expect(resized(node)).toThrow(want));
  test("that has it is let through", () => expect(resized({ status: { allocatable: { cpu: "4", memory: "2Gi" } } })).not.toThrow());
});

describe("versions of the pod security standards", () => {
  const reasons = (level: "baseline" | "restricted", minor: number, spec: object, annotations?: Record<string, string>) =>
    violations(level, minor, { ...(annotations && { annotations }) }, { containers: [container()], ...spec }).map((v) => v.reason);
  const LATEST = Number.POSITIVE_INFINITY;
  test.each([
    { name: "probes of other hosts are of 1.34", got: [33, 34].map((minor) => reasons("baseline", minor, { containers: [container({ livenessProbe: { httpGet: { port: 1, host: "h" } } })] })), want: [[], ["probe or lifecycle host"]] },
    { name: "sysctls became safe one after the other", got: [26, 27].map((minor) => reasons("baseline", minor, { securityContext: { sysctls: [{ name: "net.ipv4.ip_local_reserved_ports", value: "1" }] } })), want: [["forbidden sysctls"], []] },
    { name: "users of its own make a pod less dangerous since 1.35", got: [34, 35].map((minor) => reasons("baseline", minor, { hostUsers: false, containers: [container({ securityContext: { procMount: "Unmasked" } })] })), want: [["procMount"], []] },
    { name: "capabilities are dropped since 1.22", got: [21, 22].map((minor) => reasons("restricted", minor, {}).includes("unrestricted capabilities")), want: [false, true] },
    { name: "seccomp was an annotation", got: reasons("baseline", 18, { securityContext: { seccompProfile: { type: "Unconfined" } } }, { "seccomp.security.alpha.kubernetes.io/pod": "unconfined" }), want: ["seccompProfile"] },
    { name: "host processes", got: reasons("baseline", LATEST, { securityContext: { windowsOptions: { hostProcess: true } } }), want: ["hostProcess"] },
    { name: "AppArmor in an annotation", got: reasons("baseline", LATEST, {}, { "container.apparmor.security.beta.kubernetes.io/main": "unconfined" }), want: ["forbidden AppArmor profile"] },
  ])("$name", ({ got, want }) => expect(got).toEqual(want));
});
