/**
 * Query parameters with upstream's leniency: what is a boolean, what is a number, and the options of each verb. Pure.
 * Follows kubernetes staging/src/k8s.io/apimachinery/pkg/runtime/conversion.go and pkg/apis/meta/v1 (url.Values conversions).
 */
import type { DeleteOptions } from "../api/generated/types.ts";
import type { ListOptions, WatchOptions, WriteOptions } from "../api/request.ts";
import { badRequest } from "../api/status-error.ts";

/** undefined: not given. Only "false" and "0" are false. */
export function toBoolean(value: string | null): boolean | undefined {
  if (value === null) return undefined;
  return !(value === "0" || value.toLowerCase() === "false");
}

/** Text as Go's `%q` quotes it, for what query parameters hold. */
const quoted = (text: string): string => JSON.stringify(text);

/** Go's strconv.ParseInt in base 10, with its words when it fails. */
export function toInteger(value: string | null): number | undefined {
  if (value === null) return undefined;
  if (!/^[+-]?\d+$/.test(value)) throw badRequest(`strconv.ParseInt: parsing ${quoted(value)}: invalid syntax`);
  const big = BigInt(value);
  if (big > 9223372036854775807n || big < -9223372036854775808n) throw badRequest(`strconv.ParseInt: parsing ${quoted(value)}: value out of range`);
  return Number(big);
}

const text = (query: URLSearchParams, name: string): string | undefined => query.get(name) ?? undefined;

export function listOptionsOf(query: URLSearchParams): ListOptions {
  // Only a watch takes it, but a wrong one is wrong everywhere.
  toInteger(query.get("timeoutSeconds"));
  return {
    ...(query.has("labelSelector") && { labelSelector: query.get("labelSelector") ?? "" }),
    ...(query.has("fieldSelector") && { fieldSelector: query.get("fieldSelector") ?? "" }),
    ...(query.has("limit") && { limit: toInteger(query.get("limit")) ?? 0 }),
    ...(query.has("continue") && { continue: query.get("continue") ?? "" }),
    ...(query.has("resourceVersion") && { resourceVersion: query.get("resourceVersion") ?? "" }),
    ...(query.has("sendInitialEvents") && { sendInitialEvents: toBoolean(query.get("sendInitialEvents")) === true }),
    ...(query.has("resourceVersionMatch") && { resourceVersionMatch: query.get("resourceVersionMatch") ?? "" }),
  };
}

export function watchOptionsOf(query: URLSearchParams): WatchOptions {
  const timeout = toInteger(query.get("timeoutSeconds"));
  return {
    ...listOptionsOf(query),
    ...(query.has("allowWatchBookmarks") && { allowWatchBookmarks: toBoolean(query.get("allowWatchBookmarks")) === true }),
    ...(timeout !== undefined && { timeoutSeconds: timeout }),
  };
}

export function writeOptionsOf(query: URLSearchParams): WriteOptions {
  const fieldManager = text(query, "fieldManager");
  const fieldValidation = text(query, "fieldValidation");
  return {
    ...(query.has("dryRun") && { dryRun: query.getAll("dryRun") }),
    ...(fieldManager !== undefined && { fieldManager }),
    ...(fieldValidation !== undefined && { fieldValidation }),
  };
}

export function deleteOptionsOf(query: URLSearchParams): DeleteOptions {
  const gracePeriodSeconds = toInteger(query.get("gracePeriodSeconds"));
  const orphanDependents = toBoolean(query.get("orphanDependents"));
  const propagationPolicy = text(query, "propagationPolicy");
  const [uid, resourceVersion] = [text(query, "uid"), text(query, "resourceVersion")];
  return {
    ...(query.has("dryRun") && { dryRun: query.getAll("dryRun") }),
    ...(gracePeriodSeconds !== undefined && { gracePeriodSeconds }),
    ...(orphanDependents !== undefined && { orphanDependents }),
    ...(propagationPolicy !== undefined && { propagationPolicy }),
    // The preconditions' fields stand among the others.
    ...((uid !== undefined || resourceVersion !== undefined) && { preconditions: { ...(uid !== undefined && { uid }), ...(resourceVersion !== undefined && { resourceVersion }) } }),
  };
}

/** The one name that a field selector demands, where it does. */
export function parseFieldSelectorName(selector: string | null): string | undefined {
  const match = selector === null ? undefined : /(?:^|,)metadata\.name==?([^,!=\\]+)(?:,|$)/.exec(selector);
  return match?.[1];
}

const UNITS = /^(?:ns|us|µs|μs|ms|s|m|h)$/;

/** What Go says of a duration that it cannot read; undefined: it can. Follows time.ParseDuration. */
export function durationError(text: string): string | undefined {
  const quotedText = quoted(text);
  let rest = text.replace(/^[+-]/, "");
  if (rest === "0") return undefined;
  if (rest === "") return `time: invalid duration ${quotedText}`;
  while (rest !== "") {
    const number = /^(?:\d+\.?\d*|\.\d+)/.exec(rest)?.[0];
    if (number === undefined) return `time: invalid duration ${quotedText}`;
    const unit = /^[^\d.]*/.exec(rest.slice(number.length))?.[0] ?? "";
    if (unit === "") return `time: missing unit in duration ${quotedText}`;
    if (!UNITS.test(unit)) return `time: unknown unit ${quoted(unit)} in duration ${quotedText}`;
    rest = rest.slice(number.length + unit.length);
  }
  return undefined;
}
