import { describe, expect, test } from "vitest";
import type { KubeObject, Stored } from "../../api/object.ts";
import { CONFIG_MAPS, NODES, PODS, type Resource } from "../../api/resource.ts";
import { decideGarbage, type OwnerState } from "./decide.ts";
import { OwnerGraph } from "./graph.ts";

const ref = (name: string, more: object = {}) => ({ apiVersion: "v1", kind: "ConfigMap", name, uid: `u-${name}`, ...more });
const object = (name: string, metadata: object = {}): Stored<KubeObject> => ({ metadata: { name, namespace: "ns", uid: `u-${name}`, resourceVersion: "1", creationTimestamp: "", ...metadata } });

describe("an object is judged by its owners", () => {
  const del = (propagationPolicy: string, unblock = false) => ({ kind: "delete", propagationPolicy, unblock });
  test.each<{ name: string; owners: OwnerState[]; finalizers?: string[]; hasDependents?: boolean; circle?: boolean; want: object }>([
    { name: "no owners: kept", owners: [], want: { kind: "keep" } },
    { name: "a solid owner: kept", owners: ["solid"], want: { kind: "keep" } },
    { name: "no owner left: deleted in the background", owners: ["dangling", "dangling"], want: del("Background") },
    { name: "no owner left, but it is to be deleted in the foreground", owners: ["dangling"], finalizers: ["foregroundDeletion"], want: del("Foreground") },
    { name: "no owner left, but it is to orphan its own", owners: ["dangling"], finalizers: ["orphan"], want: del("Orphan") },
    { name: "one owner is left: the other references go", owners: ["dangling", "solid", "waiting"], want: { kind: "removeReferences", uids: ["u-0", "u-2"] } },
    { name: "an owner waits, no dependents: deleted in the background", owners: ["waiting"], want: del("Background") },
    { name: "an owner waits, dependents: deleted in the foreground", owners: ["waiting", "dangling"], hasDependents: true, want: del("Foreground") },
    { name: "an owner waits, and a dependent waits too: the circle is broken first", owners: ["waiting"], hasDependents: true, circle: true, want: del("Foreground", true) },
    { name: "an owner of a kind that nobody knows: kept", owners: ["unknown", "dangling"], want: { kind: "keep" } },
  ])("$name", ({ owners, finalizers = [], hasDependents = false, circle = false, want }) => {
    const judged = owners.map((state, i) => ({ reference: ref(String(i)), state }));
    expect(decideGarbage({ object: object("x", { finalizers }), owners: judged, hasDependents, dependentIsDeletingDependents: circle })).toEqual(want);
  });
});

describe("the graph of owners says where to look", () => {
  const opened = () => {
    const graph = new OwnerGraph();
    const set = (name: string, metadata: object = {}, resource: Resource = CONFIG_MAPS) => [...graph.set(resource, object(name, metadata)).suspects].sort();
    return { graph, set, gone: (name: string) => [...graph.delete(`u-${name}`).suspects].sort() };
  };

  test("a dependent whose owner is there is no suspect; one whose owner is not is one", () => {
    const { set } = opened();
    expect(set("owner")).toEqual([]);
    expect(set("child", { ownerReferences: [ref("owner")] })).toEqual([]);
    expect(set("lost", { ownerReferences: [ref("never-was")] })).toEqual(["u-lost"]);
  });

  test("a dependent that was seen before its owner is cleared when the owner comes", () => {
    const { graph, set } = opened();
    expect(set("child", { ownerReferences: [ref("owner")] })).toEqual(["u-child"]);
    set("owner");
    const child = graph.get("u-child");
    expect(child && graph.isSuspect(child)).toBe(false);
  });

  test("dependents of an owner that goes are suspects", () => {
    const { set, gone } = opened();
    set("owner");
    set("a", { ownerReferences: [ref("owner")] });
    set("b", { ownerReferences: [ref("owner"), ref("a")] });
    expect(gone("owner")).toEqual(["u-a", "u-b"]);
  });

  test.each([
    { name: "another name", owner: ref("other", { uid: "u-owner" }) },
    { name: "another kind", owner: ref("owner", { kind: "Secret" }) },
    { name: "another version", owner: ref("owner", { apiVersion: "v2" }) },
  ])("a reference with the right uid and $name is looked into", ({ owner }) => {
    const { set } = opened();
    set("owner");
    expect(set("child", { ownerReferences: [owner] })).toEqual(["u-child"]);
  });

  test.each([{ first: "owner" }, { first: "child" }])("an owner in another namespace is told of once, whichever is seen first ($first)", ({ first }) => {
    const { graph } = opened();
    const steps = { owner: () => graph.set(CONFIG_MAPS, object("owner", { namespace: "elsewhere" })), child: () => graph.set(PODS, object("child", { ownerReferences: [ref("owner")] })) };
    const changes = first === "owner" ? [steps.owner(), steps.child()] : [steps.child(), steps.owner()];
    expect(changes.flatMap((c) => c.invalidOwners.map((i) => i.dependent.name))).toEqual(["child"]);
    expect(changes[1]?.suspects).toEqual(["u-child"]);
    expect(steps.child().invalidOwners).toEqual([]);
  });

  test("an owner of the whole cluster may own in every namespace", () => {
    const { graph, set } = opened();
    graph.set(NODES, object("n", { namespace: undefined }));
    expect(set("child", { ownerReferences: [ref("n", { kind: "Node" })] })).toEqual([]);
  });

  test("foreground: the owner and its dependents are looked at, and the owner again when a dependent goes or blocks no more", () => {
    const { graph, set, gone } = opened();
    set("owner");
    for (const name of ["a", "b"]) set(name, { ownerReferences: [ref("owner", { blockOwnerDeletion: true })] });
    set("free", { ownerReferences: [ref("owner")] });
    const foreground = { deletionTimestamp: "t", finalizers: ["foregroundDeletion"] };
    expect(set("owner", foreground)).toEqual(["u-a", "u-b", "u-free", "u-owner"]);
    expect(graph.blockingDependentsOf("u-owner").map((n) => n.name)).toEqual(["a", "b"]);
    expect(gone("a")).toEqual(["u-owner"]);
    expect(set("b", { ownerReferences: [] })).toEqual(["u-owner"]);
    expect(graph.blockingDependentsOf("u-owner")).toEqual([]);
  });

  test("orphaning: the owner is looked at, its dependents are not", () => {
    const { set } = opened();
    set("owner");
    set("a", { ownerReferences: [ref("owner")] });
    expect(set("owner", { deletionTimestamp: "t", finalizers: ["orphan"] })).toEqual(["u-owner"]);
  });
});
