/**
 * A request to the API as data, after routing and before meaning. The server makes it from HTTP, the in-process transport passes it on as it is,
 * the HTTPS transport turns it into HTTP again: whoever asks, the registry sees this.
 */
import type { DeleteOptions, Status } from "./generated/types.ts";
import type { KubeObject } from "./object.ts";
import type { Resource } from "./resource.ts";

export interface UserInfo {
  readonly name: string;
  readonly uid?: string;
  readonly groups: readonly string[];
  readonly extra?: Readonly<Record<string, readonly string[]>>;
}

/** Who asks, and how they are called in managedFields when they name no field manager. */
export interface Caller {
  readonly user: UserInfo;
  readonly userAgent: string;
}

export interface Target {
  readonly resource: Resource;
  /** "" for cluster scope, and for a list or watch over all namespaces. */
  readonly namespace: string;
}

export interface NamedTarget extends Target {
  readonly name: string;
  /** "" or "status", "binding", "eviction", "finalize", "token", "scale" … */
  readonly subresource: string;
}

export interface WriteOptions {
  readonly dryRun?: readonly string[];
  readonly fieldManager?: string;
  readonly fieldValidation?: string;
}

export interface ListOptions {
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  readonly limit?: number;
  readonly continue?: string;
  readonly resourceVersion?: string;
  readonly resourceVersionMatch?: string;
  /** For watches; a list is refused with it. */
  readonly sendInitialEvents?: boolean;
}

export interface WatchOptions extends ListOptions {
  readonly allowWatchBookmarks?: boolean;
  readonly timeoutSeconds?: number;
}

export type PatchType = "json" | "merge" | "strategic" | "apply";

export type ApiRequest =
  | ({ readonly verb: "get"; readonly resourceVersion?: string } & NamedTarget)
  | ({ readonly verb: "list"; readonly options: ListOptions } & Target)
  | ({ readonly verb: "create"; readonly object: KubeObject; readonly options: WriteOptions; /** For subresources that are created: pods/NAME/binding. */ readonly name?: string; readonly subresource?: string } & Target)
  | ({ readonly verb: "update"; readonly object: KubeObject; readonly options: WriteOptions } & NamedTarget)
  | ({ readonly verb: "patch"; readonly type: PatchType; readonly patch: unknown; readonly options: WriteOptions & { readonly force?: boolean } } & NamedTarget)
  | ({ readonly verb: "delete"; readonly options: DeleteOptions } & NamedTarget)
  | ({ readonly verb: "deletecollection"; readonly options: DeleteOptions; readonly list: ListOptions } & Target);

export type WatchRequest = { readonly options: WatchOptions; /** One object only (the deprecated /watch/ path and metadata.name selectors need no such thing). */ readonly name?: string } & Target;

export interface ObjectList {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly resourceVersion?: string; readonly continue?: string; readonly remainingItemCount?: number };
  readonly items: readonly KubeObject[];
}

export interface ApiAnswer {
  /** 200, 201 or 202. */
  readonly code: number;
  readonly body: KubeObject | ObjectList | Status;
  /** Texts of `Warning: 299` headers. */
  readonly warnings: readonly string[];
}

export type WatchEvent =
  | { readonly type: "ADDED" | "MODIFIED" | "DELETED"; readonly object: KubeObject }
  | { readonly type: "BOOKMARK"; readonly object: KubeObject }
  | { readonly type: "ERROR"; readonly object: Status };

export interface WatchSink {
  /** Events in order, in batches. Must not throw; must not block. */
  readonly onEvents: (events: readonly WatchEvent[]) => void;
  /** The watch is over (its timeout, an ERROR event before it, or the server stops); nothing comes after this. */
  readonly onEnd: () => void;
}

export interface WatchHandle {
  /** Ends the watch at once; `onEnd` is not called. */
  stop(): void;
}

/** What the registry offers and every transport carries. Rejects with StatusError. */
export interface Api {
  handle(request: ApiRequest, caller: Caller): Promise<ApiAnswer>;
  /** Resolves when the watch is established (its errors before that reject). Initial events may reach the sink before that. */
  watch(request: WatchRequest, caller: Caller, sink: WatchSink): Promise<WatchHandle>;
}
