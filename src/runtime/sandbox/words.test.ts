import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { settingsV1, settingsV2 } from "./cgroup.ts";
import { parseRecord } from "./record.ts";
import { RootPaths } from "./root-path.ts";
import { commandLine, fstab, isPlainVariable } from "./shell.ts";
import { signalNumber } from "./signals.ts";

test("a shell reads a command line as the words that it was made of", () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: "binary" }).map((s) => s.replaceAll("\0", "").toWellFormed()), { minLength: 1, maxLength: 4 }), (words) => {
      expect(execFileSync("sh", ["-c", `printf '%s\\0' ${commandLine(words)}`], { encoding: "utf8" }).split("\0").slice(0, -1)).toEqual(words);
    }),
    { numRuns: 30 },
  );
});

test("fields of a table keep blanks, line ends and backslashes", () => {
  expect(fstab([{ source: "/a b", target: "/c\n#d\\", type: "none", options: ["bind", "ro"] }])).toBe("/a\\040b /c\\012\\043d\\134 none bind,ro 0 0\n");
});

test.each([["A_1", true], ["_x", true], ["1digit", false], ["with.dot", false], ["IFS", false], ["PPID", false], ["BASH_ENV", false], ["PATH", true]])("can a shell set %s: %s", (name, want) => {
  expect(isPlainVariable(name)).toBe(want);
});

test.each([["SIGTERM", 15], ["TERM", 15], ["9", 9], ["SIGRTMIN+3", 37], ["nonsense", 15], ["sigint", 2]])("stop signal %s is %i", (name, want) => {
  expect(signalNumber(name)).toBe(want);
});

test.each([
  { name: "nothing yet", text: "", want: {} },
  { name: "running", text: "started 12 11 \n", want: { started: { container: 12, shim: 11 } } },
  { name: "a line that is not whole does not count", text: "started 12 11 \nexited 3", want: { started: { container: 12, shim: 11 } } },
  { name: "ended", text: "started 12 11 \nexited 3 \n", want: { started: { container: 12, shim: 11 }, exitCode: 3 } },
  { name: "not startable", text: "started 12 11 \nexited 128 failed exec: no such file\n", want: { exitCode: 128, failure: "exec: no such file" } },
])("a record: $name", ({ text, want }) => {
  expect(parseRecord(text)).toMatchObject(want);
});

test("limits as files of both versions", () => {
  const limits = { memoryLimitBytes: 1024, cpuQuotaMillicores: 1, cpuShares: 1024, pidsLimit: 7 };
  expect(settingsV2(limits)).toEqual([["memory.max", "1024"], ["memory.swap.max", "0"], ["cpu.max", "1000 100000"], ["cpu.weight", "40"], ["pids.max", "7"]]);
  expect(settingsV1(limits)).toMatchObject({ memory: [["memory.limit_in_bytes", "1024"], ["memory.memsw.limit_in_bytes", "1024"]], cpu: [["cpu.shares", "1024"], ["cpu.cfs_period_us", "100000"], ["cpu.cfs_quota_us", "1000"]], pids: [["pids.max", "7"]] });
});

describe("paths in a root", () => {
  let directory: string;
  const layers = () => [join(directory, "low"), join(directory, "high")];
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "stint-root-"));
    for (const path of ["low/run", "low/var", "low/etc", "high/var", "upper"]) mkdirSync(join(directory, path), { recursive: true });
    symlinkSync("/run", join(directory, "low/var/run"));
    symlinkSync("../../../../etc", join(directory, "low/up"));
    symlinkSync("loop", join(directory, "low/loop"));
    writeFileSync(join(directory, "high/etc"), "a file hides the directory below");
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  test.each([
    { path: "/var/run/x/y", want: { path: "/run/x/y", kind: "missing", base: "/run" } },
    { path: "//var/./run/", want: { path: "/run", kind: "directory" } },
    { path: "/up", want: { path: "/etc", kind: "file" } },
    { path: "/var/../../..", want: { path: "/", kind: "directory" } },
    { path: "/loop/x", want: { kind: "missing" } },
  ])("$path", ({ path, want }) => {
    expect(new RootPaths().find(layers(), path)).toMatchObject(want);
  });

  test("a missing mount point is made in the upper layer, under directories that keep their mode", () => {
    statSync(join(directory, "low/run"));
    execFileSync("chmod", ["1777", join(directory, "low/run")]);
    expect(new RootPaths().ensure(layers(), join(directory, "upper"), "/var/run/a/b", "file")).toBe("/run/a/b");
    expect(statSync(join(directory, "upper/run")).mode & 0o7777).toBe(0o1777);
    expect(statSync(join(directory, "upper/run/a/b")).isFile()).toBe(true);
    expect(existsSync(join(directory, "low/run/a"))).toBe(false);
  });
});
