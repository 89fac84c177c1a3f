import { describe, expect, test } from "vitest";
import type { PodFailurePolicyRule, SuccessPolicyRule } from "../../api/generated/types.ts";
import { jobOf, podOf } from "./builders.ts";
import { failJobMessage, judgeFailure } from "./failure-policy.ts";
import { parseIndexes } from "./indexes.ts";
import { matchSuccessPolicy } from "./success-policy.ts";

const container = (name: string, exitCode?: number) => ({ name, image: "", imageID: "", ready: false, restartCount: 0, state: exitCode === undefined ? {} : { terminated: { exitCode } } });
const failed = (...containers: ReturnType<typeof container>[]) => podOf({ uid: "p", phase: "Failed", status: { containerStatuses: containers } });
const codes = (action: string, values: number[], more: object = {}): PodFailurePolicyRule => ({ action, onExitCodes: { operator: "In", values, ...more } });
const conditions = (action: string, ...patterns: { type: string; status?: string }[]): PodFailurePolicyRule => ({ action, onPodConditions: patterns.map((p) => ({ status: "True", ...p })) });
const withConditions = (...list: { type: string; status: string }[]) => podOf({ uid: "p", phase: "Failed", status: { conditions: list } });

describe("judgeFailure", () => {
  test.each([
    { name: "no rules", rules: [], pod: failed(container("main", 1)), want: { action: undefined, counted: true } },
    { name: "no rule matches", rules: [codes("Ignore", [2])], pod: failed(container("main", 1)), want: { action: undefined, counted: true } },
    { name: "Ignore", rules: [codes("Ignore", [1])], pod: failed(container("main", 1)), want: { action: "Ignore", counted: false } },
    { name: "Count", rules: [codes("Count", [1])], pod: failed(container("main", 1)), want: { action: "Count", counted: true } },
    { name: "FailIndex", rules: [codes("FailIndex", [1])], pod: failed(container("main", 1)), want: { action: "FailIndex", counted: true } },
    {
      name: "FailJob tells why",
      rules: [codes("Ignore", [7]), codes("FailJob", [1, 42])],
      pod: failed(container("main", 42)),
      want: { action: "FailJob", counted: true, message: "Container main for pod ns/p failed with exit code 42 matching FailJob rule at index 1" },
    },
    { name: "the first match decides", rules: [codes("Count", [1]), codes("FailJob", [1])], pod: failed(container("main", 1)), want: { action: "Count", counted: true } },
    { name: "an unknown action is passed over", rules: [codes("Explode", [1]), codes("Ignore", [1])], pod: failed(container("main", 1)), want: { action: "Ignore", counted: false } },
    { name: "NotIn matches other codes", rules: [codes("Ignore", [1], { operator: "NotIn" })], pod: failed(container("main", 2)), want: { action: "Ignore", counted: false } },
    { name: "NotIn does not match a listed code", rules: [codes("Ignore", [1], { operator: "NotIn" })], pod: failed(container("main", 1)), want: { action: undefined, counted: true } },
    { name: "exit code 0 never matches", rules: [codes("Ignore", [1], { operator: "NotIn" })], pod: failed(container("main", 0)), want: { action: undefined, counted: true } },
    { name: "an unknown operator matches nothing", rules: [codes("Ignore", [1], { operator: "Near" })], pod: failed(container("main", 1)), want: { action: undefined, counted: true } },
    { name: "a container that has not ended has no code", rules: [codes("Ignore", [1], { operator: "NotIn" })], pod: failed(container("main")), want: { action: undefined, counted: true } },
    { name: "another container is not meant", rules: [codes("Ignore", [1], { containerName: "side" })], pod: failed(container("main", 1), container("side", 0)), want: { action: undefined, counted: true } },
    { name: "the named container is meant", rules: [codes("Ignore", [1], { containerName: "side" })], pod: failed(container("main", 2), container("side", 1)), want: { action: "Ignore", counted: false } },
    {
      name: "app containers come before init containers",
      rules: [codes("FailJob", [1, 2])],
      pod: podOf({ uid: "p", phase: "Failed", status: { initContainerStatuses: [container("init", 1)], containerStatuses: [container("main", 2)] } }),
      want: { action: "FailJob", counted: true, message: "Container main for pod ns/p failed with exit code 2 matching FailJob rule at index 0" },
    },
    { name: "init containers count too", rules: [codes("Ignore", [9])], pod: podOf({ phase: "Failed", status: { initContainerStatuses: [container("init", 9)] } }), want: { action: "Ignore", counted: false } },
    {
      name: "the pod's order of conditions decides which is named",
      rules: [conditions("FailJob", { type: "B" }, { type: "A", status: "True" })],
      pod: withConditions({ type: "A", status: "True" }, { type: "B", status: "True" }),
      want: { action: "FailJob", counted: true, message: "Pod ns/p has condition A matching FailJob rule at index 0" },
    },
    { name: "a condition with another status", rules: [conditions("Ignore", { type: "A", status: "False" })], pod: withConditions({ type: "A", status: "True" }), want: { action: undefined, counted: true } },
    { name: "a rule about nothing", rules: [{ action: "Ignore" }], pod: failed(container("main", 1)), want: { action: undefined, counted: true } },
  ])("$name", ({ rules, pod, want }) => expect(judgeFailure({ rules }, pod)).toEqual(want));

  test("without a policy every failure counts", () => {
    expect(judgeFailure(undefined, failed(container("main", 1)))).toEqual({ action: undefined, counted: true });
    expect(judgeFailure({ rules: null as never }, failed(container("main", 1)))).toEqual({ action: undefined, counted: true });
  });
});

describe("failJobMessage", () => {
  const job = jobOf({ podFailurePolicy: { rules: [codes("FailJob", [42])] } });
  const bad = failed(container("main", 42));
  test.each([
    { name: "a pod that matches", job, pods: [failed(container("main", 1)), bad], want: "Container main for pod ns/p failed with exit code 42 matching FailJob rule at index 0" },
    { name: "no pod matches", job, pods: [failed(container("main", 1))], want: undefined },
    { name: "a pod that has not failed is not judged", job, pods: [podOf({ phase: "Running", status: { containerStatuses: [container("main", 42)] } })], want: undefined },
    { name: "no policy", job: jobOf(), pods: [bad], want: undefined },
    { name: "no rule fails the Job", job: jobOf({ podFailurePolicy: { rules: [codes("Ignore", [42])] } }), pods: [bad], want: undefined },
  ])("$name", ({ job, pods, want }) => expect(failJobMessage(job, pods)).toBe(want));
});

describe("matchSuccessPolicy", () => {
  test.each<{ name: string; rules: SuccessPolicyRule[]; succeeded: string; want: string | undefined }>([
    { name: "all listed indexes", rules: [{ succeededIndexes: "0,2-3" }], succeeded: "0,2-3,5", want: "Matched rules at index 0" },
    { name: "one listed index is missing", rules: [{ succeededIndexes: "0,2-3" }], succeeded: "0,2", want: undefined },
    { name: "enough of the listed", rules: [{ succeededIndexes: "0-4", succeededCount: 2 }], succeeded: "1,4,9", want: "Matched rules at index 0" },
    { name: "others do not count", rules: [{ succeededIndexes: "0-4", succeededCount: 2 }], succeeded: "1,5-9", want: undefined },
    { name: "any indexes", rules: [{ succeededCount: 2 }], succeeded: "3,7", want: "Matched rules at index 0" },
    { name: "too few", rules: [{ succeededCount: 3 }], succeeded: "3,7", want: undefined },
    { name: "a later rule", rules: [{ succeededCount: 3 }, { succeededIndexes: "7" }], succeeded: "3,7", want: "Matched rules at index 1" },
    { name: "nothing succeeded yet, not even for a count of 0", rules: [{ succeededCount: 0 }], succeeded: "", want: undefined },
    { name: "a count of 0 after the first success", rules: [{ succeededCount: 0 }], succeeded: "1", want: "Matched rules at index 0" },
    { name: "a list that cannot be read", rules: [{ succeededIndexes: "x" }], succeeded: "1", want: undefined },
    { name: "an empty rule", rules: [{}], succeeded: "1", want: undefined },
  ])("$name", ({ rules, succeeded, want }) => expect(matchSuccessPolicy({ rules }, parseIndexes(succeeded, 10), 10)).toBe(want));

  test("without a policy nothing is met", () => expect(matchSuccessPolicy(undefined, parseIndexes("1", 10), 10)).toBeUndefined());
});
