/**
 * Jobs and pods for the tests of this room: builders that show only what matters in a test.
 */
import type { JobSpec, JobStatus, Pod, PodSpec, PodStatus } from "../../api/generated/types.ts";
import { formatTime } from "../../api/time.ts";
import { NO_FAILURES } from "./backoff.ts";
import { COMPLETION_INDEX, INDEX_FAILURE_COUNT, INDEX_IGNORED_FAILURE_COUNT, TRACKING_FINALIZER, type StoredJob, type StoredPod } from "./names.ts";
import type { JobWorld } from "./world.ts";

/** Where tests begin. */
export const START = Date.UTC(2026, 0, 1);

/** `seconds` after the start, as the API writes it. */
export const at = (seconds: number): string => formatTime(START + seconds * 1000);

export function jobOf(spec: Partial<JobSpec> = {}, status: JobStatus = {}, metadata: Partial<StoredJob["metadata"]> = {}): StoredJob {
  const labels = { "batch.kubernetes.io/controller-uid": "job-uid" };
  const completions = spec.completions ?? (spec.parallelism === undefined ? 1 : undefined);
  return {
    metadata: { name: "j", namespace: "ns", uid: "job-uid", resourceVersion: "1", creationTimestamp: at(0), generation: 1, ...metadata },
    spec: {
      parallelism: 1,
      ...(completions !== undefined && { completions }),
      backoffLimit: 6,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { restartPolicy: "Never", containers: [{ name: "main" }] } },
      ...spec,
    },
    status,
  };
}

export const indexedJob = (completions: number, spec: Partial<JobSpec> = {}, status: JobStatus = {}): StoredJob => jobOf({ completionMode: "Indexed", completions, parallelism: completions, ...spec }, status);

export interface PodSketch {
  readonly phase?: string;
  readonly uid?: string;
  readonly tracked?: boolean;
  readonly deletedAt?: number;
  readonly grace?: number;
  readonly createdAt?: number;
  readonly ready?: boolean;
  /** When the Ready condition last changed. */
  readonly readyAt?: number;
  readonly node?: string;
  readonly index?: number | string;
  readonly failures?: number | string;
  readonly ignored?: number | string;
  readonly restarts?: number;
  readonly initRestarts?: number;
  readonly exitCode?: number;
  /** When the container ended. */
  readonly finishedAt?: number;
  readonly owner?: string | null;
  readonly labels?: Readonly<Record<string, string>>;
  readonly status?: PodStatus;
  readonly spec?: Partial<PodSpec>;
}

let serial = 0;

export function podOf(sketch: PodSketch = {}): StoredPod {
  const { phase = "Pending", uid = `pod-${++serial}`, tracked = true, index, owner = "job-uid" } = sketch;
  const annotations = {
    ...(index !== undefined && { [COMPLETION_INDEX]: `${index}` }),
    ...(sketch.failures !== undefined && { [INDEX_FAILURE_COUNT]: `${sketch.failures}` }),
    ...(sketch.ignored !== undefined && { [INDEX_IGNORED_FAILURE_COUNT]: `${sketch.ignored}` }),
  };
  return {
    metadata: {
      name: uid,
      namespace: "ns",
      uid,
      resourceVersion: "1",
      creationTimestamp: at(sketch.createdAt ?? 0),
      labels: sketch.labels ?? { "batch.kubernetes.io/controller-uid": "job-uid" },
      annotations,
      ...(tracked && { finalizers: [TRACKING_FINALIZER] }),
      ...(owner !== null && { ownerReferences: [{ apiVersion: "batch/v1", kind: "Job", name: "j", uid: owner, controller: true }] }),
      ...(sketch.deletedAt !== undefined && { deletionTimestamp: at(sketch.deletedAt) }),
      ...(sketch.grace !== undefined && { deletionGracePeriodSeconds: sketch.grace }),
    },
    spec: { containers: [{ name: "main" }], ...(sketch.node !== undefined && { nodeName: sketch.node }), ...sketch.spec },
    status: { phase, ...statusOf(sketch), ...sketch.status },
  };
}

function statusOf({ ready, readyAt, restarts = 0, initRestarts, exitCode, finishedAt }: PodSketch): Pod["status"] {
  const ended = exitCode !== undefined || finishedAt !== undefined;
  const terminated = { exitCode: exitCode ?? 0, ...(finishedAt !== undefined && { finishedAt: at(finishedAt) }) };
  const container = { name: "main", image: "", imageID: "", ready: false, restartCount: restarts, ...(ended && { state: { terminated } }) };
  return {
    ...((ended || restarts > 0) && { containerStatuses: [container] }),
    ...(initRestarts !== undefined && { initContainerStatuses: [{ name: "init", image: "", imageID: "", ready: true, restartCount: initRestarts }] }),
    ...(ready !== undefined && { conditions: [{ type: "Ready", status: ready ? "True" : "False", ...(readyAt !== undefined && { lastTransitionTime: at(readyAt) }) }] }),
  };
}

export const worldOf = (job: StoredJob, pods: readonly StoredPod[] = [], rest: Partial<JobWorld> = {}): JobWorld => ({
  job,
  pods,
  letGo: [],
  now: START + 60_000,
  backoff: NO_FAILURES,
  spreadMs: 0,
  caughtUp: true,
  releasing: new Set(),
  proven: false,
  ...rest,
});
