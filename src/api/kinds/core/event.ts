/**
 * The kind Event, in its two forms: core/v1 is what is stored, events.k8s.io/v1 is another view of the same objects with stricter rules on creation.
 * Follows kubernetes pkg/apis/core/validation/events.go, pkg/apis/events/v1/conversion.go and pkg/registry/core/event/strategy.go.
 */
import { table } from "../../../base/own.ts";
import type { Instant } from "../../../base/clock.ts";
import { invalidValue, required } from "../../field-error.ts";
import type { Event as CoreEvent, EventsV1Event, ObjectReference } from "../../generated/types.ts";
import { isDns1123Subdomain, isQualifiedName, pathSegmentName, subdomainName } from "../../names.ts";
import { validateObjectMeta, validateObjectMetaUpdate } from "../../object-meta.ts";
import type { KubeObject } from "../../object.ts";
import { EVENTS, type Resource } from "../../resource.ts";
import { parseTime } from "../../time.ts";
import { humanDuration } from "../../duration.ts";
import { type Errors, immutable, reasons } from "../../validation/fields.ts";
import { defineKind } from "../define.ts";
import { goSpelled } from "../go-spelling.ts";
import type { Cell, Kind } from "../kind.ts";

export const NEW_EVENTS: Resource<EventsV1Event> = { group: "events.k8s.io", version: "v1", plural: "events", kind: "Event", namespaced: true };

const SHORT_MAX = 128;
const NOTE_MAX = 1024;

const tooLongText = (out: Errors, field: string, text: string | undefined, max: number): void => {
  if (Buffer.byteLength(text ?? "") > max) out.push(invalidValue(field, "", `can have at most ${max} characters`));
};

/** Follows legacyValidateEvent: what both forms must satisfy; `controllerField` is how the form at hand calls the controller. */
function validateEither(out: Errors, event: CoreEvent, controllerField: string): void {
  const namespace = event.metadata.namespace ?? "";
  if (!event.eventTime) validateOldStyle(out, event, namespace);
  else validateNewStyle(out, event, namespace, controllerField);
  reasons(out, "namespace", namespace, isDns1123Subdomain(namespace));
}

const DISAGREES = "does not match event.namespace";

function validateOldStyle(out: Errors, event: CoreEvent, namespace: string): void {
  const involved = event.involvedObject?.namespace ?? "";
  const agrees = involved === "" ? namespace === "" || namespace === "default" : involved === namespace;
  if (!agrees) out.push(invalidValue("involvedObject.namespace", involved, DISAGREES));
}

function validateNewStyle(out: Errors, event: CoreEvent, namespace: string, controllerField: string): void {
  if (!event.involvedObject?.namespace && namespace !== "default" && namespace !== "kube-system") out.push(invalidValue("involvedObject.namespace", "", DISAGREES));
  const controller = event.reportingComponent ?? "";
  if (controller === "") out.push(required(controllerField));
  reasons(out, controllerField, controller, isQualifiedName(controller));
  if (!event.reportingInstance) out.push(required("reportingInstance"));
  tooLongText(out, "reportingInstance", event.reportingInstance, SHORT_MAX);
  if (!event.action) out.push(required("action"));
  tooLongText(out, "action", event.action, SHORT_MAX);
  if (!event.reason) out.push(required("reason"));
  tooLongText(out, "reason", event.reason, SHORT_MAX);
  tooLongText(out, "message", event.message, NOTE_MAX);
}

function validateSeries(out: Errors, event: CoreEvent): void {
  if (!event.series) return;
  if ((event.series.count ?? 0) < 2) out.push(invalidValue("series.count", "", "should be at least 2"));
  if (!event.series.lastObservedTime) out.push(required("series.lastObservedTime"));
}

const UNSET = "needs to be unset";

/** What a client of events.k8s.io may not leave out or set when it creates an Event. */
function validateStrict(out: Errors, event: CoreEvent): void {
  validateSeries(out, event);
  if (!event.eventTime) out.push(required("eventTime"));
  if (event.type !== "Normal" && event.type !== "Warning") out.push(invalidValue("type", "", `has invalid value: ${event.type ?? ""}`));
  if (event.firstTimestamp) out.push(invalidValue("firstTimestamp", "", UNSET));
  if (event.lastTimestamp) out.push(invalidValue("lastTimestamp", "", UNSET));
  if (event.count) out.push(invalidValue("count", "", UNSET));
  if (event.source?.component || event.source?.host) out.push(invalidValue("source", "", UNSET));
}

const REFERENCE = "io.k8s.api.core.v1.ObjectReference";
const reference = (out: Errors, field: string, value: ObjectReference | undefined, old: ObjectReference | undefined): void => immutable(out, field, value, old, goSpelled(REFERENCE, value));

function validateStrictUpdate(out: Errors, event: CoreEvent, old: CoreEvent): void {
  if (JSON.stringify(event.series) !== JSON.stringify(old.series)) validateSeries(out, event);
  reference(out, "involvedObject", event.involvedObject, old.involvedObject);
  immutable(out, "reason", event.reason ?? "", old.reason ?? "");
  immutable(out, "message", event.message ?? "", old.message ?? "");
  immutable(out, "source", event.source ?? {}, old.source ?? {}, goSpelled("io.k8s.api.core.v1.EventSource", event.source));
  immutable(out, "firstTimestamp", event.firstTimestamp ?? null, old.firstTimestamp ?? null);
  immutable(out, "lastTimestamp", event.lastTimestamp ?? null, old.lastTimestamp ?? null);
  immutable(out, "count", event.count ?? 0, old.count ?? 0);
  immutable(out, "reason", event.reason ?? "", old.reason ?? "");
  immutable(out, "type", event.type ?? "", old.type ?? "");
  immutable(out, "eventTime", event.eventTime ?? null, old.eventTime ?? null);
  immutable(out, "action", event.action ?? "", old.action ?? "");
  reference(out, "related", event.related, old.related);
  immutable(out, "reportingController", event.reportingComponent ?? "", old.reportingComponent ?? "");
  immutable(out, "reportingInstance", event.reportingInstance ?? "", old.reportingInstance ?? "");
}

const since = (time: string | null | undefined, now: Instant): string | undefined => {
  const at = parseTime(time);
  return at === undefined ? undefined : humanDuration(now - at);
};

function cells(event: CoreEvent, now: Instant): readonly Cell[] {
  const first = since(event.firstTimestamp, now) ?? since(event.eventTime, now) ?? "<unknown>";
  const last = since(event.series?.lastObservedTime, now) ?? since(event.lastTimestamp, now) ?? first;
  const { kind = "", name = "", fieldPath = "" } = event.involvedObject ?? {};
  const component = event.source?.component || event.reportingComponent || "";
  const instance = event.source?.host || event.reportingInstance || "";
  return [
    last,
    event.type ?? "",
    event.reason ?? "",
    name === "" ? kind.toLowerCase() : `${kind.toLowerCase()}/${name}`,
    fieldPath,
    instance === "" ? component : `${component}, ${instance}`,
    (event.message ?? "").trim(),
    first,
    event.series?.count ?? (event.count || 1),
    event.metadata.name ?? "",
  ];
}

const INVOLVED = ["kind", "namespace", "name", "uid", "apiVersion", "resourceVersion", "fieldPath"] as const;

const coreFields: Readonly<Record<string, (o: CoreEvent) => string>> = table<(o: CoreEvent) => string>({
  ...Object.fromEntries(INVOLVED.map((key) => [`involvedObject.${key}`, (o: CoreEvent) => o.involvedObject?.[key] ?? ""])),
  reason: (o) => o.reason ?? "",
  reportingComponent: (o) => o.reportingComponent ?? "",
  source: (o) => o.source?.component || o.reportingComponent || "",
  type: (o) => o.type ?? "",
});

export const eventKind: Kind<CoreEvent> = defineKind<CoreEvent>({
  resource: EVENTS,
  schema: "io.k8s.api.core.v1.Event",
  printer: { cells },
  validateName: pathSegmentName,
  ownMetaOnCreate: true,
  metaOnUpdate: "own",
  defaultPropagation: "Unsupported",
  validate: (out, event) => validateEither(out, event, "reportingComponent"),
  allowCreateOnUpdate: true,
  selectableFields: coreFields,
});

/** The names of the fields that differ: events.k8s.io, core. */
const RENAMED: readonly (readonly [string, string])[] = [
  ["regarding", "involvedObject"], ["note", "message"], ["reportingController", "reportingComponent"],
  ["deprecatedSource", "source"], ["deprecatedFirstTimestamp", "firstTimestamp"], ["deprecatedLastTimestamp", "lastTimestamp"], ["deprecatedCount", "count"],
];

function rename(object: object, apiVersion: string, names: readonly (readonly [string, string])[]): Record<string, unknown> {
  const renamed = new Map(names);
  return { ...Object.fromEntries(Object.entries(object).map(([key, value]) => [renamed.get(key) ?? key, value])), kind: "Event", apiVersion };
}

/** As the core group has it: what is stored. */
export const toCoreEvent = (event: KubeObject): CoreEvent => rename(event, "v1", RENAMED) as unknown as CoreEvent;

/** As events.k8s.io has it. */
export const fromCoreEvent = (event: KubeObject): EventsV1Event =>
  rename(event, "events.k8s.io/v1", RENAMED.map(([a, b]) => [b, a] as const)) as unknown as EventsV1Event;

const NEW_FIELDS: readonly (readonly [string, string])[] = [...INVOLVED.map((key) => [`regarding.${key}`, `involvedObject.${key}`] as const), ["reason", "reason"], ["reportingController", "reportingComponent"], ["type", "type"]];

export const newEventKind: Kind<EventsV1Event> = defineKind<EventsV1Event>({
  resource: NEW_EVENTS,
  schema: "io.k8s.api.events.v1.Event",
  printer: { cells: (event, now) => cells(toCoreEvent(event), now) },
  validate(out, event) {
    const core = toCoreEvent(event);
    validateEither(out, core, "reportingController");
    out.push(...validateObjectMeta(event.metadata, { namespaced: true, validateName: subdomainName, builtIn: true }));
    validateStrict(out, core);
  },
  ownMetaOnCreate: true,
  metaOnUpdate: "own",
  defaultPropagation: "Unsupported",
  validateUpdate(out, event, old) {
    const core = toCoreEvent(event);
    validateEither(out, core, "reportingController");
    out.push(...validateObjectMetaUpdate(event.metadata, old.metadata, true));
    validateStrictUpdate(out, core, toCoreEvent(old));
  },
  allowCreateOnUpdate: true,
  selectableFields: Object.fromEntries(NEW_FIELDS.map(([name, core]) => [name, (o: EventsV1Event) => coreFields[core]?.(toCoreEvent(o)) ?? ""])),
  storedAs: { resource: EVENTS, toStored: toCoreEvent, fromStored: fromCoreEvent },
});

