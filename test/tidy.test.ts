/**
 * The house's rules, as a test over the source tree: who may import whom, no clock, chance or timer outside base/, no `any`, files that fit a head.
 */
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { Discovery } from "../src/api/discovery/discovery.ts";

const home = fileURLToPath(new URL("..", import.meta.url));
const LINES_MAX = 400;

/** Room → rooms that it may import, besides itself. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  base: [],
  api: ["base"],
  store: ["base"],
  registry: ["base", "api", "store"],
  server: ["base", "api", "registry"],
  admission: ["base", "api", "registry"],
  resources: ["base", "api", "registry", "server"],
  auth: ["base", "api", "registry", "server"],
  client: ["base", "api"],
  controllers: ["base", "api", "client"],
  scheduler: ["base", "api", "client"],
  runtime: ["base", "images"],
  images: ["base"],
  agent: ["base", "api", "client", "runtime"],
  network: ["base", "api", "client"],
  history: ["base", "api", "client"],
  cli: ["base", "api", "client", "app"],
  dashboard: ["api"],
  app: ["base", "api", "store", "registry", "server", "admission", "resources", "auth", "client", "controllers", "scheduler", "runtime", "images", "agent", "network", "history"],
};

const BANNED: readonly { readonly pattern: RegExp; readonly instead: string }[] = [
  { pattern: /\bDate\.now\s*\(/, instead: "clock.now()" },
  { pattern: /\bnew Date\(\s*\)/, instead: "clock.now()" },
  { pattern: /\b(?:setTimeout|setInterval|setImmediate)\s*\(/, instead: "clock.after()" },
  { pattern: /\bMath\.random\s*\(/, instead: "chance.next()" },
  { pattern: /\b(?:randomUUID|randomBytes|randomInt)\s*\(/, instead: "an Ids port" },
  { pattern: /\bperformance\.now\s*\(|\bprocess\.hrtime\b/, instead: "clock.now()" },
  { pattern: /\bAbortSignal\.timeout\s*\(/, instead: "clock.after() and an AbortController" },
];

function filesUnder(folder: string): string[] {
  return readdirSync(join(home, folder), { recursive: true, withFileTypes: true })
    .filter((e) => e.isFile() && e.name.endsWith(".ts"))
    .map((e) => relative(home, join(e.parentPath, e.name)))
    .sort();
}

interface SourceFile {
  readonly path: string;
  readonly room: string;
  readonly isTest: boolean;
  readonly isGenerated: boolean;
  readonly lines: readonly string[];
}

const read = (path: string): SourceFile => {
  const lines = readFileSync(join(home, path), "utf8").split("\n");
  return { path, room: path.split("/")[1] ?? "", isTest: /\.(test|contract|bench)\.ts$/.test(path), isGenerated: lines[0]?.includes("@generated") ?? false, lines };
};

const source = filesUnder("src").map(read);
const everything = [...source, ...filesUnder("test").map(read), ...filesUnder("bench").map(read)];

function importsOf(file: SourceFile): { readonly line: number; readonly target: string }[] {
  return file.lines.flatMap((text, i) => {
    const specifier = /(?:\bfrom|\bimport)\s*\(?\s*"(\.{1,2}\/[^"]+)"/.exec(text)?.[1];
    return specifier === undefined ? [] : [{ line: i + 1, target: relative(home, join(home, dirname(file.path), specifier)) }];
  });
}

const code = (line: string) => line.replace(/\/\*.*?\*\//g, "").replace(/\/\/.*$/, "").replace(/^\s*\/?\*.*$/, "");

/** Registry and server are the same for all kinds. Where they do say a kind's name, it is one of these. */
const GENERIC_ROOMS = new Set(["registry", "server"]);
/** Rooms that work on what a request says. */
const LOOKED_UP_IN = new Set(["api", "registry", "server", "admission", "resources", "auth"]);
const FOR_TESTS = /\/(?:testing|test-kinds|fake-api)\.ts$/;
const MAY_NAME: readonly { readonly path: string; readonly name: string; readonly because: string }[] = [
  { path: "src/server/request-info.ts", name: "namespaces", because: "the grammar of URLs: what follows it is inside a namespace" },
  { path: "src/server/audit.ts", name: "Event", because: "audit.k8s.io/v1 Event is the format of a line, and no kind of the API" },
];

/** Types that are every kind's: those of apimachinery's meta/v1. */
const META_TYPES = new Set(["DeleteOptions", "ManagedFieldsEntry", "ObjectMeta", "Status", "StatusCause"]);

const resourcesOfAll = new Discovery().versions().flatMap(({ resources }) => resources);
const kindNames = new Set(resourcesOfAll.flatMap(({ name, kind }) => [name, name.split("/")[0] ?? "", kind]));

/** What of kinds a line names: a constant, a type, a module that is about one, or a kind or plural in a text. */
function namedKinds({ path }: SourceFile, text: string): string[] {
  const [, names = "", module = ""] = /^import (?:type )?\{(.*)\} from "([^"]*)"/.exec(text) ?? [];
  const imported = names.split(",").map((name) => name.trim().replace(/^type /, "").replace(/ as .*$/, "")).filter((name) => name !== "");
  const literals = [...code(text).matchAll(/"([^"]*)"|'([^']*)'|`([^`$]*)`/g)].map((m) => m[1] ?? m[2] ?? m[3] ?? "");
  return [
    ...(module.endsWith("api/resource.ts") ? imported.filter((name) => name === name.toUpperCase()) : []),
    ...(module.endsWith("api/generated/types.ts") ? imported.filter((name) => !META_TYPES.has(name)) : []),
    ...(/api\/(?:kinds\/(?!kind\.ts)|pod-|quota-)/.test(module) ? [module] : []),
    ...literals.filter((literal) => kindNames.has(literal.replace(/^\//, ""))).filter((name) => !MAY_NAME.some((may) => may.path === path && may.name === name)),
  ];
}

describe("the source tree", () => {
  test("rooms import only what the table allows", () => {
    const wrong = source.filter((f) => !f.isTest).flatMap((file) =>
      importsOf(file).flatMap(({ line, target }) => {
        const room = target.startsWith("src/") ? (target.split("/")[1] ?? "") : "(outside src)";
        const allowed = room === file.room || MAY_IMPORT[file.room]?.includes(room) || target === "package.json";
        return allowed ? [] : [`${file.path}:${line}: ${file.room}/ may not import ${room}/`];
      }),
    );
    expect(wrong).toEqual([]);
  });

  test("registry and server name no kind", () => {
    const generic = source.filter((f) => GENERIC_ROOMS.has(f.room) && !f.isTest && !FOR_TESTS.test(f.path));
    const wrong = generic.flatMap((file) => file.lines.flatMap((text, i) => namedKinds(file, text).map((name) => `${file.path}:${i + 1}: names ${name}; what is particular to a kind goes with the kind, or into resources/, admission/ or auth/`)));
    expect(wrong).toEqual([]);
    const unused = MAY_NAME.filter(({ path, name }) => !generic.some((f) => f.path === path && f.lines.some((line) => line.includes(`"${name}"`))));
    expect(unused).toEqual([]);
  });

  test("every room is in the table", () => {
    expect(source.map((f) => f.room).filter((room) => !(room in MAY_IMPORT))).toEqual([]);
  });

  test("time, ids and chance come from base/", () => {
    const wrong = source.filter((f) => f.room !== "base" && !f.isTest).flatMap((file) =>
      file.lines.flatMap((text, i) => BANNED.filter(({ pattern }) => pattern.test(code(text))).map(({ instead }) => `${file.path}:${i + 1}: banned call, use ${instead}`)),
    );
    expect(wrong).toEqual([]);
  });

  test("tables that requests' texts are looked up in inherit nothing", () => {
    const bare = /^(?:export )?const \w+: (?:Readonly<|Partial<)*Record<string, .*> = \{/;
    const wrong = source.filter((f) => LOOKED_UP_IN.has(f.room) && !f.isTest && !FOR_TESTS.test(f.path)).flatMap((f) => f.lines.flatMap((text, i) => (bare.test(text) ? [`${f.path}:${i + 1}: make it a table() of base/own.ts`] : [])));
    expect(wrong).toEqual([]);
  });

  test("no any, no switched-off check", () => {
    const banned = /(:\s*any\b|\bas any\b|<any>|\bany\[\]|@ts-ignore|@ts-nocheck|oxlint-disable|eslint-disable|biome-ignore)/;
    const wrong = everything.filter((f) => f.path !== "test/tidy.test.ts").flatMap((f) => f.lines.flatMap((text, i) => (banned.test(code(text)) || /(oxlint|eslint)-disable|@ts-ignore/.test(text) ? [`${f.path}:${i + 1}: ${text.trim()}`] : [])));
    expect(wrong).toEqual([]);
  });

  test(`no file is longer than ${LINES_MAX} lines`, () => {
    expect(everything.filter((f) => !f.isGenerated && f.lines.length > LINES_MAX + 1).map((f) => `${f.path}: ${f.lines.length - 1} lines`)).toEqual([]);
  });

  test("every module says what it is", () => {
    expect(source.filter((f) => !f.isTest && !f.isGenerated && !/^(\/\*\*|\/\/|#!)/.test(f.lines[0] ?? "")).map((f) => f.path)).toEqual([]);
  });

  test("no test is switched off or alone", () => {
    const wrong = everything.filter((f) => f.path !== "test/tidy.test.ts").flatMap((f) => f.lines.flatMap((text, i) => (/\b(?:it|test|describe)\.(?:skip|only|todo)\b(?!If)/.test(text) ? [`${f.path}:${i + 1}`] : [])));
    expect(wrong).toEqual([]);
  });
});
