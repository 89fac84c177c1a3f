import { expect, test } from "vitest";
import { errorLogger } from "./logger.ts";

test("without anybody who reads, errors alone are written, with their stacks and whose they are", () => {
  const lines: string[] = [];
  const logger = errorLogger((line) => lines.push(line)).child({ component: "job" });
  logger.warn("not this");
  logger.error("this", { error: new TypeError("bad") });
  expect(lines).toHaveLength(1);
  expect(JSON.parse(lines[0] ?? "")).toMatchObject({ level: 50, component: "job", msg: "this", error: expect.stringContaining("TypeError: bad\n    at ") as string });
});
