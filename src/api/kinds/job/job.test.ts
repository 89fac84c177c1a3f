import { describe, expect, test } from "vitest";
import type { Job } from "../../generated/types.ts";
import { kindFor, stored, tryCreate, tryUpdate, UID } from "../testing.ts";

const kind = kindFor("batch/v1", "Job");
const cronKind = kindFor("batch/v1", "CronJob");

const template = { spec: { restartPolicy: "Never", containers: [{ name: "main", image: "example/image" }] } };
const job = (spec: object = {}, metadata: object = {}) => ({ metadata: { name: "j", ...metadata }, spec: { template, ...spec } });
const indexed = (spec: object = {}) => job({ completionMode: "Indexed", completions: 5, ...spec });
const codes = (onExitCodes: object, action = "FailJob") => ({ podFailurePolicy: { rules: [{ action, onExitCodes }] } });

describe("defaults", () => {
  const specOf = (object: object) => (tryCreate(kind, object).object as Job).spec;

  test.each([
    { name: "neither number: one completion", spec: {}, want: { completions: 1, parallelism: 1, backoffLimit: 6, completionMode: "NonIndexed", suspend: false, manualSelector: false, podReplacementPolicy: "TerminatingOrFailed" } },
    { name: "completions alone", spec: { completions: 3 }, want: { completions: 3, parallelism: 1 } },
    { name: "a limit for each index lifts the other", spec: { completionMode: "Indexed", completions: 2, backoffLimitPerIndex: 1 }, want: { backoffLimit: 2147483647 } },
    { name: "a failure policy waits for the end of pods", spec: codes({ operator: "In", values: [1] }), want: { podReplacementPolicy: "Failed" } },
  ])("$name", ({ spec, want }) => expect(specOf(job(spec))).toMatchObject(want));

  test("parallelism alone is a work queue", () => expect(specOf(job({ parallelism: 3 }))).not.toHaveProperty("completions"));

  test("a template's labels become the Job's when it has none, those of its selector too", () => {
    const labelled = job({ template: { ...template, metadata: { labels: { app: "x" } } } });
    expect(tryCreate(kind, labelled).object.metadata.labels).toEqual({ app: "x", "job-name": "j", "batch.kubernetes.io/job-name": "j", "controller-uid": UID, "batch.kubernetes.io/controller-uid": UID });
    expect(tryCreate(kind, { ...labelled, metadata: { name: "j", labels: { own: "y" } } }).object.metadata.labels).toEqual({ own: "y" });
  });

  test("a CronJob's jobTemplate gets those of pods, not those of Jobs", () => {
    const made = tryCreate(cronKind, { metadata: { name: "c" }, spec: { schedule: "@daily", jobTemplate: { spec: { template } } } }).object;
    expect(made).toMatchObject({ spec: { concurrencyPolicy: "Allow", successfulJobsHistoryLimit: 3, failedJobsHistoryLimit: 1, jobTemplate: { spec: { template: { spec: { dnsPolicy: "ClusterFirst" } } } } } });
    expect(made).not.toHaveProperty("spec.jobTemplate.spec.parallelism");
  });
});

test("a generated selector asks for the uid, and pods carry uid and name twice", () => {
  const { spec } = tryCreate(kind, job()).object as Job;
  expect(spec.selector).toEqual({ matchLabels: { "batch.kubernetes.io/controller-uid": UID } });
  expect(spec.template.metadata?.labels).toEqual({ "job-name": "j", "batch.kubernetes.io/job-name": "j", "controller-uid": UID, "batch.kubernetes.io/controller-uid": UID });
});

describe("create refuses", () => {
  test.each([
    { name: "negative numbers", object: job({ parallelism: -1, completions: -2 }), want: ["spec.parallelism: Invalid value: -1: must be greater than or equal to 0", "spec.completions: Invalid value: -2: must be greater than or equal to 0"] },
    { name: "Always", object: job({ template: { spec: { ...template.spec, restartPolicy: "Always" } } }), want: ['spec.template.spec.restartPolicy: Required value: valid values: "OnFailure", "Never"'] },
    { name: "OnFailure with a failure policy", object: job({ ...codes({ operator: "In", values: [1] }), template: { spec: { ...template.spec, restartPolicy: "OnFailure" } } }), want: ['spec.template.spec.restartPolicy: Invalid value: "OnFailure": only "Never" is supported when podFailurePolicy is specified'] },
    { name: "a limit of failed indexes alone", object: indexed({ maxFailedIndexes: 1 }), want: ["spec.backoffLimitPerIndex: Required value: when maxFailedIndexes is specified"] },
    { name: "Indexed without completions, also under a successPolicy", object: job({ completionMode: "Indexed", parallelism: 2, successPolicy: { rules: [{ succeededCount: 1 }] } }), want: ["spec.completions: Required value: when completion mode is Indexed"] },
    { name: "a foreign managedBy without a domain", object: job({ managedBy: "queue" }), want: ['spec.managedBy: Invalid value: "queue": must be a domain-prefixed path (such as "acme.io/foo")'] },
    { name: "exit code 0 with In", object: job(codes({ operator: "In", values: [0] })), want: ["spec.podFailurePolicy.rules[0].onExitCodes.values[0]: Invalid value: 0: must not be 0 for the In operator"] },
    { name: "a rule with both requirements", object: job({ podFailurePolicy: { rules: [{ action: "Count", onExitCodes: { operator: "In", values: [1] }, onPodConditions: [{ type: "A" }] }] } }), want: ["spec.podFailurePolicy.rules[0]: Invalid value: specifying both OnExitCodes and OnPodConditions is not supported"] },
    { name: "a successPolicy that is not Indexed", object: job({ successPolicy: { rules: [{ succeededCount: 1 }] } }), want: ['spec.successPolicy: Invalid value: {"Rules":[{"SucceededIndexes":null,"SucceededCount":1}]}: requires indexed completion mode'] },
    { name: "indexes that fall", object: indexed({ successPolicy: { rules: [{ succeededIndexes: "3,1" }] } }), want: ['spec.successPolicy.rules[0].succeededIndexes: Invalid value: "3,1": error parsing succeededIndexes: non-increasing order, previous: 3, current: 1'] },
    { name: "host names that are too long", object: { ...indexed(), metadata: { name: "a".repeat(62) } }, want: [`metadata.name: Invalid value: "${"a".repeat(62)}": will not able to create pod with invalid DNS label: ${"a".repeat(62)}-4`] },
  ])("$name", ({ object, want }) => expect(tryCreate(kind, object).errors).toEqual(want));

  test("a selector of the user's, with the generated one merged in", () => {
    const { errors } = tryCreate(kind, job({ selector: { matchLabels: { a: "b" } }, template: { ...template, metadata: { labels: { a: "b" } } } }));
    expect(errors).toEqual([`spec.selector: Invalid value: {"matchLabels":{"a":"b","batch.kubernetes.io/controller-uid":"${UID}"}}: \`selector\` not auto-generated`]);
  });

  test("nothing of an empty failure policy, which comes back as null", () => {
    const { object, errors } = tryCreate(kind, job({ podFailurePolicy: { rules: [] } }));
    expect(errors).toEqual([]);
    expect(object).toHaveProperty("spec.podFailurePolicy.rules", null);
  });
});

describe("update", () => {
  type Spec = Record<string, unknown>;
  const change = (spec: Spec) => (draft: Record<string, unknown>) => void Object.assign(draft["spec"] as object, spec);

  test.each([
    { name: "parallelism may change and counts", spec: { parallelism: 2 }, generation: 2, want: [] },
    { name: "completions may not", spec: { completions: 3 }, generation: 2, want: ["spec.completions: Invalid value: 3: field is immutable"] },
    { name: "a mistake is told twice", spec: { backoffLimit: -1 }, generation: 2, want: Array.from({ length: 2 }, () => "spec.backoffLimit: Invalid value: -1: must be greater than or equal to 0") },
    { name: "no change keeps the generation", spec: {}, generation: 1, want: [] },
  ])("$name", ({ spec, generation, want }) => {
    const { object, errors } = tryUpdate(kind, stored(kind, job()), change(spec));
    expect(errors).toEqual(want);
    expect(object.metadata.generation).toBe(generation);
  });

  test("completions of an Indexed Job follow parallelism", () => {
    const old = stored(kind, indexed({ parallelism: 2 }));
    expect(tryUpdate(kind, old, change({ completions: 4 })).errors).toEqual(["spec.completions: Invalid value: 4: can only be modified in tandem with spec.parallelism"]);
    expect(tryUpdate(kind, old, change({ completions: 4, parallelism: 4 })).errors).toEqual([]);
  });

  test.each([
    { name: "scheduling and resources of a suspended Job", suspend: true, pod: { nodeSelector: { a: "b" }, containers: [{ ...template.spec.containers[0], resources: { limits: { cpu: "1" } } }] }, field: undefined },
    { name: "but not its image", suspend: true, pod: { containers: [{ name: "main", image: "other" }] }, field: "spec.template.spec" },
    { name: "and nothing while it is not suspended", suspend: false, pod: { nodeSelector: { a: "b" } }, field: "spec.template" },
  ])("template: $name", ({ suspend, pod, field }) => {
    const { errors } = tryUpdate(kind, stored(kind, job({ suspend })), (draft) => {
      const spec = draft["spec"] as { template: { spec: object } };
      Object.assign(spec.template.spec, pod);
    });
    expect(errors.map((e) => e.slice(0, e.indexOf(":")))).toEqual(field === undefined ? [] : [field]);
  });
});

describe("status", () => {
  const isTrue = (type: string) => ({ type, status: "True" });
  const time = "2024-01-01T00:00:00Z";

  test.each([
    { name: "Complete wants times and an announcement", spec: {}, before: {}, now: { conditions: [isTrue("Complete")] }, want: ["status.completionTime: Required value: completionTime is required for Complete jobs", "status.conditions: Invalid value: cannot set Complete=True condition without the SuccessCriteriaMet=true condition", "status.startTime: Required value: startTime is required for finished job"] },
    { name: "an end that is announced", spec: {}, before: {}, now: { startTime: time, completionTime: time, conditions: [isTrue("SuccessCriteriaMet"), isTrue("Complete")] }, want: [] },
    { name: "counters do not go down", spec: {}, before: { failed: 2, succeeded: 1 }, now: { failed: 1 }, want: ["status.failed: Invalid value: 1: cannot decrease the failed counter", "status.succeeded: Invalid value: 0: cannot decrease the succeeded counter"] },
    { name: "terminal conditions stay", spec: {}, before: { startTime: time, conditions: [isTrue("FailureTarget"), isTrue("Failed")] }, now: { startTime: time }, want: ["status.conditions: Invalid value: cannot disable the terminal Failed=True condition", "status.conditions: Invalid value: cannot disable the terminal FailureTarget=True condition"] },
    { name: "startTime stays", spec: {}, before: { startTime: time }, now: {}, want: ["status.startTime: Invalid value: null: field is immutable for unsuspended job once set"] },
    { name: "and goes while suspended", spec: { suspend: true }, before: { startTime: time }, now: {}, want: [] },
    { name: "index lists do not overlap", spec: { completionMode: "Indexed", completions: 9, backoffLimitPerIndex: 1 }, before: {}, now: { completedIndexes: "0-3", failedIndexes: "3-5" }, want: ['status.failedIndexes: Invalid value: "3-5": failedIndexes and completedIndexes overlap at index: 3'] },
    { name: "no more ready than active", spec: {}, before: {}, now: { active: 1, ready: 2 }, want: ["status.ready: Invalid value: 2: cannot set more ready pods than active"] },
  ])("$name", ({ spec, before, now, want }) => {
    const old = { ...stored(kind, job(spec)), status: before };
    expect(tryUpdate(kind, old, (draft) => void (draft["status"] = now), "status").errors).toEqual(want);
  });

  test("its road leaves the spec and the generation alone", () => {
    const { object } = tryUpdate(kind, stored(kind, job()), (draft) => void Object.assign(draft["spec"] as object, { parallelism: 9 }), "status");
    expect(object).toMatchObject({ metadata: { generation: 1 }, spec: { parallelism: 1 } });
  });
});

test.each([
  { name: "a zone in the schedule", spec: { schedule: "TZ=UTC 0 3 * * *" }, want: ['spec.schedule: Invalid value: "TZ=UTC 0 3 * * *": cannot use TZ or CRON_TZ in schedule, use timeZone field instead'] },
  { name: "an unknown zone", spec: { schedule: "@daily", timeZone: "Nowhere/City" }, want: ['spec.timeZone: Invalid value: "Nowhere/City": unknown time zone Nowhere/City'] },
  { name: "the machine's own", spec: { schedule: "@daily", timeZone: "Local" }, want: ['spec.timeZone: Invalid value: "Local": timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones'] },
  { name: "a policy that is none", spec: { schedule: "@daily", concurrencyPolicy: "Some" }, want: ['spec.concurrencyPolicy: Unsupported value: "Some": supported values: "Allow", "Forbid", "Replace"'] },
])("a CronJob is refused for $name", ({ spec, want }) => {
  expect(tryCreate(cronKind, { metadata: { name: "c" }, spec: { jobTemplate: { spec: { template } }, ...spec } }).errors).toEqual(want);
});

test("a CronJob's name leaves room for that of its Jobs", () => {
  const name = "n".repeat(53);
  expect(tryCreate(cronKind, { metadata: { name }, spec: { schedule: "@daily", jobTemplate: { spec: { template } } } }).errors).toEqual([`metadata.name: Invalid value: "${name}": must be no more than 52 characters`]);
});
