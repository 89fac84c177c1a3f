import { expect, test } from "vitest";
import { simulateNode } from "./whole-node.ts";

const SEEDS = Number(process.env["SIM_NODE_SEEDS"] ?? 3);

test(`scheduler, agent and Job controller together hold what they promise in ${SEEDS} runs`, { timeout: 600_000 }, async () => {
  for (let seed = 1; seed <= SEEDS; seed++) expect(await simulateNode(seed), `seed ${seed}`).toBeUndefined();
});
