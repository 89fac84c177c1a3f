/** `npm run coverage:job`: the tests of the Job controller, its simulation among them, have to reach 95 % of their branches. */
import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["src/controllers/job/**/*.test.ts", "test/simulation/simulation.test.ts"],
    env: { SIM_SEEDS: "60" },
    pool: "forks",
    maxWorkers: 2,
    coverage: {
      enabled: true,
      provider: "v8",
      include: ["src/controllers/job/**"],
      exclude: ["**/*.test.ts", "**/builders.ts"],
      reporter: ["text", "json"],
      reportsDirectory: "node_modules/.cache/coverage",
      thresholds: { branches: 95 },
    },
  },
});
