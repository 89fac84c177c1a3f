import { expect, test } from "vitest";
import { CONFIG_MAPS, JOBS } from "../../api/resource.ts";
import { decideConditions, type Deletion } from "./conditions.ts";

const short = (conditions: ReturnType<typeof decideConditions>) => conditions?.map((c) => `${c.type.replace("Namespace", "")} ${c.status} ${c.reason} ${c.lastTransitionTime ?? ""}`);
const nothingLeft: Deletion = { remaining: [], errors: [] };
const held: Deletion = {
  remaining: [
    { resource: JOBS, count: 1, finalizers: new Map([["b/x", 1]]) },
    { resource: CONFIG_MAPS, count: 2, finalizers: new Map([["a/x", 2], ["b/x", 1]]) },
  ],
  errors: [],
};

test("all five conditions are set at once, and not again when nothing has changed", () => {
  const first = decideConditions([], nothingLeft, 0) ?? [];
  expect(first.map((c) => c.status)).toEqual(["False", "False", "False", "False", "False"]);
  expect(decideConditions(first, nothingLeft, 5000)).toBeUndefined();
});

test("what remains is named by kind and by finalizer, sorted", () => {
  const messages = decideConditions([], held, 0)?.slice(3).map((c) => c.message);
  expect(messages).toEqual([
    "Some resources are remaining: configmaps. has 2 resource instances, jobs.batch has 1 resource instances",
    "Some content in the namespace has finalizers remaining: a/x in 2 resource instances, b/x in 2 resource instances",
  ]);
});

test("a condition keeps its time while its status stays, and others' conditions stay where they are", () => {
  const first = [{ type: "Own", status: "True" }, ...(decideConditions([], held, 0) ?? [])];
  const second = decideConditions(first, { ...held, errors: ["no pods today"] }, 5000) ?? [];
  expect(short(second)?.slice(1)).toEqual([
    "DeletionDiscoveryFailure False ResourcesDiscovered 1970-01-01T00:00:00Z",
    "DeletionGroupVersionParsingFailure False ParsedGroupVersions 1970-01-01T00:00:00Z",
    "DeletionContentFailure True ContentDeletionFailed 1970-01-01T00:00:05Z",
    "ContentRemaining True SomeResourcesRemain 1970-01-01T00:00:00Z",
    "FinalizersRemaining True SomeFinalizersRemain 1970-01-01T00:00:00Z",
  ]);
  expect(second[0]).toEqual({ type: "Own", status: "True" });
});
