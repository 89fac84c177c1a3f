import { expect, test, vi } from "vitest";
import { seededChance, seededIds } from "../base/chance.ts";
import { VirtualClock } from "../base/clock.ts";
import { kinds } from "../api/kinds/table.ts";
import type { KubeObject } from "../api/object.ts";
import { CONFIG_MAPS, EVENTS, JOBS, NAMESPACES, PODS, SERVICE_ACCOUNTS, type Resource } from "../api/resource.ts";
import { defaultAdmission } from "../admission/plugins.ts";
import { openTestRegistry, refusal, START } from "./test-kinds.ts";

const NEW_EVENTS: Resource = { group: "events.k8s.io", version: "v1", plural: "events", kind: "Event", namespaced: true };

/** All kinds that are served, behind the admission of a default cluster. */
async function openWhole() {
  const r = openTestRegistry({ kinds, admission: defaultAdmission({ ids: seededIds(seededChance(2)), clock: new VirtualClock(START) }) });
  await r.create(NAMESPACES, { metadata: { name: "ns" } });
  await r.create(SERVICE_ACCOUNTS, { metadata: { name: "default" } });
  return r;
}

test("a Job carries the labels that its template was given", async () => {
  const r = await openWhole();
  const job = await r.create(JOBS, { metadata: { name: "j" }, spec: { template: { spec: { restartPolicy: "Never", containers: [{ name: "main", image: "i" }] } } } });
  expect(job).toMatchObject({
    metadata: { generation: 1, labels: { "job-name": "j", "controller-uid": job.metadata.uid }, managedFields: [{ manager: "test", operation: "Update", apiVersion: "batch/v1" }] },
    spec: { parallelism: 1, completions: 1, backoffLimit: 6 },
    status: {},
  });
});

test.each([
  { kind: "a Job with an account", resource: JOBS, spec: { template: { spec: { serviceAccountName: "default", restartPolicy: "Never", containers: [{ name: "main", image: "i" }] } } }, status: { active: 1 } },
  {
    kind: "a Deployment", resource: { group: "apps", version: "v1", plural: "deployments", kind: "Deployment", namespaced: true },
    spec: { selector: { matchLabels: { a: "b" } }, template: { metadata: { labels: { a: "b" } }, spec: { containers: [{ name: "main", image: "i" }] } } }, status: { replicas: 1 },
  },
])("the status of $kind is written beside a spec that stays as it is", async ({ resource, spec, status }) => {
  const r = await openWhole();
  const made = await r.create(resource, { metadata: { name: "x" }, spec });
  expect(await r.patch(resource, "x", { status, spec: { paused: true } }, "status")).toMatchObject({ status, spec: (made as { spec?: object }).spec });
});

test("events of both groups are one storage, each in its own words", async () => {
  const r = await openWhole();
  await r.create(EVENTS, { metadata: { name: "e" }, involvedObject: { kind: "Pod", name: "p", namespace: "ns" }, reason: "Because", message: "said", type: "Normal", source: { component: "me" } });
  const { events } = await r.watch(NEW_EVENTS);
  expect(events[0]?.object).toMatchObject({ apiVersion: "events.k8s.io/v1", regarding: { name: "p" }, note: "said", deprecatedSource: { component: "me" } });
  expect((await r.list(NEW_EVENTS)).items[0]).toBe(events[0]?.object);
  expect((await r.list(NEW_EVENTS, { fieldSelector: "regarding.name=p" })).items).toHaveLength(1);
  await r.remove(NEW_EVENTS, "e");
  expect(await refusal(r.get(EVENTS, "e"))).toMatchObject({ code: 404 });
});

test("a namespace goes when its last finalizer is taken through /finalize", async () => {
  const r = await openWhole();
  await r.remove(NAMESPACES, "ns");
  const waiting = await r.get(NAMESPACES, "ns");
  expect(waiting).toMatchObject({ spec: { finalizers: ["kubernetes"] }, status: { phase: "Terminating" } });
  await r.update(NAMESPACES, "ns", { ...waiting, spec: {} }, "finalize");
  expect(await refusal(r.get(NAMESPACES, "ns"))).toMatchObject({ code: 404 });
});

test("a pod's labels change, whatever its spec has and is given by default", async () => {
  const r = await openWhole();
  const resources = { limits: { cpu: "1" } };
  const spec = { initContainers: [{ name: "first", image: "i", resources }], containers: [{ name: "main", image: "i", resources, ports: [{ containerPort: 80 }] }], hostNetwork: true };
  await r.create(PODS, { metadata: { name: "p" }, spec });
  const before = (await r.get(PODS, "p")) as KubeObject & { readonly spec: object };
  expect(before).toMatchObject({ spec: { containers: [{ resources: { requests: { cpu: "1" } } }] } });
  expect(await r.patch(PODS, "p", { metadata: { labels: { a: "b" } } })).toMatchObject({ metadata: { labels: { a: "b" } }, spec: before.spec });
  expect(await r.patch(PODS, "p", { status: { phase: "Running" } }, "status")).toMatchObject({ status: { phase: "Running" }, spec: before.spec });
});

test("an apply makes an object, and takes from nobody without force", async () => {
  const r = await openWhole();
  const pod = { apiVersion: "v1", kind: "Pod", metadata: { name: "p", labels: { a: "1" } }, spec: { containers: [{ name: "main", image: "i" }] } };
  const apply = (manager: string, config: object, force: boolean) =>
    r.handle({ verb: "patch", resource: PODS, namespace: "ns", name: "p", subresource: "", type: "apply", patch: config, options: { fieldManager: manager, force } });
  expect((await apply("one", pod, false)).code).toBe(201);
  const other = { ...pod, metadata: { name: "p", labels: { a: "2" } } };
  expect(await refusal(apply("two", other, false))).toMatchObject({ code: 409, details: { causes: [{ reason: "FieldManagerConflict", field: ".metadata.labels.a" }] } });
  const forced = (await apply("two", other, true)).body as KubeObject;
  expect(forced.metadata.labels).toEqual({ a: "2" });
  expect((await apply("two", other, true)).body).toBe(forced);
});

test("the end of an object shows it as it was, to its caller as it was made", async () => {
  const r = await openWhole();
  await r.create(CONFIG_MAPS, { metadata: { name: "c", finalizers: ["a.b/c"] } });
  await r.remove(CONFIG_MAPS, "c");
  const { events } = await r.watch(CONFIG_MAPS);
  const answer = await r.patch(CONFIG_MAPS, "c", { metadata: { finalizers: null } });
  expect(answer.metadata).not.toHaveProperty("finalizers");
  await vi.waitFor(() => expect(events.at(-1)).toMatchObject({ type: "DELETED", object: { metadata: { finalizers: ["a.b/c"] } } }));
});
