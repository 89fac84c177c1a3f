/**
 * Which events become one: equal ones raise a count, many similar ones become "(combined from similar events)", and a source that says too
 * much about an object is not heard. Pure bookkeeping, bounded; sends nothing.
 * Follows client-go tools/record/events_cache.go.
 */
import type { Clock, Instant } from "../base/clock.ts";
import type { Event } from "../api/generated/types.ts";

export interface CorrelatedEvent {
  readonly event: Event;
  /** The event exists already under this name: its count, time and message change. */
  readonly isUpdate: boolean;
}

const CACHED_MAX = 4096;
/** This many different messages of one reason within the interval, and the rest is combined. */
const SIMILAR_MAX = 10;
const SIMILAR_INTERVAL_MS = 600_000;
/** An object may have this many events of one source at once, and one more every five minutes. */
const BURST = 25;
const REFILL_MS = 300_000;

interface Similar {
  readonly messages: Set<string>;
  lastAt: Instant;
}

interface Observed {
  readonly name: string;
  readonly count: number;
  readonly firstTimestamp: string | undefined;
}

interface Bucket {
  tokens: number;
  at: Instant;
}

export class EventCorrelator {
  readonly #clock: Clock;
  readonly #nameOf: (objectName: string) => string;
  readonly #similar = new RecentlyUsed<Similar>();
  readonly #observed = new RecentlyUsed<Observed>();
  readonly #buckets = new RecentlyUsed<Bucket>();

  /** `nameOf` makes a fresh event name of an object's name. */
  constructor(clock: Clock, nameOf: (objectName: string) => string) {
    this.#clock = clock;
    this.#nameOf = nameOf;
  }

  /** What to write for `event`; undefined when it is not to be written. */
  correlate(event: Event): CorrelatedEvent | undefined {
    const { event: aggregated, key } = this.#aggregate(event);
    const correlated = this.#observe(aggregated, key);
    return this.#isSpam(event) ? undefined : correlated;
  }

  #aggregate(event: Event): { event: Event; key: string } {
    const now = this.#clock.now();
    const similarKey = JSON.stringify([sourceAndObject(event), event.type, event.reason, event.reportingComponent, event.reportingInstance]);
    const known = this.#similar.get(similarKey);
    const similar = known && now - known.lastAt <= SIMILAR_INTERVAL_MS ? known : { messages: new Set<string>(), lastAt: now };
    const message = event.message ?? "";
    similar.messages.add(message);
    similar.lastAt = now;
    this.#similar.set(similarKey, similar);
    if (similar.messages.size < SIMILAR_MAX) return { event, key: JSON.stringify([sourceAndObject(event), event.involvedObject.fieldPath, event.type, event.reason, message]) };
    const [oldest = ""] = similar.messages;
    similar.messages.delete(oldest);
    const combined = { ...event, metadata: { ...event.metadata, name: this.#nameOf(event.involvedObject.name ?? "") }, message: `(combined from similar events): ${message}` };
    return { event: combined, key: similarKey };
  }

  #observe(event: Event, key: string): CorrelatedEvent {
    const last = this.#observed.get(key);
    const count = (last?.count ?? 0) + 1;
    const name = last?.name ?? event.metadata.name ?? "";
    const firstTimestamp = last ? last.firstTimestamp : event.firstTimestamp;
    this.#observed.set(key, { name, count, firstTimestamp });
    if (!last) return { event, isUpdate: false };
    return { event: { ...event, metadata: { ...event.metadata, name }, count, ...(firstTimestamp !== undefined && { firstTimestamp }) }, isUpdate: true };
  }

  #isSpam(event: Event): boolean {
    const now = this.#clock.now();
    const key = sourceAndObject(event);
    const known = this.#buckets.get(key);
    const bucket = known ?? { tokens: BURST, at: now };
    bucket.tokens = Math.min(BURST, bucket.tokens + (now - bucket.at) / REFILL_MS);
    bucket.at = now;
    this.#buckets.set(key, bucket);
    if (bucket.tokens < 1) return true;
    bucket.tokens -= 1;
    return false;
  }
}

function sourceAndObject({ source, involvedObject: o }: Event): string {
  return JSON.stringify([source?.component, source?.host, o.kind, o.namespace, o.name, o.uid, o.apiVersion]);
}

/** Forgets what was not used for the longest time. */
class RecentlyUsed<V> {
  readonly #values = new Map<string, V>();

  get(key: string): V | undefined {
    const value = this.#values.get(key);
    if (value !== undefined) {
      this.#values.delete(key);
      this.#values.set(key, value);
    }
    return value;
  }

  set(key: string, value: V): void {
    this.#values.delete(key);
    this.#values.set(key, value);
    const [oldest] = this.#values.keys();
    if (this.#values.size > CACHED_MAX && oldest !== undefined) this.#values.delete(oldest);
  }
}
