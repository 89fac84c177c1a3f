/**
 * A small Api for tests: one resource's objects in memory, whose watches the test can cut, delay, double and expire at will.
 * Not a server: no validation, no selectors, no patches beyond a shallow merge.
 */
import { unreachable } from "../../src/base/assert.ts";
import type { KubeObject } from "../../src/api/object.ts";
import type { Api, ApiAnswer, ApiRequest, WatchEvent, WatchHandle, WatchRequest, WatchSink } from "../../src/api/request.ts";
import { notFound, StatusError } from "../../src/api/status-error.ts";

export const gone = () => new StatusError({ code: 410, reason: "Expired", message: "too old resource version" });

export class ScriptedApi implements Api {
  /** What was asked, as `verb plural[/name] …`. */
  readonly asked: string[] = [];
  readonly requests: ApiRequest[] = [];
  readonly watchedFrom: string[] = [];
  /** The next requests fail with these, in order. */
  readonly failures: Error[] = [];
  /** Each event is sent this many times. */
  repeat = 1;
  pageSize = Infinity;
  readonly #objects = new Map<string, KubeObject>();
  #sinks = new Set<WatchSink>();
  #history: WatchEvent[] = [];
  #version = 0;

  set(name: string, extra: object = {}): KubeObject {
    const old = this.#objects.get(name);
    const { metadata, ...rest } = extra as Partial<KubeObject>;
    const object = { ...rest, metadata: { name, namespace: "ns", uid: `uid-${name}`, ...metadata, resourceVersion: String(++this.#version) } };
    this.#objects.set(name, object);
    this.#emit({ type: old ? "MODIFIED" : "ADDED", object });
    return object;
  }

  remove(name: string): void {
    const old = this.#objects.get(name);
    if (!old) return;
    this.#objects.delete(name);
    this.#emit({ type: "DELETED", object: { ...old, metadata: { ...old.metadata, resourceVersion: String(++this.#version) } } });
  }

  /** Ends all watches, with an ERROR event first where one is given. */
  cut(error?: StatusError): void {
    const sinks = this.#sinks;
    this.#sinks = new Set();
    for (const sink of sinks) {
      if (error) sink.onEvents([{ type: "ERROR", object: error.toStatus() }]);
      sink.onEnd();
    }
  }

  /** Forgets the history: watches from before now are refused. */
  compact(): void {
    this.#history = [];
  }

  get watchers(): number {
    return this.#sinks.size;
  }

  async handle(request: ApiRequest): Promise<ApiAnswer> {
    this.#record(request.verb, request);
    this.requests.push(request);
    this.#failNow();
    return { code: 200, warnings: [], body: this.#answer(request) };
  }

  async watch(request: WatchRequest, _caller: unknown, sink: WatchSink): Promise<WatchHandle> {
    this.#record("watch", request);
    const from = Number(request.options.resourceVersion ?? 0);
    this.watchedFrom.push(String(from));
    await Promise.resolve();
    this.#failNow();
    if (from < this.#version - this.#history.length) throw gone();
    this.#sinks.add(sink);
    const missed = this.#history.slice(this.#history.length - (this.#version - from));
    if (missed.length > 0) sink.onEvents(missed);
    return { stop: () => void this.#sinks.delete(sink) };
  }

  #answer(request: ApiRequest): ApiAnswer["body"] {
    switch (request.verb) {
      case "list": {
        const after = request.options.continue ?? "";
        const all = [...this.#objects.values()].filter((o) => (o.metadata.name ?? "") > after).sort((a, b) => ((a.metadata.name ?? "") < (b.metadata.name ?? "") ? -1 : 1));
        const items = all.slice(0, this.pageSize);
        const next = all.length > items.length ? items.at(-1)?.metadata.name : undefined;
        return { apiVersion: "v1", kind: "List", metadata: { resourceVersion: String(this.#version), ...(next !== undefined && { continue: next }) }, items };
      }
      case "create":
        return this.set(request.object.metadata.name ?? "", request.object);
      case "update":
        return this.set(request.name, request.object);
      case "patch":
        return this.set(request.name, { ...this.#get(request.resource, request.name), ...(request.patch as object) });
      case "get":
        return this.#get(request.resource, request.name);
      case "delete": {
        const object = this.#get(request.resource, request.name);
        this.remove(request.name);
        return object;
      }
      case "deletecollection":
        for (const name of this.#objects.keys()) this.remove(name);
        return { kind: "Status", apiVersion: "v1", metadata: {}, status: "Success" };
      default:
        return unreachable(request);
    }
  }

  #get(resource: ApiRequest["resource"], name: string): KubeObject {
    const object = this.#objects.get(name);
    if (!object) throw notFound(resource, name);
    return object;
  }

  #record(verb: string, { resource, ...request }: ApiRequest | WatchRequest): void {
    this.asked.push(`${verb} ${resource.plural}${"name" in request && request.name ? `/${request.name}` : ""}`);
  }

  #failNow(): void {
    const failure = this.failures.shift();
    if (failure) throw failure;
  }

  #emit(event: WatchEvent): void {
    this.#history.push(event);
    for (const sink of this.#sinks) sink.onEvents(Array.from({ length: this.repeat }, () => event));
  }
}
