import { describe, expect, test } from "vitest";
import { argumentsOf } from "./shrink.ts";
import { simulate } from "./simulation.ts";

const LONG = process.env["STINT_TEST_LONG"] === "1";
const SEEDS = Number(process.env["SIM_SEEDS"] ?? (LONG ? 10_000 : 200));
const FIRST = Number(process.env["SIM_FIRST"] ?? 1);
const STEPS = 60;

describe("the control plane under bad weather", () => {
  test(`holds what it promises in ${SEEDS} runs`, { timeout: LONG ? 7_200_000 : 600_000 }, async () => {
    const failures: string[] = [];
    for (let seed = FIRST; seed < FIRST + SEEDS; seed++) {
      const { failure, step } = await simulate({ seed, steps: STEPS });
      if (failure !== undefined) failures.push(`seed=${seed} step=${step}: ${failure}\n  replay: npm run sim -- ${argumentsOf({ seed, steps: STEPS })}`);
    }
    expect(failures).toEqual([]);
  });

  test.each([{ seed: 4218, steps: 80, what: "a status whose answer was lost, a cache that lags, and a pod that strays" }])("$what (seed $seed)", async ({ seed, steps }) => {
    expect((await simulate({ seed, steps })).failure).toBeUndefined();
  });

  test("is the same twice, to the letter", async () => {
    for (const seed of [3, 1234, 99_999]) {
      const [once, again] = [await simulate({ seed, steps: STEPS }), await simulate({ seed, steps: STEPS })];
      expect(once.history.length).toBeGreaterThan(50);
      expect(again.history).toEqual(once.history);
    }
  });
});
