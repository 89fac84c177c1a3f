/**
 * Which Jobs might take a pod that has no controller: found by the label of generated selectors, else by trying the selectors made by hand.
 * Follows client-go listers/batch/v1 (GetPodJobs), without looking at every Job.
 */
import { keyOf } from "../../api/object.ts";
import { matchesSelector, type Selector } from "../../api/selectors.ts";
import { jobSelector } from "./adoption.ts";
import { CONTROLLER_UID_LABEL, type StoredJob, type StoredPod } from "./names.ts";

interface Listed {
  readonly key: string;
  readonly selector: Selector;
}

export class JobDirectory {
  readonly #byUid = new Map<string, Listed>();
  /** Jobs whose selector does not ask for their own uid, by namespace. */
  readonly #manual = new Map<string, Map<string, Listed>>();

  set(job: StoredJob): void {
    const selector = jobSelector(job);
    if (!selector) return;
    const { uid, namespace = "" } = job.metadata;
    const listed = { key: keyOf(job), selector };
    const own = selector.some((r) => r.key === CONTROLLER_UID_LABEL && r.values.length === 1 && r.values[0] === uid);
    if (own) {
      this.#byUid.set(uid, listed);
      return;
    }
    const jobs = this.#manual.get(namespace);
    if (jobs) jobs.set(uid, listed);
    else this.#manual.set(namespace, new Map([[uid, listed]]));
  }

  delete({ metadata: { uid, namespace = "" } }: StoredJob): void {
    this.#byUid.delete(uid);
    const jobs = this.#manual.get(namespace);
    jobs?.delete(uid);
    if (jobs?.size === 0) this.#manual.delete(namespace);
  }

  /** Keys of the Jobs whose selector matches the pod. */
  matching({ metadata: { labels, namespace = "" } }: StoredPod): string[] {
    const own = this.#byUid.get(labels?.[CONTROLLER_UID_LABEL] ?? "");
    const candidates = [...(own ? [own] : []), ...(this.#manual.get(namespace)?.values() ?? [])];
    return candidates.filter(({ key, selector }) => key.startsWith(`${namespace}/`) && matchesSelector(selector, labels)).map(({ key }) => key);
  }
}
