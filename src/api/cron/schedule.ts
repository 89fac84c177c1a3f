/**
 * Cron schedules: the five fields, the names (`@daily`), `@every`. When a schedule is due is in next.ts. Pure; reads no clock.
 * Follows github.com/robfig/cron v3 (ParseStandard), to the words of its errors.
 */
import { own, table } from "../../base/own.ts";
import { parseGoDuration } from "../duration.ts";
import { isKnownZone } from "./zone.ts";

interface Bounds {
  readonly min: number;
  readonly max: number;
  readonly names: Readonly<Record<string, number>>;
}

const numbered = (names: readonly string[], first: number): Record<string, number> => Object.fromEntries(names.map((name, i) => [name, i + first]));

const MINUTES: Bounds = { min: 0, max: 59, names: {} };
const HOURS: Bounds = { min: 0, max: 23, names: {} };
const DAYS: Bounds = { min: 1, max: 31, names: {} };
const MONTHS: Bounds = { min: 1, max: 12, names: numbered(["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"], 1) };
const WEEKDAYS: Bounds = { min: 0, max: 6, names: numbered(["sun", "mon", "tue", "wed", "thu", "fri", "sat"], 0) };

/** The values of a field, and whether it was written as a star (which matters for the two day fields). */
interface FieldSet {
  readonly values: ReadonlySet<number>;
  readonly star: boolean;
}

export interface FieldsSchedule {
  readonly kind: "fields";
  readonly minute: FieldSet;
  readonly hour: FieldSet;
  readonly day: FieldSet;
  readonly month: FieldSet;
  readonly weekday: FieldSet;
  /** The zone of a `TZ=` prefix. */
  readonly zone?: string;
}

/** `@every`: counted from the last time, not aligned to the clock. */
interface EverySchedule {
  readonly kind: "every";
  readonly ms: number;
}

export type Schedule = FieldsSchedule | EverySchedule;
export type ParsedSchedule = { readonly schedule: Schedule } | { readonly error: string };

class CronError extends Error {}
const fail = (text: string): never => {
  throw new CronError(text);
};

const UINT_MAX = 2 ** 31;

function parseNumber(text: string): number {
  if (!/^[+-]?\d+$/.test(text)) return fail(`failed to parse int from ${text}: strconv.Atoi: parsing ${JSON.stringify(text)}: invalid syntax`);
  const value = Number(text);
  if (value >= UINT_MAX ** 2) return fail(`failed to parse int from ${text}: strconv.Atoi: parsing ${JSON.stringify(text)}: value out of range`);
  if (value < 0) return fail(`negative number (${value}) not allowed: ${text}`);
  return value;
}

const parseValue = (text: string, bounds: Bounds): number => own(bounds.names, text.toLowerCase()) ?? parseNumber(text);

function parseRange(expression: string, bounds: Bounds): FieldSet {
  const slashes = expression.split("/");
  const hyphens = (slashes[0] ?? "").split("-");
  const isStar = hyphens[0] === "*" || hyphens[0] === "?";
  let star = false;
  let [start, end] = [bounds.min, bounds.max];
  if (isStar) star = true;
  else {
    start = parseValue(hyphens[0] ?? "", bounds);
    if (hyphens.length === 1) end = start;
    else if (hyphens.length === 2) end = parseValue(hyphens[1] ?? "", bounds);
    else fail(`too many hyphens: ${expression}`);
  }
  let step = 1;
  if (slashes.length === 2) {
    step = parseNumber(slashes[1] ?? "");
    // N/step means N-max/step.
    if (hyphens.length === 1) end = isStar ? end : bounds.max;
    if (step > 1) star = false;
  } else if (slashes.length > 2) fail(`too many slashes: ${expression}`);
  if (start < bounds.min) fail(`beginning of range (${start}) below minimum (${bounds.min}): ${expression}`);
  if (end > bounds.max) fail(`end of range (${end}) above maximum (${bounds.max}): ${expression}`);
  if (start > end) fail(`beginning of range (${start}) beyond end of range (${end}): ${expression}`);
  if (step === 0) fail(`step of range should be a positive number: ${expression}`);
  const values = new Set<number>();
  for (let v = start; v <= end; v += step) values.add(v);
  return { values, star };
}

function parseField(text: string, bounds: Bounds): FieldSet {
  const values = new Set<number>();
  let star = false;
  for (const part of text.split(",").filter((p) => p !== "")) {
    const range = parseRange(part, bounds);
    for (const v of range.values) values.add(v);
    star ||= range.star;
  }
  return { values, star };
}

const DESCRIPTORS: Readonly<Record<string, string>> = table({
  "@yearly": "0 0 1 1 *", "@annually": "0 0 1 1 *", "@monthly": "0 0 1 * *", "@weekly": "0 0 * * 0", "@daily": "0 0 * * *", "@midnight": "0 0 * * *", "@hourly": "0 * * * *",
});

function parseFields(text: string, zone: string | undefined): FieldsSchedule {
  const fields = text.split(/\s+/).filter((f) => f !== "");
  if (fields.length !== 5) fail(`expected exactly 5 fields, found ${fields.length}: [${fields.join(" ")}]`);
  const [minute = "", hour = "", day = "", month = "", weekday = ""] = fields;
  return {
    kind: "fields",
    minute: parseField(minute, MINUTES),
    hour: parseField(hour, HOURS),
    day: parseField(day, DAYS),
    month: parseField(month, MONTHS),
    weekday: parseField(weekday, WEEKDAYS),
    ...(zone !== undefined && { zone }),
  };
}

const EVERY = "@every ";

function parseDescriptor(text: string, zone: string | undefined): Schedule {
  const fields = DESCRIPTORS[text];
  if (fields !== undefined) return parseFields(fields, zone);
  if (!text.startsWith(EVERY)) return fail(`unrecognized descriptor: ${text}`);
  const duration = parseGoDuration(text.slice(EVERY.length));
  if ("error" in duration) return fail(`failed to parse duration ${text}: ${duration.error}`);
  return { kind: "every", ms: Math.max(1000, Math.floor(duration.ms / 1000) * 1000) };
}

function parse(text: string): Schedule {
  if (text === "") return fail("empty spec string");
  let spec = text;
  let zone: string | undefined;
  if (spec.startsWith("TZ=") || spec.startsWith("CRON_TZ=")) {
    const space = spec.indexOf(" ");
    zone = spec.slice(spec.indexOf("=") + 1, space < 0 ? spec.length : space);
    if (!isKnownZone(zone)) return fail(`provided bad location ${zone}: unknown time zone ${zone}`);
    spec = space < 0 ? "" : spec.slice(space).trim();
  }
  return spec.startsWith("@") ? parseDescriptor(spec, zone) : parseFields(spec, zone);
}

/** Never throws: what is wrong comes back in the parser's own words. */
export function parseSchedule(text: string): ParsedSchedule {
  try {
    return { schedule: parse(text) };
  } catch (e) {
    if (e instanceof CronError) return { error: e.message };
    throw e;
  }
}
