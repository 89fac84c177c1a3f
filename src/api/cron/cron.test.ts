import { describe, expect, test } from "vitest";
import { nextTime } from "./next.ts";
import { parseSchedule } from "./schedule.ts";
import { formatInZone, instantOf, isKnownZone, openZone, wallTime } from "./zone.ts";

function times(text: string, from: string, count: number): (string | undefined)[] {
  const parsed = parseSchedule(text);
  if ("error" in parsed) throw new Error(parsed.error);
  const { schedule } = parsed;
  const zone = openZone(schedule.kind === "fields" ? (schedule.zone ?? "UTC") : "UTC");
  const result: (string | undefined)[] = [];
  let at: number | undefined = Date.parse(from);
  for (let i = 0; i < count && at !== undefined; i++) {
    at = nextTime(schedule, at, "UTC");
    result.push(at === undefined ? undefined : formatInZone(zone, at));
  }
  return result;
}

describe("what is refused, and how", () => {
  test.each([
    ["", "empty spec string"],
    ["daily", "expected exactly 5 fields, found 1: [daily]"],
    ["* * * * * *", "expected exactly 5 fields, found 6: [* * * * * *]"],
    ["60 * * * *", "end of range (60) above maximum (59): 60"],
    ["* * 0 * *", "beginning of range (0) below minimum (1): 0"],
    ["* * * * 7", "end of range (7) above maximum (6): 7"],
    ["*/0 * * * *", "step of range should be a positive number: */0"],
    ["10-5 * * * *", "beginning of range (10) beyond end of range (5): 10-5"],
    ["a * * * *", 'failed to parse int from a: strconv.Atoi: parsing "a": invalid syntax'],
    ["-1 * * * *", 'failed to parse int from : strconv.Atoi: parsing "": invalid syntax'],
    ["99999999999999999999 * * * *", 'failed to parse int from 99999999999999999999: strconv.Atoi: parsing "99999999999999999999": value out of range'],
    ["*/-2 * * * *", "negative number (-2) not allowed: -2"],
    ["1-2-3 * * * *", "too many hyphens: 1-2-3"],
    ["*/5/2 * * * *", "too many slashes: */5/2"],
    ["@reboot", "unrecognized descriptor: @reboot"],
    ["@every", "unrecognized descriptor: @every"],
    ["@every 1x", 'failed to parse duration @every 1x: time: unknown unit "x" in duration "1x"'],
    ["TZ=Nowhere 0 3 * * *", "provided bad location Nowhere: unknown time zone Nowhere"],
    ["TZ=UTC", "expected exactly 5 fields, found 0: []"],
  ])("%s", (text, error) => expect(parseSchedule(text)).toEqual({ error }));
});

describe("when it comes", () => {
  test.each([
    { schedule: "* * * * *", from: "2026-01-01T00:00:30.5Z", want: ["2026-01-01T00:01:00Z", "2026-01-01T00:02:00Z"] },
    { schedule: "0 0 1 1 *", from: "2026-01-01T00:00:00Z", want: ["2027-01-01T00:00:00Z"] },
    { schedule: "*/20 8-9 * * *", from: "2026-01-01T08:30:00Z", want: ["2026-01-01T08:40:00Z", "2026-01-01T09:00:00Z", "2026-01-01T09:20:00Z", "2026-01-01T09:40:00Z", "2026-01-02T08:00:00Z"] },
    { schedule: "5/15 * * * *", from: "2026-01-01T00:00:00Z", want: ["2026-01-01T00:05:00Z", "2026-01-01T00:20:00Z", "2026-01-01T00:35:00Z", "2026-01-01T00:50:00Z", "2026-01-01T01:05:00Z"] },
    { schedule: "0 0 ? JAN,jul SUN", from: "2026-01-25T00:00:00Z", want: ["2026-07-05T00:00:00Z", "2026-07-12T00:00:00Z"] },
    { schedule: "0 0 13 * 5", from: "2026-02-01T00:00:00Z", want: ["2026-02-06T00:00:00Z", "2026-02-13T00:00:00Z", "2026-02-20T00:00:00Z"] },
    { schedule: "0 0 */10 * 1", from: "2026-01-01T00:00:00Z", want: ["2026-01-05T00:00:00Z", "2026-01-11T00:00:00Z", "2026-01-12T00:00:00Z"] },
    { schedule: "0 0 */1 * 1", from: "2026-01-01T00:00:00Z", want: ["2026-01-05T00:00:00Z", "2026-01-12T00:00:00Z"] },
    { schedule: "0 0 29 2 *", from: "2026-01-01T00:00:00Z", want: ["2028-02-29T00:00:00Z"] },
    { schedule: "0 0 31 2 *", from: "2026-01-01T00:00:00Z", want: [undefined] },
    { schedule: "0 12 31 * *", from: "2026-01-31T13:00:00Z", want: ["2026-03-31T12:00:00Z", "2026-05-31T12:00:00Z"] },
    { schedule: "@weekly", from: "2026-01-01T00:00:00Z", want: ["2026-01-04T00:00:00Z"] },
    { schedule: "@monthly", from: "2026-01-01T00:00:00Z", want: ["2026-02-01T00:00:00Z"] },
    { schedule: "@hourly", from: "2026-01-01T00:00:00Z", want: ["2026-01-01T01:00:00Z"] },
    { schedule: "@every 1h30m", from: "2026-01-01T00:10:20.7Z", want: ["2026-01-01T01:40:20Z", "2026-01-01T03:10:20Z"] },
    { schedule: "@every 300ms", from: "2026-01-01T00:00:00Z", want: ["2026-01-01T00:00:01Z"] },
    { schedule: "TZ=Asia/Tokyo 0 0 * * *", from: "2026-01-01T00:00:00Z", want: ["2026-01-02T00:00:00+09:00"] },
    { schedule: "CRON_TZ=America/St_Johns 30 6 * * *", from: "2026-01-01T00:00:00Z", want: ["2026-01-01T06:30:00-03:30"] },
  ])("$schedule", ({ schedule, from, want }) => expect(times(schedule, from, want.length)).toEqual(want));

  test("a time that the spring change skips does not come that day", () => {
    expect(times("TZ=Europe/Berlin 30 2 * * *", "2026-03-28T00:00:00Z", 2)).toEqual(["2026-03-28T02:30:00+01:00", "2026-03-30T02:30:00+02:00"]);
  });

  test("a time that the autumn change repeats comes twice", () => {
    expect(times("TZ=Europe/Berlin 30 2 * * *", "2026-10-24T12:00:00Z", 3)).toEqual(["2026-10-25T02:30:00+02:00", "2026-10-25T02:30:00+01:00", "2026-10-26T02:30:00+01:00"]);
  });

  test("a midnight that does not exist is left out", () => {
    expect(times("TZ=America/Asuncion 0 0 * * *", "2023-09-30T12:00:00Z", 1)).toEqual(["2023-10-02T00:00:00-03:00"]);
    expect(times("TZ=America/Asuncion 0 5 3 * *", "2023-09-30T12:00:00Z", 1)).toEqual(["2023-10-03T05:00:00-03:00"]);
  });
});

describe("zones", () => {
  test.each(["", "Local", "Europe/Berlin", "UTC", "Etc/GMT+5", "America/Argentina/Buenos_Aires", "US/Eastern", "EST", "Asia/Calcutta"])("%s is one", (name) => expect(isKnownZone(name)).toBe(true));
  test.each(["Nowhere/City", "europe/berlin", "utc", "Europe/Berlin ", "/Europe/Berlin", "../UTC", "GMT+1", "+01:00"])("%s is none", (name) => expect(isKnownZone(name)).toBe(false));

  test("clocks and instants agree", () => {
    const zone = openZone("Australia/Lord_Howe");
    for (let at = Date.UTC(2026, 0, 1); at < Date.UTC(2026, 1, 1); at += 7_300_000) expect(instantOf(zone, wallTime(zone, at))).toBe(Math.floor(at / 1000) * 1000);
  });

  test("an unknown zone counts as UTC, the empty name too", () => expect([openZone("Nowhere").offsetAt(0), openZone("").offsetAt(0)]).toEqual([0, 0]));
  test("the machine's own zone", () => expect(openZone("Local").offsetAt(0)).toBeTypeOf("number"));
});
