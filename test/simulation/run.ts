/**
 * Runs the simulation: `node test/simulation/run.ts --seed 1 --runs 200 --steps 60`, or one run again: `--seed 48213 --steps 60`.
 * A failing run is made shorter and told, with the arguments that bring it back. Exit status 1 when one failed.
 */
import { parseArgs } from "node:util";
import { argumentsOf, shrink, tell } from "./shrink.ts";
import { FEATURES, simulate, type Feature, type SimulationOptions } from "./simulation.ts";

const { values } = parseArgs({
  options: {
    seed: { type: "string", default: "1" },
    runs: { type: "string", default: "1" },
    steps: { type: "string", default: "60" },
    jobs: { type: "string" },
    without: { type: "string" },
    verbose: { type: "boolean", default: false },
    "keep-going": { type: "boolean", default: false },
  },
});

const isFeature = (text: string): text is Feature => (FEATURES as readonly string[]).includes(text);
const without = (values.without ?? "").split(",").filter(isFeature);
const first = Number(values.seed);
const runs = Number(values.runs);
/** Long runs say how far they are. */
const TELL_EVERY = 500;
let failed = 0;

for (let seed = first; seed < first + runs; seed++) {
  const options: SimulationOptions = { seed, steps: Number(values.steps), without, ...(values.jobs !== undefined && { jobsMax: Number(values.jobs) }) };
  if (seed > first && (seed - first) % TELL_EVERY === 0) console.error(`${seed - first} runs, ${failed} failed`);
  const result = await simulate(options);
  if (values.verbose) console.log(result.history.join("\n"));
  if (result.failure === undefined) continue;
  failed += 1;
  const shrunk = await shrink(options, result);
  console.log(`sim failed: seed=${seed} step=${result.step}: ${result.failure}`);
  console.log(tell(shrunk.result).join("\n"));
  console.log(`replay: npm run sim -- ${argumentsOf(options)}\nshort:  npm run sim -- ${argumentsOf(shrunk.options)} --verbose`);
  if (!values["keep-going"]) break;
}
console.log(`${runs} runs from seed ${first}: ${failed === 0 ? "all well" : `${failed} failed`}`);
process.exitCode = failed === 0 ? 0 : 1;
