import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { KubeObject } from "../object.ts";
import { normalise } from "../schema/decode.ts";
import { decodeProtobuf, readAs } from "./decode.ts";
import { encodeProtobuf, encodeWatchFrame } from "./encode.ts";

/** Bodies that kubectl 1.35 sent. */
const SENT = [
  {
    gvk: { group: "batch", version: "v1", kind: "Job" },
    body: "azhzAAoPCghiYXRjaC92MRIDSm9iEoQBChIKAnBpEgAaACIAKgAyADgAQgASZDJiChAKABIAGgAiACoAMgA4AEIAEk4SKwoCcGkSBHBlcmwaBHBlcmwaAi1lGgExKgBCAGoAcgCAAQCIAQCQAQCiAQAaBU5ldmVyMgBCAEoAUgBYAGAAaACCAQCKAQCaAQDCAQAaCCAAKAAwADoAGgAiAA==",
    want: { metadata: { name: "pi" }, spec: { template: { metadata: {}, spec: { containers: [{ name: "pi", image: "perl", command: ["perl", "-e", "1"], resources: {} }], restartPolicy: "Never" } } }, status: {} },
  },
  {
    gvk: { group: "batch", version: "v1", kind: "CronJob" },
    body: "azhzAAoTCghiYXRjaC92MRIHQ3JvbkpvYhKkAQoSCgJjahIAGgAiACoAMgA4AEIAEosBCgsqLzEgKiAqICogKhoAKnoKEgoCY2oSABoAIgAqADIAOABCABJkMmIKEAoAEgAaACIAKgAyADgAQgASThInCgJjahIHYnVzeWJveBoEZGF0ZSoAQgBqAHIAgAEAiAEAkAEAogEAGglPbkZhaWx1cmUyAEIASgBSAFgAYABoAIIBAIoBAJoBAMIBABoAGgAiAA==",
    want: { metadata: { name: "cj" }, spec: { schedule: "*/1 * * * *", jobTemplate: { metadata: { name: "cj" }, spec: { template: { metadata: {}, spec: { containers: [{ name: "cj", image: "busybox", command: ["date"], resources: {} }], restartPolicy: "OnFailure" } } } } }, status: {} },
  },
  {
    gvk: { group: "", version: "v1", kind: "ConfigMap" },
    body: "azhzAAoPCgJ2MRIJQ29uZmlnTWFwEhsKEQoBYxIAGgAiACoAMgA4AEIAEgYKAWESATEaACIA",
    want: { metadata: { name: "c" }, data: { a: "1" } },
  },
  {
    gvk: { group: "", version: "v1", kind: "Secret" },
    body: "azhzAAoMCgJ2MRIGU2VjcmV0Eh0KEQoBcxIAGgAiACoAMgA4AEIAEgYKAXASAXEaABoAIgA=",
    want: { metadata: { name: "s" }, data: { p: "cQ==" } },
  },
  {
    gvk: { group: "authorization.k8s.io", version: "v1", kind: "SelfSubjectAccessReview" },
    body: "azhzAAoyChdhdXRob3JpemF0aW9uLms4cy5pby92MRIXU2VsZlN1YmplY3RBY2Nlc3NSZXZpZXcSPAoQCgASABoAIgAqADIAOABCABIeChwKB2RlZmF1bHQSA2dldBoAIgAqBHBvZHMyADoAGggIABIAGgAgABoAIgA=",
    want: { metadata: {}, spec: { resourceAttributes: { namespace: "default", verb: "get", resource: "pods" } }, status: { allowed: false } },
  },
];
const POD = { group: "", version: "v1", kind: "Pod" };

describe("bodies of kubectl", () => {
  test.each(SENT)("a $gvk.kind", ({ gvk, body, want }) => {
    const { object } = decodeProtobuf(Buffer.from(body, "base64"), gvk);
    const { kind: _kind, apiVersion: _apiVersion, ...rest } = object as unknown as Record<string, unknown>;
    expect(rest).toEqual(want);
  });
  test("a body of another kind, and one that is no protobuf", () => {
    const [job] = SENT;
    expect(() => decodeProtobuf(Buffer.from(job?.body ?? "", "base64"), POD)).toThrow('Job in version "v1" cannot be handled as a Pod: converting (v1.Job) to (core.Pod): unknown conversion');
    expect(() => decodeProtobuf(Buffer.from("{}"), POD)).toThrow("the object provided is unrecognized (must be of type Pod): provided data does not appear to be a protobuf message, expected prefix [107 56 115 0] ({})");
    expect(() => decodeProtobuf(Buffer.from(job?.body ?? "", "base64").subarray(0, 60), SENT[0]?.gvk ?? POD)).toThrow("unexpected EOF");
  });
});

const pod = normalise({
  kind: "Pod", apiVersion: "v1",
  metadata: { name: "p", creationTimestamp: "2020-01-01T00:00:00Z", labels: { a: "b" }, managedFields: [{ manager: "m", operation: "Update", fieldsType: "FieldsV1", fieldsV1: { "f:spec": {} } }] },
  spec: {
    overhead: { cpu: "10m" }, priority: 0, terminationGracePeriodSeconds: 30,
    containers: [{ name: "c", ports: [{ containerPort: 80 }], livenessProbe: { httpGet: { port: "web" }, periodSeconds: 5 }, readinessProbe: { tcpSocket: { port: 80 } }, env: [{ name: "A", valueFrom: { configMapKeyRef: { name: "m", key: "k", optional: false } } }], restartPolicyRules: [{ action: "Restart" }] }],
    volumes: [{ name: "v", configMap: { name: "m", defaultMode: 420 } }, { name: "e", emptyDir: { sizeLimit: "1Gi" } }],
    ephemeralContainers: [{ name: "d", targetContainerName: "c" }],
  },
  status: { phase: "Running", conditions: [{ type: "Ready", status: "True" }], containerStatuses: [{ name: "c", ready: true, restartCount: 0, image: "", imageID: "", state: { running: { startedAt: "2020-01-01T00:00:00Z" } } }] },
} as unknown as KubeObject, POD);

test("what is encoded decodes to the same", () => {
  const bytes = encodeProtobuf(pod) ?? new Uint8Array();
  expect(JSON.stringify(decodeProtobuf(bytes, POD).object)).toBe(JSON.stringify(pod));
  fc.assert(fc.property(fc.dictionary(fc.string({ unit: "grapheme" }), fc.string({ unit: "grapheme" })), (data) => {
    const gvk = { group: "", version: "v1", kind: "ConfigMap" };
    const map = normalise({ kind: "ConfigMap", apiVersion: "v1", metadata: { name: "c" }, data } as unknown as KubeObject, gvk);
    expect(decodeProtobuf(encodeProtobuf(map) ?? new Uint8Array(), gvk).object).toEqual(map);
  }));
});

test("a watch frame is a length, then a raw event with the enveloped object", () => {
  const frame = Buffer.from(encodeWatchFrame("ADDED", pod) ?? []);
  expect(frame.readUInt32BE()).toBe(frame.length - 4);
  expect(readAs(frame.subarray(4, 4 + 7), "k8s.io.apimachinery.pkg.apis.meta.v1.WatchEvent")).toEqual({ type: "ADDED" });
  expect(encodeWatchFrame("ADDED", { apiVersion: "meta.k8s.io/v1", kind: "Table" })).toBeUndefined();
});

test("micro times keep their digits", () => {
  const gvk = { group: "coordination.k8s.io", version: "v1", kind: "Lease" };
  const lease = normalise({ kind: "Lease", apiVersion: "coordination.k8s.io/v1", metadata: { name: "l" }, spec: { renewTime: "2020-01-01T00:00:00.123456Z" } } as unknown as KubeObject, gvk);
  expect(decodeProtobuf(encodeProtobuf(lease) ?? new Uint8Array(), gvk).object).toEqual(lease);
});
