/**
 * The registry: what create, update, patch, delete, list and watch mean, one road for all kinds. It knows no HTTP and decides nothing about rights:
 * who calls it has been let in. Objects that it hands out are frozen and shared; their text is `textOf` (objects.ts).
 */
import { unreachable } from "../base/assert.ts";
import type { Ids } from "../base/chance.ts";
import type { Clock } from "../base/clock.ts";
import type { Logger } from "../base/logger.ts";
import type { Kind } from "../api/kinds/kind.ts";
import type { Api, ApiAnswer, ApiRequest, Caller, WriteOptions } from "../api/request.ts";
import type { Resource } from "../api/resource.ts";
import { normalise } from "../api/schema/decode.ts";
import { badRequest, forbidden, isNotFound, withWarnings } from "../api/status-error.ts";
import type { Store } from "../store/store.ts";
import { mutate, type AdmissionPlugin, type Reader } from "./admission.ts";
import type { Allocators } from "./allocation.ts";
import { openAmend } from "./amend.ts";
import { admissionContext, checkNamespace, objectOf, requireNamespace, shown, shownAs, viewOf, type Call, type Registry } from "./call.ts";
import { create } from "./create.ts";
import { deleteAnswer, deleteObject } from "./delete.ts";
import { managedFields as defaultManagedFields, type ManagedFields } from "./field-managers.ts";
import { freeze, thaw } from "./objects.ts";
import { checkCreateOptions, checkDeleteOptions, checkPatchOptions, checkUpdateOptions } from "./options.ts";
import { changeOf } from "./patches.ts";
import { get, list } from "./reads.ts";
import { keyFor, methodNotAllowed, pathNotFound, prefixOf, serve, type ServedKinds } from "./served.ts";
import { found, type CreateSubresources, type StandIns } from "./subresources.ts";
import { checkName, update, type Updated } from "./update.ts";
import { throughView } from "./views.ts";
import { watch, WatchHubs } from "./watch.ts";

export interface RegistryDeps {
  readonly store: Store;
  readonly kinds: readonly Kind[];
  readonly clock: Clock;
  readonly ids: Ids;
  readonly logger: Logger;
  readonly admission: readonly AdmissionPlugin[];
  /** Left out: as upstream. */
  readonly managedFields?: ManagedFields | undefined;
  /** Subresources that are created and are more than a write of the object. */
  readonly subresources?: CreateSubresources;
  /** Resources of which nothing is kept. */
  readonly standIns?: StandIns;
  /** What is given to one object only. */
  readonly allocators?: Allocators;
}

type Answer = Omit<ApiAnswer, "warnings">;
type Request<V extends ApiRequest["verb"]> = Extract<ApiRequest, { verb: V }>;

function openReader(store: Store, served: ServedKinds): Reader {
  return {
    get<T extends object>(resource: Resource<T>, namespace: string, name: string) {
      const kind = served.peek(resource);
      const entry = kind && store.get(keyFor(kind, namespace, name));
      return kind && entry && (kind.fromStored(objectOf(entry)) as T);
    },
    list<T extends object>(resource: Resource<T>, namespace: string) {
      const kind = served.peek(resource);
      const result = kind && store.list(prefixOf(kind, namespace));
      return kind && result?.ok ? result.entries.map((entry) => kind.fromStored(objectOf(entry)) as T) : [];
    },
  };
}

/** How many of a collection are deleted at a time: their writes are committed together. */
const DELETE_TOGETHER = 64;

class ObjectRegistry implements Api {
  readonly #registry: Registry;
  readonly #hubs: WatchHubs;
  readonly #subresources: CreateSubresources;
  readonly #standIns: StandIns;

  constructor(deps: RegistryDeps) {
    const { store, clock, ids, logger, admission, managedFields = defaultManagedFields } = deps;
    const served = serve(deps.kinds);
    this.#registry = { store, served, clock, ids, logger, admission, managedFields, reader: openReader(store, served), amend: openAmend(store, served), allocators: deps.allocators ?? {} };
    this.#hubs = new WatchHubs(store);
    this.#subresources = deps.subresources ?? {};
    this.#standIns = deps.standIns ?? {};
  }

  async handle(request: ApiRequest, caller: Caller): Promise<ApiAnswer> {
    const warnings: string[] = [];
    try {
      const answer = await this.#dispatch(request, caller, warnings);
      return { ...answer, warnings: [...new Set(warnings)] };
    } catch (error) {
      throw withWarnings(error, warnings);
    }
  }

  watch(...[request, , sink]: Parameters<Api["watch"]>): ReturnType<Api["watch"]> {
    return watch(this.#registry, this.#hubs, request, sink);
  }

  #dispatch(request: ApiRequest, caller: Caller, warnings: string[]): Promise<Answer> {
    switch (request.verb) {
      case "get":
        return this.#get(request, this.#call(request, caller, {}, warnings));
      case "list":
        return this.#list(request);
      case "create":
        return this.#create(request, caller, warnings);
      case "update":
        return this.#update(request, this.#call(request, caller, request.options, warnings));
      case "patch":
        return this.#patch(request, this.#call(request, caller, request.options, warnings));
      case "delete":
        return this.#delete(request, this.#call(request, caller, request.options, warnings));
      case "deletecollection":
        return this.#deleteCollection(request, caller, warnings);
      default:
        return unreachable(request);
    }
  }

  #call(target: { resource: Resource; namespace: string; name?: string; subresource?: string }, caller: Caller, options: WriteOptions, warnings: string[]): Call {
    const { resource, namespace, name = "", subresource = "" } = target;
    return {
      served: this.#registry.served.find(resource),
      namespace: resource.namespaced ? namespace : "",
      name,
      subresource,
      caller,
      dryRun: (options.dryRun?.length ?? 0) > 0,
      fieldManager: options.fieldManager ?? "",
      fieldValidation: options.fieldValidation ?? "",
      warnings,
    };
  }

  async #get({ resourceVersion, subresource }: Request<"get">, call: Call): Promise<Answer> {
    const { resource } = call.served.kind;
    if (subresource !== "" && found(this.#subresources, resource.group, resource.plural, subresource)) throw methodNotAllowed();
    if (subresource !== "" && !viewOf(call) && !Object.hasOwn(call.served.kind.subresources, subresource)) throw pathNotFound();
    return { code: 200, body: shown(call, await get(this.#registry, call, resourceVersion)) };
  }

  async #list({ resource, namespace, options }: Request<"list">): Promise<Answer> {
    return { code: 200, body: await list(this.#registry, this.#registry.served.find(resource), namespace, options) };
  }

  async #create(request: Request<"create">, caller: Caller, warnings: string[]): Promise<Answer> {
    const { resource, object, options, subresource = "" } = request;
    checkCreateOptions(options);
    const standIn = found(this.#standIns, resource.group, resource.plural);
    if (standIn) return this.#create({ ...request, ...standIn, name: object.metadata?.name ?? "" }, caller, warnings);
    const call = this.#call(request, caller, options, warnings);
    if (subresource !== "") {
      const handler = found(this.#subresources, resource.group, resource.plural, subresource);
      if (!handler) throw pathNotFound();
      mutate(this.#registry.admission, thaw(object), admissionContext(this.#registry, call, "CREATE", undefined));
      return handler(this.#registry, call, object);
    }
    if (resource.namespaced && call.namespace === "" && !object.metadata?.namespace) throw badRequest("an empty namespace may not be set during creation");
    const created = await create(this.#registry, { ...call, name: "", namespace: call.namespace || (object.metadata?.namespace ?? "") }, object);
    return { code: 201, body: call.served.fromStored(created) };
  }

  async #update({ object, options }: Request<"update">, call: Call): Promise<Answer> {
    checkUpdateOptions(options);
    checkNamespace(call, object.metadata?.namespace);
    checkName(call, object);
    const { uid } = object.metadata;
    const wanted = normalise(object, shownAs(call).resource);
    const mayCreate = call.served.kind.allowCreateOnUpdate && viewOf(call) === undefined;
    const change = { make: () => wanted, ...(uid && { uid }), mayCreate, tracked: false };
    return answerOf(call, await update(this.#registry, call, viewOf(call) ? throughView(this.#registry, call, change) : change));
  }

  async #patch({ type, patch, options }: Request<"patch">, call: Call): Promise<Answer> {
    checkPatchOptions(options, type);
    return answerOf(call, await update(this.#registry, call, changeOf(this.#registry, call, type, patch, options.force ?? false)));
  }

  async #delete({ options, subresource }: Request<"delete">, call: Call): Promise<Answer> {
    if (subresource !== "") throw methodNotAllowed();
    checkDeleteOptions(options);
    const { kind } = call.served;
    const kept = kind.keeps?.(call.name);
    if (kept !== undefined) throw forbidden(kind.resource, call.name, kept);
    call.warnings.push(...(kind.deleteWarnings?.(options) ?? []));
    const deleted = await deleteObject(this.#registry, call, options);
    return { code: !deleted.gone && options.orphanDependents === false ? 202 : 200, body: freeze(deleteAnswer(call, deleted)) };
  }

  async #deleteCollection(request: Request<"deletecollection">, caller: Caller, warnings: string[]): Promise<Answer> {
    const { options, namespace } = request;
    checkDeleteOptions(options);
    const call = this.#call(request, caller, options, warnings);
    call.warnings.push(...(call.served.kind.deleteWarnings?.(options) ?? []));
    requireNamespace(call);
    const listed = await list(this.#registry, call.served, namespace, request.list);
    for (let at = 0; at < listed.items.length; at += DELETE_TOGETHER) {
      const some = listed.items.slice(at, at + DELETE_TOGETHER);
      await Promise.all(some.map(({ metadata }) => this.#deleteListed({ ...call, namespace: metadata.namespace ?? "", name: metadata.name ?? "" }, options)));
    }
    return { code: 200, body: listed };
  }

  /** What somebody else has deleted meanwhile is deleted. */
  async #deleteListed(call: Call, options: Request<"deletecollection">["options"]): Promise<void> {
    try {
      await deleteObject(this.#registry, call, options);
    } catch (e) {
      if (!isNotFoundOf(e, call)) throw e;
    }
  }
}

const answerOf = (call: Call, { created, object }: Updated): Answer => ({ code: created ? 201 : 200, body: shown(call, call.served.fromStored(object)) });

const isNotFoundOf = (e: unknown, call: Call): boolean => isNotFound(e) && e.details?.name === call.name;

export function openRegistry(deps: RegistryDeps): Api {
  return new ObjectRegistry(deps);
}

