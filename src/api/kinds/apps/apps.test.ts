import { describe, expect, test } from "vitest";
import { kindFor, stored, tryCreate, tryUpdate } from "../testing.ts";

const template = { metadata: { labels: { app: "a" } }, spec: { restartPolicy: "Always", containers: [{ name: "main", image: "alpine" }] } };
const selector = { matchLabels: { app: "a" } };
const workload = (spec: object = {}) => ({ metadata: { name: "w" }, spec: { selector, template, ...spec } });
const apps = (kind: string) => kindFor("apps/v1", kind);

describe("create refuses", () => {
  test.each([
    { kind: "Deployment", name: "a strategy that there is not", spec: { strategy: { type: "Slow" } }, want: ['spec.strategy: Unsupported value: {"Type":"Slow","RollingUpdate":null}: supported values: "Recreate", "RollingUpdate"'] },
    { kind: "Deployment", name: "a roll-out that can't move", spec: { strategy: { rollingUpdate: { maxSurge: 0, maxUnavailable: "0%" } } }, want: ['spec.strategy.rollingUpdate.maxUnavailable: Invalid value: "0%": may not be 0 when `maxSurge` is 0'] },
    { kind: "Deployment", name: "a deadline before the pods are ready", spec: { minReadySeconds: 600 }, want: ["spec.progressDeadlineSeconds: Invalid value: 600: must be greater than minReadySeconds"] },
    { kind: "Deployment", name: "a selector that can't be read, without a look at the template", spec: { selector: { matchLabels: { app: "../.." } } }, want: [expect.stringContaining("spec.selector.matchLabels: Invalid value"), 'spec.selector: Invalid value: {"matchLabels":{"app":"../.."}}: invalid label selector'] },
    { kind: "ReplicaSet", name: "pods that end", spec: { template: { ...template, spec: { ...template.spec, activeDeadlineSeconds: 1 } } }, want: ["spec.template.spec.activeDeadlineSeconds: Forbidden: activeDeadlineSeconds in ReplicaSet is not Supported"] },
    { kind: "StatefulSet", name: "an unknown order of pods", spec: { podManagementPolicy: "Random" }, want: ["spec.podManagementPolicy: Invalid value: \"Random\": must be 'OrderedReady' or 'Parallel'"] },
    { kind: "StatefulSet", name: "a service that is no label", spec: { serviceName: "a.b" }, want: ['spec.serviceName: Invalid value: "a.b": must not contain dots'] },
    { kind: "DaemonSet", name: "a surge where pods may be missing", spec: { updateStrategy: { rollingUpdate: { maxSurge: 1 } } }, want: ["spec.updateStrategy.rollingUpdate.maxSurge: Invalid value: 1: may not be set when maxUnavailable is non-zero"] },
  ])("$kind: $name", ({ kind, spec, want }) => {
    expect(tryCreate(apps(kind), workload(spec)).errors).toEqual(want);
  });
});

test("a template that changes is another generation of a DaemonSet, told in an annotation", () => {
  const kind = apps("DaemonSet");
  const old = stored(kind, workload());
  expect(old.metadata.annotations).toEqual({ "deprecated.daemonset.template.generation": "1" });
  const { object } = tryUpdate(kind, old, (draft) => Object.assign(draft["spec"] as object, { template: { ...template, metadata: { labels: { app: "a", more: "b" } } } }));
  expect(object.metadata).toMatchObject({ generation: 2, annotations: { "deprecated.daemonset.template.generation": "2" } });
  expect(tryUpdate(kind, old, (draft) => Object.assign(draft, { metadata: { name: "w" }, status: {} }), "status").object.metadata.annotations).toEqual({ "deprecated.daemonset.template.generation": "1" });
});

test("claim templates of a StatefulSet are whole claims and can't be changed", () => {
  const kind = apps("StatefulSet");
  const claim = { metadata: { name: "data" }, spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } } };
  const old = stored(kind, workload({ volumeClaimTemplates: [claim] }));
  expect(old).toMatchObject({ spec: { volumeClaimTemplates: [{ apiVersion: "v1", kind: "PersistentVolumeClaim", spec: { volumeMode: "Filesystem" }, status: { phase: "Pending" } }] } });
  expect(tryUpdate(kind, old, (draft) => Object.assign(draft["spec"] as object, { volumeClaimTemplates: [] })).errors).toEqual([expect.stringContaining("spec: Forbidden: updates to statefulset spec")]);
});

test("counts of a status are parts of the whole and never become fewer collisions", () => {
  const kind = apps("Deployment");
  const old = { ...stored(kind, workload()), status: { collisionCount: 2 } };
  const { errors } = tryUpdate(kind, old, (draft) => Object.assign(draft, { status: { readyReplicas: 1, availableReplicas: 2 } }), "status");
  expect(errors).toEqual([
    "status.readyReplicas: Invalid value: 1: cannot be greater than status.replicas",
    "status.availableReplicas: Invalid value: 2: cannot be greater than status.replicas",
    "status.availableReplicas: Invalid value: 2: cannot be greater than readyReplicas",
    "status.collisionCount: Invalid value: 0: cannot be decremented",
  ]);
});
