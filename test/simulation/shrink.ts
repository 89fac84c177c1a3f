/**
 * Makes a failing run shorter: leaves out one thing after another as long as it still fails. Runs are cheap and equal, so it simply tries.
 */
import { FEATURES, simulate, type SimulationOptions, type SimulationResult } from "./simulation.ts";

export interface Shrunk {
  readonly options: SimulationOptions;
  readonly result: SimulationResult;
}

/** The simplest options found that still fail; `result` fails. */
export async function shrink(options: SimulationOptions, result: SimulationResult): Promise<Shrunk> {
  let best: Shrunk = { options: { ...options, steps: Math.min(options.steps, result.step + 1) }, result };
  const attempt = async (simpler: SimulationOptions): Promise<void> => {
    const tried = await simulate(simpler);
    if (tried.failure !== undefined) best = { options: { ...simpler, steps: Math.min(simpler.steps, tried.step + 1) }, result: tried };
  };
  for (const feature of FEATURES) await attempt({ ...best.options, without: [...(best.options.without ?? []), feature] });
  for (let jobsMax = (best.options.jobsMax ?? 3) - 1; jobsMax >= 1; jobsMax--) await attempt({ ...best.options, jobsMax });
  for (let steps = best.options.steps >> 1; steps >= 1; steps >>= 1) await attempt({ ...best.options, steps });
  return best;
}

/** The options as arguments of run.ts. */
export const argumentsOf = ({ seed, steps, without = [], jobsMax }: SimulationOptions): string =>
  [`--seed ${seed} --steps ${steps}`, ...(without.length > 0 ? [`--without ${without.join(",")}`] : []), ...(jobsMax === undefined ? [] : [`--jobs ${jobsMax}`])].join(" ");

/** The end of the history, and before it what concerns the Job that the failure names. */
export function tell({ history, failure = "" }: SimulationResult, lines = 60): string[] {
  const job = /Job (\S+)/.exec(failure)?.[1];
  const about = history.filter((line, i) => i >= history.length - 15 || (job !== undefined && line.includes(job)) || line.includes("killed"));
  return about.slice(-lines);
}
