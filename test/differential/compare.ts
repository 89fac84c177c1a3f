/** Whether two answers are the same, but for what no two servers share: ids, times, versions, addresses that were given out. */
import type { Answered } from "./endpoint.ts";

export interface Difference {
  readonly at: string;
  readonly reference: unknown;
  readonly subject: unknown;
}

const UID = /\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/g;
const TIME = /\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z/g;
/** Fields of which the server chooses the value. */
const CHOSEN = new Set(["resourceVersion", "uid", "creationTimestamp", "deletionTimestamp", "continue", "clusterIP", "clusterIPs", "nodePort", "healthCheckNodePort", "time"]);
/** Names of the two namespaces that scripts are played in are the same on both sides; generated names are not. */
const GENERATED = /\b(kube-api-access|[a-z0-9.-]+)-[bcdfghjklmnpqrstvwxz2456789]{5}\b/g;

const hasGeneratedName = (value: object): boolean => typeof (value as { readonly metadata?: { readonly generateName?: unknown } }).metadata?.generateName === "string";

function normal(value: unknown, key = "", generated = false): unknown {
  if (typeof value === "string") {
    if (CHOSEN.has(key) && value !== "" && value !== "None") return `<${key}>`;
    const text = value.replace(UID, "<uid>").replace(TIME, "<time>").replace(/the object has been modified; please apply.*$/, "<modified>");
    return generated || text.includes("kube-api-access-") ? text.replace(GENERATED, "$1-<gen>") : text;
  }
  if (typeof value === "number" && CHOSEN.has(key)) return `<${key}>`;
  if (Array.isArray(value)) return value.map((v) => normal(v, CHOSEN.has(key) ? key : "", generated));
  if (typeof value !== "object" || value === null) return value;
  const inside = generated || hasGeneratedName(value);
  return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, normal(v, k, inside)]));
}

function* walk(at: string, a: unknown, b: unknown): Generator<Difference> {
  const isTree = (v: unknown): v is Record<string, unknown> => typeof v === "object" && v !== null;
  if (!isTree(a) || !isTree(b) || Array.isArray(a) !== Array.isArray(b)) {
    if (!Object.is(a, b)) yield { at, reference: a, subject: b };
    return;
  }
  for (const key of new Set([...Object.keys(a), ...Object.keys(b)])) yield* walk(`${at}.${key}`, a[key], b[key]);
}

/** Where the subject's answer is not the reference's; nothing if they are the same. */
export function differences(reference: Answered, subject: Answered): readonly Difference[] {
  return [...walk("", normal(reference), normal(subject))];
}
