/**
 * Cron schedules: reads one, with the words in which it is refused. When it comes next is in next.ts.
 * Follows robfig/cron v3 ParseStandard (parser.go): five fields, names, ranges, steps, `?`, the `@` descriptors, `TZ=` in front.
 */
import { parseGoDuration } from "../duration.ts";
import { localZone, zoneOf, type Zone } from "./zone.ts";

/** The values that a field lets through. `star`: it was `*` or `?`, so it restricts nothing. */
export interface Field {
  readonly values: ReadonlySet<number>;
  readonly star: boolean;
}

export type Schedule =
  | { readonly kind: "calendar"; readonly zone: Zone; readonly minute: Field; readonly hour: Field; readonly dayOfMonth: Field; readonly month: Field; readonly dayOfWeek: Field }
  /** Counted from the last time, not aligned to any clock. */
  | { readonly kind: "every"; readonly zone: Zone; readonly ms: number };

export type ParsedSchedule = { readonly schedule: Schedule; readonly error?: undefined } | { readonly schedule?: undefined; readonly error: string };

interface Bounds {
  readonly min: number;
  readonly max: number;
  readonly names?: readonly string[];
}

const MINUTES: Bounds = { min: 0, max: 59 };
const HOURS: Bounds = { min: 0, max: 23 };
const DAYS: Bounds = { min: 1, max: 31 };
const MONTHS: Bounds = { min: 1, max: 12, names: ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"] };
const WEEKDAYS: Bounds = { min: 0, max: 6, names: ["sun", "mon", "tue", "wed", "thu", "fri", "sat"] };

const DESCRIPTORS: Readonly<Record<string, string>> = {
  "@yearly": "0 0 1 1 *",
  "@annually": "0 0 1 1 *",
  "@monthly": "0 0 1 * *",
  "@weekly": "0 0 * * 0",
  "@daily": "0 0 * * *",
  "@midnight": "0 0 * * *",
  "@hourly": "0 * * * *",
};

class ScheduleError extends Error {}
const refuse = (message: string): never => {
  throw new ScheduleError(message);
};

function parseNumber(text: string): number {
  if (!/^[+-]?\d+$/.test(text)) return refuse(`failed to parse int from ${text}: strconv.Atoi: parsing ${JSON.stringify(text)}: invalid syntax`);
  const number = Number(text);
  if (Math.abs(number) > 2 ** 63) return refuse(`failed to parse int from ${text}: strconv.Atoi: parsing ${JSON.stringify(text)}: value out of range`);
  return number < 0 ? refuse(`negative number (${number}) not allowed: ${text}`) : number;
}

function parseValue(text: string, { min, names }: Bounds): number {
  const named = names?.indexOf(text.toLowerCase()) ?? -1;
  return named >= 0 ? named + min : parseNumber(text);
}

interface Range {
  readonly start: number;
  readonly end: number;
  readonly step: number;
  readonly star: boolean;
}

/** `*`, `5`, `1-5`, each with `/step`; `5/15` means from 5 to the end. */
function parseRange(text: string, bounds: Bounds): Range {
  const [range = "", stepText, ...moreSteps] = text.split("/");
  const [low = "", high, ...moreHyphens] = range.split("-");
  const star = low === "*" || low === "?";
  const start = star ? bounds.min : parseValue(low, bounds);
  if (!star && moreHyphens.length > 0) refuse(`too many hyphens: ${text}`);
  let end = start;
  if (star) end = bounds.max;
  else if (high !== undefined) end = parseValue(high, bounds);
  if (moreSteps.length > 0) refuse(`too many slashes: ${text}`);
  const step = stepText === undefined ? 1 : parseNumber(stepText);
  if (stepText !== undefined && high === undefined) end = bounds.max;
  if (start < bounds.min) refuse(`beginning of range (${start}) below minimum (${bounds.min}): ${text}`);
  if (end > bounds.max) refuse(`end of range (${end}) above maximum (${bounds.max}): ${text}`);
  if (start > end) refuse(`beginning of range (${start}) beyond end of range (${end}): ${text}`);
  if (step === 0) refuse(`step of range should be a positive number: ${text}`);
  return { start, end, step, star: star && step <= 1 };
}

function parseField(text: string, bounds: Bounds): Field {
  const values = new Set<number>();
  let star = false;
  for (const part of text.split(",").filter((p) => p !== "")) {
    const range = parseRange(part, bounds);
    for (let value = range.start; value <= range.end; value += range.step) values.add(value);
    star ||= range.star;
  }
  return { values, star };
}

function parseEvery(text: string, zone: Zone): Schedule {
  const parsed = parseGoDuration(text.slice("@every ".length));
  if ("error" in parsed) return refuse(`failed to parse duration ${text}: ${parsed.error}`);
  return { kind: "every", zone, ms: Math.max(1000, Math.floor(parsed.ms / 1000) * 1000) };
}

function parse(text: string, zone: Zone): Schedule {
  if (text.startsWith("@every ")) return parseEvery(text, zone);
  if (text.startsWith("@") && !Object.hasOwn(DESCRIPTORS, text)) return refuse(`unrecognized descriptor: ${text}`);
  const fields = (DESCRIPTORS[text] ?? text).split(/\s+/).filter((f) => f !== "");
  if (fields.length !== 5) return refuse(`expected exactly 5 fields, found ${fields.length}: [${fields.join(" ")}]`);
  const [minute = "", hour = "", dayOfMonth = "", month = "", dayOfWeek = ""] = fields;
  return {
    kind: "calendar",
    zone,
    minute: parseField(minute, MINUTES),
    hour: parseField(hour, HOURS),
    dayOfMonth: parseField(dayOfMonth, DAYS),
    month: parseField(month, MONTHS),
    dayOfWeek: parseField(dayOfWeek, WEEKDAYS),
  };
}

/** Takes `TZ=zone ` or `CRON_TZ=zone ` off the front. */
function splitZone(text: string, zone: Zone): { readonly rest: string; readonly zone: Zone } {
  const prefix = /^(?:CRON_)?TZ=(\S*)(?: (.*))?$/s.exec(text);
  if (!prefix) return { rest: text, zone };
  const [, name = "", rest = ""] = prefix;
  return { rest: rest.trim(), zone: zoneOf(name) ?? refuse(`provided bad location ${name}: unknown time zone ${name}`) };
}

/** Reads a schedule; `zone` is what it means where it names none (the process's own when left out). */
export function parseSchedule(text: string, zone: Zone = localZone()): ParsedSchedule {
  try {
    if (text === "") return { error: "empty spec string" };
    const split = splitZone(text, zone);
    return { schedule: parse(split.rest, split.zone) };
  } catch (error) {
    if (error instanceof ScheduleError) return { error: error.message };
    throw error;
  }
}
