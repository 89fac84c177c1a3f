/**
 * The one road to the objects: a typed client over a transport that is passed in (the registry itself, or HTTPS to any cluster).
 * Objects that come back are frozen and shared: never changed by a caller. All calls reject with StatusError.
 */
import type { DeleteOptions } from "../api/generated/types.ts";
import type { Stored } from "../api/object.ts";
import type { Api, ApiAnswer, Caller, ListOptions, ObjectList, PatchType, WatchHandle, WatchOptions, WatchSink, WriteOptions } from "../api/request.ts";
import type { Resource } from "../api/resource.ts";

export interface ObjectRef {
  readonly namespace: string;
  readonly name: string;
}

export interface TypedList<T extends object> {
  readonly resourceVersion: string;
  readonly continue: string | undefined;
  readonly items: readonly Stored<T>[];
}

export interface PatchOptions extends WriteOptions {
  readonly subresource?: string;
  readonly force?: boolean;
}

export interface Client {
  get<T extends object>(resource: Resource<T>, ref: ObjectRef): Promise<Stored<T>>;
  /** `namespace` "" lists all namespaces. */
  list<T extends object>(resource: Resource<T>, namespace: string, options?: ListOptions): Promise<TypedList<T>>;
  watch<T extends object>(resource: Resource<T>, namespace: string, options: WatchOptions, sink: WatchSink): Promise<WatchHandle>;
  create<T extends object>(resource: Resource<T>, namespace: string, object: T, options?: WriteOptions): Promise<Stored<T>>;
  /** The object's own resourceVersion is the precondition, where it has one. */
  update<T extends object>(resource: Resource<T>, object: T, options?: PatchOptions): Promise<Stored<T>>;
  updateStatus<T extends object>(resource: Resource<T>, object: T, options?: WriteOptions): Promise<Stored<T>>;
  patch<T extends object>(resource: Resource<T>, ref: ObjectRef, type: PatchType, patch: unknown, options?: PatchOptions): Promise<Stored<T>>;
  delete(resource: Resource, ref: ObjectRef, options?: DeleteOptions): Promise<ApiAnswer>;
  deleteCollection(resource: Resource, namespace: string, list?: ListOptions, options?: DeleteOptions): Promise<void>;
  /** Creates through a subresource (pods/binding, pods/eviction, serviceaccounts/token); the answer's body as it is. */
  createSubresource(resource: Resource, ref: ObjectRef, subresource: string, object: object): Promise<ApiAnswer>;
}

/** Makes a client of `api` that acts as `caller`. */
export function openClient(api: Api, caller: Caller): Client {
  const bodyOf = async <T extends object>(answer: Promise<ApiAnswer>) => (await answer).body as unknown as Stored<T>;
  const update = <T extends object>(resource: Resource<T>, object: T, options: PatchOptions = {}) => {
    const { subresource = "", ...write } = options;
    const { metadata } = object as { metadata?: { name?: string; namespace?: string } };
    const target = { resource, namespace: metadata?.namespace ?? "", name: metadata?.name ?? "", subresource };
    return bodyOf<T>(api.handle({ verb: "update", ...target, object: object as never, options: write }, caller));
  };
  return {
    get: (resource, ref) => bodyOf(api.handle({ verb: "get", resource, ...ref, subresource: "" }, caller)),
    async list(resource, namespace, options = {}) {
      const { body } = await api.handle({ verb: "list", resource, namespace, options }, caller);
      const list = body as ObjectList;
      return { resourceVersion: list.metadata.resourceVersion ?? "", continue: list.metadata.continue || undefined, items: list.items as never };
    },
    watch: (resource, namespace, options, sink) => api.watch({ resource, namespace, options }, caller, sink),
    create: (resource, namespace, object, options = {}) => bodyOf(api.handle({ verb: "create", resource, namespace, object: object as never, options }, caller)),
    update,
    updateStatus: (resource, object, options = {}) => update(resource, object, { ...options, subresource: "status" }),
    patch(resource, ref, type, patch, options = {}) {
      const { subresource = "", ...rest } = options;
      return bodyOf(api.handle({ verb: "patch", resource, ...ref, subresource, type, patch, options: rest }, caller));
    },
    delete: (resource, ref, options = {}) => api.handle({ verb: "delete", resource, ...ref, subresource: "", options }, caller),
    async deleteCollection(resource, namespace, list = {}, options = {}) {
      await api.handle({ verb: "deletecollection", resource, namespace, list, options }, caller);
    },
    createSubresource: (resource, ref, subresource, object) =>
      api.handle({ verb: "create", resource, namespace: ref.namespace, name: ref.name, subresource, object: object as never, options: {} }, caller),
  };
}
