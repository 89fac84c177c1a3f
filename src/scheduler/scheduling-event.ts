/**
 * Events as the scheduler tells them: through the newer API, so with eventTime and an action, and without counts.
 * Follows client-go tools/events/event_recorder.go.
 */
import type { Event, Pod } from "../api/generated/types.ts";
import type { Stored } from "../api/object.ts";
import { formatMicroTime } from "../api/time.ts";
import type { Instant } from "../base/clock.ts";

export const SCHEDULER_NAME = "default-scheduler";

export interface SchedulingEvent {
  readonly type: "Normal" | "Warning";
  readonly reason: "Scheduled" | "FailedScheduling";
  readonly action: "Binding" | "Scheduling";
  readonly message: string;
}

/** `note` is the 1024 characters that the newer API allows. */
const NOTE_LENGTH_MAX = 1024;

export function eventOf({ metadata }: Stored<Pod>, event: SchedulingEvent, { instance, unique, now }: { readonly instance: string; readonly unique: string; readonly now: Instant }): Event {
  const { name, namespace = "", uid, resourceVersion } = metadata;
  return {
    apiVersion: "v1", kind: "Event",
    metadata: { name: `${name}.${unique}`, namespace },
    involvedObject: { kind: "Pod", namespace, name, uid, apiVersion: "v1", resourceVersion },
    type: event.type, reason: event.reason, action: event.action,
    message: event.message.slice(0, NOTE_LENGTH_MAX),
    eventTime: formatMicroTime(now),
    source: {},
    reportingComponent: SCHEDULER_NAME,
    reportingInstance: `${SCHEDULER_NAME}-${instance}`,
  };
}
