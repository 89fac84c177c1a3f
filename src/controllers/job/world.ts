/**
 * What one sync of a Job sees, and what it can do. Data only: `decide` reads a world, the driver executes actions.
 */
import type { Instant } from "../../base/clock.ts";
import type { JobStatus, Pod } from "../../api/generated/types.ts";
import type { BackoffRecord } from "./backoff.ts";
import type { StoredJob, StoredPod } from "./names.ts";

/** Everything that a decision may depend on. */
export interface JobWorld {
  readonly job: StoredJob;
  /** The Job's pods that still matter: active, terminating, or finished and not let go yet. Claimed already. */
  readonly pods: readonly StoredPod[];
  /** Finished pods without the finalizer that the failure policy has not seen: they are judged once, and never counted. */
  readonly letGo: readonly StoredPod[];
  readonly now: Instant;
  readonly backoff: BackoffRecord;
  /** What chance adds to the back-off of a failure that is first seen now. */
  readonly spreadMs: number;
  /** All pods that this controller made or deleted have been seen in the cache. */
  readonly caughtUp: boolean;
  /** Uids of pods whose finalizer was taken off, though the cache may not show it yet: they are counted. */
  readonly releasing: ReadonlySet<string>;
  /** The last creations all went well, so slow start may go to full speed after the first pod. */
  readonly proven: boolean;
}


/** What a sync may do. Executors are a mapped type over this union: an action without one does not compile. */
export type JobAction =
  | { readonly kind: "adoptPod"; readonly job: StoredJob; readonly pod: StoredPod }
  | { readonly kind: "releasePod"; readonly job: StoredJob; readonly pod: StoredPod }
  | { readonly kind: "createPod"; readonly job: StoredJob; readonly pod: Pod }
  /** `letGo`: the finalizer goes first, so that the pod is not counted. */
  | { readonly kind: "deletePod"; readonly job: StoredJob; readonly pod: StoredPod; readonly letGo: boolean }
  | { readonly kind: "removeFinalizer"; readonly job: StoredJob; readonly pod: StoredPod }
  | { readonly kind: "updateStatus"; readonly job: StoredJob; readonly status: JobStatus };

/** The label `action` of the sync metrics: what the sync did about pods. */
export type SyncAction = "reconciling" | "tracking" | "pods_created" | "pods_deleted";
