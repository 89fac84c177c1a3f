/**
 * Counters of the server in Prometheus' text format: requests by verb, resource and code, their durations, what waits, what watches.
 * Names are kube-apiserver's. Made by hand: a registry library costs more at start-up than it gives.
 */
import type { RequestQueue } from "./queues.ts";
import type { RequestInfo } from "./request-info.ts";

const BUCKETS_SECONDS = [0.005, 0.025, 0.1, 0.5, 1, 2, 5, 10, 30, 60];
/** Beyond this many label sets new ones are counted together, as "other". */
const SERIES_MAX = 2000;

interface Series {
  count: number;
  seconds: number;
  readonly buckets: number[];
}

export interface MetricsOptions {
  readonly queues: { readonly reading: RequestQueue; readonly mutating: RequestQueue };
  readonly watches: () => number;
}

export interface Metrics {
  readonly contentType: string;
  observe(info: RequestInfo, method: string, status: number, durationMs: number): void;
  text(): Promise<string>;
  /** Counts from nothing again. */
  reset(): void;
}

/** More lines for /metrics, from other parts of the process. */
export type MetricsSource = () => Promise<string> | string;

const label = (value: string): string => value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");

export function openMetrics({ queues, watches }: MetricsOptions, sources: readonly MetricsSource[] = []): Metrics {
  const series = new Map<string, Series>();
  const find = (key: string): Series => {
    const bounded = series.has(key) || series.size < SERIES_MAX ? key : 'code="",group="",resource="other",verb="OTHER"';
    let found = series.get(bounded);
    if (!found) series.set(bounded, (found = { count: 0, seconds: 0, buckets: BUCKETS_SECONDS.map(() => 0) }));
    return found;
  };
  return {
    contentType: "text/plain; version=0.0.4; charset=utf-8; escaping=underscores",
    reset: () => series.clear(),
    observe(info, method, status, durationMs) {
      const verb = info.isResource ? info.verb.toUpperCase() : method;
      const resource = info.subresource === "" ? info.resource : `${info.resource}/${info.subresource}`;
      const known = status === 404 || status === 403 || status === 401 ? "" : resource;
      const entry = find(`code="${status}",group="${label(known && info.group)}",resource="${label(known)}",verb="${label(verb)}"`);
      const seconds = durationMs / 1000;
      entry.count++;
      entry.seconds += seconds;
      BUCKETS_SECONDS.forEach((limit, i) => {
        if (seconds <= limit) entry.buckets[i] = (entry.buckets[i] ?? 0) + 1;
      });
    },
    async text() {
      const own = [...requestLines(series), ...gaugeLines(queues, watches())].join("\n");
      const others = await Promise.all(sources.map(async (source) => source()));
      return [own, ...others, ""].join("\n");
    },
  };
}

function requestLines(series: ReadonlyMap<string, Series>): string[] {
  const totals = [...series].map(([labels, { count }]) => `apiserver_request_total{${labels}} ${count}`);
  const durations = [...series].flatMap(([labels, { count, seconds, buckets }]) => [
    ...BUCKETS_SECONDS.map((limit, i) => `apiserver_request_duration_seconds_bucket{${labels},le="${limit}"} ${buckets[i] ?? 0}`),
    `apiserver_request_duration_seconds_bucket{${labels},le="+Inf"} ${count}`,
    `apiserver_request_duration_seconds_sum{${labels}} ${seconds}`,
    `apiserver_request_duration_seconds_count{${labels}} ${count}`,
  ]);
  return ["# TYPE apiserver_request_total counter", ...totals, "# TYPE apiserver_request_duration_seconds histogram", ...durations];
}

function gaugeLines({ reading, mutating }: MetricsOptions["queues"], watches: number): string[] {
  return [
    "# TYPE apiserver_current_inflight_requests gauge",
    `apiserver_current_inflight_requests{request_kind="readOnly"} ${reading.running}`,
    `apiserver_current_inflight_requests{request_kind="mutating"} ${mutating.running}`,
    "# TYPE apiserver_current_inqueue_requests gauge",
    `apiserver_current_inqueue_requests{request_kind="readOnly"} ${reading.waiting}`,
    `apiserver_current_inqueue_requests{request_kind="mutating"} ${mutating.waiting}`,
    "# TYPE apiserver_longrunning_requests gauge",
    `apiserver_longrunning_requests{verb="WATCH"} ${watches}`,
    "# TYPE process_resident_memory_bytes gauge",
    `process_resident_memory_bytes ${process.memoryUsage.rss()}`,
  ];
}
