import { describe, expect, test } from "vitest";
import { jobOf, podOf, START } from "./builders.ts";
import { completionIndexOf, finishTime, indexFailureCount, indexIgnoredFailureCount, isActive, isFailed, isReady, isTerminating, isTracked, readySince, restartCount } from "./pods.ts";

describe("active and terminating", () => {
  test.each([
    { name: "pending", pod: podOf(), active: true, terminating: false },
    { name: "running", pod: podOf({ phase: "Running" }), active: true, terminating: false },
    { name: "being deleted", pod: podOf({ phase: "Running", deletedAt: 1 }), active: false, terminating: true },
    { name: "succeeded", pod: podOf({ phase: "Succeeded" }), active: false, terminating: false },
    { name: "failed and being deleted", pod: podOf({ phase: "Failed", deletedAt: 1 }), active: false, terminating: false },
  ])("$name", ({ pod, active, terminating }) => expect([isActive(pod), isTerminating(pod)]).toEqual([active, terminating]));
});

describe("isFailed", () => {
  const eager = jobOf({ podReplacementPolicy: "TerminatingOrFailed" });
  const patient = jobOf({ podReplacementPolicy: "Failed" });
  const judged = jobOf({ podReplacementPolicy: "TerminatingOrFailed", podFailurePolicy: { rules: [] } });
  test.each([
    { name: "phase Failed", job: patient, pod: podOf({ phase: "Failed" }), want: true },
    { name: "running", job: eager, pod: podOf({ phase: "Running" }), want: false },
    { name: "being deleted", job: eager, pod: podOf({ phase: "Running", deletedAt: 1 }), want: true },
    { name: "being deleted, only failed ones are replaced", job: patient, pod: podOf({ phase: "Running", deletedAt: 1 }), want: false },
    { name: "being deleted, with a failure policy", job: judged, pod: podOf({ phase: "Running", deletedAt: 1 }), want: false },
    { name: "succeeded and being deleted", job: eager, pod: podOf({ phase: "Succeeded", deletedAt: 1 }), want: false },
  ])("$name", ({ job, pod, want }) => expect(isFailed(pod, job)).toBe(want));
});

describe("annotations", () => {
  test.each([
    { index: undefined, want: undefined },
    { index: "0", want: 0 },
    { index: "17", want: 17 },
    { index: "-1", want: undefined },
    { index: "x", want: undefined },
    { index: "1.5", want: undefined },
    { index: "", want: undefined },
  ])("completion index $index is $want", ({ index, want }) => expect(completionIndexOf(podOf(index === undefined ? {} : { index }))).toBe(want));

  test.each([
    { text: "3", want: 3 },
    { text: "-1", want: 0 },
    { text: "2147483647", want: 2147483647 },
    { text: "2147483648", want: 0 },
    { text: "many", want: 0 },
  ])("failure count $text is $want", ({ text, want }) => {
    expect(indexFailureCount(podOf({ failures: text }))).toBe(want);
    expect(indexIgnoredFailureCount(podOf({ ignored: text }))).toBe(want);
  });

  test("counts that are missing are 0", () => expect([indexFailureCount(podOf()), indexIgnoredFailureCount(podOf())]).toEqual([0, 0]));
});

describe("finishTime", () => {
  const container = (finishedAt?: string) => ({ name: "c", image: "", imageID: "", ready: false, restartCount: 0, state: { terminated: { exitCode: 0, ...(finishedAt && { finishedAt }) } } });
  test.each([
    { name: "the last container's end", pod: podOf({ status: { containerStatuses: [container("2026-01-01T00:00:09Z"), container("2026-01-01T00:00:07Z")] } }), want: 9 },
    { name: "a container without a time: not ready since", pod: podOf({ ready: false, readyAt: 5, status: { containerStatuses: [container("2026-01-01T00:00:09Z"), container()] } }), want: 5 },
    { name: "not ready since", pod: podOf({ ready: false, readyAt: 5, deletedAt: 40, createdAt: 1 }), want: 5 },
    { name: "ready says nothing: its deletion less the grace period", pod: podOf({ ready: true, readyAt: 5, deletedAt: 40, grace: 30 }), want: 10 },
    { name: "deletion without grace", pod: podOf({ deletedAt: 40 }), want: 40 },
    { name: "creation, for want of anything better", pod: podOf({ createdAt: 3 }), want: 3 },
    { name: "a condition without a time", pod: podOf({ ready: false, createdAt: 3 }), want: 3 },
  ])("$name", ({ pod, want }) => expect(finishTime(pod)).toBe(START + want * 1000));
});

test("restarts are summed over init and all containers", () => {
  expect(restartCount(podOf({ restarts: 2, initRestarts: 3 }))).toBe(5);
  expect(restartCount(podOf())).toBe(0);
});

test("ready, and since when", () => {
  expect([isReady(podOf({ ready: true })), isReady(podOf({ ready: false })), isReady(podOf())]).toEqual([true, false, false]);
  expect(readySince(podOf({ ready: true, readyAt: 4 }))).toBe(START + 4000);
  expect(readySince(podOf({ ready: false, readyAt: 4 }))).toBeUndefined();
});

test("tracked means: carries the finalizer", () => expect([isTracked(podOf()), isTracked(podOf({ tracked: false }))]).toEqual([true, false]));
