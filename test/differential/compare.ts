/** Whether two answers are the same, but for what no two servers share: ids, times, versions, addresses that were given out. */
import type { Answered } from "./endpoint.ts";

export interface Difference {
  readonly at: string;
  readonly reference: unknown;
  readonly subject: unknown;
}

const UID = /\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/g;
const TIME = /\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z/g;
/** Named after where the server was built. */
const SCHEME = /in scheme \\*"[^"]*"/g;
/** A version in quoted JSON. */
const VERSION = /(resourceVersion\\*":\\*"|resourceVersion: "|ResourceVersion in (?:record \(|object meta: ))\d+/g;
/** Fields of which the server chooses the value. */
const CHOSEN = new Set(["resourceVersion", "uid", "creationTimestamp", "deletionTimestamp", "continue", "clusterIP", "clusterIPs", "nodePort", "healthCheckNodePort", "time"]);
/** Addresses and ports in quoted JSON. */
const QUOTED_CHOICES = /((?:clusterIPs?\\*":\[?\\*"|[nN]odePort\\*":|clusterIPs: Invalid value: \[\\*"|failed to allocate IP ))[0-9][0-9.]*/g;
/** What Tables show of a Service. */
const SERVICE_IP = /^10(\.\d+){3}$/;
const NODE_PORT = /:3\d{4}\//g;
/** Names of the two namespaces that scripts are played in are the same on both sides; generated names are not. */
const GENERATED = /\b(kube-api-access|[a-z0-9.-]+)-[bcdfghjklmnpqrstvwxz2456789]{5}\b/g;

const hasGeneratedName = (value: object): boolean => typeof (value as { readonly metadata?: { readonly generateName?: unknown } }).metadata?.generateName === "string";

const textOf = (value: unknown): string => JSON.stringify(value) ?? "";

/** Entries are in the order of their times, in which two servers may differ by a second. */
const inOrder = (entries: readonly unknown[]): readonly unknown[] => [...entries].sort((a, b) => (textOf(a) < textOf(b) ? -1 : 1));

/** Errors of which upstream says in no order of its own which come first. */
const UNORDERED = /^(failed to create typed patch object .*?: errors:\n)([^]*)$/;

function normal(value: unknown, key = "", generated = false): unknown {
  if (typeof value === "string") {
    if (CHOSEN.has(key) && value !== "" && value !== "None") return `<${key}>`;
    const text = value.replace(UID, "<uid>").replace(TIME, "<time>").replace(SCHEME, "in scheme <scheme>").replace(VERSION, "$1<version>").replace(/the object has been modified; please apply.*$/, "<modified>").replace(/(range of valid IPs is )[0-9./]+/g, "$1<range>").replace(QUOTED_CHOICES, "$1<chosen>");
    const unordered = UNORDERED.exec(text);
    if (unordered) return `${unordered[1] ?? ""}${(unordered[2] ?? "").split("\n").sort().join("\n")}`;
    if (key === "cells") return text.replace(SERVICE_IP, "<clusterIP>").replace(NODE_PORT, ":<nodePort>/");
    return generated || text.includes("kube-api-access-") ? text.replace(GENERATED, "$1-<gen>") : text;
  }
  if (typeof value === "number" && CHOSEN.has(key)) return `<${key}>`;
  if (Array.isArray(value) && key === "managedFields") return inOrder(value.map((v) => normal(v, "", generated)));
  if (Array.isArray(value)) return value.map((v) => normal(v, CHOSEN.has(key) || key === "cells" ? key : "", generated));
  if (typeof value !== "object" || value === null) return value;
  const inside = generated || hasGeneratedName(value);
  return Object.fromEntries(Object.entries(value).map(([k, v]) => [k.includes("kube-api-access-") ? k.replace(GENERATED, "$1-<gen>") : k, normal(v, k, inside)]));
}

const EXCERPT = 160;

/** Two texts from a little before the place where they part. */
function excerpts(a: unknown, b: unknown): readonly [unknown, unknown] {
  if (typeof a !== "string" || typeof b !== "string" || Math.max(a.length, b.length) <= EXCERPT) return [a, b];
  let parting = 0;
  while (parting < a.length && a[parting] === b[parting]) parting++;
  const from = Math.max(0, parting - 60);
  const cut = (text: string) => `${from > 0 ? "…" : ""}${text.slice(from, from + EXCERPT)}`;
  return [cut(a), cut(b)];
}

function* walk(at: string, a: unknown, b: unknown): Generator<Difference> {
  const isTree = (v: unknown): v is Record<string, unknown> => typeof v === "object" && v !== null;
  if (!isTree(a) || !isTree(b) || Array.isArray(a) !== Array.isArray(b)) {
    const [reference, subject] = excerpts(a, b);
    if (!Object.is(a, b)) yield { at, reference, subject };
    return;
  }
  for (const key of new Set([...Object.keys(a), ...Object.keys(b)])) yield* walk(`${at}.${key}`, a[key], b[key]);
}

/** Texts that the two servers have chosen differently for the same thing, in the same place of two bodies. */
export function* choices(reference: unknown, subject: unknown): Generator<readonly [string, string]> {
  if (typeof reference === "string" && typeof subject === "string") {
    if (reference !== subject && /^[0-9a-z.-]+$/.test(reference)) yield [reference, subject];
  } else if (typeof reference === "object" && reference !== null && typeof subject === "object" && subject !== null) {
    for (const [key, value] of Object.entries(reference)) yield* choices(value, (subject as Record<string, unknown>)[key]);
  }
}

/** The body with the reference's choices made the subject's. */
export function translate(value: unknown, chosen: ReadonlyMap<string, string>): unknown {
  if (typeof value === "string") return chosen.get(value) ?? value;
  if (Array.isArray(value)) return value.map((inner) => translate(inner, chosen));
  return typeof value === "object" && value !== null ? Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, translate(inner, chosen)])) : value;
}

/** Where the subject's answer is not the reference's; nothing if they are the same. */
export function differences(reference: Answered, subject: Answered): readonly Difference[] {
  return [...walk("", normal(reference), normal(subject))];
}
