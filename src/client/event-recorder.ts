/**
 * Tells of what happened to an object, as core/v1 Events. Never blocks the caller and never fails it: events go out behind its back, those
 * of one object in order, and are dropped where there are too many. Which events become one is decided in event-correlator.ts.
 * Follows client-go tools/record/event.go.
 */
import type { Chance, Ids } from "../base/chance.ts";
import { sleep, type Clock } from "../base/clock.ts";
import type { Logger } from "../base/logger.ts";
import { WorkQueue } from "../base/work-queue.ts";
import type { Event, ObjectMeta } from "../api/generated/types.ts";
import { apiVersionOf, EVENTS, type Resource } from "../api/resource.ts";
import { isAlreadyExists, isForbidden, isNotFound, StatusError } from "../api/status-error.ts";
import { formatTime } from "../api/time.ts";
import type { Client } from "./client.ts";
import { EventCorrelator } from "./event-correlator.ts";
import { isUnreachable } from "./unreachable.ts";

export type EventType = "Normal" | "Warning";

export interface EventOptions {
  /** The part of the object it is about: `spec.containers{main}`. */
  readonly fieldPath?: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

export interface EventRecorder {
  /** Records that `reason` happened to `object` (of which only names and ids are read). */
  event(resource: Resource, object: { readonly metadata: ObjectMeta }, type: EventType, reason: string, message: string, options?: EventOptions): void;
  /** Resolves when everything recorded so far went out or was dropped. */
  flush(): Promise<void>;
}

export interface EventRecorderDeps {
  readonly client: Client;
  readonly clock: Clock;
  readonly chance: Chance;
  readonly ids: Ids;
  readonly logger: Logger;
}

/** Who records: `job-controller`, or `kubelet` on a host. */
export interface EventSource {
  readonly component: string;
  readonly host?: string;
}

/** Events that may wait to go out; further ones are dropped. */
const WAITING_MAX = 4096;
const WORKERS = 16;
/** Upstream's maxTriesPerEvent and sleepDuration: for a server that cannot be reached. */
const TRIES_MAX = 12;
const RETRY_MS = 10_000;
const NAME_LENGTH_MAX = 253;

/** Makes a recorder that speaks as `source`. */
export function openEventRecorder(source: EventSource, deps: EventRecorderDeps): EventRecorder {
  return new QueuedRecorder(source, deps);
}

class QueuedRecorder implements EventRecorder {
  readonly #source: EventSource;
  readonly #deps: EventRecorderDeps;
  readonly #correlator: EventCorrelator;
  /** What waits, by the object it is about. */
  readonly #waiting = new Map<string, Event[]>();
  readonly #objects: WorkQueue;
  readonly #idle: (() => void)[] = [];
  #waitingCount = 0;
  #workers = 0;
  #lastNanos = 0n;

  constructor(source: EventSource, deps: EventRecorderDeps) {
    this.#source = source;
    this.#deps = deps;
    this.#correlator = new EventCorrelator(deps.clock, (name) => this.#nameOf(name));
    this.#objects = new WorkQueue({ clock: deps.clock });
  }

  event(resource: Resource, object: { readonly metadata: ObjectMeta }, type: EventType, reason: string, message: string, options: EventOptions = {}): void {
    if (this.#waitingCount >= WAITING_MAX) {
      this.#deps.logger.warn("too many events wait, one is dropped", { reason, message });
      return;
    }
    const event = this.#make(resource, object.metadata, type, reason, message, options);
    const key = `${resource.kind}/${object.metadata.namespace ?? ""}/${object.metadata.name ?? ""}`;
    const events = this.#waiting.get(key);
    if (events) events.push(event);
    else this.#waiting.set(key, [event]);
    this.#waitingCount++;
    this.#objects.add(key);
    if (this.#workers < WORKERS) void this.#work();
  }

  flush(): Promise<void> {
    return this.#workers === 0 ? Promise.resolve() : new Promise((resolve) => void this.#idle.push(resolve));
  }

  #make(resource: Resource, meta: ObjectMeta, type: EventType, reason: string, message: string, options: EventOptions): Event {
    const { component, host } = this.#source;
    const time = formatTime(this.#deps.clock.now());
    const { namespace = "", name = "", uid, resourceVersion } = meta;
    return {
      apiVersion: "v1",
      kind: "Event",
      metadata: { name: this.#nameOf(name), namespace: namespace || "default", ...(options.annotations && { annotations: options.annotations }) },
      involvedObject: {
        kind: resource.kind,
        ...(namespace !== "" && { namespace }),
        name,
        ...(uid !== undefined && { uid }),
        apiVersion: apiVersionOf(resource),
        ...(resourceVersion !== undefined && { resourceVersion }),
        ...(options.fieldPath !== undefined && { fieldPath: options.fieldPath }),
      },
      reason,
      message,
      source: { component, ...(host !== undefined && { host }) },
      firstTimestamp: time,
      lastTimestamp: time,
      count: 1,
      type,
      reportingComponent: component,
      reportingInstance: host ?? "",
    };
  }

  /** The object's name and the time in nanoseconds, which never repeats here. */
  #nameOf(objectName: string): string {
    const now = BigInt(Math.trunc(this.#deps.clock.now())) * 1_000_000n;
    this.#lastNanos = now > this.#lastNanos ? now : this.#lastNanos + 1n;
    const name = `${objectName}.${this.#lastNanos.toString(16)}`;
    return name.length <= NAME_LENGTH_MAX ? name : this.#deps.ids.uid();
  }

  /** Sends while something waits; one worker an object, so that its events stay in order. */
  async #work(): Promise<void> {
    this.#workers++;
    while (this.#objects.length > 0) {
      const key = await this.#objects.take();
      if (key === undefined) break;
      const events = this.#waiting.get(key) ?? [];
      const event = events.shift();
      this.#waitingCount--;
      if (event) await this.#correlate(event);
      if (events.length > 0) this.#objects.add(key);
      else this.#waiting.delete(key);
      this.#objects.done(key);
    }
    this.#workers--;
    if (this.#workers === 0) for (const resolve of this.#idle.splice(0)) resolve();
  }

  async #correlate(event: Event): Promise<void> {
    const correlated = this.#correlator.correlate(event);
    if (!correlated) return;
    for (let tries = 0; tries < TRIES_MAX; tries++) {
      if (tries > 0) await sleep(this.#deps.clock, tries === 1 ? RETRY_MS * this.#deps.chance.next() : RETRY_MS);
      if (await this.#send(correlated.event, correlated.isUpdate)) return;
    }
    this.#deps.logger.error("an event could not be written and is dropped", { reason: event.reason, message: event.message });
  }

  /** False when the server could not be asked. An answer, be it a refusal, is the end of it. */
  async #send(event: Event, isUpdate: boolean): Promise<boolean> {
    const { client, logger } = this.#deps;
    const { name = "", namespace = "" } = event.metadata ?? {};
    try {
      if (isUpdate) {
        const { count, lastTimestamp, message } = event;
        try {
          await client.patch(EVENTS, { namespace, name }, "strategic", { count, lastTimestamp, message });
          return true;
        } catch (error) {
          if (!isNotFound(error)) throw error;
        }
      }
      await client.create(EVENTS, namespace, event);
      return true;
    } catch (error) {
      if (!(error instanceof StatusError) || isUnreachable(error)) return false;
      // A namespace that is going away takes no events; an event that exists was written by a try whose answer was lost.
      if (!isAlreadyExists(error) && !isForbidden(error)) logger.warn("an event was refused", { reason: event.reason, error });
      return true;
    }
  }
}
