/**
 * Changes drawn from what an object is at the moment: one place of it edited, and the edit said as a merge patch, a strategic merge patch (with
 * directives), a JSON patch, a PUT, or as the configuration of one of several appliers.
 */
import { constantFrom, nat } from "fast-check";
import { apiVersionOf, type Resource } from "../../src/api/resource.ts";
import { type ListType, schemaOfKind, structOf, type Type } from "../../src/api/schema/schema.ts";
import { type Draw, drawValue } from "../fuzz/generate.ts";
import type { Hint } from "../fuzz/words.ts";

export type Live = Readonly<Record<string, unknown>>;
type Tree = Record<string, unknown>;
/** A field, or an item of a list. */
type Step = { readonly key: string; readonly of?: string } | { readonly index: number; readonly list: ListType; readonly item: unknown };

interface Edit {
  readonly steps: readonly Step[];
  /** undefined: taken away. */
  readonly value: unknown;
}

const DEPTH = 2;
const isTree = (value: unknown): value is Tree => typeof value === "object" && value !== null && !Array.isArray(value);

/** Fields that are the server's, or that two servers choose differently. */
const OWN_META = ["uid", "resourceVersion", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "generation", "managedFields", "selfLink"];

/** The field of a struct that the last steps lead into. */
function hintOf(steps: readonly Step[]): Hint | undefined {
  const field = steps.findLast((step) => "key" in step && step.of !== undefined);
  return field && "key" in field && field.of !== undefined ? { struct: field.of, field: field.key } : undefined;
}

function place(g: Draw, type: Type, live: unknown, steps: readonly Step[]): Edit {
  const here = (): Edit => ({ steps, value: steps.length > 1 && live !== undefined && g(nat, 3) === 0 ? undefined : drawValue(g, type, DEPTH, hintOf(steps)) });
  if (live === undefined || live === null || (steps.length > 0 && g(nat, 7) === 0)) return here();
  if (type.kind === "struct" && isTree(live)) return placeInStruct(g, type, live, steps);
  if (type.kind === "map" && isTree(live)) {
    const key = g(constantFrom, ...Object.keys(live), "a", "new", "example.com/x");
    return place(g, type.value, live[key], [...steps, { key }]);
  }
  if (type.kind === "list" && Array.isArray(live)) {
    const index = g(nat, live.length);
    const item: unknown = live[index];
    return place(g, type.element, item, [...steps, { index, list: type, item }]);
  }
  return here();
}

function placeInStruct(g: Draw, type: Type & { readonly kind: "struct" }, live: Tree, steps: readonly Step[]): Edit {
  const struct = type.struct();
  const all = [...struct.fields.values()].filter(({ name }) => name !== "kind" && name !== "apiVersion" && !(OWN_META.includes(name) && g(nat, 9) > 0));
  const present = all.filter(({ name }) => live[name] !== undefined);
  const fields = present.length > 0 && g(nat, 2) > 0 ? present : all;
  const field = fields.length > 0 ? g(constantFrom, ...fields) : undefined;
  return field ? place(g, field.type, live[field.name], [...steps, { key: field.name, of: struct.goName }]) : { steps, value: {} };
}

/** An edit somewhere in the object; `root`: only below that field. */
function drawEdit(g: Draw, resource: Resource, live: Live, root?: string): Edit {
  const struct = structOf(schemaOfKind(resource) ?? "");
  const field = root === undefined ? undefined : struct.fields.get(root);
  if (field) return place(g, field.type, live[field.name] ?? {}, [{ key: field.name }]);
  return place(g, { kind: "struct", go: struct.goName, struct: () => struct, atomic: false }, live, []);
}

/** A copy of the value with the edit in it. */
function edited(value: unknown, [step, ...rest]: readonly Step[], wanted: unknown): unknown {
  if (!step) return wanted;
  if ("key" in step) {
    const { [step.key]: before, ...others } = isTree(value) ? value : {};
    const after = edited(before, rest, wanted);
    return after === undefined ? others : { ...others, [step.key]: after };
  }
  const items: unknown[] = Array.isArray(value) ? [...value] : [];
  const after = edited(items[step.index], rest, wanted);
  if (after === undefined) items.splice(step.index, 1);
  else items[step.index] = after;
  return items;
}

function merge(live: unknown, steps: readonly Step[], wanted: unknown): unknown {
  const [step, ...rest] = steps;
  if (!step) return wanted === undefined ? null : wanted;
  if (!("key" in step)) return edited(live, steps, wanted);
  return { [step.key]: merge(isTree(live) ? live[step.key] : undefined, rest, wanted) };
}

function strategic(g: Draw, live: unknown, steps: readonly Step[], wanted: unknown): Tree {
  const [step, next, ...rest] = steps;
  if (!step || !("key" in step)) return isTree(wanted) ? wanted : {};
  const inner = isTree(live) ? live[step.key] : undefined;
  const directive: Tree = g(nat, 24) === 0 ? g(constantFrom, { $patch: "replace" }, { $patch: "delete" }, { $patch: "merge" }, { $retainKeys: [step.key] }, { $retainKeys: [step.key, "name", "emptyDir"] }) : {};
  if (!next) return { ...directive, [step.key]: wanted === undefined ? null : wanted };
  if ("key" in next) return { ...directive, [step.key]: strategic(g, inner, [next, ...rest], wanted) };
  const { mergeKey, strategy } = next.list;
  const items = Array.isArray(inner) ? (inner as unknown[]) : [];
  if (!strategy.includes("merge")) return { ...directive, [step.key]: edited(inner, [next, ...rest], wanted) };
  const shown = mergeKey === undefined ? items : items.map((item) => (isTree(item) ? { [mergeKey]: item[mergeKey] } : item));
  const order: Tree = g(nat, 3) === 0 ? { [`$setElementOrder/${step.key}`]: g(nat, 1) === 0 ? [...shown].reverse() : shown } : {};
  if (mergeKey === undefined) return { ...directive, ...order, ...(wanted === undefined ? { [`$deleteFromPrimitiveList/${step.key}`]: [next.item] } : { [step.key]: [wanted] }) };
  const item = isTree(next.item) ? { [mergeKey]: next.item[mergeKey] } : {};
  if (rest.length === 0) return { ...directive, ...order, [step.key]: [wanted === undefined ? { ...item, $patch: "delete" } : isTree(wanted) && g(nat, 1) === 0 ? { ...wanted, ...item } : wanted] };
  return { ...directive, ...order, [step.key]: [{ ...strategic(g, next.item, rest, wanted), ...(g(nat, 19) > 0 && item) }] };
}

const pointer = (steps: readonly Step[]): string => steps.map((step) => `/${"key" in step ? step.key.replaceAll("~", "~0").replaceAll("/", "~1") : step.index}`).join("");

/** What an applier says of one place: with the keys of the items on the way. */
function applied(live: unknown, steps: readonly Step[], wanted: unknown): unknown {
  const [step, ...rest] = steps;
  if (!step) return wanted;
  if ("key" in step) {
    const inner = applied(isTree(live) ? live[step.key] : undefined, rest, wanted);
    return inner === undefined ? {} : { [step.key]: inner };
  }
  if (step.list.list === "atomic") return edited(live, steps, wanted);
  const { item, list } = step;
  if (list.list === "set") return wanted === undefined ? [] : [wanted];
  const keys = isTree(item) ? Object.fromEntries(list.keys.flatMap((key) => (item[key] === undefined ? [] : [[key, item[key]]]))) : {};
  const inner = applied(item, rest, wanted);
  return inner === undefined ? [] : [isTree(inner) ? { ...inner, ...keys } : inner];
}

/** Two configurations as one; items of lists stay apart, unless they are the same. */
function both(a: unknown, b: unknown): unknown {
  if (Array.isArray(a) && Array.isArray(b)) return [...a, ...b.filter((item) => !a.some((other) => isTree(other) && isTree(item) && other["name"] !== undefined && other["name"] === item["name"]))];
  if (!isTree(a) || !isTree(b)) return b;
  return Object.fromEntries([...new Set([...Object.keys(a), ...Object.keys(b)])].map((key) => [key, key in a && key in b ? both(a[key], b[key]) : (b[key] ?? a[key])]));
}

/** A merge patch that makes one edit. */
export function drawMergeEdit(g: Draw, resource: Resource, live: Live, root?: string): Tree {
  const { steps, value } = drawEdit(g, resource, live, root);
  return merge(live, steps, value) as Tree;
}

/** A strategic merge patch that makes one edit. */
export function drawStrategicEdit(g: Draw, resource: Resource, live: Live, root?: string): Tree {
  const { steps, value } = drawEdit(g, resource, live, root);
  return strategic(g, live, steps, value);
}

/** JSON patch operations that make one edit, now and then after a look at what was there. */
export function drawJsonEdit(g: Draw, resource: Resource, live: Live, root?: string): unknown[] {
  const { steps, value } = drawEdit(g, resource, live, root);
  const path = pointer(steps);
  if (value === undefined) return [{ op: "remove", path }];
  const last = steps.at(-1);
  const end = last && !("key" in last) && last.item === undefined && g(nat, 1) === 0 ? `${pointer(steps.slice(0, -1))}/-` : path;
  return [...(g(nat, 9) === 0 ? [{ op: "test", path, value }] : []), { op: g(constantFrom, "add", "add", "replace"), path: end, value }];
}

/** The whole object with one edit, as a client would put it back. */
export function drawEdited(g: Draw, resource: Resource, live: Live): Tree {
  const { steps, value } = drawEdit(g, resource, live);
  const object = edited(live, steps, value) as Tree;
  const metadata = isTree(object["metadata"]) ? object["metadata"] : {};
  return { ...object, metadata: Object.fromEntries(Object.entries(metadata).filter(([key]) => !OWN_META.includes(key))) };
}

/** A configuration that says a few places of the object: some as they are, some anew. */
export function drawConfiguration(g: Draw, resource: Resource, live: Live, root?: string): Tree {
  const metadata = isTree(live["metadata"]) ? live["metadata"] : {};
  let config: unknown = { apiVersion: apiVersionOf(resource), kind: resource.kind, metadata: { name: metadata["name"] } };
  for (let n = g(constantFrom, 0, 1, 1, 2, 3, 4); n > 0; n--) {
    const { steps, value } = drawEdit(g, resource, live, root);
    const asIs = steps.reduce<unknown>((at, step) => ("key" in step ? (isTree(at) ? at[step.key] : undefined) : step.item), live);
    config = both(config, applied(live, steps, asIs !== undefined && g(nat, 1) === 0 ? asIs : value));
  }
  return config as Tree;
}
