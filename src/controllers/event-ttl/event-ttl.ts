/**
 * Deletes Events an hour after they were last written, and the oldest ones sooner where there are too many. One timer, for the next one that is due.
 * Upstream has etcd do that with leases (--event-ttl).
 */
import type { Instant } from "../../base/clock.ts";
import { WorkQueue } from "../../base/work-queue.ts";
import type { Event } from "../../api/generated/types.ts";
import type { Stored } from "../../api/object.ts";
import { EVENTS } from "../../api/resource.ts";
import { isNotFound } from "../../api/status-error.ts";
import { parseTime } from "../../api/time.ts";
import type { Controller, ControllerContext, ReconcileResult } from "../framework/controller.ts";
import { inParallel } from "../framework/parallel.ts";

export interface EventTtlOptions {
  readonly ttlMs?: number;
  /** Beyond it the oldest are deleted: they are records of what happened, and no state. */
  readonly eventsMax?: number;
}

const TTL_MS = 3_600_000;
const EVENTS_MAX = 20_000;
/** Events that end close together are deleted together. */
const TOGETHER_MS = 10_000;
const DELETES_AT_ONCE = 32;
const SWEEP = "sweep";

/** When it was last written, as well as the object tells. */
export function lastWrittenAt({ metadata, lastTimestamp, eventTime, series }: Stored<Event>): Instant {
  const times = [metadata.creationTimestamp, lastTimestamp, eventTime, series?.lastObservedTime, ...(metadata.managedFields ?? []).map((entry) => entry.time)];
  return Math.max(0, ...times.map((time) => (time ? (parseTime(time) ?? 0) : 0)));
}

export interface Sweep {
  readonly remove: readonly Stored<Event>[];
  /** When the next one is due; undefined when none is left. */
  readonly nextAfterMs: number | undefined;
}

export function decideSweep(events: readonly Stored<Event>[], now: Instant, { ttlMs = TTL_MS, eventsMax = EVENTS_MAX }: EventTtlOptions): Sweep {
  const byAge = events.map((event) => ({ event, at: lastWrittenAt(event) })).sort((a, b) => a.at - b.at);
  const surplus = Math.max(0, byAge.length - eventsMax);
  const kept = byAge.findIndex(({ at }, i) => i >= surplus && at + ttlMs > now);
  const [first] = kept < 0 ? [] : byAge.slice(kept, kept + 1);
  return { remove: byAge.slice(0, kept < 0 ? byAge.length : kept).map(({ event }) => event), nextAfterMs: first && first.at + ttlMs - now };
}

/** Makes the controller; it is to be run when the informers are synced. */
export function openEventTtlController({ client, informers, clock, logger }: ControllerContext, options: EventTtlOptions = {}): readonly Controller[] {
  const { ttlMs = TTL_MS, eventsMax = EVENTS_MAX } = options;
  const queue = new WorkQueue({ clock });
  const events = informers.of(EVENTS);
  let count = 0;
  events.on({
    onSet(_event, old) {
      if (!old) count++;
      // Too many by a tenth: so that not every further one is a sweep.
      if (count > eventsMax * 1.1) queue.addAfter(SWEEP, 1000);
      else queue.addAfter(SWEEP, ttlMs);
    },
    onDelete: () => void count--,
  });

  async function remove({ metadata: { namespace = "", name, uid } }: Stored<Event>): Promise<void> {
    try {
      await client.delete(EVENTS, { namespace, name }, { preconditions: { uid } });
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  }

  async function reconcile(): Promise<ReconcileResult> {
    const sweep = decideSweep(events.list(), clock.now(), options);
    await inParallel(sweep.remove, DELETES_AT_ONCE, remove);
    return sweep.nextAfterMs === undefined ? {} : { requeueAfterMs: sweep.nextAfterMs + TOGETHER_MS };
  }
  return [{ name: "event-ttl", queue, workers: 1, reconcile, logger }];
}
