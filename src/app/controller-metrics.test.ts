import { describe, expect, test } from "vitest";
import { openControllerMetrics } from "./controller-metrics.ts";

describe("what the controllers count", () => {
  test("has upstream's names from the start", () => {
    const text = openControllerMetrics().text();
    expect(text).toContain("# TYPE job_controller_job_sync_duration_seconds histogram");
    expect(text).toContain("# TYPE job_controller_jobs_finished_total counter");
    expect(text).toContain("# TYPE cronjob_controller_job_creation_skew_duration_seconds histogram");
  });

  test("counters add up by their labels", () => {
    const metrics = openControllerMetrics();
    metrics.job.add("job_syncs_total", { result: "success" }, 2);
    metrics.job.add("job_syncs_total", { result: "success" }, 1);
    metrics.job.add("job_syncs_total", { result: "error" }, 1);
    expect(metrics.text()).toContain('job_controller_job_syncs_total{result="success"} 3\njob_controller_job_syncs_total{result="error"} 1');
  });

  test("durations fall into every bucket from their own on", () => {
    const metrics = openControllerMetrics();
    metrics.cronJob.observe("job_creation_skew_duration_seconds", {}, 3);
    const text = metrics.text();
    expect(text).toContain('job_creation_skew_duration_seconds_bucket{le="2"} 0');
    expect(text).toContain('job_creation_skew_duration_seconds_bucket{le="4"} 1');
    expect(text).toContain('job_creation_skew_duration_seconds_bucket{le="+Inf"} 1');
    expect(text).toContain("job_creation_skew_duration_seconds_sum 3");
  });

  test("labels are escaped, and too many are counted together", () => {
    const metrics = openControllerMetrics();
    metrics.job.add("jobs_by_external_controller_total", { controller_name: 'a"b' }, 1);
    for (let i = 0; i < 600; i++) metrics.job.add("jobs_by_external_controller_total", { controller_name: `c${i}` }, 1);
    expect(metrics.text()).toContain('{controller_name="a\\"b"} 1');
    expect(metrics.text()).toContain('jobs_by_external_controller_total{other="true"} 101');
  });
});
