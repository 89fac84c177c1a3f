/**
 * Shows that the simulation finds bugs: each of these changes of the rules is caught within 200 seeds.
 */
import { afterEach, describe, expect, test, vi } from "vitest";
import type * as CountingModule from "../../src/controllers/job/counting.ts";
import type * as ExpectationsModule from "../../src/controllers/job/expectations.ts";
import type * as SettleModule from "../../src/controllers/job/settle.ts";

const SEEDS = 200;
const STEPS = 60;

afterEach(() => {
  vi.doUnmock("../../src/controllers/job/expectations.ts");
  vi.doUnmock("../../src/controllers/job/counting.ts");
  vi.doUnmock("../../src/controllers/job/settle.ts");
  vi.resetModules();
});

/** The first seed that fails, and why. */
async function hunt(): Promise<{ readonly seed: number; readonly failure: string } | undefined> {
  vi.resetModules();
  const { simulate } = await import("./simulation.ts");
  for (let seed = 1; seed <= SEEDS; seed++) {
    const { failure } = await simulate({ seed, steps: STEPS });
    if (failure !== undefined) return { seed, failure };
  }
  return undefined;
}

describe("a mutation is caught", { timeout: 600_000 }, () => {
  test("own pods that the cache does not show yet are forgotten: pods are made twice", async () => {
    vi.doMock("../../src/controllers/job/expectations.ts", async (original) => {
      const module = await original<typeof ExpectationsModule>();
      class Forgetful extends module.Expectations {
        override caughtUp(): boolean {
          return true;
        }
        override unseen() {
          return [];
        }
      }
      return { ...module, Expectations: Forgetful };
    });
    expect((await hunt())?.failure).toMatch(/pods at a time|times at once/);
  });

  test("a finalizer that was just removed is not remembered: pods are counted twice", async () => {
    vi.doMock("../../src/controllers/job/counting.ts", async (original) => {
      const module = await original<typeof CountingModule>();
      const trackPods: typeof module.trackPods = (world, ...rest) => module.trackPods({ ...world, releasing: new Set() }, ...rest);
      return { ...module, trackPods };
    });
    expect((await hunt())?.failure).toMatch(/second time/);
  });

  test("a pod whose finalizer could not be removed counts all the same: the Job ends too early", async () => {
    vi.doMock("../../src/controllers/job/settle.ts", async (original) => {
      const module = await original<typeof SettleModule>();
      const conclude: typeof module.conclude = (job, settlement, _released, now) => module.conclude(job, settlement, settlement.tracked, now);
      return { ...module, conclude };
    });
    expect((await hunt())?.failure).toMatch(/carries the finalizer|second time|uncounted|went up/);
  });
});
