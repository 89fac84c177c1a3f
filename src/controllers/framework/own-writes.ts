/**
 * Keeps a controller from acting on a cache that has not yet seen the controller's own writes (it would create a pod twice). Writes are
 * noted under the key that made them; the key has caught up when the informer has seen all of them.
 * The purpose of kubernetes pkg/controller/controller_utils.go (ControllerExpectations), without its counters: what is awaited is a state of
 * the object, so events that are lost or doubled cannot leave it waiting, and after five minutes it stops waiting as upstream does.
 */
import type { Clock, Instant } from "../../base/clock.ts";
import { keyOf, type Stored } from "../../api/object.ts";
import type { KubeObject } from "../../api/object.ts";
import type { Informer } from "../../client/informer.ts";

/** Upstream's ExpectationsTimeout. */
const WAIT_MS_MAX = 5 * 60_000;

interface Awaited<T extends object> {
  readonly objectKey: string;
  readonly uid: string;
  readonly until: Instant;
  /** Whether the cache's object of this uid is the written state or a later one. */
  readonly isSeen: (cached: Stored<T>) => boolean;
  /** What it means that the cache has no such object: not yet there (create), or gone. */
  readonly absentIsSeen: boolean;
}

export class OwnWrites<T extends KubeObject> {
  readonly #informer: Informer<T>;
  readonly #clock: Clock;
  readonly #byOwner = new Map<string, Set<Awaited<T>>>();
  /** Owners that wait for an object of this key. */
  readonly #ownersByObject = new Map<string, Set<string>>();

  /** Make it before the handlers that enqueue owners are registered: they should find it up to date. */
  constructor(informer: Informer<T>, clock: Clock) {
    this.#informer = informer;
    this.#clock = clock;
    informer.on({
      onSet: (object) => this.#settle(object, false),
      onDelete: (object) => this.#settle(object, true),
    });
  }

  /** `owner` created `object`. */
  created(owner: string, object: Stored<T>): void {
    this.#expect(owner, object, () => true, false);
  }

  /** `owner` asked for the deletion of `object`. */
  deleted(owner: string, object: Stored<T>): void {
    this.#expect(owner, object, (cached) => cached.metadata.deletionTimestamp !== undefined, true);
  }

  /** `owner` changed `object`; `isSeen` tells whether a state is the changed one or a later one. */
  changed(owner: string, object: Stored<T>, isSeen: (cached: Stored<T>) => boolean): void {
    this.#expect(owner, object, isSeen, true);
  }

  /** How long `owner` should wait at most before it acts; 0 when the cache has seen all it wrote. It is woken by the informer before that. */
  waitMs(owner: string): number {
    const awaited = this.#byOwner.get(owner);
    if (!awaited) return 0;
    const now = this.#clock.now();
    let until = now;
    for (const a of awaited) {
      if (a.until <= now) this.#drop(owner, a);
      else until = Math.max(until, a.until);
    }
    return until - now;
  }

  caughtUp(owner: string): boolean {
    return this.waitMs(owner) === 0;
  }

  /** The owner is gone. */
  forget(owner: string): void {
    for (const awaited of this.#byOwner.get(owner) ?? []) this.#drop(owner, awaited);
  }

  #expect(owner: string, object: Stored<T>, isSeen: (cached: Stored<T>) => boolean, absentIsSeen: boolean): void {
    const { uid } = object.metadata;
    const objectKey = keyOf(object);
    const cached = this.#informer.get(objectKey);
    const known = cached?.metadata.uid === uid ? cached : undefined;
    if (known ? isSeen(known) : absentIsSeen) return;
    const awaited = { objectKey, uid, until: this.#clock.now() + WAIT_MS_MAX, isSeen, absentIsSeen };
    setOf(this.#byOwner, owner).add(awaited);
    setOf(this.#ownersByObject, objectKey).add(owner);
  }

  #settle(object: Stored<T>, isGone: boolean): void {
    const objectKey = keyOf(object);
    for (const owner of this.#ownersByObject.get(objectKey) ?? []) {
      for (const awaited of this.#byOwner.get(owner) ?? []) {
        if (awaited.objectKey !== objectKey) continue;
        const isSameObject = awaited.uid === object.metadata.uid;
        if (isSameObject ? isGone || awaited.isSeen(object) : awaited.absentIsSeen) this.#drop(owner, awaited);
      }
    }
  }

  #drop(owner: string, awaited: Awaited<T>): void {
    const ofOwner = this.#byOwner.get(owner);
    ofOwner?.delete(awaited);
    if (ofOwner?.size === 0) this.#byOwner.delete(owner);
    const stillWaits = ofOwner && [...ofOwner].some((a) => a.objectKey === awaited.objectKey);
    const owners = this.#ownersByObject.get(awaited.objectKey);
    if (!stillWaits) owners?.delete(owner);
    if (owners?.size === 0) this.#ownersByObject.delete(awaited.objectKey);
  }
}

function setOf<V>(sets: Map<string, Set<V>>, key: string): Set<V> {
  let set = sets.get(key);
  if (!set) sets.set(key, (set = new Set()));
  return set;
}
