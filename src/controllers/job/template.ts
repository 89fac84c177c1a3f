/**
 * The pod that a Job makes from its template: name, owner, finalizer, and for Indexed Jobs what tells the pod its index.
 * Follows kubernetes pkg/controller/controller_utils.go (GetPodFromTemplate) and pkg/controller/job/indexed_job_utils.go.
 */
import type { Container, EnvVar, Pod, PodSpec } from "../../api/generated/types.ts";
import { subdomainName } from "../../api/names.ts";
import { controllerReference } from "./adoption.ts";
import { COMPLETION_INDEX, COMPLETION_INDEX_VARIABLE, hasBackoffLimitPerIndex, INDEX_FAILURE_COUNT, INDEX_IGNORED_FAILURE_COUNT, isIndexed, TRACKING_FINALIZER, type StoredJob, type StoredPod } from "./names.ts";
import { nextFailureCounts } from "./indexed-pods.ts";

/** 63 less the five random characters. */
const GENERATED_PREFIX_MAX = 58;

const INDEX_VARIABLE: EnvVar = { name: COMPLETION_INDEX_VARIABLE, valueFrom: { fieldRef: { fieldPath: `metadata.labels['${COMPLETION_INDEX}']` } } };

const withIndexVariable = (container: Container): Container =>
  container.env?.some((v) => v.name === COMPLETION_INDEX_VARIABLE) ? container : { ...container, env: [...(container.env ?? []), INDEX_VARIABLE] };

/** `<job>-<index>-`, the Job's part cut so that the random suffix fits in. */
export function indexedNamePrefix(jobName: string, index: number): string {
  const end = `-${index}-`;
  return `${jobName.slice(0, GENERATED_PREFIX_MAX - end.length)}${end}`;
}

/** `<job>-`, or the bare name where that could not begin a pod's name. */
export const namePrefix = (jobName: string): string => (subdomainName(`${jobName}-`, true).length === 0 ? `${jobName}-` : jobName);

/** Makes the pods of one Job: what they share is worked out once. */
export function podFactory(job: StoredJob): (index?: number, replaced?: StoredPod) => Pod {
  const { metadata = {}, spec = { containers: [] } } = job.spec.template;
  const finalizers = [...(metadata.finalizers ?? [])];
  if (!finalizers.includes(TRACKING_FINALIZER)) finalizers.push(TRACKING_FINALIZER);
  const shared = { ...(metadata.labels && { labels: metadata.labels }), ...(metadata.annotations && { annotations: metadata.annotations }), finalizers, ownerReferences: [controllerReference(job)] };
  const head = { apiVersion: "v1", kind: "Pod" };
  const { name, namespace } = job.metadata;
  if (!isIndexed(job)) return () => ({ ...head, metadata: { ...shared, generateName: namePrefix(name), ...(namespace && { namespace }) }, spec });

  const indexedSpec: PodSpec = {
    ...spec,
    containers: spec.containers.map(withIndexVariable),
    ...(spec.initContainers && { initContainers: spec.initContainers.map(withIndexVariable) }),
  };
  return (index = 0, replaced) => ({
    ...head,
    metadata: {
      ...shared,
      generateName: indexedNamePrefix(name, index),
      ...(namespace && { namespace }),
      labels: { ...metadata.labels, [COMPLETION_INDEX]: `${index}` },
      annotations: { ...metadata.annotations, [COMPLETION_INDEX]: `${index}`, ...failureCounts(job, replaced) },
    },
    spec: { ...indexedSpec, hostname: `${name}-${index}` },
  });
}

function failureCounts(job: StoredJob, replaced: StoredPod | undefined): Record<string, string> {
  if (!hasBackoffLimitPerIndex(job)) return {};
  const { failures, ignored } = nextFailureCounts(job, replaced);
  return { [INDEX_FAILURE_COUNT]: `${failures}`, ...(ignored > 0 && { [INDEX_IGNORED_FAILURE_COUNT]: `${ignored}` }) };
}
