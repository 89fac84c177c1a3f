/**
 * Mutation testing of the Job controller's pure rules: `npm run mutation -- [--sample 120] [--seed 1] [--only scale,settle]`.
 * A copy of the tree's sources gets one change after the other; the table tests of the rules have to fail. `--sample 0` tries all.
 * Exit status 1 when fewer than 85 % are killed.
 */
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { createVitest } from "vitest/node";
import { seededChance } from "../../src/base/chance.ts";
import { mutantsOf, type Mutant } from "./mutants.ts";

const RULES = ["backoff", "conditions", "counting", "deadline", "decide", "end", "failure-policy", "indexed-pods", "indexes", "pods", "scale", "settle", "success-policy", "suspend", "tally", "template", "wakeups", "adoption"];
const ROOM = "src/controllers/job";
const KILLED_MIN = 85;
/** Tests that take longer than this hang. */
const ENDLESS_MS = 30_000;

const { values } = parseArgs({
  options: { sample: { type: "string", default: "120" }, seed: { type: "string", default: "1" }, only: { type: "string" } },
});

const home = fileURLToPath(new URL("../..", import.meta.url));

/** `count` of them, drawn by the seed; all for 0. */
function sampled<T>(items: readonly T[], count: number, seed: number): readonly T[] {
  if (count === 0 || count >= items.length) return items;
  const chance = seededChance(seed);
  return items.map((item) => ({ item, at: chance.next() })).sort((a, b) => a.at - b.at).slice(0, count).map(({ item }) => item);
}

function copyOfTree(): string {
  const directory = mkdtempSync(join(tmpdir(), "stint-mutation-"));
  cpSync(join(home, "src"), join(directory, "src"), { recursive: true });
  for (const file of ["package.json", "tsconfig.json"]) cpSync(join(home, file), join(directory, file));
  symlinkSync(join(home, "node_modules"), join(directory, "node_modules"));
  return directory;
}

interface Tried extends Mutant {
  readonly rule: string;
}

const tree = copyOfTree();
const files = (values.only?.split(",") ?? RULES).map((rule) => ({ rule, path: join(tree, ROOM, `${rule}.ts`) }));
const originals = new Map(files.map(({ rule, path }) => [rule, readFileSync(path, "utf8")]));
const all: Tried[] = [...originals].flatMap(([rule, source]) => mutantsOf(source).map((mutant) => ({ rule, ...mutant })));
const mutants = sampled(all, Number(values.sample), Number(values.seed));
console.log(`${all.length} mutants of ${files.length} files, ${mutants.length} are tried (seed ${values.seed})`);

const openVitest = () =>
  createVitest("test", {
    root: tree, config: false, watch: false, pool: "forks", execArgv: ["--max-old-space-size=400"], maxWorkers: 1, isolate: false, bail: 1, reporters: [{}], testTimeout: 10_000, teardownTimeout: 1000,
    include: [`${ROOM}/*.test.ts`], exclude: [`${ROOM}/controller.test.ts`, `${ROOM}/execute.test.ts`],
  });
let vitest = await openVitest();

async function run(changed: string | undefined): Promise<boolean> {
  if (changed !== undefined) vitest.invalidateFile(changed);
  const specifications = await vitest.globTestSpecifications();
  vitest.state.clearErrors();
  const { testModules, unhandledErrors } = await vitest.runTestSpecifications(specifications, true);
  return unhandledErrors.length === 0 && testModules.every((module) => module.ok());
}

/** Whether the tests still pass with the files as they are. A mutant that never ends is killed. */
async function passes(changed?: string): Promise<boolean> {
  const late = Promise.withResolvers<"late">();
  const timer = setTimeout(() => late.resolve("late"), ENDLESS_MS);
  const running = run(changed).catch(() => false);
  const result = await Promise.race([running, late.promise]);
  clearTimeout(timer);
  if (result !== "late") return result;
  await vitest.close();
  vitest = await openVitest();
  return false;
}

const killed: Tried[] = [];
const survived: Tried[] = [];
let exitCode = 1;
try {
  if (!(await passes())) throw new Error("the tests fail without any mutant");
  for (const mutant of mutants) {
    const path = join(tree, ROOM, `${mutant.rule}.ts`);
    writeFileSync(path, mutant.source);
    (await passes(path) ? survived : killed).push(mutant);
    writeFileSync(path, originals.get(mutant.rule) ?? "");
    vitest.invalidateFile(path);
  }
  for (const { rule, line, from, to } of survived) console.log(`survived: ${ROOM}/${rule}.ts:${line} ${from} → ${to === "" ? "nothing" : to}`);
  const rate = (killed.length * 100) / Math.max(1, mutants.length);
  console.log(`${killed.length} killed, ${survived.length} survived: ${rate.toFixed(1)} %`);
  exitCode = rate >= KILLED_MIN ? 0 : 1;
} finally {
  await vitest.close();
  rmSync(tree, { recursive: true, force: true });
}
process.exit(exitCode);
