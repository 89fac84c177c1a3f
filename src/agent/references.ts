/**
 * Which pods of this node use which ConfigMaps and Secrets, so that a change finds them without a search.
 */
import type { Pod } from "../api/generated/types.ts";
import { referencesOf } from "./volumes/payload.ts";

const NOBODY: ReadonlySet<string> = new Set();

export class References {
  readonly #users = new Map<string, Set<string>>();
  readonly #used = new Map<string, readonly string[]>();

  add(uid: string, pod: Pod): void {
    const names = [...referencesOf(pod)].map((name) => `${pod.metadata.namespace ?? ""}/${name}`);
    this.#used.set(uid, names);
    for (const name of names) {
      const users = this.#users.get(name);
      if (users) users.add(uid);
      else this.#users.set(name, new Set([uid]));
    }
  }

  remove(uid: string): void {
    for (const name of this.#used.get(uid) ?? []) {
      const users = this.#users.get(name);
      users?.delete(uid);
      if (users?.size === 0) this.#users.delete(name);
    }
    this.#used.delete(uid);
  }

  /** Uids of the pods that use `namespace/configmap/name` or `namespace/secret/name`. */
  usersOf(name: string): ReadonlySet<string> {
    return this.#users.get(name) ?? NOBODY;
  }
}
