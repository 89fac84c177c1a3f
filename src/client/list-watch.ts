/**
 * An informer over list and watch: lists in pages, watches from the list's version, and begins again where it has to. Keeps no clock of
 * its own: it waits only after something failed.
 * Follows client-go tools/cache/reflector.go.
 */
import { backoffMs, type Backoff } from "../base/backoff.ts";
import type { Chance } from "../base/chance.ts";
import { sleep, type Clock } from "../base/clock.ts";
import type { Logger } from "../base/logger.ts";
import type { Stored } from "../api/object.ts";
import type { WatchEvent, WatchHandle } from "../api/request.ts";
import { qualifiedPlural, type Resource } from "../api/resource.ts";
import { isExpired, StatusError } from "../api/status-error.ts";
import { Cache, type IndexFunction } from "./cache.ts";
import type { Client } from "./client.ts";
import type { Informer } from "./informer.ts";

export type { IndexFunction } from "./cache.ts";

export interface InformerDeps {
  readonly clock: Clock;
  readonly chance: Chance;
  readonly logger: Logger;
}

export interface InformerOptions<T extends object> extends InformerDeps {
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  readonly indexes?: Readonly<Record<string, IndexFunction<T>>>;
}

export interface OpenInformer<T extends object> extends Informer<T> {
  /** Also for objects that are cached already; a name that is known is left as it is. */
  addIndex(name: string, index: IndexFunction<T>): void;
}

/** Upstream's reflector waits 0.8 s to 30 s, and as much again by chance. */
const RETRY: Backoff = { baseMs: 800, maxMs: 30_000, jitter: 1 };
const PAGE_OBJECTS = 2000;

type State =
  | { readonly at: "listing" } // nothing known, or the history that would be needed was compacted
  | { readonly at: "watching"; readonly resourceVersion: string }; // everything up to here is in the cache

/** How a watch ended: the state to go on from, and whether it got anywhere. */
interface WatchEnd {
  readonly next: State;
  readonly progressed: boolean;
}

/** Makes an informer; it does nothing before `run`. */
export function openInformer<T extends object>(client: Client, resource: Resource<T>, options: InformerOptions<T>): OpenInformer<T> {
  return new ListWatchInformer(client, resource, options);
}

class ListWatchInformer<T extends object> implements OpenInformer<T> {
  readonly #client: Client;
  readonly #resource: Resource<T>;
  readonly #options: InformerOptions<T>;
  readonly #logger: Logger;
  readonly #cache: Cache<T>;
  readonly #selectors: { labelSelector?: string; fieldSelector?: string };
  #onSynced: (() => void)[] = [];
  #hasSynced = false;

  constructor(client: Client, resource: Resource<T>, options: InformerOptions<T>) {
    this.#client = client;
    this.#resource = resource;
    this.#options = options;
    this.#logger = options.logger.child({ informer: qualifiedPlural(resource) });
    this.#cache = new Cache(this.#logger);
    const { labelSelector, fieldSelector, indexes = {} } = options;
    this.#selectors = { ...(labelSelector !== undefined && { labelSelector }), ...(fieldSelector !== undefined && { fieldSelector }) };
    for (const [name, index] of Object.entries(indexes)) this.#cache.addIndex(name, index);
  }

  get hasSynced(): boolean {
    return this.#hasSynced;
  }

  get = (key: string) => this.#cache.get(key);
  list = () => this.#cache.list();
  byIndex = (index: string, value: string) => this.#cache.byIndex(index, value);
  addIndex = (name: string, index: IndexFunction<T>) => this.#cache.addIndex(name, index);
  on = (...[handler]: Parameters<Informer<T>["on"]>) => this.#cache.on(handler);

  synced(signal: AbortSignal): Promise<void> {
    if (this.#hasSynced || signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      this.#onSynced.push(resolve);
      signal.addEventListener("abort", () => resolve(), { once: true });
    });
  }

  async run(signal: AbortSignal): Promise<void> {
    let state: State = { at: "listing" };
    let failures = 0;
    while (!signal.aborted) {
      try {
        if (state.at === "listing") {
          state = { at: "watching", resourceVersion: await this.#list() };
          continue;
        }
        const end = await this.#watch(state.resourceVersion, signal);
        state = end.next;
        failures = end.progressed ? 0 : failures + 1;
      } catch (error) {
        failures++;
        if (isExpired(error)) state = { at: "listing" };
        else this.#logger.warn(`${state.at} failed, trying again`, { failures, error });
      }
      if (failures > 0) await this.#pause(failures, signal);
    }
  }

  async #list(): Promise<string> {
    const items: Stored<T>[] = [];
    const { namespace = "" } = this.#options;
    let page = await this.#client.list(this.#resource, namespace, { ...this.#selectors, limit: PAGE_OBJECTS });
    items.push(...page.items);
    while (page.continue !== undefined) {
      page = await this.#client.list(this.#resource, namespace, { ...this.#selectors, limit: PAGE_OBJECTS, continue: page.continue });
      items.push(...page.items);
    }
    this.#cache.reset(items);
    this.#hasSynced = true;
    for (const resolve of this.#onSynced.splice(0)) resolve();
    return page.resourceVersion;
  }

  /** Watches until the watch ends, an error comes in it, or `signal` aborts. */
  #watch(from: string, signal: AbortSignal): Promise<WatchEnd> {
    return new Promise((resolve, reject) => {
      let resourceVersion = from;
      let handle: WatchHandle | undefined;
      let isOver = false;
      const end = (settle: () => void) => {
        if (isOver) return;
        isOver = true;
        signal.removeEventListener("abort", onEnd);
        handle?.stop();
        settle();
      };
      const onEnd = () => end(() => resolve({ next: { at: "watching", resourceVersion }, progressed: resourceVersion !== from }));
      // What came before the error is in the cache: go on from there, never back.
      const onError = (error: StatusError) => {
        if (isExpired(error)) return end(() => reject(error));
        this.#logger.warn("the watch ended with an error", { error });
        end(() => resolve({ next: { at: "watching", resourceVersion }, progressed: false }));
      };
      const onEvents = (events: readonly WatchEvent[]) => {
        for (const event of events) {
          if (isOver) return;
          if (event.type === "ERROR") return onError(StatusError.fromStatus(event.object));
          this.#take(event);
          resourceVersion = event.object.metadata.resourceVersion ?? resourceVersion;
        }
      };
      signal.addEventListener("abort", onEnd, { once: true });
      const options = { ...this.#selectors, resourceVersion: from, allowWatchBookmarks: true };
      this.#client.watch(this.#resource, this.#options.namespace ?? "", options, { onEvents, onEnd }).then(
        (begun) => {
          handle = begun;
          if (isOver) begun.stop();
        },
        (error: unknown) => end(() => reject(error instanceof Error ? error : new Error(String(error)))),
      );
    });
  }

  #take(event: Exclude<WatchEvent, { readonly type: "ERROR" }>): void {
    if (event.type === "BOOKMARK") return;
    const object = event.object as unknown as Stored<T>;
    if (event.type === "DELETED") this.#cache.delete(object);
    else this.#cache.set(object);
  }

  #pause(failures: number, signal: AbortSignal): Promise<void> {
    return sleep(this.#options.clock, backoffMs(RETRY, failures, this.#options.chance), signal);
  }
}
