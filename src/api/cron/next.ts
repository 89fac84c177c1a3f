/**
 * When a schedule comes next. Looks for month, then day, hour and minute, and begins again whenever it runs over into the next bigger unit.
 * A time that the spring change skips does not come that day; a time that the autumn change repeats comes twice.
 * Follows robfig/cron v3 (spec.go SpecSchedule.Next, constantdelay.go).
 */
import type { Instant } from "../../base/clock.ts";
import type { FieldsSchedule, Schedule } from "./schedule.ts";
import { instantOf, openZone, wallTime, type WallTime, type Zone } from "./zone.ts";

const SECOND_MS = 1000;
const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
const YEARS_MAX = 5;

/** If both days are restricted either may match; else both must (one of them always does). */
function dayMatches({ day: days, weekday: weekdays }: FieldsSchedule, { day, weekday }: WallTime): boolean {
  const [byMonth, byWeek] = [days.values.has(day), weekdays.values.has(weekday)];
  return days.star || weekdays.star ? byMonth && byWeek : byMonth || byWeek;
}

/** Where the search stands. `reset`: smaller units were set to their beginning already. */
class Search {
  readonly #schedule: FieldsSchedule;
  readonly #zone: Zone;
  #at: Instant;
  #wall: WallTime;
  #reset = false;

  constructor(schedule: FieldsSchedule, zone: Zone, start: Instant) {
    this.#schedule = schedule;
    this.#zone = zone;
    this.#at = start;
    this.#wall = wallTime(this.#zone, start);
  }

  #move(at: Instant): void {
    this.#at = at;
    this.#wall = wallTime(this.#zone, at);
  }

  #moveTo(change: Partial<WallTime>): void {
    this.#move(instantOf(this.#zone, { ...this.#wall, ...change }));
  }

  /** Sets what is smaller than the unit that is being searched to its beginning, once. */
  #begin(change: Partial<WallTime>): void {
    if (this.#reset) return;
    this.#reset = true;
    this.#moveTo(change);
  }

  /** Each of these is false when it ran over into the next bigger unit. */
  #month(): boolean {
    while (!this.#schedule.month.values.has(this.#wall.month)) {
      this.#begin({ day: 1, hour: 0, minute: 0, second: 0 });
      this.#moveTo({ month: this.#wall.month + 1 });
      if (this.#wall.month === 1) return false;
    }
    return true;
  }

  #day(): boolean {
    while (!dayMatches(this.#schedule, this.#wall)) {
      this.#begin({ hour: 0, minute: 0, second: 0 });
      this.#moveTo({ day: this.#wall.day + 1 });
      // Where midnight does not exist the hour is 23 or 1 now.
      const { hour } = this.#wall;
      if (hour !== 0) this.#move(this.#at + (hour > 12 ? 24 - hour : -hour) * HOUR_MS);
      if (this.#wall.day === 1) return false;
    }
    return true;
  }

  #hour(): boolean {
    while (!this.#schedule.hour.values.has(this.#wall.hour)) {
      this.#begin({ minute: 0, second: 0 });
      this.#move(this.#at + HOUR_MS);
      if (this.#wall.hour === 0) return false;
    }
    return true;
  }

  #minute(): boolean {
    while (!this.#schedule.minute.values.has(this.#wall.minute)) {
      if (!this.#reset) {
        this.#reset = true;
        this.#move(Math.floor(this.#at / MINUTE_MS) * MINUTE_MS);
      }
      this.#move(this.#at + MINUTE_MS);
      if (this.#wall.minute === 0) return false;
    }
    return true;
  }

  #second(): boolean {
    while (this.#wall.second !== 0) {
      this.#reset = true;
      this.#move(this.#at + SECOND_MS);
      if (this.#wall.second === 0) return false;
    }
    return true;
  }

  run(): Instant | undefined {
    const lastYear = this.#wall.year + YEARS_MAX;
    while (this.#wall.year <= lastYear) {
      if (this.#month() && this.#day() && this.#hour() && this.#minute() && this.#second()) return this.#at;
    }
    return undefined;
  }
}

/** The next time after `after` in `zone` (or in the schedule's own); undefined when there is none within five years (February 31). */
export function nextTime(schedule: Schedule, after: Instant, zone: string): Instant | undefined {
  if (schedule.kind === "every") return Math.floor(after / SECOND_MS) * SECOND_MS + schedule.ms;
  return new Search(schedule, openZone(schedule.zone ?? zone), Math.floor(after / SECOND_MS) * SECOND_MS + SECOND_MS).run();
}
