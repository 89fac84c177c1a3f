/**
 * Every kind that is served takes whatever a client may send: an answer always comes, and never a 500 that upstream would not give.
 * What is taken can be read, printed as a table, applied twice to the same effect, and deleted; nothing is left behind.
 */
import { assert, asyncProperty, constantFrom, gen } from "fast-check";
import { expect, test } from "vitest";
import { Discovery } from "../../src/api/discovery/discovery.ts";
import { kinds } from "../../src/api/kinds/table.ts";
import type { KubeObject } from "../../src/api/object.ts";
import { apiVersionOf, type Resource } from "../../src/api/resource.ts";
import { drawJsonPatch, drawObject, drawPatch, type Draw, leastObject, nameFor } from "./generate.ts";
import { isUpstream500 } from "./known.ts";
import { openWhole, type Outcome, type Whole } from "./whole.ts";

const LONG = process.env["STINT_TEST_LONG"] === "1";
/** The normal run draws the same each time, so that it fails for what was changed; the long one draws anew. */
const SEED = Number(process.env["STINT_FUZZ_SEED"] ?? (LONG ? Date.now() % 2 ** 31 : 1));
const RUNS = LONG ? 300 : 25;
const ANSWER_MS_MAX = 5_000;

/** What may be created: a kind of which a GET is all there is has nothing to take. */
const creatable = new Set(new Discovery().versions().flatMap((v) => v.resources.filter((r) => r.verbs.includes("create")).map((r) => `${v.group}/${v.version}/${r.name}`)));
const resources = kinds.map((kind) => kind.resource).filter((r) => creatable.has(`${r.group}/${r.version}/${r.plural}`));
const collectionOf = (r: Resource): string => `/${r.group === "" ? "api" : "apis"}/${apiVersionOf(r)}${r.namespaced ? "/namespaces/default" : ""}/${r.plural}`;

async function answered(sending: Promise<Outcome>, what: string): Promise<Outcome> {
  const started = process.hrtime.bigint();
  const outcome = await sending;
  expect(Number(process.hrtime.bigint() - started) / 1e6, `${what} took long`).toBeLessThan(ANSWER_MS_MAX);
  if (outcome.code >= 500 && !isUpstream500(outcome.message)) throw new Error(`${what}: ${outcome.code} ${outcome.message}`);
  return outcome;
}

const PATCHES = [
  { type: "application/merge-patch+json", draw: drawPatch },
  { type: "application/strategic-merge-patch+json", draw: drawPatch },
  { type: "application/json-patch+json", draw: (g: Draw) => drawJsonPatch(g) },
] as const;

const TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json";

/** One life of an object under what was drawn; throws where something is answered with 500 or breaks a law. */
async function live(g: Draw, resource: Resource, whole: Whole): Promise<void> {
  const url = collectionOf(resource);
  const name = nameFor(resource, "fuzzed");
  const send: Send = (method, path, body, contentType = "application/json") =>
    answered(whole.send(method, path, body, { "content-type": contentType, ...(method === "GET" && { accept: contentType }) }), `${method} ${path} ${contentType} ${JSON.stringify(body)}`);
  const validation = g(constantFrom, "", "?fieldValidation=Strict", "?fieldValidation=Ignore", "?dryRun=All");
  await send("POST", `${url}${validation}`, drawObject(g, resource, name));
  await send("POST", url, leastObject(resource, name));
  const object = `${url}/${name}`;
  await send("PUT", object, drawObject(g, resource, name));
  for (const { type, draw } of PATCHES) await send("PATCH", object, draw(g, resource), type);
  await send("PATCH", `${object}/status`, drawPatch(g, resource), "application/merge-patch+json");
  await send("PUT", `${object}/status`, drawObject(g, resource, name));
  await applyTwice(send, object, drawObject(g, resource, name));
  const read = await send("GET", object);
  await send("GET", `${url}?limit=1`, undefined, TABLE);
  if (read.code === 200) expect(JSON.parse(read.body)).toMatchObject({ kind: resource.kind, metadata: { name } });
  await remove(send, url);
}

type Send = (method: string, path: string, body?: unknown, contentType?: string) => Promise<Outcome>;

/** What was applied and is applied again changes nothing; unless it owned nothing (an empty list), and so was forgotten, as upstream forgets it. */
async function applyTwice(send: Send, object: string, configuration: object): Promise<void> {
  const apply = () => send("PATCH", `${object}?fieldManager=fuzz&force=true`, configuration, "application/apply-patch+yaml");
  const first = await apply();
  if (first.code > 201 || !first.body.includes('"manager":"fuzz"')) return;
  const second = await apply();
  const versionOf = (outcome: Outcome) => (JSON.parse(outcome.body) as KubeObject).metadata.resourceVersion;
  if (second.code !== 200 || versionOf(second) !== versionOf(first)) throw new Error(`applying twice is not applying once: ${JSON.stringify(configuration)}\n${first.body}\n${second.body || second.message}`);
}

async function remove(send: Send, url: string): Promise<void> {
  await send("DELETE", `${url}?labelSelector=!keep`, { gracePeriodSeconds: 0, propagationPolicy: "Background" });
  const left = JSON.parse((await send("GET", url)).body) as { readonly items: readonly KubeObject[] };
  for (const { metadata } of left.items) {
    const finalizers = await send("PATCH", `${url}/${metadata.name}`, { metadata: { finalizers: null } }, "application/merge-patch+json");
    if (finalizers.code === 200) await send("DELETE", `${url}/${metadata.name}`, { gracePeriodSeconds: 0 });
  }
}

// Namespaces hold the others and have a life of their own.
test.each(resources.filter((r) => r.plural !== "namespaces").map((resource) => ({ resource, name: `${apiVersionOf(resource)} ${resource.kind}` })))(`$name answers whatever is sent (seed ${SEED})`, { timeout: LONG ? 600_000 : 60_000 }, async ({ resource }) => {
  const whole = await openWhole();
  const before = whole.store.revision;
  await assert(asyncProperty(gen(), (g) => live(g, resource, whole)), { numRuns: RUNS, seed: SEED, endOnFailure: !LONG });
  expect(whole.store.revision).toBeGreaterThan(before);
});

test.each(resources.map((resource) => ({ resource, name: `${apiVersionOf(resource)} ${resource.kind}` })))("the least $name is taken", async ({ resource }) => {
  const whole = await openWhole();
  const outcome = await whole.send("POST", collectionOf(resource), leastObject(resource, nameFor(resource, "least")));
  expect(outcome).toMatchObject({ code: 201 });
});
