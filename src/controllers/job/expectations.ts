/**
 * What this controller wrote and has not seen in its cache yet, per Job: pods made and deleted (until they are seen the number of pods is not
 * managed), and pods whose finalizer was taken off (until it is seen they would be counted again). Kept apart from framework/own-writes because
 * hundreds of pods are awaited at a time: everything here is a lookup by uid.
 * Follows kubernetes pkg/controller/job/tracking_utils.go and pkg/controller/controller_utils.go (expectations).
 */
import type { Instant } from "../../base/clock.ts";
import type { StoredPod } from "./names.ts";
import { isBeingDeleted, isTracked } from "./pods.ts";

/** An awaited pod that stays unseen this long is asked for directly: it may have come and gone while a watch was broken. */
export const UNSEEN_MS_MAX = 5_000;

interface Awaited {
  readonly created: Map<string, { readonly pod: StoredPod; readonly since: Instant }>;
  readonly deleted: Set<string>;
  readonly releasing: Set<string>;
  /** Pods that were seen, or seen gone, while creations were under way: their answers may come later than the watch. */
  readonly seen: Set<string>;
  creating: number;
}

const NONE: ReadonlySet<string> = new Set();

export class Expectations {
  readonly #byJob = new Map<string, Awaited>();

  #of(job: string): Awaited {
    let awaited = this.#byJob.get(job);
    if (!awaited) this.#byJob.set(job, (awaited = { created: new Map(), deleted: new Set(), releasing: new Set(), seen: new Set(), creating: 0 }));
    return awaited;
  }

  beginCreating(job: string): void {
    this.#of(job).creating += 1;
  }

  endCreating(job: string): void {
    const awaited = this.#of(job);
    awaited.creating -= 1;
    if (awaited.creating === 0) awaited.seen.clear();
    this.#tidy(job);
  }

  /** Between beginCreating and endCreating. */
  created(job: string, pod: StoredPod, now: Instant): void {
    const awaited = this.#of(job);
    if (!awaited.seen.has(pod.metadata.uid)) awaited.created.set(pod.metadata.uid, { pod, since: now });
  }

  deleting(job: string, uid: string): void {
    this.#of(job).deleted.add(uid);
  }

  notDeleting(job: string, uid: string): void {
    this.#byJob.get(job)?.deleted.delete(uid);
    this.#tidy(job);
  }

  releasing(job: string, uid: string): void {
    this.#of(job).releasing.add(uid);
  }

  notReleasing(job: string, uid: string): void {
    this.#byJob.get(job)?.releasing.delete(uid);
    this.#tidy(job);
  }

  /** The cache shows a state of the pod. Says whether this state was awaited: nobody else caused it. */
  observe(job: string, pod: StoredPod): boolean {
    const awaited = this.#byJob.get(job);
    if (!awaited) return false;
    const { uid } = pod.metadata;
    if (awaited.creating > 0) awaited.seen.add(uid);
    // A surplus pod loses its finalizer before it is deleted: that is the controller's own doing too.
    const letGo = !isTracked(pod) && awaited.deleted.has(uid);
    const own = [letGo, awaited.created.delete(uid), isBeingDeleted(pod) && awaited.deleted.delete(uid), !isTracked(pod) && awaited.releasing.delete(uid)];
    this.#tidy(job);
    return own.includes(true);
  }

  /** The pod is gone from the cache. */
  observeGone(job: string, uid: string): void {
    const awaited = this.#byJob.get(job);
    if (!awaited) return;
    if (awaited.creating > 0) awaited.seen.add(uid);
    awaited.created.delete(uid);
    awaited.deleted.delete(uid);
    awaited.releasing.delete(uid);
    this.#tidy(job);
  }

  /** Created pods that the cache does not show yet: they run all the same. */
  unseen(job: string): StoredPod[] {
    return [...(this.#byJob.get(job)?.created.values() ?? [])].map(({ pod }) => pod);
  }

  caughtUp(job: string): boolean {
    const awaited = this.#byJob.get(job);
    return !awaited || (awaited.created.size === 0 && awaited.deleted.size === 0);
  }

  releasingOf(job: string): ReadonlySet<string> {
    return this.#byJob.get(job)?.releasing ?? NONE;
  }

  /** Created pods that should have been seen long ago. */
  overdue(job: string, now: Instant): StoredPod[] {
    return [...(this.#byJob.get(job)?.created.values() ?? [])].filter(({ since }) => now - since >= UNSEEN_MS_MAX).map(({ pod }) => pod);
  }

  /** The pod is there, only not in the cache: it is waited for again. */
  stillThere(job: string, pod: StoredPod, now: Instant): void {
    const { created } = this.#of(job);
    if (created.has(pod.metadata.uid)) created.set(pod.metadata.uid, { pod, since: now });
  }

  forget(job: string): void {
    this.#byJob.delete(job);
  }

  #tidy(job: string): void {
    const awaited = this.#byJob.get(job);
    if (awaited && awaited.creating === 0 && awaited.created.size + awaited.deleted.size + awaited.releasing.size === 0) this.#byJob.delete(job);
  }
}
