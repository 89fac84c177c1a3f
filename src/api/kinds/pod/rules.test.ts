import { describe, expect, test } from "vitest";
import type { Pod } from "../../generated/types.ts";
import { kindFor, stored, tryCreate, tryUpdate } from "../testing.ts";
import { imageTag } from "./image.ts";
import { qosClassOf } from "./qos.ts";

const kind = kindFor("v1", "Pod");
const templates = kindFor("v1", "PodTemplate");
const main = (more: object = {}) => ({ name: "main", image: "example/image", ...more });
const pod = (spec: object = {}, metadata: object = {}) => ({ metadata: { name: "p", ...metadata }, spec: { containers: [main()], ...spec } });
const one = (more: object) => pod({ containers: [main(more)] });
const windows = (options: object) => pod({ os: { name: "windows" }, securityContext: { windowsOptions: options } });
const projected = (...sources: object[]) => pod({ volumes: [{ name: "v", projected: { sources } }] });
const annotated = (key: string, value: string, spec: object = {}) => pod(spec, { annotations: { [key]: value } });
const APPARMOR = "container.apparmor.security.beta.kubernetes.io/main";
const SECCOMP = "seccomp.security.alpha.kubernetes.io/pod";
const in0 = "spec.containers[0]";

test.each([
  { image: "a".repeat(64), tag: "", why: "an image's id" }, { image: "b".repeat(300), tag: "", why: "too long a name" }, { image: "host.example/b", tag: "latest", why: "an image" },
])("$why has the tag '$tag'", ({ image, tag }) => expect(imageTag(image)).toBe(tag));

test("fields of features that are off are dropped", () => {
  const object = pod({ containers: [main({ lifecycle: { stopSignal: "SIGINT" } })], volumes: [{ name: "v", projected: { sources: [{ clusterTrustBundle: { name: "x", path: "y" } }] } }], schedulingGroup: { podGroupName: "g" } });
  const { errors, object: made } = tryCreate(kind, object);
  expect(errors).toEqual([]);
  expect((made as Pod).spec).toMatchObject({ containers: [{ name: "main" }], volumes: [{ projected: { sources: [{}] } }] });
  expect(JSON.stringify(made)).not.toMatch(/stopSignal|lifecycle|clusterTrustBundle|schedulingGroup/);
});

test("amounts of resources are kept in thousandths, rounded up", () => {
  expect((tryCreate(kind, one({ resources: { requests: { cpu: "0.1m" } } })).object as Pod).spec.containers[0]?.resources?.requests).toEqual({ cpu: "1m" });
});

test("resources of the pod decide its quality of service, even when they say nothing", () => {
  expect(qosClassOf({ containers: [{ name: "a", resources: { requests: { cpu: "1" } } }], resources: {} })).toBe("BestEffort");
});

test("huge pages of the containers are the pod's", () => {
  const resources = { limits: { cpu: "1", memory: "1Gi", "hugepages-2Mi": "4Mi" } };
  expect((tryCreate(kind, pod({ resources: { limits: { cpu: "2", memory: "2Gi" } }, containers: [main({ resources })] })).object as Pod).spec.resources?.limits).toEqual({ cpu: "2", memory: "2Gi", "hugepages-2Mi": "4Mi" });
});

describe("create refuses", () => {
  test.each([
    { name: "an action that is none", object: one({ restartPolicy: "Never", restartPolicyRules: [{ action: "", exitCodes: { operator: "In" } }] }), want: [`${in0}.restartPolicyRules[0].action: Unsupported value: "": supported values: "Restart", "RestartAllContainers"`] },
    { name: "a restart for resizing an init container", object: pod({ initContainers: [{ name: "i", image: "x", resizePolicy: [{ resourceName: "cpu", restartPolicy: "RestartContainer" }] }] }), want: ["spec.initContainers[0].resizePolicy[0].restartPolicy: Invalid value: \"RestartContainer\": must not be set to 'RestartContainer' for non-sidecar initContainers"] },
    { name: "comparing tolerations", object: pod({ tolerations: [{ key: "a", operator: "Gt", value: "1" }] }), want: ['spec.tolerations[0].operator: Unsupported value: "Gt": supported values: "Equal", "Exists", "Lt", "Gt"'] },
    { name: "leading zeros", object: pod({ hostAliases: [{ ip: "010.0.0.1" }] }), want: ['spec.hostAliases[0].ip: Invalid value: "010.0.0.1": must not have leading 0s'] },
    { name: "a mapped address", object: pod({ dnsConfig: { nameservers: ["::ffff:1.2.3.4"] } }), want: ['spec.dnsConfig.nameservers[0]: Invalid value: "::ffff:1.2.3.4": must not be an IPv4-mapped IPv6 address'] },
    { name: "a long host name", object: pod({ hostnameOverride: "a".repeat(65), setHostnameAsFQDN: true }), want: ["spec.hostnameOverride: Forbidden: may not be specified when setHostnameAsFQDN is true", "spec.hostnameOverride: Too long: may not be more than 64 bytes"] },
    { name: "SELinux labels by mount", object: pod({ securityContext: { seLinuxChangePolicy: "MountOption" } }), want: ['spec.securityContext.seLinuxChangePolicy: Unsupported value: "MountOption": supported values: "Recursive"'] },
    { name: "a system without a name", object: pod({ os: {} }), want: ["spec.os.name: Required value"] },
    { name: "Windows on Linux", object: pod({ os: { name: "linux" }, securityContext: { windowsOptions: {} } }), want: ["spec.securityContext.windowsOptions: Forbidden: windows options cannot be set for a linux pod"] },
    { name: "Linux on Windows", object: pod({ os: { name: "windows" }, hostPID: true, containers: [main({ securityContext: { privileged: false } })] }), want: ["spec.hostPID: Forbidden: cannot be set for a windows pod", `${in0}.securityContext.privileged: Forbidden: cannot be set for a windows pod`] },
    { name: "a user of dots", object: windows({ runAsUserName: "a b:c\\.." }), want: ["spec.securityContext.windowsOptions.runAsUserName: Invalid value: \"a b:c\\\\..\": runAsUserName's Domain doesn't match the NetBios nor the DNS format", "spec.securityContext.windowsOptions.runAsUserName: Invalid value: \"a b:c\\\\..\": runAsUserName's User cannot contain only periods or spaces"] },
    { name: "host processes off the host's network", object: windows({ hostProcess: true }), want: ["spec.hostNetwork: Invalid value: false: hostNetwork must be true if pod contains any hostProcess containers"] },
    { name: "block devices in a user namespace", object: pod({ hostUsers: false, volumes: [{ name: "c", persistentVolumeClaim: { claimName: "c" } }], containers: [main({ volumeDevices: [{ name: "c", devicePath: "/d" }] })] }), want: [`${in0}.volumeDevices: Forbidden: when \`hostUsers\` is false`] },
    { name: "a file that is in no emptyDir", object: one({ env: [{ name: "A", valueFrom: { fileKeyRef: { volumeName: "v", path: "p", key: "k" } } }] }), want: [`${in0}.env[0].valueFrom.fileKeyRef.volumeName: Not found: "v"`] },
    { name: "a claim that the pod itself makes", object: pod({ volumes: [{ name: "e", ephemeral: { volumeClaimTemplate: { spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1" } } } } } }, { name: "c", persistentVolumeClaim: { claimName: "p-e" } }] }), want: ['spec.volumes[1].persistentVolumeClaim.claimName: Invalid value: "p-e": must not reference a PVC that gets created for an ephemeral volume'] },
    { name: "a disk without a name", object: pod({ volumes: [{ name: "v", gcePersistentDisk: {} }] }), want: ["spec.volumes[0].persistentDisk.pdName: Required value"] },
    { name: "more than the pod's own requests", object: pod({ resources: { requests: { cpu: "1" } }, containers: [main({ resources: { requests: { cpu: "2", memory: "1Gi" } } })] }), want: ['spec.resources.requests[cpu]: Invalid value: "1": must be greater than or equal to aggregate container requests of 2'] },
    { name: "a key chosen twice", object: pod({ topologySpreadConstraints: [{ maxSkew: 1, topologyKey: "z", whenUnsatisfiable: "DoNotSchedule", matchLabelKeys: ["k"], labelSelector: { matchExpressions: [{ key: "k", operator: "Exists" }] } }] }, { labels: { k: "v" } }), want: ['spec.topologySpreadConstraints[0][0]: Invalid value: "k": exists in both matchLabelKeys and labelSelector'] },
    { name: "an annotation about a container that is not there", object: annotated(`${APPARMOR}x`, "unconfined"), want: [`metadata.annotations[${APPARMOR}x]: Invalid value: "mainx": container not found`] },
    { name: "a profile that is none", object: annotated(SECCOMP, "odd"), want: [`metadata.annotations.${SECCOMP}: Invalid value: "odd": must be a valid seccomp profile`] },
    { name: "two profiles", object: annotated(SECCOMP, "unconfined", { securityContext: { seccompProfile: { type: "RuntimeDefault" } } }), want: ["spec.securityContext.seccompProfile.type: Forbidden: seccomp type in annotation and field must match"] },
    { name: "a cost that is no integer", object: annotated("controller.kubernetes.io/pod-deletion-cost", "+1"), want: ['metadata.annotations[controller.kubernetes.io/pod-deletion-cost]: Invalid value: "+1": must be a 32bit integer'] },
  ])("$name", ({ object, want }) => expect(tryCreate(kind, object).errors).toEqual(want));
});

describe("warnings of", () => {
  const ports = (...list: object[]) => one({ ports: list });
  const term = (more: object = {}) => ({ topologyKey: "zone", ...more });
  test.each([
    { name: "a port twice", object: ports({ containerPort: 1 }, { containerPort: 1 }), want: [`${in0}.ports[1]: duplicate port definition with ${in0}.ports[0]`] },
    { name: "a port that a host port covers", object: ports({ containerPort: 1, hostPort: 2 }, { containerPort: 1 }), want: [`${in0}.ports[1]: overlapping port definition with ${in0}.ports[0]`] },
    { name: "an address of the host without its port", object: ports({ name: "a", containerPort: 1, hostIP: "10.0.0.1" }), want: [`${in0}.ports[0]: hostIP set without hostPort: {Name:a HostPort:0 ContainerPort:1 Protocol:TCP HostIP:10.0.0.1}`] },
    { name: "a name of ports in two containers", object: pod({ containers: [main({ ports: [{ name: "a", containerPort: 1 }] }), main({ name: "two", ports: [{ name: "a", containerPort: 2 }] })] }), want: [`spec.containers[1].ports[0]: duplicate port name "a" with ${in0}.ports[0], services and probes that select ports by name will use ${in0}.ports[0]`] },
    { name: "a volume of old", object: pod({ volumes: [{ name: "v", gitRepo: { repository: "r" } }] }), want: ["spec.volumes[0].gitRepo: deprecated in v1.11, and disabled by default in v1.33+"] },
    { name: "files one over the other", object: projected({ configMap: { name: "c", items: [{ key: "k", path: "a" }] } }, { secret: { name: "s", items: [{ key: "k", path: "a/b" }] } }), want: ['volume "v" (Projected): overlapping paths: "a/b" (Secret "s") with "a" (ConfigMap "c")'] },
    { name: "a source of nothing", object: projected({}), want: ['volume "v" (Projected) has no sources provided'] },
    { name: "no selector", object: pod({ affinity: { podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [term()] } } }), want: ["spec.affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].labelSelector: a null labelSelector results in matching no pod"] },
    { name: "a name that is no host name", object: { ...pod(), metadata: { name: "a.b" } }, want: ["metadata.name: this is used in the Pod's hostname, which can result in surprising behavior; a DNS label is recommended: [must not contain dots]"] },
    { name: "an annotation of old", object: annotated("scheduler.alpha.kubernetes.io/critical-pod", ""), want: ['metadata.annotations[scheduler.alpha.kubernetes.io/critical-pod]: non-functional in v1.16+; use the "priorityClassName" field instead'] },
    { name: "AppArmor in an annotation, which becomes a field", object: annotated(APPARMOR, "localhost/x"), want: [`metadata.annotations[${APPARMOR}]: deprecated since v1.30; use the "appArmorProfile" field instead`] },
    { name: "an address in another spelling", object: pod({ hostAliases: [{ ip: "2001:DB8::1" }] }), want: ['spec.hostAliases[0].ip: IPv6 address "2001:DB8::1" should be in RFC 5952 canonical format ("2001:db8::1")'] },
  ])("$name", ({ object, want }) => expect(tryCreate(kind, object)).toMatchObject({ errors: [], warnings: want }));

  test("a template name its place", () => {
    const { spec } = annotated(APPARMOR, "unconfined");
    expect(tryCreate(templates, { metadata: { name: "t" }, template: { metadata: { annotations: { [APPARMOR]: "unconfined" } }, spec } }).warnings).toEqual([`template.metadata.annotations[${APPARMOR}]: deprecated since v1.30; use the "appArmorProfile" field instead`]);
  });

  test("updates there are none", () => {
    const old = stored(kind, pod({ affinity: { podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [term()] } } }));
    expect(tryUpdate(kind, old, (draft) => void Object.assign(draft["metadata"] as object, { labels: { a: "b" } })).warnings).toEqual([]);
  });
});

test("AppArmor of a container's annotation is in its field", () => {
  expect((tryCreate(kind, annotated(APPARMOR, "localhost/x")).object as Pod).spec.containers[0]?.securityContext).toEqual({ appArmorProfile: { type: "Localhost", localhostProfile: "x" } });
});

test("who does not say which generation was observed leaves what was said", () => {
  const old = { ...stored(kind, pod()), status: { qosClass: "BestEffort", observedGeneration: 2, conditions: [{ type: "Ready", status: "False", observedGeneration: 1 }] } };
  const ready = (draft: Record<string, unknown>) => void (draft["status"] = { conditions: [{ type: "Ready", status: "True" }] });
  expect((tryUpdate(kind, old as never, ready, "status").object as Pod).status).toMatchObject({ observedGeneration: 2, conditions: [{ status: "True", observedGeneration: 1 }] });
});

describe("a status refuses", () => {
  const status = (more: object) => (draft: Record<string, unknown>) => void (draft["status"] = more);
  const ended = (name: string, exitCode: number) => ({ name, image: "", imageID: "", ready: false, restartCount: 0, state: { terminated: { exitCode } } });
  const running = (name: string, more: object = {}) => ({ name, image: "", imageID: "", ready: true, restartCount: 0, state: { running: {} }, ...more });
  const old = (spec: object, before: object = {}) => ({ ...stored(kind, pod(spec)), status: { qosClass: "BestEffort", ...before } }) as never;
  const FOR_GOOD = "status.containerStatuses[0].state: Forbidden: may not be transitioned to non-terminated state";

  test.each([
    { name: "success, again", before: old({ restartPolicy: "OnFailure" }, { containerStatuses: [ended("main", 0)] }), now: { containerStatuses: [running("main")] }, want: [FOR_GOOD] },
    { name: "no failure, which is tried again", before: old({ restartPolicy: "OnFailure" }, { containerStatuses: [ended("main", 1)] }), now: { containerStatuses: [running("main")] }, want: [] },
    { name: "what a container's own policy leaves ended", before: old({ containers: [main({ restartPolicy: "Never" })] }, { containerStatuses: [ended("main", 1)] }), now: { containerStatuses: [running("main")] }, want: [FOR_GOOD] },
    { name: "two addresses of a family", before: old({}), now: { podIPs: [{ ip: "10.0.0.1" }, { ip: "10.0.0.2" }] }, want: ['status.podIPs: Invalid value: [{"IP":"10.0.0.1"},{"IP":"10.0.0.2"}]: may specify no more than one IP for each IP family'] },
    { name: "a condition's name", before: old({}), now: { conditions: [{ type: "a b", status: "True" }] }, want: [expect.stringContaining('status.conditions[0].Type: Invalid value: "a b": ')] },
    { name: "a node for a pod that has one", before: old({ nodeName: "n" }), now: { nominatedNodeName: "m" }, want: ["status.nominatedNodeName: Forbidden: may not be set on pods that are already bound to a node"] },
    { name: "a claim that the pod has not", before: old({}), now: { resourceClaimStatuses: [{ name: "c" }] }, want: ['status.resourceClaimStatuses[0].name: Invalid value: "c": must match the name of an entry in `spec.resourceClaims`'] },
    { name: "a group beyond all", before: old({}), now: { containerStatuses: [running("main", { user: { linux: { uid: 0, gid: -1 } } })] }, want: ["status.containerStatuses[0].user.linux.gid: Invalid value: -1: must be between 0 and 2147483647, inclusive"] },
    { name: "health of what was not asked for", before: old({}), now: { containerStatuses: [running("main", { allocatedResourcesStatus: [{ name: "cpu" }] })] }, want: ['status.containerStatuses[0].allocatedResourcesStatus[0].name: Invalid value: "cpu": must match one of the container\'s resource requests'] },
  ])("$name", ({ before, now, want }) => expect(tryUpdate(kind, before, status(now), "status").errors).toEqual(want));
});

describe("a resize", () => {
  const amounts = (requests: object, limits?: object) => ({ resources: { requests, ...(limits && { limits }) } });
  const old = stored(kind, pod({ containers: [main(amounts({ cpu: "1" }, { cpu: "2", memory: "2Gi" }))], initContainers: [{ name: "i", image: "x", ...amounts({ cpu: "1" }) }] }));
  const change = (container: object, spec: object = {}) => (draft: Record<string, unknown>) => {
    const was = draft["spec"] as { readonly containers: readonly object[] };
    draft["spec"] = { ...was, containers: [{ ...was.containers[0], ...container }], ...spec };
  };
  test.each([
    { name: "changes cpu, and limits of memory downwards", edit: change(amounts({ cpu: "2" }, { cpu: "2", memory: "1Gi" })), want: [] },
    { name: "leaves everything else alone", edit: change({ image: "other" }, { nodeName: "n" }), want: [] },
    { name: "takes nothing away", edit: change(amounts({ cpu: "1", memory: "2Gi" }, { cpu: "2" })), want: ["spec.containers[0].resources.limits: Forbidden: resource limits cannot be removed"] },
    { name: "is of cpu and memory only", edit: change(amounts({ cpu: "1", "ephemeral-storage": "1Gi" }, { cpu: "2", memory: "2Gi" })), want: ["spec: Forbidden: only cpu and memory resources are mutable"] },
    { name: "keeps the containers", edit: change({ name: "other" }), want: ["spec.containers[0].name: Forbidden: containers may not be renamed or reordered on resize"] },
  ])("$name", ({ edit, want }) => expect(tryUpdate(kind, old, edit, "resize").errors).toEqual(want));
});
