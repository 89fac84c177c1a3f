/**
 * Small writes of the registry's own to an object that is there: by compare-and-set, without admission and validation.
 */
import type { DraftObject } from "../api/kinds/kind.ts";
import type { KubeObject } from "../api/object.ts";
import type { Resource } from "../api/resource.ts";
import type { Entry, Store } from "../store/store.ts";
import { equal, stamp, thaw } from "./objects.ts";
import { keyFor, type ServedKinds } from "./served.ts";

const ATTEMPTS_MAX = 100;

/** Changes the draft; asked again with a newer object where somebody was faster. What it throws ends the attempt. */
export type Amendment = (draft: DraftObject, live: KubeObject) => void;

/** False: the object is not there, or was too busy. */
export type Amend = (resource: Resource, namespace: string, name: string, change: Amendment) => Promise<boolean>;

export function openAmend(store: Store, served: ServedKinds): Amend {
  return async (resource, namespace, name, change) => {
    const kind = served.find(resource);
    const key = keyFor(kind, namespace, name);
    let entry: Entry | undefined = store.get(key);
    for (let n = 0; n < ATTEMPTS_MAX && entry; n++) {
      const live = entry.value.object as KubeObject;
      const draft = thaw<KubeObject>(live);
      change(draft, live);
      if (equal(draft, live)) return true;
      const result = await store.write({ kind: "put", key, expect: entry.revision, value: (revision) => stamp(draft, kind.stored.resource, revision) });
      if (result.ok) return true;
      entry = result.current;
    }
    return false;
  };
}
