import { describe, expect, test } from "vitest";
import type { Container, Pod } from "../../generated/types.ts";
import { defaulted, kindFor, stored, tryCreate, tryUpdate } from "../testing.ts";
import { imageTag } from "./image.ts";
import { qosClassOf } from "./qos.ts";

const kind = kindFor("v1", "Pod");
const main = (more: object = {}) => ({ name: "main", image: "example/image", ...more });
const pod = (spec: object = {}, metadata: object = {}) => ({ metadata: { name: "p", ...metadata }, spec: { containers: [main()], ...spec } });
const one = (more: object) => pod({ containers: [main(more)] });

test.each([
  { image: "busybox", tag: "latest" }, { image: "busybox:1.2", tag: "1.2" }, { image: "host:5000/a/b", tag: "latest" }, { image: "host:5000/a/b:x", tag: "x" },
  { image: `a@sha256:${"0".repeat(64)}`, tag: "" }, { image: " leading", tag: "" },
])("the tag of $image", ({ image, tag }) => expect(imageTag(image)).toBe(tag));

describe("defaults", () => {
  const made = (object: object) => tryCreate(kind, object).object as Pod;

  test("of a plain pod", () => {
    expect(made(pod())).toMatchObject({
      spec: { restartPolicy: "Always", terminationGracePeriodSeconds: 30, dnsPolicy: "ClusterFirst", securityContext: {}, schedulerName: "default-scheduler", enableServiceLinks: true },
      status: { phase: "Pending", qosClass: "BestEffort" },
      metadata: { generation: 1 },
    });
    expect(made(pod()).spec.containers[0]).toMatchObject({ imagePullPolicy: "Always", terminationMessagePath: "/dev/termination-log", terminationMessagePolicy: "File" });
  });

  test("requests are limits, and host ports container ports, on pods", () => {
    const { spec } = made(pod({ hostNetwork: true, containers: [main({ ports: [{ containerPort: 80 }], resources: { limits: { cpu: "1" } } })] }));
    expect(spec.containers[0]).toMatchObject({ ports: [{ containerPort: 80, hostPort: 80, protocol: "TCP" }], resources: { requests: { cpu: "1" } } });
  });

  test("a gated pod is not scheduled, and says so", () => {
    expect(made(pod({ schedulingGates: [{ name: "example.com/a" }] })).status?.conditions).toMatchObject([{ type: "PodScheduled", status: "False", reason: "SchedulingGated" }]);
  });

  test("they settle: a second round changes nothing", () => {
    const once = made(one({ livenessProbe: { httpGet: { port: 80 } } }));
    expect(defaulted(kind, once)).toEqual(once);
  });
});

const resources = (requests: object, limits: object): Container => ({ name: "c", resources: { requests: { ...requests }, limits: { ...limits } } });
test.each([
  { name: "nothing", containers: [resources({}, {})], want: "BestEffort" },
  { name: "limits equal requests", containers: [resources({ cpu: "1", memory: "1Gi" }, { cpu: "1", memory: "1Gi" })], want: "Guaranteed" },
  { name: "only cpu", containers: [resources({ cpu: "1" }, { cpu: "1" })], want: "Burstable" },
  { name: "one of two", containers: [resources({ cpu: "1", memory: "1" }, { cpu: "1", memory: "1" }), resources({}, {})], want: "Burstable" },
])("quality of service: $name is $want", ({ containers, want }) => expect(qosClassOf({ containers })).toBe(want));

describe("create refuses", () => {
  const in0 = "spec.containers[0]";
  test.each([
    { name: "no containers", object: pod({ containers: [] }), want: ["spec.containers: Required value"] },
    { name: "a name twice", object: pod({ containers: [main(), main()] }), want: ['spec.containers[1].name: Duplicate value: "main"'] },
    { name: "blanks around an image", object: one({ image: " x " }), want: [`${in0}.image: Invalid value: " x ": must not have leading or trailing whitespace`] },
    { name: "a port of nothing", object: one({ ports: [{ containerPort: 0 }] }), want: [`${in0}.ports[0].containerPort: Required value`] },
    { name: "a host port twice", object: one({ ports: [{ containerPort: 1, hostPort: 9 }, { containerPort: 2, hostPort: 9 }] }), want: [`${in0}.ports[1].hostPort: Duplicate value: "TCP//9"`] },
    { name: "a variable of two sources", object: one({ env: [{ name: "A", valueFrom: { fieldRef: { fieldPath: "metadata.name" }, secretKeyRef: { name: "s", key: "k" } } }] }), want: [`${in0}.env[0].valueFrom: Invalid value: "": may not have more than one field specified at a time`] },
    { name: "a field that pods don't have", object: one({ env: [{ name: "A", valueFrom: { fieldRef: { fieldPath: "spec.nothing" } } }] }), want: [`${in0}.env[0].valueFrom.fieldRef.fieldPath: Invalid value: "spec.nothing": error converting fieldPath: field label not supported: spec.nothing`] },
    { name: "more than the limit", object: one({ resources: { requests: { cpu: "2" }, limits: { cpu: "1" } } }), want: [`${in0}.resources.requests: Invalid value: "2": must be less than or equal to cpu limit of 1`] },
    { name: "an extended resource without a limit", object: one({ resources: { requests: { "example.com/gold": "1" } } }), want: [`${in0}.resources.limits: Required value: Limit must be set for non overcommitable resources`] },
    { name: "a mount of nothing", object: one({ volumeMounts: [{ name: "none", mountPath: "/x" }] }), want: [`${in0}.volumeMounts[0].name: Not found: "none"`] },
    { name: "two sources of a volume", object: pod({ volumes: [{ name: "v", emptyDir: {}, hostPath: { path: "/x" } }] }), want: ["spec.volumes[0].hostPath: Forbidden: may not specify more than 1 volume type"] },
    { name: "a probe of two kinds", object: one({ livenessProbe: { exec: { command: ["a"] }, tcpSocket: { port: 1 } } }), want: [`${in0}.livenessProbe.tcpSocket: Forbidden: may not specify more than 1 handler type`] },
    { name: "a hook that outlasts the grace", object: one({ lifecycle: { preStop: { sleep: { seconds: 99 } } } }), want: [`${in0}.lifecycle.preStop.sleep: Invalid value: 99: must be non-negative and less than terminationGracePeriodSeconds (30)`] },
    { name: "hooks of an init container", object: pod({ initContainers: [{ name: "i", image: "x", lifecycle: { preStop: { sleep: { seconds: 1 } } } }] }), want: ["spec.initContainers[0].lifecycle: Forbidden: may not be set for init containers without restartPolicy=Always"] },
    { name: "a toleration of everything with Equal", object: pod({ tolerations: [{ operator: "Equal" }] }), want: ['spec.tolerations[0].operator: Invalid value: "Equal": operator must be Exists when `key` is empty, which means "match all values and all keys"'] },
    { name: "no name server of its own", object: pod({ dnsPolicy: "None" }), want: ["spec.dnsConfig: Required value: must provide `dnsConfig` when `dnsPolicy` is None"] },
    { name: "no skew", object: pod({ topologySpreadConstraints: [{ maxSkew: 0, topologyKey: "z", whenUnsatisfiable: "DoNotSchedule", labelSelector: {} }] }), want: ["spec.topologySpreadConstraints[0].maxSkew: Invalid value: 0: must be greater than zero"] },
    { name: "a node selector without terms", object: pod({ affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [] } } } }), want: ["spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms: Required value: must have at least one node selector term"] },
    { name: "an alias of no address", object: pod({ hostAliases: [{ ip: "x", hostnames: ["a"] }] }), want: ['spec.hostAliases[0].ip: Invalid value: "x": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)'] },
    { name: "restart rules alone", object: one({ restartPolicyRules: [{ action: "Restart", exitCodes: { operator: "In", values: [1] } }] }), want: [`${in0}.restartPolicy: Required value: must specify restartPolicy when restart rules are used`] },
    { name: "a privileged container that may not escalate", object: one({ securityContext: { runAsUser: -1 } }), want: [`${in0}.securityContext.runAsUser: Invalid value: -1: must be between 0 and 2147483647, inclusive`] },
    { name: "ephemeral containers", object: pod({ ephemeralContainers: [{ name: "e", image: "x" }] }), want: ["spec.ephemeralContainers: Forbidden: cannot be set on create"] },
  ])("$name", ({ object, want }) => expect(tryCreate(kind, object).errors).toEqual(want));
});

describe("update", () => {
  const change = (spec: object) => (draft: Record<string, unknown>) => void Object.assign(draft["spec"] as object, spec);
  const old = stored(kind, pod({ activeDeadlineSeconds: 100, tolerations: [{ key: "a", operator: "Exists" }] }));

  test.each([
    { name: "an image may change", spec: { containers: [{ ...(old as Pod).spec.containers[0], image: "other:2" }] }, want: [] },
    { name: "a deadline only gets shorter", spec: { activeDeadlineSeconds: 500 }, want: ["spec.activeDeadlineSeconds: Invalid value: 500: must be less than or equal to previous value"] },
    { name: "tolerations are only added", spec: { tolerations: [] }, want: ["spec.tolerations: Forbidden: existing toleration can not be modified except its tolerationSeconds"] },
    { name: "containers stay", spec: { containers: [main(), main({ name: "two" })] }, want: ["spec.containers: Forbidden: pod updates may not add or remove containers"] },
  ])("$name", ({ spec, want }) => expect(tryUpdate(kind, old, change(spec)).errors).toEqual(want));

  test("anything else is refused, with the difference", () => {
    const [error = ""] = tryUpdate(kind, old, change({ nodeName: "n" })).errors;
    expect(error).toMatch(/^spec: Forbidden: pod updates may not change fields other than .*\n@@ /);
    expect(error).toContain('- "NodeName": "",\n+ "NodeName": "n",\n');
  });

  test("a container that ended for good stays ended", () => {
    const ended = { ...stored(kind, pod({ restartPolicy: "Never" })), status: { qosClass: "BestEffort", containerStatuses: [{ name: "main", image: "", imageID: "", ready: false, restartCount: 0, state: { terminated: { exitCode: 0 } } }] } };
    const restart = (draft: Record<string, unknown>) => void (draft["status"] = { containerStatuses: [{ name: "main", image: "", imageID: "", ready: true, restartCount: 1, state: { running: {} } }] });
    expect(tryUpdate(kind, ended, restart, "status").errors).toEqual(["status.containerStatuses[0].state: Forbidden: may not be transitioned to non-terminated state"]);
    const rules = [{ action: "RestartAllContainers", exitCodes: { operator: "In", values: [7] } }];
    const other = { ...main({ name: "other" }), restartPolicy: "Never", restartPolicyRules: rules };
    expect(tryUpdate(kind, { ...ended, spec: { restartPolicy: "Never", containers: [main(), other] } } as never, restart, "status").errors).toEqual([]);
  });
});

test.each([
  { name: "on a node, its own period", spec: { nodeName: "n" }, phase: "Running", options: {}, want: 30 },
  { name: "the period asked for", spec: { nodeName: "n" }, phase: "Running", options: { gracePeriodSeconds: 5 }, want: 5 },
  { name: "not on a node: at once", spec: {}, phase: "Pending", options: {}, want: 0 },
  { name: "ended: at once", spec: { nodeName: "n" }, phase: "Succeeded", options: {}, want: 0 },
])("deletion waits: $name", ({ spec, phase, options, want }) => {
  expect(kind.gracefulDelete?.gracePeriodSeconds({ ...stored(kind, pod(spec)), status: { phase } } as never, options)).toBe(want);
});

test("a variable that hides another is warned of", () => {
  expect(tryCreate(kind, one({ env: [{ name: "A", value: "1" }, { name: "A", value: "2" }] })).warnings).toEqual(['spec.containers[0].env[1]: hides previous definition of "A", which may be dropped when using apply']);
});
