/**
 * Time zones: which names there are, and wall-clock times in them. Built on Intl's copy of the IANA database. Pure.
 * Follows Go's time.LoadLocation for what is a name (case counts; no absolute paths, no `..`).
 */
import type { Instant } from "../../base/clock.ts";

const FORMATS_MAX = 1000;
const formats = new Map<string, Intl.DateTimeFormat | undefined>();

function formatOf(zone: string): Intl.DateTimeFormat | undefined {
  if (formats.has(zone)) return formats.get(zone);
  let format: Intl.DateTimeFormat | undefined;
  try {
    format = new Intl.DateTimeFormat("en-US", { timeZone: zone, hourCycle: "h23", year: "numeric", month: "numeric", day: "numeric", hour: "numeric", minute: "numeric", second: "numeric" });
  } catch {
    format = undefined;
  }
  // Names come from users: the memory of them is bounded.
  if (formats.size >= FORMATS_MAX) formats.clear();
  formats.set(zone, format);
  return format;
}

const NAME = /^[A-Za-z][A-Za-z0-9_+-]*(\/[A-Za-z0-9_+-]+)*$/;
/** Intl takes names in any case; the database's files have one. All parts of names begin with a capital, but for these. */
const LOWER_PARTS = new Set(["of", "es", "au", "de", "la", "in", "and", "del"]);

function hasDatabaseCase(zone: string): boolean {
  if (/^[A-Z]{3}\d[A-Z]{3}$/.test(zone) || zone === "localtime" || zone === "posixrules") return zone !== "posixrules";
  const canonical = Intl.supportedValuesOf("timeZone").find((name) => name.toLowerCase() === zone.toLowerCase());
  if (canonical !== undefined) return canonical === zone;
  return zone.split(/[/_-]/).every((part) => part === "" || /^[A-Z0-9+]/.test(part) || LOWER_PARTS.has(part));
}

/** "" and "UTC" are UTC; "Local" is the machine's. */
export function isKnownZone(zone: string): boolean {
  if (zone === "" || zone === "UTC" || zone === "Local") return true;
  return NAME.test(zone) && !/^[+-]/.test(zone) && formatOf(zone) !== undefined && hasDatabaseCase(zone);
}

const intlName = (zone: string): string => {
  if (zone === "") return "UTC";
  return zone === "Local" ? Intl.DateTimeFormat().resolvedOptions().timeZone : zone;
};

/** A zone: how far its clocks are ahead of UTC at an instant, in milliseconds. */
export interface Zone {
  offsetAt(at: Instant): number;
}

const UTC: Zone = { offsetAt: () => 0 };

/** Zones change their offset at quarters of an hour only. */
const OFFSET_STEP_MS = 15 * 60_000;
const OFFSETS_MAX = 4096;
const zones = new Map<string, Zone>();

/** The zone of a known name; UTC where the name is unknown. */
export function openZone(name: string): Zone {
  const zone = intlName(name);
  if (zone === "UTC") return UTC;
  const known = zones.get(zone);
  if (known) return known;
  const format = formatOf(zone);
  if (!format) return UTC;
  const opened = cachedZone(format);
  if (zones.size >= FORMATS_MAX) zones.clear();
  zones.set(zone, opened);
  return opened;
}

function cachedZone(format: Intl.DateTimeFormat): Zone {
  const offsets = new Map<number, number>();
  return {
    offsetAt(at) {
      const step = Math.floor(at / OFFSET_STEP_MS);
      let offset = offsets.get(step);
      if (offset === undefined) {
        if (offsets.size >= OFFSETS_MAX) offsets.clear();
        offset = wallOf(format, step * OFFSET_STEP_MS) - step * OFFSET_STEP_MS;
        offsets.set(step, offset);
      }
      return offset;
    },
  };
}

/** The time on the wall, as if it were UTC. */
function wallOf(format: Intl.DateTimeFormat, at: Instant): number {
  const parts = Object.fromEntries(format.formatToParts(at).map((p) => [p.type, Number(p.value)]));
  const { year = 1970, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = parts;
  return Date.UTC(year, month - 1, day, hour, minute, second);
}

export interface WallTime {
  readonly year: number;
  /** 1 to 12. */
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
  /** 0 is Sunday. */
  readonly weekday: number;
}

export function wallTime(zone: Zone, at: Instant): WallTime {
  const local = new Date(at + zone.offsetAt(at));
  return {
    year: local.getUTCFullYear(),
    month: local.getUTCMonth() + 1,
    day: local.getUTCDate(),
    hour: local.getUTCHours(),
    minute: local.getUTCMinutes(),
    second: local.getUTCSeconds(),
    weekday: local.getUTCDay(),
  };
}

/** When the clocks of the zone show this; values may overflow into the next unit. As Go's time.Date does, asks for the offset twice. */
export function instantOf(zone: Zone, { year, month, day, hour, minute, second }: Omit<WallTime, "weekday">): Instant {
  const local = Date.UTC(year, month - 1, day, hour, minute, second);
  const first = zone.offsetAt(local);
  return first === 0 ? local : local - zone.offsetAt(local - first);
}

/** RFC 3339 with the zone's offset: `2026-01-01T09:00:00+09:00`, `Z` for UTC. */
export function formatInZone(zone: Zone, at: Instant): string {
  const offset = zone.offsetAt(at);
  const text = new Date(at + offset).toISOString().slice(0, 19);
  if (offset === 0) return `${text}Z`;
  const minutes = Math.abs(offset) / 60_000;
  const two = (n: number) => String(Math.floor(n)).padStart(2, "0");
  return `${text}${offset < 0 ? "-" : "+"}${two(minutes / 60)}:${two(minutes % 60)}`;
}
