/**
 * Watch: what is there, then what changes, as far as it is selected; bookmarks for those who ask; an ERROR event where the past is forgotten.
 * Follows kubernetes staging/src/k8s.io/apiserver/pkg/storage/cacher (WatchList, bookmarks) and endpoints/handlers/watch.go.
 */
import type { Timer } from "../base/clock.ts";
import type { KubeObject } from "../api/object.ts";
import type { WatchEvent, WatchHandle, WatchOptions, WatchRequest, WatchSink } from "../api/request.ts";
import { apiVersionOf } from "../api/resource.ts";
import { badRequest, StatusError } from "../api/status-error.ts";
import { demandedValue } from "../api/field-selectors.ts";
import { convert } from "../api/schema/convert.ts";
import { structOf } from "../api/schema/schema.ts";
import type { Revision } from "../store/store.ts";
import { objectOf, type Registry } from "./call.ts";
import { checkWatchOptions } from "./options.ts";
import { parseRevision, reach, scopeOf, selectionOf, selects, selectsAll, type Selection } from "./reads.ts";
import type { Served } from "./served.ts";
import { WatchHub, type ChangeEvents, type HubListener } from "./watch-hub.ts";

const BOOKMARK_EVERY_MS = 60_000;
const INITIAL_EVENTS_END = "k8s.io/initial-events-end";

/** One hub per kind that is served. */
export class WatchHubs {
  readonly #store: Registry["store"];
  readonly #hubs = new Map<Served, WatchHub>();

  constructor(store: Registry["store"]) {
    this.#store = store;
  }

  of(served: Served): WatchHub {
    let hub = this.#hubs.get(served);
    if (!hub) this.#hubs.set(served, (hub = new WatchHub(this.#store, served.prefix, served.fromStored)));
    return hub;
  }
}

interface Scope {
  readonly prefix: string;
  readonly one: boolean;
}

/** Follows etcd3's watcher: the selection turns a change into ADDED or DELETED where the object enters or leaves. */
export function eventOf(selection: Selection, scope: Scope, change: ChangeEvents): WatchEvent | undefined {
  if (scope.one ? change.key !== scope.prefix : !change.key.startsWith(scope.prefix)) return undefined;
  const all = selectsAll(selection);
  const was = change.previous !== undefined && (all || selects(selection, change.previous));
  const is = !change.gone && (all || selects(selection, change.object));
  if (is) return change.event(was ? "MODIFIED" : "ADDED");
  return was ? change.event("DELETED") : undefined;
}

/** An empty object of the kind, as Go prints it, that carries nothing but a version. */
function emptyObject({ kind }: Served, metadata: object): KubeObject {
  return { kind: kind.resource.kind, apiVersion: apiVersionOf(kind.resource), ...convert(structOf(kind.schema), {}).object, metadata };
}

class Watcher implements HubListener, WatchHandle {
  readonly #registry: Registry;
  readonly #hub: WatchHub;
  readonly #served: Served;
  readonly #selection: Selection;
  readonly #scope: Scope;
  readonly #sink: WatchSink;
  readonly #timers: Timer[] = [];
  #seen: Revision = 0;
  #told: Revision = 0;
  #ended = false;

  constructor(init: { registry: Registry; hub: WatchHub; served: Served; selection: Selection; scope: Scope; sink: WatchSink }) {
    this.#registry = init.registry;
    this.#hub = init.hub;
    this.#served = init.served;
    this.#selection = init.selection;
    this.#scope = init.scope;
    this.#sink = init.sink;
  }

  /** Only what comes after `revision` is new to this watcher. */
  startAfter(revision: Revision): void {
    this.#seen = revision;
    this.#told = revision;
  }

  /** Everything that is there, as ADDED. */
  showAll(): Revision {
    const { store } = this.#registry;
    const events: WatchEvent[] = [];
    const { revision } = store;
    const entry = this.#scope.one ? store.get(this.#scope.prefix) : undefined;
    const result = this.#scope.one ? undefined : store.list(this.#scope.prefix);
    for (const each of entry ? [entry] : result?.ok ? result.entries : []) {
      const object = this.#served.fromStored(objectOf(each));
      if (selects(this.#selection, object)) events.push({ type: "ADDED", object });
    }
    this.startAfter(result?.ok ? result.revision : revision);
    this.#send(events);
    return this.#seen;
  }

  onChanges(changes: readonly ChangeEvents[]): void {
    if (this.#ended) return;
    const events: WatchEvent[] = [];
    for (const change of changes) {
      if (change.revision <= this.#seen) continue;
      this.#seen = change.revision;
      const event = eventOf(this.#selection, this.#scope, change);
      if (!event) continue;
      events.push(event);
      this.#told = change.revision;
    }
    this.#send(events);
  }

  bookmark(annotations?: Readonly<Record<string, string>>): void {
    const resourceVersion = String(Math.max(this.#seen, this.#hub.delivered));
    this.#told = Number(resourceVersion);
    const metadata = { resourceVersion, ...(annotations && { annotations }) };
    this.#send([{ type: "BOOKMARK", object: emptyObject(this.#served, metadata) }]);
  }

  /** Bookmarks now and then, and the end when its time is over. */
  schedule({ allowWatchBookmarks = false, timeoutSeconds = 0 }: WatchOptions): void {
    const { clock } = this.#registry;
    if (allowWatchBookmarks) this.#bookmarkLater();
    if (timeoutSeconds <= 0) return;
    this.#timers.push(
      clock.after(timeoutSeconds * 1000, () => {
        if (allowWatchBookmarks && this.#hub.delivered > this.#told) this.bookmark();
        this.end();
      }),
    );
  }

  #bookmarkLater(): void {
    this.#timers[0] = this.#registry.clock.after(BOOKMARK_EVERY_MS, () => {
      this.bookmark();
      if (!this.#ended) this.#bookmarkLater();
    });
  }

  fail(error: StatusError): void {
    this.#send([{ type: "ERROR", object: error.toStatus() }]);
    this.end();
  }

  end(): void {
    if (this.#ended) return;
    this.stop();
    this.#sink.onEnd();
  }

  stop(): void {
    this.#ended = true;
    this.#hub.remove(this);
    for (const timer of this.#timers) timer.cancel();
  }

  #send(events: readonly WatchEvent[]): void {
    if (events.length > 0 && !this.#ended) this.#sink.onEvents(events);
  }
}

const tooOld = (wanted: Revision, oldest: Revision) => new StatusError({ code: 410, reason: "Expired", message: `too old resource version: ${wanted} (${oldest})` });

/** Whether the watch begins with all that is there: by default, one from nothing does. */
const beginsWithAll = (options: WatchOptions, from: Revision) => options.sendInitialEvents ?? from === 0;

function begin(r: Registry, hub: WatchHub, watcher: Watcher, options: WatchOptions, from: Revision): void {
  if (beginsWithAll(options, from)) {
    watcher.showAll();
  } else if (from === 0) {
    watcher.startAfter(r.store.revision);
  } else {
    watcher.startAfter(from);
    const past = from < r.store.revision ? hub.replay(from) : [];
    if (!past) return watcher.fail(tooOld(from, r.store.compactedRevision));
    watcher.onChanges(past);
  }
  if (beginsWithAll(options, from) && options.allowWatchBookmarks === true) watcher.bookmark({ [INITIAL_EVENTS_END]: "true" });
}

/** Why the store will not be as new as that; undefined: it is. */
async function tooNewFor(r: Registry, wanted: Revision): Promise<StatusError | undefined> {
  try {
    await reach(r, wanted);
    return undefined;
  } catch (error) {
    if (error instanceof StatusError) return error;
    throw error;
  }
}

/** Starts a watch; events may reach the sink before it resolves. */
export async function watch(r: Registry, hubs: WatchHubs, request: WatchRequest, sink: WatchSink): Promise<WatchHandle> {
  const served = r.served.find(request.resource);
  const { options, name } = request;
  checkWatchOptions(options);
  const selected = selectionOf(served.kind, options);
  if (name !== undefined && selected.fields.length > 0 && demandedValue(selected.fields, "metadata.name") !== name) throw badRequest("fieldSelector metadata.name doesn't match requested name");
  const selection = name === undefined ? selected : { ...selected, fields: [...selected.fields, { field: "metadata.name", equal: true, value: name }] };
  const from = parseRevision(options.resourceVersion);
  const tooNew = options.sendInitialEvents === true ? await tooNewFor(r, from) : undefined;
  const hub = hubs.of(served);
  const watcher = new Watcher({ registry: r, hub, served, selection, scope: scopeOf(served, request.namespace, selection), sink });
  hub.add(watcher);
  watcher.schedule(options);
  // The answer has begun before upstream knows: the refusal is an event.
  if (tooNew) watcher.fail(tooNew);
  else begin(r, hub, watcher, options, from);
  return watcher;
}
