#!/usr/bin/env node
/**
 * Goes through every field of every kind (`fields.ts`), and prints where a real control plane and stint answer differently.
 *
 *   sweep.ts --reference KUBECONFIG --subject KUBECONFIG [--only Pod,batch/v1/Job] [--how create,update,status] [--under spec.volumes] [--json FILE]
 *
 * `create` sends each value in a new object, `update` and `status` lay it over a stored one; all of them are dry runs.
 * Exit status: 0 no difference, 1 some, 2 could not run.
 */
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { Discovery } from "../../src/api/discovery/discovery.ts";
import { kinds } from "../../src/api/kinds/table.ts";
import { apiVersionOf, type Resource } from "../../src/api/resource.ts";
import { schemaOfKind } from "../../src/api/schema/schema.ts";
import { leastObject, nameFor } from "../fuzz/generate.ts";
import { type Difference, differences } from "./compare.ts";
import { type Endpoint, openEndpoint, type Sent } from "./endpoint.ts";
import { everyField, laidOver, type Placed } from "./fields.ts";
import { collectionOf } from "./scripts.ts";

type Object = Record<string, unknown>;

interface Finding {
  readonly kind: string;
  readonly how: string;
  readonly ats: string[];
  readonly body: unknown;
  readonly differences: readonly Difference[];
}

const AT_ONCE = 8;
const { values: options } = parseArgs({
  options: { reference: { type: "string" }, subject: { type: "string" }, only: { type: "string" }, how: { type: "string", default: "create,update,status" }, under: { type: "string", default: "" }, json: { type: "string" } },
});

const discovered = new Discovery().versions();
const has = (r: Resource, name: string, verb: string) => discovered.some((v) => v.group === r.group && v.version === r.version && v.resources.some((x) => x.name === name && x.verbs.includes(verb)));

function chosen(only: string | undefined): readonly Resource[] {
  const wanted = only?.split(",");
  const all = kinds.map((k) => k.resource).filter((r) => has(r, r.plural, "create") && r.plural !== "namespaces");
  return wanted === undefined ? all : all.filter((r) => wanted.includes(r.kind) || wanted.includes(`${apiVersionOf(r)}/${r.kind}`));
}

const shapeOf = (value: unknown): string => (JSON.stringify(value) ?? "nothing").replace(/[\w.[\]{}*-]+(\.[\w[\]{}*-]+)+/g, "…").replace(/\\"[^"]*\\"/g, '"…"').replace(/\d+/g, "0").slice(0, 120);
const signatureOf = (found: readonly Difference[]): string => found.slice(0, 2).map(({ at, reference, subject }) => `${at.replace(/\d+/g, "#").slice(0, 40)}: ${shapeOf(reference)} / ${shapeOf(subject)}`).join(" | ");

class Sweep {
  readonly findings = new Map<string, Finding>();
  sent = 0;
  readonly #both: readonly [Endpoint, Endpoint];
  readonly #namespace: string;

  constructor(both: readonly [Endpoint, Endpoint], namespace: string) {
    this.#both = both;
    this.#namespace = namespace;
  }

  async prepare(): Promise<void> {
    await this.#each({ method: "POST", path: "/api/v1/namespaces", body: { metadata: { name: this.#namespace } } });
    await this.#each({ method: "POST", path: `/api/v1/namespaces/${this.#namespace}/serviceaccounts`, body: { metadata: { name: "default" } } });
  }

  async remove(path: string): Promise<void> {
    await this.#each({ method: "DELETE", path, body: { gracePeriodSeconds: 0 } });
  }

  async sweep(resource: Resource, how: string): Promise<void> {
    const name = nameFor(resource, `swept-${this.#namespace}`);
    const url = collectionOf(resource, this.#namespace);
    const least = { ...leastObject(resource, name), metadata: { name, ...(resource.namespaced && { namespace: this.#namespace }) } } as unknown as Object;
    const stored = how === "create" ? [least, least] : (await this.#each({ method: "POST", path: url, body: least })).map(({ body }) => body);
    const request: Sent = how === "create" ? { method: "POST", path: `${url}?dryRun=All` } : { method: "PUT", path: `${url}/${name}${how === "status" ? "/status" : ""}?dryRun=All` };
    const cases = everyField(schemaOfKind(resource) ?? "");
    const worker = async () => {
      for (const placed of cases) if (placed.at.startsWith(options.under) && (how === "status") === placed.at.startsWith("status")) await this.#play(resource, how, request, stored, placed);
    };
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
    if (how !== "create") await this.remove(`${url}/${name}`);
  }

  /** Each server gets the value laid over what it has stored itself. */
  async #play(resource: Resource, how: string, request: Sent, stored: readonly unknown[], { at, value }: Placed): Promise<void> {
    const bodies = stored.map((object) => laidOver(object, value));
    const [expected, actual] = await Promise.all([this.#both[0].send({ ...request, body: bodies[0] }), this.#both[1].send({ ...request, body: bodies[1] })]);
    this.sent++;
    const found = differences(expected, actual);
    if (found.length === 0) return;
    const kind = `${apiVersionOf(resource)} ${resource.kind}`;
    const signature = `${kind} ${how} ${signatureOf(found)}`;
    const known = this.findings.get(signature);
    if (known) known.ats.push(at);
    else this.findings.set(signature, { kind, how, ats: [at], body: value, differences: found });
  }

  async #each(request: Sent) {
    const [reference, subject] = this.#both;
    return Promise.all([reference.send(request), subject.send(request)]);
  }
}

function print(findings: readonly Finding[]): void {
  for (const { kind, how, ats, body, differences: found } of findings) {
    console.log(`\n✗ ${kind} ${how} ${ats[0]}${ats.length > 1 ? `  and ${ats.length - 1} more: ${ats.slice(1, 6).join(" ")}` : ""}\n  ${JSON.stringify(body)}`);
    for (const { at, reference, subject } of found.slice(0, 4)) console.log(`    ${at}\n      reference: ${JSON.stringify(reference)}\n      subject:   ${JSON.stringify(subject)}`);
  }
}

async function main(): Promise<number> {
  if (options.reference === undefined || options.subject === undefined) throw new Error("--reference and --subject name a kubeconfig each");
  const both = [openEndpoint(options.reference), openEndpoint(options.subject)] as const;
  const namespace = `sweep-${Date.now().toString(36)}`;
  const sweep = new Sweep(both, namespace);
  await sweep.prepare();
  for (const resource of chosen(options.only)) {
    for (const how of options.how.split(",")) if (how !== "status" || has(resource, `${resource.plural}/status`, "update")) await sweep.sweep(resource, how);
  }
  await sweep.remove(`/api/v1/namespaces/${namespace}`);
  for (const endpoint of both) endpoint.close();
  const all = [...sweep.findings.values()].sort((a, b) => b.ats.length - a.ats.length);
  print(all);
  if (options.json !== undefined) writeFileSync(options.json, JSON.stringify(all, null, 1));
  console.log(`\n${sweep.sent} requests: ${all.length} kinds of difference`);
  return all.length === 0 ? 0 : 1;
}

try {
  process.exitCode = await main();
} catch (error) {
  console.error(`differential: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 2;
}
