/**
 * `stint run examples/two-times.yaml` from nothing to exit, the image being in the store: wall time of whole processes.
 * Beside it, in the same minutes: an empty Node process, and the Job's own command without any sandbox. Usage: node bench/cold-run.ts [RUNS]
 */
import { join } from "node:path";
import { EXAMPLES, execute, Sandbox, STINT } from "../test/support/stint.ts";
import { machine, median, spread } from "./machine.ts";

const runs = Number(process.argv[2] ?? 15);
const sandbox = await Sandbox.make();
await sandbox.importAlpine();

async function time(file: string, args: readonly string[]): Promise<number> {
  const started = performance.now();
  const done = await execute(file, args, { env: sandbox.env });
  if (done.code !== 0) throw new Error(`${file} ${args.join(" ")}: ${done.code}: ${done.stderr}`);
  return performance.now() - started;
}

const subjects = [
  { name: "stint run two-times.yaml", file: STINT, args: ["run", "--userland", "image", join(EXAMPLES, "two-times.yaml")] },
  { name: "stint version", file: STINT, args: ["version"] },
  { name: "node -e 0", file: process.execPath, args: ["-e", "0"] },
  { name: "the command alone", file: "/bin/sh", args: ["-c", "for i in $(seq 10);do echo $(($i*2));done"] },
];
const times = new Map(subjects.map((s) => [s.name, [] as number[]]));
for (const s of subjects) await time(s.file, s.args);
for (let i = 0; i < runs; i++) for (const s of subjects) times.get(s.name)?.push(await time(s.file, s.args));
console.log(machine());
for (const [name, values] of times) console.log(`${name.padEnd(26)} ${spread(values, "ms")}`);
console.log(`stint run ÷ node -e 0: ${(median(times.get(subjects[0]?.name ?? "") ?? []) / median(times.get("node -e 0") ?? [])).toFixed(1)}`);
await sandbox.remove();
