/** For tests: an Api over a map, enough of one to be served. Selectors, validation and patches are not its business. */
import { type KubeObject, keyOf } from "../api/object.ts";
import type { Api, ApiAnswer, ApiRequest, Caller, ObjectList, WatchEvent, WatchRequest, WatchSink } from "../api/request.ts";
import { apiVersionOf, type Resource } from "../api/resource.ts";
import { alreadyExists, notFound, StatusError } from "../api/status-error.ts";

const placeOf = (r: Resource): string => `${r.group}/${r.plural}`;
const inside = (object: KubeObject, namespace: string): boolean => namespace === "" || object.metadata.namespace === namespace;

export class FakeApi implements Api {
  readonly objects = new Map<string, Map<string, KubeObject>>();
  readonly requests: { readonly request: ApiRequest; readonly caller: Caller }[] = [];
  readonly watches = new Set<{ readonly request: WatchRequest; readonly sink: WatchSink }>();
  warnings: readonly string[] = [];
  #revision = 1;

  add(resource: Resource, object: KubeObject): KubeObject {
    const { name = "", namespace } = object.metadata;
    const { kind: _kind, apiVersion: _apiVersion, metadata, ...rest } = object;
    const full = { kind: resource.kind, apiVersion: apiVersionOf(resource), metadata: { ...metadata, uid: `uid-${name}`, resourceVersion: String(++this.#revision), creationTimestamp: "2026-01-01T00:00:00Z" }, ...rest };
    const frozen = Object.freeze(full) as KubeObject;
    this.#of(resource).set(keyOf({ metadata: { name, ...(namespace !== undefined && { namespace }) } }), frozen);
    this.emit(resource, { type: "ADDED", object: frozen });
    return frozen;
  }

  emit(resource: Resource, ...events: WatchEvent[]): void {
    for (const { request, sink } of this.watches) if (placeOf(request.resource) === placeOf(resource)) sink.onEvents(events);
  }

  handle(request: ApiRequest, caller: Caller): Promise<ApiAnswer> {
    this.requests.push({ request, caller });
    try {
      return Promise.resolve(this.#answer(request));
    } catch (error) {
      return Promise.reject(error instanceof Error ? error : new Error(String(error)));
    }
  }

  watch(request: WatchRequest, _caller: Caller, sink: WatchSink) {
    if (request.options.fieldSelector === "bad") return Promise.reject(new StatusError({ code: 400, reason: "BadRequest", message: "a bad selector" }));
    const entry = { request, sink };
    const initial = [...this.#of(request.resource).values()].filter((o) => inside(o, request.namespace));
    if (initial.length > 0 && request.options.resourceVersion === undefined) sink.onEvents(initial.map((object) => ({ type: "ADDED", object })));
    this.watches.add(entry);
    return Promise.resolve({ stop: () => void this.watches.delete(entry) });
  }

  #of(resource: Resource): Map<string, KubeObject> {
    const key = placeOf(resource);
    let found = this.objects.get(key);
    if (!found) this.objects.set(key, (found = new Map<string, KubeObject>()));
    return found;
  }

  #answer(request: ApiRequest): ApiAnswer {
    const { resource, namespace } = request;
    const all = this.#of(resource);
    const ok = (body: ApiAnswer["body"], code = 200): ApiAnswer => ({ code, body, warnings: this.warnings });
    if (request.verb === "list" || request.verb === "deletecollection") {
      const items = [...all.values()].filter((o) => inside(o, namespace));
      return ok({ kind: `${resource.kind}List`, apiVersion: apiVersionOf(resource), metadata: { resourceVersion: String(this.#revision) }, items } satisfies ObjectList);
    }
    const name = request.verb === "create" ? (request.object.metadata.name ?? "") : request.name;
    const key = keyOf({ metadata: { name, namespace } });
    const found = all.get(key);
    if (request.verb === "create") {
      if (found) throw alreadyExists(resource, name);
      return ok(this.add(resource, { ...request.object, metadata: { ...request.object.metadata, ...(namespace !== "" && { namespace }) } }), 201);
    }
    if (!found) throw notFound(resource, name);
    if (request.verb === "update") return ok(this.add(resource, request.object));
    if (request.verb === "delete") all.delete(key);
    return request.verb === "delete" ? ok({ kind: "Status", apiVersion: "v1", metadata: {}, status: "Success", details: { name, kind: resource.plural } }) : ok(found);
  }
}
