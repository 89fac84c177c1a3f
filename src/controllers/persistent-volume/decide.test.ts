import { describe, expect, test } from "vitest";
import type { PersistentVolumeClaimSpec, PersistentVolumeSpec, Pod, StorageClass } from "../../api/generated/types.ts";
import type { Stored } from "../../api/object.ts";
import { BIND_COMPLETED, BOUND_BY_CONTROLLER, type Claim, claimBoundTo, decideClaim, decideVolume, isUsed, unbound, type Volume, volumeBoundTo } from "./decide.ts";

const meta = (name: string, more: object = {}) => ({ name, uid: `u-${name}`, resourceVersion: "1", creationTimestamp: "2026-01-01T00:00:00Z", ...more });
const claim = (spec: PersistentVolumeClaimSpec = {}, annotations: Record<string, string> = {}): Claim => ({
  metadata: meta("c", { namespace: "ns", annotations }), spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } }, storageClassName: "s", ...spec }, status: { phase: "Pending" },
});
const volume = (name: string, spec: PersistentVolumeSpec = {}, more: object = {}, phase = "Available"): Volume => ({
  metadata: meta(name, more), spec: { accessModes: ["ReadWriteOnce"], capacity: { storage: "1Gi" }, storageClassName: "s", ...spec }, status: { phase },
});
const storageClass = (name: string, more: Partial<StorageClass> = {}): Stored<StorageClass> => ({ provisioner: "example.com/p", ...more, metadata: meta(name) });
const pod = (name: string, { nodeName = "", phase = "Running", volumes = [{ name: "v", persistentVolumeClaim: { claimName: "c" } }] as readonly object[] } = {}) =>
  ({ metadata: meta(name, { namespace: "ns" }), spec: { containers: [], volumes, ...(nodeName && { nodeName }) }, status: { phase } }) as unknown as Stored<Pod>;
const decide = (c: Claim, volumes: readonly Volume[] = [], { classes = [] as readonly Stored<StorageClass>[], pods = [] as readonly Stored<Pod>[] } = {}) => {
  const step = decideClaim({ claim: c, volumes, classes, pods });
  if (step.kind === "bind") return step.volume.metadata.name;
  return "event" in step && step.event ? `${step.event.reason}: ${step.event.message}` : step.kind === "phase" ? step.phase : step.kind;
};

describe("a claim without a volume", () => {
  test.each([
    { name: "takes the smallest that is large enough", volumes: [volume("big", { capacity: { storage: "3Gi" } }), volume("fit"), volume("small", { capacity: { storage: "1Mi" } })], want: "fit" },
    { name: "takes the one with the fewest modes", volumes: [volume("many", { accessModes: ["ReadWriteOnce", "ReadWriteMany"] }), volume("one", { capacity: { storage: "3Gi" } })], want: "one" },
    { name: "takes the one that is kept for it", volumes: [volume("free"), volume("kept", { claimRef: { namespace: "ns", name: "c" }, capacity: { storage: "9Gi" } })], want: "kept" },
    { name: "takes none of another class", volumes: [volume("v", { storageClassName: "t" })], want: 'ProvisioningFailed: storageclass.storage.k8s.io "s" not found' },
    { name: "takes none that is taken", volumes: [volume("v", { claimRef: { namespace: "ns", name: "d", uid: "x" } })], want: 'ProvisioningFailed: storageclass.storage.k8s.io "s" not found' },
    { name: "takes none that was released", volumes: [volume("v", {}, {}, "Released")], want: 'ProvisioningFailed: storageclass.storage.k8s.io "s" not found' },
    { name: "takes none that is being deleted", volumes: [volume("v", {}, { deletionTimestamp: "t" })], want: 'ProvisioningFailed: storageclass.storage.k8s.io "s" not found' },
    { name: "takes the labels that it wants", spec: { selector: { matchLabels: { a: "b" } } }, volumes: [volume("no"), volume("yes", {}, { labels: { a: "b" } })], want: "yes" },
  ])("$name", ({ volumes, spec, want }) => expect(decide(claim(spec), volumes)).toBe(want));

  test.each([
    { name: "without a class", spec: { storageClassName: "" }, classes: [], want: "FailedBinding: no persistent volumes available for this claim and no storage class is set" },
    { name: "of a class that nothing here provisions", spec: {}, classes: [storageClass("s", { provisioner: "kubernetes.io/no-provisioner" })], want: "ProvisioningFailed: no volume plugin matched name: kubernetes.io/no-provisioner" },
    { name: "of a class that waits", spec: {}, classes: [storageClass("s", { volumeBindingMode: "WaitForFirstConsumer" })], want: "WaitForFirstConsumer: waiting for first consumer to be created before binding" },
  ])("$name says why", ({ spec, classes, want }) => expect(decide(claim(spec), [], { classes })).toBe(want));

  test("of a class that waits names the pods", () => {
    const classes = [storageClass("s", { volumeBindingMode: "WaitForFirstConsumer" })];
    expect(decide(claim(), [volume("v")], { classes, pods: [pod("p")] })).toBe("WaitForPodScheduled: waiting for pod p to be scheduled");
  });

  test("gets the default class, where there is one", () => {
    const { storageClassName: _, ...spec } = claim().spec ?? {};
    const classes: readonly Stored<StorageClass>[] = [{ provisioner: "example.com/p", metadata: meta("d", { annotations: { "storageclass.kubernetes.io/is-default-class": "true" } }) }];
    expect(decideClaim({ claim: { ...claim(), spec }, volumes: [], classes, pods: [] })).toEqual({ kind: "assignClass", name: "d" });
  });
});

test.each([
  { name: "that suits", volumes: [volume("v")], want: "v" },
  { name: "that is not there", volumes: [], want: "Pending" },
  { name: "that is too small", volumes: [volume("v", { capacity: { storage: "1Mi" } })], want: 'VolumeMismatch: Cannot bind to requested volume "v": requested PV is too small' },
  { name: "of another mode", volumes: [volume("v", { volumeMode: "Block" })], want: 'VolumeMismatch: Cannot bind to requested volume "v": incompatible volumeMode' },
  { name: "of another claim", volumes: [volume("v", { claimRef: { namespace: "ns", name: "d", uid: "x" } })], want: 'FailedBinding: volume "v" already bound to a different claim.' },
])("a claim names a volume $name", ({ volumes, want }) => expect(decide(claim({ volumeName: "v" }), volumes)).toBe(want));

test.each([
  { name: "is lost without its volume", volumes: [], want: "ClaimLost: Bound claim has lost its PersistentVolume. Data on the volume is lost!" },
  { name: "is lost to another", volumes: [volume("v", { claimRef: { namespace: "ns", name: "d", uid: "x" } })], want: "ClaimMisbound: Two claims are bound to the same volume, this one is bound incorrectly" },
  { name: "stays with its volume", volumes: [volume("v", { claimRef: { namespace: "ns", name: "c", uid: "u-c" } })], want: "v" },
])("a bound claim $name", ({ volumes, want }) => expect(decide(claim({ volumeName: "v" }, { [BIND_COMPLETED]: "yes" }), volumes)).toBe(want));

test.each([
  { name: "nobody's", spec: {}, of: undefined, want: { kind: "phase", phase: "Available" } },
  { name: "kept by name", spec: { claimRef: { namespace: "ns", name: "c" } }, of: undefined, want: { kind: "phase", phase: "Available" } },
  { name: "of a claim that is gone", spec: { claimRef: { name: "c", uid: "x" } }, of: undefined, want: { kind: "phase", phase: "Released" } },
  { name: "of a claim that does not know yet", spec: { claimRef: { name: "c", uid: "u-c" } }, of: claim(), want: { kind: "bindClaim" } },
  { name: "of its claim", spec: { claimRef: { name: "c", uid: "u-c" } }, of: claim({ volumeName: "v" }), want: { kind: "phase", phase: "Bound" } },
  { name: "of a claim that has another", spec: { claimRef: { name: "c", uid: "u-c" } }, of: claim({ volumeName: "w" }), want: { kind: "unbind" } },
])("a volume is $name", ({ spec, of, want }) => expect(decideVolume(volume("v", spec), of)).toEqual(want));

test("binding is written on both sides, and says who did it; unbinding takes it back", () => {
  const held = volumeBoundTo(volume("v"), claim());
  expect([held?.metadata.annotations, held?.spec?.claimRef?.uid]).toEqual([{ [BOUND_BY_CONTROLLER]: "yes" }, "u-c"]);
  expect(held && volumeBoundTo(held, claim())).toBeUndefined();
  expect(claimBoundTo(claim(), volume("v"))?.metadata.annotations).toEqual({ [BIND_COMPLETED]: "yes", [BOUND_BY_CONTROLLER]: "yes" });
  expect(claimBoundTo(claim({ volumeName: "v" }), volume("v"))?.metadata.annotations).toEqual({ [BIND_COMPLETED]: "yes" });
  expect(held && unbound(held).spec?.claimRef).toBeUndefined();
  expect(unbound(volume("v", { claimRef: { namespace: "ns", name: "c", uid: "u-c" } })).spec?.claimRef).toEqual({ namespace: "ns", name: "c" });
});

const ephemeral = [{ name: "c", ephemeral: {} }];
test.each([
  { name: "a pod on a node", pods: [pod("p", { nodeName: "n" })], want: true },
  { name: "a pod that has ended there", pods: [pod("p", { nodeName: "n", phase: "Succeeded" })], want: true },
  { name: "a pod without a node", pods: [pod("p")], want: false },
  { name: "nobody", pods: [], want: false },
])("a claim is used by $name: $want", ({ pods, want }) => expect(isUsed(claim(), pods)).toBe(want));

test("the claim of an ephemeral volume is not used by a pod that has ended", () => {
  const own = { ...claim(), metadata: meta("p-c", { namespace: "ns" }) };
  expect([isUsed(own, [pod("p", { nodeName: "n", volumes: ephemeral })]), isUsed(own, [pod("p", { nodeName: "n", phase: "Failed", volumes: ephemeral })])]).toEqual([true, false]);
});
