import { describe, expect, test } from "vitest";
import type { KubeObject } from "../../object.ts";
import { kindFor, stored, tryCreate, tryUpdate } from "../testing.ts";

const volumes = kindFor("v1", "PersistentVolume");
const claims = kindFor("v1", "PersistentVolumeClaim");
const of = (kind: string) => kindFor("storage.k8s.io/v1", kind);
const volume = (spec: object) => ({ metadata: { name: "v" }, spec: { accessModes: ["ReadWriteOnce"], capacity: { storage: "1Gi" }, ...spec } });
const claim = (spec: object = {}) => ({ metadata: { name: "c" }, spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } }, ...spec } });
const hostPath = { path: "/data" };

describe("create refuses", () => {
  test.each([
    { name: "two sources", kind: volumes, object: volume({ hostPath, nfs: { server: "s", path: "/" } }), want: ["spec.nfs: Forbidden: may not specify more than 1 volume type"] },
    { name: "a local volume of no node", kind: volumes, object: volume({ local: { path: "/data" } }), want: ["spec.nodeAffinity: Required value: Local volume requires node affinity"] },
    { name: "another resource than storage", kind: volumes, object: volume({ hostPath, capacity: { storage: "1", cpu: "1" } }), want: ['spec.capacity: Unsupported value: {"cpu":"1","storage":"1"}: supported values: "storage"'] },
    { name: "half a secret", kind: volumes, object: volume({ csi: { driver: "d.io", volumeHandle: "h", nodePublishSecretRef: { name: "s" } } }), want: ["spec.csi.nodePublishSecretRef.namespace: Required value"] },
    { name: "a term that says nothing", kind: of("StorageClass"), object: { metadata: { name: "s" }, provisioner: "a/b", allowedTopologies: [{ matchLabelExpressions: [{ key: "k", values: [] }] }] }, want: ["allowedTopologies[0].matchLabelExpressions[0].values: Required value"] },
    { name: "a class of no attributes", kind: of("VolumeAttributesClass"), object: { metadata: { name: "s" }, driverName: "d" }, want: ["parameters: Required value: must contain at least one key/value pair"] },
    { name: "a driver twice", kind: of("CSINode"), object: { metadata: { name: "n" }, spec: { drivers: [{ name: "a", nodeID: "1" }, { name: "a", nodeID: "2" }] } }, want: ['spec.drivers[1].name: Duplicate value: "a"'] },
    { name: "an attachment of nothing", kind: of("VolumeAttachment"), object: { metadata: { name: "a" }, spec: { attacher: "a", nodeName: "n", source: {} } }, want: ["spec.source: Required value: must specify exactly one of inlineVolumeSpec and persistentVolumeName"] },
  ])("$name", ({ kind, object, want }) => {
    expect(tryCreate(kind, object).errors).toEqual(want);
  });
});

test("a source of data says the same in both of its fields; the older field takes only what it always took", () => {
  const source = { kind: "PersistentVolumeClaim", name: "other" };
  expect(stored(claims, claim({ dataSource: source }))).toMatchObject({ spec: { dataSource: source, dataSourceRef: source } });
  expect(stored(claims, claim({ dataSourceRef: { apiGroup: "a.io", kind: "K", name: "n" } }))).toMatchObject({ spec: { dataSource: { apiGroup: "a.io", kind: "K", name: "n" } } });
  expect(stored(claims, claim({ dataSource: { kind: "Pod", name: "p" } }))).not.toHaveProperty("spec.dataSource");
});

test.each([
  { name: "a claim may be given a volume and a class", spec: { volumeName: "v", storageClassName: "s" }, want: [] },
  { name: "but not another mode of access", spec: { accessModes: ["ReadOnlyMany"] }, want: [expect.stringContaining("spec: Forbidden: spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims\n@@ ")] },
])("$name", ({ spec, want }) => {
  expect(tryUpdate(claims, stored(claims, claim()), (draft) => Object.assign(draft["spec"] as object, spec)).errors).toEqual(want);
});

test("a bound claim may grow and not shrink below what it has", () => {
  const old = { ...stored(claims, claim({ volumeName: "v" })), status: { phase: "Bound", capacity: { storage: "1Gi" } } } as KubeObject;
  const ask = (storage: string) => tryUpdate(claims, old, (draft) => Object.assign(draft["spec"] as object, { resources: { requests: { storage } } })).errors;
  expect(ask("2Gi")).toEqual([]);
  expect(ask("1Mi")).toEqual(["spec.resources.requests.storage: Forbidden: field can not be less than status.capacity"]);
});

test("a volume stays where it is", () => {
  const { errors } = tryUpdate(volumes, stored(volumes, volume({ hostPath })), (draft) => Object.assign(draft["spec"] as object, { hostPath: { path: "/other" } }));
  expect(errors).toEqual([expect.stringContaining("spec.persistentvolumesource: Forbidden: spec.persistentvolumesource is immutable after creation\n@@ ")]);
});

test("the time of a volume's phase stays while the phase does", () => {
  const old = { ...stored(volumes, volume({ hostPath })), status: { phase: "Available", lastPhaseTransitionTime: "2024-01-01T00:00:00Z" } } as KubeObject;
  expect(tryUpdate(volumes, old, (draft) => Object.assign(draft, { status: { phase: "Available" } }), "status").object).toMatchObject({ status: { lastPhaseTransitionTime: "2024-01-01T00:00:00Z" } });
});
