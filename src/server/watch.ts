/**
 * Watches on the wire: one JSON line an event, the bytes shared among watchers of the same form, a bound on what waits for a slow client.
 * Follows kubernetes staging/src/k8s.io/apiserver/pkg/endpoints/handlers/watch.go.
 */
import type { Clock } from "../base/clock.ts";
import type { Logger } from "../base/logger.ts";
import type { Kind } from "../api/kinds/kind.ts";
import type { Api, Caller, WatchEvent, WatchHandle, WatchRequest, WatchSink } from "../api/request.ts";
import { textOf } from "../registry/objects.ts";
import { partialMetadata } from "./encode.ts";
import type { Answer, ByteSink } from "./exchange.ts";
import { MEDIA_TYPE, type Negotiated } from "./negotiation.ts";
import { type Columns, tableText } from "./table.ts";

/** A watcher with this much unsent, beyond its initial events, is cut off; the client lists again. */
export const WATCH_PENDING_BYTES_MAX = 8 * 1024 * 1024;
/** Events whose bytes are kept for the other watchers of the same turn; two generations of this many. */
const SHARED_EVENTS_MAX = 512;

/** Bytes of recent events by object, then by type and form. Old ones are forgotten a generation at a time. */
export class SharedEvents {
  #young = new Map<object, Map<string, Buffer>>();
  #old = new Map<object, Map<string, Buffer>>();

  /** The bytes of an event in a form: made once, for all who ask within the next few hundred events. */
  bytesOf(object: object, key: string, make: () => string | Uint8Array): Buffer {
    let forms = this.#young.get(object);
    if (!forms) {
      forms = this.#old.get(object) ?? new Map<string, Buffer>();
      if (this.#young.size >= SHARED_EVENTS_MAX) [this.#old, this.#young] = [this.#young, new Map()];
      this.#young.set(object, forms);
    }
    let bytes = forms.get(key);
    if (!bytes) {
      const made = make();
      forms.set(key, (bytes = typeof made === "string" ? Buffer.from(made) : Buffer.from(made.buffer, made.byteOffset, made.byteLength)));
    }
    return bytes;
  }

  /** Forgets everything: nobody watches. */
  clear(): void {
    this.#young.clear();
    this.#old.clear();
  }
}

export interface WatchForm {
  readonly negotiated: Negotiated;
  readonly include: string;
  readonly kind: Kind | undefined;
}

export interface WatchDeps {
  readonly api: Api;
  readonly clock: Clock;
  readonly columns: Columns;
  readonly logger: Logger;
  readonly shared: SharedEvents;
  /** Open watches; the server ends them when it stops. */
  readonly open: Set<() => void>;
}

/** An event as a frame of a protobuf stream. */
type Frame = (type: string, object: object) => Uint8Array;

const viewed = (event: WatchEvent, { negotiated: { view } }: WatchForm): object =>
  view.as === "plain" || event.type === "ERROR" ? event.object : partialMetadata(event.object, view.version);

async function loadFrame(): Promise<Frame> {
  const { encodeWatchFrame } = await import("../api/protobuf/encode.ts");
  return (type, object) => encodeWatchFrame(type, object) ?? new Uint8Array();
}

/** The name of a form: watchers of one form may share bytes. */
const formKey = (form: WatchForm, columns: boolean): string => {
  const { view } = form.negotiated;
  return view.as === "plain" ? "" : `${view.as}/${view.version}/${form.include}/${columns}`;
};

function objectText(event: WatchEvent, form: WatchForm, columns: boolean, deps: WatchDeps): string {
  const { view } = form.negotiated;
  if (event.type === "ERROR" || view.as === "plain") return textOf(event.object);
  if (view.as !== "Table") return JSON.stringify(partialMetadata(event.object, view.version));
  return tableText(event.object, form.kind, deps.clock.now(), { version: view.version, include: form.include, columns: columns ? deps.columns(form.kind) : null });
}

/** One watcher: takes events from before its stream opens until the client goes, the watch ends, or it falls behind too far. */
class WatchStream implements WatchSink {
  readonly #form: WatchForm;
  readonly #deps: WatchDeps & { readonly frame: Frame | undefined };
  readonly #early: (readonly WatchEvent[])[] = [];
  #handle: WatchHandle | undefined;
  #sink: ByteSink | undefined;
  #over = false;
  /** The first event of a Table carries the columns. */
  #columns = true;
  #allowance = WATCH_PENDING_BYTES_MAX;
  readonly #end = (): void => this.onEnd();

  constructor(form: WatchForm, deps: WatchDeps & { readonly frame: Frame | undefined }) {
    this.#form = form;
    this.#deps = deps;
  }

  onEvents(events: readonly WatchEvent[]): void {
    if (this.#over) return;
    // No single object can be given as a list: the stream ends where the first would come.
    if (this.#form.negotiated.view.as === "PartialObjectMetadataList") return this.onEnd();
    if (!this.#sink) return void this.#early.push(events);
    this.#write(this.#sink, events);
    if (this.#sink.pending > this.#allowance) this.#cutOff(this.#sink);
  }

  onEnd(): void {
    const sink = this.#sink;
    this.#stop();
    sink?.end();
  }

  established(handle: WatchHandle): void {
    this.#handle = handle;
    this.#deps.open.add(this.#end);
    if (this.#over) this.#stop();
  }

  /** The answer's headers are out: what came before goes first, and does not count against the bound. */
  open(sink: ByteSink): void {
    sink.onClose(() => this.#stop());
    for (const events of this.#early.splice(0)) this.#allowance += this.#write(sink, events);
    if (this.#over) return sink.end();
    this.#sink = sink;
  }

  #cutOff(sink: ByteSink): void {
    this.#deps.logger.warn("a watcher is too slow and was cut off", { pendingBytes: sink.pending });
    this.#stop();
    sink.cut();
  }

  #stop(): void {
    this.#over = true;
    this.#handle?.stop();
    this.#deps.open.delete(this.#end);
    if (this.#deps.open.size === 0) this.#deps.shared.clear();
  }

  #write(sink: ByteSink, events: readonly WatchEvent[]): number {
    const [first, ...more] = events.map((event) => this.#bytesOf(event));
    if (!first) return 0;
    if (more.length === 0) sink.write(first);
    else sink.writeAll([first, ...more]);
    return more.reduce((sum, { length }) => sum + length, first.length);
  }

  #bytesOf(event: WatchEvent): Buffer {
    const columns = this.#columns;
    this.#columns = false;
    const frame = this.#deps.frame;
    if (frame) return this.#deps.shared.bytesOf(event.object, `${event.type}/protobuf/${formKey(this.#form, false)}`, () => frame(event.type, viewed(event, this.#form)));
    const make = () => `{"type":"${event.type}","object":${objectText(event, this.#form, columns, this.#deps)}}\n`;
    return this.#deps.shared.bytesOf(event.object, `${event.type}/${formKey(this.#form, columns)}`, make);
  }
}

/** Establishes the watch; its errors before that reject, and become an answer of their own. */
export async function watchAnswer(request: WatchRequest, caller: Caller, form: WatchForm, deps: WatchDeps): Promise<Answer> {
  const { format } = form.negotiated;
  const frame = format === "protobuf" ? await loadFrame() : undefined;
  const stream = new WatchStream(form, { ...deps, frame });
  stream.established(await deps.api.watch(request, caller, stream));
  const contentType = frame ? `${MEDIA_TYPE[format]};stream=watch` : MEDIA_TYPE[format];
  return { status: 200, headers: { "content-type": contentType }, stream: (sink) => stream.open(sink) };
}
