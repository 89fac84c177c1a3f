import { expect, test } from "vitest";
import type { KubeObject } from "../api/object.ts";
import { kinds } from "../api/kinds/table.ts";
import { NAMESPACES, type Resource } from "../api/resource.ts";
import { openTestRegistry, refusal } from "./test-kinds.ts";

const REPLICA_SETS: Resource = { group: "apps", version: "v1", plural: "replicasets", kind: "ReplicaSet", namespaced: true };
const spec = { replicas: 2, selector: { matchLabels: { a: "b" } }, template: { metadata: { labels: { a: "b" } }, spec: { containers: [{ name: "main", image: "i" }] } } };

async function openScaled() {
  const r = openTestRegistry({ kinds });
  await r.create(NAMESPACES, { metadata: { name: "ns" } });
  await r.create(REPLICA_SETS, { metadata: { name: "x" }, spec });
  return r;
}

const ownersOfReplicas = ({ metadata }: KubeObject) =>
  (metadata.managedFields ?? []).filter((e) => JSON.stringify(e.fieldsV1).includes('"f:replicas"')).map(({ manager, apiVersion, subresource, time }) => ({ manager, apiVersion, subresource, timed: time !== undefined }));

test("a view is the object as one of another kind, and what is written to it is written to the object", async () => {
  const r = await openScaled();
  expect(await r.get(REPLICA_SETS, "x", "scale")).toMatchObject({ kind: "Scale", apiVersion: "autoscaling/v1", spec: { replicas: 2 }, status: { replicas: 0, selector: "a=b" } });
  expect(await r.patch(REPLICA_SETS, "x", { spec: { replicas: 3 } }, "scale")).toMatchObject({ kind: "Scale", spec: { replicas: 3 } });
  expect(await r.get(REPLICA_SETS, "x")).toMatchObject({ kind: "ReplicaSet", metadata: { generation: 2 }, spec: { ...spec, replicas: 3 } });
});

test("who changes the field through the view owns it in the object, without a time, as upstream", async () => {
  const r = await openScaled();
  await r.patch(REPLICA_SETS, "x", { spec: { replicas: 3 } }, "scale");
  expect(ownersOfReplicas(await r.get(REPLICA_SETS, "x"))).toEqual([{ manager: "test", apiVersion: "apps/v1", subresource: "scale", timed: false }]);
});

test("a view is validated as what it is", async () => {
  const r = await openScaled();
  expect(await refusal(r.patch(REPLICA_SETS, "x", { spec: { replicas: -1 } }, "scale"))).toMatchObject({ code: 422, message: 'Scale.autoscaling "x" is invalid: spec.replicas: Invalid value: -1: must be greater than or equal to 0' });
});
