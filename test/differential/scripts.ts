/** What is played: for each kind the life of one object under drawn requests. The same seed draws the same requests. */
import { constantFrom, gen, nat, sample, type GeneratorValue } from "fast-check";
import { apiVersionOf, type Resource } from "../../src/api/resource.ts";
import { drawJsonPatch, drawObject, drawPatch, leastObject } from "../fuzz/generate.ts";
import { drawConfiguration, drawEdited, drawJsonEdit, drawMergeEdit, drawStrategicEdit, type Live } from "./changes.ts";
import type { Sent } from "./endpoint.ts";

/** A request, or one that is drawn from what the object is when its turn comes. */
export type Step = Sent | ((live: Live) => Sent);

const MERGE = "application/merge-patch+json";
const STRATEGIC = "application/strategic-merge-patch+json";
const JSON_PATCH = "application/json-patch+json";
const APPLY = "application/apply-patch+yaml";
const TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json";

/** The collection's path in `namespace` (left out for kinds of the cluster). */
export const collectionOf = (r: Resource, namespace: string): string =>
  `/${r.group === "" ? "api" : "apis"}/${apiVersionOf(r)}${r.namespaced ? `/namespaces/${namespace}` : ""}/${r.plural}`;

function inNamespace(object: Record<string, unknown>, resource: Resource, namespace: string): Record<string, unknown> {
  const { metadata } = object as { readonly metadata?: unknown };
  if (!resource.namespaced || typeof metadata !== "object" || metadata === null || (metadata as { readonly namespace?: unknown }).namespace !== "default") return object;
  return { ...object, metadata: { ...metadata, namespace } };
}

/** One life of an object named `name`: created (as drawn, then the least one, in case that was refused), changed in every way, read, deleted. */
export function drawScript(resource: Resource, namespace: string, name: string, seed: number): readonly Step[] {
  const [g] = sample(gen(), { seed, numRuns: 1 }) as [GeneratorValue];
  const url = collectionOf(resource, namespace);
  const one = `${url}/${name}`;
  const drawn = () => inNamespace(drawObject(g, resource, name), resource, namespace);
  const least = inNamespace(leastObject(resource, name) as unknown as Record<string, unknown>, resource, namespace);
  const changes: readonly (() => Sent)[] = [
    () => ({ method: "PUT", path: one, body: drawn() }),
    () => ({ method: "PATCH", path: one, body: drawPatch(g, resource), contentType: MERGE }),
    () => ({ method: "PATCH", path: one, body: drawPatch(g, resource), contentType: STRATEGIC }),
    () => ({ method: "PATCH", path: one, body: drawJsonPatch(g), contentType: JSON_PATCH }),
    () => ({ method: "PATCH", path: `${one}?fieldManager=${g(constantFrom, "one", "two")}${g(nat, 2) > 0 ? "&force=true" : ""}`, body: drawn(), contentType: APPLY }),
    () => ({ method: "PATCH", path: `${one}/status`, body: drawPatch(g, resource), contentType: g(constantFrom, MERGE, STRATEGIC) }),
    () => ({ method: "PUT", path: `${one}/status`, body: drawn() }),
  ];
  const status = g(nat, 1) === 0 ? "status" : undefined;
  const applier = () => `fieldManager=${g(constantFrom, "one", "two", "three", "kubectl")}${g(nat, 2) > 0 ? "&force=true" : ""}`;
  const edits: readonly (() => Step)[] = [
    () => (live) => ({ method: "PUT", path: one, body: drawEdited(g, resource, live) }),
    () => (live) => ({ method: "PUT", path: `${one}/status`, body: drawEdited(g, resource, live) }),
    () => (live) => ({ method: "PATCH", path: one, body: drawMergeEdit(g, resource, live), contentType: MERGE }),
    () => (live) => ({ method: "PATCH", path: one, body: drawStrategicEdit(g, resource, live), contentType: STRATEGIC }),
    () => (live) => ({ method: "PATCH", path: `${one}/status`, body: drawStrategicEdit(g, resource, live, status), contentType: STRATEGIC }),
    () => (live) => ({ method: "PATCH", path: one, body: drawJsonEdit(g, resource, live), contentType: JSON_PATCH }),
    () => (live) => ({ method: "PATCH", path: `${one}?${applier()}`, body: drawConfiguration(g, resource, live), contentType: APPLY }),
    () => (live) => ({ method: "PATCH", path: `${one}?${applier()}`, body: drawConfiguration(g, resource, live), contentType: APPLY }),
    () => (live) => ({ method: "PATCH", path: `${one}/status?${applier()}`, body: drawConfiguration(g, resource, live, status), contentType: APPLY }),
  ];
  const validation = g(constantFrom, "?fieldValidation=Strict", "?fieldValidation=Warn", "?fieldValidation=Ignore", "");
  return [
    ...Array.from({ length: 4 }, () => ({ method: "POST", path: `${url}${validation}${validation === "" ? "?" : "&"}dryRun=All`, body: drawn() })),
    { method: "POST", path: url, body: drawn() },
    { method: "POST", path: url, body: least },
    ...Array.from({ length: 14 }, () => (g(nat, 3) === 0 ? g(constantFrom, ...changes)() : g(constantFrom, ...edits)())),
    { method: "GET", path: one },
    { method: "GET", path: one, accept: TABLE },
    { method: "DELETE", path: one, body: { gracePeriodSeconds: 0, propagationPolicy: "Background" } },
  ];
}
