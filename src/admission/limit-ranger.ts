/**
 * The LimitRanges of a namespace fill in what containers ask for, and refuse what is too little, too much or too wide.
 * Follows kubernetes plugin/pkg/admission/limitranger/admission.go.
 */
import type { Container, LimitRange, LimitRangeItem, PersistentVolumeClaim, Pod, PodSpec } from "../api/generated/types.ts";
import type { Draft } from "../api/kinds/kind.ts";
import { podLimits, podRequests } from "../api/pod-resources.ts";
import { canonicalQuantity, compareQuantities, parseQuantity, quantityMilliValue } from "../api/quantity.ts";
import { LIMIT_RANGES, PODS, type Resource } from "../api/resource.ts";
import { concerns, refuse, type AdmissionPlugin } from "../registry/admission.ts";

const ANNOTATION = "kubernetes.io/limit-ranger";
const CLAIMS: Resource = { group: "", version: "v1", plural: "persistentvolumeclaims", kind: "PersistentVolumeClaim", namespaced: true };

type Amount = string | number;
type Quantities = Readonly<Record<string, Amount>>;

/** What the limits of a container fill in, all ranges' items together. */
function defaultsOf(range: LimitRange): { requests: Quantities; limits: Quantities } {
  const items = range.spec?.limits?.filter((item) => item.type === "Container") ?? [];
  return { requests: Object.assign({}, ...items.map((i) => i.defaultRequest)), limits: Object.assign({}, ...items.map((i) => i.default)) };
}

function fill(target: Record<string, Amount>, from: Quantities): string[] {
  const missing = Object.keys(from).filter((name) => target[name] === undefined).sort();
  for (const name of missing) target[name] = from[name] ?? "";
  return missing;
}

function fillContainer(container: Draft<Container>, what: string, defaults: { requests: Quantities; limits: Quantities }): string[] {
  const limits: Record<string, Amount> = { ...container.resources?.limits };
  const requests: Record<string, Amount> = { ...container.resources?.requests };
  const filledLimits = fill(limits, defaults.limits);
  const filledRequests = fill(requests, defaults.requests);
  if (filledLimits.length === 0 && filledRequests.length === 0) return [];
  container.resources = { ...container.resources, ...(Object.keys(limits).length > 0 && { limits }), ...(Object.keys(requests).length > 0 && { requests }) };
  const say = (names: readonly string[], kind: string) => (names.length > 0 ? [`${names.join(", ")} ${kind} for ${what} ${container.name}`] : []);
  return [...say(filledRequests, "request"), ...say(filledLimits, "limit")];
}

/** Fills in what `range` says, and notes it in an annotation. */
export function fillPod(pod: Draft<Pod>, range: LimitRange): void {
  const defaults = defaultsOf(range);
  const notes = [
    ...(pod.spec?.containers ?? []).flatMap((c) => fillContainer(c, "container", defaults)),
    ...(pod.spec?.initContainers ?? []).flatMap((c) => fillContainer(c, "init container", defaults)),
  ];
  if (notes.length === 0 || !pod.metadata) return;
  pod.metadata.annotations = { ...pod.metadata.annotations, [ANNOTATION]: `LimitRanger plugin set: ${notes.join("; ")}` };
}

interface Asked {
  readonly requests: Quantities;
  readonly limits: Quantities;
}

function underMin(type: string, name: string, min: Amount, { requests, limits }: Asked): string | undefined {
  const usage = `minimum ${name} usage per ${type} is ${canonicalQuantity(min)}`;
  const [request, limit] = [requests[name], limits[name]];
  if (request === undefined) return `${usage}.  No request is specified`;
  if (compareQuantities(request, min) < 0) return `${usage}, but request is ${canonicalQuantity(request)}`;
  if (limit !== undefined && compareQuantities(limit, min) < 0) return `${usage}, but limit is ${canonicalQuantity(limit)}`;
  return undefined;
}

function overMax(type: string, name: string, max: Amount, { requests, limits }: Asked): string | undefined {
  const usage = `maximum ${name} usage per ${type} is ${canonicalQuantity(max)}`;
  const [request, limit] = [requests[name], limits[name]];
  if (limit === undefined) return `${usage}.  No limit is specified`;
  if (compareQuantities(limit, max) > 0) return `${usage}, but limit is ${canonicalQuantity(limit)}`;
  if (request !== undefined && compareQuantities(request, max) > 0) return `${usage}, but request is ${canonicalQuantity(request)}`;
  return undefined;
}

function overMaxRequest(type: string, name: string, max: Amount, requests: Quantities): string | undefined {
  const usage = `maximum ${name} usage per ${type} is ${canonicalQuantity(max)}`;
  const request = requests[name];
  if (request === undefined) return `${usage}.  No request is specified`;
  return compareQuantities(request, max) > 0 ? `${usage}, but request is ${canonicalQuantity(request)}` : undefined;
}

const isZero = (q: Amount | undefined) => q === undefined || compareQuantities(q, 0) === 0;

function tooWide(type: string, name: string, ratio: Amount, { requests, limits }: Asked): string | undefined {
  const usage = `${name} max limit to request ratio per ${type} is ${canonicalQuantity(ratio)}`;
  const [request, limit] = [requests[name], limits[name]];
  if (request === undefined || isZero(request)) return `${usage}, but no request is specified or request is 0`;
  if (limit === undefined || isZero(limit)) return `${usage}, but no limit is specified or limit is 0`;
  const provided = Number(parseQuantity(limit)?.nano ?? 0n) / Number(parseQuantity(request)?.nano ?? 1n);
  return provided * 1000 > quantityMilliValue(ratio) ? `${usage}, but provided ratio is ${provided.toFixed(6)}` : undefined;
}

function checkItem(item: LimitRangeItem, asked: Asked): string[] {
  const each = (bounds: Quantities | undefined, check: typeof underMin) =>
    Object.entries(bounds ?? {}).flatMap(([name, bound]) => check(item.type, name, bound, asked) ?? []);
  return [...each(item.min, underMin), ...each(item.max, overMax), ...each(item.maxLimitRequestRatio, tooWide)];
}

const askedBy = (container: Container): Asked => ({ requests: container.resources?.requests ?? {}, limits: container.resources?.limits ?? {} });

/** The sum, in the form of the first amount that goes into it: bytes stay in powers of two. */
function spelled(amounts: Readonly<Record<string, number>>, given: readonly Quantities[]): Quantities {
  const isBinary = (name: string): boolean => given.some((quantities) => String(quantities[name] ?? "").endsWith("i"));
  return Object.fromEntries(Object.entries(amounts).map(([name, n]) => [name, name === "cpu" ? `${n}m` : isBinary(name) && n % 1024 === 0 ? `${n / 1024}Ki` : String(n)]));
}

function askedByPod(spec: PodSpec): Asked {
  const containers = [...spec.containers, ...(spec.initContainers ?? [])].map(askedBy);
  return { requests: spelled(podRequests(spec), containers.map((c) => c.requests)), limits: spelled(podLimits(spec), containers.map((c) => c.limits)) };
}

/** Why `range` refuses the pod; [] when it does not. */
export function refusalsOfPod(spec: PodSpec, range: LimitRange): string[] {
  const containers = [...spec.containers, ...(spec.initContainers ?? [])];
  return (range.spec?.limits ?? []).flatMap((item) => {
    if (item.type === "Container") return containers.flatMap((c) => checkItem(item, askedBy(c)));
    return item.type === "Pod" ? checkItem(item, askedByPod(spec)) : [];
  });
}

/** Follows PersistentVolumeClaimValidateLimitFunc: only what is asked for is bounded. */
function refusalsOfClaim(claim: PersistentVolumeClaim, range: LimitRange): string[] {
  const asked = claim.spec?.resources?.requests ?? {};
  return (range.spec?.limits ?? [])
    .filter((item) => item.type === "PersistentVolumeClaim")
    .flatMap((item) => [
      ...Object.entries(item.min ?? {}).flatMap(([name, min]) => underMin(item.type, name, min, { requests: asked, limits: {} }) ?? []),
      ...Object.entries(item.max ?? {}).flatMap(([name, max]) => overMaxRequest(item.type, name, max, asked) ?? []),
    ]);
}

function aggregate(texts: readonly string[]): string {
  const unique = [...new Set(texts)];
  return unique.length === 1 ? unique.join("") : `[${unique.join(", ")}]`;
}

export const limitRanger: AdmissionPlugin = {
  name: "LimitRanger",
  mutate(draft, context) {
    if (!concerns(context, PODS, "CREATE")) return;
    for (const range of context.reader.list(LIMIT_RANGES, context.namespace)) fillPod(draft as Draft<Pod>, range);
  },
  validate(object, context) {
    // Of the updates of a pod only a resize asks for more.
    const isResize = context.operation === "UPDATE" && context.subresource === "resize" && context.resource.group === PODS.group && context.resource.plural === PODS.plural;
    const ofPod = isResize || concerns(context, PODS, "CREATE");
    if (!ofPod && !concerns(context, CLAIMS, "CREATE", "UPDATE")) return;
    for (const range of context.reader.list(LIMIT_RANGES, context.namespace)) {
      const spec = (object as Pod).spec;
      const refusals = ofPod ? (spec ? refusalsOfPod(spec, range) : []) : refusalsOfClaim(object as PersistentVolumeClaim, range);
      if (refusals.length > 0) throw refuse(context, object, aggregate(refusals));
    }
  },
};
