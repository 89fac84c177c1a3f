/** The JavaScript client: informer, watch, patches of every kind, apply and the generic object API on Jobs. */
import { ApiException, BatchV1Api, type Informer, type KubernetesObject, KubeConfig, KubernetesObjectApi, makeInformer, type ObjectCache, PatchStrategy, setHeaderOptions, type V1Job, Watch } from "@kubernetes/client-node";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { Sandbox, Server } from "../support/stint.ts";

let sandbox: Sandbox;
let server: Server;
let config: KubeConfig;
let jobs: BatchV1Api;

beforeAll(async () => {
  sandbox = await Sandbox.make();
  server = await Server.start(sandbox, ["--disable", "agent,scheduler"]);
  config = new KubeConfig();
  config.loadFromFile(server.kubeconfig);
  jobs = config.makeApiClient(BatchV1Api);
});
afterAll(async () => {
  await server.stop();
  await sandbox.remove();
});

const namespace = "default";
const PATH = `/apis/batch/v1/namespaces/${namespace}/jobs`;
const jobNamed = (name: string): V1Job => ({
  apiVersion: "batch/v1", kind: "Job", metadata: { name, labels: { test: name } },
  spec: { template: { spec: { restartPolicy: "Never", containers: [{ name: "main", image: "alpine", command: ["true"] }] } } },
});
const as = (strategy: string) => setHeaderOptions("Content-Type", strategy);
const isStatus = (code: number, reason: string) => (error: unknown) => error instanceof ApiException && error.code === code && String(error.body).includes(`"reason":"${reason}"`);

function informerOf(selector: string): { readonly informer: Informer<V1Job> & ObjectCache<V1Job>; readonly seen: string[] } {
  const informer = makeInformer<V1Job>(config, PATH, () => jobs.listNamespacedJob({ namespace, labelSelector: selector }), selector);
  const seen: string[] = [];
  for (const verb of ["add", "update", "delete"] as const) informer.on(verb, (job) => void seen.push(`${verb} ${job.metadata?.name}`));
  return { informer, seen };
}

describe("the JavaScript client", () => {
  test("an informer hears of a Job from its creation over patches to its deletion", async () => {
    const name = "informed";
    const { informer, seen } = informerOf(`test=${name}`);
    await informer.start();
    const made = await jobs.createNamespacedJob({ namespace, body: jobNamed(name) });
    expect(made).toMatchObject({ spec: { backoffLimit: 6, completionMode: "NonIndexed" }, metadata: { generation: 1, creationTimestamp: expect.any(Date) as Date } });
    await vi.waitFor(() => expect(seen).toContain(`add ${name}`));
    await jobs.patchNamespacedJob({ namespace, name, body: { spec: { suspend: true } } }, as(PatchStrategy.MergePatch));
    await vi.waitFor(() => expect(informer.get(name, namespace)?.spec?.suspend).toBe(true));
    await jobs.deleteNamespacedJob({ namespace, name, propagationPolicy: "Foreground" });
    await vi.waitFor(() => expect(seen.at(-1)).toBe(`delete ${name}`), { timeout: 10_000 });
    await informer.stop();
  });

  test("patches of each kind, apply and its conflict", async () => {
    const name = "patched";
    await jobs.createNamespacedJob({ namespace, body: jobNamed(name) });
    const patch = (body: unknown, strategy: string, extra: object = {}) => jobs.patchNamespacedJob({ namespace, name, body, ...extra }, as(strategy));
    expect((await patch([{ op: "add", path: "/metadata/labels/json", value: "1" }], PatchStrategy.JsonPatch)).metadata?.labels).toMatchObject({ test: name, json: "1" });
    expect((await patch({ metadata: { labels: { json: null } } }, PatchStrategy.MergePatch)).metadata?.labels).toEqual({ test: name });
    const strategic = await patch({ spec: { template: { metadata: { annotations: { a: "1" } } } } }, PatchStrategy.StrategicMergePatch).catch((error: unknown) => error);
    expect(strategic).toSatisfy(isStatus(422, "Invalid"));
    const applied = { apiVersion: "batch/v1", kind: "Job", metadata: { name, labels: { test: "mine" } } };
    await expect(patch(applied, PatchStrategy.ServerSideApply, { fieldManager: "js" })).rejects.toSatisfy(isStatus(409, "Conflict"));
    const forced = await patch(applied, PatchStrategy.ServerSideApply, { fieldManager: "js", force: true });
    expect(forced.metadata?.labels).toEqual({ test: "mine" });
    expect(forced.metadata?.managedFields?.filter((m) => m.operation === "Apply")).toMatchObject([{ manager: "js", fieldsV1: { "f:metadata": { "f:labels": { "f:test": {} } } } }]);
    await expect(patch({}, "text/plain")).rejects.toSatisfy(isStatus(415, "UnsupportedMediaType"));
    await jobs.deleteNamespacedJob({ namespace, name });
  });

  test("a watch from a version tells what came after, and ends at its timeout", async () => {
    const before = (await jobs.listNamespacedJob({ namespace })).metadata?.resourceVersion;
    await jobs.createNamespacedJob({ namespace, body: jobNamed("watched") });
    await jobs.deleteNamespacedJob({ namespace, name: "watched", propagationPolicy: "Background" });
    const events: string[] = [];
    await new Promise<void>((resolve) => {
      const onEvent = (type: string, object: KubernetesObject) => void events.push(`${type} ${object.metadata?.name}`);
      void new Watch(config).watch(PATH, { resourceVersion: before, labelSelector: "test=watched", timeoutSeconds: 1 }, onEvent, () => resolve());
    });
    expect(events[0]).toBe("ADDED watched");
    expect(events.at(-1)).toBe("DELETED watched");
  });

  test("the object API creates, reads, replaces, lists and deletes by what discovery says", async () => {
    const objects = KubernetesObjectApi.makeApiClient(config);
    const header = { apiVersion: "batch/v1", kind: "Job", metadata: { name: "generic", namespace } };
    await objects.create(Object.assign(jobNamed("generic"), { metadata: header.metadata }));
    const read = await objects.read<V1Job>(header);
    if (read.metadata) read.metadata.labels = { generic: "yes" };
    await objects.replace(read);
    expect((await objects.list<V1Job>("batch/v1", "Job", namespace, undefined, undefined, undefined, undefined, "generic=yes")).items.map((job) => job.metadata?.name)).toEqual(["generic"]);
    await objects.delete(header);
    await expect(objects.read(header)).rejects.toSatisfy(isStatus(404, "NotFound"));
  });
});
