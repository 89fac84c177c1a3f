import { expect, test } from "vitest";
import { mergeMirrors, parseMirror } from "../app/configuration.ts";
import { parseParts, parsePort } from "./commands/up.ts";
import { chooseUserland } from "./commands/run.ts";
import { parseDuration } from "./duration.ts";
import { parseManifests } from "./manifests.ts";
import { formatBytes } from "./printers/bytes.ts";
import { linesOf } from "./run/lines.ts";

test.each([
  { text: "90s", want: 90_000 }, { text: "10m", want: 600_000 }, { text: "1h30m", want: 5_400_000 }, { text: "1.5m", want: 90_000 }, { text: "200ms", want: 200 }, { text: "45", want: 45_000 },
  { text: "0", want: undefined }, { text: "", want: undefined }, { text: "-5s", want: undefined }, { text: "5 s", want: undefined }, { text: "1d", want: undefined }, { text: "s", want: undefined },
])("the duration $text is $want ms", ({ text, want }) => {
  expect(parseDuration(text)).toBe(want);
});

test.each([
  { name: "the flag wins", flag: "host", file: "image" as const, env: { CI: "1" }, want: "host" },
  { name: "then the file", flag: undefined, file: "host" as const, env: { CI: "1" }, want: "host" },
  { name: "then CI asks for the image", flag: undefined, file: undefined, env: { CI: "true" }, want: "image" },
  { name: "else auto", flag: undefined, file: undefined, env: {}, want: "auto" },
])("userland: $name", ({ flag, file, env, want }) => {
  expect(chooseUserland(flag, file, env)).toBe(want);
});

test("bad flags name themselves and what is expected", () => {
  expect(() => chooseUserland("docker", undefined, {})).toThrow("--userland docker: expected one of image, host, auto");
  expect(() => parsePort("70000")).toThrow(/--port 70000: expected a number/);
  expect(() => parseParts(["agent,kubelet"])).toThrow("--disable kubelet: expected some of agent, scheduler");
  expect(() => parseMirror("docker.io")).toThrow(/--registry-mirror docker.io: expected REGISTRY=URL/);
  expect([...parseParts(["agent,scheduler"])]).toEqual(["agent", "scheduler"]);
  expect(parsePort("0")).toBe(0);
});

test("mirrors of the command line come before those of the file", () => {
  expect(mergeMirrors({ "docker.io": ["http://file"] }, ["docker.io=http://one", "docker.io=http://two", "ghcr.io=https://three"])).toEqual({
    "docker.io": ["http://one", "http://two", "http://file"],
    "ghcr.io": ["https://three"],
  });
});

test.each([
  { name: "no kind", text: "apiVersion: v1\nmetadata: {name: a}", want: "m: Object 'Kind' is missing" },
  { name: "no apiVersion", text: "kind: Pod\nmetadata: {name: a}", want: "m: Object 'apiVersion' is missing" },
  { name: "a list of things", text: "- a\n- b", want: "m: not a Kubernetes object: expected a mapping with apiVersion and kind" },
  { name: "no metadata", text: "kind: Pod\napiVersion: v1", want: "m: Pod has no metadata: give it a name" },
  { name: "broken YAML", text: "a: [1,\nb: 2", want: /^m: error parsing YAML: / },
  { name: "the second document", text: "kind: Pod\napiVersion: v1\nmetadata: {name: a}\n---\nkind: Pod", want: "m (document 2): Object 'apiVersion' is missing" },
])("a manifest with $name is refused by name", async ({ text, want }) => {
  await expect(parseManifests(text, "m")).rejects.toThrow(want);
});

test("documents and Lists come out one by one, empty documents not at all", async () => {
  const text = "---\n---\nkind: List\napiVersion: v1\nitems:\n- {kind: Pod, apiVersion: v1, metadata: {name: a}}\n- {kind: Pod, apiVersion: v1, metadata: {name: b}}\n---\n{kind: Job, apiVersion: batch/v1, metadata: {name: c}}";
  expect((await parseManifests(text, "m")).map((m) => m.object.metadata.name)).toEqual(["a", "b", "c"]);
});

test("bytes are cut into lines and nothing is lost", async () => {
  async function* chunks() {
    yield Buffer.from("one\ntw");
    yield Buffer.from("o\r\n\nth");
    yield Buffer.from("ree");
  }
  const lines: string[] = [];
  for await (const batch of linesOf(chunks())) lines.push(...batch.map((line) => line.toString()));
  expect(lines).toEqual(["one\n", "two\r\n", "\n", "three"]);
});

test.each([{ bytes: 0, want: "0B" }, { bytes: 999, want: "999B" }, { bytes: 1_994_000, want: "1.99MB" }, { bytes: 12_345_678, want: "12.3MB" }])("$bytes bytes are $want", ({ bytes, want }) => {
  expect(formatBytes(bytes)).toBe(want);
});
