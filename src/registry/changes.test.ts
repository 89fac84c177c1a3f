import { describe, expect, test } from "vitest";
import type { KubeObject } from "../api/object.ts";
import { CONFIG_MAPS, NAMESPACES, PODS } from "../api/resource.ts";
import { StatusError } from "../api/status-error.ts";
import { configMap, openTestRegistry, refusal } from "./test-kinds.ts";

const target = { resource: CONFIG_MAPS, namespace: "ns", name: "a", subresource: "" };

async function warningsOfRefusal(call: Promise<unknown>): Promise<readonly string[]> {
  try {
    await call;
  } catch (error) {
    if (error instanceof StatusError) return error.warnings;
    throw error;
  }
  throw new Error("it was not refused");
}

describe("what a change is refused for", () => {
  test.each([
    { claim: "another namespace, before another name", object: configMap("b", {}, { namespace: "other" }), message: "the namespace of the provided object does not match the namespace sent on the request" },
    { claim: "another name", object: configMap("b"), message: "the name of the object (b) does not match the name on the URL (a)" },
    { claim: "another uid, with the key of the storage", object: configMap("a", {}, { uid: "x" }), message: /^Operation cannot be fulfilled on configmaps "a": StorageError: invalid object, Code: 4, Key: \/registry\/configmaps\/ns\/a, / },
  ])("$claim", async ({ object, message }) => {
    const r = openTestRegistry();
    await r.create(CONFIG_MAPS, configMap("a"));
    expect((await refusal(r.update(CONFIG_MAPS, "a", object))).message).toMatch(message);
  });

  test("an apply that names a uid, of what is not there", async () => {
    const applying = openTestRegistry().handle({ verb: "patch", ...target, type: "apply", patch: JSON.stringify(configMap("a", {}, { uid: "x" })), options: { fieldManager: "m" } });
    expect(await refusal(applying)).toMatchObject({ code: 409, message: 'Operation cannot be fulfilled on configmaps "a": uid mismatch: the provided object specified uid x, and no existing object was found' });
  });

  test("warnings come along", async () => {
    const r = openTestRegistry();
    await r.create(CONFIG_MAPS, configMap("a"));
    expect(await warningsOfRefusal(r.patch(CONFIG_MAPS, "a", { metadata: { labels: { "bad key": "" } }, dta: 1 }))).toEqual([`unknown field "dta"`]);
  });
});

test("YAML that is applied is warned about line by line", async () => {
  const patch = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {a: b}\ndata: {c: d}\n";
  const answer = await openTestRegistry().handle({ verb: "patch", ...target, type: "apply", patch, options: { fieldManager: "m" } });
  expect(answer.warnings).toEqual(['line 5: key "data" already set in map']);
});

describe("a deletion", () => {
  test("of a namespace looks at its preconditions in words of its own", async () => {
    const r = openTestRegistry();
    const { metadata } = await r.create(NAMESPACES, { metadata: { name: "n" } });
    expect((await refusal(r.remove(NAMESPACES, "n", { preconditions: { uid: "x" } }))).message).toBe(`Operation cannot be fulfilled on namespaces "n": Precondition failed: UID in precondition: x, UID in object meta: ${metadata.uid ?? ""}`);
  });

  test("whose time is over changes what is to become of the dependents", async () => {
    const r = openTestRegistry();
    await r.create(PODS, { metadata: { name: "p" }, spec: { containers: [{ name: "c", image: "i" }] } });
    const finalizers = async (propagationPolicy: string) => ((await r.remove(PODS, "p", { propagationPolicy, gracePeriodSeconds: 0 })).body as KubeObject).metadata.finalizers;
    expect(await finalizers("Foreground")).toEqual(["foregroundDeletion"]);
    expect(await finalizers("Orphan")).toEqual(["orphan"]);
  });
});
