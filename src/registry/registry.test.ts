import { describe, expect, test } from "vitest";
import { CONFIG_MAPS, JOBS, LEASES, NAMESPACES, PODS } from "../api/resource.ts";
import { itemFieldsOf, textOf } from "./objects.ts";
import { equal } from "./objects.ts";
import { configMap, openTestRegistry, refusal } from "./test-kinds.ts";

describe("create", () => {
  test("fills in what is the server's", async () => {
    const r = openTestRegistry();
    const made = await r.create(CONFIG_MAPS, configMap("a", { data: { k: "v" } }, { uid: "mine", selfLink: "x", deletionTimestamp: "2020-01-01T00:00:00Z" }));
    expect(made).toMatchObject({ kind: "ConfigMap", apiVersion: "v1", metadata: { name: "a", namespace: "ns", resourceVersion: "1", creationTimestamp: "2024-01-01T00:00:00Z" }, data: { k: "v" } });
    expect(made.metadata.uid).not.toBe("mine");
    expect(made.metadata).not.toHaveProperty("deletionTimestamp");
    expect(Object.isFrozen(made.metadata)).toBe(true);
  });

  test("keeps one text for all who send the object", async () => {
    const r = openTestRegistry();
    const made = await r.create(CONFIG_MAPS, configMap("a"));
    expect(await r.get(CONFIG_MAPS, "a")).toBe(made);
    expect(JSON.parse(textOf(made))).toEqual(made);
    expect(textOf(made)).toMatch(/^\{"kind":"ConfigMap","apiVersion":"v1","metadata":/);
    expect(itemFieldsOf(made)).toMatch(/^"metadata":/);
  });

  test("cuts a long generateName", async () => {
    const r = openTestRegistry();
    const made = await r.create(CONFIG_MAPS, { metadata: { generateName: "x".repeat(80) } });
    expect(made.metadata.name).toMatch(/^x{58}[a-z0-9]{5}$/);
  });

  test.each([
    { claim: "no name", object: { metadata: {} }, message: 'ConfigMap "" is invalid: metadata.name: Required value: name or generateName is required' },
    { claim: "another namespace", object: configMap("a", {}, { namespace: "other" }), message: "the namespace of the provided object does not match the namespace sent on the request" },
    { claim: "a resourceVersion", object: configMap("a", {}, { resourceVersion: "5" }), message: "resourceVersion should not be set on objects to be created" },
  ])("is refused: $claim", async ({ object, message }) => {
    expect(await refusal(openTestRegistry().create(CONFIG_MAPS, object))).toMatchObject({ message });
  });

  test("an object that is there, and one that is about to go", async () => {
    const r = openTestRegistry();
    await r.create(CONFIG_MAPS, configMap("a", {}, { finalizers: ["example.com/hold"] }));
    expect((await refusal(r.create(CONFIG_MAPS, configMap("a")))).message).toBe('configmaps "a" already exists');
    await r.remove(CONFIG_MAPS, "a");
    expect((await refusal(r.create(CONFIG_MAPS, configMap("a")))).message).toBe('object is being deleted: configmaps "a" already exists');
  });

  test("a dry run stores nothing and has no version", async () => {
    const r = openTestRegistry();
    const made = await r.create(CONFIG_MAPS, configMap("a"), { dryRun: ["All"] });
    expect(made.metadata.uid).toBeDefined();
    expect(made.metadata.resourceVersion).toBeUndefined();
    expect(r.store.revision).toBe(0);
  });

  test.each([
    { options: { dryRun: ["Some"] }, message: 'CreateOptions.meta.k8s.io "" is invalid: dryRun: Unsupported value: ["Some"]: supported values: "All"' },
    { options: { fieldManager: "bad\u0001" }, message: 'CreateOptions.meta.k8s.io "" is invalid: fieldManager: Invalid value: "bad\\x01": invalid character U+0001 (at position 3)' },
  ])("checks its options: $message", async ({ options, message }) => {
    expect((await refusal(openTestRegistry().create(CONFIG_MAPS, configMap("a"), options))).message).toBe(message);
  });
});

describe("update and patch", () => {
  test("a write that changes nothing makes no revision", async () => {
    const r = openTestRegistry();
    const made = await r.create(CONFIG_MAPS, configMap("a", { data: { k: "v" } }));
    expect((await r.update(CONFIG_MAPS, "a", configMap("a", { data: { k: "v" } }))).body).toBe(made);
    expect(await r.patch(CONFIG_MAPS, "a", { data: { other: null } })).toBe(made);
    expect(r.store.revision).toBe(1);
  });

  test.each(["constructor", "toString", "__proto__"])("a key may be called %s: it comes and goes", async (key) => {
    const r = openTestRegistry();
    expect(equal({ k: "v" }, JSON.parse(`{"${key}":"v","k":"v"}`))).toBe(false);
    const [without, data]: unknown[] = [{ k: "v" }, JSON.parse(`{"${key}":"v","k":"v"}`)];
    await r.create(CONFIG_MAPS, configMap("a", { data: without }));
    expect(JSON.stringify((await r.update(CONFIG_MAPS, "a", configMap("a", { data }))).body)).toContain(`"${key}":"v"`);
    expect(JSON.stringify((await r.update(CONFIG_MAPS, "a", configMap("a", { data: without }))).body)).not.toContain(key);
  });

  test("a stale version is a conflict, none is a blind write where the kind allows it", async () => {
    const r = openTestRegistry();
    const made = await r.create(CONFIG_MAPS, configMap("a"));
    await r.patch(CONFIG_MAPS, "a", { data: { k: "1" } });
    expect(await refusal(r.update(CONFIG_MAPS, "a", { ...made, data: { k: "2" } }))).toMatchObject({
      code: 409,
      message: 'Operation cannot be fulfilled on configmaps "a": the object has been modified; please apply your changes to the latest version and try again',
    });
    expect((await r.update(CONFIG_MAPS, "a", configMap("a", { data: { k: "2" } }))).body).toMatchObject({ data: { k: "2" } });
    expect((await r.update(LEASES, "l", { metadata: { name: "l" }, spec: {} })).code).toBe(201);
    expect((await refusal(r.update(LEASES, "l", { metadata: { name: "l" }, spec: { holderIdentity: "me" } }))).message).toBe(
      'leases.coordination.k8s.io "l" is invalid: metadata.resourceVersion: Invalid value: 0: must be specified for an update',
    );
  });

  test("an object that its kind keeps is not deleted", async () => {
    const r = openTestRegistry();
    await r.create(LEASES, { metadata: { name: "kept" } });
    expect((await refusal(r.remove(LEASES, "kept"))).message).toBe('leases.coordination.k8s.io "kept" is forbidden: it stays');
  });

  test("racing patches all take effect", async () => {
    const r = openTestRegistry();
    await r.create(CONFIG_MAPS, configMap("a"));
    await Promise.all(Array.from({ length: 20 }, (_, i) => r.patch(CONFIG_MAPS, "a", { data: { [`k${i}`]: "v" } })));
    expect(Object.keys((await r.get(CONFIG_MAPS, "a") as { data?: object }).data ?? {})).toHaveLength(20);
  });

  test("metadata errors stand as often as upstream's", async () => {
    const r = openTestRegistry();
    await r.create(CONFIG_MAPS, configMap("a"));
    const causes = async (metadata: object) => (await refusal(r.patch(CONFIG_MAPS, "a", { metadata }))).details?.causes?.length;
    expect(await causes({ labels: { "bad key": "v" } })).toBe(4);
    expect(await causes({ finalizers: ["plain"] })).toBe(2);
    expect(await causes({ uid: "other" })).toBe(2);
    expect((await refusal(r.patch(CONFIG_MAPS, "a", { metadata: { name: "b" } }))).message).toBe("the name of the object (b) does not match the name on the URL (a)");
  });

  test("status and spec keep to their own addresses, and the generation counts the spec", async () => {
    const r = openTestRegistry();
    await r.create(JOBS, { metadata: { name: "j" }, spec: { parallelism: 1, template: {} } });
    const change = { spec: { parallelism: 2 }, status: { succeeded: 3 } };
    expect(await r.patch(JOBS, "j", change, "status")).toMatchObject({ metadata: { generation: 1 }, spec: { parallelism: 1 }, status: { succeeded: 3 } });
    expect(await r.patch(JOBS, "j", { ...change, metadata: { generation: 40 } })).toMatchObject({ metadata: { generation: 2 }, spec: { parallelism: 2 } });
    expect(await refusal(r.patch(JOBS, "j", {}, "scale"))).toMatchObject({ code: 404 });
  });

  test("the last finalizer of an object that is being deleted takes it along", async () => {
    const r = openTestRegistry();
    await r.create(CONFIG_MAPS, configMap("a", {}, { finalizers: ["example.com/a", "example.com/b"] }));
    await r.remove(CONFIG_MAPS, "a");
    expect((await refusal(r.patch(CONFIG_MAPS, "a", { metadata: { finalizers: ["example.com/a", "example.com/c"] } }))).message).toContain('found new finalizers []string{"example.com/c"}');
    await r.patch(CONFIG_MAPS, "a", { metadata: { finalizers: ["example.com/a"] } });
    await r.patch(CONFIG_MAPS, "a", { metadata: { finalizers: null } });
    expect(await refusal(r.get(CONFIG_MAPS, "a"))).toMatchObject({ code: 404 });
  });
});

describe("delete", () => {
  test("answers with what is gone", async () => {
    const r = openTestRegistry();
    const { metadata } = await r.create(CONFIG_MAPS, configMap("a"));
    expect(await r.remove(CONFIG_MAPS, "a")).toEqual({ code: 200, warnings: [], body: { kind: "Status", apiVersion: "v1", metadata: {}, status: "Success", details: { name: "a", kind: "configmaps", uid: metadata.uid } } });
    expect(await refusal(r.remove(CONFIG_MAPS, "a"))).toMatchObject({ code: 404 });
  });

  test.each([
    { options: {}, finalizers: ["example.com/hold", "orphan"], code: 200, warnings: 1 },
    { options: { propagationPolicy: "Foreground" }, finalizers: ["example.com/hold", "foregroundDeletion"], code: 200, warnings: 0 },
    { options: { propagationPolicy: "Background" }, finalizers: ["example.com/hold"], code: 200, warnings: 0 },
    { options: { propagationPolicy: undefined, orphanDependents: false }, finalizers: ["example.com/hold"], code: 202, warnings: 1 },
  ])("propagation $options", async ({ options, finalizers, code, warnings }) => {
    const r = openTestRegistry();
    await r.create(JOBS, { metadata: { name: "j", finalizers: ["example.com/hold"] }, spec: { template: {} } });
    const answer = await r.remove(JOBS, "j", options);
    expect(answer).toMatchObject({ code, body: { metadata: { finalizers, generation: 2, deletionGracePeriodSeconds: 0 } } });
    expect(answer.warnings).toHaveLength(warnings);
  });

  test("grace can only become shorter", async () => {
    const r = openTestRegistry();
    await r.create(PODS, { metadata: { name: "p" }, spec: { nodeName: "n", containers: [] } });
    const steps = [
      { options: {}, grace: 30, until: "00:00:30" },
      { options: { gracePeriodSeconds: 60 }, grace: 30, until: "00:00:30" },
      { options: { gracePeriodSeconds: 5 }, grace: 5, until: "00:00:05" },
    ];
    for (const { options, grace, until } of steps) {
      expect((await r.remove(PODS, "p", options)).body).toMatchObject({ metadata: { generation: 2, deletionGracePeriodSeconds: grace, deletionTimestamp: `2024-01-01T${until}Z` } });
    }
    const watch = await r.watch(PODS, { resourceVersion: String(r.store.revision) });
    await r.remove(PODS, "p", { gracePeriodSeconds: 0 });
    expect(watch.events.map((e) => e.type)).toEqual(["MODIFIED", "DELETED"]);
  });

  test("preconditions speak of the kind", async () => {
    const r = openTestRegistry();
    const { metadata } = await r.create(CONFIG_MAPS, configMap("a"));
    expect(await refusal(r.remove(CONFIG_MAPS, "a", { preconditions: { uid: "x" } }))).toMatchObject({
      message: `Operation cannot be fulfilled on ConfigMap "a": the UID in the precondition (x) does not match the UID in record (${metadata.uid}). The object might have been deleted and then recreated`,
      details: { name: "a", kind: "ConfigMap" },
    });
  });

  test("a namespace stays while its spec has finalizers", async () => {
    const r = openTestRegistry();
    await r.create(NAMESPACES, { metadata: { name: "n" }, spec: { finalizers: ["kubernetes"] }, status: { phase: "Active" } });
    expect((await r.remove(NAMESPACES, "n")).body).toMatchObject({ status: { phase: "Terminating" } });
    expect((await r.remove(NAMESPACES, "n")).body).not.toHaveProperty("metadata.deletionGracePeriodSeconds");
    await r.patch(NAMESPACES, "n", { spec: { finalizers: null } });
    expect(await refusal(r.get(NAMESPACES, "n"))).toMatchObject({ code: 404 });
  });

  test("nothing goes in all namespaces at once", async () => {
    const r = openTestRegistry();
    await r.create(CONFIG_MAPS, configMap("a"));
    const refused = { code: 400, message: "Namespace parameter required." };
    await expect(r.handle({ verb: "deletecollection", resource: CONFIG_MAPS, namespace: "", list: {}, options: {} })).rejects.toMatchObject(refused);
    await expect(r.handle({ verb: "delete", resource: CONFIG_MAPS, namespace: "", name: "a", subresource: "", options: {} })).rejects.toMatchObject(refused);
    expect((await r.list(CONFIG_MAPS)).items).toHaveLength(1);
  });

  test("a collection goes by selector", async () => {
    const r = openTestRegistry();
    for (const [name, app] of [["a", "x"], ["b", "x"], ["c", "y"]] as const) await r.create(CONFIG_MAPS, configMap(name, {}, { labels: { app } }));
    const { body } = await r.handle({ verb: "deletecollection", resource: CONFIG_MAPS, namespace: "ns", list: { labelSelector: "app=x" }, options: {} });
    expect(body).toMatchObject({ kind: "ConfigMapList", items: [{ metadata: { name: "a" } }, { metadata: { name: "b" } }] });
    expect((await r.list(CONFIG_MAPS)).items.map((o) => o.metadata.name)).toEqual(["c"]);
  });
});
