/**
 * Time zones: whether a name is one, and what the clocks there show. Asks the ICU tables of the runtime; keeps a bounded cache of offsets.
 * Follows Go's time.LoadLocation in what it takes for a name, and time.Date in what it makes of times that a clock change skips or repeats.
 */
import type { Instant } from "../../base/clock.ts";

/** A zone: how far its clocks are ahead of UTC at an instant, in milliseconds. */
export interface Zone {
  readonly name: string;
  offsetAt(at: Instant): number;
}

export const UTC: Zone = { name: "UTC", offsetAt: () => 0 };

/** Short names that ICU knows and the IANA database does not. */
const ICU_ONLY: ReadonlySet<string> = new Set("ACT AET AGT ART AST BET BST CAT CNT CST CTT EAT ECT IET IST JST MIT NET NST PLT PNT PRT PST SST VST".split(" "));
const NAME = /^[A-Z][\w+-]*(?:\/[A-Z][\w+-]*)*$/;

/** Zones change their offset at quarters of an hour only. */
const OFFSET_STEP_MS = 15 * 60_000;
const OFFSETS_CACHED_MAX = 4096;
const zones = new Map<string, Zone>();
const ZONES_CACHED_MAX = 64;

function openZone(name: string, format: Intl.DateTimeFormat): Zone {
  const cache = new Map<number, number>();
  const read = (at: Instant): number => {
    const parts = Object.fromEntries(format.formatToParts(at).map((p) => [p.type, Number(p.value)]));
    const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = parts;
    return Date.UTC(year, month - 1, day, hour, minute, second) - Math.floor(at / 1000) * 1000;
  };
  return {
    name,
    offsetAt(at) {
      const step = Math.floor(at / OFFSET_STEP_MS);
      let offset = cache.get(step);
      if (offset === undefined) {
        if (cache.size >= OFFSETS_CACHED_MAX) cache.clear();
        cache.set(step, (offset = read(step * OFFSET_STEP_MS)));
      }
      return offset;
    },
  };
}

/** The zone of an IANA name; undefined when there is none (names are case-sensitive). */
export function zoneOf(name: string): Zone | undefined {
  if (name === "UTC" || name === "") return UTC;
  const known = zones.get(name);
  if (known) return known;
  if (!NAME.test(name) || ICU_ONLY.has(name)) return undefined;
  try {
    const format = new Intl.DateTimeFormat("en-US", { timeZone: name, hourCycle: "h23", year: "numeric", month: "numeric", day: "numeric", hour: "numeric", minute: "numeric", second: "numeric" });
    const canonical = format.resolvedOptions().timeZone;
    if (canonical !== name && canonical.toLowerCase() === name.toLowerCase()) return undefined;
    const zone = openZone(name, format);
    if (zones.size >= ZONES_CACHED_MAX) zones.clear();
    zones.set(name, zone);
    return zone;
  } catch {
    return undefined;
  }
}

/** The zone that this process runs in: what a schedule without a zone means. */
export function localZone(): Zone {
  const { timeZone } = new Intl.DateTimeFormat().resolvedOptions();
  return zoneOf(timeZone) ?? UTC;
}

/** What a clock shows. */
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

/** When the clocks of the zone show this; values may overflow into the next unit. As time.Date does, asks for the offset twice. */
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
