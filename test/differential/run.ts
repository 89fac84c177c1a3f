#!/usr/bin/env node
/**
 * Plays the same drawn requests against a real control plane and against stint, and prints where they answer differently.
 *
 *   run.ts --reference KUBECONFIG --subject KUBECONFIG [--only Pod,batch/v1/Job] [--seed 1] [--runs 20] [--json FILE]
 *
 * Both should be API servers alone (`stint up --disable agent,scheduler,controllers`; a kube-apiserver without a controller manager), so that nothing
 * changes between two requests. Exit status: 0 no difference, 1 some, 2 could not run.
 */
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { Discovery } from "../../src/api/discovery/discovery.ts";
import { kinds } from "../../src/api/kinds/table.ts";
import { apiVersionOf, type Resource } from "../../src/api/resource.ts";
import { nameFor } from "../fuzz/generate.ts";
import { choices, type Difference, differences, translate } from "./compare.ts";
import { type Answered, type Endpoint, openEndpoint, type Sent } from "./endpoint.ts";
import type { Live } from "./changes.ts";
import { minimise } from "./minimise.ts";
import { reads } from "./reads.ts";
import { collectionOf, drawScript, type Step } from "./scripts.ts";

interface Finding {
  readonly kind: string;
  readonly signature: string;
  readonly request: Sent;
  readonly differences: readonly Difference[];
  times: number;
}

interface Both {
  readonly reference: Endpoint;
  readonly subject: Endpoint;
}

const { values: options } = parseArgs({
  options: { reference: { type: "string" }, subject: { type: "string" }, only: { type: "string" }, seed: { type: "string", default: "1" }, runs: { type: "string", default: "20" }, json: { type: "string" }, reads: { type: "boolean", default: false } },
});

const creatable = new Set(new Discovery().versions().flatMap((v) => v.resources.filter((r) => r.verbs.includes("create")).map((r) => `${v.group}/${v.version}/${r.name}`)));
/** Namespaces hold the others and have a life of their own. */
const playable = kinds.map((k) => k.resource).filter((r) => creatable.has(`${r.group}/${r.version}/${r.plural}`) && r.plural !== "namespaces");

function chosen(only: string | undefined): readonly Resource[] {
  const wanted = only?.split(",");
  return wanted === undefined ? playable : playable.filter((r) => wanted.includes(r.kind) || wanted.includes(`${apiVersionOf(r)}/${r.kind}`));
}

interface Played {
  readonly found: readonly Difference[];
  readonly expected: Answered;
  /** Neither has done anything. */
  readonly refused: boolean;
}

/** What the reference has chosen, and what the subject has chosen instead: of a script, newest last. */
type Chosen = Map<string, string>;

async function play({ reference, subject }: Both, request: Sent, chosen: Chosen = new Map()): Promise<Played> {
  const [expected, actual] = await Promise.all([reference.send(request), subject.send({ ...request, body: translate(request.body, chosen) })]);
  for (const [theirs, ours] of choices(expected.body, actual.body)) chosen.set(theirs, ours);
  return { found: differences(expected, actual), expected, refused: expected.status >= 400 && actual.status >= 400 };
}

const bothSend = async (both: Both, request: Sent): Promise<readonly Difference[]> => (await play(both, request)).found;

/** The object that an answer shows; undefined where it shows none, or none that was stored. */
const shown = ({ status, body }: Answered, { method, path }: Sent): Live | undefined =>
  status < 300 && method !== "DELETE" && !path.includes("dryRun") && typeof body === "object" && body !== null && "metadata" in body && !("rows" in body) ? body : undefined;

const shapeOf = (value: unknown): string => (JSON.stringify(value) ?? "nothing").replace(/\d+/g, "0").replace(/\\"[^"]*\\"/g, '"…"').slice(0, 160);

/** What two findings have in common that are one: kind, verb, and the first places where the answers differ. */
function signatureOf(kind: string, { method, path, contentType }: Sent, found: readonly Difference[]): string {
  const places = found.slice(0, 3).map(({ at, reference, subject }) => `${at.replace(/\.\d+/g, ".#")}: ${shapeOf(reference)} / ${shapeOf(subject)}`);
  return [kind, method, contentType ?? "", path.endsWith("/status") ? "status" : "", ...places].join(" | ");
}

/** The request without consequences. */
const dry = (request: Sent): Sent => (request.path.includes("dryRun") ? request : { ...request, path: `${request.path}${request.path.includes("?") ? "&" : "?"}dryRun=All` });

/** Plays one script until an answer differs; a dry run or a refusal that differs leaves both as they were, so the rest can go on. */
async function playScript(both: Both, kind: string, script: readonly Step[], findings: Map<string, Finding>): Promise<void> {
  let live: Live = {};
  const chosen: Chosen = new Map();
  for (const step of script) {
    const request = typeof step === "function" ? step(live) : step;
    const { found, expected, refused } = await play(both, request, chosen);
    live = shown(expected, request) ?? live;
    if (found.length === 0) continue;
    const signature = signatureOf(kind, request, found);
    const known = findings.get(signature);
    const isDry = refused || request.path.includes("dryRun=All");
    if (known) known.times++;
    else {
      const least = isDry ? await minimise(request, async (smaller) => signatureOf(kind, smaller, await bothSend(both, dry(smaller))).startsWith(signature.slice(0, 100))) : request;
      findings.set(signature, { kind, signature, request: least, differences: isDry ? await bothSend(both, dry(least)) : found, times: 1 });
    }
    if (!isDry) return;
  }
}

/** Plays what changes nothing. */
async function playReads(both: Both, namespace: string, findings: Map<string, Finding>): Promise<void> {
  for (const request of reads(namespace)) {
    const found = await bothSend(both, request);
    if (found.length > 0) findings.set(`${request.method} ${request.path} ${request.accept ?? ""}`, { kind: "read", signature: "", request, differences: found, times: 1 });
  }
}

async function remove(both: Both, resource: Resource, namespace: string, name: string): Promise<void> {
  const path = `${collectionOf(resource, namespace)}/${name}`;
  for (const endpoint of [both.reference, both.subject]) {
    const freed = await endpoint.send({ method: "PATCH", path, contentType: "application/merge-patch+json", body: { metadata: { finalizers: null } } });
    if (freed.status === 200) await endpoint.send({ method: "DELETE", path, body: { gracePeriodSeconds: 0, propagationPolicy: "Background" } });
  }
}

async function openNamespace(both: Both, name: string): Promise<void> {
  for (const endpoint of [both.reference, both.subject]) {
    await endpoint.send({ method: "POST", path: "/api/v1/namespaces", body: { metadata: { name } } });
    await endpoint.send({ method: "POST", path: `/api/v1/namespaces/${name}/serviceaccounts`, body: { metadata: { name: "default" } } });
  }
}

function print(findings: readonly Finding[]): void {
  for (const { kind, request, times, differences: found } of findings) {
    console.log(`\n✗ ${kind} ${request.method} ${request.path}${request.contentType ? ` (${request.contentType})` : ""}${times > 1 ? `  ${times} times` : ""}`);
    if (request.body !== undefined) console.log(`  ${JSON.stringify(request.body)}`);
    for (const { at, reference, subject } of found.slice(0, 4)) console.log(`    ${at}\n      reference: ${JSON.stringify(reference)}\n      subject:   ${JSON.stringify(subject)}`);
  }
}

async function main(): Promise<number> {
  if (options.reference === undefined || options.subject === undefined) throw new Error("--reference and --subject name a kubeconfig each");
  const both = { reference: openEndpoint(options.reference), subject: openEndpoint(options.subject) };
  const findings = new Map<string, Finding>();
  const first = Number(options.seed);
  const stamp = Date.now().toString(36);
  const namespace = `differential-${stamp}`;
  await openNamespace(both, namespace);
  if (options.reads) await playReads(both, namespace, findings);
  const resources = options.reads ? [] : chosen(options.only);
  for (const resource of resources) {
    for (let seed = first; seed < first + Number(options.runs); seed++) {
      const name = nameFor(resource, `d${seed}-${stamp}`);
      await playScript(both, `${apiVersionOf(resource)} ${resource.kind}`, drawScript(resource, namespace, name, seed), findings);
      await remove(both, resource, namespace, name);
    }
  }
  for (const endpoint of [both.reference, both.subject]) await endpoint.send({ method: "DELETE", path: `/api/v1/namespaces/${namespace}` });
  both.reference.close();
  both.subject.close();
  const all = [...findings.values()].sort((a, b) => b.times - a.times);
  print(all);
  if (options.json !== undefined) writeFileSync(options.json, JSON.stringify(all, null, 1));
  console.log(`\n${resources.length} kinds, ${Number(options.runs)} lives each: ${all.length} kinds of difference`);
  return all.length === 0 ? 0 : 1;
}

try {
  process.exitCode = await main();
} catch (error) {
  console.error(`differential: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 2;
}
