/** The controllers that clean up and fill in, over the real registry and a store in memory, under a clock that the test moves. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { seededChance, seededIds } from "../base/chance.ts";
import { VirtualClock } from "../base/clock.ts";
import { silentLogger } from "../base/logger.ts";
import { microtaskTurnEnd } from "../base/turn-end.ts";
import type { ConfigMap, Namespace, Pod } from "../api/generated/types.ts";
import { CONFIG_MAPS, EVENTS, JOBS, NAMESPACES, PODS, SECRETS, SERVICE_ACCOUNTS, type Resource } from "../api/resource.ts";
import { isNotFound } from "../api/status-error.ts";
import { openControlPlane } from "../app/control-plane.ts";
import type { Client } from "../client/client.ts";
import { openMemoryStore } from "../store/memory-store.ts";
import { openGarbageCollector } from "./garbage-collector/garbage-collector.ts";
import { openNamespaceController } from "./namespace/namespace.ts";
import { openPodGcController } from "./pod-gc/pod-gc.ts";
import { openRootCaController } from "./root-ca/root-ca.ts";
import { openServiceAccountController } from "./service-account/service-account.ts";

const resources: readonly Resource[] = [CONFIG_MAPS, SECRETS, SERVICE_ACCOUNTS, PODS, JOBS, NAMESPACES];

describe("the controllers", () => {
  let clock: VirtualClock;
  let client: Client;
  let stop: AbortController;
  let running: Promise<void>;

  /** Lets everything run until nothing is left to do at this time. */
  const settle = async () => {
    for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve));
  };
  /** Moves the clock, and lets each timer's work be done before the next. */
  const pass = async (ms: number) => {
    const end = clock.now() + ms;
    await settle();
    for (let due = clock.nextDue(); due !== undefined && due <= end; due = clock.nextDue()) {
      clock.fireNext();
      await settle();
    }
    clock.advance(end - clock.now());
  };

  beforeEach(async () => {
    clock = new VirtualClock(Date.UTC(2024, 0, 1));
    stop = new AbortController();
    const chance = seededChance(7);
    const plane = openControlPlane({
      store: openMemoryStore({ clock, turnEnd: microtaskTurnEnd }), clock, ids: seededIds(chance), chance, logger: silentLogger,
      controllers: (context) => [
        ...openGarbageCollector(context("garbage-collector-controller"), { resources }),
        ...openNamespaceController(context("namespace-controller"), { resources }),
        ...openPodGcController(context("pod-garbage-collector")),
        ...openServiceAccountController(context("serviceaccount-controller")),
        ...openRootCaController(context("root-ca-cert-publisher"), { certificate: "PEM" }),
      ],
    });
    client = plane.clientFor("test");
    running = plane.run(stop.signal);
    for (const name of ["ns", "other"]) await client.create<Namespace>(NAMESPACES, "", { metadata: { name }, spec: {} });
    await settle();
  });
  afterEach(async () => {
    stop.abort();
    await running;
  });

  const make = (name: string, metadata: object = {}, namespace = "ns") => client.create<ConfigMap>(CONFIG_MAPS, namespace, { metadata: { name, ...metadata } });
  const owned = (by: { metadata: { name: string; uid: string } }, more: object = {}) => ({ apiVersion: "v1", kind: "ConfigMap", name: by.metadata.name, uid: by.metadata.uid, ...more });
  const end = (name: string, propagationPolicy: string) => client.delete(CONFIG_MAPS, { namespace: "ns", name }, { propagationPolicy });
  const names = async (namespace = "ns") => (await client.list(CONFIG_MAPS, namespace)).items.map((o) => o.metadata.name).filter((name) => name !== "kube-root-ca.crt");
  const release = (name: string) => client.patch(CONFIG_MAPS, { namespace: "ns", name }, "merge", { metadata: { finalizers: null } });
  const find = async <T extends object>(resource: Resource<T>, name: string, namespace = "ns") => client.get(resource, { namespace, name }).catch((error: unknown) => (isNotFound(error) ? undefined : Promise.reject(error instanceof Error ? error : new Error(String(error)))));

  test("a namespace has its ServiceAccount and the CA's certificate, and has them back when they are spoilt", async () => {
    await client.delete(SERVICE_ACCOUNTS, { namespace: "ns", name: "default" });
    await client.patch(CONFIG_MAPS, { namespace: "ns", name: "kube-root-ca.crt" }, "merge", { data: { "ca.crt": "forged", more: "x" } });
    await settle();
    expect(await find(SERVICE_ACCOUNTS, "default")).toBeDefined();
    expect((await find(CONFIG_MAPS, "kube-root-ca.crt"))?.data).toEqual({ "ca.crt": "PEM" });
  });

  test("background: dependents and theirs go; one that has another owner stays without the reference", async () => {
    const [owner, second] = [await make("owner"), await make("second")];
    const child = await make("child", { ownerReferences: [owned(owner)] });
    await make("grandchild", { ownerReferences: [owned(child)] });
    await make("shared", { ownerReferences: [owned(owner), owned(second)] });
    await end("owner", "Background");
    await settle();
    expect(await names()).toEqual(["second", "shared"]);
    expect((await find(CONFIG_MAPS, "shared"))?.metadata.ownerReferences).toEqual([owned(second)]);
  });

  test("foreground: the owner waits for those that block it, and for no others", async () => {
    const owner = await make("owner");
    await make("blocks", { ownerReferences: [owned(owner, { blockOwnerDeletion: true })], finalizers: ["example.com/hold"] });
    await make("free", { ownerReferences: [owned(owner)], finalizers: ["example.com/hold"] });
    await end("owner", "Foreground");
    await pass(60_000);
    expect(await names()).toEqual(["blocks", "free", "owner"]);
    await release("blocks");
    await settle();
    expect(await names()).toEqual(["free"]);
  });

  test("orphaning: dependents stay, without the reference", async () => {
    const owner = await make("owner");
    await make("child", { ownerReferences: [owned(owner, { controller: true, blockOwnerDeletion: true })] });
    await end("owner", "Orphan");
    await pass(60_000);
    expect(await names()).toEqual(["child"]);
    expect((await find(CONFIG_MAPS, "child"))?.metadata.ownerReferences).toBeUndefined();
  });

  test("an owner in another namespace counts as absent, and is told of", async () => {
    const owner = await make("owner", {}, "other");
    await make("stray", { ownerReferences: [owned(owner)] });
    await settle();
    expect([await names(), await names("other")]).toEqual([[], ["owner"]]);
    expect((await client.list(EVENTS, "ns")).items.map((e) => [e.reason, e.message])).toEqual([["OwnerRefInvalidNamespace", `ownerRef [v1/ConfigMap, namespace: ns, name: owner, uid: ${owner.metadata.uid}] does not exist in namespace "ns"`]]);
  });

  const pod = (name: string, metadata: object = {}, nodeName?: string) =>
    client.create<Pod>(PODS, "ns", { metadata: { name, ...metadata }, spec: { containers: [{ name: "c", image: "i" }], ...(nodeName !== undefined && { nodeName }) } });

  test("a namespace goes pods first, says what holds it, and goes when nothing does", async () => {
    await pod("held", { finalizers: ["example.com/hold"] });
    await make("kept", { finalizers: ["example.com/hold"] });
    await client.delete(NAMESPACES, { namespace: "", name: "ns" });
    await pass(1999);
    expect((await find(CONFIG_MAPS, "kept"))?.metadata.deletionTimestamp).toBeUndefined();
    await pass(60_000);
    expect((await find(PODS, "held"))?.metadata.deletionTimestamp).toBeDefined();
    expect((await find(CONFIG_MAPS, "kept"))?.metadata.deletionTimestamp).toBeUndefined();
    await client.patch(PODS, { namespace: "ns", name: "held" }, "merge", { metadata: { finalizers: null } });
    await pass(100);
    const conditions = (await find(NAMESPACES, "ns", ""))?.status?.conditions ?? [];
    expect(conditions.filter((c) => c.status === "True").map((c) => c.message)).toEqual([
      "Some resources are remaining: configmaps. has 1 resource instances",
      "Some content in the namespace has finalizers remaining: example.com/hold in 1 resource instances",
    ]);
    await release("kept");
    await pass(100);
    expect(await find(NAMESPACES, "ns", "")).toBeUndefined();
  });

  test("pods that nobody ends are ended: deleted without a node after 20 s, on a node that is gone after 40 s", async () => {
    await pod("unbound", { finalizers: ["example.com/hold"] });
    await client.delete(PODS, { namespace: "ns", name: "unbound" });
    await pod("lost", { finalizers: ["example.com/hold"] }, "never-was");
    await pass(19_999);
    expect((await find(PODS, "unbound"))?.status?.phase).toBe("Pending");
    await pass(20_000);
    expect((await find(PODS, "unbound"))?.status?.phase).toBe("Failed");
    expect((await find(PODS, "lost"))?.status?.phase).toBe("Pending");
    await pass(1);
    const lost = await find(PODS, "lost");
    expect([lost?.status?.phase, lost?.metadata.deletionTimestamp !== undefined]).toEqual(["Failed", true]);
    expect(lost?.status?.conditions?.find((c) => c.type === "DisruptionTarget")).toMatchObject({ status: "True", reason: "DeletionByPodGC", message: "PodGC: node no longer exists" });
  });
});
