/**
 * Jobs of every kind, drawn by chance, and what users do to them and to their pods.
 */
import type { Chance } from "../../src/base/chance.ts";
import type { Job, JobSpec } from "../../src/api/generated/types.ts";

export const pick = <T>(chance: Chance, items: readonly T[]): T | undefined => items[Math.floor(chance.next() * items.length)];
export const draw = (chance: Chance, low: number, high: number): number => low + Math.floor(chance.next() * (high - low + 1));
export const flips = (chance: Chance, odds: number): boolean => chance.next() < odds;

/** Exit codes that the failure policies of these Jobs know. */
export const EXIT = { plain: 1, ignored: 7, failJob: 42, failIndex: 43 } as const;

function failurePolicy(chance: Chance, indexed: boolean): NonNullable<JobSpec["podFailurePolicy"]> {
  const rule = (action: string, code: number) => ({ action, onExitCodes: { operator: "In", values: [code] } });
  return {
    rules: [
      rule("Ignore", EXIT.ignored),
      ...(flips(chance, 0.5) ? [rule("FailJob", EXIT.failJob)] : []),
      ...(indexed ? [rule("FailIndex", EXIT.failIndex)] : []),
      { action: "Ignore", onPodConditions: [{ type: "DisruptionTarget", status: "True" }] },
    ],
  };
}

/** A Job of any shape. */
export function drawJob(chance: Chance, name: string, namespace: string): Job {
  const indexed = flips(chance, 0.5);
  const workQueue = !indexed && flips(chance, 0.3);
  const parallelism = draw(chance, 1, 4);
  const completions = draw(chance, 1, 6);
  const perIndex = indexed && flips(chance, 0.5);
  const policy = flips(chance, 0.3);
  const spec: Omit<JobSpec, "template"> = {
    parallelism,
    ...(!workQueue && { completions }),
    ...(indexed && { completionMode: "Indexed" }),
    ...(flips(chance, 0.5) && { backoffLimit: draw(chance, 0, 4) }),
    ...(perIndex && { backoffLimitPerIndex: draw(chance, 0, 2) }),
    ...(perIndex && flips(chance, 0.3) && { maxFailedIndexes: draw(chance, 0, completions) }),
    ...(indexed && flips(chance, 0.3) && { successPolicy: { rules: [{ succeededCount: draw(chance, 1, completions) }] } }),
    ...(policy && { podFailurePolicy: failurePolicy(chance, perIndex) }),
    ...(!policy && flips(chance, 0.4) && { podReplacementPolicy: flips(chance, 0.5) ? "Failed" : "TerminatingOrFailed" }),
    ...(flips(chance, 0.15) && { activeDeadlineSeconds: draw(chance, 5, 300) }),
    ...(flips(chance, 0.15) && { suspend: true }),
  };
  const restartPolicy = !policy && flips(chance, 0.2) ? "OnFailure" : "Never";
  return { apiVersion: "batch/v1", kind: "Job", metadata: { name, namespace }, spec: { ...spec, template: { spec: { restartPolicy, containers: [{ name: "main", image: "example/image" }] } } } };
}

/** A change of a Job that a user might make: a merge patch of its spec. */
export function drawChange(chance: Chance, spec: JobSpec): object {
  const roll = chance.next();
  if (roll < 0.35) return { suspend: spec.suspend !== true };
  const parallelism = draw(chance, 1, 5);
  if (roll < 0.55 && spec.completionMode === "Indexed" && !spec.successPolicy && spec.backoffLimitPerIndex === undefined) return { parallelism, completions: parallelism };
  if (roll < 0.8) return { parallelism: draw(chance, 0, 5) };
  return roll < 0.9 ? { backoffLimit: draw(chance, 0, 6) } : { activeDeadlineSeconds: draw(chance, 5, 600) };
}
