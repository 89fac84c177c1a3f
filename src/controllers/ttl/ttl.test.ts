import { expect, test } from "vitest";
import type { Job } from "../../api/generated/types.ts";
import type { Stored } from "../../api/object.ts";
import { decideTtl } from "./decide.ts";

const job = ({ ttl, condition = "Complete", status = "True", deleted = false }: { ttl?: number; condition?: string; status?: string; deleted?: boolean }): Stored<Job> => ({
    metadata: { name: "j", uid: "u", resourceVersion: "1", creationTimestamp: "", ...(deleted && { deletionTimestamp: "t" }) },
    spec: { template: {}, ...(ttl !== undefined && { ttlSecondsAfterFinished: ttl }) },
    status: { conditions: [{ type: "SuccessCriteriaMet", status: "True" }, { type: condition, status, lastTransitionTime: "1970-01-01T00:00:10Z" }] },
  });

test.each([
  { name: "no ttl", job: job({}), now: 99_000, want: { kind: "keep" } },
  { name: "not finished", job: job({ ttl: 0, condition: "Suspended" }), now: 99_000, want: { kind: "keep" } },
  { name: "no longer failed", job: job({ ttl: 0, condition: "Failed", status: "False" }), now: 99_000, want: { kind: "keep" } },
  { name: "being deleted", job: job({ ttl: 0, deleted: true }), now: 99_000, want: { kind: "keep" } },
  { name: "ttl not over", job: job({ ttl: 5 }), now: 14_999, want: { kind: "recheck", afterMs: 1 } },
  { name: "ttl over", job: job({ ttl: 5 }), now: 15_000, want: { kind: "delete" } },
  { name: "ttl 0, failed", job: job({ ttl: 0, condition: "Failed" }), now: 10_000, want: { kind: "delete" } },
])("a Job with $name", ({ job, now, want }) => {
  expect(decideTtl(job, now)).toEqual(want);
});
