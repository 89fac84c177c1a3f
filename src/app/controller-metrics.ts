/**
 * What the controllers count, kept for /metrics in Prometheus' text format under upstream's names. By hand, as the server's own metrics are.
 * Bounded: label values are the controllers' own; where a name has too many label sets, new ones are counted together.
 */
import { CREATION_SKEW_BUCKETS, CREATION_SKEW_METRIC } from "../controllers/cronjob/controller.ts";
import type { Controller } from "../controllers/framework/controller.ts";
import { JOB_METRICS, SYNC_DURATION_BUCKETS, type MetricSink } from "../controllers/job/metrics.ts";

const SERIES_MAX = 500;
const OTHER = 'other="true"';

type Labels = Readonly<Record<string, string>>;

interface Histogram {
  readonly buckets: number[];
  sum: number;
  count: number;
}

export interface ControllerMetrics {
  readonly job: MetricSink;
  readonly cronJob: Pick<MetricSink, "observe">;
  /** The depths of these controllers' queues are told from now on; gives the controllers back. */
  watch(controllers: readonly Controller[]): readonly Controller[];
  /** Lines for /metrics. */
  text(): string;
}

const escape = (value: string): string => value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
const spell = (labels: Labels): string => Object.entries(labels).map(([name, value]) => `${name}="${escape(value)}"`).join(",");
const braced = (...labels: readonly string[]): string => {
  const some = labels.filter((text) => text !== "");
  return some.length === 0 ? "" : `{${some.join(",")}}`;
};

/** The series of one metric, by their labels. */
class Series<T> {
  readonly #byLabels = new Map<string, T>();
  readonly #make: () => T;

  constructor(make: () => T) {
    this.#make = make;
  }

  set(labels: Labels, change: (old: T) => T): void {
    const spelled = spell(labels);
    const key = this.#byLabels.has(spelled) || this.#byLabels.size < SERIES_MAX ? spelled : OTHER;
    this.#byLabels.set(key, change(this.#byLabels.get(key) ?? this.#make()));
  }

  lines(line: (labels: string, value: T) => readonly string[]): readonly string[] {
    return [...this.#byLabels].flatMap(([labels, value]) => line(labels, value));
  }
}

interface Metric {
  readonly name: string;
  readonly help: string;
  lines(): readonly string[];
}

const head = ({ name, help }: Pick<Metric, "name" | "help">, type: string) => [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`];

class Counter implements Metric {
  readonly name: string;
  readonly help: string;
  readonly #series = new Series<number>(() => 0);

  constructor(name: string, help: string) {
    this.name = name;
    this.help = help;
  }

  add(labels: Labels, by: number): void {
    this.#series.set(labels, (old) => old + by);
  }

  lines(): readonly string[] {
    return [...head(this, "counter"), ...this.#series.lines((labels, value) => [`${this.name}${braced(labels)} ${value}`])];
  }
}

class HistogramMetric implements Metric {
  readonly name: string;
  readonly help: string;
  readonly #limits: readonly number[];
  readonly #series: Series<Histogram>;

  constructor(name: string, help: string, limits: readonly number[]) {
    this.name = name;
    this.help = help;
    this.#limits = limits;
    this.#series = new Series(() => ({ buckets: limits.map(() => 0), sum: 0, count: 0 }));
  }

  observe(labels: Labels, value: number): void {
    this.#series.set(labels, (histogram) => {
      histogram.sum += value;
      histogram.count += 1;
      for (const [i, limit] of this.#limits.entries()) if (value <= limit) histogram.buckets[i] = (histogram.buckets[i] ?? 0) + 1;
      return histogram;
    });
  }

  lines(): readonly string[] {
    const { name } = this;
    return [
      ...head(this, "histogram"),
      ...this.#series.lines((labels, { buckets, sum, count }) => [
        ...this.#limits.map((limit, i) => `${name}_bucket${braced(labels, `le="${limit}"`)} ${buckets[i] ?? 0}`),
        `${name}_bucket${braced(labels, 'le="+Inf"')} ${count}`,
        `${name}_sum${braced(labels)} ${sum}`,
        `${name}_count${braced(labels)} ${count}`,
      ]),
    ];
  }
}

function depthLines(controllers: readonly Controller[]): readonly string[] {
  const about = { name: "workqueue_depth", help: "Current depth of workqueue" };
  return controllers.length === 0 ? [] : [...head(about, "gauge"), ...controllers.map(({ name, queue }) => `workqueue_depth{name="${escape(name)}"} ${queue.length}`)];
}

/** Nothing is counted yet; every name is told from the start. */
export function openControllerMetrics(): ControllerMetrics {
  const counters = new Map<string, Counter>();
  const histograms = new Map<string, HistogramMetric>();
  for (const [name, { type, help }] of Object.entries(JOB_METRICS)) {
    if (type === "counter") counters.set(name, new Counter(`job_controller_${name}`, help));
    else histograms.set(name, new HistogramMetric(`job_controller_${name}`, help, SYNC_DURATION_BUCKETS));
  }
  const skew = new HistogramMetric(`cronjob_controller_${CREATION_SKEW_METRIC}`, "Time between when a cronjob is scheduled to be run, and when the corresponding job is created", CREATION_SKEW_BUCKETS);
  const watched: Controller[] = [];
  return {
    job: {
      add: (name, labels, by) => counters.get(name)?.add(labels, by),
      observe: (name, labels, value) => histograms.get(name)?.observe(labels, value),
    },
    cronJob: { observe: (_name, labels, value) => skew.observe(labels, value) },
    watch(controllers) {
      watched.push(...controllers);
      return controllers;
    },
    text: () => [...[...counters.values(), ...histograms.values(), skew].flatMap((metric) => metric.lines()), ...depthLines(watched)].join("\n"),
  };
}
